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
  /** Needle -> positions in `watches`. */
  readonly watchesOf: readonly (readonly number[])[];

  constructor(watches: readonly Watch[]) {
    this.watches = watches;
    const byNeedle = new Map<string, number[]>();
    watches.forEach(({ needles }, index) => {
      for (const needle of needles) {
        const key = needle.toLowerCase();
        byNeedle.set(key, [...(byNeedle.get(key) ?? []), index]);
      }
    });
    this.scanner = new NeedleScanner([...byNeedle.keys()]);
    this.watchesOf = [...byNeedle.values()];
  }
}

export type LineHit = (watch: number, place: Place, row: LogRow, match: RegExpExecArray) => void;

const lineFeed = 10;
/** Code units of a JSON object around one line of `log show --style json` that are looked at. */
const neighbourhood = 8192;

/** A line, or one of those that somebody has pasted into one, and what it says. */
interface TakenApart {
  readonly line: string;
  readonly row: LogRow;
}

/** Feed it pieces of any size, then call `finish`. */
export class LineScan {
  readonly #file: string;
  readonly #table: WatchTable;
  readonly #limits: EvidenceLimits;
  readonly #hit: LineHit;
  readonly #lastLine: Int32Array;
  #carry: Uint8Array = new Uint8Array(0);
  /** Number of the line in hand, and where it lies in the piece in hand. */
  #line = 1;
  #lineFrom = 0;
  #lineTo = 0;
  /** The part of the line that was taken apart last: a long one has several, each is taken apart once. */
  readonly #lastPart: Float64Array;
  #part = 0;
  #partFrom = -1;
  #taken: readonly TakenApart[] = [];

  constructor(file: string, table: WatchTable, limits: EvidenceLimits, hit: LineHit) {
    this.#file = file;
    this.#table = table;
    this.#limits = limits;
    this.#hit = hit;
    this.#lastLine = new Int32Array(table.watches.length).fill(-1);
    this.#lastPart = new Float64Array(table.watches.length).fill(-1);
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
      this.#take(needle, bytes, from, to, at);
    });
    this.#line += countLines(bytes, this.#lineTo, to);
  }

  /** What is longer than `lineBytes` is cut into parts that overlap by half: around a needle there is a quarter at least. */
  #takeApart(bytes: Uint8Array, from: number, to: number, at: number): readonly TakenApart[] {
    const half = this.#limits.lineBytes >> 1;
    const isLong = this.#lineTo - this.#lineFrom > this.#limits.lineBytes;
    const step = isLong ? Math.floor((at - this.#lineFrom) / half) : 0;
    const start = Math.max(this.#lineFrom, this.#lineFrom + step * half - (half >> 1));
    if (start === this.#partFrom) return this.#taken;
    this.#part++;
    this.#partFrom = start;
    const raw = decodeLine(bytes.subarray(start, Math.min(this.#lineTo, start + 2 * half)));
    this.#taken = pastedParts(raw).map((line) => ({
      line,
      row: /^\s*"eventMessage"\s*:/.test(line)
        ? rowOfPrettyJson(bytes, from, to, start, line)
        : parseLogRow(line),
    }));
    return this.#taken;
  }

  #take(needle: number, bytes: Uint8Array, from: number, to: number, at: number): void {
    const watches = this.#table.watchesOf[needle];
    if (watches.every((index) => this.#lastLine[index] === this.#line)) return;
    const parts = this.#takeApart(bytes, from, to, at);
    const fresh = watches.filter(
      (index) => this.#lastLine[index] !== this.#line && this.#lastPart[index] !== this.#part,
    );
    for (const index of fresh) this.#lastPart[index] = this.#part;
    for (const { line, row } of parts)
      for (const index of fresh) {
        if (this.#lastLine[index] === this.#line) continue;
        const { pattern } = this.#table.watches[index];
        const match = pattern.exec(row.message) ?? (row.message === line ? null : pattern.exec(line));
        if (match === null) continue;
        this.#lastLine[index] = this.#line;
        this.#hit(index, { file: this.#file, line: this.#line, text: shownText(line) }, row, match);
      }
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
