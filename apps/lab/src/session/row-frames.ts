// Rows of a timeline on a wire: columns of a batch in one binary frame, and what was not sent as a number.

import { DecodeError } from "@drydock/core/base/errors";
import { TimelineKind } from "@drydock/core/ports/recorder";
import type { Timeline, TimelineRow } from "@drydock/core/trace/timeline";

/** "DRYR", and the form's number. */
const magic = 0x52595244;
const version = 1;
const headerBytes = 40;
const fieldCount = 5;
/** time, cause, five fields. */
const wideColumns = 2 + fieldCount;
export const mostRows = 4096;
const mostFrameBytes = 64 << 20;
/** Of a row's bytes so many travel; how many there were is told. */
const mostRowBytes = 4096;

export interface RowBatch {
  /** Tells runs apart: a row of another run is another row. */
  readonly run: number;
  /** Rows before the first one that the reader will never get. */
  readonly lost: number;
  readonly first: number;
  readonly rows: readonly TimelineRow[];
}

/** Rows from `from` on, at most 4,096 of them. Their sequences follow each other; what the limit took is counted in `lost`. */
export function encodeRows(timeline: Timeline, run: number, from: number): Uint8Array {
  const first = Math.max(from, timeline.oldest);
  const rows: TimelineRow[] = [];
  for (const row of timeline.rows(first)) {
    rows.push(row);
    if (rows.length === mostRows) break;
  }
  const texts: string[] = [];
  const numbers = new Map<string, number>();
  for (const { text } of rows)
    if (!numbers.has(text)) {
      numbers.set(text, texts.length);
      texts.push(text);
    }
  const words = new TextEncoder().encode(JSON.stringify(texts));
  const count = rows.length;
  const bytesOf = (row: TimelineRow): number => Math.min(row.bytes.length, mostRowBytes);
  const arena = rows.reduce((sum, row) => sum + bytesOf(row), 0);
  const narrowAt = headerBytes + count * wideColumns * 8;
  const kindsAt = narrowAt + count * 8;
  const wordsAt = kindsAt + count;
  const frame = new Uint8Array(wordsAt + words.length + arena);
  const view = new DataView(frame.buffer);
  view.setUint32(0, magic, true);
  view.setUint32(4, version, true);
  view.setFloat64(8, run, true);
  view.setFloat64(16, first, true);
  view.setFloat64(24, first - from, true);
  view.setUint32(32, count, true);
  view.setUint32(36, words.length, true);
  let arenaAt = wordsAt + words.length;
  rows.forEach((row, index) => {
    view.setFloat64(headerBytes + index * 8, row.timeNs, true);
    view.setFloat64(headerBytes + (count + index) * 8, row.cause, true);
    for (let field = 0; field < fieldCount; field++)
      view.setFloat64(headerBytes + ((2 + field) * count + index) * 8, row.fields[field] ?? 0, true);
    view.setUint32(narrowAt + index * 4, numbers.get(row.text) ?? 0, true);
    view.setUint32(narrowAt + (count + index) * 4, bytesOf(row), true);
    frame[kindsAt + index] = row.kind;
    frame.set(row.bytes.subarray(0, mostRowBytes), arenaAt);
    arenaAt += bytesOf(row);
  });
  frame.set(words, wordsAt);
  return frame;
}

const knownKinds: ReadonlySet<number> = new Set(Object.values(TimelineKind));

/** Throws DecodeError for anything that {@link encodeRows} does not write. */
export function decodeRows(frame: Uint8Array): RowBatch {
  const broken = (what: string, at: number): never => {
    throw new DecodeError("frame of rows", at, what);
  };
  if (frame.length < headerBytes || frame.length > mostFrameBytes) broken(`${frame.length} bytes`, 0);
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  if (view.getUint32(0, true) !== magic) broken("it is none", 0);
  if (view.getUint32(4, true) !== version) broken(`its form is ${view.getUint32(4, true)}`, 4);
  const whole = (at: number): number => {
    const value = view.getFloat64(at, true);
    if (!Number.isSafeInteger(value) || value < 0) broken("no whole number", at);
    return value;
  };
  const [run, first, lost] = [whole(8), whole(16), whole(24)];
  const count = view.getUint32(32, true);
  const wordBytes = view.getUint32(36, true);
  const narrowAt = headerBytes + count * wideColumns * 8;
  const kindsAt = narrowAt + count * 8;
  const wordsAt = kindsAt + count;
  if (count > mostRows || wordsAt + wordBytes > frame.length) broken("it is cut off", 32);
  const texts =
    readTexts(frame.subarray(wordsAt, wordsAt + wordBytes)) ?? broken("its texts are none", wordsAt);
  const rows: TimelineRow[] = [];
  let arenaAt = wordsAt + wordBytes;
  for (let index = 0; index < count; index++) {
    const wide = (column: number): number => {
      const value = view.getFloat64(headerBytes + (column * count + index) * 8, true);
      if (!Number.isFinite(value)) broken("no number", headerBytes + (column * count + index) * 8);
      return value;
    };
    const text =
      texts[view.getUint32(narrowAt + index * 4, true)] ??
      broken("a text that is not there", narrowAt + index * 4);
    const length = view.getUint32(narrowAt + (count + index) * 4, true);
    const kind = frame[kindsAt + index];
    if (!knownKinds.has(kind)) broken(`a row of kind ${kind}`, kindsAt + index);
    if (arenaAt + length > frame.length) broken("its bytes are cut off", arenaAt);
    rows.push({
      sequence: first + index,
      kind: kind as TimelineKind,
      timeNs: wide(0),
      cause: wide(1),
      text,
      fields: Array.from({ length: fieldCount }, (_, field) => wide(2 + field)),
      bytes: frame.slice(arenaAt, arenaAt + length),
    });
    arenaAt += length;
  }
  if (arenaAt !== frame.length) broken("bytes are left over", arenaAt);
  return { run, first, lost, rows };
}

function readTexts(bytes: Uint8Array): readonly string[] | null {
  try {
    const texts: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes));
    return Array.isArray(texts) && texts.every((text) => typeof text === "string") ? texts : null;
  } catch {
    return null;
  }
}
