// FX-PLIST: a driver's Info.plist has keys, types or places that matching does not read as they were meant.

import { nearestName } from "@drydock/core/base/near-names";
import type { PropertyValue } from "@drydock/core/platform/properties";
import { isDictionary } from "@drydock/core/platform/properties";
import type { Evidence } from "../../evidence/evidence.ts";
import type { Place } from "../../facts/evidence-source.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import { personalityValues } from "../personality-values.ts";
import {
  booleanKeys,
  kernelBundles,
  numberKeys,
  numberListKeys,
  personalityKeys,
  serviceKeys,
  textKeys,
} from "../property-lists.ts";
import { type Personality, personalities } from "../questions.ts";
import type { Finding, Rule } from "../rule.ts";
import { sources } from "../source-questions.ts";

export const propertyListFaults: Rule = {
  id: "FX-PLIST",
  title: "The driver's Info.plist says something else than what was meant",
  severity: "error",
  certainty: "established",
  source:
    "xnu-11417 IOService matching and IOUserServer; Apple, Information Property List of driver extensions",
  needs: ["Info.plist"],
  why: "Matching compares values as they are: a text never equals a number, a key with another name is not read, and only what stands inside the personality becomes a property of the service. Nothing is logged for what does not fit.",
  fix: [
    "Correct the key in the Info.plist, build with a higher CFBundleVersion, and look at the service's properties in ioreg -l -w0.",
  ],
  who: "you",
  judge(evidence) {
    const drivers = personalities(evidence).filter(
      ({ value, list }) => "IOUserClass" in value || list.value.value.CFBundlePackageType === "DEXT",
    );
    return [
      ...drivers.flatMap((one) => [...types(one), ...names(one)]),
      ...personalityValues(evidence, drivers),
      ...misplaced(evidence),
      ...heads(evidence),
      ...createKeys(evidence, drivers),
    ];
  },
};

const isVariable = (value: PropertyValue | undefined): boolean =>
  typeof value === "string" && /\$[({]/.test(value);

/** 0x1209 and 4617 of a text; null for a text that is no number. */
function numberIn(text: string): number | null {
  return /^\s*(?:0x[0-9a-f]{1,8}|\d{1,10})\s*$/i.test(text) ? Number(text) : null;
}

function types({ name, value, placeOf }: Personality): Finding[] {
  const texts: { key: string; number: number | null; place: Place }[] = [];
  const found: Finding[] = [];
  for (const [key, entry] of Object.entries(value)) {
    if (isVariable(entry)) continue;
    if (numberKeys.has(key) && typeof entry === "string" && !/^\*$/.test(entry))
      texts.push({ key, number: numberIn(entry), place: placeOf(key) });
    else if (
      numberListKeys.has(key) &&
      Array.isArray(entry) &&
      entry.some((item) => typeof item === "string")
    )
      texts.push({ key, number: null, place: placeOf(key) });
    else if (booleanKeys.has(key) && typeof entry !== "boolean")
      found.push(wrongType(name, key, "true or false", entry, placeOf(key)));
    else if (
      textKeys.has(key) &&
      typeof entry !== "string" &&
      !(key === "IOResourceMatch" && Array.isArray(entry))
    )
      found.push(wrongType(name, key, "a string", entry, placeOf(key)));
  }
  if (texts.length > 0) {
    const keys = texts.map(({ key }) => key).join(" and ");
    const numbers = texts.flatMap(({ number }) => (number === null ? [] : [String(number)]));
    found.push({
      score: 90,
      claim: `${keys} of the personality "${name}" ${texts.length === 1 ? "is a string" : "are strings"} and must be ${texts.length === 1 ? "an integer" : "integers"}${numbers.length === texts.length ? ` (${numbers.join(" and ")})` : ""}: this driver never matches.`,
      because: texts.map(({ place }) => place),
      about: [name, ...texts.map(({ key }) => key)],
      why: "Matching compares numbers of the registry; a string does not equal a number, and nothing is logged. A property list has no hexadecimal integers: write decimal.",
      fix: [
        `Write <integer> for ${keys}: ${texts.map(({ key, number }) => `${key} ${number ?? "in decimal"}`).join(", ")}.`,
      ],
    });
  }
  return found;
}

function wrongType(name: string, key: string, wanted: string, entry: PropertyValue, place: Place): Finding {
  const is = Array.isArray(entry)
    ? "an array"
    : typeof entry === "object"
      ? "a dictionary"
      : `a ${typeof entry === "boolean" ? "boolean" : typeof entry === "string" ? "string" : "number"}`;
  return {
    score: 82,
    claim: `${key} of the personality "${name}" must be ${wanted}, and is ${is}.`,
    because: [place],
    about: [name, key],
  };
}

/** Keys that nobody reads, and are nearly one that is read. */
function names({ name, value, placeOf }: Personality): Finding[] {
  return Object.keys(value).flatMap((key): Finding[] => {
    if (personalityKeys.includes(key) || isDictionary(value[key])) return [];
    const meant =
      nearestName(key, personalityKeys, key.length > 9 ? 2 : 1) ??
      personalityKeys.find((known) => known.toLowerCase() === key.toLowerCase()) ??
      null;
    if (meant === null || meant in value) return [];
    return [
      {
        score: 78,
        claim: `${key} of the personality "${name}" is no key that matching knows; meant is ${meant}.`,
        because: [placeOf(key)],
        about: [name, key, meant],
        fix: [`Rename the key to ${meant}.`],
      },
    ];
  });
}

/** Keys of the service at the top of the list, where nobody looks for them. */
function misplaced(evidence: Evidence): Finding[] {
  return listsOf(evidence, "Info.plist").flatMap(({ value: { value, placeOf } }): Finding[] => {
    const all = value.IOKitPersonalities;
    if (!isDictionary(all) || value.CFBundlePackageType === "KEXT") return [];
    const names = Object.entries(all).filter(([, one]) => isDictionary(one));
    return Object.keys(value).flatMap((key): Finding[] => {
      const isClient =
        key !== "IOKitPersonalities" &&
        isDictionary(value[key]) &&
        /UserClient/.test(JSON.stringify(value[key]) ?? "");
      if (!serviceKeys.has(key) && !isClient) return [];
      if (names.some(([, one]) => isDictionary(one) && key in one)) return [];
      const where = names.length === 1 ? `the personality "${names[0][0]}"` : "the personality";
      return [
        {
          score: 86,
          claim: `${key} stands at the top of the Info.plist and must stand inside ${where}.`,
          because: [placeOf(key)],
          about: [key],
          why: `Only what stands in the personality becomes a property of the service. ${isClient ? "Create looks the name up in the properties of the service, finds nothing, and NewUserClient fails with kIOReturnBadArgument (0xe00002c2)." : "At the top of the list nobody reads it."}`,
          fix: [`Move ${key} into ${where}.`],
        },
      ];
    });
  });
}

/** What the bundle itself must say. */
function heads(evidence: Evidence): Finding[] {
  return listsOf(evidence, "Info.plist").flatMap(({ value: { value, placeOf } }): Finding[] => {
    if (value.CFBundlePackageType !== "DEXT") return [];
    const found: Finding[] = [];
    const personalities = value.IOKitPersonalities;
    if (personalities !== undefined && !isDictionary(personalities))
      found.push({
        score: 88,
        claim:
          "IOKitPersonalities must be a dictionary of dictionaries: the driver has no personality as it is.",
        because: [placeOf("IOKitPersonalities")],
      });
    for (const [name, one] of Object.entries(isDictionary(personalities) ? personalities : {})) {
      if (!isDictionary(one)) continue;
      const category = one.IOMatchCategory;
      const place = placeOf(`IOKitPersonalities/${name}`);
      if (
        typeof category === "string" &&
        category !== "" &&
        !isVariable(category) &&
        "IOProviderClass" in one &&
        // There every driver needs a category of its own: nobody is to be replaced. Nor on what another driver published.
        !/^IO(?:(?:User)?Resources|UserService)$/.test(String(one.IOProviderClass))
      )
        found.push({
          score: 38,
          claim: `The personality "${name}" has IOMatchCategory ${category}: it does not compete with the system's own driver, and both attach. Leave the key out to replace that driver.`,
          because: [placeOf(`IOKitPersonalities/${name}/IOMatchCategory`)],
          about: [name],
        });
      const kernel = typeof one.IOClass === "string" ? kernelBundles[one.IOClass] : undefined;
      const given = one.CFBundleIdentifierKernel;
      if (kernel !== undefined && typeof given === "string" && !isVariable(given) && !kernel.includes(given))
        found.push({
          score: 42,
          claim: `The personality "${name}" has IOClass ${String(one.IOClass)}, which lives in ${kernel.join(" or ")}, and CFBundleIdentifierKernel ${given}: the class may not be there when it is looked for.`,
          because: [placeOf(`IOKitPersonalities/${name}/CFBundleIdentifierKernel`)],
          about: [name],
        });
      if (!("IOProviderClass" in one) && "IOUserClass" in one)
        found.push({
          score: 76,
          claim: `The personality "${name}" has no IOProviderClass, so it is never tried.`,
          because: [place],
          about: [name],
        });
    }
    return found;
  });
}

/** Create(this, "Name", ...) in source beside a personality without that name. */
function createKeys(evidence: Evidence, drivers: readonly Personality[]): Finding[] {
  if (drivers.length === 0) return [];
  return sources(evidence).flatMap((file) =>
    file.functions.flatMap((one) =>
      one.calls.flatMap((call): Finding[] => {
        if (call.name !== "Create" || call.scope !== "" || call.receiver !== null || call.args.length !== 3)
          return [];
        const key = /^"([^"]{1,120})"$/.exec(call.args[1].text)?.[1];
        if (key === undefined || drivers.some(({ value }) => key in value)) return [];
        const near = drivers.flatMap(({ value }) => nearestName(key, Object.keys(value), 2) ?? []);
        // The top of the list is told already; of a name that is nowhere only a near one is evidence.
        const [meant] = near;
        if (meant === undefined) return [];
        return [
          {
            score: 80,
            claim: `Create is given "${key}", and the personality has ${meant}: the names must be equal.`,
            because: [file.placeOf(call.node)],
            about: [key, meant],
          },
        ];
      }),
    ),
  );
}
