// One dext, one seed, one digest: the right dext of P02 on Node 24 and 26, with JSPI and with threads.

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const node24 = join(import.meta.dirname, "../../../node_modules/node-24/bin/node");
const program = join(import.meta.dirname, "../cpp-digests.ts");
const count = Number(process.env.DRYDOCK_DEXT_SEEDS ?? 25);

/** For each seed: suspended by the engine, and by threads. */
async function digests(node: string): Promise<string[][]> {
  const { stdout } = await promisify(execFile)(node, [program, "1", String(count)], { maxBuffer: 1 << 26 });
  return stdout
    .trim()
    .split("\n")
    .map((line) => line.split(" "));
}

test(`${count} seeds give the same digests on both, with JSPI and without, and a digest of its own each`, {
  skip: existsSync(node24) ? false : "the optional package node-24 is not installed (Linux on x64 only)",
}, async () => {
  const [here, there] = await Promise.all([digests(process.execPath), digests(node24)]);
  assert.equal(here.length, count);
  assert.deepEqual(there, here);
  for (const [suspended, inThreads, ...more] of here) {
    assert.match(suspended, /^[0-9a-f]{16}$/, "each run succeeded");
    assert.equal(inThreads, suspended);
    assert.deepEqual(more, []);
  }
  assert.equal(new Set(here.map(([suspended]) => suspended)).size, count);
});
