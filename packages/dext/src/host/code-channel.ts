// Messages between the rig's thread and one that runs a dext's code: one at a time, as one of both runs at a time.

import type { WasmValue } from "./engine.ts";

/** Who has the turn. */
export const turns = { host: 0, code: 1 } as const;

/** From the host: the first five. From the code: the others. */
export const messages = {
  /** A module waits at the port. */
  load: 1,
  /** Number of an export, or of an entry of the table. */
  callExport: 2,
  callTable: 3,
  /** The host's answer to the call that the thread waits in, or that it threw. */
  answer: 4,
  fail: 5,
  stack: 6,
  unload: 7,
  /** Number of an import, with its values. */
  hostCall: 8,
  returned: 9,
  /** A trap of the code, with its text; without one: what the host threw came through. */
  threw: 10,
} as const;

const turnAt = 0;
const kindAt = 1;
const numberAt = 2;
const countAt = 3;
const textBytesAt = 4;
/** Where the stack shall stand for a call; 0: where it is. */
const stackAt = 5;
const tagsAt = 8;
const valuesMaximum = 32;
const valuesByte = 4 * (tagsAt + valuesMaximum);
const textByte = valuesByte + 8 * valuesMaximum;
const textMaximum = 64 * 1024;

/** Most calls come back within a microsecond or two; sleeping and being woken takes 60. */
const looksMost = 2000;

const tags = { none: 0, number: 1, bigint: 2 } as const;

export function channelMemory(): SharedArrayBuffer {
  return new SharedArrayBuffer(textByte + textMaximum);
}

/** One end of a channel. Both ends look at the same memory. */
export class CodeChannel {
  readonly #words: Int32Array<SharedArrayBuffer>;
  readonly #numbers: Float64Array<SharedArrayBuffer>;
  readonly #bigints: BigInt64Array<SharedArrayBuffer>;
  readonly #text: Uint8Array<SharedArrayBuffer>;
  readonly #mine: number;

  constructor(memory: SharedArrayBuffer, mine: number) {
    this.#words = new Int32Array(memory, 0, tagsAt + valuesMaximum);
    this.#numbers = new Float64Array(memory, valuesByte, valuesMaximum);
    this.#bigints = new BigInt64Array(memory, valuesByte, valuesMaximum);
    this.#text = new Uint8Array(memory, textByte, textMaximum);
    this.#mine = mine;
  }

  get kind(): number {
    return this.#words[kindAt];
  }

  get number(): number {
    return this.#words[numberAt];
  }

  get stack(): number {
    return this.#words[stackAt];
  }

  values(): WasmValue[] {
    const values: WasmValue[] = [];
    for (let index = 0; index < this.#words[countAt]; index++)
      values.push(this.#words[tagsAt + index] === tags.bigint ? this.#bigints[index] : this.#numbers[index]);
    return values;
  }

  /** The first value; undefined: there is none. */
  value(): WasmValue | undefined {
    return this.#words[countAt] === 0 ? undefined : this.values()[0];
  }

  text(): string {
    return new TextDecoder().decode(this.#text.slice(0, this.#words[textBytesAt]));
  }

  /** Hands the turn over. Whoever sends must have it. */
  send(
    kind: number,
    number = 0,
    values: readonly (WasmValue | undefined)[] = [],
    stack = 0,
    text = "",
  ): void {
    const words = this.#words;
    words[kindAt] = kind;
    words[numberAt] = number;
    words[stackAt] = stack;
    let count = 0;
    for (const value of values) {
      if (value === undefined) continue;
      words[tagsAt + count] = typeof value === "bigint" ? tags.bigint : tags.number;
      if (typeof value === "bigint") this.#bigints[count] = value;
      else this.#numbers[count] = value;
      count++;
    }
    words[countAt] = count;
    words[textBytesAt] = text === "" ? 0 : this.#putText(text);
    Atomics.store(words, turnAt, 1 - this.#mine);
    Atomics.notify(words, turnAt);
  }

  /** Waits, with the whole thread, until the other has handed the turn over. */
  wait(): void {
    for (let look = 0; look < looksMost; look++) if (Atomics.load(this.#words, turnAt) === this.#mine) return;
    while (Atomics.load(this.#words, turnAt) !== this.#mine)
      Atomics.wait(this.#words, turnAt, 1 - this.#mine);
  }

  #putText(text: string): number {
    const bytes = new TextEncoder().encode(text).subarray(0, textMaximum);
    this.#text.set(bytes);
    return bytes.length;
  }
}
