// Damaged source through the whole reader and every rule: no input makes it fail, and it ends in time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { diagnose } from "../diagnose.ts";
import * as samples from "../source/post-samples.ts";
import { sourcesOf } from "../test/rule-check.ts";

const seeds = Object.values(samples);
const pieces = [
  "{",
  "}",
  "(",
  ")",
  ";",
  "^{",
  "/*",
  "*/",
  '"',
  "'",
  "#if 0\n",
  "```\n",
  "\0",
  "\u{1f600}",
  "\\\n",
  "template<",
  "IMPL(",
  "->",
  "&",
  "\r",
];

function damaged(random: Random): string {
  let text = seeds[random.below(seeds.length)];
  for (let strike = random.between(1, 12); strike > 0; strike--) {
    const at = random.below(text.length + 1);
    switch (random.below(4)) {
      case 0:
        text = text.slice(0, at) + pieces[random.below(pieces.length)] + text.slice(at);
        break;
      case 1:
        text = text.slice(0, at) + text.slice(at + random.below(40));
        break;
      case 2:
        text = text.slice(0, at) + text.slice(random.below(text.length + 1)).slice(0, 200) + text.slice(at);
        break;
      default:
        text = text.slice(0, at) + String.fromCharCode(random.below(0x300)) + text.slice(at + 1);
    }
  }
  return text;
}

test("1500 damaged sources: read or named as unreadable, every place inside the file", async () => {
  const random = new Random(11);
  let read = 0;
  for (let round = 0; round < 1500; round++) {
    const text = damaged(random);
    const { answers, hints, files } = await diagnose(sourcesOf({ f: text }), { cppGrammar });
    if (files[0].kinds.includes("source")) read++;
    const problems = files[0].problems.filter((problem) => problem.includes("cannot be read"));
    assert.deepEqual(problems, [], text);
    const lines = text.split("\n").length;
    for (const { because } of [...answers, ...hints])
      for (const { line, column } of because)
        assert.ok(line >= 1 && line <= lines && (column ?? 1) >= 1, text);
  }
  assert.ok(read > 1200, `${read} were recognised as source`);
});

test("nesting without end, and one line without end, cost little", async () => {
  const head = "#include <DriverKit/IOService.h>\nkern_return_t IMPL(A, Start)\n{\n    ivars->x = ";
  for (const text of [
    head + "(".repeat(100_000),
    head + "{".repeat(100_000),
    head + "a->".repeat(100_000),
    head + "if (a) ".repeat(20_000),
    head + "x, ".repeat(200_000),
    `${head}1;\n}\n${"#if A\n".repeat(20_000)}`,
  ]) {
    const { files } = await diagnose(sourcesOf({ f: text }), { cppGrammar });
    assert.ok(files[0].kinds.includes("source"));
  }
});
