// What a personality cannot mean: keys on the wrong level, out of range, another bundle's, names misspelt.

import { nearestName } from "@drydock/core/base/near-names";
import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import { listsOf } from "../signing/entitlement-lists.ts";
import {
  kernelBundles,
  neededByFamily,
  neededByProvider,
  numberKeys,
  userSpaceClasses,
} from "./property-lists.ts";
import type { Personality } from "./questions.ts";
import type { Finding } from "./rule.ts";

const isVariable = (value: PropertyValue | undefined): boolean =>
  typeof value === "string" && /\$[({]/.test(value);

/** Of each driver's personality, and of lists whose personalities are not where they belong. */
export function personalityValues(evidence: Evidence, drivers: readonly Personality[]): Finding[] {
  return [
    ...levels(evidence),
    ...drivers.flatMap((one) => [
      ...ranges(one),
      ...inUserClient(one),
      ...userClient(one),
      ...classNames(one),
      ...ofBundle(one),
    ]),
  ];
}

/** IOKitPersonalities -> a name -> the keys: neither less nor more. */
function levels(evidence: Evidence): Finding[] {
  return listsOf(evidence, "Info.plist").flatMap(({ value: { value, placeOf } }): Finding[] => {
    const all = value.IOKitPersonalities;
    if (!isDictionary(all) || value.CFBundlePackageType === "KEXT") return [];
    const found: Finding[] = [];
    const bare = ["IOProviderClass", "IOUserClass"].filter((key) => typeof all[key] === "string");
    if (bare.length > 0)
      found.push({
        score: 88,
        claim: `${bare.join(" and ")} ${bare.length === 1 ? "stands" : "stand"} in IOKitPersonalities itself: the keys of a personality belong into a dictionary with a name of its own below it.`,
        because: [placeOf(`IOKitPersonalities/${bare[0]}`)],
        about: ["IOKitPersonalities"],
        fix: ["Put the keys into a dictionary below IOKitPersonalities; its name is free."],
      });
    for (const [name, one] of Object.entries(bare.length > 0 ? {} : all)) {
      if (!isDictionary(one) || "IOProviderClass" in one || "IOUserClass" in one) continue;
      const inner = Object.entries(one).find(
        ([, entry]) => isDictionary(entry) && "IOProviderClass" in entry && "IOUserClass" in entry,
      );
      if (inner === undefined) continue;
      found.push({
        score: 86,
        claim: `The personality "${inner[0]}" stands in "${name}", one level too deep: what IOKitPersonalities holds are the personalities.`,
        because: [placeOf(`IOKitPersonalities/${name}/${inner[0]}`)],
        about: [name, inner[0]],
        fix: [`Move "${inner[0]}" up, directly into IOKitPersonalities.`],
      });
    }
    return found;
  });
}

/** Bytes of the field that a number is compared with: USB 2.0 §9.6.1 to §9.6.5. */
const widths: Readonly<Record<string, number>> = Object.fromEntries(
  [...numberKeys].flatMap((key) =>
    /^(?:id|bcd)[A-Z]/.test(key) ? [[key, 2]] : /^b[A-Z]/.test(key) ? [[key, 1]] : [],
  ),
);

function ranges({ name, placeOf, value }: Personality): Finding[] {
  return Object.entries(value).flatMap(([key, entry]): Finding[] => {
    const bytes = widths[key];
    if (bytes === undefined || typeof entry !== "number") return [];
    const most = 256 ** bytes - 1;
    if (Number.isInteger(entry) && entry >= 0 && entry <= most) return [];
    return [
      {
        score: 88,
        claim: `${key} of the personality "${name}" is ${entry}; the field of a device holds 0 to ${most}: this driver never matches.`,
        because: [placeOf(key)],
        about: [name, key],
        fix: [`Write the device's own ${key}, in decimal.`],
      },
    ];
  });
}

/** Keys by which devices are compared, where nothing compares them. */
const compared = [
  "idVendor",
  "idProduct",
  "bInterfaceNumber",
  "bConfigurationValue",
  "IOPCIMatch",
  "IOPCIPrimaryMatch",
];

/** Create makes services of a family from a dictionary, too, whatever the dictionary's name is: a port of a serial driver. */
const isOfFamily = ({ IOClass: given }: Properties): boolean =>
  typeof given === "string" &&
  given !== "IOUserService" &&
  (Object.hasOwn(kernelBundles, given) || Object.hasOwn(neededByFamily, given));

function userClients(value: Properties): [string, Properties][] {
  return Object.entries(value).filter(
    (entry): entry is [string, Properties] =>
      isDictionary(entry[1]) &&
      (entry[1].IOClass === "IOUserUserClient" ||
        (entry[0] === "UserClientProperties" && !isOfFamily(entry[1]))),
  );
}

function inUserClient({ name, placeOf, value }: Personality): Finding[] {
  return userClients(value).flatMap(([client, entry]): Finding[] => {
    const keys = compared.filter((key) => key in entry && !(key in value));
    if (keys.length === 0) return [];
    return [
      {
        score: 82,
        claim: `${keys.join(" and ")} ${keys.length === 1 ? "stands" : "stand"} in ${client} of the personality "${name}": matching reads the personality itself, so ${keys.length === 1 ? "it restricts" : "they restrict"} nothing.`,
        because: [placeOf(`${client}/${keys[0]}`)],
        about: [name, ...keys],
        fix: [`Move ${keys.join(" and ")} out of ${client} into the personality.`],
      },
    ];
  });
}

function userClient({ name, placeOf, value }: Personality): Finding[] {
  return userClients(value).flatMap(([client, entry]): Finding[] => {
    const given = entry.IOClass;
    if (given === "IOUserUserClient" || isVariable(given) || !("IOUserClass" in entry)) return [];
    return [
      {
        // A driver may make a plain service of its own from it.
        score: given === "IOUserService" ? 46 : 74,
        claim: `${client} of the personality "${name}" has ${given === undefined ? "no IOClass" : `IOClass ${String(given)}`}: the kernel's side of a user client is an IOUserUserClient, and another one is refused with kIOReturnUnsupported (0xe00002c7).`,
        because: [placeOf(given === undefined ? client : `${client}/IOClass`)],
        about: [name, client],
        fix: [`Write IOUserUserClient for IOClass in ${client}.`],
      },
    ];
  });
}

/** Names of the family before macOS 10.11, and what stands there now. */
const formerProviders: Readonly<Record<string, string>> = {
  IOUSBDevice: "IOUSBHostDevice",
  IOUSBInterface: "IOUSBHostInterface",
};
const providers = [
  ...Object.keys(neededByProvider),
  ...["IOUserResources", "IOSCSIPeripheralDeviceNub", "IOBluetoothHCIController"],
];
const kernelClasses = [
  ...new Set([
    ...Object.keys(kernelBundles),
    ...Object.keys(neededByFamily),
    ...[...userSpaceClasses.values()].map(({ kernelClass }) => kernelClass),
  ]),
];

function classNames({ name, placeOf, value }: Personality): Finding[] {
  const found: Finding[] = [];
  const former = formerProviders[String(value.IOProviderClass)];
  if (former !== undefined)
    found.push({
      score: 46,
      claim: `IOProviderClass of the personality "${name}" is ${String(value.IOProviderClass)}, the class of kernel extensions before macOS 10.11; USBDriverKit's drivers stand on ${former}.`,
      because: [placeOf("IOProviderClass")],
      about: [name, "IOProviderClass"],
      fix: [`Write ${former}.`],
    });
  for (const [key, known] of [
    ["IOProviderClass", providers],
    ["IOClass", kernelClasses],
  ] as const) {
    const given = value[key];
    if (
      typeof given !== "string" ||
      isVariable(given) ||
      known.includes(given) ||
      userSpaceClasses.has(given)
    )
      continue;
    const meant = nearestName(given, known, 2);
    if (meant === null || formerProviders[given] !== undefined) continue;
    found.push({
      score: 78,
      claim: `${key} of the personality "${name}" is ${given}; meant is ${meant}: ${key === "IOClass" ? "the kernel has no such class to make" : "nothing in the registry is of that class"}.`,
      because: [placeOf(key)],
      about: [name, key, meant],
      fix: [`Write ${meant}.`],
    });
  }
  return found;
}

/** What has to agree with the bundle round it. */
function ofBundle({ list, name, placeOf, value }: Personality): Finding[] {
  const whole = list.value.value;
  const bundle = whole.CFBundleIdentifier;
  const found: Finding[] = [];
  const type = whole.CFBundlePackageType;
  if (typeof type === "string" && type !== "DEXT" && !isVariable(type) && "IOUserServerName" in value)
    found.push({
      score: 76,
      claim: `CFBundlePackageType is ${type}, and the personality "${name}" is a driver extension's: its bundle says DEXT.`,
      because: [list.value.placeOf("CFBundlePackageType")],
      about: ["CFBundlePackageType"],
      fix: ["Write DEXT for CFBundlePackageType in the driver's Info.plist; the app has a list of its own."],
    });
  if (typeof bundle !== "string" || bundle === "" || isVariable(bundle)) return found;
  const own = value.CFBundleIdentifier;
  // Without a class of the driver it sends a kernel's driver to the device, and names that one's bundle: so it must.
  const isOwn = "IOUserClass" in value || "IOUserServerName" in value;
  if (isOwn && typeof own === "string" && own !== bundle && !isVariable(own))
    found.push({
      score: 66,
      claim: `CFBundleIdentifier of the personality "${name}" is ${own}, and the bundle is ${bundle}: the service bears the personality's, by which the kernel looks for its bundle and apps' userclient-access is compared.`,
      because: [placeOf("CFBundleIdentifier"), list.value.placeOf("CFBundleIdentifier")],
      about: [name, own, bundle],
      fix: ["Write $(PRODUCT_BUNDLE_IDENTIFIER) in both places."],
    });
  const server = value.IOUserServerName;
  const maker = (text: string): string => text.split(".").slice(0, 2).join(".");
  if (
    value.IOUserServerOneProcess === true &&
    typeof server === "string" &&
    !isVariable(server) &&
    maker(server) !== maker(bundle)
  )
    found.push({
      score: 72,
      claim: `IOUserServerName of the personality "${name}" is ${server}, and the bundle is ${bundle}: with IOUserServerOneProcess their first two parts must be equal, else the kernel ignores it.`,
      because: [placeOf("IOUserServerName")],
      about: [name, server],
      fix: [`Begin IOUserServerName with ${maker(bundle)}.`],
    });
  return found;
}
