// What becomes a mutant, what does not, and which tests are asked about it.

import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { instrument } from "./mutants/instrument.ts";
import { scopeOf } from "./mutants/scope.ts";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");

const planted = `// A planted file.
export function refuse(length: number): void {
  if (length > 0x10) throw new RangeError("a length over 16");
}
// Stryker disable next-line NumericLiteral: the same for every length
export const spare = 7;
`;
const files = [{ name: "packages/core/src/base/planted.ts", content: planted }];

test("an operator, a branch and a number become mutants; the words of a message do not; a reason beside the code is kept", async () => {
  const { mutants, total } = await instrument(root, files, null);
  assert.equal(total, mutants.length);
  const told = mutants.map(({ line, mutator, original, replacement }) =>
    [line, mutator, original, replacement].join(" "),
  );
  assert.ok(told.includes("3 EqualityOperator length > 0x10 length >= 0x10"), told.join("\n"));
  assert.ok(told.includes("3 NumericLiteral 0x10 17"), told.join("\n"));
  assert.ok(told.includes("3 ConditionalExpression length > 0x10 false"), told.join("\n"));
  assert.deepEqual(
    mutants.filter(({ mutator }) => mutator === "StringLiteral"),
    [],
  );
  assert.deepEqual(
    mutants.filter(({ ignored }) => ignored !== null).map(({ line, ignored }) => [line, ignored]),
    [[6, "the same for every length"]],
  );
});

test("a mutant is switched on by its number, and the other code stays as it was", async () => {
  const { files: placed, mutants } = await instrument(root, files, null);
  const state = { active: -1, passed: new Uint32Array(100), enter: () => true };
  (globalThis as Record<string, unknown>).__mutants = state;
  const { stripTypeScriptTypes } = await import("node:module");
  const load = `data:text/javascript,${encodeURIComponent(stripTypeScriptTypes(placed[0].content))}`;
  const { refuse } = (await import(load)) as { refuse(length: number): void };
  refuse(16);
  assert.throws(() => refuse(17), RangeError);
  const { id } = mutants.find(({ replacement }) => replacement === "length >= 0x10") ?? { id: "none" };
  state.active = Number(id);
  assert.throws(() => refuse(16), RangeError);
  assert.ok(state.passed[Number(id)] > 0);
  delete (globalThis as Record<string, unknown>).__mutants;
});

test("a seed draws the same mutants each time, another seed others", async () => {
  const drawn = async (seed: number) => {
    const { mutants, total } = await instrument(root, files, { sample: 4, seed });
    assert.equal(mutants.length, 4);
    assert.ok(total > 4);
    return mutants.map(({ key }) => key);
  };
  assert.deepEqual(await drawn(1), await drawn(1));
  assert.notDeepEqual(await drawn(1), await drawn(2));
});

test("a file's own test is asked first; a room that is not there is named", () => {
  const scope = scopeOf(root, "codec/ftdi");
  assert.ok(scope.sources.includes("packages/core/src/codec/ftdi/ftdi.ts"), scope.sources.join("\n"));
  assert.ok(scope.sources.every((file) => !file.endsWith(".test.ts")));
  assert.equal(
    scope.testsOf("packages/core/src/codec/ftdi/ftdi.ts")[0],
    "packages/core/src/codec/ftdi/ftdi.test.ts",
  );
  assert.throws(() => scopeOf(root, "attic"), /there is no room "attic"/);
});
