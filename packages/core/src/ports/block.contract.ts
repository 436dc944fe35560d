// The contract of BlockPort as a list of checks. The disk on the port is at least 4096 blocks, and nobody else's.

import { isSameBytes } from "../base/bytes.ts";
import { Random } from "../base/random.ts";
import {
  type BlockClient,
  type BlockPort,
  BlockRuns,
  type BlockStatus,
  BlockSubmit,
  BlockStatus as Status,
} from "./block.ts";
import { type ContractCheck, expect, expectEqual } from "./contract.ts";

/** Records what a disk tells its client, and notices calls from inside a call of the disk. */
export class RecordingBlockClient implements BlockClient {
  readonly completions: { slot: number; status: BlockStatus }[] = [];
  detachments = 0;
  completedAfterDetached = 0;
  isInsideCall = false;
  calledInside = 0;
  onCompleted: ((slot: number, status: BlockStatus) => void) | null = null;

  completed(slot: number, status: BlockStatus): void {
    if (this.isInsideCall) this.calledInside++;
    if (this.detachments > 0) this.completedAfterDetached++;
    this.completions.push({ slot, status });
    this.onCompleted?.(slot, status);
  }

  detached(): void {
    if (this.isInsideCall) this.calledInside++;
    this.detachments++;
  }

  of(slot: number): BlockStatus[] {
    return this.completions.filter((entry) => entry.slot === slot).map((entry) => entry.status);
  }
}

/** What a check is given: a disk at rest, connected to `client`; its contents may be anything. */
export interface BlockBench {
  readonly port: BlockPort;
  readonly client: RecordingBlockClient;
  /** Runs until nothing more happens by itself: everything accepted has completed. */
  settle(): Promise<void>;
  /** Takes the disk away; null where that cannot be done. */
  readonly unplug: (() => void) | null;
  /** Cuts the power and brings the disk back on a new bench; null where that cannot be done. */
  readonly cutPower: (() => Promise<BlockBench>) | null;
}

type Check = ContractCheck<BlockBench>;

/** Requests of a check stay below this, whatever the disk allows. */
const largestRequest = 1 << 20;

function pattern(length: number, seed: number): Uint8Array {
  const random = new Random(seed);
  const bytes = new Uint8Array(length);
  for (let at = 0; at < length; at++) bytes[at] = random.next32() >>> 24;
  return bytes;
}

function sizeOf(bench: BlockBench, blocks: number): number {
  return bench.port.geometry.blockBytes * blocks;
}

/** Submits, settles, and answers the status of the slot's last completion. */
async function finish(bench: BlockBench, slot: number, submitted: BlockSubmit): Promise<BlockStatus> {
  expectEqual(submitted, BlockSubmit.accepted, "submitted");
  await bench.settle();
  const statuses = bench.client.of(slot);
  expect(statuses.length > 0, `slot ${slot} never completed`);
  return statuses[statuses.length - 1];
}

async function write(bench: BlockBench, block: number, data: Uint8Array, isForced = false): Promise<void> {
  const blocks = data.length / bench.port.geometry.blockBytes;
  expectEqual(
    await finish(bench, 0, bench.port.write(0, block, blocks, data.slice(), 0, isForced)),
    Status.ok,
    `write of ${blocks} blocks at ${block}`,
  );
}

async function read(bench: BlockBench, block: number, blocks: number): Promise<Uint8Array> {
  const buffer = new Uint8Array(sizeOf(bench, blocks));
  expectEqual(
    await finish(bench, 1, bench.port.read(1, block, blocks, buffer, 0)),
    Status.ok,
    `read of ${blocks} blocks at ${block}`,
  );
  return buffer;
}

async function flush(bench: BlockBench): Promise<void> {
  expectEqual(await finish(bench, 2, bench.port.flush(2)), Status.ok, "flush");
}

const dataChecks: Check[] = [
  {
    name: "the geometry is a disk's",
    run: async (bench) => {
      const { blockBytes, blockCount, maximumBlocks } = bench.port.geometry;
      expect(blockBytes >= 512 && blockBytes <= 65536, "blocks of 512 to 65536 bytes");
      expectEqual(Math.log2(blockBytes) % 1, 0, "a power of two");
      expect(Number.isSafeInteger(blockCount * blockBytes) && blockCount >= 4096, "size");
      expect(Number.isInteger(maximumBlocks) && maximumBlocks >= 16, "at least 16 blocks in a request");
      expect(bench.port.slotCount >= 64, "at least 64 slots");
    },
  },
  {
    name: "what was written is read back, also over several blocks and at both ends",
    run: async (bench) => {
      const { blockCount } = bench.port.geometry;
      const several = Math.min(5, bench.port.geometry.maximumBlocks);
      for (const [seed, block, blocks] of [
        [1, 0, 1],
        [2, 7, several],
        [3, blockCount - several, several],
      ]) {
        const data = pattern(sizeOf(bench, blocks), seed);
        await write(bench, block, data);
        expect(isSameBytes(await read(bench, block, blocks), data), `contents at ${block}`);
      }
    },
  },
  {
    name: "a request of maximumBlocks passes (up to a mebibyte)",
    run: async (bench) => {
      const { blockBytes, maximumBlocks } = bench.port.geometry;
      const blocks = Math.min(maximumBlocks, largestRequest / blockBytes);
      const data = pattern(sizeOf(bench, blocks), 4);
      await write(bench, 1, data);
      expect(isSameBytes(await read(bench, 1, blocks), data), "contents");
    },
  },
  {
    name: "the offset chooses the part of the buffer, and nothing outside is touched",
    run: async (bench) => {
      const { blockBytes } = bench.port.geometry;
      const data = pattern(3 * blockBytes, 5);
      expectEqual(
        await finish(bench, 0, bench.port.write(0, 20, 1, data, blockBytes - 7, false)),
        Status.ok,
        "write",
      );
      const back = new Uint8Array(3 * blockBytes).fill(0xee);
      expectEqual(await finish(bench, 1, bench.port.read(1, 20, 1, back, 13)), Status.ok, "read");
      expect(
        isSameBytes(back.subarray(13, 13 + blockBytes), data.subarray(blockBytes - 7, 2 * blockBytes - 7)),
        "contents at the offset",
      );
      expect(
        back.every((byte, index) => (index >= 13 && index < 13 + blockBytes) || byte === 0xee),
        "outside",
      );
    },
  },
  {
    name: "a write leaves its neighbours alone",
    run: async (bench) => {
      const around = pattern(sizeOf(bench, 3), 6);
      await write(bench, 30, around);
      const middle = pattern(sizeOf(bench, 1), 7);
      await write(bench, 31, middle);
      around.set(middle, sizeOf(bench, 1));
      expect(isSameBytes(await read(bench, 30, 3), around), "contents");
    },
  },
  {
    name: "a flush and a forced write succeed",
    run: async (bench) => {
      await flush(bench);
      await write(bench, 2, pattern(sizeOf(bench, 1), 8));
      await flush(bench);
      const data = pattern(sizeOf(bench, 2), 9);
      await write(bench, 2, data, true);
      expect(isSameBytes(await read(bench, 2, 2), data), "contents");
    },
  },
  {
    name: "trim succeeds and leaves the neighbours alone, or is refused as unsupported",
    run: async (bench) => {
      const { canTrim } = bench.port.geometry;
      const data = pattern(sizeOf(bench, 16), 10);
      await write(bench, 64, data);
      if (!canTrim) {
        expectEqual(bench.port.trim(3, 66, 8), BlockSubmit.unsupported, "refused");
        return;
      }
      expectEqual(await finish(bench, 3, bench.port.trim(3, 66, 8)), Status.ok, "trim");
      const back = await read(bench, 64, 16);
      const edge = sizeOf(bench, 2);
      expect(isSameBytes(back.subarray(0, edge), data.subarray(0, edge)), "before");
      const behind = sizeOf(bench, 10);
      expect(isSameBytes(back.subarray(behind), data.subarray(behind)), "behind");
    },
  },
  {
    name: "writeZeroes makes zeros and nothing else, or is refused as unsupported",
    run: async (bench) => {
      const { canWriteZeroes } = bench.port.geometry;
      for (const mayTrim of [false, true]) {
        const data = pattern(sizeOf(bench, 16), 11);
        await write(bench, 96, data);
        const submitted = bench.port.writeZeroes(3, 99, 9, mayTrim, true);
        if (!canWriteZeroes) {
          expectEqual(submitted, BlockSubmit.unsupported, "refused");
          continue;
        }
        expectEqual(await finish(bench, 3, submitted), Status.ok, "writeZeroes");
        data.fill(0, sizeOf(bench, 3), sizeOf(bench, 12));
        expect(isSameBytes(await read(bench, 96, 16), data), "contents");
      }
    },
  },
  {
    name: "300 seeded requests leave what a plain array would hold",
    run: async (bench) => {
      const random = new Random(12);
      const { blockBytes, canWriteZeroes, maximumBlocks } = bench.port.geometry;
      const blocks = 64;
      const image = pattern(blocks * blockBytes, 13);
      for (let at = 0; at < blocks; at += Math.min(blocks, maximumBlocks))
        await write(
          bench,
          at,
          image.subarray(at * blockBytes, Math.min(blocks, at + maximumBlocks) * blockBytes),
        );
      for (let round = 0; round < 300; round++) {
        const block = random.below(blocks);
        const count = 1 + random.below(Math.min(blocks - block, maximumBlocks));
        const choice = random.below(canWriteZeroes ? 5 : 4);
        if (choice < 2) {
          const back = await read(bench, block, count);
          expect(
            isSameBytes(back, image.subarray(block * blockBytes, (block + count) * blockBytes)),
            `round ${round}: ${count} blocks at ${block}`,
          );
        } else if (choice === 4) {
          image.fill(0, block * blockBytes, (block + count) * blockBytes);
          const submitted = bench.port.writeZeroes(4, block, count, random.chance(0.5), random.chance(0.2));
          expectEqual(await finish(bench, 4, submitted), Status.ok, "writeZeroes");
        } else {
          const data = pattern(count * blockBytes, 1000 + round);
          image.set(data, block * blockBytes);
          await write(bench, block, data, random.chance(0.2));
        }
        if (random.chance(0.1)) await flush(bench);
      }
    },
  },
];

const requestChecks: Check[] = [
  {
    name: "what lies outside the disk or is larger than maximumBlocks is refused without a completion",
    run: async (bench) => {
      const { blockBytes, blockCount, maximumBlocks } = bench.port.geometry;
      const buffer = new Uint8Array(Math.min(blockBytes * 64, largestRequest));
      const { port } = bench;
      for (const [block, blocks] of [
        [blockCount, 1],
        [blockCount - 1, 2],
        [-1, 1],
        [0, 0],
        [0, -1],
        [0.5, 1],
        [0, 1.5],
        [Number.NaN, 1],
        [2 ** 53, 1],
      ]) {
        const what = `${blocks} blocks at ${block}`;
        expectEqual(port.read(0, block, blocks, buffer, 0), BlockSubmit.badRequest, `read of ${what}`);
        expectEqual(
          port.write(0, block, blocks, buffer, 0, false),
          BlockSubmit.badRequest,
          `write of ${what}`,
        );
        if (port.geometry.canTrim)
          expectEqual(port.trim(0, block, blocks), BlockSubmit.badRequest, `trim of ${what}`);
        if (port.geometry.canWriteZeroes)
          expectEqual(
            port.writeZeroes(0, block, blocks, false, false),
            BlockSubmit.badRequest,
            `zeroes of ${what}`,
          );
      }
      if (maximumBlocks < blockCount && (maximumBlocks + 1) * blockBytes <= 64 * largestRequest) {
        const large = new Uint8Array((maximumBlocks + 1) * blockBytes);
        expectEqual(port.read(0, 0, maximumBlocks + 1, large, 0), BlockSubmit.badRequest, "read too large");
      }
      await bench.settle();
      expectEqual(bench.client.completions.length, 0, "completions");
    },
  },
  {
    name: "a buffer that is too small is refused",
    run: async (bench) => {
      const { blockBytes } = bench.port.geometry;
      const buffer = new Uint8Array(blockBytes);
      expectEqual(bench.port.read(0, 0, 2, buffer, 0), BlockSubmit.badRequest, "read");
      expectEqual(bench.port.write(0, 0, 1, buffer, 1, false), BlockSubmit.badRequest, "offset");
      expectEqual(bench.port.write(0, 0, 1, buffer, -1, false), BlockSubmit.badRequest, "negative offset");
      await bench.settle();
      expectEqual(bench.client.completions.length, 0, "completions");
    },
  },
  {
    name: "a slot that is under way, and one that does not exist, are refused",
    run: async (bench) => {
      const buffer = new Uint8Array(sizeOf(bench, 1));
      expectEqual(bench.port.read(5, 0, 1, buffer, 0), BlockSubmit.accepted, "first");
      expectEqual(bench.port.flush(5), BlockSubmit.badRequest, "same slot");
      for (const slot of [-1, bench.port.slotCount, 0.5])
        expectEqual(bench.port.flush(slot), BlockSubmit.badRequest, `slot ${slot}`);
      await bench.settle();
      expectEqual(bench.client.of(5).join(), String(Status.ok), "completions");
    },
  },
  {
    name: "64 requests at once complete once each with the right data",
    run: async (bench) => {
      const { blockBytes } = bench.port.geometry;
      const data = Array.from({ length: 64 }, (_, index) => pattern(blockBytes, 200 + index));
      for (const [slot, bytes] of data.entries())
        expectEqual(
          bench.port.write(slot, 3 * slot, 1, bytes.slice(), 0, false),
          BlockSubmit.accepted,
          "write",
        );
      await bench.settle();
      const back = data.map(() => new Uint8Array(blockBytes));
      for (const [slot, bytes] of back.entries())
        expectEqual(bench.port.read(slot, 3 * slot, 1, bytes, 0), BlockSubmit.accepted, "read");
      await bench.settle();
      for (let slot = 0; slot < 64; slot++) {
        expectEqual(bench.client.of(slot).join(), `${Status.ok},${Status.ok}`, `slot ${slot}`);
        expect(isSameBytes(back[slot], data[slot]), `contents of ${slot}`);
      }
    },
  },
  {
    name: "a slot can be used again inside its own completion",
    run: async (bench) => {
      const buffer = new Uint8Array(sizeOf(bench, 1));
      let again = 0;
      bench.client.onCompleted = (slot) => {
        if (slot !== 9 || again >= 5) return;
        again++;
        expectEqual(bench.port.read(9, again, 1, buffer, 0), BlockSubmit.accepted, "again");
      };
      expectEqual(bench.port.read(9, 0, 1, buffer, 0), BlockSubmit.accepted, "first");
      await bench.settle();
      expectEqual(bench.client.of(9).length, 6, "completions");
    },
  },
  {
    name: "nothing completes inside a call of the disk",
    run: async (bench) => {
      const buffer = new Uint8Array(sizeOf(bench, 4));
      const { client, port } = bench;
      client.isInsideCall = true;
      let accepted = 0;
      const note = (submitted: BlockSubmit) => {
        if (submitted === BlockSubmit.accepted) accepted++;
      };
      note(port.write(0, 0, 1, buffer, 0, false));
      note(port.write(1, 8, 1, buffer, sizeOf(bench, 1), true));
      note(port.read(2, 16, 1, buffer, sizeOf(bench, 2)));
      note(port.flush(3));
      note(port.trim(4, 24, 1));
      note(port.writeZeroes(5, 32, 1, true, false));
      if (port.allocation !== undefined) note(port.allocation(6, 0, 64, new BlockRuns()));
      client.isInsideCall = false;
      await bench.settle();
      expectEqual(client.calledInside, 0, "calls from inside");
      expectEqual(client.completions.length, accepted, "completions");
    },
  },
];

const allocationChecks: Check[] = [
  {
    name: "what was written is no hole, runs cover what was asked for or less, and a hole reads as zeros",
    run: async (bench) => {
      const { client, port } = bench;
      if (port.allocation === undefined) return;
      await write(bench, 100, pattern(sizeOf(bench, 8), 30));
      expectEqual(port.writeZeroes(0, 0, 16, true, false), BlockSubmit.accepted, "zeros");
      await bench.settle();
      const runs = new BlockRuns();
      const before = client.of(1).length;
      const submitted = port.allocation(1, 0, 256, runs);
      if (submitted === BlockSubmit.unsupported) return;
      expectEqual(submitted, BlockSubmit.accepted, "submitted");
      await bench.settle();
      expectEqual(client.of(1).length, before + 1, "completions");
      expect(runs.count >= 1, "at least one run");
      let at = 0;
      for (let index = 0; index < runs.count; index++) {
        const end = at + runs.blocks[index];
        expect(runs.blocks[index] >= 1, "a run has blocks");
        if (runs.isHole[index] === 1) {
          expect(end <= 100 || at >= 108, `what was written is no hole (${at} to ${end})`);
          const first = await read(bench, at, 1);
          expect(
            first.every((byte) => byte === 0),
            `a hole reads as zeros (${at})`,
          );
        }
        at = end;
      }
      expect(at <= 256, "no more than was asked for");
      expectEqual(port.allocation(2, 0, 0, runs), BlockSubmit.badRequest, "no blocks");
      expectEqual(
        port.allocation(2, port.geometry.blockCount, 1, runs),
        BlockSubmit.badRequest,
        "past the end",
      );
    },
  },
];

const endChecks: Check[] = [
  {
    name: "a disk that leaves ends everything once, then says detached once; after that all is refused",
    run: async (bench) => {
      if (bench.unplug === null) return;
      const { client, port } = bench;
      const buffer = new Uint8Array(sizeOf(bench, 8));
      for (let slot = 0; slot < 8; slot++)
        expectEqual(port.read(slot, slot, 1, buffer, sizeOf(bench, slot)), BlockSubmit.accepted, "read");
      bench.unplug();
      await bench.settle();
      for (let slot = 0; slot < 8; slot++) {
        const statuses = client.of(slot);
        expectEqual(statuses.length, 1, `completions of slot ${slot}`);
        expect(statuses[0] === Status.gone || statuses[0] === Status.ok, `status of slot ${slot}`);
      }
      expectEqual(client.detachments, 1, "detached");
      expectEqual(client.completedAfterDetached, 0, "completions after detached");
      expectEqual(port.read(0, 0, 1, buffer, 0), BlockSubmit.gone, "read");
      expectEqual(port.write(0, 0, 1, buffer, 0, false), BlockSubmit.gone, "write");
      expectEqual(port.flush(0), BlockSubmit.gone, "flush");
      expectEqual(port.trim(0, 0, 1), BlockSubmit.gone, "trim");
      expectEqual(port.writeZeroes(0, 0, 1, false, false), BlockSubmit.gone, "writeZeroes");
      await bench.settle();
      expectEqual(client.completions.length, 8, "nothing more comes");
    },
  },
  {
    name: "after a power cut what was flushed, forced, or never cached is there",
    run: async (bench) => {
      if (bench.cutPower === null) return;
      const flushed = pattern(sizeOf(bench, 4), 20);
      await write(bench, 40, flushed);
      await flush(bench);
      const forced = pattern(sizeOf(bench, 2), 21);
      await write(bench, 50, pattern(sizeOf(bench, 2), 22));
      await write(bench, 50, forced, true);
      const last = pattern(sizeOf(bench, 1), 23);
      await write(bench, 60, last);
      const { hasWriteCache } = bench.port.geometry;
      const later = await bench.cutPower();
      expect(isSameBytes(await read(later, 40, 4), flushed), "what was flushed");
      expect(isSameBytes(await read(later, 50, 2), forced), "what was forced");
      if (!hasWriteCache) expect(isSameBytes(await read(later, 60, 1), last), "what was never cached");
    },
  },
];

/** Every implementation runs all of it, in CI and on a desk. */
export const blockContract: readonly Check[] = [
  ...dataChecks,
  ...requestChecks,
  ...allocationChecks,
  ...endChecks,
];
