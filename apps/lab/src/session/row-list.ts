// The list of rows that a page sees: all of them or a filter's hits, of one of three levels, runs of equal rows folded.

import { TimelineKind } from "@drydock/core/ports/recorder";
import type { Timeline, TimelineRow } from "@drydock/core/trace/timeline";
import type { LabRun } from "./lab-run.ts";
import {
  everyRow,
  markParts,
  type RowCells,
  type RowDetail,
  type RowLevel,
  type RowWish,
} from "./messages.ts";
import { cellsOf, fieldsOf, RowView } from "./row-cells.ts";
import { FilterError, parseFilter, type RowTest } from "./row-filter.ts";

const shownBytes = 4096;
const shownEffects = 8;
const effectRows = 20_000;
/** How far behind a submission its answer is looked for, rows. */
const answerRows = 4096;
/** Rows between two looks at the clock. */
const lookRows = 256;

/** What each level leaves out of the rows above the wire; of the wire itself the view says it. */
const hiddenKinds: Readonly<Record<RowLevel, ReadonlySet<TimelineKind>>> = {
  rows: new Set(),
  transfers: new Set([TimelineKind.hop, TimelineKind.event]),
  calls: new Set([TimelineKind.hop, TimelineKind.register, TimelineKind.dma, TimelineKind.interrupt]),
};

export class RowList {
  readonly run: LabRun;
  wish: RowWish = everyRow;
  /** Why the filter is none; empty when it is one. */
  problem = "";
  #test: RowTest | null = null;
  /** The next row to look at. */
  #looked = 1;
  /** Sequences of what is listed; unused while everything is. A folded run stands under its first row. */
  #listed: number[] = [];
  /** Of each folded run: its last row, how many rows, how many bytes; empty while nothing is folded. */
  #lasts: number[] = [];
  #counts: number[] = [];
  #bytes: number[] = [];
  #foldKey = "";
  /** Sequences of what the filter finds, where it only marks. */
  #hits: number[] = [];

  constructor(run: LabRun, wish: RowWish = everyRow) {
    this.run = run;
    this.set(wish);
  }

  set(wish: RowWish): void {
    this.wish = wish;
    this.#listed = [];
    this.#lasts = [];
    this.#counts = [];
    this.#bytes = [];
    this.#foldKey = "";
    this.#hits = [];
    this.#looked = 1;
    try {
      this.#test = parseFilter(wish.text);
      this.problem = "";
    } catch (error) {
      if (!(error instanceof FilterError)) throw error;
      this.#test = null;
      this.problem = error.message;
    }
  }

  /** Everything is listed as it lies in the timeline. */
  get #isPlain(): boolean {
    return (this.#test === null || this.wish.isMarked) && this.wish.level === "rows" && !this.wish.isFolded;
  }

  get #isMarking(): boolean {
    return this.#test !== null && this.wish.isMarked;
  }

  get #timeline(): Timeline {
    return this.run.timeline;
  }

  get count(): number {
    const { next, oldest } = this.#timeline;
    return this.#isPlain ? next - oldest : this.#listed.length;
  }

  /** How many rows the filter has found. */
  get hits(): number {
    return this.#isMarking ? this.#hits.length : this.count;
  }

  /** Rows that were not looked at yet. */
  get left(): number {
    const { next, oldest } = this.#timeline;
    return this.#isPlain && !this.#isMarking ? 0 : next - Math.max(this.#looked, oldest);
  }

  /** Looks at rows that came since, until `isLate` says so. True: everything that is there was looked at. */
  look(isLate: () => boolean): boolean {
    const [isMarking, isPlain] = [this.#isMarking, this.#isPlain];
    if (isPlain && !isMarking) return true;
    const timeline = this.#timeline;
    this.#forget(timeline.oldest);
    const { isFolded, level } = this.wish;
    const hidden = hiddenKinds[level];
    const from = Math.max(this.#looked, timeline.oldest);
    let previousNs = timeline.row(from - 1)?.timeNs ?? 0;
    const view = new RowView(timeline, this.run);
    for (const row of timeline.rows(from)) {
      view.set(row, previousNs);
      const isHidden = hidden.has(row.kind) || (level !== "rows" && view.isBelow(level));
      if (!isHidden) {
        const isHit = this.#test === null || this.#test(view);
        if (isHit && isMarking) this.#hits.push(row.sequence);
        if ((isHit || isMarking) && !isPlain) {
          if (isFolded) this.#fold(row, view);
          else this.#listed.push(row.sequence);
        }
      }
      previousNs = row.timeNs;
      this.#looked = row.sequence + 1;
      if (row.sequence % lookRows === 0 && isLate()) return false;
    }
    return true;
  }

  /** A run ends where another row begins: the order of time is never broken. */
  #fold(row: TimelineRow, view: RowView): void {
    const key = view.foldKey;
    const length = view.length ?? 0;
    const at = this.#listed.length - 1;
    if (at >= 0 && key === this.#foldKey) {
      this.#lasts[at] = row.sequence;
      this.#counts[at]++;
      this.#bytes[at] += length;
      return;
    }
    this.#foldKey = key;
    this.#listed.push(row.sequence);
    this.#lasts.push(row.sequence);
    this.#counts.push(1);
    this.#bytes.push(length);
  }

  /** What the timeline gave up is listed no longer. A folded run goes with its first row. */
  #forget(oldest: number): void {
    if (this.#hits.length > 0 && this.#hits[0] < oldest) this.#hits.splice(0, firstFrom(this.#hits, oldest));
    if (this.#listed.length === 0 || this.#listed[0] >= oldest) return;
    const count = firstFrom(this.#listed, oldest);
    const isAll = count === this.#listed.length;
    for (const column of [this.#listed, this.#lasts, this.#counts, this.#bytes]) column.splice(0, count);
    if (isAll) this.#foldKey = "";
  }

  #sequenceAt(place: number): number {
    return this.#isPlain ? this.#timeline.oldest + place : this.#listed[place];
  }

  rows(from: number, count: number): RowCells[] {
    const timeline = this.#timeline;
    const rows: RowCells[] = [];
    let previous: TimelineRow | null = from > 0 ? timeline.row(this.#sequenceAt(from - 1)) : null;
    for (let place = from; place < Math.min(from + count, this.count); place++) {
      const row = timeline.row(this.#sequenceAt(place));
      if (row === null) continue;
      rows.push(this.#cells(row, previous?.timeNs ?? row.timeNs, place));
      previous = row;
    }
    return rows;
  }

  #cells(row: TimelineRow, previousNs: number, place: number): RowCells {
    const plain = cellsOf(this.#timeline, row, previousNs, this.run);
    const last = this.#lasts[place] ?? row.sequence;
    const isHit = this.#isMarking && this.#hits[firstFrom(this.#hits, row.sequence)] <= last;
    const cells = isHit ? { ...plain, isHit } : plain;
    const rows = this.#counts[place] ?? 1;
    if (rows > 1) {
      const answers = cells.what.startsWith("answer to ");
      return {
        ...cells,
        what: `${answers ? "answers" : cells.what} × ${rows.toLocaleString("en")}`,
        length: this.#bytes[place],
        last,
      };
    }
    if (this.wish.level === "rows") return cells;
    // A transfer is one row with its answer's word.
    const answer = this.#answerTo(row);
    return answer === null
      ? cells
      : { ...cells, status: answer.status, length: answer.length, isBad: answer.isBad };
  }

  #answerTo(row: TimelineRow): RowCells | null {
    if (row.kind !== TimelineKind.usb) return null;
    for (const later of this.#timeline.rows(row.sequence + 1)) {
      if (later.sequence > row.sequence + answerRows) return null;
      if (later.cause !== row.sequence || later.kind !== TimelineKind.usb) continue;
      const cells = cellsOf(this.#timeline, later, row.timeNs, this.run);
      if (cells.status !== "") return cells;
    }
    return null;
  }

  /** The place of the row with this sequence, or of the nearest after it; of the run that holds it. */
  placeOf(sequence: number): number {
    const most = Math.max(0, this.count - 1);
    if (this.#isPlain) return Math.max(0, Math.min(most, sequence - this.#timeline.oldest));
    return Math.min(firstFrom(this.wish.isFolded ? this.#lasts : this.#listed, sequence), most);
  }

  /** The next hit behind a row, or the one before it; 0: there is none, or no filter. */
  hitFrom(sequence: number, isBack: boolean): number {
    if (this.#test === null) return 0;
    return neighbourOf(this.#isMarking ? this.#hits : this.#listed, sequence, isBack);
  }

  /** Parts of the list, of `markParts`, in which a marked hit or one of these rows lies; empty while it lists nothing but hits. */
  marks(also: readonly number[]): number[] {
    const { count } = this;
    const parts = new Set<number>();
    if (count === 0) return [];
    const partOf = (sequence: number) => Math.floor((this.placeOf(sequence) * markParts) / count);
    for (const sequence of also) parts.add(partOf(sequence));
    // From hit to hit, each time over the rest of its part: as many looks as there are parts, not hits.
    for (let at = 0; this.#isMarking && at < this.#hits.length; ) {
      const part = partOf(this.#hits[at]);
      parts.add(part);
      const behind = Math.ceil(((part + 1) * count) / markParts);
      if (behind >= count) break;
      at = Math.max(at + 1, firstFrom(this.#hits, this.#sequenceAt(behind)));
    }
    return [...parts].sort((left, right) => left - right);
  }

  detail(sequence: number): RowDetail | null {
    const timeline = this.#timeline;
    const row = timeline.row(sequence);
    if (row === null) return null;
    const cells = (of: TimelineRow): RowCells =>
      cellsOf(timeline, of, timeline.row(of.sequence - 1)?.timeNs ?? of.timeNs, this.run);
    const cause = timeline.causeOf(row);
    const effects: RowCells[] = [];
    for (const later of timeline.rows(sequence + 1)) {
      if (later.cause === sequence) effects.push(cells(later));
      if (effects.length >= shownEffects || later.sequence > sequence + effectRows) break;
    }
    return {
      cells: cells(row),
      fields: fieldsOf(timeline, row),
      bytes: row.bytes.slice(0, shownBytes),
      more: Math.max(0, row.bytes.length - shownBytes),
      cause: cause === null || cause === "lost" ? cause : cells(cause),
      effects,
    };
  }
}

/** Where in ascending numbers the first stands that is not below this one. */
function firstFrom(ascending: readonly number[], least: number): number {
  let [low, high] = [0, ascending.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (ascending[middle] < least) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The nearest of ascending numbers above this one, or below it; 0: there is none. */
export function neighbourOf(ascending: readonly number[], from: number, isBack: boolean): number {
  return ascending[isBack ? firstFrom(ascending, from) - 1 : firstFrom(ascending, from + 1)] ?? 0;
}
