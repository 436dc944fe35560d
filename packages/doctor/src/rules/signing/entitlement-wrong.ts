// FX-ENTITLEMENT: an entitlement that does not exist, or whose value has a form that no profile has.

import { editDistance, nearestName } from "@drydock/core/base/near-names";
import { isDictionary, type PropertyValue } from "@drydock/core/platform/properties";
import type { Place } from "../../facts/evidence-source.ts";
import { listsOf } from "../../signing/entitlement-lists.ts";
import {
  entitlementOf,
  type KnownEntitlement,
  knownEntitlements,
  wrongEntitlements,
} from "../entitlement-names.ts";
import type { Finding, Rule } from "../rule.ts";

const known = knownEntitlements.map(({ key }) => key);
/** Families of keys that belong to DriverKit and system extensions: others are not known here, which says nothing. */
const ours =
  /^com\.apple\.(?:developer\.(?:driverkit|system-extension)\b|security\.(?:device|iokit|temporary-exception\.iokit))/;

export const entitlementWrong: Rule = {
  id: "FX-ENTITLEMENT",
  title: "An entitlement does not exist, or its value has the wrong form",
  severity: "error",
  certainty: "established",
  source:
    "Apple, Entitlements (DriverKit); xnu-11417 IOUserServer::checkEntitlements; keys of public projects that were refused",
  needs: ["entitlements"],
  why: "The kernel and the signing tools look keys up by their exact names and compare values by their type. A key with another name gives nothing, and a value of another form equals nothing that a profile holds.",
  fix: ["Correct the key in the .entitlements file, and sign with a profile that holds it."],
  who: "you",
  judge(evidence) {
    return listsOf(evidence, "entitlements").flatMap(({ value: { value, placeOf } }) =>
      Object.entries(value).flatMap(([key, claim]): Finding[] => {
        const exact = knownEntitlements.find((one) => one.key === key);
        if (exact !== undefined) return form(exact, claim, placeOf(key));
        const meant = meantBy(key);
        if (meant === null) return [];
        return [
          {
            score: 90,
            claim: `${key} is no known entitlement; meant is ${meant}.`,
            because: [placeOf(key)],
            about: [key, meant],
            why: `No entitlement of that name exists, so ${meant.includes("transport") ? "the driver has no claim on devices and the check at the provider fails" : "it allows nothing"}; a restricted name that no profile holds also keeps the program from starting.`,
            fix: [`Rename the key to ${meant}, and sign with a profile that holds it.`],
          },
        ];
      }),
    );
  },
};

/** The entitlement that a wrong key was meant for; null when none is near. */
function meantBy(key: string): string | null {
  const listed = wrongEntitlements[key];
  if (listed !== undefined) return listed;
  const other = entitlementOf(key);
  if (other !== null) return other.key;
  if (!ours.test(key) && nearestName(key, known, 2) === null) return null;
  const sorted = (name: string) => name.split(/[.-]/).sort().join(".");
  return (
    known.find((name) => sorted(name) === sorted(key)) ??
    nearestName(
      key,
      known.filter((name) => editDistance(key, name) <= mostWrong(key, name)),
      3,
    )
  );
}

/** Letters that may be wrong: a third of the words in which two names differ. A short word is soon another one (spi, pci). */
function mostWrong(key: string, name: string): number {
  const [left, right] = [key.split("."), name.split(".")];
  while (left.length > 1 && right.length > 1 && left[0] === right[0]) {
    left.shift();
    right.shift();
  }
  while (left.length > 1 && right.length > 1 && left.at(-1) === right.at(-1)) {
    left.pop();
    right.pop();
  }
  return Math.max(1, Math.floor(Math.min(left.join(".").length, right.join(".").length) / 3));
}

function form(one: KnownEntitlement, claim: PropertyValue, place: Finding["because"][number]): Finding[] {
  const wrong = (must: string, why: string): Finding[] => [
    {
      score: 84,
      claim: `The value of ${one.key} must be ${must}, and is ${shown(claim)}.`,
      because: [place],
      about: [one.key],
      why,
      fix: [`Write ${one.value}.`],
    },
  ];
  switch (one.form) {
    case "dictionaries":
      if (
        Array.isArray(claim) &&
        claim.every((item) => isDictionary(item) || item === `com.apple.developer.driverkit.builtin`)
      )
        return claim
          .flatMap((item) =>
            isDictionary(item)
              ? Object.entries(item).flatMap(([key, value]) =>
                  /^id(?:Vendor|Product)$/.test(key) && typeof value === "string" && value !== "*"
                    ? wrong(
                        `an array of dictionaries with integers (${key} as a number)`,
                        "Numbers are compared as numbers: a text equals no device's id and no profile's value.",
                      )
                    : [],
                )
              : [],
          )
          .concat(unnamed(one, claim, place));
      return wrong(
        "an array of dictionaries",
        `The value is a match that the device must fit. ${claim === true ? "A boolean is the form of Apple's own drivers; no profile holds true there, so signing or launching fails as soon as checks are on: it works only on a machine whose checks are off." : "No profile has another form, so the claim is covered by none."}`,
      );
    case "strings":
      return Array.isArray(claim)
        ? noBundleIds(one, claim, place)
        : typeof claim === "string" && !claim.includes("\n")
          ? []
          : typeof claim === "string"
            ? []
            : wrong(
                "an array of strings",
                "The kernel compares each element with the driver's bundle id; any other form names none.",
              );
    case "boolean":
      // The key by which a driver is one: the kernel asks whether it is true.
      if (claim === false && one.key === "com.apple.developer.driverkit")
        return wrong("true", "False claims nothing: the kernel refuses the server of a process without it.");
      return typeof claim === "boolean" || one.key.endsWith(".builtin")
        ? []
        : wrong("true", "The profile holds true; a value of another type is not equal to it.");
    case "string":
      return typeof claim === "string"
        ? []
        : wrong("a string", "The profile holds a string; a value of another type is not equal to it.");
  }
}

/** Keys by which a provider's match may be written in a transport entitlement. */
const matchKey = /^(?:id|b|bcd)[A-Z]|^IOPCI|^(?:Vendor|Product)ID$|UsagePage|Usage$/;

/** Dictionaries in which nothing is that a device has. */
function unnamed(one: KnownEntitlement, claim: readonly PropertyValue[], place: Place): Finding[] {
  const empty = claim.find(
    (item) => isDictionary(item) && !Object.keys(item).some((key) => matchKey.test(key)),
  );
  if (!isDictionary(empty) || Object.keys(empty).length === 0) return [];
  const [key] = Object.keys(empty);
  const letters = (name: string): string => [...name.toLowerCase()].sort().join("");
  const meant = ["idVendor", "idProduct", "bcdDevice"].find(
    (name) => letters(name) === letters(key) || nearestName(key, [name], 3) !== null,
  );
  return [
    {
      score: 74,
      claim: `${key} in ${one.key} is no key that a device has${meant === undefined ? "" : `; meant is ${meant}`}: the claim covers none.`,
      because: [place],
      about: [one.key, key],
      fix: ["Write the keys as the device publishes them: idVendor, idProduct, IOPCIPrimaryMatch."],
    },
  ];
}

/** Compared letter by letter with CFBundleIdentifier: a team before it, or a wildcard in it, equals none. */
function noBundleIds(one: KnownEntitlement, claim: readonly PropertyValue[], place: Place): Finding[] {
  if (!one.key.endsWith(".userclient-access")) return [];
  const wrong = claim.filter(
    (item): item is string => typeof item === "string" && /^[A-Z0-9]{10}\.(?=\w+\.)|\*/.test(item),
  );
  if (wrong.length === 0) return [];
  return [
    {
      score: 80,
      claim: `${one.key} lists ${wrong[0]}, and is compared letter by letter with the driver's CFBundleIdentifier, which has ${wrong[0].includes("*") ? "no wildcard" : "no team in front"}.`,
      because: [place],
      about: [one.key, wrong[0]],
      fix: ["Write the driver's bundle id as its Info.plist has it."],
    },
  ];
}

function shown(value: PropertyValue): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return `the string "${value.slice(0, 60)}"`;
  if (typeof value === "number") return `the number ${value}`;
  return Array.isArray(value) ? "an array of something else" : "a dictionary";
}
