// F25 for storage: wrong answers in plenty under every transport, and proof that the test can find something.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { BulkOnlyDriver } from "../drivers/mass-storage/bulk-only-driver.ts";
import { massStorageBundle } from "../drivers/mass-storage/mass-storage-driver.ts";
import type { SCSITask } from "../families/scsi/scsi-task.ts";
import { fuzzStorage, fuzzStorageLife } from "./storage-fuzz.ts";

test("10 000 changed answers over three transports: no panic, no hang, no broken rule (F25)", async () => {
  const report = await fuzzStorage({ seed: 1, turn: hostTurn, answers: 10_000 });
  assert.deepEqual(report.problems, []);
  assert.ok(report.answers >= 10_000);
  // Wrong answers let the drivers through often enough that they are really used.
  assert.ok(report.disks > 100 && report.good > 5_000, JSON.stringify(report));
});

test("the same seed is the same life", async () => {
  const options = { seed: 5, turn: hostTurn, answers: 100 };
  assert.deepEqual(await fuzzStorageLife(options), await fuzzStorageLife(options));
});

/** Loses every command after a failed one. */
class ForgetfulDriver extends BulkOnlyDriver {
  override sendCommand(task: SCSITask): number {
    return this.recoveries.resetRecoveries > 0 ? 0 : super.sendCommand(task);
  }
}

test("a driver that loses commands after a recovery is found", async () => {
  const bundles = [massStorageBundle("bulk-only", { bulkOnly: ForgetfulDriver })];
  const problems: string[] = [];
  for (let seed = 1; seed <= 20 && problems.length === 0; seed++)
    problems.push(...(await fuzzStorageLife({ seed, turn: hostTurn, bundles })).problems);
  assert.match(problems[0] ?? "", /never completed|for ever|still there/);
});
