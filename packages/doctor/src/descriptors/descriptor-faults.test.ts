// Descriptors of the classes' own examples: nothing is said of the clean ones, each of 100 faults is named at its byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import { type Example, examples, givenOf, planted, plantedGiven } from "../test/planted-descriptors.ts";
import { judgeDescriptors, type PlacedFault } from "./descriptor-set.ts";
import type { FaultKind } from "./fault.ts";
import { faultKnowledge } from "./hosts.ts";

const judged = (example: Example): PlacedFault[] =>
  judgeDescriptors({ name: "", speed: example.speed, given: givenOf(example) });

for (const [name, example] of Object.entries(examples))
  test(`${name}: nothing is wrong, whether its speed is said or not`, () => {
    for (const speed of [example.speed, null])
      assert.deepEqual(judged({ ...example, speed }), [], `speed ${speed}`);
  });

test(`each of ${planted.length} planted faults is named at its byte`, () => {
  assert.ok(planted.length >= 100, String(planted.length));
  const kinds = new Set<FaultKind>();
  const missed: string[] = [];
  for (const one of planted) {
    const { kind, of, role = "configuration", what } = one;
    const { example, given, offset } = plantedGiven(one);
    const faults = judgeDescriptors({ name: "", speed: example.speed, given });
    const label = `${of}: ${what}: ${JSON.stringify(faults.map((fault) => [fault.where, fault.kind, fault.offset]))}`;
    if (
      !faults.some((fault) => fault.kind === kind && fault.offset === offset && fault.where.startsWith(role))
    )
      missed.push(`${kind} at ${offset} of ${label}`);
    kinds.add(kind);
  }
  assert.deepEqual(missed, []);
  assert.ok(kinds.size >= 45, String(kinds.size));
});

test("of each kind it is known why, and what three hosts make of it, or said that it is not known", () => {
  for (const [kind, { cause, linux, macos, windows }] of Object.entries(faultKnowledge)) {
    assert.ok(cause.length > 10, kind);
    for (const { does, mark, source } of [linux, macos, windows]) {
      assert.equal(does === "", mark === "unknown", kind);
      assert.equal(source === "", mark === "unknown", kind);
    }
    assert.notEqual(linux.mark, "unknown", `${kind}: somebody shows it to a Linux guest`);
  }
});
