// P19 AC6 in full: too long for the unit tests.

import assert from "node:assert/strict";
import { test } from "node:test";
import { storageDurabilityBench } from "@drydock/core/trials/durability-benches";
import { formatDurability, proveDurability } from "@drydock/core/trials/durability-prover";
import { hostTurn } from "@drydock/node/host-turn";
import { exactController } from "../../good-driver.ts";

test("P19 AC6: 1000 cuts of a journalled writer lose no acknowledged flush behind the good driver", async () => {
  const report = await proveDurability({
    makeBench: (seed) =>
      storageDurabilityBench(seed, hostTurn, {
        timing: "none",
        target: (disk) => exactController(disk, new Map()),
      }),
    seed: 19,
    cuts: 1000,
    transactions: 2,
  });
  assert.equal(report.loss, null, formatDurability(report));
  assert.equal(report.cuts, 1000);
  assert.ok(report.flushes > 1000);
});
