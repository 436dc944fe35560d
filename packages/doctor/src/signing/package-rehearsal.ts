// The signing rehearsal of what was found: every driver with its app, through all stages, from the evidence alone.

import type { MatchSubject } from "@drydock/core/platform/match-verdict";
import { matchPersonality } from "@drydock/core/platform/matching";
import {
  nameWithUnknowns,
  type PlatformProfile,
  platformProfile,
} from "@drydock/core/platform/platform-profile";
import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import { type ClaimRow, claimTable } from "./claim-table.ts";
import { type EvidencePart, evidenceParts, isFromManual } from "./parts.ts";
import { type Rehearsal, type RehearsalInput, rehearse, type SignedPart, signingKeys } from "./rehearsal.ts";
import { provisioningUdid } from "./this-mac.ts";

export interface RehearsalOptions {
  /** Null: iPadOS when every profile is for it alone, macOS otherwise. */
  readonly platform?: PlatformProfile | null;
  /** "xcode" also says what Xcode would say before it builds. Default "xcode". */
  readonly tool?: RehearsalInput["tool"];
  /** ISO 8601; null: no profile has expired. */
  readonly date?: string | null;
  /** The Mac's provisioning UDID; null: what the evidence says of it; if nothing, no list of devices is looked at. */
  readonly udid?: string | null;
}

/** One driver and the app that opens it, or one of them alone. */
export interface PackageRehearsal {
  readonly platform: string;
  readonly app: PackagePart | null;
  readonly dext: PackagePart | null;
  readonly rehearsal: Rehearsal;
}

export interface PackagePart {
  readonly role: SignedPart["role"];
  readonly bundleIdentifier: string;
  readonly profile: string | null;
  /** Claim, allowlist and what the kernel goes by, key by key (F06). */
  readonly claims: readonly ClaimRow[];
  /** What the comparison rests on, where that is less than a signature and a profile of the same bundle. */
  readonly assumptions: readonly string[];
}

export function rehearsePackages(evidence: Evidence, options: RehearsalOptions = {}): PackageRehearsal[] {
  const parts = evidenceParts(evidence);
  const drivers = parts.filter(({ role }) => role === "dext");
  // One project may build an app for the Mac and one for iPads: the Mac's comes first.
  const openers = parts
    .filter(({ role, claims }) => role !== "dext" && claims !== null)
    .sort((left, right) => Number(left.isForIpad) - Number(right.isForIpad));
  const own = new Openers(openers.filter((part) => !isFromManual(evidence, part)));
  const used = new Set<EvidencePart>();
  const packages: PackageRehearsal[] = [];
  for (const dext of drivers) {
    const app = own.of(dext);
    if (app !== null) used.add(app);
    if (dext.claims === null && (app === null || app.claims === null)) continue;
    const others = own.others(dext, app);
    const otherOpener = others.find(({ isForIpad }) => !isForIpad) ?? null;
    packages.push(rehearsePackage(evidence, app, dext, options, otherOpener));
    for (const other of others) {
      used.add(other);
      packages.push(rehearsePackage(evidence, other, dext, options));
    }
  }
  for (const app of openers) {
    if (!used.has(app) && concernsDrivers(app) && !isFromManual(evidence, app))
      packages.push(rehearsePackage(evidence, app, null, options));
  }
  return packages;
}

/** Programs that may open drivers, by what a driver is known by: a package may have thousands of both. */
class Openers {
  readonly #all: readonly EvidencePart[];
  readonly #places: ReadonlyMap<EvidencePart, number>;
  readonly #byFolder: ReadonlyMap<string, readonly EvidencePart[]>;
  readonly #byId: ReadonlyMap<string, readonly EvidencePart[]>;
  readonly #byTeam: ReadonlyMap<string, readonly EvidencePart[]>;
  readonly #byName = new Map<string, EvidencePart[]>();

  constructor(all: readonly EvidencePart[]) {
    this.#all = all;
    this.#places = new Map(all.map((part, index) => [part, index]));
    this.#byFolder = Map.groupBy(all, ({ folder }) => folder);
    this.#byId = Map.groupBy(all, ({ bundleIdentifier }) => bundleIdentifier);
    this.#byTeam = Map.groupBy(all, ({ teamIdentifier }) => teamIdentifier);
    for (const part of all)
      for (const name of new Set(stringsIn(part.claims?.[signingKeys.access]))) {
        const named = this.#byName.get(name) ?? [];
        this.#byName.set(name, named);
        named.push(part);
      }
  }

  /**
   * The app that a driver belongs to: it lies in the app's bundle, the app names it, its id begins with the app's or is the
   * same, or both are of one team and no other app is. Parts that share nothing are never paired.
   */
  of(dext: EvidencePart): EvidencePart | null {
    const around = this.#first(
      beginnings(dext.folder, "/")
        .filter((folder) => isInside(dext.folder, folder))
        .flatMap((folder) => this.#byFolder.get(folder) ?? []),
    );
    const nested = this.#first(
      driverIdentifiers(dext)
        .flatMap((id) => beginnings(id, "."))
        .flatMap((id) => this.#byId.get(id) ?? []),
    );
    const sameTeam = dext.teamIdentifier === "" ? [] : (this.#byTeam.get(dext.teamIdentifier) ?? []);
    return around ?? this.#naming(dext)[0] ?? nested ?? (sameTeam.length === 1 ? sameTeam[0] : null);
  }

  /** Those that name the driver, too, and the iPad's build of `app`, which is the driver's. */
  others(dext: EvidencePart, app: EvidencePart | null): EvidencePart[] {
    const twins = app === null ? [] : (this.#byId.get(app.bundleIdentifier) ?? []);
    return this.#inOrder([...this.#naming(dext), ...twins.filter(({ isForIpad }) => isForIpad)]).filter(
      (part) => part !== app,
    );
  }

  /** Whose list of drivers has this one. */
  #naming(dext: EvidencePart): EvidencePart[] {
    return this.#inOrder(driverIdentifiers(dext).flatMap((id) => this.#byName.get(id) ?? []));
  }

  #first(parts: readonly EvidencePart[]): EvidencePart | undefined {
    return this.#inOrder(parts)[0];
  }

  #inOrder(parts: readonly EvidencePart[]): EvidencePart[] {
    return [...new Set(parts.map((part) => this.#places.get(part) ?? -1))]
      .sort((left, right) => left - right)
      .map((place) => this.#all[place]);
  }
}

/** "a/b/c" -> "a", "a/b", "a/b/c". */
function beginnings(text: string, mark: string): string[] {
  const steps = text.split(mark);
  return text === "" ? [] : steps.map((_, index) => steps.slice(0, index + 1).join(mark));
}

/** The bundle's id and those of its personalities, as far as they are known. */
function driverIdentifiers(dext: EvidencePart): string[] {
  const personality = personalityOf(dext)?.CFBundleIdentifier;
  return [dext.bundleIdentifier, typeof personality === "string" ? personality : ""].filter(
    (id) => id !== "" && !id.includes("$("),
  );
}

/** A driver's bundle inside an app's. */
function isInside(inner: string, outer: string): boolean {
  return /\.app$/.test(outer) && inner.startsWith(`${outer}/`);
}

function stringsIn(value: PropertyValue | undefined): string[] {
  return (Array.isArray(value) ? value : [value]).filter((item) => typeof item === "string");
}

/** Whether the driver comes with this app, which then is the one to activate it. */
function contains(app: EvidencePart | null, dext: EvidencePart | null): boolean {
  if (app === null || dext === null) return true;
  return (
    isInside(dext.folder, app.folder) ||
    app.bundleIdentifier === "" ||
    dext.bundleIdentifier === app.bundleIdentifier ||
    dext.bundleIdentifier.startsWith(`${app.bundleIdentifier}.`)
  );
}

function concernsDrivers({ claims }: EvidencePart): boolean {
  return Object.keys(claims ?? {}).some(
    (key) =>
      key.startsWith("com.apple.developer.driverkit") ||
      key.startsWith("com.apple.developer.system-extension"),
  );
}

function rehearsePackage(
  evidence: Evidence,
  app: EvidencePart | null,
  dext: EvidencePart | null,
  options: RehearsalOptions,
  otherOpener: EvidencePart | null = null,
): PackageRehearsal {
  const platform = options.platform ?? platformOf([app, dext]);
  const personality = dext === null ? null : personalityOf(dext);
  const rehearsal = rehearse({
    app: signedPart(app),
    dext: signedPart(dext),
    isActivator: contains(app, dext),
    otherOpener: otherOpener === null ? null : otherOpener.bundleIdentifier || "another program",
    tool: options.tool ?? "xcode",
    platform,
    serviceBundleIdentifier: serviceIdentifier(dext, personality),
    serviceClass: textOf(personality?.IOUserClass) || "Driver",
    userClientClass: userClientClass(personality) ?? (personality === null ? "UserClient" : null),
    device: personality === null ? null : deviceOf(evidence, personality),
    machine: { udid: options.udid ?? provisioningUdid(evidence), date: options.date ?? null },
  });
  return { platform: nameWithUnknowns(platform), app: describe(app), dext: describe(dext), rehearsal };
}

/** A part as the rehearsal takes it; null when nobody knows what it claims. */
export function signedPart(part: EvidencePart | null): SignedPart | null {
  if (part === null || part.claims === null) return null;
  return {
    role: part.role,
    bundleIdentifier: part.bundleIdentifier,
    teamIdentifier: part.teamIdentifier,
    claims: part.claims,
    profile: part.profile?.value.profile ?? null,
    isProfileOpen: part.profile === null && !part.isWhole,
    hasXmlComments: part.hasXmlComments,
    opensDrivers: opensDrivers(part),
  };
}

/** By what its executables import; a library that lies in the bundle may do it for them. Null: nobody knows. */
function opensDrivers({ executables }: EvidencePart): boolean | null {
  const slices = executables.flatMap(({ value }) => (value.slice === null ? [] : [value.slice]));
  if (slices.some(({ imports }) => imports.some(({ symbol }) => symbol === "_IOServiceOpen"))) return true;
  const isKnown = slices.some(({ imports }) => imports.length > 0);
  const hasOwnLibrary = slices.some(({ dylibs }) =>
    dylibs.some(({ path }) => path.startsWith("@") && !path.includes("/libswift")),
  );
  return isKnown && !hasOwnLibrary ? false : null;
}

function platformOf(parts: readonly (EvidencePart | null)[]): PlatformProfile {
  const platforms = parts.flatMap((part) => part?.profile?.value.profile.platforms ?? []);
  const isForIpad =
    platforms.length > 0 ? !platforms.includes("OSX") : parts.some((part) => part?.isForIpad === true);
  return platformProfile(isForIpad ? "ipados" : "macos15");
}

function personalityOf(dext: EvidencePart): Properties | null {
  const all = dext.infoPlist?.value.value.IOKitPersonalities;
  if (!isDictionary(all)) return null;
  return (
    Object.values(all)
      .filter(isDictionary)
      .find((entry) => "IOUserClass" in entry) ?? null
  );
}

/**
 * It comes from the personality, not from the bundle (posts.md T1). Null: the personality has none. Undefined: nobody knows,
 * as with an Info.plist of a project that still has variables.
 */
function serviceIdentifier(
  dext: EvidencePart | null,
  personality: Properties | null,
): string | null | undefined {
  if (dext === null) return null;
  const given = personality?.CFBundleIdentifier;
  if (typeof given === "string" && !given.includes("$(")) return given;
  // Without an Info.plist, or with a variable in it, the usual case is assumed.
  return dext.infoPlist === null || personality === null || given !== undefined
    ? dext.bundleIdentifier || undefined
    : null;
}

function userClientClass(personality: Properties | null): string | null {
  for (const value of Object.values(personality ?? {})) {
    if (
      isDictionary(value) &&
      typeof value.IOUserClass === "string" &&
      /UserClient/.test(textOf(value.IOClass))
    )
      return value.IOUserClass;
  }
  return null;
}

/** The first registry entry that the personality fits and that asks for an entitlement. */
function deviceOf(evidence: Evidence, personality: Properties): MatchSubject | null {
  for (const { value } of evidence.facts("registry-entry")) {
    if (value.className !== personality.IOProviderClass) continue;
    const subject = {
      classChain: [value.className, "IOService"],
      name: value.name,
      properties: value.properties,
    };
    if (matchPersonality(personality, subject).matches) return subject;
  }
  return null;
}

function describe(part: EvidencePart | null): PackagePart | null {
  if (part === null) return null;
  const profile = part.profile?.value.profile ?? null;
  const assumptions: string[] = [];
  if (part.claims === null) assumptions.push("neither its signature nor its entitlements were given");
  else if (part.claimsFrom === "file")
    assumptions.push("its claims are those of an entitlements file; what was signed may differ");
  if (part.profileBy === "only one")
    assumptions.push("its profile was taken because it is the only one left");
  else if (part.profileBy === "App ID") assumptions.push("its profile was found by the App ID");
  if (profile?.allowlistSource === "plist")
    assumptions.push("its profile has no DER, so the readable copy was compared");
  return {
    role: part.role,
    bundleIdentifier: part.bundleIdentifier,
    profile: profile?.name ?? null,
    claims:
      part.claims === null
        ? []
        : claimTable(part.claims, profile, profile === null && !part.isWhole && part.role !== "tool"),
    assumptions,
  };
}

function textOf(value: PropertyValue | undefined): string {
  return typeof value === "string" ? value : "";
}
