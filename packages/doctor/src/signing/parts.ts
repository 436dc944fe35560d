// Apps, drivers and tools put together from the evidence: which executable, Info.plist, entitlements and profile belong
// to one another. What files are called decides nothing; which bundle they lie in does, where that is known.

import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";
import type { Place } from "../facts/evidence-source.ts";
import type { ProvisioningProfile } from "../facts/provisioning-profile.ts";
import { coversBundle, driverKit, isDextEntitlements, listsOf } from "./entitlement-lists.ts";
import type { SignedPart } from "./rehearsal.ts";

/** A part of which something was found; what is null was not among the evidence. */
export interface EvidencePart {
  readonly role: SignedPart["role"];
  /** Empty when nothing tells. */
  readonly bundleIdentifier: string;
  readonly teamIdentifier: string;
  readonly executables: readonly Fact<"executable">[];
  readonly infoPlist: Fact<"property-list"> | null;
  /** The entitlements file, or what the signature carries. */
  readonly entitlements: Fact<"property-list"> | null;
  readonly claims: Properties | null;
  /** "signature": what was really signed. "file": an .entitlements file, which signing may still change. */
  readonly claimsFrom: "signature" | "file" | null;
  readonly hasXmlComments: boolean;
  readonly profile: Fact<"profile"> | null;
  /** The bundle's folder: a/B.app, a/B.dext; for files that lie in no bundle their folder. */
  readonly folder: string;
  /** The bundle was handed in whole, so what is not in it is not there: its Info.plist and its executable are among the evidence, in a folder that is a bundle. */
  readonly isWhole: boolean;
  /** An Xcode project builds it for iPads alone. */
  readonly isForIpad: boolean;
  /** How the profile was found: it lies in the same bundle, or its App ID says so, or it is the only one. */
  readonly profileBy: "bundle" | "App ID" | "only one" | null;
}

const known = new WeakMap<Evidence, readonly EvidencePart[]>();

/** In the order of the evidence. The same evidence always gives the same parts. */
export function evidenceParts(evidence: Evidence): readonly EvidencePart[] {
  const before = known.get(evidence);
  if (before !== undefined) return before;
  const parts = new Assembly(evidence).parts();
  known.set(evidence, parts);
  return parts;
}

/** Where a part's claim of `key` was seen. */
export function claimPlace(part: EvidencePart, key: string): Place {
  const fact = part.entitlements ?? part.executables[0] ?? part.infoPlist ?? part.profile;
  if (part.entitlements !== null) return part.entitlements.value.placeOf(key);
  return fact?.place ?? { file: "", line: 0, offset: 0, text: key };
}

/** The folder that a bundle's files share: a/B.app for a/B.app/Contents/MacOS/B and for a/B.app/Info.plist. */
export function bundleFolder(file: string): string {
  const steps = file.split("/").slice(0, -1);
  while (["MacOS", "_CodeSignature", "Contents"].includes(steps.at(-1) ?? "")) steps.pop();
  return steps.join("/");
}

interface Draft {
  identifier: string;
  folder: string;
  infoPlist: Fact<"property-list"> | null;
  executables: Fact<"executable">[];
  entitlements: Fact<"property-list"> | null;
  profile: Fact<"profile"> | null;
  profileBy: EvidencePart["profileBy"];
}

/** Parts by what they are looked for by: packages may have thousands of bundles. */
class DraftIndex {
  readonly all: Draft[] = [];
  readonly #byId = new Map<string, Draft[]>();
  readonly #byFolder = new Map<string, Draft[]>();
  readonly #byExecutable = new Map<string, Draft>();

  add(draft: Draft): void {
    this.all.push(draft);
    if (draft.identifier !== "") addTo(this.#byId, draft.identifier, draft);
    addTo(this.#byFolder, draft.folder, draft);
    if (draft.executables.length > 0) this.#byExecutable.set(draft.executables[0].place.file, draft);
  }

  addExecutable(draft: Draft, executable: Fact<"executable">): void {
    if (draft.executables.length === 0) this.#byExecutable.set(executable.place.file, draft);
    draft.executables.push(executable);
  }

  /** Of an id, which is not empty; in the order in which they were added. */
  ofId(identifier: string): readonly Draft[] {
    return this.#byId.get(identifier) ?? [];
  }

  in(folder: string): readonly Draft[] {
    return this.#byFolder.get(folder) ?? [];
  }

  /** Whose first executable lies in this file. */
  ofFile(file: string): Draft | undefined {
    return this.#byExecutable.get(file);
  }
}

function addTo<Item>(map: Map<string, Item[]>, key: string, item: Item): void {
  const items = map.get(key) ?? [];
  map.set(key, items);
  items.push(item);
}

class Assembly {
  readonly #evidence: Evidence;
  readonly #drafts = new DraftIndex();

  constructor(evidence: Evidence) {
    this.#evidence = evidence;
  }

  parts(): EvidencePart[] {
    for (const list of listsOf(this.#evidence, "Info.plist")) this.#addInfoPlist(list);
    for (const executable of this.#evidence.facts("executable")) this.#addExecutable(executable);
    this.#addEntitlements();
    this.#addProfiles();
    return this.#drafts.all
      .map(finish)
      .filter((part) => part.claims !== null || part.infoPlist !== null || part.executables.length > 0);
  }

  #addInfoPlist(list: Fact<"property-list">): void {
    const { value } = list.value;
    const identifier = expandedText(value.CFBundleIdentifier) || (list.value.target?.bundleIdentifier ?? "");
    const isCode = ["CFBundleExecutable", "IOKitPersonalities", "CFBundlePackageType"].some(
      (key) => key in value,
    );
    const type = value.CFBundlePackageType;
    if (!isCode || (typeof type === "string" && !["APPL", "DEXT", "SYSX"].includes(type))) return;
    const [twin] = this.#drafts.ofId(identifier);
    // An executable's own copy of its Info.plist, or a second architecture's.
    if (twin !== undefined && twin.infoPlist?.place.file === list.place.file) return;
    this.#drafts.add({
      ...emptyDraft,
      identifier,
      folder: bundleFolder(list.place.file),
      infoPlist: list,
      executables: [],
    });
  }

  #addExecutable(executable: Fact<"executable">): void {
    const { directory, infoPlist, slice } = executable.value;
    if (slice !== null && slice.fileType !== "executable") return;
    const folder = bundleFolder(executable.place.file);
    const identifier = directory?.identifier ?? expandedText(infoPlist?.CFBundleIdentifier);
    const same = this.#drafts.ofId(identifier);
    const near = this.#drafts.in(folder).filter((draft) => draft.infoPlist !== null);
    const home =
      this.#drafts.ofFile(executable.place.file) ??
      same.find((draft) => draft.folder === folder) ??
      same[0] ??
      // Unsigned, or signed by a linker under the file's own name: the bundle it lies in tells.
      (near.length === 1 && near[0].executables.length === 0 && isWeakIdentity(executable)
        ? near[0]
        : undefined);
    if (home !== undefined) this.#drafts.addExecutable(home, executable);
    else this.#drafts.add({ ...emptyDraft, identifier, folder, executables: [executable] });
  }

  /** Those of signatures belong to their executable; files to the part of their kind that has none. */
  #addEntitlements(): void {
    const lists = listsOf(this.#evidence, "entitlements");
    const firstIn = new Map<string, Fact<"property-list">>();
    for (const list of lists) if (!firstIn.has(list.place.file)) firstIn.set(list.place.file, list);
    const signed = new Set<string>();
    for (const draft of this.#drafts.all)
      for (const { place } of draft.executables) {
        signed.add(place.file);
        draft.entitlements ??= firstIn.get(place.file) ?? null;
      }
    const nameless = this.#drafts.all.filter(({ identifier }) => identifier === "");
    for (const list of lists) {
      if (signed.has(list.place.file)) continue;
      const isDext = isDextEntitlements(list.value.value);
      const id = identifierOfClaims(list.value.value) || (list.value.target?.bundleIdentifier ?? "");
      const isOpen = (draft: Draft): boolean =>
        draft.entitlements === null && !hasSignedClaims(draft) && (roleOf(draft) === "dext") === isDext;
      const folder = bundleFolder(list.place.file);
      // A list with an id of its own belongs to nobody else; one without may belong to the only part of its tree.
      const fits = (draft: Draft): boolean => (id === "" || draft.identifier === "") && isOpen(draft);
      const home =
        this.#drafts.ofId(id).find(isOpen) ??
        only(this.#drafts.in(folder).filter(fits)) ??
        onlyOne(
          id === "" ? this.#drafts.all : nameless,
          (draft) => isNear(draft.folder, folder) && fits(draft),
        );
      if (home !== undefined) home.entitlements = list;
      else if (isDext || isAppEntitlements(list.value.value))
        this.#drafts.add({ ...emptyDraft, identifier: id, folder, executables: [], entitlements: list });
    }
  }

  #addProfiles(): void {
    const profiles = this.#evidence.facts("profile");
    const profilesIn = Map.groupBy(profiles, ({ place }) => bundleFolder(place.file));
    const fitting = profilesByAppId(profiles);
    for (const draft of this.#drafts.all) {
      const near = profilesIn.get(draft.folder) ?? [];
      const rivals = this.#drafts
        .in(draft.folder)
        .filter(({ executables, infoPlist }) => infoPlist !== null || executables.length > 0);
      // A bundle's folder with one profile: it is that bundle's, whatever it names.
      if (isBundle(draft.folder) && near.length === 1 && rivals.length === 1 && rivals[0] === draft) {
        draft.profile = near[0];
        draft.profileBy = "bundle";
        continue;
      }
      const matching = fitting(draft.identifier);
      const exact = matching.filter(({ value }) => !value.profile.applicationIdentifier.endsWith("*"));
      // An app and its driver may have one id: each takes the profile that has its kind of keys.
      const isDext = roleOf(draft) === "dext";
      const own = exact.filter(({ value }) => isDextEntitlements(value.profile.allowlist) === isDext);
      draft.profile = newest(own) ?? newest(exact) ?? newest(matching);
      draft.profileBy = draft.profile === null ? null : "App ID";
    }
    const taken = new Set(this.#drafts.all.map(({ profile }) => profile));
    const free = profiles.filter((profile) => !taken.has(profile));
    // One left on each side, of one team or with nothing that contradicts: each other's, and if the App ID does not fit,
    // that is a finding.
    const bare = this.#drafts.all.filter(
      ({ profile, entitlements }) => profile === null && entitlements !== null,
    );
    for (const kind of [true, false]) {
      const part = only(bare.filter((draft) => (roleOf(draft) === "dext") === kind));
      const profile = only(free.filter(({ value }) => isDextEntitlements(value.profile.allowlist) === kind));
      if (part === undefined || profile === undefined || !mayBelong(part, profile.value.profile)) continue;
      part.profile = profile;
      part.profileBy = "only one";
      if (part.identifier === "")
        part.identifier = bundleOfAppId(profile.value.profile.applicationIdentifier);
    }
  }
}

/** Profiles whose App ID covers a bundle id, in the order of the evidence. */
function profilesByAppId(profiles: readonly Fact<"profile">[]): (bundle: string) => Fact<"profile">[] {
  const isWild = ({ value }: Fact<"profile">): boolean => value.profile.applicationIdentifier.endsWith("*");
  const exact = Map.groupBy(
    profiles.filter((profile) => !isWild(profile)),
    ({ value }) => value.profile.applicationIdentifier.replace(/^[A-Z0-9]{10}\./, ""),
  );
  const wild = profiles.filter(isWild);
  return (bundle) =>
    bundle === ""
      ? []
      : [
          ...(exact.get(bundle) ?? []),
          ...wild.filter(({ value }) => coversBundle(value.profile.applicationIdentifier, bundle)),
        ];
}

/** One lies in the other's folder, or both lie below one folder that is not the root of everything handed in. */
function isNear(left: string, right: string): boolean {
  if (left === right || left.startsWith(`${right}/`) || right.startsWith(`${left}/`)) return true;
  const [first] = left.split("/");
  return left === "" || right === "" || first === right.split("/")[0];
}

/** Whether a part may be the one that a profile with another App ID was meant for: the same team, or no team is known. */
function mayBelong(draft: Draft, profile: ProvisioningProfile): boolean {
  const claims = draft.entitlements?.value.value ?? {};
  const own = expandedText(claims["com.apple.application-identifier"] ?? claims["application-identifier"]);
  const team = textOr(claims["com.apple.developer.team-identifier"]) ?? own.split(".")[0];
  const signedBy = draft.executables.find(({ value }) => value.directory !== null)?.value.directory
    ?.teamIdentifier;
  const known = [team, signedBy ?? ""].filter((text) => /^[A-Z0-9]{10}$/.test(text));
  if (known.length > 0) return known.some((text) => profile.teamIdentifiers.includes(text));
  const wanted = profile.applicationIdentifier;
  return draft.identifier === "" || wanted === "" || coversBundle(wanted, draft.identifier);
}

const emptyDraft = {
  identifier: "",
  folder: "",
  infoPlist: null,
  entitlements: null,
  profile: null,
  profileBy: null,
} as const;

function finish(draft: Draft): EvidencePart {
  const signed = draft.executables.find(({ value }) => value.signed !== null)?.value;
  const certificate = draft.executables.find(({ value }) => value.certificates.length > 0)?.value
    .certificates[0];
  const fromSignature = signed?.signed ?? null;
  // A linker's ad-hoc signature claims nothing: the file that is to be signed with tells.
  const isReal = fromSignature !== null && (fromSignature.source !== "none" || draft.entitlements === null);
  const claims = isReal ? fromSignature.claims : (draft.entitlements?.value.value ?? null);
  const team =
    signed?.directory?.teamIdentifier ??
    textOr(claims?.["com.apple.developer.team-identifier"]) ??
    draft.profile?.value.profile.teamIdentifiers[0] ??
    certificate?.organizationalUnit ??
    draft.infoPlist?.value.target?.team ??
    draft.entitlements?.value.target?.team ??
    "";
  return {
    role: roleOf(draft),
    bundleIdentifier: draft.identifier,
    teamIdentifier: team,
    executables: draft.executables,
    infoPlist: draft.infoPlist,
    entitlements: draft.entitlements,
    claims,
    claimsFrom: claims === null ? null : isReal ? "signature" : "file",
    // What a certificate stands for was signed with its comments, and published drivers run so.
    hasXmlComments: isReal
      ? fromSignature?.hasXmlComments === true && certificate === undefined
      : draft.entitlements?.value.hasComment === true,
    profile: draft.profile,
    profileBy: draft.profileBy,
    folder: draft.folder,
    isForIpad: (draft.entitlements ?? draft.infoPlist)?.value.target?.isForIpad === true,
    isWhole: isBundle(draft.folder) && draft.infoPlist !== null && draft.executables.length > 0,
  };
}

/** A folder with the name of a bundle. */
function isBundle(folder: string): boolean {
  return /\.(?:app|dext|appex|systemextension)$/.test(folder);
}

function roleOf(draft: Draft): SignedPart["role"] {
  const info = draft.infoPlist?.value.value;
  if (info?.CFBundlePackageType === "DEXT") return "dext";
  if (draft.executables.some(({ value }) => value.slice?.build?.platform === "DriverKit")) return "dext";
  const claims =
    draft.entitlements?.value.value ??
    draft.executables.find(({ value }) => value.signed !== null)?.value.signed?.claims;
  if (claims !== undefined && isDextEntitlements(claims)) return "dext";
  const personalities = info?.IOKitPersonalities;
  if (
    isDictionary(personalities) &&
    Object.values(personalities).some((entry) => isDictionary(entry) && "IOUserClass" in entry)
  )
    return "dext";
  return info === undefined && draft.executables.length > 0 && draft.profile === null ? "tool" : "app";
}

function hasSignedClaims(draft: Draft): boolean {
  return draft.executables.some(({ value }) => value.signed !== null && value.signed.source !== "none");
}

/** Nothing but the file's name stands behind its identity. */
function isWeakIdentity({ value }: Fact<"executable">): boolean {
  return (
    value.directory === null ||
    value.directory.flagNames.includes("linker-signed") ||
    !value.directory.identifier.includes(".")
  );
}

function isAppEntitlements(claims: Properties): boolean {
  return Object.keys(claims).some(
    (key) => key.startsWith(`${driverKit}.`) || key === "com.apple.developer.system-extension.install",
  );
}

/** "TEAM.org.example.app" -> "org.example.app". */
export function bundleOfAppId(applicationIdentifier: string): string {
  const rest = applicationIdentifier.split(".").slice(1).join(".");
  return rest.endsWith("*") ? "" : rest;
}

function identifierOfClaims(claims: Properties): string {
  const own = claims["com.apple.application-identifier"] ?? claims["application-identifier"];
  return bundleOfAppId(expandedText(own));
}

function newest(profiles: readonly Fact<"profile">[]): Fact<"profile"> | null {
  return profiles.reduce<Fact<"profile"> | null>(
    (best, entry) =>
      best === null || entry.value.profile.created > best.value.profile.created ? entry : best,
    null,
  );
}

/** The one that fits; undefined when none does or a second one. */
function onlyOne<Item>(items: readonly Item[], fits: (item: Item) => boolean): Item | undefined {
  const at = items.findIndex(fits);
  return at >= 0 && items.findIndex((item, index) => index > at && fits(item)) < 0 ? items[at] : undefined;
}

function only<Item>(items: readonly Item[]): Item | undefined {
  return items.length === 1 ? items[0] : undefined;
}

/** A text without $(VARIABLES); "" for one that has them, and for everything else. */
function expandedText(value: PropertyValue | undefined): string {
  return typeof value === "string" && !value.includes("$(") ? value : "";
}

function textOr(value: PropertyValue | undefined): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}

/** A manual beside a driver's source quotes entitlements; they are nobody's. */
export function isFromManual(evidence: Evidence, part: EvidencePart): boolean {
  const file = part.entitlements?.place.file;
  return (
    file !== undefined &&
    evidence.facts("source").length > 0 &&
    evidence.files.some(({ name, kinds }) => name === file && kinds.includes("documentation"))
  );
}
