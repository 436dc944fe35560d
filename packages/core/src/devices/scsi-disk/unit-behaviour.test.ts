// What the disk does beyond moving blocks: spindle, drawer, bad places, buffers, erasing, who may write.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex } from "../../base/text.ts";
import {
  writeLogSense,
  writeModeSelect,
  writeModeSense6,
  writePersistentReserveIn,
  writePersistentReserveOut,
  writePreventAllow,
  writeReadWrite,
  writeRequestSense,
  writeStartStopUnit,
  writeSynchronizeCache,
  writeTestUnitReady,
  writeUnmap,
  writeVerify,
  writeWriteSame,
} from "../../codec/scsi/cdb.ts";
import { decodeLogPage, LogPage } from "../../codec/scsi/log-pages.ts";
import { ModePage } from "../../codec/scsi/mode-pages.ts";
import { decodeLbaStatus, encodeUnmapList } from "../../codec/scsi/provisioning.ts";
import { decodeFullStatus, decodeKeys, encodeReserveOut, noKey } from "../../codec/scsi/reservations.ts";
import { decodeSense } from "../../codec/scsi/sense.ts";
import { ScsiStatus } from "../../ports/scsi-target.ts";
import { ScsiDiskBench } from "./scsi-disk-bench.ts";

const second = 1e9;
const block = (value: number) => new Uint8Array(512).fill(value);
const read =
  (lba: number, blocks = 1) =>
  (cdb: Uint8Array) =>
    writeReadWrite(cdb, "read", 10, lba, blocks);
const write =
  (lba: number, blocks = 1) =>
  (cdb: Uint8Array) =>
    writeReadWrite(cdb, "write", 10, lba, blocks);

test("a slow spindle: NOT READY with progress until it turns, START waits for it, IMMED does not", () => {
  const bench = new ScsiDiskBench([{ blockCount: 2048, spinUpNs: 25 * second, startsSpinning: false }]);
  assert.equal(bench.run(writeTestUnitReady).sense, "6/29/00");
  assert.equal(bench.run(writeTestUnitReady).sense, "2/04/02");
  assert.equal(bench.run(read(0)).sense, "2/04/02");
  const begun = bench.clock.nowNs();
  const immediate = bench.run((cdb) => writeStartStopUnit(cdb, { start: true, immediate: true }));
  assert.equal(immediate.status, ScsiStatus.good);
  assert.equal(bench.clock.nowNs(), begun);
  bench.clock.runUntil(begun + 10 * second);
  const coming = bench.run(writeTestUnitReady);
  assert.equal(coming.sense, "2/04/01");
  assert.equal(decodeSense(coming.senseBytes).progress, Math.floor(0.4 * 65536));
  assert.equal(bench.run((cdb) => writeStartStopUnit(cdb, { start: true })).status, ScsiStatus.good);
  assert.equal(bench.clock.nowNs(), begun + 25 * second);
  assert.equal(bench.run(read(0)).status, ScsiStatus.good);
});

test("standby: ready, and the next read waits for the spindle; REQUEST SENSE says why", () => {
  const bench = new ScsiDiskBench([{ blockCount: 2048, spinUpNs: 5 * second }]);
  bench.clock.runUntil(6 * second);
  bench.ready();
  const standby = (cdb: Uint8Array) => writeStartStopUnit(cdb, { start: false, powerCondition: 3 });
  assert.equal(bench.run(standby).status, ScsiStatus.good);
  assert.equal(bench.run(writeTestUnitReady).status, ScsiStatus.good);
  const sense = decodeSense(bench.run((cdb) => writeRequestSense(cdb, 252)).data);
  assert.deepEqual([sense.key, sense.code], [0, 0x5e04]);
  const begun = bench.clock.nowNs();
  assert.equal(bench.run(read(0)).status, ScsiStatus.good);
  assert.equal(bench.clock.nowNs() - begun, 5 * second);
});

test("a removable disk: prevention holds the drawer, ejecting empties it, others hear of what was loaded", () => {
  const bench = new ScsiDiskBench([{ blockCount: 2048, isRemovable: true }]).ready().ready(1);
  const eject = (cdb: Uint8Array) => writeStartStopUnit(cdb, { start: false, loadEject: true });
  const load = (cdb: Uint8Array) => writeStartStopUnit(cdb, { start: true, loadEject: true });
  bench.run((cdb) => writePreventAllow(cdb, true), { initiator: 1 });
  assert.equal(bench.run(eject).sense, "5/53/02");
  bench.device.nexusLost(1);
  assert.equal(bench.run(eject).status, ScsiStatus.good);
  assert.equal(bench.run(writeTestUnitReady).sense, "2/3a/00");
  assert.equal(bench.run(read(0)).sense, "2/3a/00");
  assert.equal(bench.run(load).status, ScsiStatus.good);
  assert.equal(bench.run(writeTestUnitReady).status, ScsiStatus.good);
  assert.equal(bench.run(writeTestUnitReady, { initiator: 1 }).sense, "6/29/07");
  assert.equal(bench.run(writeTestUnitReady, { initiator: 1 }).sense, "6/28/00");
  // A disk that is not removable has no drawer.
  assert.equal(new ScsiDiskBench().ready().run(eject).sense, "5/24/00");
});

test("bad blocks: what lies before comes, sense names the first; a write heals, unless the place is dead", () => {
  const bench = new ScsiDiskBench().ready();
  bench.run(write(0, 8), { data: new Uint8Array(4096).fill(7) });
  bench.device.units[0].medium.damage(3, 2, false);
  const answer = bench.run(read(0, 8));
  assert.equal(answer.sense, "3/11/00");
  assert.equal(decodeSense(answer.senseBytes).information, 3);
  assert.equal(answer.movedBytes, 3 * 512);
  assert.equal(bench.run((cdb) => writeVerify(cdb, 10, 4, 1)).sense, "3/11/00");
  assert.equal(bench.run(write(3), { data: block(9) }).status, ScsiStatus.good);
  assert.equal(decodeSense(bench.run(read(0, 8)).senseBytes).information, 4);
  bench.device.units[0].medium.damage(100, 1, true);
  const dead = bench.run(write(98, 4), { data: new Uint8Array(2048) });
  assert.equal(dead.sense, "3/0c/00");
  assert.equal(decodeSense(dead.senseBytes).information, 100);
});

test("a flush takes what it owes; with IMMED its status comes at once and the data later", () => {
  const bench = new ScsiDiskBench([{ blockCount: 131072, flushNsPerMebibyte: second }]).ready();
  bench.run(write(0, 4096), { data: new Uint8Array(4096 * 512).fill(1) });
  const begun = bench.clock.nowNs();
  bench.run((cdb) => writeSynchronizeCache(cdb, 10, 0, 0, true));
  assert.equal(bench.clock.nowNs(), begun);
  assert.equal(bench.device.units[0].medium.owedBytes, 2 << 20);
  assert.equal(bench.run((cdb) => writeSynchronizeCache(cdb, 10)).status, ScsiStatus.good);
  assert.equal(bench.clock.nowNs() - begun, 2 * second);
  assert.equal(bench.device.units[0].medium.owedBytes, 0);
});

test("switching the write cache off empties it, others hear of it, and a reset brings the saved value back", () => {
  const bench = new ScsiDiskBench().ready().ready(1);
  bench.run(write(0), { data: block(1) });
  const page = bytesFromHex(`00 00 00 00 08 12 00 ${"00".repeat(17)}`);
  const select = bench.run((cdb) => writeModeSelect(cdb, page.length, false), { data: page });
  assert.equal(select.status, ScsiStatus.good, select.sense);
  assert.equal(bench.device.units[0].medium.owedBytes, 0);
  assert.equal(bench.run(writeTestUnitReady, { initiator: 1 }).sense, "6/2a/01");
  const request = { page: ModePage.caching, noBlockDescriptors: true, allocationBytes: 255 };
  assert.equal(bench.run((cdb) => writeModeSense6(cdb, request)).data[6] & 4, 0);
  bench.device.resetUnit(0);
  assert.equal(bench.run(writeTestUnitReady).sense, "6/29/03");
  assert.equal(bench.run((cdb) => writeModeSense6(cdb, request)).data[6] & 4, 4);
});

test("software write protection refuses writes and nothing else; the switch on the case says so itself", () => {
  const bench = new ScsiDiskBench().ready();
  const page = bytesFromHex("00 00 00 00 0a 0a 00 10 08 00 00 00 00 00 00 00");
  assert.equal(bench.run((cdb) => writeModeSelect(cdb, 16, false), { data: page }).status, ScsiStatus.good);
  assert.equal(bench.run(write(0), { data: block(1) }).sense, "7/27/02");
  assert.equal(bench.run(read(0)).status, ScsiStatus.good);
  const closed = new ScsiDiskBench([{ blockCount: 64, isWriteProtected: true }]).ready();
  assert.equal(closed.run(write(0), { data: block(1) }).sense, "7/27/01");
  assert.equal(closed.run((cdb) => writeUnmap(cdb, 8), { data: new Uint8Array(8) }).sense, "7/27/01");
});

test("UNMAP: zeros at once, GET LBA STATUS tells, and no power cut undoes it", () => {
  const bench = new ScsiDiskBench([{ blockCount: 2048 }], 3).ready();
  bench.run(write(0, 64), { data: new Uint8Array(64 * 512).fill(5) });
  bench.run((cdb) => writeSynchronizeCache(cdb, 10));
  const list = encodeUnmapList([
    { lba: 8, blocks: 16 },
    { lba: 40, blocks: 8 },
  ]);
  assert.equal(bench.run((cdb) => writeUnmap(cdb, list.length), { data: list }).status, ScsiStatus.good);
  const status = bench.run(bytesFromHex("9e 12 00 00 00 00 00 00 00 00 00 00 02 00 00 00"));
  assert.deepEqual(
    decodeLbaStatus(status.data).map((extent) => [extent.lba, extent.blocks, extent.status]),
    [
      [0, 8, 0],
      [8, 16, 1],
      [24, 16, 0],
      [40, 8, 1],
      [48, 16, 0],
      [64, 1984, 1],
    ],
  );
  bench.device.powerCycle();
  bench.ready();
  assert.ok(bench.run(read(8, 16)).data.every((byte) => byte === 0));
  const beyond = encodeUnmapList([{ lba: 2040, blocks: 9 }]);
  assert.equal(bench.run((cdb) => writeUnmap(cdb, beyond.length), { data: beyond }).sense, "5/21/00");
});

test("WRITE SAME: zeros unmap, other bytes are written; 0 blocks only where the disk says so", () => {
  const bench = new ScsiDiskBench([{ blockCount: 2048, writesSameToEnd: true }]).ready();
  const same = (lba: number, blocks: number) => (cdb: Uint8Array) =>
    writeWriteSame(cdb, 16, lba, blocks, { unmap: true });
  bench.run(same(2000, 0), { data: block(9) });
  assert.ok(bench.run(read(2000, 48)).data.every((byte) => byte === 9));
  bench.run(same(2000, 0), { data: block(0) });
  assert.ok(bench.run(read(2000, 48)).data.every((byte) => byte === 0));
  assert.equal(new ScsiDiskBench().ready().run(same(0, 0), { data: block(0) }).sense, "5/24/00");
});

test("LOG SENSE: temperature, and every start of the spindle counted", () => {
  const bench = new ScsiDiskBench().ready();
  const log = (page: number) => decodeLogPage(bench.run((cdb) => writeLogSense(cdb, page, 255)).data);
  assert.deepEqual([...log(LogPage.temperature).parameters[0].value], [0, 30]);
  const starts = () => log(LogPage.startStopCycles).parameters[1].value[3];
  const before = starts();
  bench.run((cdb) => writeStartStopUnit(cdb, { start: false }));
  bench.run((cdb) => writeStartStopUnit(cdb, { start: true }));
  assert.equal(starts(), before + 1);
  assert.equal(bench.run((cdb) => writeLogSense(cdb, 0x3e, 64)).sense, "5/24/00");
});

test("READ and WRITE BUFFER: what was written is there, another mode or too much is refused", () => {
  const bench = new ScsiDiskBench().ready();
  const data = Uint8Array.from({ length: 100 }, (_, at) => at);
  const put = bench.run(bytesFromHex("3b 02 00 00 01 00 00 00 64 00"), { data });
  assert.equal(put.status, ScsiStatus.good);
  assert.deepEqual(bench.run(bytesFromHex("3c 02 00 00 01 00 00 00 64 00")).data, data);
  assert.deepEqual([...bench.run(bytesFromHex("3c 03 00 00 00 00 00 00 04 00")).data], [0, 1, 0, 0]);
  assert.equal(bench.run(bytesFromHex("3b 05 00 00 00 00 00 00 04 00"), { data }).sense, "5/24/00");
  assert.equal(bench.run(bytesFromHex("3b 02 00 00 ff ff 00 00 64 00"), { data }).sense, "5/24/00");
});

test("FORMAT UNIT and SANITIZE leave zeros, or the pattern that was asked for", () => {
  const bench = new ScsiDiskBench([{ blockCount: 64 }]).ready();
  const fill = () => bench.run(write(0, 64), { data: new Uint8Array(64 * 512).fill(3) });
  const isAll = (value: number) => bench.run(read(0, 64)).data.every((byte) => byte === value);
  fill();
  assert.equal(bench.run(bytesFromHex("04 00 00 00 00 00")).status, ScsiStatus.good);
  assert.ok(isAll(0));
  fill();
  assert.equal(bench.run(bytesFromHex("48 02 00 00 00 00 00 00 00 00")).status, ScsiStatus.good);
  assert.ok(isAll(0));
  const pattern = bytesFromHex("01 00 00 01 5a");
  const overwrite = bench.run(bytesFromHex("48 01 00 00 00 00 00 00 05 00"), { data: pattern });
  assert.equal(overwrite.status, ScsiStatus.good, overwrite.sense);
  assert.ok(isAll(0x5a));
});

test("a persistent reservation: others read but do not write, keys are listed, preempting is heard of", () => {
  const bench = new ScsiDiskBench().ready().ready(1);
  const out = (initiator: number, action: number, type: number, key: string, actionKey: string) =>
    bench.run((cdb) => writePersistentReserveOut(cdb, action, type), {
      initiator,
      data: encodeReserveOut({
        key,
        actionKey,
        specifyInitiators: false,
        allTargetPorts: false,
        throughPowerLoss: false,
      }),
    });
  const [mine, yours] = ["00000000000000aa", "00000000000000bb"];
  assert.equal(out(0, 0, 0, noKey, mine).status, ScsiStatus.good);
  assert.equal(out(0, 1, 1, mine, noKey).status, ScsiStatus.good);
  assert.equal(bench.run(write(0), { data: block(1), initiator: 1 }).status, ScsiStatus.reservationConflict);
  assert.equal(bench.run(read(0), { initiator: 1 }).status, ScsiStatus.good);
  assert.equal(out(1, 1, 1, yours, noKey).status, ScsiStatus.reservationConflict);
  assert.equal(out(1, 0, 0, noKey, yours).status, ScsiStatus.good);
  const keys = bench.run((cdb) => writePersistentReserveIn(cdb, 0, 256));
  assert.deepEqual(decodeKeys(keys.data).keys, [mine, yours]);
  const full = decodeFullStatus(bench.run((cdb) => writePersistentReserveIn(cdb, 3, 512)).data);
  assert.deepEqual(
    full.map(({ key, isHolder }) => [key, isHolder]),
    [
      [mine, true],
      [yours, false],
    ],
  );
  assert.equal(out(1, 4, 1, yours, mine).status, ScsiStatus.good);
  assert.equal(bench.run(writeTestUnitReady).sense, "6/2a/05");
  assert.equal(bench.run(write(0), { data: block(1) }).status, ScsiStatus.reservationConflict);
  bench.device.powerCycle();
  bench.ready();
  assert.equal(bench.run(write(0), { data: block(1) }).status, ScsiStatus.good);
});
