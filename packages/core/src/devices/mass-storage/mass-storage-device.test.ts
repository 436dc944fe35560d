// The mass storage model transaction by transaction: the thirteen cases, recovery, READY units, streams.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { hexBytes } from "../../base/text.ts";
import {
  decodeStatusIu,
  IuId,
  putCommandIu,
  putTaskManagementIu,
  TaskFunction,
} from "../../codec/mass-storage/attached-scsi.ts";
import { putCommandWrapper } from "../../codec/mass-storage/bulk-only.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import {
  ScsiDirection,
  ScsiStatus,
  type ScsiTargetClient,
  type ScsiTargetPort,
  type ScsiTask,
} from "../../ports/scsi-target.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { attachedScsiPipes, bulkOnlyPipes, MassStorageDevice } from "./mass-storage-device.ts";

/**
 * A target whose vendor commands say what they do: byte 1 direction (ScsiDirection), bytes 2 and 3 length; opcode D0h is
 * refused, D1h waits for `release`.
 */
class PlainTarget implements ScsiTargetPort {
  #client: ScsiTargetClient | null = null;
  readonly received: number[] = [];
  readonly aborted: ScsiTask[] = [];
  waiting: ScsiTask | null = null;
  unitResets = 0;

  connect(client: ScsiTargetClient): void {
    this.#client = client;
  }

  begin(task: ScsiTask): boolean {
    task.direction = task.cdb[1] as ScsiDirection;
    task.transferBytes = (task.cdb[2] << 8) | task.cdb[3];
    task.movedBytes = 0;
    task.senseBytes = 0;
    task.status = ScsiStatus.good;
    if (task.cdb[0] !== 0xd0) return false;
    task.status = ScsiStatus.checkCondition;
    task.sense.set([0x70, 0, 5, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0]);
    task.senseBytes = 18;
    return true;
  }

  execute(task: ScsiTask): boolean {
    if (task.cdb[0] === 0xd1) {
      this.waiting = task;
      return false;
    }
    if (task.direction === ScsiDirection.in) {
      // Half of it only, when byte 4 says so.
      const bytes = task.cdb[4] === 1 ? task.dataBytes >> 1 : task.dataBytes;
      task.data.fill(0xab, task.dataOffset, task.dataOffset + bytes);
      task.movedBytes = bytes;
    } else if (task.direction === ScsiDirection.out) {
      this.received.push(task.dataBytes);
      task.movedBytes = task.dataBytes;
    }
    return true;
  }

  abort(task: ScsiTask): void {
    this.aborted.push(task);
  }

  release(): void {
    const task = this.waiting;
    this.waiting = null;
    if (task !== null) this.#client?.finished(task);
  }

  resetUnit(): void {
    this.unitResets++;
  }

  commandsCleared(): void {}
  resetTarget(): void {}
  nexusLost(): void {}
  powerCycle(): void {}
}

interface Bench {
  readonly device: MassStorageDevice;
  readonly target: PlainTarget;
}

function control(device: MassStorageDevice, ...bytes: number[]): void {
  device.setup(Uint8Array.from(bytes));
  assert.equal(device.in(0x80, new Uint8Array(0), 0, 0), 0);
}

function bench(speed: UsbSpeed = UsbSpeed.high, alternate = 0): Bench {
  const target = new PlainTarget();
  const device = new MassStorageDevice({ target, speed });
  device.plug({ ready: () => {}, reconnect: () => {} });
  control(device, 0, 9, 1, 0, 0, 0, 0, 0);
  if (alternate !== 0) control(device, 1, 11, alternate, 0, 0, 0, 0, 0);
  return { device, target };
}

const cdb = (direction: ScsiDirection, bytes: number, opcode = 0xc5, half = 0): Uint8Array =>
  Uint8Array.of(opcode, direction, bytes >> 8, bytes & 0xff, half, 0, 0, 0, 0, 0);

function command(device: MassStorageDevice, hostBytes: number, isIn: boolean, block: Uint8Array): void {
  const bytes = new Uint8Array(31);
  putCommandWrapper(bytes, 9, hostBytes, isIn, 0, block, block.length);
  assert.equal(device.out(bulkOnlyPipes.out, bytes, 0, 31), 31);
}

/** Plays the host of one Bulk-Only command as §6.7 has it; answers what moved, which pipes stalled, and the CSW. */
function play(device: MassStorageDevice, hostBytes: number, isIn: boolean, block: Uint8Array): string {
  command(device, hostBytes, isIn, block);
  const buffer = new Uint8Array(Math.max(hostBytes, 13));
  const events: string[] = [];
  let moved = 0;
  while (hostBytes > 0 && moved < hostBytes) {
    const count = isIn
      ? device.in(bulkOnlyPipes.in, buffer, moved, hostBytes - moved)
      : device.out(bulkOnlyPipes.out, buffer, moved, hostBytes - moved);
    if (count === UsbStall) {
      events.push("stall");
      control(device, 2, 1, 0, 0, isIn ? bulkOnlyPipes.in : bulkOnlyPipes.out, 0, 0, 0);
      break;
    }
    if (count < 0) break;
    moved += count;
    if (isIn && count % 512 !== 0) break;
  }
  const status = new Uint8Array(13);
  let count = device.in(bulkOnlyPipes.in, status, 0, 13);
  if (count === UsbStall) {
    events.push("status stall");
    control(device, 2, 1, 0, 0, bulkOnlyPipes.in, 0, 0, 0);
    count = device.in(bulkOnlyPipes.in, status, 0, 13);
  }
  assert.equal(count, 13, "a CSW always comes");
  assert.equal(hexBytes(status.subarray(0, 8)), "55 53 42 53 09 00 00 00");
  const residue = status[8] | (status[9] << 8);
  return `moved ${moved}${events.map((event) => `, ${event}`).join("")}, residue ${residue}, status ${status[12]}`;
}

const { in: fromDevice, out: toDevice, none } = ScsiDirection;

/** BOT §6.7: what the host expects (bytes, in?), what the command says (direction, bytes), what happens. */
const thirteen: readonly [string, number, boolean, ScsiDirection, number, string][] = [
  ["1 Hn = Dn", 0, false, none, 0, "moved 0, residue 0, status 0"],
  ["2 Hn < Di", 0, false, fromDevice, 512, "moved 0, residue 0, status 2"],
  ["3 Hn < Do", 0, false, toDevice, 512, "moved 0, residue 0, status 2"],
  ["4 Hi > Dn", 512, true, none, 0, "moved 0, stall, residue 512, status 0"],
  ["5 Hi > Di, short packet", 1024, true, fromDevice, 100, "moved 100, residue 924, status 0"],
  ["5 Hi > Di, whole packets", 1024, true, fromDevice, 512, "moved 512, stall, residue 512, status 0"],
  ["6 Hi = Di", 1024, true, fromDevice, 1024, "moved 1024, residue 0, status 0"],
  ["7 Hi < Di", 512, true, fromDevice, 1024, "moved 512, residue 0, status 2"],
  ["8 Hi <> Do", 512, true, toDevice, 512, "moved 0, stall, residue 512, status 2"],
  ["9 Ho > Dn", 512, false, none, 0, "moved 0, stall, residue 512, status 0"],
  ["10 Ho <> Di", 512, false, fromDevice, 512, "moved 0, stall, residue 512, status 2"],
  ["11 Ho > Do", 1024, false, toDevice, 512, "moved 512, stall, residue 512, status 0"],
  ["12 Ho = Do", 1024, false, toDevice, 1024, "moved 1024, residue 0, status 0"],
  ["13 Ho < Do", 512, false, toDevice, 1024, "moved 0, stall, residue 512, status 2"],
];

for (const [name, hostBytes, isIn, direction, deviceBytes, expected] of thirteen) {
  test(`Bulk-Only case ${name}: ${expected}`, () => {
    const { device } = bench();
    assert.equal(play(device, hostBytes, isIn, cdb(direction, deviceBytes)), expected);
    // And the device is ready for the next command.
    assert.equal(play(device, 100, true, cdb(fromDevice, 100)), "moved 100, residue 0, status 0");
  });
}

test("a refused command stalls the data stage, fails, and its sense is there for REQUEST SENSE once", () => {
  const { device } = bench();
  assert.equal(play(device, 64, true, cdb(fromDevice, 64, 0xd0)), "moved 0, stall, residue 64, status 1");
  command(device, 18, true, Uint8Array.of(3, 0, 0, 0, 18, 0));
  const sense = new Uint8Array(18);
  assert.equal(device.in(bulkOnlyPipes.in, sense, 0, 18), 18);
  assert.deepEqual([sense[0], sense[2], sense[12]], [0x70, 5, 0x20]);
});

test("an IN ahead of data or status is answered with NAK, not with STALL", () => {
  const { device, target } = bench();
  assert.equal(device.in(bulkOnlyPipes.in, new Uint8Array(13), 0, 13), UsbNak);
  command(device, 0, false, cdb(none, 0, 0xd1));
  assert.equal(device.in(bulkOnlyPipes.in, new Uint8Array(13), 0, 13), UsbNak);
  target.release();
  assert.equal(device.in(bulkOnlyPipes.in, new Uint8Array(13), 0, 13), 13);
});

test("a bad CBW halts both pipes; clearing does not help, reset recovery does", () => {
  const { device } = bench();
  assert.equal(device.out(bulkOnlyPipes.out, new Uint8Array(31), 0, 31), 31);
  for (let round = 0; round < 2; round++) {
    assert.equal(device.in(bulkOnlyPipes.in, new Uint8Array(13), 0, 13), UsbStall);
    assert.equal(device.out(bulkOnlyPipes.out, new Uint8Array(31), 0, 31), UsbStall);
    control(device, 2, 1, 0, 0, bulkOnlyPipes.in, 0, 0, 0);
    control(device, 2, 1, 0, 0, bulkOnlyPipes.out, 0, 0, 0);
  }
  control(device, 0x21, 0xff, 0, 0, 0, 0, 0, 0);
  control(device, 2, 1, 0, 0, bulkOnlyPipes.in, 0, 0, 0);
  control(device, 2, 1, 0, 0, bulkOnlyPipes.out, 0, 0, 0);
  assert.equal(play(device, 0, false, cdb(none, 0)), "moved 0, residue 0, status 0");
});

function unit(device: MassStorageDevice, tag: number, block: Uint8Array): void {
  const bytes = new Uint8Array(64);
  const length = putCommandIu(bytes, tag, 0, 0, block, block.length);
  assert.equal(device.out(attachedScsiPipes.command, bytes, 0, length), length);
}

function status(device: MassStorageDevice, stream: number): string {
  const bytes = new Uint8Array(268);
  const count = device.in(attachedScsiPipes.status, bytes, 0, bytes.length, stream);
  if (count < 0) return "NAK";
  const { id, tag, status: code } = decodeStatusIu(bytes, 0, count);
  return `${id} tag ${tag} status ${code}`;
}

test("UAS at high speed announces each data phase, one at a time per direction", () => {
  const { device, target } = bench(UsbSpeed.high, 1);
  unit(device, 1, cdb(fromDevice, 512));
  unit(device, 2, cdb(fromDevice, 512));
  unit(device, 3, cdb(toDevice, 512));
  assert.equal(status(device, 0), `${IuId.readReady} tag 1 status 0`);
  assert.equal(status(device, 0), `${IuId.writeReady} tag 3 status 0`);
  assert.equal(status(device, 0), "NAK");
  const buffer = new Uint8Array(512);
  assert.equal(device.in(attachedScsiPipes.dataIn, buffer, 0, 512), 512);
  assert.equal(device.out(attachedScsiPipes.dataOut, buffer, 0, 512), 512);
  assert.deepEqual(target.received, [512]);
  assert.deepEqual(
    [status(device, 0), status(device, 0), status(device, 0)],
    [`${IuId.readReady} tag 2 status 0`, `${IuId.sense} tag 1 status 0`, `${IuId.sense} tag 3 status 0`],
  );
});

test("UAS with streams: data OUT ahead of its command unit is held, data and status move on the tag's stream", () => {
  const { device, target } = bench(UsbSpeed.super, 1);
  const buffer = new Uint8Array(1024);
  assert.equal(device.out(attachedScsiPipes.dataOut, buffer, 0, 1024, 5), UsbNak);
  assert.equal(device.attachedScsi.counts.earlyData, 1);
  unit(device, 5, cdb(toDevice, 1024));
  unit(device, 6, cdb(fromDevice, 1024, 0xc5, 1));
  assert.equal(device.out(attachedScsiPipes.dataOut, buffer, 0, 1024, 5), 1024);
  assert.deepEqual(target.received, [1024]);
  assert.equal(status(device, 6), "NAK");
  assert.equal(device.in(attachedScsiPipes.dataIn, buffer, 0, 1024, 5), UsbNak);
  assert.equal(device.in(attachedScsiPipes.dataIn, buffer, 0, 1024, 6), 512);
  assert.equal(status(device, 6), `${IuId.sense} tag 6 status 0`);
  assert.equal(status(device, 5), `${IuId.sense} tag 5 status 0`);
});

test("UAS: fewer whole packets than the host's transfer end in a zero-length packet", () => {
  const { device } = bench(UsbSpeed.super, 1);
  unit(device, 1, cdb(fromDevice, 2048, 0xc5, 1));
  const buffer = new Uint8Array(2048);
  assert.equal(device.in(attachedScsiPipes.dataIn, buffer, 0, 2048, 1), 1024);
  assert.equal(device.in(attachedScsiPipes.dataIn, buffer, 1024, 1024, 1), 0);
  assert.equal(status(device, 1), `${IuId.sense} tag 1 status 0`);
});

test("UAS task management: abort is heard, an aborted command ends without sense; overlapped tags kill both", () => {
  const { device, target } = bench(UsbSpeed.super, 1);
  unit(device, 1, cdb(none, 0, 0xd1));
  const bytes = new Uint8Array(16);
  putTaskManagementIu(bytes, 32, TaskFunction.abortTask, 1, 0);
  assert.equal(device.out(attachedScsiPipes.command, bytes, 0, 16), 16);
  assert.equal(status(device, 32), `${IuId.response} tag 32 status 0`);
  assert.equal(target.aborted.length, 1);
  target.release();
  assert.equal(status(device, 1), "NAK");
  unit(device, 2, cdb(none, 0, 0xd1));
  unit(device, 2, cdb(none, 0));
  assert.equal(status(device, 2), `${IuId.response} tag 2 status 10`);
  putTaskManagementIu(bytes, 32, TaskFunction.clearAca, 0, 0);
  device.out(attachedScsiPipes.command, bytes, 0, 16);
  assert.equal(status(device, 32), `${IuId.response} tag 32 status 4`);
  unit(device, 7, new Uint8Array(0));
  device.out(attachedScsiPipes.command, Uint8Array.of(0x55, 0, 0, 9), 0, 4);
  assert.equal(status(device, 9), `${IuId.response} tag 9 status 2`);
});

test("mass storage: 1000 hostile SETUPs are answered as hardware answers", () => {
  assert.equal(sendHostileSetups(bench().device, new Random(1), 1000), null);
});

test("100 000 hostile packets on every pipe: the device answers each and serves a good command afterwards", () => {
  for (const [speed, alternate] of [
    [UsbSpeed.high, 0],
    [UsbSpeed.super, 1],
  ] as const) {
    const { device } = bench(speed, alternate);
    const random = new Random(5);
    const bytes = new Uint8Array(64);
    for (let round = 0; round < 50_000; round++) {
      for (let at = 0; at < 40; at++) bytes[at] = random.below(256);
      const shape = random.below(4);
      if (shape > 0) putCommandWrapper(bytes, round, random.below(2000), random.chance(0.5), 0, bytes, 10);
      if (alternate === 1 && shape > 0)
        putCommandIu(
          bytes,
          random.below(40),
          0,
          0,
          cdb(random.below(3) as ScsiDirection, random.below(3000)),
          10,
        );
      const endpoint = [0x02, 0x04, 0x81, 0x83][random.below(4)];
      const length = random.chance(0.8) ? (alternate === 0 ? 31 : 32) : random.below(64);
      const count =
        endpoint < 0x80
          ? device.out(endpoint, bytes, 0, length, random.below(34))
          : device.in(endpoint, new Uint8Array(64), 0, 64, random.below(34));
      assert.ok(count >= UsbStall && count <= 268);
      if (random.chance(0.02)) {
        control(device, 0, 9, 1, 0, 0, 0, 0, 0);
        if (alternate === 1) control(device, 1, 11, 1, 0, 0, 0, 0, 0);
      }
    }
    control(device, 0, 9, 1, 0, 0, 0, 0, 0);
    assert.equal(play(device, 0, false, cdb(none, 0)), "moved 0, residue 0, status 0");
  }
});
