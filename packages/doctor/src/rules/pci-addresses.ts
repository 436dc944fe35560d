// Joins a physical address with the BAR of a registry dump that holds it.

import { isDictionary, type PropertyValue } from "@drydock/core/runtime/properties";
import type { Evidence } from "../evidence/evidence.ts";
import type { Place } from "../evidence/evidence-source.ts";

export interface BarHit {
  readonly name: string;
  readonly index: number;
  readonly offset: number;
  readonly place: Place;
}

/** From IODeviceMemory (ranges) or assigned-addresses (entries of five words). Null when no dump knows the address. */
export function barOf(evidence: Evidence, address: number): BarHit | null {
  for (const { value } of evidence.facts("registry-entry")) {
    const memory = rangesOf(value.properties.IODeviceMemory);
    for (const [index, range] of memory.entries()) {
      if (address >= range.start && address < range.start + range.length)
        return {
          name: value.name,
          index,
          offset: address - range.start,
          place: value.placeOf("IODeviceMemory"),
        };
    }
    const assigned = assignedOf(value.properties["assigned-addresses"]);
    for (const range of assigned) {
      if (address >= range.start && address < range.start + range.length)
        return {
          name: value.name,
          index: range.index,
          offset: address - range.start,
          place: value.placeOf("assigned-addresses"),
        };
    }
  }
  return null;
}

interface Range {
  readonly start: number;
  readonly length: number;
}

/** ({"address"=..,"length"=..}) or the same one level deeper. */
function rangesOf(value: PropertyValue | undefined): Range[] {
  if (!Array.isArray(value)) return [];
  return value.flatMap((item): Range[] => {
    const entry = Array.isArray(item) ? item[0] : item;
    if (!isDictionary(entry) || typeof entry.address !== "number" || typeof entry.length !== "number")
      return [];
    return [{ start: entry.address, length: entry.length }];
  });
}

/** PCI bus binding of IEEE 1275: phys.hi (register number in its low byte), address and size in two words each. */
function assignedOf(value: PropertyValue | undefined): (Range & { readonly index: number })[] {
  if (!(value instanceof Uint8Array)) return [];
  const view = new DataView(value.buffer, value.byteOffset, value.byteLength);
  const ranges: (Range & { index: number })[] = [];
  for (let at = 0; at + 20 <= value.length; at += 20) {
    const register = view.getUint32(at, true) & 0xff;
    ranges.push({
      index: (register - 0x10) >> 2,
      start: view.getUint32(at + 4, true) * 4294967296 + view.getUint32(at + 8, true),
      length: view.getUint32(at + 12, true) * 4294967296 + view.getUint32(at + 16, true),
    });
  }
  return ranges;
}
