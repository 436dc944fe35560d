// Who may attach to a device and who may open a driver: the kernel's decisions, with reason and log lines.

import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { hex } from "../base/text.ts";
import { judgeClaims, unsatisfiedKeys } from "./claims.ts";
import { type MatchSubject, showProperty } from "./match-verdict.ts";
import { matchEntitlementValue } from "./matching.ts";
import type { PlatformProfile } from "./platform-profile.ts";
import type { Properties, PropertyValue } from "./properties.ts";

/** A decision that explains itself (design.md law 8). */
export interface AccessVerdict {
  readonly allowed: boolean;
  readonly result: IOReturn;
  /** One sentence. */
  readonly reason: string;
  readonly comparison: { readonly left: string; readonly operator: string; readonly right: string } | null;
  /** What the kernel prints, in order. */
  readonly logLines: readonly string[];
}

const prefix = "com.apple.developer.driverkit";
const userClientAccess = `${prefix}.userclient-access`;
const communicates = `${prefix}.communicates-with-drivers`;
const allowThirdParty = `${prefix}.allow-third-party-userclients`;
const allowAny = `${prefix}.allow-any-userclient-access`;
const privateAccess = "com.apple.private.driverkit.driver-access";
/** boot-arg dk: the user client check is skipped. */
const dkSkipsUserClientCheck = 0x8000;

function allow(reason: string, logLines: readonly string[] = []): AccessVerdict {
  return { allowed: true, result: IOReturns.kIOReturnSuccess, reason, comparison: null, logLines };
}

export interface UserClientQuestion {
  readonly profile: PlatformProfile;
  readonly dextEntitlements: Properties;
  readonly dextTeam: string;
  /** The service's `CFBundleIdentifier` property (from the personality), null when it has none. */
  readonly serviceBundleIdentifier: string | null;
  readonly userClientClassName: string;
  readonly userClientRegistryId: number;
  /** The user client's own IOServiceDEXTEntitlements, from UserClientProperties. */
  readonly userClientDextEntitlements: PropertyValue | undefined;
  readonly clientEntitlements: Properties;
  readonly clientTeam: string;
  readonly bootArgDk: number;
}

/** Step 3 and 4 of posts.md T1; steps 1 and 2 (the dext's own NewUserClient) come before and are not decided here. */
export function decideUserClientAccess(question: UserClientQuestion): AccessVerdict {
  const { profile, clientEntitlements } = question;
  if (profile.userClientRules === "none") return allow("the open profile admits everybody");
  if ((question.bootArgDk & dkSkipsUserClientCheck) !== 0)
    return allow("boot-arg dk has bit 0x8000: no check is made");
  const lines: string[] = [];
  const name = `DK: ${question.userClientClassName}-0x${hex(question.userClientRegistryId)}`;
  const access = clientEntitlements[privateAccess];
  if (access !== undefined) {
    if (holdsAny(access, question.dextEntitlements))
      return allow(`the client holds ${privateAccess} for this driver`);
    lines.push(`${name}:UC failed required entitlement check`);
  }
  if (profile.userClientRules === "ipados") return decideOnIPad(question, name, lines);
  return decideOnMac(question, name, lines);
}

function refuse(
  name: string,
  lines: readonly string[],
  reason: string,
  comparison: AccessVerdict["comparison"],
): AccessVerdict {
  return {
    allowed: false,
    result: IOReturns.kIOReturnNotPermitted,
    reason,
    comparison,
    logLines: [...lines, `${name}:UC entitlements check failed`],
  };
}

function decideOnIPad(question: UserClientQuestion, name: string, lines: readonly string[]): AccessVerdict {
  const { clientEntitlements, clientTeam, dextEntitlements, dextTeam } = question;
  if (clientEntitlements[communicates] !== true) {
    const line = `${name}:UC entitlement check failed, app does not have ${communicates} entitlement`;
    return refuse(name, [...lines, line], `the app does not hold ${communicates} = true`, {
      left: communicates,
      operator: "==",
      right: showProperty(clientEntitlements[communicates]),
    });
  }
  if (clientTeam === dextTeam) return allow("app and driver have the same team");
  if (dextEntitlements[allowThirdParty] === true) return allow(`the driver holds ${allowThirdParty}`);
  const line = `${name}:UC failed team ID check. client team=${clientTeam}, driver team=${dextTeam}`;
  return refuse(name, [...lines, line], "app and driver have different teams", {
    left: clientTeam,
    operator: "==",
    right: dextTeam,
  });
}

function decideOnMac(question: UserClientQuestion, name: string, before: readonly string[]): AccessVerdict {
  const { clientEntitlements, dextEntitlements, profile, serviceBundleIdentifier: needed } = question;
  const lines = [...before];
  // The test is for presence: <false/> admits too.
  if (allowAny in dextEntitlements)
    return allow(`the driver has the key ${allowAny} (its value is never looked at)`);
  const claim = clientEntitlements[userClientAccess];
  if (claim === undefined || needed === null) {
    if (profile.printsNeededBundleId) {
      lines.push(`${name}:UC failed userclient-access check, needed bundle ID ${needed ?? ""}`);
    }
    const reason =
      claim === undefined
        ? `the app carries no ${userClientAccess} key at all`
        : "the service has no CFBundleIdentifier property";
    return refuse(name, lines, reason, {
      left: userClientAccess,
      operator: "contains",
      right: needed ?? "nothing",
    });
  }
  const elements = Array.isArray(claim) ? claim : [claim];
  if (!elements.includes(needed)) {
    return refuse(name, lines, `no element of the app's ${userClientAccess} equals the driver's bundle id`, {
      left: showProperty(claim),
      operator: "contains",
      right: needed,
    });
  }
  const own = question.userClientDextEntitlements;
  if (own !== undefined && !holdsAny(own, clientEntitlements)) {
    return refuse(
      name,
      lines,
      "the app does not hold what IOServiceDEXTEntitlements of the user client asks for",
      {
        left: "app's entitlements",
        operator: "hold",
        right: showProperty(own),
      },
    );
  }
  return allow("the app's userclient-access names this driver");
}

/**
 * IOServiceDEXTEntitlements: a string, an array (any one is enough), or an array of arrays (all of an inner array,
 * any inner array). Presence counts, not truth.
 */
export function holdsAny(wanted: PropertyValue, entitlements: Properties): boolean {
  if (typeof wanted === "string") return wanted in entitlements;
  if (!Array.isArray(wanted)) return false;
  return wanted.some((item) => {
    if (Array.isArray(item)) return item.every((key) => typeof key === "string" && key in entitlements);
    return typeof item === "string" && item in entitlements;
  });
}

export interface ProviderQuestion {
  readonly profile: PlatformProfile;
  readonly processName: string;
  readonly processId: number;
  readonly bundleIdentifier: string;
  readonly serviceClassName: string;
  readonly registryId: number;
  readonly dextEntitlements: Properties;
  readonly provider: MatchSubject;
  /** The service's own table; its IOServiceDEXTEntitlements is the family's demand. */
  readonly serviceProperties: Properties;
}

/** posts.md T2: the base entitlement, the provider's demand with its value, the family's demand. */
export function decideProviderAttach(question: ProviderQuestion): AccessVerdict {
  const { dextEntitlements, profile, provider } = question;
  if (!profile.checksEntitlements) return allow("this profile checks no entitlements");
  const name = `DK: ${question.serviceClassName}-0x${hex(question.registryId)}`;
  const exit = `DK: IOUserServer(${question.bundleIdentifier}-0x${hex(question.registryId)})::exit(Entitlements check failed)`;
  const deny = (lines: string[], reason: string, comparison: AccessVerdict["comparison"]): AccessVerdict => ({
    allowed: false,
    result: IOReturns.kIOReturnNotPermitted,
    reason,
    comparison,
    logLines: lines,
  });
  if (!(prefix in dextEntitlements)) {
    const line = `${prefix} entitlement check failed for ${question.processName}[${question.processId}]`;
    return deny([line], `the driver does not hold ${prefix}`, {
      left: "driver",
      operator: "holds",
      right: prefix,
    });
  }
  const demand = provider.properties.IOServiceDEXTEntitlements;
  if (demand !== undefined) {
    const failed = [`${name}: provider entitlements check failed`, exit];
    if (!holdsAny(demand, dextEntitlements)) {
      return deny(failed, `the driver does not hold what its provider asks for: ${showProperty(demand)}`, {
        left: "driver",
        operator: "holds",
        right: showProperty(demand),
      });
    }
    for (const key of demandedKeys(demand)) {
      const value = dextEntitlements[key];
      if (!key.startsWith(`${prefix}.transport.`) || value === undefined) continue;
      // A plain key: its presence counts (driverkit-core.md §12).
      if (key.startsWith(`${prefix}.transport.hid`)) continue;
      const judged = matchEntitlementValue(value, provider);
      if (!judged.matches) {
        const by = judged.decidedBy;
        return deny(failed, `the value of ${key} does not fit this device: ${judged.reason}`, {
          left: `${key}: ${by?.key ?? ""} ${showProperty(by?.wanted)}`,
          operator: "==",
          right: showProperty(by?.found),
        });
      }
    }
  }
  const family = question.serviceProperties.IOServiceDEXTEntitlements;
  if (family !== undefined && !holdsAny(family, dextEntitlements)) {
    return deny(
      [`${name}: family entitlements check failed`, exit],
      "the driver does not hold the family's entitlement",
      {
        left: "driver",
        operator: "holds",
        right: showProperty(family),
      },
    );
  }
  return allow("entitlements fit");
}

function demandedKeys(demand: PropertyValue): string[] {
  if (typeof demand === "string") return [demand];
  return Array.isArray(demand) ? demand.flat(2).filter((key): key is string => typeof key === "string") : [];
}

export interface LaunchQuestion {
  readonly bundleIdentifier: string;
  readonly entitlements: Properties;
  /** Entitlements of the embedded profile; null when there is none (a command-line tool cannot embed one). */
  readonly profileEntitlements: Properties | null;
}

/**
 * posts.md T3: a restricted entitlement whose claim the profile does not cover kills the process at launch (exit status
 * 137). The lines come in this order from taskgated-helper, amfid and the kernel.
 */
export function decideLaunch(question: LaunchQuestion): AccessVerdict {
  const judgements = judgeClaims(question.entitlements, question.profileEntitlements);
  const unsatisfied = unsatisfiedKeys(judgements);
  if (unsatisfied.length === 0) return allow("every restricted entitlement is authorised");
  const first = judgements.find(({ key }) => key === unsatisfied[0]) as (typeof judgements)[number];
  return {
    allowed: false,
    result: IOReturns.kIOReturnNotPermitted,
    reason: `the profile does not authorise ${unsatisfied.join(", ")}: the process is killed at launch (137); ${first.key}: ${first.reason}`,
    comparison: {
      left: `${first.key} = ${showProperty(first.claim)}`,
      operator: "in",
      right: question.profileEntitlements === null ? "no embedded profile" : showProperty(first.allowed),
    },
    logLines: launchRefusalLines(question.bundleIdentifier, unsatisfied),
  };
}

/** What the log shows when AMFI refuses (posts.md T3, E). */
export function launchRefusalLines(bundleIdentifier: string, unsatisfied: readonly string[]): string[] {
  const keys = unsatisfied.join(", ");
  return [
    `taskgated-helper: (ConfigurationProfiles) [com.apple.ManagedClient:ProvisioningProfiles] ${bundleIdentifier}: Unsatisfied entitlements: ${keys}`,
    "amfid: Requirements for restricted entitlements failed to validate, error -67671",
    `amfid: AppleMobileFileIntegrityError Code=-413 "No matching profile found" unsatisfiedEntitlements=(${keys})`,
    "kernel: AMFI: bailing out because of restricted entitlements.",
    "kernel: mac_vnode_check_signature: Code has restricted entitlements, but the validation of its code signature failed.",
  ];
}
