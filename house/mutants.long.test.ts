// A slice of `npm run mutants` for every run of the tests: a seeded sample of one small room's file, with its floor.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { dirname, join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const here = dirname(fileURLToPath(import.meta.url));
const mutants = (...args: string[]) =>
  spawnSync(process.execPath, [join(here, "mutants.ts"), ...args], { encoding: "utf8" });

test("24 mutants of the byte ring, drawn by seed 1: at least 85 of 100 are seen", () => {
  const { status, stdout, stderr } = mutants(
    ...[
      "packages/core/src/base/byte-ring.ts",
      "--sample",
      "24",
      "--seed",
      "1",
      "--floor",
      "85",
      "--afresh",
      "--json",
    ],
  );
  assert.equal(status, 0, stdout + stderr);
  const { tried, killed, endless, survived, unseen, ignored } = JSON.parse(stdout);
  assert.equal(tried + ignored, 24);
  assert.equal(killed + endless + survived + unseen, tried);
});

test("a mistaken line says what to do", () => {
  for (const [args, words] of [
    [[], /name one room/],
    [["attic"], /there is no room "attic"/],
    [["base", "--sample", "many"], /--sample takes a whole number/],
  ] as const) {
    const { status, stderr } = mutants(...args);
    assert.equal(status, 2);
    assert.match(stderr, words);
  }
});
