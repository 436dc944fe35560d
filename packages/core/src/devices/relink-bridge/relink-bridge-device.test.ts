// The bridge by itself: what each behaviour does to a relink, without any driver.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  BridgeOpcode,
  bridgeLengthAt,
  decodeBridgeState,
  RelinkPhase,
} from "../../codec/mass-storage/relink-bridge.ts";
import { ScsiStatus, ScsiTask } from "../../ports/scsi-target.ts";
import { ScsiDiskDevice } from "../scsi-disk/scsi-disk-device.ts";
import { BridgeSecurity, friendlyBridge, type RelinkBehaviour, relinkDelayNs } from "./bridge-security.ts";

const code = Uint8Array.from({ length: 16 }, (_, index) => index);

class Bench {
  readonly clock = new VirtualClock();
  readonly notes: string[] = [];
  readonly finished: ScsiTask[] = [];
  readonly bridge: BridgeSecurity;
  drops = 0;

  constructor(behaviour: Partial<RelinkBehaviour>) {
    const target = new ScsiDiskDevice({ clock: this.clock, units: [{ blockCount: 1024 }] });
    this.bridge = new BridgeSecurity({
      clock: this.clock,
      target,
      behaviour: { ...friendlyBridge, ...behaviour },
      unlockCode: code,
      onNote: (text) => this.notes.push(text),
    });
    this.bridge.connect({ finished: (task) => this.finished.push(task) });
    this.bridge.dropLink = () => {
      this.drops++;
    };
    // The disk's own unit attention.
    this.send(0x00);
    this.send(0x00);
  }

  send(opcode: number, out: Uint8Array | null = null, inBytes = 0): ScsiTask {
    const task = new ScsiTask();
    task.cdb[0] = opcode;
    task.cdb[bridgeLengthAt] = out?.length ?? inBytes;
    task.cdbBytes = 16;
    if (this.bridge.begin(task)) return task;
    task.data = out ?? new Uint8Array(task.transferBytes);
    task.dataBytes = task.data.length;
    this.bridge.execute(task);
    return task;
  }

  query() {
    return decodeBridgeState(this.send(BridgeOpcode.query, null, 4).data);
  }

  /** Blocks by READ CAPACITY(10); -1 when it was refused. */
  lastBlock(): number {
    const task = this.send(0x25);
    if (task.status !== ScsiStatus.good) return -1;
    return new DataView(task.data.buffer).getUint32(0);
  }

  run(ns: number): void {
    this.clock.runUntil(this.clock.nowNs() + ns);
  }

  unlock(): void {
    assert.equal(this.send(BridgeOpcode.unlock, code).status, ScsiStatus.good);
  }
}

const senseOf = (task: ScsiTask) =>
  `${task.sense[2] & 15}/${task.sense[12].toString(16)}/${task.sense[13].toString(16)}`;

test("locked: capacity 0, reads are refused, a wrong code is refused", () => {
  const bench = new Bench({});
  assert.equal(bench.lastBlock(), 0);
  assert.equal(senseOf(bench.send(0x28)), "7/74/71");
  assert.equal(senseOf(bench.send(BridgeOpcode.unlock, new Uint8Array(16))), "7/74/71");
  assert.deepEqual(bench.query(), { isLocked: true, isHidden: true, phase: RelinkPhase.none });
  bench.unlock();
  assert.deepEqual(bench.query(), { isLocked: false, isHidden: true, phase: RelinkPhase.none });
  assert.equal(bench.lastBlock(), 0, "unlocked shows after a relink only");
});

test("disconnect after the status: the link drops once, and the drive is there", () => {
  const bench = new Bench({});
  bench.unlock();
  assert.equal(bench.send(BridgeOpcode.relink).status, ScsiStatus.good);
  bench.run(relinkDelayNs);
  assert.equal(bench.drops, 1);
  assert.equal(bench.lastBlock(), 1023);
});

test("an attention in place of a drop; a stale capacity until a reset", () => {
  const bench = new Bench({ relink: "attention", capacity: "stale" });
  bench.unlock();
  bench.send(BridgeOpcode.relink);
  bench.run(relinkDelayNs);
  assert.equal(bench.drops, 0);
  assert.equal(senseOf(bench.send(0x00)), "6/28/0");
  assert.equal(bench.lastBlock(), 0);
  bench.bridge.resetUnit(0);
  // The disk's word on the reset.
  bench.send(0x00);
  assert.equal(bench.lastBlock(), 1023);
});

test("recovery before the status leaves it half done until the port is reset", () => {
  const bench = new Bench({ drop: "before status" });
  bench.unlock();
  const task = bench.send(BridgeOpcode.relink);
  bench.run(relinkDelayNs / 2);
  assert.deepEqual(bench.finished, []);
  bench.bridge.abort(task);
  bench.bridge.resetTarget();
  bench.run(relinkDelayNs);
  assert.deepEqual(bench.finished, [task]);
  assert.equal(task.status, ScsiStatus.taskAborted);
  assert.equal(bench.drops, 0);
  assert.equal(senseOf(bench.send(0x00)), "2/4/0");
  bench.bridge.busReset();
  bench.send(0x00);
  assert.equal(bench.lastBlock(), 1023);
});

test("idle only: commands postpone the relink, and it is forgotten in the end; quiet, it is carried out", () => {
  const busy = new Bench({ drop: "when idle" });
  busy.unlock();
  busy.send(BridgeOpcode.relink);
  for (let tick = 0; tick < 50; tick++) {
    busy.send(0x00);
    busy.run(0.5e9);
  }
  assert.equal(busy.query().phase, RelinkPhase.forgotten);
  assert.equal(busy.drops, 0);
  const quiet = new Bench({ drop: "when idle" });
  quiet.unlock();
  quiet.send(BridgeOpcode.relink);
  quiet.run(2e9);
  assert.equal(quiet.drops, 1);
});

test("a lost unlock, a power cut, becoming ready and start needed", () => {
  const lost = new Bench({ unlock: "is lost" });
  lost.unlock();
  lost.send(BridgeOpcode.relink);
  lost.run(relinkDelayNs);
  assert.deepEqual(lost.query(), { isLocked: true, isHidden: true, phase: RelinkPhase.none });

  const slow = new Bench({ ready: "becoming ready" });
  slow.unlock();
  slow.send(BridgeOpcode.relink);
  slow.run(relinkDelayNs);
  assert.equal(senseOf(slow.send(0x00)), "2/4/1");
  slow.run(5e9);
  assert.equal(slow.lastBlock(), 1023);

  const stopped = new Bench({ ready: "start needed" });
  stopped.unlock();
  stopped.send(BridgeOpcode.relink);
  stopped.run(relinkDelayNs);
  assert.equal(senseOf(stopped.send(0x00)), "2/4/2");
  stopped.bridge.powerCycle();
  assert.equal(stopped.query().isLocked, true);
});
