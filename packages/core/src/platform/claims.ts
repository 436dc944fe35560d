// Is what a signature claims covered by its profile? AMFI's allowlist rule, element by element (posts.md T3).

import { showProperty } from "./match-verdict.ts";
import { isDictionary, type Properties, type PropertyValue, sameProperty } from "./properties.ts";

/** How a claim stands to the profile's allowlist. */
export type ClaimVerdict =
  /** Not a restricted entitlement: nobody asks the profile. */
  | "unrestricted"
  | "covered"
  /** The profile has no such key. */
  | "absent"
  /** The profile has the development wildcard, the claim a value (or the other way round). */
  | "wildcard-differs"
  | "value-differs"
  /** String and array, string and number, boolean and array: the kernel's parser keeps them apart. */
  | "type-differs"
  /** Several ids in one string (posts.md §3, thread 825971). */
  | "newline-joined";

export interface ClaimJudgement {
  readonly key: string;
  readonly verdict: ClaimVerdict;
  readonly claim: PropertyValue;
  /** Undefined when the profile lacks the key. */
  readonly allowed: PropertyValue | undefined;
  /** One sentence about the first mismatch, with both sides. */
  readonly reason: string;
}

/** Entitlements that count only when an embedded profile authorises them. */
const restrictedPrefixes = [
  "com.apple.developer.",
  "com.apple.application-identifier",
  "keychain-access-groups",
];

/** Keys that Apple's own code holds; no profile ever carries them. */
export function isRestrictedEntitlement(key: string): boolean {
  return restrictedPrefixes.some((start) => key.startsWith(start));
}

/** Every claim, in the order of the claim. `allowlist` null: there is no profile. */
export function judgeClaims(claims: Properties, allowlist: Properties | null): ClaimJudgement[] {
  return Object.keys(claims).map((key) => {
    const claim = claims[key];
    const allowed = allowlist === null ? undefined : allowlist[key];
    const answer = (verdict: ClaimVerdict, reason: string): ClaimJudgement => ({
      key,
      verdict,
      claim,
      allowed,
      reason,
    });
    if (!isRestrictedEntitlement(key)) return answer("unrestricted", "no profile is needed for this key");
    if (allowed === undefined) {
      return answer(
        "absent",
        allowlist === null ? "there is no embedded profile" : "the profile has no such key",
      );
    }
    const [verdict, reason] = compareValue(claim, allowed);
    return answer(verdict, reason);
  });
}

/** The keys that AMFI calls unsatisfied. */
export function unsatisfiedKeys(judgements: readonly ClaimJudgement[]): string[] {
  return judgements
    .filter(({ verdict }) => verdict !== "covered" && verdict !== "unrestricted")
    .map(({ key }) => key);
}

type Compared = readonly [ClaimVerdict, string];

function compareValue(claim: PropertyValue, allowed: PropertyValue): Compared {
  if (sameProperty(claim, allowed)) return ["covered", "both are equal"];
  if (Array.isArray(claim) && Array.isArray(allowed)) return compareArrays(claim, allowed);
  if (isDictionary(claim) && isDictionary(allowed)) return compareDictionaries(claim, allowed);
  // A single string may be authorised by a list that holds it: the kernel reads both forms (posts.md T1).
  if (typeof claim === "string" && Array.isArray(allowed)) {
    if (allowed.some((item) => item === claim || fitsPattern(claim, item)))
      return ["covered", "the list holds this string"];
    return compareArrays([claim], allowed);
  }
  if (Array.isArray(claim) && typeof allowed === "string") {
    if (allowed === "*") return ["covered", "the profile allows any value"];
    if (allowed.includes("\n"))
      return ["newline-joined", `the profile holds one string with line feeds: ${showProperty(allowed)}`];
    return ["type-differs", `claimed as a list, allowed as the string ${showProperty(allowed)}`];
  }
  return compareScalars(claim, allowed);
}

function compareScalars(claim: PropertyValue, allowed: PropertyValue): Compared {
  if (allowed === "*") {
    return typeof claim === "string"
      ? ["covered", "the profile allows any string"]
      : ["wildcard-differs", `the profile holds the wildcard "*", the claim ${describe(claim)}`];
  }
  if (claim === "*")
    return ["wildcard-differs", `the claim holds the wildcard "*", the profile ${describe(allowed)}`];
  if (typeof claim === "string" && typeof allowed === "string") {
    if (fitsPattern(claim, allowed))
      return ["covered", `${showProperty(claim)} fits ${showProperty(allowed)}`];
    if (allowed.includes("\n"))
      return ["newline-joined", `the profile holds one string with line feeds: ${showProperty(allowed)}`];
    return ["value-differs", `claimed ${showProperty(claim)}, allowed ${showProperty(allowed)}`];
  }
  if (typeof claim !== typeof allowed || Array.isArray(claim) !== Array.isArray(allowed))
    return ["type-differs", `claimed ${describe(claim)}, allowed ${describe(allowed)}`];
  return ["value-differs", `claimed ${showProperty(claim)}, allowed ${showProperty(allowed)}`];
}

/** Every claimed element must be one of the allowed ones, or a subset of one. */
function compareArrays(claim: readonly PropertyValue[], allowed: readonly PropertyValue[]): Compared {
  for (const [index, item] of claim.entries()) {
    const results = allowed.map((candidate) => compareValue(item, candidate));
    if (results.some(([verdict]) => verdict === "covered")) continue;
    const joined = allowed.find((candidate) => typeof candidate === "string" && candidate.includes("\n"));
    if (joined !== undefined)
      return ["newline-joined", `the profile holds one string with line feeds: ${showProperty(joined)}`];
    const nearest =
      results.find(([verdict]) => verdict === "wildcard-differs") ??
      results.find(([verdict]) => verdict === "type-differs") ??
      results[0];
    const place = claim.length === 1 ? "" : `element ${index + 1}: `;
    if (nearest === undefined) return ["value-differs", `${place}the profile's list is empty`];
    return [nearest[0], `${place}${nearest[1]}`];
  }
  return ["covered", "every element is in the profile's list"];
}

/**
 * A claimed dictionary may ask for less (more keys narrow the match) but each allowed key must be claimed equally: a
 * claim without the profile's idVendor would match more devices.
 */
function compareDictionaries(claim: Properties, allowed: Properties): Compared {
  for (const key of Object.keys(allowed)) {
    if (!(key in claim)) {
      return [
        "value-differs",
        `the profile wants ${key} = ${showProperty(allowed[key])}, the claim has no ${key}`,
      ];
    }
    const [verdict, reason] = compareScalars(claim[key], allowed[key]);
    if (sameProperty(claim[key], allowed[key])) continue;
    // Inside a device's dictionary a wildcard stands for itself: a number is not equal to it (posts.md T3, likely).
    if (allowed[key] === "*" || claim[key] === "*")
      return [
        "wildcard-differs",
        `${key}: claimed ${describe(claim[key])}, allowed ${describe(allowed[key])}`,
      ];
    return [verdict === "covered" ? "value-differs" : verdict, `${key}: ${reason}`];
  }
  const more = Object.keys(claim).filter((key) => !(key in allowed));
  return [
    "covered",
    more.length === 0 ? "both are equal" : `it asks for less: ${more.join(", ")} narrow the match`,
  ];
}

/** "TEAM.*" fits "TEAM.anything". */
function fitsPattern(claim: string, allowed: PropertyValue): boolean {
  return typeof allowed === "string" && allowed.endsWith("*") && claim.startsWith(allowed.slice(0, -1));
}

function describe(value: PropertyValue): string {
  if (typeof value === "string")
    return value === "*" ? 'the wildcard "*"' : `the string ${showProperty(value)}`;
  if (typeof value === "number") return `the number ${value}`;
  if (typeof value === "boolean") return `the boolean ${value}`;
  return Array.isArray(value) ? `the list ${showProperty(value)}` : showProperty(value);
}
