// P19 behind a host adapter: the post's array, each omission named with its layer, a ledger to the controller.

import assert from "node:assert/strict";
import { test } from "node:test";
import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { BlockStatus } from "@drydock/core/ports/block";
import { defaultRaidRig } from "@drydock/core/rigs/raid-rig";
import { raidDurabilityBench } from "@drydock/core/trials/durability-benches";
import { formatDurability, proveDurability } from "@drydock/core/trials/durability-prover";
import { hostTurn } from "@drydock/node/host-turn";
import { arrayBlocks, RawDisk, synchronizeCount } from "./case.ts";
import { controllerBefore, type OpcodeLog } from "./controller.ts";
import { partitionDisk } from "./disk-tool.ts";
import { type HbaOmission, hbaBundle } from "./hba-drivers.ts";

async function bringUp(omission: HbaOmission | null, blockCount = 131_072) {
  const opcodes: OpcodeLog = new Map();
  const bench = await raidDurabilityBench(19, hostTurn, {
    bundles: [hbaBundle(omission)],
    drives: [[{ blockCount }]],
    target: (disk) => controllerBefore(disk, opcodes, false),
  });
  return { bench, opcodes, raw: new RawDisk(bench.port, bench) };
}

/** 64 blocks, a flush, a cut: how many are left, and who was named. */
async function flushAndCut(omission: HbaOmission | null) {
  const { bench, opcodes, raw } = await bringUp(omission);
  for (let block = 0; block < 64; block++) await raw.write(block * 8, new Uint8Array(512).fill(0xa5));
  const flush = await raw.flush();
  const story = bench.ledger();
  const sent = synchronizeCount(opcodes);
  const after = new RawDisk(await bench.cutPower(), bench);
  let kept = 0;
  for (let block = 0; block < 64; block++) if ((await after.read(block * 8))[511] === 0xa5) kept++;
  return { flush, kept, sent, guilty: story?.guilty ?? null, lines: story?.lines ?? [] };
}

test("P19 AC1 in the dext: fBytesTransferred one byte short: nothing is sent, success is said, the class driver is named", async () => {
  const { flush, guilty, kept, lines, sent } = await flushAndCut("byte-count");
  assert.equal(flush, BlockStatus.ok);
  assert.equal(sent, 0);
  assert.ok(kept < 64, `${kept} of 64`);
  assert.equal(guilty, "class driver");
  assert.match(
    lines.join("\n"),
    /class driver: requested 1, sent 0, suppressed 1 \(reason: write cache deemed off/,
  );
  assert.match(lines.at(-1) ?? "", /^controller: requested 0, completed 0/);
});

test("P19 AC2 in the dext: exact counts: the flush goes through every layer, and the data outlive the cut", async () => {
  const { flush, guilty, kept, lines, sent } = await flushAndCut(null);
  assert.equal(flush, BlockStatus.ok);
  assert.ok(sent > 0);
  assert.equal(kept, 64);
  assert.equal(guilty, null);
  assert.match(lines.at(-1) ?? "", /^controller: requested 1, completed 1, failed 0$/);
});

test("P19, a flush that the dext answers itself: success, nothing reaches the array, the controller is named", async () => {
  const { flush, guilty, kept, lines, sent } = await flushAndCut("flush");
  assert.equal(flush, BlockStatus.ok);
  assert.equal(sent, 0);
  assert.ok(kept < 64, `${kept} of 64`);
  assert.equal(guilty, "controller");
  assert.match(lines.at(-1) ?? "", /completed early 1 \(reason: answered inside the call/);
});

test("P19 AC3: 66 TB without 16-byte CDBs: the start works, partitioning ends with -69825; the good driver partitions it", async () => {
  const good = await bringUp(null, arrayBlocks);
  assert.equal(await partitionDisk(good.raw, arrayBlocks), null);
  assert.ok((good.opcodes.get(0x8a) ?? 0) > 0 && synchronizeCount(good.opcodes) > 0);
  assert.equal((await good.raw.read(arrayBlocks - 1))[0], 0x45);
  const bad = await bringUp("long-commands", arrayBlocks);
  assert.equal(await bad.raw.write(0, new Uint8Array(512).fill(1)), BlockStatus.ok, "dd at the start works");
  assert.match((await partitionDisk(bad.raw, arrayBlocks)) ?? "", /^Error: -69825: Wiping volume data/);
  assert.equal(bad.opcodes.get(0x8a) ?? 0, 0, "the refused command never reached the array");
});

test("P19 AC4 in the dext: the personality's interconnect alone changes what tools show, and no command", async () => {
  const shown: string[] = [];
  const asked: string[] = [];
  for (const interconnect of ["SCSI Parallel Interface", "Fibre Channel Interface"]) {
    const opcodes: OpcodeLog = new Map();
    const rig = defaultRaidRig(19, hostTurn, {
      bundles: [hbaBundle(null, interconnect)],
      target: (disk) => controllerBefore(disk, opcodes, false),
    });
    await rig.openMedia();
    const tree = formatRegistryTree(rig.machine.registry.snapshot());
    shown.push(
      /"Protocol Characteristics" = \{[^}]*"Physical Interconnect"\s*=\s*"([^"]*)"/.exec(tree)?.[1] ?? "",
    );
    asked.push(JSON.stringify([...opcodes]));
  }
  assert.deepEqual(shown, ["SCSI Parallel Interface", "Fibre Channel Interface"]);
  assert.equal(asked[0], asked[1]);
});

test("P19 AC6 behind the adapter (the first 60 cuts): a journalled writer loses no acknowledged flush", async () => {
  const report = await proveDurability({
    makeBench: (seed) => raidDurabilityBench(seed, hostTurn, { timing: "none", bundles: [hbaBundle(null)] }),
    seed: 19,
    cuts: 60,
    transactions: 2,
  });
  assert.equal(report.loss, null, formatDurability(report));
  assert.equal(report.cuts, 60);
});
