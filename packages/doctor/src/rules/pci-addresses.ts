// Joins a physical address with the BAR of a registry dump that holds it.

import { isDictionary, type PropertyValue } from "@drydock/core/platform/properties";
import type { Evidence } from "../evidence/evidence.ts";
import type { Place } from "../facts/evidence-source.ts";

export interface BarHit {
  readonly name: string;
  readonly index: number;
  readonly offset: number;
  readonly place: Place;
}

/** From IODeviceMemory: ranges, or arrays of one range each. Null when no dump knows the address. */
export function barOf(evidence: Evidence, address: number): BarHit | null {
  for (const { value } of evidence.facts("registry-entry")) {
    const memory = value.properties.IODeviceMemory;
    if (!Array.isArray(memory)) continue;
    for (const [index, item] of memory.entries()) {
      const range = (Array.isArray(item) ? item[0] : item) as PropertyValue | undefined;
      if (!isDictionary(range) || typeof range.address !== "number" || typeof range.length !== "number")
        continue;
      const offset = address - range.address;
      if (offset >= 0 && offset < range.length)
        return { name: value.name, index, offset, place: value.placeOf("IODeviceMemory") };
    }
  }
  return null;
}
