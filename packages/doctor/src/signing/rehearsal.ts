// Signing rehearsal: build, install, launch, provider and user client, with the lines each stage would print (F05).

import {
  decideProviderAttach,
  decideUserClientAccess,
  launchRefusalLines,
} from "@drydock/core/platform/access";
import {
  type ClaimJudgement,
  isRestrictedEntitlement,
  judgeClaims,
  unsatisfiedKeys,
} from "@drydock/core/platform/claims";
import { type MatchSubject, showProperty } from "@drydock/core/platform/match-verdict";
import type { PlatformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import { profileProblem } from "../evidence/profile.ts";
import type { ProvisioningProfile } from "../facts/provisioning-profile.ts";
import { portalAdvice } from "./portal.ts";

export type Stage = "build" | "install" | "launch" | "provider" | "user client";
export const stages: readonly Stage[] = ["build", "install", "launch", "provider", "user client"];

/** Something that is signed: the app, the driver extension, a command-line tool. */
export interface SignedPart {
  readonly role: "app" | "dext" | "tool";
  readonly bundleIdentifier: string;
  readonly teamIdentifier: string;
  /** Entitlements of the signature, or of the .entitlements file before there is one. */
  readonly claims: Properties;
  readonly profile: ProvisioningProfile | null;
  /**
   * True: whether there is a profile is not known, because what was handed in has no place for one (an entitlements file,
   * a source tree). Left out or false with a null profile: there is none.
   */
  readonly isProfileOpen?: boolean;
  /** The .entitlements file holds `<!-- -->`. */
  readonly hasXmlComments?: boolean;
  /** Whether its program calls IOServiceOpen; null or left out: nobody knows, and it is taken for the one that opens the driver. */
  readonly opensDrivers?: boolean | null;
}

export interface RehearsalInput {
  /** The process that opens the driver; null when only the driver is there: what depends on the app stays open. */
  readonly app: SignedPart | null;
  /** Null when only the app is there. */
  readonly dext: SignedPart | null;
  /** Xcode compares claim and profile before it builds; codesign by hand does not. */
  readonly tool: "xcode" | "codesign";
  readonly platform: PlatformProfile;
  /** The personality's CFBundleIdentifier: what the kernel compares userclient-access with. Null: it has none. Left out: nobody knows it. */
  readonly serviceBundleIdentifier: string | null | undefined;
  readonly serviceClass: string;
  /** Null: the driver's personality names no user client, so nobody opens it. */
  readonly userClientClass: string | null;
  /** What the driver is to attach to; null when nobody said. */
  readonly device: MatchSubject | null;
  /** `udid` null: whether the Mac is listed is not judged. `date` (ISO 8601) null: the profile's end is not judged. */
  readonly machine: { readonly udid: string | null; readonly date: string | null };
  /** False: the app opens the driver and may not be the one that brings it along and activates it. Default true. */
  readonly isActivator?: boolean;
  /** Another program of the evidence claims to open this driver: the app without the key is then no client of it. */
  readonly otherOpener?: string | null;
  /** Where the app lies; macOS activates extensions of apps in /Applications only. */
  readonly appPath?: string;
}

export interface StageVerdict {
  readonly stage: Stage;
  readonly part: "app" | "dext" | "tool";
  readonly bundleIdentifier: string;
  /** Null: cannot be judged from what was given; `reason` says what is missing. */
  readonly ok: boolean | null;
  /** Short stable name of the finding: "wildcard-differs", "expired", ... "ok" when there is none. */
  readonly finding: string;
  readonly reason: string;
  /** What the stage prints, in order; marks of certainty are in docs/signing.md. */
  readonly lines: readonly string[];
  readonly fix: string;
  readonly who: "you" | "your team's admin" | "Apple" | "the device's maker";
}

export interface Rehearsal {
  readonly verdicts: readonly StageVerdict[];
  /** The first stage that fails; null when all that could be judged pass. Later stages are then not reached. */
  readonly stoppedAt: Stage | null;
  /** What works but should not ship, or has no effect. */
  readonly warnings: readonly { readonly rule: string; readonly text: string }[];
}

const prefix = "com.apple.developer.driverkit";
export const signingKeys = {
  allowAny: `${prefix}.allow-any-userclient-access`,
  access: `${prefix}.userclient-access`,
  communicates: `${prefix}.communicates-with-drivers`,
  install: "com.apple.developer.system-extension.install",
} as const;

/** Registry ids of the lines: whatever the system gives; the pattern is what counts. */
const exampleRegistryId = 0x10000ad6a;

/** All stages in order. The stages behind the first failure are left out, as on a real system. */
export function rehearse(input: RehearsalInput): Rehearsal {
  const verdicts: StageVerdict[] = [];
  let stoppedAt: Stage | null = null;
  for (const stage of stages) {
    const found = judgeStage(stage, input);
    verdicts.push(...found);
    if (found.some(({ ok }) => ok === false)) {
      stoppedAt = stage;
      break;
    }
  }
  return { verdicts, stoppedAt, warnings: warningsOf(input) };
}

function judgeStage(stage: Stage, input: RehearsalInput): StageVerdict[] {
  switch (stage) {
    case "build":
      return given(input.dext, input.app).map((part) => buildVerdict(part, input));
    case "install":
      return [installVerdict(input)];
    case "launch":
      return given(input.app, input.dext).map((part) => launchVerdict(part, input));
    case "provider":
      return [providerVerdict(input)];
    case "user client":
      return [userClientVerdict(input)];
  }
}

const given = (...parts: readonly (SignedPart | null)[]): SignedPart[] =>
  parts.filter((part) => part !== null);

/** A stage that cannot be judged because a part was not given. */
function notGiven(stage: Stage, missing: "app" | "dext"): StageVerdict {
  const what = missing === "app" ? "the app that opens the driver" : "the driver";
  return {
    ...pass(`${what} was not given`),
    stage,
    part: missing,
    bundleIdentifier: "",
    ok: null,
    finding: "not-given",
  };
}

type Rest = Omit<StageVerdict, "stage" | "part" | "bundleIdentifier">;

const pass = (reason: string): Rest => ({ ok: true, finding: "ok", reason, lines: [], fix: "", who: "you" });

function verdict(stage: Stage, part: SignedPart, rest: Rest): StageVerdict {
  return { stage, part: part.role, bundleIdentifier: part.bundleIdentifier, ...rest };
}

/** Nobody handed in the place where a profile would be, so nothing is said about it. */
const openProfile: Rest = {
  ok: null,
  finding: "profile-not-given",
  reason:
    "no profile is among the evidence, so whether one authorises these claims is open (Xcode makes and fetches profiles when it builds)",
  lines: [],
  fix: "",
  who: "you",
};

/** Xcode's two messages (posts.md P12, E), and what codesign lets pass. */
function buildVerdict(part: SignedPart, input: RehearsalInput): StageVerdict {
  if (input.tool === "codesign") {
    if (part.hasXmlComments === true) {
      return verdict("build", part, {
        ok: false,
        finding: "xml-comment",
        reason:
          "the entitlements file holds an XML comment, which codesign passes on and the strict parser refuses",
        lines: ["AMFIUnserializeXML: syntax error near line 1"],
        fix: "Take the comments out of the .entitlements file before you sign by hand (Xcode strips them, codesign does not).",
        who: "you",
      });
    }
    return verdict("build", part, pass("codesign compares nothing with the profile"));
  }
  const { profile } = part;
  const restricted = Object.keys(part.claims).filter(isRestrictedEntitlement);
  if (profile === null) {
    if (restricted.length === 0 || part.role === "tool")
      return verdict("build", part, pass("no profile is asked for"));
    if (part.isProfileOpen === true) return verdict("build", part, openProfile);
    return verdict("build", part, {
      ok: false,
      finding: "no-profile",
      reason: `restricted entitlements are claimed (${restricted.join(", ")}), and the bundle holds no profile`,
      lines:
        part.bundleIdentifier === "" ? [] : [`"${part.bundleIdentifier}" requires a provisioning profile.`],
      fix: "Choose a profile for this target under Signing & Capabilities.",
      who: "you",
    });
  }
  const problem = profileProblem(profile, part, input.machine);
  if (problem?.id === "wrong-app-id") {
    return verdict("build", part, {
      ok: false,
      finding: problem.id,
      reason: problem.reason,
      lines: [
        `Provisioning profile "${profile.name}" has app ID "${profile.applicationIdentifier}", which does not match the bundle ID "${part.bundleIdentifier}".`,
      ],
      fix: "Choose the profile of this target's own App ID.",
      who: "you",
    });
  }
  const judged = judgeClaims(part.claims, profile.allowlist);
  const absent = judged.find((entry) => entry.verdict === "absent");
  if (absent !== undefined) {
    return verdict("build", part, {
      ok: false,
      finding: "absent",
      reason: `${absent.key}: ${absent.reason}`,
      lines: [`Provisioning profile "${profile.name}" doesn't include the ${absent.key} entitlement.`],
      fix: adviceFor(absent, input.machine.date),
      who: portalWho(absent.key),
    });
  }
  // Only for userclient-access is it established that Xcode compares values; others are judged at launch (unknown).
  const strict = judged.find((entry) => entry.key === signingKeys.access && !isStrictlyCovered(entry));
  if (strict !== undefined) {
    return verdict("build", part, {
      ok: false,
      finding: strict.verdict === "covered" ? "type-differs" : strict.verdict,
      reason: `${strict.key}: claimed ${showProperty(strict.claim)}, the profile has ${showProperty(strict.allowed)}`,
      lines: [
        `Provisioning profile "${profile.name}" doesn't match the entitlements file's value for the ${strict.key} entitlement.`,
      ],
      fix: adviceFor(strict, input.machine.date),
      who: strict.verdict === "newline-joined" ? "Apple" : "you",
    });
  }
  return verdict("build", part, pass(`the profile "${profile.name}" has every key that is claimed`));
}

/** The kernel takes a string for a list of one; the signing tools do not (posts.md P12). */
export function isStrictlyCovered({ verdict: found, claim, allowed }: ClaimJudgement): boolean {
  return found === "covered" && Array.isArray(claim) === Array.isArray(allowed);
}

/** posts.md §4.6: error codes of OSSystemExtensionErrorDomain. */
function installVerdict(input: RehearsalInput): StageVerdict {
  const { app, appPath, dext, platform } = input;
  if (dext === null) return notGiven("install", "dext");
  if (!platform.driverKit) {
    return verdict("install", dext, {
      ok: false,
      finding: "no-driver-extensions",
      reason: `there are no driver extensions on this platform (${platform.name})`,
      lines: [],
      fix: "Choose a class that the system drives itself (for network CDC-NCM), an MFi accessory with External Accessory, or an iPad or Mac.",
      who: "the device's maker",
    });
  }
  if (app === null) return notGiven("install", "app");
  const fail = (finding: string, code: number, reason: string, fix: string): StageVerdict =>
    verdict("install", app, {
      ok: false,
      finding,
      reason,
      lines: [`OSSystemExtensionErrorDomain Code=${code}`],
      fix,
      who: "you",
    });
  if (platform.userClientRules === "ipados")
    return verdict("install", dext, pass("drivers come with their app"));
  if (app.role === "tool") return verdict("install", dext, pass("somebody else activates the driver"));
  if (appPath !== undefined && !/^\/(Applications|System\/Applications)\//.test(appPath)) {
    return fail(
      "app-location",
      3,
      `the app lies in ${appPath}; extensions are activated from /Applications only`,
      "Move the app to /Applications and start it there.",
    );
  }
  if (!(signingKeys.install in app.claims) && input.isActivator === false) {
    return verdict("install", dext, {
      ...pass("which app activates the driver was not given: this one opens it"),
      ok: null,
      finding: "not-given",
    });
  }
  if (!(signingKeys.install in app.claims)) {
    return fail(
      "install-entitlement",
      2,
      `the app does not hold ${signingKeys.install}`,
      "Add the System Extension capability to the app.",
    );
  }
  return verdict("install", app, pass("the request can be made"));
}

function launchVerdict(part: SignedPart, input: RehearsalInput): StageVerdict {
  const { profile } = part;
  if (
    profile === null &&
    part.isProfileOpen === true &&
    part.role !== "tool" &&
    Object.keys(part.claims).some(isRestrictedEntitlement)
  )
    return verdict("launch", part, openProfile);
  const problem = profile === null ? null : profileProblem(profile, part, input.machine);
  const allowlist = problem === null ? (profile?.allowlist ?? null) : null;
  const judged = judgeClaims(part.claims, allowlist);
  const unsatisfied = unsatisfiedKeys(judged);
  if (unsatisfied.length === 0)
    return verdict("launch", part, pass("every restricted entitlement is authorised"));
  const lines = launchRefusalLines(part.bundleIdentifier, unsatisfied);
  if (problem !== null) {
    const fixes = {
      expired: "Generate the profile anew and sign again.",
      "device-not-listed": `Register the Mac ${input.machine.udid ?? ""} with the team and generate the profile anew.`,
      "wrong-app-id": "Embed the profile of this bundle's own App ID.",
    };
    return verdict("launch", part, {
      ok: false,
      finding: problem.id,
      reason: `${problem.reason}, so nothing is authorised: ${unsatisfied.join(", ")}`,
      lines,
      fix: fixes[problem.id],
      who: problem.id === "device-not-listed" ? "your team's admin" : "you",
    });
  }
  const first = judged.find(({ key }) => key === unsatisfied[0]) as ClaimJudgement;
  const isTool = part.role === "tool" && profile === null;
  return verdict("launch", part, {
    ok: false,
    finding: isTool ? "tool-without-profile" : first.verdict,
    reason: `${first.key}: ${first.reason}`,
    lines,
    fix: isTool
      ? "A command-line tool cannot embed a profile: wrap it in an app bundle, or take the key away."
      : adviceFor(first, input.machine.date),
    who:
      first.verdict === "absent"
        ? portalWho(first.key)
        : first.verdict === "newline-joined"
          ? "Apple"
          : "you",
  });
}

function providerVerdict(input: RehearsalInput): StageVerdict {
  const { dext, device, platform } = input;
  if (dext === null) return notGiven("provider", "dext");
  if (device === null) {
    return verdict("provider", dext, {
      ...pass("which device the driver is for was not given; a registry dump would tell"),
      ok: null,
      finding: "no-device",
    });
  }
  const judged = decideProviderAttach({
    profile: platform,
    processName: dext.bundleIdentifier,
    processId: 400,
    bundleIdentifier: dext.bundleIdentifier,
    serviceClassName: input.serviceClass,
    registryId: exampleRegistryId,
    dextEntitlements: dext.claims,
    provider: device,
    serviceProperties: {},
  });
  if (judged.allowed) return verdict("provider", dext, pass(judged.reason));
  return verdict("provider", dext, {
    ok: false,
    finding: "provider-entitlement",
    reason: judged.reason,
    lines: judged.logLines,
    fix: "Claim the entitlement of this device's transport with a value that fits the device.",
    who: "you",
  });
}

function userClientVerdict(input: RehearsalInput): StageVerdict {
  const { app, dext, platform } = input;
  if (dext === null) return notGiven("user client", "dext");
  if (app === null) return notGiven("user client", "app");
  if (input.userClientClass === null) {
    return verdict("user client", app, {
      ...pass("the driver's personality names no user client, so there is nothing to open"),
      ok: null,
      finding: "no-user-client",
    });
  }
  const other = input.otherOpener ?? null;
  if (
    other !== null &&
    app.claims[signingKeys.access] === undefined &&
    !(signingKeys.allowAny in dext.claims)
  )
    return verdict("user client", app, {
      ...pass(`${other} is the program that claims to open the driver; this one does not ask to`),
      ok: null,
      finding: "no-client",
    });
  if (
    app.opensDrivers === false &&
    app.claims[signingKeys.access] === undefined &&
    !(signingKeys.communicates in app.claims)
  )
    return verdict("user client", app, {
      ...pass(
        "this program does not call IOServiceOpen, so it opens no driver; the one that does was not given",
      ),
      ok: null,
      finding: "no-client",
    });
  const access = app.claims[signingKeys.access];
  const hasVariable = JSON.stringify(access ?? "").includes("$(");
  if (
    access !== undefined &&
    platform.userClientRules === "macos" &&
    !(signingKeys.allowAny in dext.claims) &&
    (input.serviceBundleIdentifier === undefined || hasVariable)
  )
    return verdict("user client", app, {
      ...pass(
        `${hasVariable ? "the app's list" : "the driver's bundle id"} holds a variable, and no Xcode project among the files says what it stands for`,
      ),
      ok: null,
      finding: "variable",
    });
  const judged = decideUserClientAccess({
    profile: platform,
    dextEntitlements: dext.claims,
    dextTeam: dext.teamIdentifier,
    serviceBundleIdentifier: input.serviceBundleIdentifier ?? null,
    userClientClassName: input.userClientClass,
    userClientRegistryId: exampleRegistryId,
    userClientDextEntitlements: undefined,
    clientEntitlements: app.claims,
    clientTeam: app.teamIdentifier,
    bootArgDk: 0,
  });
  if (judged.allowed) return verdict("user client", app, pass(judged.reason));
  const needed = input.serviceBundleIdentifier ?? "the driver's bundle id";
  return verdict("user client", app, {
    ok: false,
    finding:
      app.claims[signingKeys.access] === undefined ? "no-userclient-access" : "userclient-access-value",
    reason: judged.reason,
    lines: judged.logLines,
    fix:
      platform.userClientRules === "ipados"
        ? `The app needs ${signingKeys.communicates} = true and the driver's team, or a driver that allows third parties.`
        : `For development: ${signingKeys.allowAny} on the driver. For distribution: ${signingKeys.access} = ["${needed}"] on the app, as Apple approved it. A program that only installs the driver needs neither: give the one that opens it, too.`,
    who: "you",
  });
}

function portalWho(key: string): StageVerdict["who"] {
  return key === signingKeys.access ? "Apple" : "your team's admin";
}

/** What to do about a claim that is not covered. `date` (ISO 8601): which record of the portal is in force; null: the newest. */
export function adviceFor(judged: ClaimJudgement, date: string | null): string {
  const advice = portalAdvice(judged.key, date?.slice(0, 10) ?? null);
  switch (judged.verdict) {
    case "wildcard-differs":
      return `This is a development profile: claim the wildcard it holds, ${showProperty(judged.allowed)}, in the development entitlements file, and the number only for distribution.`;
    case "newline-joined":
      return `The portal stored several ids as one string; no claim can equal one of them. Report it to Apple; until then use ${signingKeys.allowAny} on the driver for development.`;
    case "type-differs":
      return `Write the value in the profile's form: ${showProperty(judged.allowed)}.`;
    case "value-differs":
      return `Claim what the profile holds, ${showProperty(judged.allowed)}, or a part of it.${judged.key === signingKeys.access ? " It is Apple's approved list and must name the driver, not the app." : ""}`;
    default:
      return advice ?? "Generate the profile anew after the capability was added to the App ID.";
  }
}

/** posts.md DR12-3, DR12-4, DR12-7 and AC3 of P12. */
function warningsOf(input: RehearsalInput): { rule: string; text: string }[] {
  const { app, dext, platform } = input;
  const warnings: { rule: string; text: string }[] = [];
  const isMac = platform.userClientRules === "macos";
  if (
    app !== null &&
    dext !== null &&
    app.role === "app" &&
    app.bundleIdentifier !== "" &&
    dext.bundleIdentifier !== "" &&
    !dext.bundleIdentifier.startsWith(`${app.bundleIdentifier}.`)
  ) {
    warnings.push({
      rule: "FX-STAGE",
      text: `the driver's id ${dext.bundleIdentifier} does not begin with the app's, ${app.bundleIdentifier}: Xcode may refuse to embed it. The system does not ask for that when it activates the extension.`,
    });
  }
  if (isMac && given(app, dext).some(({ claims }) => signingKeys.communicates in claims)) {
    warnings.push({
      rule: "DR12-3",
      text: `${signingKeys.communicates} has no effect on macOS: it is for iPadOS.`,
    });
  }
  if (dext !== null && signingKeys.access in dext.claims) {
    warnings.push({
      rule: "DR12-4",
      text: `${signingKeys.access} on the driver has no effect: it is read from the app that opens it.`,
    });
  }
  if (dext !== null && isMac && signingKeys.allowAny in dext.claims) {
    if (dext.claims[signingKeys.allowAny] === false) {
      warnings.push({
        rule: "DR12-7",
        text: `${signingKeys.allowAny} is false, and admits everybody all the same: the kernel looks at the key only. Take the key away.`,
      });
    } else if (dext.profile?.kind === "developer id or in-house") {
      warnings.push({
        rule: "DR12-7",
        text: `This driver is signed for distribution with ${signingKeys.allowAny}: any program on the Mac may open it.`,
      });
    }
  }
  return warnings;
}
