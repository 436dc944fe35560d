// The timeline: rows of every kind in one sequence, each with what led to it. Everything that is recorded lies here.

import type { TimelineKind } from "../ports/recorder.ts";

/** One row, for readers. The five fields mean what the row's kind says (`trace/kinds/`). */
export interface TimelineRow {
  /** From 1, without a gap over the life of a timeline: a row's name. 0 is no row. */
  readonly sequence: number;
  readonly kind: TimelineKind;
  /** Virtual nanoseconds. */
  readonly timeNs: number;
  /** Sequence of the row that led to this one; 0 when nothing is known to have. It may be lost: see `causeOf`. */
  readonly cause: number;
  readonly text: string;
  readonly fields: readonly number[];
  readonly bytes: Uint8Array;
}

export interface TimelineOptions {
  /**
   * When rows and bytes together pass this, the oldest go and are counted. Default 8 MiB: some 75,000 rows,
   * in memory that stays in a processor's last cache: with four times as much a 4 KiB row takes 0.2 us longer.
   */
  readonly maximumBytes?: number;
}

/** kind, time, cause, text, where the bytes begin, how many; then the fields. */
const fieldColumn = 6;
const fieldCount = 5;
const columns = fieldColumn + fieldCount;
const rowBytes = columns * 8;

const firstRows = 256;
const firstBytes = 2048;
/** A segment is full when it has so many rows, or when its bytes have no room for the next row's. */
const segmentRows = 1024;
const segmentBytes = 1 << 20;
/** A limit below this would hold no full segment: small limits get small segments. */
const segmentsAtLeast = 8;

const nothing = new Uint8Array(0);

/** A stretch of rows with their bytes and texts: written at its end, dropped as a whole, used again. */
class Segment {
  first = 0;
  count = 0;
  rows: Float64Array;
  arena: Uint8Array;
  used = 0;
  texts: string[] = [""];
  readonly textNumbers = new Map<string, number>();

  constructor(rows: number, bytes: number) {
    this.rows = new Float64Array(rows * columns);
    this.arena = new Uint8Array(bytes);
  }

  reset(first: number): void {
    this.first = first;
    this.count = 0;
    this.used = 0;
    this.texts = [""];
    this.textNumbers.clear();
  }

  get sizeBytes(): number {
    return this.rows.byteLength + this.arena.byteLength;
  }
}

/**
 * Rows are numbers in typed columns, bytes lie in one arena for each segment, texts are kept once for each segment: a row
 * costs its columns and a copy of its bytes. When the limit is passed the oldest segment goes: its rows are counted as lost,
 * never replaced by others, and its memory is used again.
 */
export class Timeline {
  readonly #limit: number;
  readonly #segmentRows: number;
  readonly #segmentBytes: number;
  readonly #segments: Segment[] = [];
  #last: Segment;
  #spare: Segment | null = null;
  #sizeBytes = 0;
  #next = 1;
  /** Rows that are there and rows that were lost, by kind. */
  readonly #kept: number[] = [];
  readonly #lost: number[] = [];
  /** The four latest texts of the last segment and their numbers. */
  readonly #latestTexts = ["", "", "", ""];
  readonly #latestNumbers = [0, 0, 0, 0];
  #latestPlace = 0;
  readonly #readers: ((row: TimelineRow) => string)[] = [];

  constructor(options: TimelineOptions = {}) {
    this.#limit = options.maximumBytes ?? 8 << 20;
    this.#segmentBytes = Math.max(firstBytes, Math.min(segmentBytes, this.#limit / segmentsAtLeast / 2));
    this.#segmentRows = Math.max(
      16,
      Math.min(segmentRows, Math.floor(this.#limit / segmentsAtLeast / 2 / rowBytes)),
    );
    this.#last = new Segment(Math.min(firstRows, this.#segmentRows), firstBytes);
    this.#open(this.#last);
  }

  /** Who records rows of a kind as numbers and bytes says how they are read; else a row's text is all. */
  reads(kinds: readonly TimelineKind[], reader: (row: TimelineRow) => string): void {
    for (const kind of kinds) this.#readers[kind] = reader;
  }

  /** A row in words. */
  wordsOf(row: TimelineRow): string {
    return this.#readers[row.kind]?.(row) ?? row.text;
  }

  /** Sequence of the next row. */
  get next(): number {
    return this.#next;
  }

  /** Sequence of the oldest row that is there; `next` when there is none. */
  get oldest(): number {
    return this.#segments[0].first;
  }

  /** Rows that are there, of one kind or of all. */
  kept(kind?: TimelineKind): number {
    return kind === undefined ? this.#next - this.oldest : (this.#kept[kind] ?? 0);
  }

  /** Rows that were recorded and are no longer there, of one kind or of all. */
  lost(kind?: TimelineKind): number {
    return kind === undefined ? this.oldest - 1 : (this.#lost[kind] ?? 0);
  }

  /**
   * Records a row and answers its sequence. `head` (its first `headLength` bytes) and `data` are copied one after the
   * other: they are the row's bytes. Hot: it allocates nothing once segments are used again.
   */
  add(
    kind: TimelineKind,
    timeNs: number,
    cause: number,
    text: string,
    a = 0,
    b = 0,
    c = 0,
    d = 0,
    e = 0,
    head: Uint8Array | null = null,
    headLength = 0,
    data: Uint8Array | null = null,
    dataOffset = 0,
    dataLength = 0,
  ): number {
    const bytes = headLength + dataLength;
    let segment = this.#last;
    if (
      segment.count >= this.#segmentRows ||
      (segment.used + bytes > this.#segmentBytes && segment.count > 0)
    )
      segment = this.#nextSegment();
    if ((segment.count + 1) * columns > segment.rows.length) this.#growRows(segment);
    if (segment.used + bytes > segment.arena.length) this.#growArena(segment, bytes);
    const at = segment.used;
    if (bytes > 0) {
      const { arena } = segment;
      for (let index = 0; index < headLength; index++) arena[at + index] = (head as Uint8Array)[index];
      if (dataLength > 0) copyBytes(data as Uint8Array, dataOffset, arena, at + headLength, dataLength);
      segment.used = at + bytes;
    }
    const row = segment.count++ * columns;
    const { rows } = segment;
    rows[row] = kind;
    rows[row + 1] = timeNs;
    rows[row + 2] = cause;
    rows[row + 3] = text === "" ? 0 : this.#textNumber(segment, text);
    rows[row + 4] = at;
    rows[row + 5] = bytes;
    rows[row + 6] = a;
    rows[row + 7] = b;
    rows[row + 8] = c;
    rows[row + 9] = d;
    rows[row + 10] = e;
    this.#kept[kind] = (this.#kept[kind] ?? 0) + 1;
    return this.#next++;
  }

  /** The row of that sequence; null when it was lost, or is not there yet. */
  row(sequence: number): TimelineRow | null {
    const segment = this.#segmentOf(sequence);
    return segment === null ? null : readRow(segment, sequence);
  }

  /** That row's text alone, without a copy of its bytes; "" when it was lost, or is not there yet. */
  textOf(sequence: number): string {
    const segment = this.#segmentOf(sequence);
    return segment === null ? "" : segment.texts[segment.rows[(sequence - segment.first) * columns + 3]];
  }

  /** The row that led to this one; "lost" when the limit took it; null when nothing is known to have led here. */
  causeOf(row: TimelineRow): TimelineRow | "lost" | null {
    if (row.cause === 0) return null;
    return this.row(row.cause) ?? "lost";
  }

  /** The rows that this one led to, in order. */
  *effectsOf(row: TimelineRow): Generator<TimelineRow> {
    for (const later of this.rows(row.sequence + 1)) if (later.cause === row.sequence) yield later;
  }

  /** What is there from `from` on, oldest first; of the given kinds, or of all. */
  *rows(from = this.oldest, kinds: readonly TimelineKind[] | null = null): Generator<TimelineRow> {
    for (const segment of [...this.#segments]) {
      const end = segment.first + segment.count;
      for (let at = Math.max(segment.first, from); at < end; at++) {
        if (kinds !== null && !kinds.includes(segment.rows[(at - segment.first) * columns] as TimelineKind))
          continue;
        yield readRow(segment, at);
      }
    }
  }

  /** For a reader that comes again and again. Begins at `from`, by default with the oldest row that is there. */
  cursor(from = this.oldest): TimelineCursor {
    return new TimelineCursor(this, from);
  }

  /** Calls `visit` with the columns of each row of the kinds, without making objects: for digests. */
  scan(kinds: readonly TimelineKind[], visit: RowVisitor): void {
    for (const { arena, count, rows, texts } of this.#segments) {
      for (let index = 0; index < count; index++) {
        const row = index * columns;
        if (kinds.includes(rows[row] as TimelineKind))
          visit(
            rows,
            row + fieldColumn,
            rows[row + 1],
            texts[rows[row + 3]],
            arena,
            rows[row + 4],
            rows[row + 5],
          );
      }
    }
  }

  #segmentOf(sequence: number): Segment | null {
    const segments = this.#segments;
    if (sequence < segments[0].first || sequence >= this.#next) return null;
    let low = 0;
    let high = segments.length - 1;
    while (low < high) {
      const middle = (low + high + 1) >> 1;
      if (segments[middle].first <= sequence) low = middle;
      else high = middle - 1;
    }
    return segments[low];
  }

  #open(segment: Segment): void {
    segment.reset(this.#next);
    this.#segments.push(segment);
    this.#sizeBytes += segment.sizeBytes;
    this.#last = segment;
    this.#latestTexts.fill("");
  }

  #nextSegment(): Segment {
    while (this.#sizeBytes > this.#limit && this.#segments.length > 1) this.#dropOldest();
    // A rig that has filled one segment will fill the next: no growing again.
    const segment = this.#spare ?? new Segment(this.#segmentRows, this.#last.arena.length);
    this.#spare = null;
    this.#open(segment);
    return segment;
  }

  #dropOldest(): void {
    const segment = this.#segments.shift() as Segment;
    this.#sizeBytes -= segment.sizeBytes;
    for (let index = 0; index < segment.count; index++) {
      const kind = segment.rows[index * columns];
      this.#kept[kind]--;
      this.#lost[kind] = (this.#lost[kind] ?? 0) + 1;
    }
    // One that held a giant row is not worth keeping.
    if (segment.arena.length <= this.#segmentBytes * 2) this.#spare = segment;
  }

  #growRows(segment: Segment): void {
    const grown = new Float64Array(segment.rows.length * 2);
    grown.set(segment.rows);
    this.#sizeBytes += grown.byteLength - segment.rows.byteLength;
    segment.rows = grown;
  }

  #growArena(segment: Segment, bytes: number): void {
    const needed = segment.used + bytes;
    const size = Math.max(needed, Math.min(segment.arena.length * 4, this.#segmentBytes));
    const grown = new Uint8Array(size);
    grown.set(segment.arena.subarray(0, segment.used));
    this.#sizeBytes += grown.byteLength - segment.arena.byteLength;
    segment.arena = grown;
  }

  /** A few calls and queues make most rows: the latest texts are found without a hash. */
  #textNumber(segment: Segment, text: string): number {
    const latest = this.#latestTexts;
    if (text === latest[0]) return this.#latestNumbers[0];
    if (text === latest[1]) return this.#latestNumbers[1];
    if (text === latest[2]) return this.#latestNumbers[2];
    if (text === latest[3]) return this.#latestNumbers[3];
    let number = segment.textNumbers.get(text);
    if (number === undefined) {
      number = segment.texts.push(text) - 1;
      segment.textNumbers.set(text, number);
    }
    const place = this.#latestPlace++ & 3;
    latest[place] = text;
    this.#latestNumbers[place] = number;
    return number;
  }
}

/** `rows[at]` is the row's first field; its bytes are `arena[bytesAt]` and the following. */
export type RowVisitor = (
  rows: Float64Array,
  at: number,
  timeNs: number,
  text: string,
  arena: Uint8Array,
  bytesAt: number,
  bytes: number,
) => void;

/** What a reader gets: the next row, or how many rows it was too late for, or null when it has seen all. */
export type CursorStep = { readonly row: TimelineRow } | { readonly lost: number } | null;

/** Reads on from where it was. What the limit took meanwhile is told as a number, once, and never skipped in silence. */
export class TimelineCursor {
  readonly #timeline: Timeline;
  #at: number;

  constructor(timeline: Timeline, from: number) {
    this.#timeline = timeline;
    this.#at = from;
  }

  /** Sequence of the row it will read next. */
  get position(): number {
    return this.#at;
  }

  next(): CursorStep {
    const { oldest } = this.#timeline;
    if (this.#at < oldest) {
      const lost = oldest - this.#at;
      this.#at = oldest;
      return { lost };
    }
    const row = this.#timeline.row(this.#at);
    if (row === null) return null;
    this.#at++;
    return { row };
  }
}

function readRow(segment: Segment, sequence: number): TimelineRow {
  const row = (sequence - segment.first) * columns;
  const { arena, rows, texts } = segment;
  const at = rows[row + 4];
  const first = row + fieldColumn;
  return {
    sequence,
    kind: rows[row] as TimelineKind,
    timeNs: rows[row + 1],
    cause: rows[row + 2],
    text: texts[rows[row + 3]],
    // Five numbers as they are: a view and its walk cost half of reading a row.
    fields: [rows[first], rows[first + 1], rows[first + 2], rows[first + 3], rows[first + 4]],
    bytes: rows[row + 5] === 0 ? nothing : arena.slice(at, at + rows[row + 5]),
  };
}

/** A view costs more than some tens of byte stores (node-performance.md §2). */
function copyBytes(
  from: Uint8Array,
  fromOffset: number,
  to: Uint8Array,
  toOffset: number,
  length: number,
): void {
  if (length <= 64)
    for (let index = 0; index < length; index++) to[toOffset + index] = from[fromOffset + index];
  else if (fromOffset === 0 && length === from.length) to.set(from, toOffset);
  else to.set(from.subarray(fromOffset, fromOffset + length), toOffset);
}
