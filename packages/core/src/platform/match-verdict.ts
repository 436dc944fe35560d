// A verdict of matching and what it rests on: the one shape that log, command line, doctor and lab show.

import { hex } from "../base/text.ts";
import type { Properties, PropertyValue } from "./properties.ts";

/** One comparison that was made: which key, what was wanted, what was there. */
export interface Comparison {
  readonly key: string;
  readonly wanted: PropertyValue | null;
  readonly found: PropertyValue | null;
}

/** The same structure serves log, command line, doctor and lab (design.md law 8). */
export interface MatchVerdict {
  readonly matches: boolean;
  /** Family score plus IOProbeScore; 0 when it does not match. */
  readonly score: number;
  /** One sentence. */
  readonly reason: string;
  /** What decided, where one comparison did. */
  readonly decidedBy: Comparison | null;
}

/** What a nub looks like to matching. */
export interface MatchSubject {
  /** Its class and superclasses, for IOProviderClass. */
  readonly classChain: readonly string[];
  /** For IONameMatch. */
  readonly name: string;
  readonly properties: Properties;
}

/** A family's own keys: the verdict's score is added to IOProbeScore. Null: the family has nothing to say. */
export type FamilyMatcher = (table: Properties, subject: MatchSubject) => MatchVerdict | null;

export function verdict(score: number, reason: string): MatchVerdict {
  return { matches: true, score, reason, decidedBy: null };
}

export function refusal(
  reason: string,
  key: string,
  wanted?: PropertyValue,
  found?: PropertyValue,
): MatchVerdict {
  return {
    matches: false,
    score: 0,
    reason,
    decidedBy: { key, wanted: wanted ?? null, found: found ?? null },
  };
}

/** `0x0403`, `"text"`, as people compare them. */
export function showProperty(value: PropertyValue | null | undefined): string {
  if (value === null || value === undefined) return "nothing";
  if (typeof value === "number") return `${value} (0x${hex(value, 4)})`;
  if (typeof value === "string") return `"${value}"`;
  if (value instanceof Uint8Array) return `<${value.length} bytes>`;
  return JSON.stringify(value);
}
