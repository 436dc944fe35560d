// Every USB transfer of a run in columns and one byte arena: cheap to record, read when somebody looks.

import type { TraceHash } from "../base/hash.ts";

/** What a row is. */
export const TraceKind = { submit: 0, complete: 1, mark: 2, attach: 3, detach: 4 } as const;
export type TraceKind = (typeof TraceKind)[keyof typeof TraceKind];

/** USB transfer types as usbmon numbers them: 0 isochronous, 1 interrupt, 2 control, 3 bulk. */
export const TraceTransfer = { isochronous: 0, interrupt: 1, control: 2, bulk: 3 } as const;

/** One row, for readers. */
export interface TraceRow {
  readonly index: number;
  readonly kind: TraceKind;
  readonly timeNs: number;
  /** Pairs a completion with its submission; counts from 1. */
  readonly id: number;
  readonly device: number;
  /** Address with direction bit; control transfers have the direction of their data stage. */
  readonly endpoint: number;
  readonly transfer: number;
  /** Completions: a UsbStatus. Submissions: 0. */
  readonly status: number;
  /** Submissions: bytes asked for or offered. Completions: bytes moved. */
  readonly length: number;
  /** SETUP bytes of a control submission, else null. */
  readonly setup: Uint8Array | null;
  /** OUT data at submission, IN data at completion. */
  readonly data: Uint8Array;
  /** The driver call that caused it, or the text of a mark; empty when there is none. */
  readonly text: string;
  /** Bulk stream of a submission; 0 for none. */
  readonly stream: number;
}

export interface TraceLogOptions {
  /** When rows and bytes together pass this, the oldest rows go and are counted. Default 256 MiB. */
  readonly maximumBytes?: number;
}

const columns = 11;
const rowBytes = columns * 8 + 16;

/**
 * Rows are numbers; text is interned; bytes lie in chunks. When the limit is reached the oldest half of the rows goes
 * and `dropped` says how many: nothing is lost in silence.
 */
export class UsbTraceLog {
  readonly #limit: number;
  #rows = new Float64Array(64 * columns);
  #count = 0;
  #arena = new Uint8Array(2048);
  #arenaUsed = 0;
  readonly #texts: string[] = [""];
  readonly #textNumbers = new Map<string, number>([["", 0]]);
  #dropped = 0;
  #nextId = 1;

  constructor(options: TraceLogOptions = {}) {
    this.#limit = options.maximumBytes ?? 256 * 1024 * 1024;
  }

  /** Rows that are kept. */
  get count(): number {
    return this.#count;
  }

  /** Rows that were given up. */
  get dropped(): number {
    return this.#dropped;
  }

  nextId(): number {
    return this.#nextId++;
  }

  /** Setup (8 bytes, or null) and data are copied. */
  add(
    kind: TraceKind,
    timeNs: number,
    id: number,
    device: number,
    endpoint: number,
    transfer: number,
    status: number,
    length: number,
    setup: Uint8Array | null,
    data: Uint8Array | null,
    dataOffset: number,
    dataLength: number,
    text: string,
    stream = 0,
  ): void {
    if (this.#count * rowBytes + this.#arenaUsed > this.#limit) this.#dropOldest();
    if ((this.#count + 1) * columns > this.#rows.length) this.#growRows();
    const setupLength = setup === null ? 0 : 8;
    const at = this.#reserve(setupLength + dataLength);
    if (setup !== null) for (let index = 0; index < 8; index++) this.#arena[at + index] = setup[index];
    if (data !== null && dataLength > 0) {
      this.#arena.set(data.subarray(dataOffset, dataOffset + dataLength), at + setupLength);
    }
    const row = this.#count * columns;
    const rows = this.#rows;
    rows[row] = kind + setupLength * 16;
    rows[row + 1] = timeNs;
    rows[row + 2] = id;
    rows[row + 3] = device;
    rows[row + 4] = endpoint;
    rows[row + 5] = transfer * 256 + status;
    rows[row + 6] = length;
    rows[row + 7] = at;
    rows[row + 8] = dataLength;
    rows[row + 9] = this.#intern(text);
    rows[row + 10] = stream;
    this.#count++;
  }

  /** A remark between transfers: a fault that struck, a cable that was pulled. */
  mark(timeNs: number, text: string): void {
    this.add(TraceKind.mark, timeNs, 0, 0, 0, 0, 0, 0, null, null, 0, 0, text);
  }

  row(index: number): TraceRow {
    const row = index * columns;
    const rows = this.#rows;
    const at = rows[row + 7];
    const setupLength = Math.floor(rows[row] / 16);
    const dataAt = at + setupLength;
    return {
      index: index + this.#dropped,
      kind: (rows[row] % 16) as TraceKind,
      timeNs: rows[row + 1],
      id: rows[row + 2],
      device: rows[row + 3],
      endpoint: rows[row + 4],
      transfer: Math.floor(rows[row + 5] / 256),
      status: rows[row + 5] % 256,
      length: rows[row + 6],
      setup: setupLength === 0 ? null : this.#arena.slice(at, at + 8),
      data: this.#arena.slice(dataAt, dataAt + rows[row + 8]),
      text: this.#texts[rows[row + 9]],
      stream: rows[row + 10],
    };
  }

  *all(): Generator<TraceRow> {
    for (let index = 0; index < this.#count; index++) yield this.row(index);
  }

  /** Feeds every row and byte to a digest, without making row objects. */
  hashInto(hash: TraceHash): void {
    hash.number(this.#dropped);
    for (let index = 0; index < this.#count; index++) {
      const row = index * columns;
      for (let column = 0; column < columns; column++) {
        if (column !== 7 && column !== 9) hash.number(this.#rows[row + column]);
      }
      const setupLength = Math.floor(this.#rows[row] / 16);
      hash.bytes(this.#arena, this.#rows[row + 7], setupLength + this.#rows[row + 8]);
      hash.text(this.#texts[this.#rows[row + 9]]);
    }
  }

  #intern(text: string): number {
    let number = this.#textNumbers.get(text);
    if (number === undefined) {
      number = this.#texts.length;
      this.#texts.push(text);
      this.#textNumbers.set(text, number);
    }
    return number;
  }

  #reserve(bytes: number): number {
    const at = this.#arenaUsed;
    if (at + bytes > this.#arena.length) {
      const grown = new Uint8Array(Math.max(this.#arena.length * 2, at + bytes));
      grown.set(this.#arena.subarray(0, at));
      this.#arena = grown;
    }
    this.#arenaUsed = at + bytes;
    return at;
  }

  #growRows(): void {
    const grown = new Float64Array(this.#rows.length * 2);
    grown.set(this.#rows);
    this.#rows = grown;
  }

  #dropOldest(): void {
    const keepFrom = Math.ceil(this.#count / 2);
    const bytesFrom = this.#rows[keepFrom * columns + 7];
    this.#rows.copyWithin(0, keepFrom * columns, this.#count * columns);
    this.#arena.copyWithin(0, bytesFrom, this.#arenaUsed);
    this.#arenaUsed -= bytesFrom;
    this.#count -= keepFrom;
    this.#dropped += keepFrom;
    for (let index = 0; index < this.#count; index++) this.#rows[index * columns + 7] -= bytesFrom;
  }
}
