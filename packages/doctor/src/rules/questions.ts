// What many rules ask of the evidence: findings per hit, property lists by role, personalities, a code with its call.

import { isDictionary, type Properties, type PropertyValue } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";
import type { Hit, Watch } from "../evidence/watch.ts";
import type { Place } from "../facts/evidence-source.ts";
import type { EvidenceKind } from "../facts/read-file.ts";
import { listsOf } from "../signing/entitlement-lists.ts";
import type { Finding } from "./rule.ts";

/** One finding for every hit that `make` does not answer with null. */
export function perHit(
  evidence: Evidence,
  watch: Watch,
  make: (hit: Hit) => Omit<Finding, "because"> | null,
): Finding[] {
  return evidence.hits(watch).flatMap((hit) => {
    const finding = make(hit);
    return finding === null ? [] : [{ ...finding, because: [hit.place] }];
  });
}

/** One finding for all hits of a watch together; null when there is none. */
export function onceFor(
  evidence: Evidence,
  watch: Watch,
  make: (first: Hit, hits: readonly Hit[]) => Omit<Finding, "because"> | null,
): Finding[] {
  const hits = evidence.hits(watch);
  if (hits.length === 0) return [];
  const finding = make(hits[0], hits);
  return finding === null ? [] : [{ ...finding, because: hits.slice(0, 3).map((hit) => hit.place) }];
}

/** Code and comments; a post that quotes a driver's source has lines of words round it. */
const codeLine = /^\s*(?:\/[/*]|\*|#|[{}]|case\b|return\b)|[;{}\\]\s*(?:\/[/*].*)?$|\/\/|\*\//;

/** Hits in what people and systems write: a word in a driver's code or in the manual beside it is no symptom. */
export function spoken(evidence: Evidence, watch: Watch): Hit[] {
  const read = new Set(evidence.facts("source").map(({ place }) => place.file));
  const named = (kind: EvidenceKind) =>
    new Set(evidence.files.filter(({ kinds }) => kinds.includes(kind)).map(({ name }) => name));
  const sources = named("source");
  // In whatever language: a project of Swift has its papers, too.
  const hasSource = sources.size > 0;
  const manuals = hasSource ? named("documentation") : new Set<string>();
  // Of a post with code in it only the code is silent; a script or a project file is nothing but code.
  return evidence.hits(watch).filter(
    ({ place }) =>
      !manuals.has(place.file) &&
      // A line of a script or a workflow that is a comment tells of another day.
      !(hasSource && /^\s*#(?:\s|$)/.test(place.text)) &&
      !(sources.has(place.file) && (!read.has(place.file) || codeLine.test(place.text))),
  );
}

export interface Personality {
  readonly name: string;
  readonly value: Properties;
  readonly list: Fact<"property-list">;
  placeOf(key: string): Place;
}

/** Every personality of every Info.plist. */
export function personalities(evidence: Evidence): Personality[] {
  return listsOf(evidence, "Info.plist").flatMap((list) => {
    const all = list.value.value.IOKitPersonalities;
    // With the keys of one in their place they are none.
    if (!isDictionary(all) || typeof all.IOProviderClass === "string" || typeof all.IOUserClass === "string")
      return [];
    return Object.entries(all).flatMap(([name, value]): Personality[] =>
      isDictionary(value)
        ? [
            {
              name,
              value,
              list,
              placeOf: (key) =>
                list.value.placeOf(`IOKitPersonalities/${name}${key === "" ? "" : `/${key}`}`),
            },
          ]
        : [],
    );
  });
}

/** What a key of entitlements holds, as a list of strings. */
export function stringsOf(value: PropertyValue | undefined): string[] {
  if (typeof value === "string") return [value];
  return Array.isArray(value) ? value.filter((item): item is string => typeof item === "string") : [];
}

/** A number that may be a little-endian data property, as PCI nubs have them. */
export function numberOfProperty(value: PropertyValue | undefined): number | null {
  if (typeof value === "number") return value;
  if (!(value instanceof Uint8Array) || value.length === 0 || value.length > 6) return null;
  return [...value].reduceRight((sum, byte) => sum * 256 + byte, 0);
}

/** A bundle id of Apple's. */
export function isApples(bundleIdentifier: string): boolean {
  return /^com\.apple\./.test(bundleIdentifier);
}
