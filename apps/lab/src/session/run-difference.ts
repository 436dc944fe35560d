// Two runs side by side: the first row of the wire in which they part.

import type { LabRun } from "./lab-run.ts";
import type { Difference } from "./messages.ts";
import { cellsOf, wireKinds } from "./row-cells.ts";

/** How far a comparison looks into a rig that never ends, rows. */
const comparedRows = 200_000;
/** Rows of both sides that are shown before the first difference, and from it on. */
const rowsBefore = 3;
const rowsAfter = 8;

interface WireLine {
  readonly sequence: number;
  readonly text: string;
}

function* linesOf(run: LabRun): Generator<WireLine> {
  let seen = 0;
  for (const row of run.timeline.rows(undefined, [...wireKinds])) {
    if (++seen > comparedRows) return;
    const { what, place, length, status } = cellsOf(run.timeline, row, 0, run);
    const shownWhat = what.startsWith("answer to ") ? "answer" : what;
    const data =
      row.bytes.length === 0
        ? ""
        : ` ${[...row.bytes.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ")}`;
    yield { sequence: row.sequence, text: `${place} ${shownWhat} ${length ?? ""} ${status}${data}`.trim() };
  }
}

/** The first row of the wire in which two runs part; times do not count. Both sides stand beside each other around it. */
export function differenceOf(here: LabRun, there: LabRun, against: string): Difference {
  const [left, right] = [linesOf(here), linesOf(there)];
  const before: [WireLine, WireLine][] = [];
  for (;;) {
    const [one, other] = [left.next(), right.next()];
    if (one.done === true && other.done === true)
      return { sequence: null, here: "", there: "", against, rows: [] };
    if (one.done !== true && other.done !== true && one.value.text === other.value.text) {
      before.push([one.value, other.value]);
      if (before.length > rowsBefore) before.shift();
      continue;
    }
    const rows = [...before, [lineOf(one), lineOf(other)] as const];
    for (let more = 1; more < rowsAfter; more++) {
      const next = [lineOf(left.next()), lineOf(right.next())] as const;
      if (next[0] === null && next[1] === null) break;
      rows.push(next);
    }
    return {
      sequence: one.done === true ? here.timeline.next - 1 : one.value.sequence,
      here: lineOf(one)?.text ?? "nothing more",
      there: lineOf(other)?.text ?? "nothing more",
      against,
      rows: rows.map(([a, b]) => ({ here: a, there: b, isEqual: a?.text === b?.text })),
    };
  }
}

const lineOf = (step: IteratorResult<WireLine>): WireLine | null => (step.done === true ? null : step.value);
