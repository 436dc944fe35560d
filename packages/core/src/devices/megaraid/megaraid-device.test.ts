// The MegaRAID model by hand: states, INIT, frames with lies in them, the ring, entries of each form, events, aborts.

import assert from "node:assert/strict";
import { test } from "node:test";
import { getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  decodeEvent,
  decodeLogicalDrives,
  decodePhysicalDrives,
  decodeState,
  encodeQueueInfo,
  ldListBytes,
  MfiAddressSpace,
  MfiCommand,
  MfiDcmd,
  MfiDoorbell,
  MfiEvent,
  MfiFlag,
  MfiFrame,
  type MfiGeneration,
  MfiRegister,
  MfiState,
  MfiStatus,
  putAddress,
  putSge,
  SgeFormat,
  sgeFlags,
} from "../../codec/mfi/mfi.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";
import { ScsiDiskDevice } from "../scsi-disk/scsi-disk-device.ts";
import { MegaRaidDevice, type MegaRaidOptions } from "./megaraid-device.ts";

const memoryBytes = 1 << 20;
const ring = 0x1000;
const entries = 32;
const data = 0x8000;
const sense = 0x7000;

/** A host by hand: flat memory from 0, and the controller's registers. */
class Bench implements PciUpstream {
  readonly clock = new VirtualClock();
  readonly memory = new Uint8Array(memoryBytes);
  readonly device: MegaRaidDevice;
  readonly disk: ScsiDiskDevice;
  refused = 0;
  messages = 0;

  constructor(options: Partial<MegaRaidOptions> = {}) {
    this.disk = new ScsiDiskDevice({
      clock: this.clock,
      random: new Random(2),
      units: [{ blockCount: 2048 }],
    });
    this.device = new MegaRaidDevice({
      clock: this.clock,
      random: new Random(1),
      drives: [this.disk],
      driveBlocks: [2048],
      maximumCommands: entries,
      ...options,
    });
    this.device.plug(this);
  }

  get bar(): number {
    return this.device.generation === "gen2" ? 1 : 0;
  }

  read(address: number, into: Uint8Array, offset: number, lengthBytes: number): boolean {
    if (address + lengthBytes > memoryBytes) {
      this.refused++;
      return false;
    }
    into.set(this.memory.subarray(address, address + lengthBytes), offset);
    return true;
  }

  write(address: number, from: Uint8Array, offset: number, lengthBytes: number): void {
    if (address + lengthBytes > memoryBytes) this.refused++;
    else this.memory.set(from.subarray(offset, offset + lengthBytes), address);
  }

  message(): void {
    this.messages++;
  }

  setLine(): void {}

  reportError(): void {}

  register(offset: number): number {
    return this.device.memoryRead(this.bar, offset, 4) ?? 0;
  }

  set(offset: number, value: number): void {
    this.device.memoryWrite(this.bar, offset, 4, value >>> 0);
  }

  get state(): number {
    return decodeState(this.register(MfiRegister.state)).state;
  }

  /** The frame at `address`, empty but for its command. */
  frame(address: number, command: number): Uint8Array {
    const frame = this.memory.subarray(address, address + 64);
    frame.fill(0);
    frame[MfiFrame.command] = command;
    frame[MfiFrame.commandStatus] = MfiStatus.pending;
    return frame;
  }

  /** Queues it and lets everything end; answers its status. */
  send(address: number): number {
    if (this.device.generation === "1078") this.set(MfiRegister.queuePort, address);
    else {
      this.set(MfiRegister.queuePortHigh, 0);
      this.set(MfiRegister.queuePortLow, address);
    }
    this.clock.runUntil();
    return this.memory[address + MfiFrame.commandStatus];
  }

  init(count = entries): number {
    this.memory.set(
      encodeQueueInfo({ flags: 0, entries: count, producer: ring, consumer: ring + 4, replies: ring + 16 }),
      0x2000,
    );
    const frame = this.frame(0x3000, MfiCommand.init);
    putU16le(frame, MfiFrame.flags, MfiFlag.dontPost);
    putAddress(frame, MfiFrame.initInfo, 0x2000);
    return this.send(0x3000);
  }

  /** Ready, initialised, interrupts on. */
  bringUp(): void {
    this.clock.runUntil();
    assert.equal(this.init(), MfiStatus.ok);
    this.set(MfiRegister.outboundMask, ~0x8000_0007);
  }

  scsi(
    cdb: readonly number[],
    bytes: number,
    format: SgeFormat = SgeFormat.wide,
    space: number = MfiAddressSpace.system,
  ): Uint8Array {
    const frame = this.frame(0x4000, MfiCommand.ldScsi);
    frame[MfiFrame.senseLength] = 96;
    frame[MfiFrame.cdbLength] = cdb.length;
    frame[MfiFrame.sgeCount] = 1;
    frame.set(cdb, MfiFrame.cdb);
    putU32le(frame, MfiFrame.context, 7);
    putU16le(frame, MfiFrame.flags, sgeFlags[format]);
    putAddress(frame, MfiFrame.senseAddress, sense);
    putSge(frame, MfiFrame.scsiSges, format, data, bytes, space);
    return frame;
  }

  get producer(): number {
    return getU32le(this.memory, ring);
  }

  context(index: number): number {
    return getU32le(this.memory, ring + 16 + index * 4);
  }
}

const inquiry = [0x12, 0, 0, 0, 36, 0];
/** A unit tells once that it was switched on; after that it answers. */
function settled(bench: Bench): Bench {
  bench.bringUp();
  bench.scsi([0, 0, 0, 0, 0, 0], 64);
  bench.send(0x4000);
  bench.memory.fill(0, data, data + 4096);
  return bench;
}

for (const generation of ["1078", "gen2"] as const satisfies readonly MfiGeneration[]) {
  test(`${generation}: boots, is initialised, and answers INQUIRY into each form of entry`, () => {
    const bench = new Bench({ generation });
    assert.equal(bench.state, MfiState.boot);
    settled(bench);
    assert.equal(bench.state, MfiState.operational);
    for (const format of [SgeFormat.narrow, SgeFormat.wide, SgeFormat.ieee]) {
      bench.memory.fill(0, data, data + 64);
      const before = bench.producer;
      bench.scsi(inquiry, 36, format);
      assert.equal(bench.send(0x4000), MfiStatus.ok, format);
      // Direct access, SPC's response format.
      assert.equal(bench.memory[data], 0);
      assert.equal(bench.memory[data + 3] & 0xf, 2);
      assert.equal(bench.producer, (before + 1) % entries);
      assert.equal(bench.context(before), 7);
    }
  });
}

test("an entry in the controller's own address space: the firmware is content, the host's memory stays as it was", () => {
  const bench = settled(new Bench());
  bench.scsi(inquiry, 36, SgeFormat.ieee, MfiAddressSpace.controller);
  assert.equal(bench.send(0x4000), MfiStatus.ok);
  assert.deepEqual([...bench.memory.subarray(data, data + 36)], new Array(36).fill(0));
  const [write] = bench.device.memory.local.writes;
  assert.equal(write.address, data);
  assert.equal(write.bytes[3] & 0xf, 2);
  assert.equal(bench.refused, 0);
});

test("CHECK CONDITION: MFI says SCSI error, the sense lies where the frame wanted it", () => {
  const bench = settled(new Bench());
  bench.scsi([0xc1, 0, 0, 0, 0, 0], 64);
  assert.equal(bench.send(0x4000), MfiStatus.scsiError);
  assert.equal(bench.memory[0x4000 + MfiFrame.scsiStatus], 2);
  assert.equal(bench.memory[sense + 2] & 0xf, 5);
  assert.equal(bench.memory[sense + 12], 0x20);
});

test("frames that lie: counts, lengths, CDBs, commands and targets get a status; what cannot be read is dropped", () => {
  const bench = settled(new Bench());
  const lies: readonly (readonly [string, (frame: Uint8Array) => void, number])[] = [
    ["255 entries in one frame", (frame) => (frame[MfiFrame.sgeCount] = 255), MfiStatus.invalidSgl],
    [
      "an entry of 4 GiB",
      (frame) => putU32le(frame, MfiFrame.scsiSges + 8, 0xffffffff),
      MfiStatus.invalidSgl,
    ],
    ["a CDB of 200 bytes", (frame) => (frame[MfiFrame.cdbLength] = 200), MfiStatus.invalidSgl],
    ["a target that is not there", (frame) => (frame[MfiFrame.target] = 77), MfiStatus.deviceNotFound],
    ["a command that nobody has", (frame) => (frame[MfiFrame.command] = 0x99), MfiStatus.invalidCommand],
  ];
  for (const [what, lie, status] of lies) {
    lie(bench.scsi(inquiry, 36));
    assert.equal(bench.send(0x4000), status, what);
  }
  assert.equal(bench.send(memoryBytes - 32), 0, "a frame beyond memory");
  assert.equal(bench.device.badFrames, 4);
  bench.scsi(inquiry, 36);
  assert.equal(bench.send(0x4000), MfiStatus.ok, "it goes on");
});

test("INIT with a ring that it has no commands for is refused; a command before INIT is in the wrong state", () => {
  const bench = new Bench();
  bench.clock.runUntil();
  bench.scsi(inquiry, 36);
  assert.equal(bench.send(0x4000), MfiStatus.wrongState);
  assert.equal(bench.init(5000), MfiStatus.invalidParameter);
  assert.equal(bench.state, MfiState.ready);
});

test("masked, the producer index stands still and every reply lands in the same entry", () => {
  const bench = new Bench();
  bench.clock.runUntil();
  bench.init();
  for (let round = 0; round < 3; round++) {
    putU32le(bench.scsi(inquiry, 36), MfiFrame.context, 100 + round);
    bench.send(0x4000);
  }
  assert.equal(bench.producer, 0);
  assert.equal(bench.context(0), 102);
});

test("an all-ones mask, and the doorbell, bring it back to READY; STOP is a fault that they end", () => {
  const bench = settled(new Bench());
  bench.set(MfiRegister.outboundMask, 0xffffffff);
  assert.equal(bench.state, MfiState.ready);
  bench.init();
  bench.set(MfiRegister.inboundDoorbell, MfiDoorbell.stop);
  assert.equal(bench.state, MfiState.fault);
  bench.set(MfiRegister.inboundDoorbell, MfiDoorbell.ready);
  assert.equal(bench.state, MfiState.ready);
});

test("firmware that wants a handshake waits for it, and goes on", () => {
  const bench = new Bench({ startStates: [MfiState.boot, MfiState.waitHandshake, MfiState.bootMessage] });
  bench.clock.runUntil();
  assert.equal(bench.state, MfiState.waitHandshake);
  bench.set(MfiRegister.inboundDoorbell, MfiDoorbell.clearHandshake);
  bench.clock.runUntil();
  assert.equal(bench.state, MfiState.bootMessage);
  bench.set(MfiRegister.inboundDoorbell, MfiDoorbell.hotPlug);
  bench.clock.runUntil();
  assert.equal(bench.state, MfiState.ready);
});

test("DCMDs: the list of drives, sizes that do not fit, an unknown opcode, an event when a drive goes, its abort", () => {
  const bench = settled(new Bench());
  const dcmd = (at: number, opcode: number, bytes: number, address: number) => {
    const frame = bench.frame(at, MfiCommand.dcmd);
    frame[MfiFrame.sgeCount] = 1;
    putU16le(frame, MfiFrame.flags, sgeFlags[SgeFormat.wide]);
    putU32le(frame, MfiFrame.dcmdOpcode, opcode);
    putSge(frame, MfiFrame.dcmdSges, SgeFormat.wide, address, bytes);
    return bench.send(at);
  };
  assert.equal(dcmd(0x5000, MfiDcmd.ldList, ldListBytes, data), MfiStatus.ok);
  assert.deepEqual(decodeLogicalDrives(bench.memory.slice(data, data + ldListBytes)), [
    { target: 0, state: 3, blocks: 2048 },
  ]);
  assert.equal(dcmd(0x5000, MfiDcmd.ldList, ldListBytes + 16, data), MfiStatus.invalidParameter);
  assert.equal(dcmd(0x5000, 0x0bad_f00d, 64, data), MfiStatus.ok);
  assert.equal(dcmd(0x6000, MfiDcmd.eventWait, 256, 0x9000), MfiStatus.pending);
  bench.device.removeDrive(0);
  assert.equal(bench.memory[0x6000 + MfiFrame.commandStatus], MfiStatus.ok);
  const event = decodeEvent(bench.memory.slice(0x9000, 0x9100));
  assert.deepEqual(
    [event.code, event.target, event.text],
    [MfiEvent.ldDeleted, 0, "a logical drive was deleted"],
  );
  assert.equal(dcmd(0x6000, MfiDcmd.eventWait, 256, 0x9000), MfiStatus.pending);
  const abort = bench.frame(0x5000, MfiCommand.abort);
  putAddress(abort, MfiFrame.abortAddress, 0x6000);
  assert.equal(bench.send(0x5000), MfiStatus.ok);
  assert.equal(
    bench.memory[0x6000 + MfiFrame.commandStatus],
    MfiStatus.pending,
    "an aborted frame keeps what it had",
  );
  bench.frame(0x5000, MfiCommand.abort);
  assert.equal(bench.send(0x5000), MfiStatus.abortNotPossible);
});

test("native reads and writes: blocks and an address for a CDB; beyond the drive and of no blocks they are refused", () => {
  const bench = settled(new Bench());
  const native = (command: number, lba: number, blocks: number) => {
    const frame = bench.frame(0x4000, command);
    frame[MfiFrame.senseLength] = 96;
    frame[MfiFrame.sgeCount] = 1;
    putU16le(frame, MfiFrame.flags, sgeFlags[SgeFormat.wide]);
    putU32le(frame, MfiFrame.dataLength, blocks);
    putAddress(frame, MfiFrame.senseAddress, sense);
    putAddress(frame, MfiFrame.ldLba, lba);
    putSge(frame, MfiFrame.ldSges, SgeFormat.wide, data, blocks * 512);
    return bench.send(0x4000);
  };
  bench.memory.fill(0xa5, data, data + 1024);
  assert.equal(native(MfiCommand.ldWrite, 2046, 2), MfiStatus.ok);
  bench.memory.fill(0, data, data + 1024);
  assert.equal(native(MfiCommand.ldRead, 2046, 2), MfiStatus.ok);
  assert.deepEqual(new Set(bench.memory.subarray(data, data + 1024)), new Set([0xa5]));
  assert.equal(native(MfiCommand.ldRead, 2047, 2), MfiStatus.lbaOutOfRange);
  assert.equal(native(MfiCommand.ldRead, 0, 0), MfiStatus.lbaOutOfRange);
  assert.equal(native(MfiCommand.ldWrite, 2 ** 40, 1), MfiStatus.lbaOutOfRange);
});

test("physical drives: a list with their numbers, a command past the logical drive, one to nobody", () => {
  const bench = settled(new Bench());
  const frame = bench.frame(0x5000, MfiCommand.dcmd);
  frame[MfiFrame.sgeCount] = 1;
  putU16le(frame, MfiFrame.flags, sgeFlags[SgeFormat.wide]);
  putU32le(frame, MfiFrame.dcmdOpcode, MfiDcmd.pdList);
  putSge(frame, MfiFrame.dcmdSges, SgeFormat.wide, data, 64);
  assert.equal(bench.send(0x5000), MfiStatus.ok);
  assert.deepEqual(decodePhysicalDrives(bench.memory.slice(data, data + 64)), [{ id: 0, type: 0 }]);
  bench.scsi(inquiry, 36)[MfiFrame.command] = MfiCommand.pdScsi;
  assert.equal(bench.send(0x4000), MfiStatus.ok);
  assert.equal(bench.memory[data + 3] & 0xf, 2);
  const nobody = bench.scsi(inquiry, 36);
  nobody[MfiFrame.command] = MfiCommand.pdScsi;
  nobody[MfiFrame.target] = 9;
  assert.equal(bench.send(0x4000), MfiStatus.deviceNotFound);
  // A list whose count lies is cut to its bytes.
  assert.equal(decodePhysicalDrives(new Uint8Array(56).fill(0xff)).length, 2);
});
