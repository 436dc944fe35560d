// A file that a rig writes in Apple's format, and the identifiers such files carry.

import type { Random } from "../../base/random.ts";
import { hex } from "../../base/text.ts";

export interface EvidenceFile {
  /** As the system would name it. */
  readonly name: string;
  readonly text: string;
}

/** An upper-case UUID drawn from the seed. */
export function drawUuid(random: Random): string {
  const word = () => hex(random.next32(), 8);
  const digits = word() + word() + word() + word();
  const groups = [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `8${digits.slice(17, 20)}`,
  ];
  return [...groups, digits.slice(20)].join("-").toUpperCase();
}
