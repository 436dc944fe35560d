// Runs all watches over the lines of one file as it streams by; only lines with a needle in them are taken apart.

import type { EvidenceLimits, Place } from "../facts/evidence-source.ts";
import { shownText } from "../facts/evidence-source.ts";
import { type LogRow, parseLogRow, rowOfJson } from "./log-row.ts";
import { NeedleScanner } from "./needle-scanner.ts";
import { pastedParts } from "./pasted-text.ts";
import type { Watch } from "./watch.ts";

/** All watches of a run, compiled once. */
export class WatchTable {
  readonly watches: readonly Watch[];
  readonly scanner: NeedleScanner;
  /** Needle -> positions in `watches`; from `watches.length` on, positions of anchors. */
  readonly watchesOf: readonly (readonly number[])[];
  /** By watch: what its pattern finds in a row's message, it finds in the whole line too. */
  readonly isLoose: readonly boolean[];
  /** Watches and anchors. */
  readonly count: number;

  /** Of an anchor only its first place is told: that there is something to read. */
  constructor(watches: readonly Watch[], anchors: readonly (readonly string[])[] = []) {
    this.watches = watches;
    this.isLoose = watches.map(({ pattern }) => !/[\^$]/.test(pattern.source.replace(/\[\^|\\[$^]/g, "")));
    this.count = watches.length + anchors.length;
    const byNeedle = new Map<string, number[]>();
    [...watches.map(({ needles }) => needles), ...anchors].forEach((needles, index) => {
      for (const needle of needles) {
        const key = needle.toLowerCase();
        byNeedle.set(key, [...(byNeedle.get(key) ?? []), index]);
      }
    });
    this.scanner = new NeedleScanner([...byNeedle.keys()]);
    this.watchesOf = [...byNeedle.values()];
  }
}

/** What a scan finds. */
export interface LineHits {
  /** In the order of lines, but for those of a watch that has more than `hitsPerWatch`: its last ones come at the end. */
  hit(watch: number, place: Place, row: LogRow, match: RegExpExecArray): void;
  /** Once for each anchor. */
  anchor?(index: number): void;
}

const lineFeed = 10;
/** Code units of a JSON object around one line of `log show --style json` that are looked at. */
const neighbourhood = 8192;

/** Nothing that a page, a mail or JSON has added: the line is what was logged. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: a terminal's colours are what is looked for
const added = /[<&\x1b\u0080-\uffff]|^\s{0,3}[>|]|^\s*(?:\{|"eventMessage"\s*:)/;

/** A line, or one of those that somebody has pasted into one, and what it says. */
interface TakenApart {
  readonly line: string;
  readonly row: LogRow;
}

/** Lines kept for a watch that has had its share, and what is kept of each. Bytes. */
const lateLines = 128;
const lateBytes = 768;

/** The last lines with a needle of one watch, as they were: a story's end is not lost in what was said before it. */
class LateLines {
  readonly #bytes = new Uint8Array(lateLines * lateBytes);
  readonly #lengths = new Int32Array(lateLines);
  readonly #numbers = new Float64Array(lateLines);
  #next = 0;

  add(number: number, bytes: Uint8Array, from: number, to: number): void {
    const slot = this.#next++ % lateLines;
    const length = Math.min(to - from, lateBytes);
    const start = slot * lateBytes;
    for (let index = 0; index < length; index++) this.#bytes[start + index] = bytes[from + index];
    this.#lengths[slot] = length;
    this.#numbers[slot] = number;
  }

  /** In the order of lines. */
  *lines(): Generator<{ readonly number: number; readonly text: string }> {
    for (let count = Math.max(0, this.#next - lateLines); count < this.#next; count++) {
      const slot = count % lateLines;
      const start = slot * lateBytes;
      yield {
        number: this.#numbers[slot],
        text: decodeLine(this.#bytes.subarray(start, start + this.#lengths[slot])),
      };
    }
  }
}

/** Feed it pieces of any size, then call `finish`. */
export class LineScan {
  readonly #file: string;
  readonly #table: WatchTable;
  readonly #limits: EvidenceLimits;
  readonly #hits: LineHits;
  /** By watch or anchor: the last line on which it is done. */
  readonly #lastLine: Float64Array;
  /** By watch: hits that were told, and the lines after those. */
  readonly #told: Uint32Array;
  readonly #late = new Map<number, LateLines>();
  #carry: Uint8Array = new Uint8Array(0);
  /** Number of the line in hand, and where it lies in the piece in hand. */
  #line = 1;
  #lineFrom = 0;
  #lineTo = 0;
  /** The part of the line that was decoded last: a long one has several, each is tried once. */
  readonly #lastPart: Float64Array;
  #part = 0;
  #partFrom = -1;
  #raw = "";
  #isPlain = false;
  #taken: readonly TakenApart[] | null = null;

  constructor(file: string, table: WatchTable, limits: EvidenceLimits, hits: LineHits) {
    this.#file = file;
    this.#table = table;
    this.#limits = limits;
    this.#hits = hits;
    this.#lastLine = new Float64Array(table.count).fill(-1);
    this.#lastPart = new Float64Array(table.count).fill(-1);
    this.#told = new Uint32Array(table.count);
  }

  /** The piece is not kept, except for its last, unfinished line. */
  push(piece: Uint8Array): void {
    let from = 0;
    if (this.#carry.length > 0) {
      const end = piece.indexOf(lineFeed);
      const rest = end < 0 ? piece.length : end + 1;
      const joined = new Uint8Array(this.#carry.length + rest);
      joined.set(this.#carry);
      joined.set(piece.subarray(0, rest), this.#carry.length);
      if (end < 0 && joined.length < this.#limits.lineBytes * 4) {
        this.#carry = joined;
        return;
      }
      this.#carry = new Uint8Array(0);
      this.#scan(joined, 0, joined.length);
      from = rest;
    }
    const last = piece.lastIndexOf(lineFeed);
    if (last >= from) {
      this.#scan(piece, from, last + 1);
      from = last + 1;
    }
    if (from < piece.length) this.#carry = piece.slice(from);
  }

  finish(): void {
    this.#scan(this.#carry, 0, this.#carry.length);
    this.#carry = new Uint8Array(0);
    for (const [index, late] of this.#late) {
      const { pattern } = this.#table.watches[index];
      for (const { number, text } of late.lines())
        for (const line of pastedParts(text))
          if (this.#tell(index, number, line, parseLogRow(line), pattern)) break;
    }
    this.#late.clear();
  }

  #scan(bytes: Uint8Array, from: number, to: number): void {
    this.#lineFrom = from;
    this.#lineTo = endOfLine(bytes, from, to);
    this.#partFrom = -1;
    this.#table.scanner.scan(bytes, from, to, (needle, at) => {
      // Of needles that overlap the later one may come first.
      if (at >= this.#lineTo) {
        const count = countLines(bytes, this.#lineTo, at);
        this.#line += count;
        if (count > 0) {
          this.#lineFrom = bytes.lastIndexOf(lineFeed, at) + 1;
          this.#lineTo = endOfLine(bytes, at, to);
          this.#partFrom = -1;
        }
      }
      for (const index of this.#table.watchesOf[needle])
        if (this.#lastLine[index] !== this.#line) this.#take(index, bytes, from, to, at);
    });
    this.#line += countLines(bytes, this.#lineTo, to);
  }

  #take(index: number, bytes: Uint8Array, from: number, to: number, at: number): void {
    if (index >= this.#table.watches.length) {
      if (this.#told[index]++ === 0) this.#hits.anchor?.(index - this.#table.watches.length);
      this.#lastLine[index] = this.#line;
      return;
    }
    if (this.#told[index] >= this.#limits.hitsPerWatch) {
      this.#remember(index, bytes, at);
      return;
    }
    this.#decode(bytes, at);
    if (this.#lastPart[index] === this.#part) return;
    this.#lastPart[index] = this.#part;
    const { pattern } = this.#table.watches[index];
    // Most lines with a needle have nothing to tell: those are not taken apart.
    if (this.#isPlain && this.#table.isLoose[index] && !pattern.test(this.#raw)) return;
    for (const { line, row } of this.#takenApart(bytes, from, to))
      if (this.#tell(index, this.#line, line, row, pattern)) {
        this.#told[index]++;
        this.#lastLine[index] = this.#line;
        return;
      }
  }

  #tell(index: number, number: number, line: string, row: LogRow, pattern: RegExp): boolean {
    const match = pattern.exec(row.message) ?? (row.message === line ? null : pattern.exec(line));
    if (match === null) return false;
    this.#hits.hit(index, { file: this.#file, line: number, text: shownText(line) }, row, match);
    return true;
  }

  /** Of a line that is too long to be kept, what is around the needle. */
  #remember(index: number, bytes: Uint8Array, at: number): void {
    let late = this.#late.get(index);
    if (late === undefined) {
      late = new LateLines();
      this.#late.set(index, late);
    }
    const isLong = this.#lineTo - this.#lineFrom > lateBytes;
    late.add(
      this.#line,
      bytes,
      isLong ? Math.max(this.#lineFrom, at - (lateBytes >> 1)) : this.#lineFrom,
      this.#lineTo,
    );
    this.#lastLine[index] = this.#line;
  }

  /** What is longer than `lineBytes` is cut into parts that overlap by half: around a needle there is a quarter at least. */
  #decode(bytes: Uint8Array, at: number): void {
    const half = this.#limits.lineBytes >> 1;
    const isLong = this.#lineTo - this.#lineFrom > this.#limits.lineBytes;
    const step = isLong ? Math.floor((at - this.#lineFrom) / half) : 0;
    const start = Math.max(this.#lineFrom, this.#lineFrom + step * half - (half >> 1));
    if (start === this.#partFrom) return;
    this.#part++;
    this.#partFrom = start;
    this.#raw = decodeLine(bytes.subarray(start, Math.min(this.#lineTo, start + 2 * half)));
    this.#isPlain = !added.test(this.#raw);
    this.#taken = null;
  }

  #takenApart(bytes: Uint8Array, from: number, to: number): readonly TakenApart[] {
    this.#taken ??= pastedParts(this.#raw).map((line) => ({
      line,
      row: /^\s*"eventMessage"\s*:/.test(line)
        ? rowOfPrettyJson(bytes, from, to, this.#partFrom, line)
        : parseLogRow(line),
    }));
    return this.#taken;
  }
}

/** Looks no further than `to`: a line of many megabytes is not searched again from each place in it. */
function countLines(bytes: Uint8Array, from: number, to: number): number {
  const piece = bytes.subarray(from, to);
  let lines = 0;
  for (let at = piece.indexOf(lineFeed); at >= 0; at = piece.indexOf(lineFeed, at + 1)) lines++;
  return lines;
}

/** Where the line's feed is; `to` when it has none. */
function endOfLine(bytes: Uint8Array, from: number, to: number): number {
  const at = bytes.subarray(from, to).indexOf(lineFeed);
  return at < 0 ? to : from + at;
}

const utf8 = new TextDecoder("utf-8");
const latin1 = new TextDecoder("latin1");

/** UTF-8, or Latin-1 when it is not. */
export function decodeLine(bytes: Uint8Array): string {
  const text = utf8.decode(bytes);
  return text.includes("\ufffd") ? latin1.decode(bytes) : text;
}

/** `log show --style json` spreads an event over lines; the other fields are in the lines around. */
function rowOfPrettyJson(bytes: Uint8Array, from: number, to: number, start: number, line: string): LogRow {
  const before = decodeLine(bytes.subarray(Math.max(from, start - neighbourhood), start));
  const open = before.lastIndexOf("{");
  const after = decodeLine(bytes.subarray(start, Math.min(to, start + neighbourhood)));
  const close = after.search(/^\s*\}/m);
  const around = `${before.slice(open + 1)}\n${close < 0 ? after : after.slice(0, close)}`;
  const fields: Record<string, unknown> = {};
  for (const [, key, value] of around.matchAll(/^\s*"(\w+)"\s*:\s*("(?:[^"\\]|\\.)*"|-?\d+)/gm)) {
    try {
      fields[key] = JSON.parse(value);
    } catch {
      // A value that JSON does not allow says nothing.
    }
  }
  return rowOfJson(JSON.stringify(fields)) ?? parseLogRow(line);
}
