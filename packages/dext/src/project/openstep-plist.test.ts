// The reader of project files: what Xcode writes, and what somebody else may.

import assert from "node:assert/strict";
import { test } from "node:test";
import { OpenStepError, parseOpenStep } from "./openstep-plist.ts";

const plainOf = (text: string): unknown => JSON.parse(JSON.stringify(parseOpenStep(text)));

test("dictionaries, arrays, quoted strings and comments are read", () => {
  const text = `// !$*UTF8*$!
{ /* root */ a = (1, "two\\n\\"words\\"", { b = c/d.cpp; }, ); "k k" = ""; }
`;
  assert.deepEqual(plainOf(text), { a: ["1", 'two\n"words"', { b: "c/d.cpp" }], "k k": "" });
});

test("keys that JavaScript has a meaning for are keys", () => {
  const read = parseOpenStep("{ __proto__ = { isa = x; }; constructor = y; }") as Record<string, unknown>;
  assert.deepEqual(Object.keys(read), ["__proto__", "constructor"]);
  assert.equal(read.isa, undefined);
});

test("each place at which a file may be cut off is refused, with its line", () => {
  const whole = `{\n  a = (1, "two"); /* c */\n  b = { c = d; };\n}`;
  for (let length = 0; length < whole.length; length++)
    assert.throws(() => parseOpenStep(whole.slice(0, length)), OpenStepError, `${length} characters`);
});

for (const [what, text, said] of [
  ["a comment that does not end", "{ a = b; /* c }", /comment without its end \(line 1\)/],
  ["more behind the value", "{}\n{ a = b; }", /something follows the value \(line 2\)/],
  ["values in values", `${"(".repeat(100_000)}`, /too deep/],
  ["a missing semicolon", "{\n\n a = b }", /without its semicolon \(line 3\)/],
  ["an array without commas", "(a b)", /array without its end/],
] as const)
  test(`${what} is refused`, () => {
    assert.throws(() => parseOpenStep(text), said);
  });

test("millions of blanks and comments are passed over", () => {
  assert.equal(parseOpenStep(`${" ".repeat(4_000_000)}${"/* */ ".repeat(100_000)}a`), "a");
});
