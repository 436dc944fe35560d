// The memory disk keeps the block contract, and loses at a power cut exactly what it may lose.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { type BlockBench, blockContract, RecordingBlockClient } from "../../ports/block.contract.ts";
import { BlockStatus, BlockSubmit } from "../../ports/block.ts";
import { runContract } from "../../ports/contract.ts";
import { MemoryDisk, type MemoryDiskOptions } from "./memory-disk-device.ts";

type Extra = Partial<MemoryDiskOptions>;

function newDisk(seed: number, extra: Extra = {}): { clock: VirtualClock; disk: MemoryDisk } {
  const clock = new VirtualClock();
  return { clock, disk: new MemoryDisk({ clock, random: new Random(seed), blockCount: 4096, ...extra }) };
}

function benchOf(clock: VirtualClock, disk: MemoryDisk): BlockBench {
  const client = new RecordingBlockClient();
  const port = disk.powerOn();
  port.connect(client);
  return {
    port,
    client,
    settle: async () => clock.runUntil(),
    unplug: () => disk.cutPower(),
    cutPower: async () => {
      disk.cutPower();
      clock.runUntil();
      return benchOf(clock, disk);
    },
  };
}

const variants: readonly [string, Extra][] = [
  ["plain", {}],
  ["4096-byte blocks, 66 TB", { blockBytes: 4096, blockCount: 66e12 / 4096 }],
  ["write cache", { hasWriteCache: true }],
  ["latency and cache", { hasWriteCache: true, latencyNs: [1000, 500_000] }],
  ["short requests", { maximumBlocks: 16 }],
];

for (const [name, extra] of variants) {
  test(`memory disk, ${name}: the block contract`, async () => {
    for (const seed of [1, 2, 3]) {
      const results = await runContract(blockContract, async () => {
        const { clock, disk } = newDisk(seed, extra);
        return benchOf(clock, disk);
      });
      assert.ok(results.length >= 17);
      assert.deepEqual(
        results.filter((result) => result.problem !== null),
        [],
      );
    }
  });
}

test("memory disk: what was not flushed is lost in part, block by block, differently for each seed", () => {
  const survivors = new Set<string>();
  for (let seed = 1; seed <= 20; seed++) {
    const { clock, disk } = newDisk(seed, { hasWriteCache: true });
    const bench = benchOf(clock, disk);
    assert.equal(
      bench.port.write(0, 0, 32, new Uint8Array(32 * 512).fill(7), 0, false),
      BlockSubmit.accepted,
    );
    clock.runUntil();
    assert.equal(disk.cachedBlocks, 32);
    disk.cutPower();
    clock.runUntil();
    const kept = Array.from({ length: 32 }, (_, block) => disk.peek(block)[0] === 7);
    assert.ok(kept.includes(true) && kept.includes(false), `seed ${seed} keeps some and loses some`);
    survivors.add(kept.join());
  }
  assert.ok(survivors.size > 15);
});

test("memory disk: a cut in the middle of a write tears it, and the write ends with gone", () => {
  const { clock, disk } = newDisk(3);
  const bench = benchOf(clock, disk);
  bench.port.write(0, 0, 32, new Uint8Array(32 * 512).fill(7), 0, false);
  disk.cutPower();
  clock.runUntil();
  assert.deepEqual(bench.client.of(0), [BlockStatus.gone]);
  const kept = Array.from({ length: 32 }, (_, block) => disk.peek(block)[0] === 7);
  assert.ok(kept.includes(true) && kept.includes(false));
});

test("memory disk: a read-only disk refuses what would change it", () => {
  const { clock, disk } = newDisk(1, { isReadOnly: true });
  const { port } = benchOf(clock, disk);
  assert.equal(port.write(0, 0, 1, new Uint8Array(512), 0, false), BlockSubmit.unsupported);
  assert.equal(port.trim(0, 0, 1), BlockSubmit.unsupported);
  assert.equal(port.writeZeroes(0, 0, 1, false, false), BlockSubmit.unsupported);
  assert.equal(port.flush(0), BlockSubmit.accepted);
});

test("memory disk: only what was written takes memory, and trimming gives it back", () => {
  const { clock, disk } = newDisk(1, { blockCount: 66e12 / 512 });
  const { port } = benchOf(clock, disk);
  port.write(0, 66e12 / 512 - 128, 128, new Uint8Array(65536).fill(1), 0, false);
  clock.runUntil();
  assert.ok(disk.allocatedBytes <= 131072);
  port.trim(0, 66e12 / 512 - 512, 512);
  clock.runUntil();
  assert.ok(disk.allocatedBytes <= 65536);
});

test("memory disk: impossible geometries are refused with what is possible", () => {
  assert.throws(() => newDisk(1, { blockBytes: 500 }), /power of two/);
  assert.throws(() => newDisk(1, { blockCount: 0 }), /1 block/);
  assert.throws(() => newDisk(1, { blockCount: 2 ** 53 }), /2\^53/);
});
