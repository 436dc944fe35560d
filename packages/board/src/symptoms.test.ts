// Symptoms in text, and one code in all the forms that people write it (board.md 5.6).

import assert from "node:assert/strict";
import { test } from "node:test";
import { parseSearch } from "./search-query.ts";
import { returnCodeForms, symptomsIn, symptomText } from "./symptoms.ts";

const notPermitted = { kind: "io_return", value: "e00002e2" } as const;

test("one code in every form: hexadecimal in any case, without 0x, negative decimal, by name", () => {
  for (const text of [
    "error: 0xe00002e2.",
    "0xE00002E2",
    "got e00002e2 back",
    "-536870174",
    "−536870174",
    "kIOReturnNotPermitted",
    "(kIOReturnNotPermitted)",
  ])
    assert.deepEqual(symptomsIn(text), [notPermitted], text);
  assert.deepEqual(returnCodeForms("e00002e2"), {
    hex: "0xe00002e2",
    decimal: "-536870174",
    names: ["kIOReturnNotPermitted"],
  });
  assert.equal(symptomText(notPermitted), "0xe00002e2 kIOReturnNotPermitted");
});

test("the other kinds: error numbers, panic places, USB ids, rules", () => {
  assert.deepEqual(symptomsIn("Error: -69825: Wiping"), [{ kind: "error_number", value: "-69825" }]);
  assert.deepEqual(symptomsIn('panic(cpu 0) "..." @IOServicePM.cpp:5721'), [
    { kind: "panic_site", value: "IOServicePM.cpp:5721" },
  ]);
  assert.deepEqual(symptomsIn("the chip 0B95:772B"), [{ kind: "usb_id", value: "0b95:772b" }]);
  assert.deepEqual(symptomsIn("as DR02-1 and FX-PROVIDER say"), [
    { kind: "rule", value: "DR02-1" },
    { kind: "rule", value: "FX-PROVIDER" },
  ]);
});

test("what only looks like one is none: times, addresses, short numbers, parts of longer words", () => {
  for (const text of [
    "at 12:30",
    "0xa40100008",
    "-1",
    "0x00000000",
    "0x1234",
    "ffe00002e2",
    "v1.2-12345.6",
    "1234:5678",
  ])
    assert.deepEqual(symptomsIn(text), [], text);
});

test("a text has at most 64 symptoms, in order of appearance, and reading one is linear", () => {
  const many = Array.from({ length: 100 }, (_unused, index) => `0xe0000${(256 + index).toString(16)}`).join(
    " ",
  );
  const found = symptomsIn(many);
  assert.equal(found.length, 64);
  assert.equal(found[0].value, "e0000100");
  for (const text of [
    "0x".repeat(50_000),
    "-1".repeat(50_000),
    "a.c:".repeat(50_000),
    "k".repeat(100_000),
    "DR0".repeat(50_000),
  ])
    assert.ok(symptomsIn(text).length <= 64);
});

test("a search is words and symptoms; the code's form does not become words", () => {
  assert.deepEqual(parseSearch("Stall 0xE00002E2 user-client"), {
    words: ["stall", "user", "client"],
    symptoms: [notPermitted],
  });
  assert.deepEqual(parseSearch("kIOReturnNotPermitted").words, []);
  assert.deepEqual(parseSearch("dr02-1").symptoms, [{ kind: "rule", value: "DR02-1" }]);
  assert.deepEqual(parseSearch("IOUSBHostPipe").words, ["iousbhostpipe"]);
  assert.throws(() => parseSearch("x".repeat(401)), /at most 400/);
});
