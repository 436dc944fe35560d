// The rule language: what is read, printed and refused, and where. What USBGuard says is in the system test.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { formatRule, parsePolicy } from "./usb-policy.ts";

test("rules come out in the order of the file, printed as USBGuard prints them", () => {
  const policy = parsePolicy(
    [
      "# first",
      'allow 1050:0011 name "A \\"key\\"" serial "1" with-interface { 03:01:01 } if localtime(08:00-18:00)',
      "",
      "block with-interface one-of { 01:*:* 02:*:* } # sound and networks",
      "reject if !allowed-matches(with-interface equals { 03:01:01 })",
      "allow id one-of { 0781:5567 1234:* } if one-of { random(0.1) true }",
    ].join("\n"),
  );
  assert.deepEqual(policy.rules.map(formatRule), [
    'allow id 1050:0011 serial "1" name "A \\"key\\"" with-interface 03:01:01 if localtime(08:00-18:00)',
    "block with-interface one-of { 01:*:* 02:*:* }",
    "reject if !allowed-matches(with-interface equals { 03:01:01 })",
    "allow id one-of { 0781:5567 1234:* } if one-of { random(0.1) true }",
  ]);
  assert.deepEqual(
    policy.rules.map(({ line }) => line),
    [2, 4, 5, 6],
  );
  assert.equal(policy.implicitTarget, "block");
});

test("what the language cannot say stands in comments", () => {
  const policy = parsePolicy(
    '#: implicit-target allow\n#: read-only with-interface match-all { 08:06:50 }\n#: no-open "Client" 0403:*\n#: exempt\nblock\n',
  );
  assert.equal(policy.implicitTarget, "allow");
  assert.deepEqual(
    policy.extensions.map(({ kind, clientClass, tests, line }) => [kind, clientClass, tests.length, line]),
    [
      ["read-only", "", 1, 2],
      ["no-open", "Client", 1, 3],
      ["exempt", "", 0, 4],
    ],
  );
  assert.equal(policy.rules.length, 1);
});

for (const [text, offset, message] of [
  ["permit", 0, /"permit" is none of allow, block, reject/],
  ["block\nallow 1234", 12, /"1234" is none of id, hash/],
  ["allow name foo", 11, /a name stands in quotes/],
  ['allow with-interface "08:06:50"', 21, /a with-interface stands without quotes/],
  ["allow with-interface 08:*:50", 6, /no interface type/],
  ["allow with-interface { }", 23, /expected a value between/],
  ["allow with-interface { 08:06:50", 23, /expected }/],
  ["allow id *:1234", 6, /no device id/],
  ['allow name "a" name "b"', 15, /name stands twice/],
  ["allow if true if false", 14, /a rule has one if/],
  ["allow if sometimes", 9, /"sometimes" is none of allowed-matches/],
  ["allow if localtime(noon)", 9, /HH:MM/],
  ['allow name "a', 11, /no closing quote/],
  ["allow if random(0.1", 9, /parenthesis is not closed/],
  ['allow name "a\\q"', 13, /no escape/],
  ["allow if{ true }", 8, /blank before {/],
  ["allow if allowed-matches(with-interface)", 25, /expected a value/],
  ["#: forbid 1234:*", 3, /"forbid" is none of read-only/],
  ["#: no-open Client", 11, /class in quotes/],
] as const) {
  test(`refused at ${offset}: ${text.replace("\n", " / ")}`, () => {
    assert.throws(
      () => parsePolicy(text),
      (error) => error instanceof DecodeError && error.offset === offset && message.test(error.message),
    );
  });
}

test("no text makes it fail in another way", () => {
  const seed =
    'allow 1050:0011 name "k" with-interface one-of { 03:01:01 08:*:* } if !localtime(08:00-18:00)\n#: read-only id *:*';
  const letters = ' "{}()!#:*\\af08\n';
  let state = 1;
  const next = (limit: number) => {
    state = (state * 48271) % 2147483647;
    return state % limit;
  };
  for (let round = 0; round < 5000; round++) {
    const at = next(seed.length);
    const text = seed.slice(0, at) + letters[next(letters.length)] + seed.slice(at + next(3));
    try {
      for (const rule of parsePolicy(text).rules) formatRule(rule);
    } catch (error) {
      assert.ok(error instanceof DecodeError, String(error));
      assert.ok(error.offset >= 0 && error.offset <= text.length);
    }
  }
});
