// A watch: what a rule looks for in lines. All watches together are searched in one pass over a file.

import type { Place } from "../facts/evidence-source.ts";
import type { LogRow } from "./log-row.ts";

export interface Watch {
  /** At least one of these is in every line of interest, letters in either case. ASCII, four characters or more. */
  readonly needles: readonly string[];
  /** Applied to the row's message, then to the whole line. Must run in linear time on foreign text. */
  readonly pattern: RegExp;
}

/** A line that a watch was interested in. */
export interface Hit {
  readonly place: Place;
  readonly row: LogRow;
  readonly match: RegExpExecArray;
}

export function watch(needles: readonly string[], pattern: RegExp): Watch {
  return { needles, pattern };
}
