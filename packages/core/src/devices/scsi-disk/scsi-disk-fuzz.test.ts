// Any CDB of any length on the logical unit: every answer is a legal status, with legal sense data where it belongs.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { scsiCommands } from "../../codec/scsi/commands.ts";
import { decodeSense, SenseKey } from "../../codec/scsi/sense.ts";
import { ScsiDirection, ScsiStatus } from "../../ports/scsi-target.ts";
import { ScsiDiskBench } from "./scsi-disk-bench.ts";
import type { ScsiUnitOptions } from "./unit-options.ts";

const statuses: ReadonlySet<number> = new Set([
  ScsiStatus.good,
  ScsiStatus.checkCondition,
  ScsiStatus.conditionMet,
  ScsiStatus.reservationConflict,
]);
const keys: ReadonlySet<number> = new Set([
  SenseKey.noSense,
  SenseKey.notReady,
  SenseKey.mediumError,
  SenseKey.illegalRequest,
  SenseKey.unitAttention,
  SenseKey.dataProtect,
  SenseKey.miscompare,
]);

const units: readonly ScsiUnitOptions[] = [
  { blockCount: 2048, hasLongCommands: true },
  { blockCount: 300, blockBytes: 4096, isRemovable: true, spinUpNs: 1e9, accessNs: 1000 },
  { blockCount: 128_906_250_000, isWriteProtected: true },
  { blockCount: 1000, writesSameToEnd: true, maximumTransferBytes: 65536, isThin: false },
];

/** A CDB: of a known command with some bits wrong, or of nothing at all. */
function anyCdb(random: Random): Uint8Array {
  if (random.chance(0.2)) {
    const cdb = new Uint8Array(random.below(33));
    for (let at = 0; at < cdb.length; at++) cdb[at] = random.below(256);
    return cdb;
  }
  const info = scsiCommands[random.below(scsiCommands.length)];
  const cdb = new Uint8Array(info.cdbBytes);
  for (let at = 1; at < cdb.length; at++)
    if (random.chance(0.3)) cdb[at] = random.below(256) & info.usage[at];
  cdb[0] = info.opcode;
  if (cdb[0] === 0x7f) cdb.set([info.usage[7], info.serviceAction >> 8, info.serviceAction & 0xff], 7);
  else if (info.serviceAction >= 0) cdb[1] = (cdb[1] & 0xe0) | info.serviceAction;
  // Addresses are small now and then, so that something is found there.
  if (info.lbaAt >= 0 && random.chance(0.7))
    cdb.fill(0, info.lbaAt, Math.min(cdb.length - 1, info.lbaAt + 3));
  if (info.lengthWidth > 1 && random.chance(0.7))
    cdb.fill(0, info.lengthAt, info.lengthAt + info.lengthWidth - 1);
  if (random.chance(0.2)) cdb[random.below(cdb.length)] ^= 1 << random.below(8);
  return random.chance(0.05) ? cdb.subarray(0, random.below(cdb.length)) : cdb;
}

test("60 000 CDBs of every length, with data of every length: legal status, legal sense, nothing beyond the room", () => {
  const random = new Random(7);
  const bench = new ScsiDiskBench(units, 7);
  const seen = new Map<string, number>();
  const note = (name: string) => seen.set(name, (seen.get(name) ?? 0) + 1);
  for (let round = 0; round < 60_000; round++) {
    if (round % 400 === 0) bench.device.resetTarget();
    if (round % 7000 === 0) bench.device.powerCycle();
    if (round % 900 === 0) bench.device.units[1].load();
    const cdb = anyCdb(random);
    const initiator = random.below(3);
    const task = bench.task(cdb, initiator, random.below(units.length + 1));
    const room = random.chance(0.8) ? random.below(4097) : random.below(1 << 18);
    const where = `${Buffer.from(cdb).toString("hex")} on ${task.lun}, room ${room}`;
    if (!bench.device.begin(task)) {
      assert.ok(task.transferBytes >= 0 && Number.isSafeInteger(task.transferBytes), where);
      const bytes = Math.min(room, task.transferBytes);
      // Guard bytes on both sides.
      const memory = new Uint8Array(bytes + 16).fill(0xd7);
      if (task.direction === ScsiDirection.out)
        for (let at = 8; at < 8 + bytes; at++) memory[at] = random.chance(0.8) ? 0 : random.below(256);
      task.data = memory;
      task.dataOffset = 8;
      task.dataBytes = bytes;
      if (!bench.device.execute(task)) while (!bench.finished.includes(task) && bench.clock.step());
      bench.finished.length = 0;
      assert.ok(task.movedBytes >= 0 && task.movedBytes <= bytes, `${where}: moved ${task.movedBytes}`);
      for (let at = 0; at < 8; at++) {
        assert.equal(memory[at], 0xd7, where);
        assert.equal(memory[8 + bytes + at], 0xd7, where);
      }
    }
    assert.ok(statuses.has(task.status), `${where}: status ${task.status}`);
    note(`status ${task.status}`);
    if (task.status !== ScsiStatus.checkCondition) {
      assert.equal(task.senseBytes, 0, where);
      continue;
    }
    const sense = decodeSense(task.sense.subarray(0, task.senseBytes));
    assert.ok(keys.has(sense.key), `${where}: key ${sense.key}`);
    assert.ok(sense.key === SenseKey.noSense || sense.code !== 0, where);
    if (sense.fieldPointer?.isCdb) assert.ok(sense.fieldPointer.byte < 32, where);
    note(`key ${sense.key}`);
  }
  // Each kind of answer was among them, so that the checks were about something.
  const wanted = [
    "status 0",
    "status 2",
    "status 4",
    "status 24",
    "key 2",
    "key 5",
    "key 6",
    "key 7",
    "key 14",
  ];
  for (const name of wanted) assert.ok((seen.get(name) ?? 0) > 0, `${name} never came: ${[...seen]}`);
});
