// The whole storage stack under the durability prover: the good driver keeps every flush, P19's names what dropped it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { storageDurabilityBench, withShortModeSense } from "./durability-benches.ts";
import { formatDurability, proveDurability } from "./durability-prover.ts";

for (const policy of ["bulk-only", "uas"] as const) {
  test(`stack, ${policy}: no acknowledged flush is lost`, async () => {
    const report = await proveDurability({
      makeBench: (seed) => storageDurabilityBench(seed, hostTurn, { policy, timing: "none" }),
      seed: 1,
      cuts: 150,
      transactions: 2,
    });
    assert.equal(report.loss, null, formatDurability(report));
    assert.ok(report.flushes > 150);
  });

  test(`stack, ${policy}: MODE SENSE one byte short loses a flush, and the ledger names the class driver`, async () => {
    const report = await proveDurability({
      makeBench: (seed) =>
        storageDurabilityBench(seed, hostTurn, { policy, timing: "none", target: withShortModeSense }),
      seed: 1,
      cuts: 1000,
      transactions: 4,
    });
    const { loss } = report;
    assert.ok(loss !== null, "within the first 1000 cuts");
    assert.match(loss.promise, /^flush \d+$/);
    assert.ok(loss.sector >= 0 && loss.found < loss.promised);
    assert.equal(loss.ledger?.guilty, "class driver");
    const text = formatDurability(report);
    assert.match(text, /layer {5}class driver/);
    assert.match(text, /class driver: requested \d+, sent 0, suppressed \d+ \(reason: .*08h/);
  });
}
