// What says that a PCI driver extension is in play, and that its device was pulled.

import type { Evidence } from "../evidence/evidence.ts";
import { watch } from "../evidence/watch.ts";
import type { Place } from "../facts/evidence-source.ts";
import { personalities } from "./questions.ts";

/** A person or a system speaks of a device that went away. */
export const unplugLine = watch(
  ["hot-plug", "hot plug", "hotplug", "unplug", "surprise", "link down", "link-down", "hot removal"],
  /hot[- ]?(?:un)?plug|unplug|surprise (?:removal|remove|down)|\blink[- ]down\b|hot removal/i,
);

export interface PciDext {
  /** Class or bundle id. */
  readonly name: string;
  readonly place: Place;
}

/** Driver extensions on PCI devices: by their personalities, or by what stands below an IOPCIDevice. */
export function pciDexts(evidence: Evidence): PciDext[] {
  const found = new Map<string, PciDext>();
  for (const personality of personalities(evidence)) {
    if (personality.value.IOProviderClass !== "IOPCIDevice") continue;
    const name = personality.value.IOUserClass;
    if (typeof name === "string") found.set(name, { name, place: personality.placeOf("IOUserClass") });
  }
  for (const { value, place } of evidence.facts("registry-entry")) {
    const name = value.properties.IOUserClass;
    const isOnPci =
      value.properties.IOProviderClass === "IOPCIDevice" || value.parents.at(-1)?.className === "IOPCIDevice";
    if (typeof name === "string" && isOnPci) found.set(name, { name, place });
  }
  return [...found.values()];
}
