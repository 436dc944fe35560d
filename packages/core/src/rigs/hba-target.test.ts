// A LUN behind a host adapter, as an outlet sees it: data, lengths, sense, aborts, attentions, and what is refused.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { bytesFromHex } from "../base/text.ts";
import { second } from "../base/units.ts";
import { decodeSense } from "../codec/scsi/sense.ts";
import type { ScsiUnitOptions } from "../devices/scsi-disk/unit-options.ts";
import { ScsiDirection, ScsiStatus, ScsiTask } from "../ports/scsi-target.ts";
import { HbaTarget } from "./hba-target.ts";
import { defaultRaidRig } from "./raid-rig.ts";

async function open(unit: Partial<ScsiUnitOptions> = {}) {
  const rig = defaultRaidRig(1, hostTurn, { trace: false, drives: [[{ blockCount: 131_072, ...unit }]] });
  await rig.openMedia();
  const { scheduler } = rig.machine;
  const [drive] = rig.scsi.controllers.flatMap(({ targets }) => [...targets.values()]);
  const target = new HbaTarget(drive, 512);
  const finished = new Set<ScsiTask>();
  target.connect({ finished: (task) => finished.add(task) });
  /** Begun and on its way; null: it was over at once. */
  const send = (cdb: Uint8Array, data: Uint8Array | null = null, initiator = 0): ScsiTask => {
    const task = new ScsiTask();
    task.cdb.set(cdb);
    task.cdbBytes = cdb.length;
    task.initiator = initiator;
    if (target.begin(task)) finished.add(task);
    else {
      task.data = data ?? new Uint8Array(task.transferBytes);
      task.dataBytes = task.data.length;
      if (target.execute(task)) finished.add(task);
    }
    return task;
  };
  const until = async (task: ScsiTask, limitNs = 60 * second) => {
    await scheduler.run(scheduler.nowNs() + limitNs, () => finished.has(task));
    assert.ok(finished.delete(task), "no end came");
    return task;
  };
  const run = (cdb: string, data: Uint8Array | null = null, initiator = 0) =>
    until(send(bytesFromHex(cdb), data, initiator));
  return { rig, scheduler, target, send, until, run };
}

const senseOf = (task: ScsiTask): string => {
  const { code, key } = decodeSense(task.sense.subarray(0, task.senseBytes));
  return `${key.toString(16)}/${code.toString(16).padStart(4, "0")}`;
};

test("written, compared, read: through dext, controller and drive; an answer is as long as it says", async () => {
  const { rig, run } = await open();
  const data = Uint8Array.from({ length: 2048 }, (_, at) => (at * 13) & 0xff);
  assert.equal((await run("2a 00 00 00 00 64 00 00 04 00", data)).status, ScsiStatus.good);
  const read = await run("28 00 00 00 00 64 00 00 04 00");
  assert.deepEqual([read.status, read.movedBytes], [ScsiStatus.good, 2048]);
  assert.deepEqual(read.data.subarray(0, 2048), data);
  // VERIFY with BYTCHK 1 takes data, with 0 none; COMPARE AND WRITE takes twice its blocks.
  assert.equal((await run("2f 02 00 00 00 64 00 00 04 00", data)).status, ScsiStatus.good);
  const differs = await run("2f 02 00 00 00 64 00 00 04 00", new Uint8Array(2048));
  assert.equal(senseOf(differs), "e/1d00");
  const exchanged = await run("89 00 00 00 00 00 00 00 00 64 00 00 00 01 00 00", new Uint8Array(1024));
  assert.equal(senseOf(exchanged), "e/1d00");
  // An MFI frame has no word for what came: the answer's own length stands for it.
  const inquiry = await run("12 00 00 00 ff 00");
  assert.equal(inquiry.movedBytes, inquiry.data[4] + 5);
  assert.equal(inquiry.transferBytes, inquiry.movedBytes);
  assert.equal(rig.pci.iommu.refusedCount, 0);
});

test("reservations and long CDBs are refused; an unknown command has the drive's own answer", async () => {
  const { run } = await open();
  for (const cdb of ["16 00 00 00 00 00", "5e 00 00 00 00 00 00 00 08 00", "5f 00 00 00 00 00 00 00 18 00"])
    assert.equal(senseOf(await run(cdb)), "5/2000", cdb);
  const unknown = await run("c1 00 00 00 00 00");
  assert.deepEqual([unknown.status, unknown.direction], [ScsiStatus.checkCondition, ScsiDirection.none]);
  assert.equal(senseOf(unknown), "5/2000");
});

test("an abort ends with TASK ABORTED, once; the command that takes its slot is left alone when the abort's time is up", async () => {
  const { rig, run, scheduler, send, target, until } = await open({ accessNs: 2 * second });
  const read = bytesFromHex("28 00 00 00 00 00 00 00 01 00");
  const doomed = send(read);
  await scheduler.run(scheduler.nowNs() + second / 2, () => false);
  target.abort(doomed);
  assert.equal((await until(doomed)).status, ScsiStatus.taskAborted);
  // An abort may take five seconds: half a second before, the slot has another command.
  await scheduler.run(scheduler.nowNs() + 4.5 * second, () => false);
  assert.equal((await until(send(read))).status, ScsiStatus.good);
  assert.equal(rig.pci.iommu.refusedCount, 0, "memory was taken from under the hardware");
  assert.equal((await run("00 00 00 00 00 00")).status, ScsiStatus.good);
});

test("after a reset every initiator hears of it once; who was cleared by another hears that", async () => {
  const { run, target } = await open();
  for (const initiator of [0, 1]) await run("00 00 00 00 00 00", null, initiator);
  target.resetUnit();
  for (const initiator of [0, 1]) {
    assert.equal((await run("12 00 00 00 24 00", null, initiator)).status, ScsiStatus.good);
    assert.equal(senseOf(await run("00 00 00 00 00 00", null, initiator)), "6/2903");
    assert.equal((await run("00 00 00 00 00 00", null, initiator)).status, ScsiStatus.good);
  }
  target.commandsCleared(0, 1);
  assert.equal((await run("00 00 00 00 00 00", null, 0)).status, ScsiStatus.good);
  assert.equal(senseOf(await run("00 00 00 00 00 00", null, 1)), "6/2f00");
});

test("a drive that has gone: what is sent ends in an error of hardware, and nothing waits for ever", async () => {
  const { rig, run } = await open();
  rig.pci.bus.unplug(1);
  const lost = await run("28 00 00 00 00 00 00 00 01 00");
  assert.equal(lost.status, ScsiStatus.checkCondition);
  assert.match(senseOf(lost), /^[4b]\/4400$/);
});
