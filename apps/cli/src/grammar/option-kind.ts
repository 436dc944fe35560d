// Kinds of values that options and arguments take: how each is read, what it says about itself, and what it refuses.

import { shown } from "@drydock/core/base/shown-text";
import { UsageError } from "../terminal/usage-error.ts";

/** A word that the kind refuses, and why: the mistaken lines of each command are made from them. */
export interface Mistake {
  readonly why:
    | "wrong type"
    | "out of range"
    | "absent"
    | "unwritable"
    | "existing"
    | "a folder"
    | "not ours";
  readonly text: string;
}

/** What a kind needs of the file system for its samples: a folder of a test's own. */
export interface SamplePlace {
  readonly folder: string;
}

export interface Kind<T> {
  /** What stands for it in a usage line, for example `seconds`. */
  readonly placeholder: string;
  /** What it takes, with range and unit: ends the sentence "--for takes ...". */
  readonly takes: string;
  /** Throws UsageError with the second half of a sentence about `text`. Looks, but changes nothing. */
  read(text: string): T | Promise<T>;
  /** The words that it knows, for completion and help. */
  words?(): readonly string[] | Promise<readonly string[]>;
  /** The shell completes names of files. */
  readonly isPath?: boolean;
  /** A word that it takes. */
  sample(place: SamplePlace): string | Promise<string>;
  /** Words that it refuses. */
  mistakes(place: SamplePlace): readonly Mistake[];
}

/** A value that takes hold of something (a file, a name) once every option has been judged, and lets go at the end. */
export interface Claim {
  /** Throws UsageError when it cannot be had. */
  claim(): void;
  release(): void;
}

export function isClaim(value: unknown): value is Claim {
  return typeof value === "object" && value !== null && "claim" in value && "release" in value;
}

const refuse = (kind: Kind<unknown>, text: string): never => {
  throw new UsageError(`takes ${kind.takes}, not "${shown(text, 80)}"`);
};

interface Range {
  readonly from: number;
  readonly to?: number;
  readonly unit?: string;
  readonly placeholder?: string;
  readonly sample?: number;
}

const rangeWords = ({ from, to, unit }: Range): string =>
  `${unit === undefined ? "" : ` of ${unit}`} from ${from}${to === undefined || to === Number.MAX_SAFE_INTEGER ? " on" : ` to ${to}`}`;

export function wholeNumber(range: Range): Kind<number> {
  const { from, to = Number.MAX_SAFE_INTEGER } = range;
  const kind: Kind<number> = {
    placeholder: range.placeholder ?? "number",
    takes: `a whole number${rangeWords(range)}`,
    read: (text) => {
      const value = /^-?\d+$/.test(text) ? Number(text) : Number.NaN;
      return Number.isSafeInteger(value) && value >= from && value <= to ? value : refuse(kind, text);
    },
    sample: () => String(range.sample ?? Math.max(from, Math.min(to, 3))),
    mistakes: () => [
      { why: "wrong type", text: "abc" },
      { why: "wrong type", text: "1.5" },
      { why: "wrong type", text: "" },
      { why: "wrong type", text: "0x10" },
      { why: "wrong type", text: "1e1" },
      { why: "out of range", text: String(from - 1) },
      { why: "out of range", text: to === Number.MAX_SAFE_INTEGER ? "9007199254740993" : String(to + 1) },
    ],
  };
  return kind;
}

/** A decimal number. With `above`, `from` itself is refused. */
export function decimalNumber(range: Range & { readonly above?: boolean }): Kind<number> {
  const { from, to, above = false, unit } = range;
  const kind: Kind<number> = {
    placeholder: range.placeholder ?? "number",
    takes: above
      ? `a number${unit === undefined ? "" : ` of ${unit}`} above ${from}${to === undefined ? "" : ` and at most ${to}`}`
      : `a number${rangeWords(range)}`,
    read: (text) => {
      const value = /^-?\d*\.?\d+$/.test(text) ? Number(text) : Number.NaN;
      const isIn = (above ? value > from : value >= from) && value <= (to ?? Number.MAX_VALUE);
      return isIn ? value : refuse(kind, text);
    },
    sample: () => String(range.sample ?? Math.min(from + 1, to ?? from + 1)),
    mistakes: () => [
      { why: "wrong type", text: "abc" },
      { why: "wrong type", text: "" },
      { why: "wrong type", text: "NaN" },
      { why: "wrong type", text: "Infinity" },
      { why: "wrong type", text: "1e3" },
      { why: "out of range", text: above ? String(from) : String(from - 1) },
      { why: "out of range", text: "-1" },
      ...(to === undefined
        ? [{ why: "out of range" as const, text: "9".repeat(400) }]
        : [{ why: "out of range" as const, text: String(to + 1) }]),
    ],
  };
  return kind;
}

export const seed: Kind<number> = wholeNumber({ from: 0, placeholder: "number" });
export const tcpPort: Kind<number> = { ...wholeNumber({ from: 0, to: 65_535 }), sample: () => "0" };
/** A long time is a long time: some thousand years at most. */
export const seconds: Kind<number> = decimalNumber({
  from: 0,
  above: true,
  to: 1e11,
  unit: "seconds",
  placeholder: "seconds",
  sample: 0.2,
});

const sizeUnits: Readonly<Record<string, number>> = {
  "": 1,
  K: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

export interface ByteSize {
  readonly bytes: number;
  /** As it was typed. */
  readonly text: string;
}

/** `64M`, `2T`, `1048576`. */
export function byteSize(range: { readonly from: number; readonly to?: number }): Kind<ByteSize> {
  const { from, to = Number.MAX_SAFE_INTEGER } = range;
  const most = to === Number.MAX_SAFE_INTEGER ? "8191T" : String(to);
  const kind: Kind<ByteSize> = {
    placeholder: "bytes",
    takes: `a number of bytes from ${from} to ${most}, as 512, 64M, 10G or 2T`,
    read: (text) => {
      const match = /^(\d+)([KMGTP]?)$/i.exec(text);
      const bytes = match === null ? Number.NaN : Number(match[1]) * sizeUnits[match[2].toUpperCase()];
      return bytes >= from && bytes <= to ? { bytes, text } : refuse(kind, text);
    },
    sample: () => (from <= 2 ** 20 && to >= 2 ** 20 ? "1M" : String(from)),
    mistakes: () => [
      { why: "wrong type", text: "abc" },
      { why: "wrong type", text: "" },
      { why: "wrong type", text: "-1M" },
      { why: "wrong type", text: "1.5G" },
      { why: "wrong type", text: "10X" },
      { why: "out of range", text: String(from - 1) },
      { why: "out of range", text: to === Number.MAX_SAFE_INTEGER ? "99999999T" : String(to + 1) },
    ],
  };
  return kind;
}

export function choice<W extends string>(
  words: readonly W[] | (() => Promise<readonly W[]>),
  placeholder = "name",
): Kind<W> {
  const all = typeof words === "function" ? words : () => words;
  return {
    placeholder,
    takes: Array.isArray(words) ? `one of ${words.join(", ")}` : `a ${placeholder}`,
    read: async (text) => {
      const known = await all();
      const found = known.find((word) => word === text);
      if (found !== undefined) return found;
      throw new UsageError(`is one of ${known.join(", ")}, not "${shown(text, 80)}"`);
    },
    words: all,
    sample: async () => (await all())[0],
    mistakes: () => [
      { why: "wrong type", text: "no-such-word" },
      { why: "wrong type", text: "" },
      { why: "wrong type", text: "constructor" },
    ],
  };
}

interface TextLimits {
  readonly placeholder: string;
  readonly takes: string;
  readonly sample: string;
  readonly mostBytes?: number;
  /** A word of `mistakes` that `check` refuses. */
  readonly wrong?: readonly string[];
  /** Throws UsageError, or answers a sentence's end, for what it does not like. */
  check?(text: string): string | null;
}

/** Free text: never empty, never with control characters, at most `mostBytes` of UTF-8 (4096). */
export function text(limits: TextLimits): Kind<string> {
  const { mostBytes = 4096 } = limits;
  const kind: Kind<string> = {
    placeholder: limits.placeholder,
    takes: limits.takes,
    read: (word) => {
      if (Buffer.byteLength(word) > mostBytes)
        throw new UsageError(`takes at most ${mostBytes} bytes, this one has ${Buffer.byteLength(word)}`);
      if (/\p{Cc}/u.test(word))
        throw new UsageError(
          `takes ${limits.takes}, without control characters; "${shown(word, 80)}" has some`,
        );
      if (word === "") return refuse(kind, word);
      const problem = limits.check?.(word) ?? null;
      if (problem !== null) throw new UsageError(`${problem}, not "${shown(word, 80)}"`);
      return word;
    },
    sample: () => limits.sample,
    mistakes: () => [
      { why: "wrong type", text: "" },
      { why: "wrong type", text: "a\x1b]0;b\x07" },
      { why: "out of range", text: "x".repeat(mostBytes + 1) },
      ...(limits.wrong ?? []).map((word): Mistake => ({ why: "wrong type", text: word })),
    ],
  };
  return kind;
}

/** What another room reads (a fault, a date): its errors become sentences. */
export function parsed<T>(parts: {
  readonly placeholder: string;
  readonly takes: string;
  readonly sample: string;
  readonly wrong: readonly string[];
  read(text: string): T | Promise<T>;
}): Kind<T> {
  return {
    placeholder: parts.placeholder,
    takes: parts.takes,
    read: async (word) => {
      try {
        return await parts.read(word);
      } catch (error) {
        if (error instanceof UsageError) throw error;
        throw new UsageError(
          `takes ${parts.takes}; "${shown(word, 80)}" is none: ${shown(error instanceof Error ? error.message : String(error))}`,
        );
      }
    },
    sample: () => parts.sample,
    mistakes: () => parts.wrong.map((word) => ({ why: "wrong type", text: word })),
  };
}
