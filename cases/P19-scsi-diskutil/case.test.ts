// P19: the acceptance criteria of the post that need no host adapter.

import assert from "node:assert/strict";
import { test } from "node:test";
import { TraceHash } from "@drydock/core/base/hash";
import { BulkOnlyDriver } from "@drydock/core/drivers/mass-storage/bulk-only-driver";
import { massStorageBundle } from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import { formatRegistryTree } from "@drydock/core/platform/evidence/registry-dump";
import { BlockStatus, BlockSubmit } from "@drydock/core/ports/block";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { storageDurabilityBench } from "@drydock/core/trials/durability-benches";
import { formatDurability, proveDurability } from "@drydock/core/trials/durability-prover";
import { hostTurn } from "@drydock/node/host-turn";
import { shortCommandController, shortCountController } from "./bad-driver.ts";
import {
  arrayBlocks,
  BufferedDisk,
  bringUpArray,
  RawDisk,
  scsiDiskutilCase,
  synchronizeCount,
  writeFlushCut,
} from "./case.ts";
import { exactController } from "./good-driver.ts";

const options = { seed: 19, turn: hostTurn };

test("P19 AC1: MODE SENSE one byte short: no SYNCHRONIZE CACHE, the flush succeeds, a power cut loses data", async () => {
  const run = await bringUpArray(shortCountController, options);
  const { flush, kept } = await writeFlushCut(run);
  assert.equal(flush, BlockStatus.ok);
  assert.equal(synchronizeCount(run.opcodes), 0);
  assert.ok(kept < 64, `${kept} of 64 blocks were left`);
  const story = run.bench.ledger();
  assert.equal(story?.guilty, "class driver");
  const line = story?.lines.find((text) => text.startsWith("class driver")) ?? "";
  assert.match(
    line,
    /requested 1, sent 0, suppressed 1 \(reason: write cache deemed off because .*08h.*one byte/,
  );
});

test("P19 AC2: with the count alone repaired, SYNCHRONIZE CACHE is sent and the data outlive the cut", async () => {
  const run = await bringUpArray(exactController, options);
  const { flush, kept } = await writeFlushCut(run);
  assert.equal(flush, BlockStatus.ok);
  assert.ok(synchronizeCount(run.opcodes) > 0);
  assert.equal(kept, 64);
  assert.equal(run.bench.ledger()?.guilty, null);
});

test("P19 AC3 (without a host adapter): no CDBs of 16 bytes: the end of 66 TB fails, the beginning works", async () => {
  const bytes = new Uint8Array(512).fill(0x5a);
  const short = await bringUpArray(shortCommandController, options, arrayBlocks);
  assert.equal(await short.raw.write(0, bytes), BlockStatus.ok);
  assert.equal(await short.raw.write(arrayBlocks - 1, bytes), BlockStatus.ioError);
  assert.ok((short.opcodes.get(0x8a) ?? 0) > 0, "it was WRITE(16) that failed");
  const good = await bringUpArray(exactController, options, arrayBlocks);
  assert.equal(await good.raw.write(arrayBlocks - 1, bytes), BlockStatus.ok);
  assert.deepEqual(await good.raw.read(arrayBlocks - 1), bytes);
});

/** The same transport under another name. */
class FibreChannelDriver extends BulkOnlyDriver {
  override get physicalInterconnect(): string {
    return "Fibre Channel Interface";
  }
}

test("P19 AC4: the protocol's text alone changes what information shows, and nothing else", async () => {
  const shown: string[] = [];
  const digests: string[] = [];
  for (const bulkOnly of [BulkOnlyDriver, FibreChannelDriver]) {
    const rig = defaultStorageRig(19, hostTurn, {
      policy: "bulk-only",
      bundles: [massStorageBundle("bulk-only", { bulkOnly })],
    });
    const media = await rig.openMedia();
    let pending = 0;
    media.connect({
      completed: (_slot, status) => {
        assert.equal(status, BlockStatus.ok);
        pending--;
      },
      detached: () => {},
    });
    for (let block = 0; block < 8; block++) {
      pending++;
      assert.equal(
        media.write(block, block * 8, 1, new Uint8Array(512).fill(7), 0, false),
        BlockSubmit.accepted,
      );
    }
    pending++;
    assert.equal(media.flush(8), BlockSubmit.accepted);
    await rig.machine.scheduler.run(1e12, () => pending === 0);
    const dump = formatRegistryTree(rig.machine.registry.snapshot());
    shown.push(/"Physical Interconnect"\s*=\s*"([^"]*)"/.exec(dump)?.[1] ?? "");
    const wire = new TraceHash();
    rig.usb.trace.hashInto(wire);
    digests.push(wire.digest());
  }
  assert.deepEqual(shown, ["USB", "Fibre Channel Interface"]);
  assert.equal(digests[0], digests[1]);
});

test("P19 AC5: reading back through the buffer cache proves nothing; the raw node tells", async () => {
  const { bench, raw } = await bringUpArray(shortCountController, options);
  const buffered = new BufferedDisk(raw);
  const blocks = Array.from({ length: 64 }, (_, index) => index * 8);
  for (const block of blocks) await buffered.write(block, new Uint8Array(512).fill(0xa5));
  assert.equal(await raw.flush(), BlockStatus.ok);
  const after = new RawDisk(await bench.cutPower(), bench);
  let lost = 0;
  for (const block of blocks) {
    assert.equal((await buffered.read(block))[0], 0xa5);
    if ((await after.read(block))[0] !== 0xa5) lost++;
  }
  assert.ok(lost > 0);
});

test("P19 AC6 (the first 100 cuts; test/system has all): a journalled writer loses no acknowledged flush", async () => {
  const report = await proveDurability({
    makeBench: (seed) =>
      storageDurabilityBench(seed, hostTurn, {
        timing: "none",
        target: (disk) => exactController(disk, new Map()),
      }),
    seed: 19,
    cuts: 100,
    transactions: 2,
  });
  assert.equal(report.loss, null, formatDurability(report));
  assert.equal(report.cuts, 100);
  assert.ok(report.flushes > 100);
});

test("P19: the case is sound: bad loses data, good keeps them", async () => {
  assert.equal((await scsiDiskutilCase.run("bad", options)).succeeded, false);
  const good = await scsiDiskutilCase.run("good", options);
  assert.equal(good.succeeded, true, good.result);
});
