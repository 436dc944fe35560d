// Compiled code requirements as text: every operator and comparison, parentheses where they are needed, bounds.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { decodeRequirement, parseRequirement, requirementText } from "./requirement.ts";

const word = (value: number): number[] =>
  [value >>> 24, value >>> 16, value >>> 8, value].map((byte) => byte & 255);
/** Length, bytes, zeros up to a multiple of four. */
const data = (bytes: readonly number[]): number[] => [
  ...word(bytes.length),
  ...bytes,
  ...new Array<number>(-bytes.length & 3).fill(0),
];
const text = (value: string): number[] => data([...Buffer.from(value)]);
/** A blob of kind 1: magic, length, kind, expression. */
const blob = (...parts: (number | readonly number[])[]): Uint8Array => {
  const expression = parts.flatMap((part) => (typeof part === "number" ? word(part) : part));
  return Uint8Array.from([...word(0xfade0c00), ...word(12 + expression.length), ...word(1), ...expression]);
};
const says = (...parts: (number | readonly number[])[]): string => decodeRequirement(blob(...parts));
/** 1.2.840.113635.100.6.2.6, the mark of a Developer ID's issuer. */
const developerId = data([0x2a, 0x86, 0x48, 0x86, 0xf7, 0x63, 0x64, 0x06, 0x02, 0x06]);

test("operators without operands, and those with one", () => {
  assert.deepEqual(
    [0, 1, 3, 13, 15, 21, 23].map((code) => says(code)),
    ["never", "always", "anchor apple", "anchor trusted", "anchor apple generic", "notarized", "legacy"],
  );
  assert.equal(says(2, text("com.example.app")), 'identifier "com.example.app"');
  assert.equal(says(2, text("ls")), "identifier ls");
  assert.equal(says(2, text("1s")), 'identifier "1s"');
  assert.equal(says(8, data([0xde, 0xad, 0xbe])), 'cdhash H"deadbe"');
  assert.equal(says(18, text("generic")), "anchor apple generic");
  assert.equal(says(19, text("tool")), "(tool)");
  assert.equal(says(20, 0x102), "platform = 258");
});

test("certificates: the leaf is 0, the root -1, those between have their number", () => {
  assert.equal(says(4, 0, data([1, 2])), 'certificate leaf = H"0102"');
  assert.equal(says(4, 0xffffffff, data([1])), 'certificate root = H"01"');
  assert.equal(says(12, 1), "certificate 1 trusted");
  assert.equal(
    says(11, 0, text("subject.OU"), 1, text("TEAM123456")),
    "certificate leaf[subject.OU] = TEAM123456",
  );
  assert.equal(says(14, 1, developerId, 0), "certificate 1[field.1.2.840.113635.100.6.2.6] /* exists */");
  assert.equal(
    says(17, 0xffffffff, developerId, 14),
    "certificate root[policy.1.2.840.113635.100.6.2.6] absent",
  );
  assert.equal(
    says(22, 0, developerId, 13, word(0), word(1)),
    "certificate leaf[timestamp.1.2.840.113635.100.6.2.6] >= timestamp",
  );
});

test("comparisons of texts and dates", () => {
  const compared = (code: number, ...more: number[][]): string =>
    says(10, text("Key"), code, ...more).slice("info[Key]".length);
  assert.deepEqual(
    [1, 2, 3, 4, 5, 6, 7, 8].map((code) => compared(code, text("v"))),
    [" = v", ' = "*v*"', ' = "v*"', ' = "*v"', " < v", " > v", " <= v", " >= v"],
  );
  assert.deepEqual(
    [9, 10, 11, 12, 13].map((code) => compared(code, word(0), word(9))),
    [" = timestamp", " < timestamp", " > timestamp", " <= timestamp", " >= timestamp"],
  );
  assert.equal(compared(0), " /* exists */");
  assert.equal(compared(14), " absent");
  assert.throws(() => compared(15), /match 15 is not known/);
  assert.equal(says(5, text("CFBundleVersion"), text("1.0")), 'info[CFBundleVersion] = "1.0"');
  assert.equal(says(16, text("com.apple.x"), 0), 'entitlement["com.apple.x"] /* exists */');
});

test("and binds before or; not before both; parentheses stand only where they are needed", () => {
  const [a, b, c] = ["a", "b", "c"].map((name) => [...word(2), ...text(name)]);
  assert.equal(says(6, a, b), "identifier a and identifier b");
  assert.equal(says(7, a, [...word(6), ...b, ...c]), "identifier a or identifier b and identifier c");
  assert.equal(says(6, [...word(7), ...a, ...b], c), "(identifier a or identifier b) and identifier c");
  assert.equal(says(6, c, [...word(7), ...a, ...b]), "identifier c and (identifier a or identifier b)");
  assert.equal(says(7, [...word(7), ...a, ...b], c), "identifier a or identifier b or identifier c");
  assert.equal(says(9, a), "! identifier a");
  assert.equal(says(9, [...word(6), ...a, ...b]), "! (identifier a and identifier b)");
  assert.equal(says(6, [...word(9), ...a], b), "! identifier a and identifier b");
  assert.equal(requirementText({ kind: "always" }), "always");
});

test("flags in the high byte of an operator are none of its number", () => {
  assert.equal(says(0x80000003), "anchor apple");
  assert.equal(says(0x40000002, text("a")), "identifier a");
});

test("texts are padded to four, whatever their length; what is behind them is read from the right place", () => {
  for (const name of ["a", "ab", "abc", "abcd", "abcde"])
    assert.equal(says(6, [...word(2), ...text(name)], [...word(1)]), `identifier ${name} and always`);
});

test("another kind is told, a cut one, an unknown operator and a length that lies are refused where they are", () => {
  const other = blob(1);
  other[11] = 2;
  assert.equal(decodeRequirement(other), "(requirement of kind 2)");
  assert.throws(() => parseRequirement(other), /kind 2 is not known/);
  const refused = (bytes: Uint8Array, offset: number, words: RegExp): void =>
    assert.throws(
      () => decodeRequirement(bytes),
      (error) => error instanceof DecodeError && error.offset === offset && words.test(error.message),
    );
  refused(blob(6, 1), 20, /cut off/);
  refused(blob(24), 12, /operator 24 is not known/);
  refused(blob(2, 5, [0x61, 0x62, 0x63, 0x64]), 16, /5 bytes are not there/);
  refused(new Uint8Array(11), 11, /cut off/);
});

test("nesting and number of expressions are bounded: 64 deep, 10,000 in all", () => {
  const nested = (depth: number): Uint8Array => blob(...new Array<number>(depth).fill(9), 1);
  assert.match(decodeRequirement(nested(64)), /^! ! /);
  assert.throws(() => decodeRequirement(nested(65)), /nested deeper than 64/);
  /** A balanced tree of `and` with so many leaves. */
  const tree = (leaves: number): number[] =>
    leaves === 1 ? word(1) : [...word(6), ...tree(leaves >> 1), ...tree(leaves - (leaves >> 1))];
  assert.equal(decodeRequirement(blob(tree(5000))).split(" and ").length, 5000);
  assert.throws(() => decodeRequirement(blob(tree(5001))), /more than 10000 expressions/);
});
