// Joins of log lines with a registry dump: the entry that an id names, and the services of a bundle.

import type { Evidence } from "../evidence/evidence.ts";
import type { Fact } from "../evidence/facts.ts";

/** The entry with this registry id ("DK: Name-0x10000ad6a" in a log), or null when no dump has it. */
export function entryWithId(evidence: Evidence, id: number): Fact<"registry-entry"> | null {
  if (id === 0) return null;
  return evidence.facts("registry-entry").find(({ value }) => value.id === id) ?? null;
}

/** Services whose CFBundleIdentifier property is this bundle id: the property that access rules compare with. */
export function servicesOfBundle(evidence: Evidence, bundleIdentifier: string): Fact<"registry-entry">[] {
  return evidence
    .facts("registry-entry")
    .filter(({ value }) => value.properties.CFBundleIdentifier === bundleIdentifier);
}
