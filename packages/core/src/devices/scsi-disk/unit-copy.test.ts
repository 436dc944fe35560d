// Third-party copy: from unit to unit and within one, holes kept, everything judged before the first block moves.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex } from "../../base/text.ts";
import { writeReadWrite } from "../../codec/scsi/cdb.ts";
import {
  type CopySegment,
  encodeCopyList,
  encodeCopySegment,
  encodeCopyTarget,
} from "../../codec/scsi/third-party-copy.ts";
import { decodeDeviceIdentification } from "../../codec/scsi/vpd.ts";
import { ScsiStatus } from "../../ports/scsi-target.ts";
import { ScsiDiskBench } from "./scsi-disk-bench.ts";
import type { ScsiUnitOptions } from "./unit-options.ts";

const copyCdb = (bytes: number) =>
  Uint8Array.of(0x83, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, bytes >> 8, bytes & 0xff, 0, 0);
const statusCdb = (listId: number) =>
  bytesFromHex(`84 00 ${hex(listId)} 00 00 00 00 00 00 00 00 00 00 40 00 00`);
const hex = (byte: number) => byte.toString(16).padStart(2, "0");

/** The descriptor of a unit, by the NAA of its page 83h. */
function targetOf(bench: ScsiDiskBench, lun: number, blockBytes = 512): Uint8Array {
  const page = bench.run(bytesFromHex("12 01 83 00 ff 00"), { lun }).data;
  const [naa] = decodeDeviceIdentification(page);
  return encodeCopyTarget({
    deviceType: 0,
    codeSet: naa.codeSet,
    designatorType: naa.type,
    designator: naa.value,
    blockBytes,
  });
}

const segmentOf = (segment: Partial<Omit<CopySegment, "kind">>): Uint8Array =>
  encodeCopySegment({
    isByDestination: false,
    source: 0,
    destination: 1,
    blocks: 1,
    sourceLba: 0,
    destinationLba: 0,
    ...segment,
  });

function bench(...units: ScsiUnitOptions[]): ScsiDiskBench {
  const made = new ScsiDiskBench(units);
  for (const lun of units.keys()) made.ready(0, lun);
  return made;
}

const copy = (at: ScsiDiskBench, list: Uint8Array, options: { lun?: number; initiator?: number } = {}) =>
  at.run(copyCdb(list.length), { data: list, ...options });
const pattern = (bytes: number, start = 1) =>
  Uint8Array.from({ length: bytes }, (_, at) => (at * 31 + (at >> 9) + start) & 0xff);
const write = (at: ScsiDiskBench, lba: number, data: Uint8Array, lun = 0, blockBytes = 512) =>
  at.run((cdb) => writeReadWrite(cdb, "write", 10, lba, data.length / blockBytes), { data, lun });
const read = (at: ScsiDiskBench, lba: number, blocks: number, lun = 0) =>
  at.run((cdb) => writeReadWrite(cdb, "read", 10, lba, blocks), { lun }).data;

test("from blocks of 512 bytes to blocks of 4096, counted on either side; the status says how much", () => {
  const at = bench({ blockCount: 4096 }, { blockCount: 512, blockBytes: 4096 });
  const data = pattern(8192);
  write(at, 16, data);
  const targets = [targetOf(at, 0), targetOf(at, 1, 4096)];
  const bySource = segmentOf({ blocks: 16, sourceLba: 16, destinationLba: 3 });
  const byDestination = segmentOf({ isByDestination: true, blocks: 2, sourceLba: 16, destinationLba: 9 });
  assert.equal(copy(at, encodeCopyList(7, targets, [bySource, byDestination])).status, ScsiStatus.good);
  assert.deepEqual(read(at, 3, 2, 1), data);
  assert.deepEqual(read(at, 9, 2, 1), data);
  const told = at.run(statusCdb(7));
  // AVAILABLE DATA 8, completed, two segments, in bytes, 16384 of them.
  assert.deepEqual(told.data, bytesFromHex("00 00 00 08 01 00 02 00 00 00 40 00"));
  assert.equal(at.run(statusCdb(7)).sense, "5/24/00", "it is told once");
  assert.equal(at.run(statusCdb(8)).sense, "5/24/00", "another list is none");
});

test("within one unit over itself, up and down, as if it were copied away first", () => {
  for (const [from, to] of [
    [0, 700],
    [700, 0],
  ]) {
    const at = bench({ blockCount: 8192 });
    const data = pattern(4096 * 512);
    write(at, from, data);
    const unit = targetOf(at, 0);
    const segment = segmentOf({ destination: 0, blocks: 4096, sourceLba: from, destinationLba: to });
    assert.equal(copy(at, encodeCopyList(0, [unit], [segment])).status, ScsiStatus.good);
    assert.ok(Buffer.compare(read(at, to, 4096), data) === 0, `${from} to ${to}`);
  }
});

test("what was never written is not written by a copy: holes stay holes, and old data there goes", () => {
  const at = bench({ blockCount: 65_536 }, { blockCount: 65_536 });
  write(at, 4096, pattern(512), 1);
  const segment = segmentOf({ blocks: 32_768 });
  assert.equal(
    copy(at, encodeCopyList(0, [targetOf(at, 0), targetOf(at, 1)], [segment])).status,
    ScsiStatus.good,
  );
  assert.deepEqual(read(at, 4096, 1, 1), new Uint8Array(512));
  assert.ok(at.device.units[1].medium.mappedRun(0, 32_768) <= -32_768);
});

test("before anything moves: no such unit, beyond either end, write protected, wrong block size, half a block", () => {
  const at = bench(
    { blockCount: 2048 },
    { blockCount: 1024, isWriteProtected: true },
    { blockCount: 64, blockBytes: 4096 },
  );
  const [plain, locked, large] = [targetOf(at, 0), targetOf(at, 1), targetOf(at, 2, 4096)];
  const stranger = targetOf(at, 0);
  stranger[8] ^= 0xff;
  const first = segmentOf({ destination: 0, blocks: 1, destinationLba: 100 });
  const cases: readonly (readonly [Uint8Array, Partial<Omit<CopySegment, "kind">>, string])[] = [
    [stranger, {}, "a/0d/02"],
    [plain, { destination: 5 }, "a/0d/02"],
    [plain, { sourceLba: 2048 }, "a/00/00"],
    [plain, { destinationLba: 2048 }, "a/00/00"],
    [plain, { sourceLba: 2 ** 53 }, "a/00/00"],
    [locked, {}, "a/27/00"],
    [targetOf(at, 2, 512), {}, "a/26/00"],
    [large, { blocks: 3 }, "a/26/00"],
  ];
  write(at, 0, pattern(512));
  for (const [second, segment, sense] of cases) {
    const list = encodeCopyList(0, [plain, second], [first, segmentOf(segment)]);
    assert.equal(copy(at, list).sense, sense, JSON.stringify(segment));
    assert.deepEqual(read(at, 100, 1), new Uint8Array(512), "the first segment was carried out");
  }
});

test("a reservation of another initiator holds for a copy; a bad place in the source ends it, and is told", () => {
  const at = bench({ blockCount: 2048 }, { blockCount: 2048 });
  at.device.units[0].medium.damage(600, 1, true);
  const targets = [targetOf(at, 0), targetOf(at, 1)];
  const list = encodeCopyList(3, targets, [
    segmentOf({ blocks: 8 }),
    segmentOf({ blocks: 8, sourceLba: 596 }),
  ]);
  assert.equal(copy(at, list).sense, "a/0d/01");
  // With errors, after one segment.
  assert.deepEqual(at.run(statusCdb(3)).data.subarray(4, 7), Uint8Array.of(2, 0, 1));
  at.ready(1, 1);
  // RESERVE(6) of the destination by somebody else.
  assert.equal(at.run(bytesFromHex("16 00 00 00 00 00"), { initiator: 1, lun: 1 }).status, ScsiStatus.good);
  const one = encodeCopyList(4, targets, [segmentOf({})]);
  assert.equal(copy(at, one).sense, "a/0d/01");
});

test("mutated lists: an answer each time, and a good one only for whole lists", () => {
  const at = bench({ blockCount: 2048 }, { blockCount: 2048 });
  const good = encodeCopyList(1, [targetOf(at, 0), targetOf(at, 1)], [segmentOf({ blocks: 4 })]);
  const random = new Random(16);
  let refused = 0;
  for (let round = 0; round < 3000; round++) {
    const list = good.slice(0, random.below(2) === 0 ? good.length : random.below(good.length));
    for (let count = random.below(4); count > 0 && list.length > 0; count--)
      list[random.below(list.length)] = random.below(256);
    const { sense, status } = copy(at, list);
    if (status !== ScsiStatus.good) {
      assert.equal(status, ScsiStatus.checkCondition);
      assert.match(sense, /^[5a]\//);
      refused++;
    }
  }
  assert.ok(refused > 1500, `${refused} refused`);
});
