// One dext, one seed, one digest: the right dext of P02 on Node 24 and on Node 26, whose calls are suspended (JSPI).

import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";

const node24 = join(import.meta.dirname, "../../../node_modules/node-24/bin/node");
const program = join(import.meta.dirname, "../cpp-digests.ts");
const count = Number(process.env.DRYDOCK_DEXT_SEEDS ?? 25);

async function digests(node: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)(node, [program, "1", String(count)], { maxBuffer: 1 << 26 });
  return stdout.trim().split("\n");
}

test(`${count} seeds give the same digests on both, and a digest of its own each`, {
  skip: existsSync(node24) ? false : "the optional package node-24 is not installed (Linux on x64 only)",
}, async () => {
  const [here, there] = [await digests(process.execPath), await digests(node24)];
  assert.equal(here.length, count);
  assert.deepEqual(there, here);
  assert.ok(
    here.every((digest) => /^[0-9a-f]{16}$/.test(digest)),
    "each run succeeded",
  );
  assert.equal(new Set(here).size, count);
});
