// An entry of the I/O registry, as a dump shows it.

import type { Properties } from "@drydock/core/platform/properties";
import type { Place } from "./evidence-source.ts";

export interface RegistryEntry {
  readonly name: string;
  readonly location: string;
  readonly className: string;
  /** 0 when the dump does not say. */
  readonly id: number;
  /** "registered, matched, active, busy 0 (0 ms), retain 7" */
  readonly state: string;
  readonly properties: Properties;
  /** Names of the entries above, outermost first. */
  readonly parents: readonly RegistryEntry[];
  placeOf(key: string): Place;
}
