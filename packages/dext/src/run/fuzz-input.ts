// What a dext is fuzzed with: calls of its user clients, answers of its device; each has a text.

import type { Random } from "@drydock/core/base/random";

export type FuzzFeed = "calls" | "answers";

/** One call of a user client's method. */
export interface FuzzCall {
  readonly kind: "call";
  /** Which of the open user clients, modulo their number. */
  readonly client: number;
  readonly selector: number;
  readonly scalars: readonly number[];
  readonly bytes: Uint8Array;
  readonly outScalars: number;
  readonly outBytes: number;
  readonly isAsync: boolean;
}

/** One answer of the device: to a request that reads, a request that writes, or a packet. */
export interface FuzzAnswer {
  /** A stall has no bytes. */
  readonly kind: "data" | "stall";
  readonly bytes: Uint8Array;
}

export type FuzzInput = FuzzCall | FuzzAnswer;

/** A session: what one machine was fed, from its start. `seed` is the machine's. */
export interface FuzzCase {
  readonly feed: FuzzFeed;
  readonly seed: number;
  readonly inputs: readonly FuzzInput[];
}

const inputsMost = 4096;
const bytesMost = 65536;
const scalarsMost = 32;

/** "calls:1:0.3(1,ff)=00ff/1/16a 0.0()": one line without blanks at its ends; `readCase` reads it. */
export function caseText({ feed, inputs, seed }: FuzzCase): string {
  return `${feed}:${seed}:${inputs.map(inputText).join(" ")}`;
}

function inputText(input: FuzzInput): string {
  if (input.kind !== "call") return input.kind === "stall" ? "stall" : `d${packed(input.bytes)}`;
  const { bytes, client, isAsync, outBytes, outScalars, scalars, selector } = input;
  const list = scalars.map((value) => value.toString(16)).join(",");
  return `${client}.${selector}(${list})=${packed(bytes)}/${outScalars}/${outBytes}${isAsync ? "a" : ""}`;
}

/** Hexadecimal; a run of four equal bytes or more as "[count*byte]". */
function packed(bytes: Uint8Array): string {
  let text = "";
  for (let at = 0; at < bytes.length; ) {
    let end = at;
    while (end < bytes.length && bytes[end] === bytes[at]) end++;
    const byte = bytes[at].toString(16).padStart(2, "0");
    text += end - at >= 6 ? `[${end - at}*${byte}]` : byte.repeat(end - at);
    at = end;
  }
  return text;
}

function unpacked(text: string): Uint8Array {
  const bytes: number[] = [];
  const pattern = /([0-9a-f]{2})|\[(\d{1,5})\*([0-9a-f]{2})\]/gy;
  for (let at = 0; at < text.length; at = pattern.lastIndex) {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) throw new RangeError(`"${text.slice(at, at + 12)}" is no byte in hexadecimal`);
    const [, one, count, repeated] = found;
    if (one !== undefined) bytes.push(Number.parseInt(one, 16));
    else for (let left = Number(count); left > 0; left--) bytes.push(Number.parseInt(repeated, 16));
    if (bytes.length > bytesMost) throw new RangeError(`an input has more than ${bytesMost} bytes`);
  }
  return Uint8Array.from(bytes);
}

const callPattern = /^(\d{1,3})\.(\d{1,10})\(([0-9a-f,]*)\)=([0-9a-f[\]*]*)\/(\d{1,3})\/(\d{1,6})(a?)$/;

/** RangeError, with what is wrong, for a line that `caseText` did not write. */
export function readCase(text: string): FuzzCase {
  const found = /^(calls|answers):(\d{1,16}):(.*)$/.exec(text);
  if (found === null) throw new RangeError('a line begins with "calls:SEED:" or "answers:SEED:"');
  const feed = found[1] as FuzzFeed;
  const seed = Number(found[2]);
  if (!Number.isSafeInteger(seed)) throw new RangeError(`the seed ${found[2]} is too large`);
  const words = found[3].split(" ").filter((word) => word !== "");
  if (words.length > inputsMost) throw new RangeError(`a line has at most ${inputsMost} inputs`);
  return { feed, seed, inputs: words.map((word) => readInput(feed, word)) };
}

function readInput(feed: FuzzFeed, word: string): FuzzInput {
  if (feed === "answers") {
    if (word === "stall") return { kind: "stall", bytes: new Uint8Array(0) };
    if (word.startsWith("d")) return { kind: "data", bytes: unpacked(word.slice(1)) };
    throw new RangeError(`"${word.slice(0, 20)}" is no answer of a device`);
  }
  const found = callPattern.exec(word);
  if (found === null) throw new RangeError(`"${word.slice(0, 20)}" is no call of a user client`);
  const [, client, selector, scalars, bytes, outScalars, outBytes, isAsync] = found;
  const values = scalars === "" ? [] : scalars.split(",").map((each) => Number.parseInt(each, 16));
  if (values.some((value) => !Number.isSafeInteger(value)) || values.length > scalarsMost)
    throw new RangeError(`"${word.slice(0, 20)}" has scalars that nobody can pass`);
  return {
    kind: "call",
    client: Number(client),
    selector: Number(selector),
    scalars: values,
    bytes: unpacked(bytes),
    outScalars: Number(outScalars),
    outBytes: Number(outBytes),
    isAsync: isAsync === "a",
  };
}

/** Numbers at which code changes its mind. */
const edges: readonly number[] = [
  0,
  1,
  2,
  3,
  4,
  7,
  8,
  15,
  16,
  31,
  32,
  63,
  64,
  127,
  128,
  255,
  256,
  511,
  512,
  4095,
  4096,
  65535,
  65536,
  0x7fffffff,
  0x80000000,
  0xffffffff,
  0x100000000,
  Number.MAX_SAFE_INTEGER,
];

/** One that code may not expect; `before`: now and then one whose sum with it is small again in 32 bits. */
export function number(random: Random, before = 0): number {
  if (before > 0xff && before <= 0xffffffff && random.chance(0.2))
    return 0x100000000 - before + random.below(32);
  const kind = random.below(4);
  if (kind < 2) return edges[random.below(edges.length)];
  return kind === 2 ? random.below(32) : random.next32();
}

function numbers(random: Random, count: number): number[] {
  const made: number[] = [];
  for (let index = 0; index < count; index++) made.push(number(random, made.at(-1)));
  return made;
}

function someBytes(random: Random, most: number): Uint8Array {
  const length = random.chance(0.8) ? random.below(Math.min(most, 32) + 1) : random.below(most + 1);
  const bytes = new Uint8Array(length);
  const kind = random.below(4);
  for (let at = 0; at < length; at++)
    bytes[at] = kind === 0 ? 0xff : kind === 1 ? random.below(8) : random.next32() & 0xff;
  return bytes;
}

function changedBytes(random: Random, bytes: Uint8Array, most: number): Uint8Array {
  const kind = random.below(4);
  if (kind === 0) return someBytes(random, most);
  if (kind === 1) return bytes.slice(0, random.below(bytes.length + 1));
  if (kind === 2 && bytes.length < most) {
    const longer = new Uint8Array(Math.min(most, bytes.length + 1 + random.below(16)));
    longer.set(bytes);
    return longer;
  }
  const changed = bytes.slice();
  for (let left = 1 + random.below(3); left > 0 && changed.length > 0; left--)
    changed[random.below(changed.length)] = random.chance(0.5)
      ? number(random) & 0xff
      : random.next32() & 0xff;
  return changed;
}

const callBytesMost = 600;

export function newCall(random: Random): FuzzCall {
  const isPlain = random.chance(0.5);
  return {
    kind: "call",
    client: random.below(2),
    selector: random.chance(0.95) ? random.below(12) : number(random) % 0x100000000,
    scalars: numbers(random, isPlain ? random.below(4) : random.below(17)),
    bytes: random.chance(0.5)
      ? new Uint8Array(0)
      : someBytes(random, random.chance(0.01) ? 8192 : callBytesMost),
    outScalars: random.chance(0.6) ? random.below(4) : random.below(17),
    outBytes: random.chance(0.5) ? 0 : random.chance(0.02) ? 8192 : random.below(callBytesMost),
    isAsync: random.chance(0.15),
  };
}

export function changedCall(random: Random, call: FuzzCall): FuzzCall {
  const scalars = call.scalars.slice();
  switch (random.below(7)) {
    case 0:
      if (scalars.length > 0) scalars[random.below(scalars.length)] = number(random);
      return { ...call, scalars };
    case 1:
      return {
        ...call,
        scalars: random.chance(0.5) ? scalars.slice(1) : [...scalars, number(random)].slice(0, 16),
      };
    case 2:
      return { ...call, bytes: changedBytes(random, call.bytes, callBytesMost) };
    case 3:
      return { ...call, outScalars: random.below(17) };
    case 4:
      return { ...call, outBytes: random.below(callBytesMost) };
    case 5:
      return { ...call, isAsync: !call.isAsync };
    default:
      return {
        ...call,
        scalars: numbers(random, scalars.length),
        bytes: changedBytes(random, call.bytes, callBytesMost),
      };
  }
}

const packetBytes = 64;
/** Most drivers stop at a stall: a few are enough. */
const stallChance = 1 / 400;

export function newAnswer(random: Random): FuzzAnswer {
  if (random.chance(stallChance)) return { kind: "stall", bytes: new Uint8Array(0) };
  return { kind: "data", bytes: someBytes(random, packetBytes) };
}

export function changedAnswer(random: Random, answer: FuzzAnswer): FuzzAnswer {
  if (answer.kind === "stall" || random.chance(stallChance)) return newAnswer(random);
  return { kind: "data", bytes: changedBytes(random, answer.bytes, packetBytes) };
}
