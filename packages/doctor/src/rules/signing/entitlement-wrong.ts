// FX-ENTITLEMENT: an entitlement that does not exist, or whose value has a form that no profile has.

import { nearestName } from "@drydock/core/base/near-names";
import { isDictionary, type PropertyValue } from "@drydock/core/platform/properties";
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
  return known.find((name) => sorted(name) === sorted(key)) ?? nearestName(key, known, 3) ?? null;
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
        return claim.flatMap((item) =>
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
        );
      return wrong(
        "an array of dictionaries",
        `The value is a match that the device must fit. ${claim === true ? "A boolean is the form of Apple's own drivers; no profile holds true there, so signing or launching fails as soon as checks are on: it works only on a machine whose checks are off." : "No profile has another form, so the claim is covered by none."}`,
      );
    case "strings":
      return Array.isArray(claim)
        ? []
        : typeof claim === "string" && !claim.includes("\n")
          ? []
          : typeof claim === "string"
            ? []
            : wrong(
                "an array of strings",
                "The kernel compares each element with the driver's bundle id; any other form names none.",
              );
    case "boolean":
      return typeof claim === "boolean" || one.key.endsWith(".builtin")
        ? []
        : wrong("true", "The profile holds true; a value of another type is not equal to it.");
    case "string":
      return typeof claim === "string"
        ? []
        : wrong("a string", "The profile holds a string; a value of another type is not equal to it.");
  }
}

function shown(value: PropertyValue): string {
  if (typeof value === "boolean") return String(value);
  if (typeof value === "string") return `the string "${value.slice(0, 60)}"`;
  if (typeof value === "number") return `the number ${value}`;
  return Array.isArray(value) ? "an array of something else" : "a dictionary";
}
