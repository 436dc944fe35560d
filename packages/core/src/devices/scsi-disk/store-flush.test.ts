// A disk over a store whose flushes take time and may fail: who waits, who does not, and what is told about a failure.

import assert from "node:assert/strict";
import { test } from "node:test";
import {
  CdbFlag,
  writeModeSelect,
  writePersistentReserveIn,
  writePersistentReserveOut,
  writeReadWrite,
  writeStartStopUnit,
  writeSynchronizeCache,
  writeTestUnitReady,
} from "../../codec/scsi/cdb.ts";
import { decodeKeys, encodeReserveOut, iscsiTransportId, noKey } from "../../codec/scsi/reservations.ts";
import { StoreResult } from "../../ports/block-store.ts";
import { ScsiStatus, type ScsiTask } from "../../ports/scsi-target.ts";
import type { KeptReservations, ReservationKeeper } from "./kept-reservations.ts";
import { ScsiDiskBench } from "./scsi-disk-bench.ts";
import { SparseStore } from "./sparse-store.ts";

/** Flushes end when the test says so. */
class HeldStore extends SparseStore {
  readonly waiting: ((result: StoreResult) => void)[] = [];

  override flush(done: (result: StoreResult) => void): StoreResult {
    this.waiting.push(done);
    return StoreResult.later;
  }
}

function heldDisk(options: { writeCache?: boolean; isRemovable?: boolean } = {}) {
  const store = new HeldStore(2048 * 512);
  const bench = new ScsiDiskBench([{ blockCount: 2048, store, ...options }]).ready();
  /** Begins; over or not. */
  const start = (write: (cdb: Uint8Array) => number, data = new Uint8Array(512)): ScsiTask => {
    const cdb = new Uint8Array(32);
    const task = bench.task(cdb.subarray(0, write(cdb)));
    if (bench.device.begin(task)) return task;
    task.data = data;
    task.dataBytes = Math.min(task.transferBytes, data.length);
    if (bench.device.execute(task)) bench.finished.push(task);
    return task;
  };
  return { bench, start, store };
}

const writeBlock = (cdb: Uint8Array) => writeReadWrite(cdb, "write", 10, 5, 1);
const forcedBlock = (cdb: Uint8Array) => writeReadWrite(cdb, "write", 10, 5, 1, CdbFlag.forceUnitAccess);
const synchronize = (cdb: Uint8Array) => writeSynchronizeCache(cdb, 10);

test("a flush waits for the store, and nobody waits for it: reads and writes go on meanwhile", () => {
  const { bench, start, store } = heldDisk();
  const flush = start(synchronize);
  const write = start(writeBlock);
  const read = start((cdb) => writeReadWrite(cdb, "read", 10, 5, 1));
  assert.deepEqual(bench.finished, [write, read]);
  store.waiting[0](StoreResult.ok);
  assert.deepEqual(bench.finished, [write, read, flush]);
  assert.equal(flush.status, ScsiStatus.good);
});

test("every command that promises durability waits, and says it when the store failed (SBC-3 §4.14)", () => {
  const stop = (cdb: Uint8Array) => writeStartStopUnit(cdb, { start: false });
  const eject = (cdb: Uint8Array) => writeStartStopUnit(cdb, { start: false, loadEject: true });
  const promises: readonly [string, (cdb: Uint8Array) => number, boolean][] = [
    ["SYNCHRONIZE CACHE", synchronize, true],
    ["a forced write", forcedBlock, true],
    ["a write without cache", writeBlock, false],
    ["START STOP UNIT, stop", stop, true],
    ["START STOP UNIT, eject", eject, true],
  ];
  for (const [name, command, writeCache] of promises) {
    const { bench, start, store } = heldDisk({ writeCache, isRemovable: true });
    const task = start(command);
    assert.deepEqual(bench.finished, [], name);
    store.waiting[0](StoreResult.failed);
    assert.equal(bench.answer(task).sense, "3/0c/00", name);
    // What was to happen after the flush has not happened: the disk turns, the medium is in.
    assert.equal(bench.run(writeTestUnitReady).status, ScsiStatus.good, name);
  }
});

test("switching the write cache off is over when the cache is empty", () => {
  const { bench, start, store } = heldDisk();
  const list = new Uint8Array(4 + 20);
  list.set([0x08, 0x12], 4);
  const select = start((cdb) => writeModeSelect(cdb, list.length, false), list);
  assert.deepEqual(bench.finished, []);
  store.waiting[0](StoreResult.noSpace);
  assert.equal(bench.answer(select).sense, "7/27/07");
});

test("an aborted flush is told once, as aborted; what the store says later is nobody's", () => {
  const { bench, start, store } = heldDisk();
  const flush = start(synchronize);
  bench.device.abort(flush);
  while (bench.clock.step());
  assert.deepEqual(bench.finished, [flush]);
  assert.equal(flush.status, ScsiStatus.taskAborted);
  store.waiting[0](StoreResult.ok);
  assert.equal(bench.finished.length, 1);
  assert.equal(flush.status, ScsiStatus.taskAborted);
});

/** Keeps in memory, when the test says so. */
class HeldKeeper implements ReservationKeeper {
  kept: KeptReservations | null = null;
  canKeep = true;
  waiting: (() => void) | null = null;

  keep(state: KeptReservations | null, done: (isKept: boolean) => void): void {
    this.waiting = () => {
      this.waiting = null;
      if (this.canKeep) this.kept = state;
      done(this.canKeep);
    };
  }
}

const [mine, yours] = ["00000000000000aa", "00000000000000bb"];

/** A disk whose initiators have names, by their numbers. */
function namedDisk(keeper: ReservationKeeper, names: string[]) {
  const bench = new ScsiDiskBench([{ blockCount: 2048, keeper }]);
  bench.device.connect({
    finished: (task) => bench.finished.push(task),
    transportIdOf: (initiator) => iscsiTransportId(names[initiator], "000000000001"),
  });
  for (const initiator of names.keys()) bench.ready(initiator);
  const out = (initiator: number, action: number, type: number, key: string, actionKey: string) => {
    const cdb = new Uint8Array(10);
    writePersistentReserveOut(cdb, action, type);
    const task = bench.task(cdb, initiator);
    if (bench.device.begin(task)) return bench.answer(task);
    task.data = encodeReserveOut({
      key,
      actionKey,
      specifyInitiators: false,
      allTargetPorts: false,
      throughPowerLoss: true,
    });
    task.dataBytes = task.data.length;
    if (bench.device.execute(task)) bench.finished.push(task);
    return { ...bench.answer(task), task };
  };
  const keys = () => decodeKeys(bench.run((cdb) => writePersistentReserveIn(cdb, 0, 256)).data).keys;
  const write = (initiator: number) => bench.run(writeBlock, { initiator }).status;
  return { bench, keys, out, write };
}

test("APTPL: GOOD when it is kept, and the next life knows owner and others by name, whatever their numbers", () => {
  const keeper = new HeldKeeper();
  const first = namedDisk(keeper, ["iqn.a", "iqn.b"]);
  const { task } = first.out(0, 0, 0, noKey, mine);
  assert.deepEqual(first.bench.finished, []);
  // One after the other: what the second begins with is not known yet.
  assert.equal(first.out(1, 0, 0, noKey, yours).status, ScsiStatus.busy);
  keeper.waiting?.();
  assert.deepEqual(first.bench.finished.splice(0).length, 2);
  assert.equal(task?.status, ScsiStatus.good);
  first.out(0, 1, 5, mine, noKey);
  keeper.waiting?.();

  const second = namedDisk(keeper, ["iqn.b", "iqn.c", "iqn.a"]);
  assert.deepEqual(second.keys(), [mine]);
  assert.equal(second.write(0), ScsiStatus.reservationConflict);
  assert.equal(second.write(1), ScsiStatus.reservationConflict);
  assert.equal(second.write(2), ScsiStatus.good);
});

test("APTPL that could not be kept is an error, and nothing is registered; where nothing can be kept it is refused", () => {
  const keeper = new HeldKeeper();
  const disk = namedDisk(keeper, ["iqn.a"]);
  const { task } = disk.out(0, 0, 0, noKey, mine);
  keeper.canKeep = false;
  keeper.waiting?.();
  assert.equal(disk.bench.answer(task as ScsiTask).sense, "4/44/00");
  assert.deepEqual(disk.keys(), []);
  // SPC-4 §6.16.3: PTPL_C 0.
  const capabilities = disk.bench.run((cdb) => writePersistentReserveIn(cdb, 2, 8)).data;
  assert.equal(capabilities[2] & 1, 0);
  assert.equal(disk.out(0, 0, 0, noKey, mine).sense, "5/26/00");
});

test("a number that is given to another initiator does not inherit a registration", () => {
  const names = ["iqn.a", "iqn.b"];
  const keeper = new HeldKeeper();
  const disk = namedDisk(keeper, names);
  disk.out(0, 0, 0, noKey, mine);
  keeper.waiting?.();
  disk.out(0, 1, 1, mine, noKey);
  keeper.waiting?.();
  disk.bench.device.nexusLost(0);
  names[0] = "iqn.stranger";
  disk.bench.ready(0);
  assert.equal(disk.write(0), ScsiStatus.reservationConflict);
  disk.bench.device.nexusLost(1);
  names[1] = "iqn.a";
  disk.bench.ready(1);
  assert.equal(disk.write(1), ScsiStatus.good, "its owner comes back under another number");
});
