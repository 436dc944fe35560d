// The long campaign, and determinism across processes and versions of Node.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { drawSerialFaults, runSerialScenario } from "@drydock/core/trials/serial-campaign";
import { hostTurn } from "../../src/host/host-turn.ts";

const digestMain = join(import.meta.dirname, "digest-main.ts");
const node24 = join(import.meta.dirname, "../../../../node_modules/node-24/bin/node");

function digests(node: string, seed: number): string {
  const result = spawnSync(node, [digestMain, String(seed)], { encoding: "utf8" });
  assert.equal(result.status, 0, result.stderr);
  return result.stdout;
}

test("the same seed gives the same digest in two processes", () => {
  for (const seed of [1, 99, 123_456_789]) {
    const first = digests(process.execPath, seed);
    assert.match(first, /^[0-9a-f]{16}( [0-9a-f]{16}){3}$/);
    assert.equal(digests(process.execPath, seed), first);
  }
});

test("the same seed gives the same digest on Node 24 and 26", {
  skip: existsSync(node24) ? false : "the optional package node-24 is not installed (Linux on x64 only)",
}, () => {
  assert.match(spawnSync(node24, ["--version"], { encoding: "utf8" }).stdout, /^v24\./);
  for (const seed of [1, 7, 4242]) assert.equal(digests(node24, seed), digests(process.execPath, seed));
});

test("10000 seeds of the serial rig with faults: no hang, no rejection, no broken contract", {
  timeout: 300_000,
}, async () => {
  const rejections: unknown[] = [];
  const note = (reason: unknown) => rejections.push(reason);
  process.on("unhandledRejection", note);
  const outcomes: Record<string, number> = {};
  for (let seed = 0; seed < 10_000; seed++) {
    const device = seed % 2 === 0 ? "ftdi" : "cdc-acm";
    const result = await runSerialScenario({ seed, turn: hostTurn, device, faults: drawSerialFaults(seed) });
    assert.deepEqual(result.problems, [], `seed ${seed}, ${device}`);
    outcomes[result.outcome] = (outcomes[result.outcome] ?? 0) + 1;
  }
  process.off("unhandledRejection", note);
  assert.deepEqual(rejections, []);
  assert.equal(
    Object.values(outcomes).reduce((sum, count) => sum + count, 0),
    10_000,
  );
  for (const outcome of ["echoed", "hung up", "silent", "no port"]) {
    assert.ok((outcomes[outcome] ?? 0) > 100, `${outcome}: ${outcomes[outcome]}`);
  }
});
