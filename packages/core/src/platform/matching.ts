// Does this personality match this nub, how well, and because of which comparison?

import {
  type FamilyMatcher,
  type MatchSubject,
  type MatchVerdict,
  refusal,
  showProperty,
  verdict,
} from "./match-verdict.ts";
import { comparePciKey, isPciKey, matchPci } from "./pci-matching.ts";
import { isDictionary, type Properties, type PropertyValue, sameProperty } from "./properties.ts";
import { compareUsbKey, matchUsb } from "./usb-matching.ts";

export { unlistedUsbKeys } from "./usb-matching.ts";

/** Keys of SCSI units in rising order of rank, with the score when it is the last one given (driverkit-core.md §11.4). */
const scsiRanks = [
  ["Peripheral Device Type", 5000],
  ["Vendor Identification", 10_000],
  ["Product Identification", 15_000],
  ["Product Revision Level", 20_000],
] as const;
/** Without a device type, a personality matches only in a category of its own. */
const scsiUntypedScore = 4900;

/** SCSI units: each listed property must be equal, and the highest one listed gives the score (public ancestor). */
export function matchScsi(table: Properties, subject: MatchSubject): MatchVerdict | null {
  if (!subject.classChain.includes("IOSCSIPeripheralDeviceNub")) return null;
  if (table["Peripheral Device Type"] === undefined) {
    if (table.IOMatchCategory === undefined) {
      return refusal(
        "a personality without Peripheral Device Type needs an IOMatchCategory",
        "Peripheral Device Type",
      );
    }
    return verdict(scsiUntypedScore, "no device type, but a category of its own");
  }
  let score = 0;
  let decided = "";
  for (const [key, rank] of scsiRanks) {
    const wanted = table[key];
    if (wanted === undefined) continue;
    const found = subject.properties[key];
    if (found === undefined || !sameProperty(wanted, found)) {
      return refusal(`${key} is ${showProperty(found)}, wanted ${showProperty(wanted)}`, key, wanted, found);
    }
    score = rank;
    decided = key;
  }
  return verdict(score, `${decided} is equal: ${score}`);
}

/**
 * Keys by which HID devices and interfaces are matched (driverkit-core.md §11.4), with what each adds to the score.
 * Apple's scores are unknown: here the exact device outranks its kind, and each further key counts.
 */
const hidScores: Readonly<Record<string, number>> = {
  VendorID: 10_000,
  ProductID: 10_000,
  VersionNumber: 5_000,
  SerialNumber: 5_000,
  LocationID: 5_000,
  PrimaryUsagePage: 1_000,
  PrimaryUsage: 1_000,
  DeviceUsagePage: 1_000,
  DeviceUsage: 1_000,
  DeviceUsagePairs: 1_000,
  Transport: 100,
};

/** HID's own keys: all that are given must fit; DeviceUsagePairs by one pair that both sides have. */
export function matchHid(table: Properties, subject: MatchSubject): MatchVerdict | null {
  if (!subject.classChain.includes("IOHIDInterface") && !subject.classChain.includes("IOHIDDevice"))
    return null;
  const given = Object.keys(hidScores).filter((key) => table[key] !== undefined);
  if (given.length === 0) return null;
  let score = 0;
  for (const key of given) {
    const refused = compareHidKey(key, table, subject);
    if (refused !== null) return refused;
    score += hidScores[key];
  }
  return verdict(score, `${given.join(" + ")} fit: ${score} (Drydock's own scores: Apple's are unknown)`);
}

function compareHidKey(key: string, table: Properties, subject: MatchSubject): MatchVerdict | null {
  const wanted = table[key];
  const pairs = subject.properties.DeviceUsagePairs;
  const found: readonly PropertyValue[] = Array.isArray(pairs) ? pairs : [];
  if (key === "DeviceUsagePairs") {
    const alternatives: readonly PropertyValue[] = Array.isArray(wanted) ? wanted : [wanted];
    if (alternatives.some((one) => found.some((pair) => isDictionary(one) && holdsPair(one, pair))))
      return null;
    return refusal("the device has none of the DeviceUsagePairs", key, wanted, pairs);
  }
  if (key === "DeviceUsagePage" || key === "DeviceUsage") {
    // Both together name one pair; either alone any pair that has it.
    const both: Properties = Object.fromEntries(
      ["DeviceUsagePage", "DeviceUsage"]
        .filter((name) => table[name] !== undefined)
        .map((name) => [name, table[name]]),
    );
    if (found.some((pair) => holdsPair(both, pair))) return null;
    return refusal(`no usage pair of the device has ${key} ${showProperty(wanted)}`, key, wanted, pairs);
  }
  const value = subject.properties[key];
  if (value !== undefined && sameProperty(wanted, value)) return null;
  return refusal(`${key} is ${showProperty(value)}, wanted ${showProperty(wanted)}`, key, wanted, value);
}

function holdsPair(wanted: Properties, pair: PropertyValue): boolean {
  return isDictionary(pair) && Object.keys(wanted).every((key) => pair[key] === wanted[key]);
}

/** By bus. */
const familyMatchers: readonly FamilyMatcher[] = [matchUsb, matchHid, matchScsi, matchPci];

/** A probe score of `from` or more counts as `counts`, so that it never jumps a whole rank (the families' public ancestors). */
const probeClamps = new Map<FamilyMatcher, { readonly from: number; readonly counts: number }>([
  [matchUsb, { from: 10_000, counts: 9000 }],
  [matchScsi, { from: 5000, counts: 4000 }],
]);

/** Judges one personality. Generic keys are combined with AND; the family decides about its own. */
export function matchPersonality(personality: Properties, subject: MatchSubject): MatchVerdict {
  const providerClass = personality.IOProviderClass;
  if (typeof providerClass !== "string" || !subject.classChain.includes(providerClass)) {
    const found = subject.classChain[0];
    return refusal(
      `the provider is an ${found}, not an ${String(providerClass)}`,
      "IOProviderClass",
      providerClass,
      found,
    );
  }
  const generic = matchGenericKeys(personality, subject);
  if (generic !== null) return generic;
  const probeScore = typeof personality.IOProbeScore === "number" ? personality.IOProbeScore : 0;
  for (const matcher of familyMatchers) {
    const judged = matcher(personality, subject);
    if (judged === null) continue;
    if (!judged.matches) return judged;
    const clamp = probeClamps.get(matcher);
    const isClamped = clamp !== undefined && probeScore >= clamp.from;
    const counted = isClamped ? clamp.counts : probeScore;
    const added =
      probeScore === 0 ? "" : ` + IOProbeScore ${counted}${isClamped ? ` (given ${probeScore})` : ""}`;
    return verdict(judged.score + counted, `${judged.reason}${added}`);
  }
  return verdict(probeScore, `the class fits; no further keys; IOProbeScore ${probeScore}`);
}

/** Judges a matching dictionary, as applications and notifications give one: it need not name a class. */
export function matchService(table: Properties, subject: MatchSubject): MatchVerdict {
  const { IOUserClass: wanted } = table;
  const found = subject.properties.IOUserClass;
  if (wanted !== undefined && (found === undefined || !sameProperty(wanted, found)))
    return refusal(`IOUserClass is ${showProperty(found)}`, "IOUserClass", wanted, found);
  return matchPersonality({ IOProviderClass: subject.classChain[0], ...table }, subject);
}

/**
 * Judges an entitlement's value (an array of dictionaries, any of which is enough) against a provider, as the kernel
 * does after merging it with the personality (posts.md T2). Only the keys of the dictionary count, in any combination.
 */
export function matchEntitlementValue(value: PropertyValue, subject: MatchSubject): MatchVerdict {
  if (!Array.isArray(value)) {
    return refusal("the value is not an array of dictionaries", "transport.usb", value);
  }
  let last = refusal("the array is empty", "transport.usb", value);
  for (const entry of value) {
    if (!isDictionary(entry)) {
      last = refusal("an element is not a dictionary", "transport.usb", entry);
      continue;
    }
    const refused = Object.keys(entry)
      .map((key) => {
        if (entry[key] === "*") return null;
        return isPciKey(key) ? comparePciKey(key, entry, subject) : compareUsbKey(key, entry, subject);
      })
      .find((result) => result !== null);
    if (refused === undefined) return verdict(0, "the entitlement's value fits this device");
    last = refused as MatchVerdict;
  }
  return last;
}

function matchGenericKeys(table: Properties, subject: MatchSubject): MatchVerdict | null {
  const { IOPropertyMatch: same, IOPropertyExistsMatch: exists, IONameMatch: names } = table;
  if (same !== undefined) {
    const alternatives = Array.isArray(same) ? same : [same];
    const fits = alternatives.some(
      (wanted) =>
        isDictionary(wanted) &&
        Object.keys(wanted).every(
          (key) =>
            subject.properties[key] !== undefined && sameProperty(wanted[key], subject.properties[key]),
        ),
    );
    if (!fits)
      return refusal("no dictionary of IOPropertyMatch has all its keys equal", "IOPropertyMatch", same);
  }
  if (exists !== undefined) {
    const keys = Array.isArray(exists) ? exists : [exists];
    if (!keys.some((key) => typeof key === "string" && subject.properties[key] !== undefined)) {
      return refusal("no property of IOPropertyExistsMatch exists", "IOPropertyExistsMatch", exists);
    }
  }
  if (names !== undefined) {
    const wanted = Array.isArray(names) ? names : [names];
    if (!wanted.includes(subject.name)) {
      return refusal(`the name is ${showProperty(subject.name)}`, "IONameMatch", names, subject.name);
    }
  }
  return null;
}
