// Finds any of many short strings in bytes in one pass, letters in either case.

/** One byte in two kinds: letters fold to lower case, everything else stays. */
const fold = new Uint8Array(256).map((_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));

export type NeedleFound = (needle: number, at: number) => void;

/** How often a byte is met in logs, roughly, per thousand: what is rare makes a good place to look. */
const usual: Readonly<Record<string, number>> = {
  " ": 130,
  "0": 120,
  "123456789": 30,
  ".": 30,
  ":-": 20,
  "()[]": 8,
  "/_=,": 8,
  etaoinsr: 45,
  cdlmpu: 25,
  bfghkvwyx: 10,
  jqz: 3,
};
const weight = new Float64Array(256).fill(1);
for (const [letters, perMille] of Object.entries(usual))
  for (const letter of letters) weight[letter.charCodeAt(0)] = perMille;

/** What logs are made of: three letters that stand here are met all the time, however rare each of them is. */
const ordinary =
  `2026-01-12 10:20:30.405060+0100 0x1a2b3c4d  Default 0x0  Info Error Debug Activity 0x00000000 kernel: (
launchd: runningboardd: bluetoothd: WindowServer: mDNSResponder: trustd: [com.apple.runningboard:process]
[com.apple.bluetooth:Stack] (libsystem_c.dylib) (CoreFoundation) framework.service error: failed to connection
setting updating running waiting sending loading missing nothing address information state identifier interest
happened matching profile service request assertion display device received received, handle with the for and not
in of from this that is was has been no client process bundle status completed activation entitlement power
driver.dext) <private> port number code = 0 type: value, name: "id" {public} uint32 bytes 00 01 02 10 12 60 ff`
    .toLowerCase()
    .replace(/\s+/g, " ");

/** Three letters as one number. */
const lookOf = (first: number, second: number, third: number): number =>
  first | (second << 8) | (third << 16);
const ordinaryLooks = new Set(
  Array.from(ordinary, (_, at) =>
    lookOf(ordinary.charCodeAt(at), ordinary.charCodeAt(at + 1), ordinary.charCodeAt(at + 2)),
  ),
);
const ordinaryPairs = new Set(Array.from(ordinaryLooks, (look) => look & 0xffff));

/** Bytes from one look to the next. */
const stride = 4;
/** Bytes that a look takes in; the filter folds them as if all were letters. */
const lookLength = 3;
const foldedLook = 0x202020;
const ordinaryFactor = 30;
const filterBits = 17;

/**
 * A look at every fourth byte: each needle is four bytes or longer, so one of the looks falls on each run of four
 * bytes, wherever the needle lies. Looks do not depend on each other, and nearly all end at one table. Of its runs
 * each needle gives the rarest; where a look passes the filter, its needles are compared byte by byte.
 */
export class NeedleScanner {
  readonly needles: readonly string[];
  readonly #folded: readonly Uint8Array[];
  /** Hash of a look -> its row in `#rows`; 0: no needle is there. */
  readonly #filter = new Uint16Array(1 << filterBits);
  /** Needle, and where in it the look begins; in turn. */
  readonly #rows: number[][] = [[]];
  /** By row: which bytes may stand after a look, and before it, as bits of their lower five bits (letters in either case). */
  readonly #after: Uint32Array;
  readonly #before: Uint32Array;
  /** The same for each needle of a row by itself: after, before, in turn. */
  readonly #own: readonly Uint32Array[];

  /** Needles are ASCII with at least four characters; with a line feed only at their beginning. */
  constructor(needles: readonly string[]) {
    this.needles = needles;
    this.#folded = needles.map((needle) => {
      if (needle.length < stride || /[^\t\n -~]/.test(needle))
        throw new RangeError(`"${needle}" is no needle: four or more ASCII characters are needed`);
      return Uint8Array.from(needle, (letter) => fold[letter.charCodeAt(0)]);
    });
    this.#folded.forEach((needle, index) => {
      // Four characters give four looks only with the one that begins before them.
      const from =
        needle.length === stride ? -1 : rarestRun(needle, Math.min(needle.length, stride + lookLength - 1));
      for (let at = from; at < from + stride; at++) this.#enter(needle, index, at);
    });
    this.#after = Uint32Array.from(this.#rows, (row) => this.#neighbours(row, lookLength));
    this.#before = Uint32Array.from(this.#rows, (row) => this.#neighbours(row, -1));
    this.#own = this.#rows.map((row) => {
      const own = new Uint32Array(row.length);
      for (let index = 0; index < row.length; index += 2) {
        own[index] = this.#neighbour(row[index], row[index + 1] + lookLength);
        own[index + 1] = this.#neighbour(row[index], row[index + 1] - 1);
      }
      return own;
    });
  }

  /** Bits of what the needles of a row have at a distance from their look; all bits where one of them has ended. */
  #neighbours(row: readonly number[], distance: number): number {
    let bits = 0;
    for (let index = 0; index < row.length; index += 2)
      bits |= this.#neighbour(row[index], row[index + 1] + distance);
    return bits;
  }

  #neighbour(needle: number, at: number): number {
    const bytes = this.#folded[needle];
    return at < 0 || at >= bytes.length ? -1 : 1 << (bytes[at] & 31);
  }

  #enter(needle: Uint8Array, index: number, at: number): void {
    const byte = (offset: number) => needle[at + offset] ?? null;
    const [first, second, third] = [byte(0), byte(1), byte(2)];
    if (first !== null && third !== null) this.#enterLook(first | (second << 8) | (third << 16), index, at);
    // One byte of the look is outside of the needle and may be anything. Bit 5 is folded away.
    else
      for (let any = 0x20; any < 256; any = (any + 1) | 0x20)
        this.#enterLook((first ?? any) | (second << 8) | ((third ?? any) << 16), index, at);
  }

  #enterLook(look: number, needle: number, at: number): void {
    const slot = slotOf(look);
    if (this.#filter[slot] === 0) this.#filter[slot] = this.#rows.push([]) - 1;
    this.#rows[this.#filter[slot]].push(needle, at);
  }

  /** Reports every needle that lies whole in `bytes[from..to)`. Needles that overlap may come in any order. */
  scan(bytes: Uint8Array, from: number, to: number, found: NeedleFound): void {
    const filter = this.#filter;
    const after = this.#after;
    const before = this.#before;
    // Four bytes at addresses of the underlying memory that four divides, as one number each.
    const first = from + (-(bytes.byteOffset + from) & 3);
    if (first > from) this.#look(bytes, from, to, first - stride, found);
    const words = new Int32Array(
      bytes.buffer,
      to - first < stride ? 0 : bytes.byteOffset + first,
      Math.max(0, (to - first) >> 2),
    );
    const { length } = words;
    for (let index = 0; index < length; index++) {
      // slotOf, written out: this is the loop.
      const word = words[index];
      const row = filter[Math.imul((word & 0xffffff) | foldedLook, 0x9e3779b1) >>> (32 - filterBits)];
      if (
        row !== 0 &&
        ((after[row] >>> ((word >>> 24) & 31)) & 1) !== 0 &&
        ((before[row] >>> (bytes[first + stride * index - 1] & 31)) & 1) !== 0
      )
        this.#follow(row, bytes, from, to, first + stride * index, found);
    }
    for (let at = first + stride * length; at < to; at += stride) this.#look(bytes, from, to, at, found);
  }

  /** At the edges, where not every byte of a look is there. */
  #look(bytes: Uint8Array, from: number, to: number, at: number, found: NeedleFound): void {
    const look = byteAt(bytes, at, to) | (byteAt(bytes, at + 1, to) << 8) | (byteAt(bytes, at + 2, to) << 16);
    const row = this.#filter[slotOf(look)];
    if (row !== 0) this.#follow(row, bytes, from, to, at, found);
  }

  #follow(
    row: number,
    bytes: Uint8Array,
    from: number,
    to: number,
    lookAt: number,
    found: NeedleFound,
  ): void {
    const candidates = this.#rows[row];
    const own = this.#own[row];
    const after = bytes[lookAt + lookLength] & 31;
    const before = bytes[lookAt - 1] & 31;
    for (let index = 0; index < candidates.length; index += 2) {
      if (((own[index] >>> after) & 1) === 0 || ((own[index + 1] >>> before) & 1) === 0) continue;
      const needle = this.#folded[candidates[index]];
      const start = lookAt - candidates[index + 1];
      if (start >= from && start + needle.length <= to && isAt(needle, bytes, start))
        found(candidates[index], start);
    }
  }
}

function slotOf(look: number): number {
  return Math.imul(look | foldedLook, 0x9e3779b1) >>> (32 - filterBits);
}

function byteAt(bytes: Uint8Array, at: number, to: number): number {
  return at >= 0 && at < to ? bytes[at] : 0;
}

/** How often the look at `at` is met. One that ends behind the needle is met with anything there. */
function commonness(needle: Uint8Array, at: number): number {
  const [first, second] = [needle[at], needle[at + 1]];
  const both = weight[first] * weight[second];
  if (at + 2 >= needle.length)
    return both * 1000 * (ordinaryPairs.has(lookOf(first, second, 0)) ? ordinaryFactor : 1);
  const third = needle[at + 2];
  return both * weight[third] * (ordinaryLooks.has(lookOf(first, second, third)) ? ordinaryFactor : 1);
}

/** Where the run begins whose looks are met least. */
function rarestRun(needle: Uint8Array, length: number): number {
  const looks = new Float64Array(needle.length - length + stride);
  for (let at = 0; at < looks.length; at++) looks[at] = commonness(needle, at);
  let best = 0;
  let least = Number.POSITIVE_INFINITY;
  for (let from = 0; from + length <= needle.length; from++) {
    const sum = looks[from] + looks[from + 1] + looks[from + 2] + looks[from + 3];
    if (sum < least) {
      least = sum;
      best = from;
    }
  }
  return best;
}

function isAt(needle: Uint8Array, bytes: Uint8Array, start: number): boolean {
  for (let index = 0; index < needle.length; index++) {
    if (fold[bytes[start + index]] !== needle[index]) return false;
  }
  return true;
}
