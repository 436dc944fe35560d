// Finds any of many short strings in bytes in one pass, letters in either case (Wu and Manber's method).

/** One byte in two kinds: letters fold to lower case, everything else stays. */
const fold = new Uint8Array(256).map((_, byte) => (byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte));

export type NeedleFound = (needle: number, at: number) => void;

/**
 * A window as long as the shortest needle slides over the bytes; the last two bytes in it say how far it may jump. So
 * most bytes are never looked at, and the cost does not grow with the number of needles until they fill the table.
 */
export class NeedleScanner {
  readonly needles: readonly string[];
  readonly #folded: readonly Uint8Array[];
  readonly #window: number;
  /** Bytes the window may move on, by the last two bytes in it. */
  readonly #shift: Uint8Array;
  /** Needles whose window ends in these two bytes. */
  readonly #candidates = new Map<number, number[]>();

  /** Needles are ASCII with at least four characters, so that jumps are worth their table. */
  constructor(needles: readonly string[]) {
    this.needles = needles;
    this.#folded = needles.map((needle) => {
      if (needle.length < 4 || /[^\t -~]/.test(needle))
        throw new RangeError(`"${needle}" is no needle: four or more ASCII characters are needed`);
      return Uint8Array.from(needle, (letter) => fold[letter.charCodeAt(0)]);
    });
    this.#window = Math.min(16, ...needles.map((needle) => needle.length));
    this.#shift = new Uint8Array(65536).fill(this.#window - 1);
    this.#folded.forEach((needle, index) => {
      for (let end = 1; end < this.#window; end++) this.#enter(needle[end - 1], needle[end], end, index);
    });
  }

  #enter(first: number, second: number, end: number, needle: number): void {
    for (const left of bothCases(first)) {
      for (const right of bothCases(second)) {
        const block = (left << 8) | right;
        const shift = this.#window - 1 - end;
        if (shift < this.#shift[block]) this.#shift[block] = shift;
        if (shift > 0) continue;
        const list = this.#candidates.get(block) ?? [];
        if (!list.includes(needle)) list.push(needle);
        this.#candidates.set(block, list);
      }
    }
  }

  /** Reports every needle that lies whole in `bytes[from..to)`, in the order of where it begins. */
  scan(bytes: Uint8Array, from: number, to: number, found: NeedleFound): void {
    const shift = this.#shift;
    const window = this.#window;
    let end = from + window - 1;
    while (end < to) {
      const block = (bytes[end - 1] << 8) | bytes[end];
      const jump = shift[block];
      if (jump > 0) {
        end += jump;
        continue;
      }
      const start = end - window + 1;
      for (const index of this.#candidates.get(block) as number[]) {
        if (matches(this.#folded[index], bytes, start, to)) found(index, start);
      }
      end++;
    }
  }
}

function bothCases(byte: number): number[] {
  return byte >= 0x61 && byte <= 0x7a ? [byte, byte & ~0x20] : [byte];
}

function matches(needle: Uint8Array, bytes: Uint8Array, start: number, to: number): boolean {
  if (start + needle.length > to) return false;
  for (let index = 0; index < needle.length; index++) {
    if (fold[bytes[start + index]] !== needle[index]) return false;
  }
  return true;
}
