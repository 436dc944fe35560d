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

/** Keys by which USB devices and interfaces are matched (driverkit-core.md §11.2). */
const usbKeys = [
  "idVendor",
  "idProduct",
  "idProductMask",
  "idProductArray",
  "bcdDevice",
  "bDeviceClass",
  "bDeviceSubClass",
  "bDeviceProtocol",
  "bConfigurationValue",
  "bInterfaceNumber",
  "bInterfaceClass",
  "bInterfaceSubClass",
  "bInterfaceProtocol",
] as const;

/** A legal combination. `vendorClass`: must the class be 0xFF (true), anything but 0xFF (false), or anything (null)? */
interface UsbRow {
  readonly keys: readonly string[];
  readonly score: number;
  readonly vendorClass: boolean | null;
}

function rows(kind: "Device" | "Interface"): readonly UsbRow[] {
  const place = kind === "Device" ? [] : ["bInterfaceNumber", "bConfigurationValue"];
  const [cls, sub, protocol] = [`b${kind}Class`, `b${kind}SubClass`, `b${kind}Protocol`];
  return [
    { keys: ["idVendor", "idProduct", ...place, "bcdDevice"], score: 100_000, vendorClass: null },
    { keys: ["idVendor", "idProduct", ...place], score: 90_000, vendorClass: null },
    { keys: ["idVendor", sub, protocol], score: 80_000, vendorClass: true },
    { keys: ["idVendor", sub], score: 70_000, vendorClass: true },
    { keys: [cls, sub, protocol], score: 60_000, vendorClass: false },
    { keys: [cls, sub], score: 50_000, vendorClass: false },
  ];
}

const deviceRows = rows("Device");
const interfaceRows = rows("Interface");

/**
 * A personality's USB keys where its provider is a device or an interface and they hold no row of the table; else null. A row
 * with a key more is let through: a published network driver works with one.
 */
export function unlistedUsbKeys(table: Properties): readonly string[] | null {
  const provider = table.IOProviderClass;
  if (provider !== "IOUSBHostDevice" && provider !== "IOUSBHostInterface") return null;
  const kind = provider === "IOUSBHostDevice" ? "Device" : "Interface";
  const given = usbKeys.filter((key) => table[key] !== undefined);
  const normal = normalUsbKeys(given);
  const holdsRow = (kind === "Device" ? deviceRows : interfaceRows).some(({ keys }) =>
    keys.every((key) => normal.has(key)),
  );
  return given.length === 0 || holdsRow ? null : given;
}

function legalRow(kind: "Device" | "Interface", given: readonly string[]): UsbRow | undefined {
  const normal = normalUsbKeys(given);
  return (kind === "Device" ? deviceRows : interfaceRows).find(
    (row) => row.keys.length === normal.size && row.keys.every((key) => normal.has(key)),
  );
}

/** A mask and a list of products stand for the product. */
function normalUsbKeys(given: readonly string[]): Set<string> {
  return new Set(
    given.map((key) => (key === "idProductMask" || key === "idProductArray" ? "idProduct" : key)),
  );
}

/** USB's table of legal key sets: anything else matches nothing, and the reason says which key is in the way. */
export function matchUsb(table: Properties, subject: MatchSubject): MatchVerdict | null {
  const kind = subject.classChain.includes("IOUSBHostInterface")
    ? "Interface"
    : subject.classChain.includes("IOUSBHostDevice")
      ? "Device"
      : null;
  if (kind === null) return null;
  const given = usbKeys.filter((key) => table[key] !== undefined);
  if (given.length === 0) return null;
  for (const key of given) {
    const refused = compareUsbKey(key, table, subject);
    if (refused !== null) return refused;
  }
  const legal = legalRow(kind, given);
  if (legal === undefined) {
    const set = [...normalUsbKeys(given)].join(" + ");
    return refusal(`${set} is no legal key combination for an IOUSBHost${kind}`, set);
  }
  const cls = subject.properties[`b${kind}Class`];
  if (legal.vendorClass !== null && (cls === 0xff) !== legal.vendorClass) {
    const must = legal.vendorClass
      ? "is legal only when the class is 0xff"
      : "is legal only when the class is not 0xff";
    return refusal(`${legal.keys.join(" + ")} ${must}`, `b${kind}Class`, 0xff, cls);
  }
  return verdict(legal.score, `${legal.keys.join(" + ")} are equal: ${legal.score}`);
}

function compareUsbKey(key: string, table: Properties, subject: MatchSubject): MatchVerdict | null {
  const wanted = table[key];
  if (key === "idProductArray") {
    const found = subject.properties.idProduct;
    if (Array.isArray(wanted) && wanted.includes(found)) return null;
    return refusal(`idProduct ${showProperty(found)} is not in idProductArray`, key, wanted, found);
  }
  if (key === "idProductMask") return null;
  const found = subject.properties[key];
  const mask = key === "idProduct" ? table.idProductMask : undefined;
  if (typeof mask === "number" && typeof wanted === "number" && typeof found === "number") {
    if ((wanted & mask) === (found & mask)) return null;
    return refusal(
      `idProduct differs under the mask ${showProperty(mask)}`,
      key,
      wanted & mask,
      found & mask,
    );
  }
  if (found !== undefined && sameProperty(wanted, found)) return null;
  const type =
    typeof wanted !== typeof found && found !== undefined
      ? ` (a ${typeof wanted} never equals a ${typeof found})`
      : "";
  return refusal(
    `${key} is ${showProperty(found)}, wanted ${showProperty(wanted)}${type}`,
    key,
    wanted,
    found,
  );
}

/** Keys of SCSI units in rising order of rank, with the score when it is the last one given (driverkit-core.md §11.4). */
const scsiRanks = [
  ["Peripheral Device Type", 5000],
  ["Vendor Identification", 10_000],
  ["Product Identification", 15_000],
  ["Product Revision Level", 20_000],
] as const;
/** A probe score of a whole rank is clamped below one. */
const scsiRankStep = 5000;
const scsiClampedScore = 4000;
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
    // SCSI: a probe score never jumps a whole rank.
    const isClamped = matcher === matchScsi && probeScore >= scsiRankStep;
    const counted = isClamped ? scsiClampedScore : probeScore;
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
