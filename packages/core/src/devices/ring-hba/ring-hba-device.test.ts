// The small adapter by hand: boot, a command, entries with lies in them, rings that cannot be read, abort, reset.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  newRingHbaReply,
  newRingHbaRequest,
  RingHbaControl,
  RingHbaRegister,
  RingHbaSpace,
  RingHbaState,
  RingHbaStatus,
  readRingHbaReply,
  writeRingHbaRequest,
} from "../../codec/ring-hba/ring-hba.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";
import { ScsiDiskDevice } from "../scsi-disk/scsi-disk-device.ts";
import { RingHbaDevice, type RingHbaOptions } from "./ring-hba-device.ts";

const memoryBytes = 1 << 18;
const requests = 0x1000;
const replies = 0x2000;
const data = 0x8000;

/** Flat memory from 0, and the adapter's registers. */
class Host implements PciUpstream {
  readonly clock = new VirtualClock();
  readonly memory = new Uint8Array(memoryBytes);
  readonly device: RingHbaDevice;
  refused = 0;
  #producer = 0;
  #consumer = 0;

  constructor(options: Partial<RingHbaOptions> = {}) {
    const { clock } = this;
    const disk = new ScsiDiskDevice({ clock, random: new Random(2), units: [{ blockCount: 2048 }] });
    this.device = new RingHbaDevice({ clock, random: new Random(1), drives: [disk], ...options });
    this.device.plug(this);
  }

  read(address: number, into: Uint8Array, offset: number, lengthBytes: number): boolean {
    const isThere = address + lengthBytes <= memoryBytes;
    if (isThere) into.set(this.memory.subarray(address, address + lengthBytes), offset);
    else this.refused++;
    return isThere;
  }

  write(address: number, from: Uint8Array, offset: number, lengthBytes: number): void {
    if (address + lengthBytes > memoryBytes) this.refused++;
    else this.memory.set(from.subarray(offset, offset + lengthBytes), address);
  }

  message(): void {}

  setLine(): void {}

  reportError(): void {}

  set(offset: number, value: number): void {
    this.device.memoryWrite(0, offset, 4, value >>> 0);
  }

  get state(): number {
    return this.device.memoryRead(0, RingHbaRegister.state, 4) ?? -1;
  }

  up(entries = 8, ring = requests): void {
    this.set(RingHbaRegister.requestsLow, ring);
    this.set(RingHbaRegister.repliesLow, replies);
    this.set(RingHbaRegister.entries, entries);
    this.set(RingHbaRegister.control, RingHbaControl.enable);
    assert.equal(this.state, RingHbaState.booting);
    this.clock.runUntil();
  }

  /** Queues an INQUIRY with changes, lets everything end, and answers the reply; null: there is none. */
  ask(changes: Partial<ReturnType<typeof newRingHbaRequest>> = {}) {
    const request = {
      ...newRingHbaRequest(),
      tag: 5,
      cdbBytes: 6,
      address: data,
      lengthBytes: 36,
      senseAddress: 0x7000,
    };
    request.cdb.set([0x12, 0, 0, 0, 36, 0]);
    writeRingHbaRequest(this.memory, requests + this.#producer * 64, { ...request, ...changes });
    this.#producer = (this.#producer + 1) % 8;
    this.set(RingHbaRegister.producer, this.#producer);
    this.clock.runUntil();
    return this.take();
  }

  take() {
    const reply = newRingHbaReply();
    readRingHbaReply(this.memory, replies + this.#consumer * 16, reply);
    if (reply.phase !== 1) return null;
    this.#consumer = (this.#consumer + 1) % 8;
    return reply;
  }
}

test("it boots, answers INQUIRY into host memory or its own, and counts what it moved", () => {
  const host = new Host();
  host.up();
  assert.equal(host.state, RingHbaState.ready);
  const reply = host.ask();
  assert.deepEqual([reply?.tag, reply?.status, reply?.movedBytes], [5, RingHbaStatus.good, 36]);
  assert.equal(host.memory[data + 3] & 0xf, 2);
  host.memory.fill(0, data, data + 36);
  assert.equal(host.ask({ space: RingHbaSpace.local })?.status, RingHbaStatus.good);
  assert.equal(host.memory[data + 3], 0);
  assert.equal(host.device.memory.writes[0].address, data);
});

test("requests that lie get a status, and it goes on", () => {
  const host = new Host();
  host.up();
  assert.equal(host.ask({ target: 9 })?.status, RingHbaStatus.noTarget);
  assert.equal(host.ask({ cdbBytes: 200 })?.status, RingHbaStatus.badRequest);
  assert.equal(host.ask({ cdbBytes: 0 })?.status, RingHbaStatus.badRequest);
  assert.equal(host.ask({ lengthBytes: 0xffffffff })?.status, RingHbaStatus.badRequest);
  const write = new Uint8Array(16);
  write.set([0x2a, 0, 0, 0, 0, 0, 0, 0, 1, 0]);
  const beyond = { cdb: write, cdbBytes: 10, lengthBytes: 512, address: memoryBytes };
  // A unit attention comes first, with sense where the request wants it.
  host.ask({ cdb: new Uint8Array(16) });
  assert.equal(host.ask(beyond)?.status, RingHbaStatus.transfer);
  assert.equal(host.device.badRequests, 3);
  assert.equal(host.refused, 1);
  assert.equal(host.state, RingHbaState.ready);
});

test("a doorbell beyond the ring is not believed; a ring that cannot be read is the firmware's death, which a reset ends", () => {
  const host = new Host();
  host.up();
  host.set(RingHbaRegister.producer, 4000);
  host.clock.runUntil();
  assert.equal(host.device.badRequests, 1);
  const blind = new Host();
  blind.up(8, memoryBytes + 4096);
  blind.ask();
  assert.equal(blind.state, RingHbaState.fault);
  blind.set(RingHbaRegister.control, RingHbaControl.reset);
  assert.equal(blind.state, RingHbaState.off);
  blind.up();
  assert.equal(blind.state, RingHbaState.ready);
});

test("rings of one entry, or of more than it has room for, are no rings", () => {
  for (const entries of [0, 1, 1025]) {
    const host = new Host();
    host.up(entries);
    assert.equal(host.state, RingHbaState.fault, `${entries} entries`);
  }
});

test("a command that never ends is aborted by its tag, and replied to as that", () => {
  const host = new Host({ mischief: [{ kind: "never", atCommand: 1 }] });
  host.up();
  assert.equal(host.ask({ tag: 77 }), null);
  host.set(RingHbaRegister.abort, 78);
  assert.equal(host.take(), null);
  host.set(RingHbaRegister.abort, 77);
  const reply = host.take();
  assert.deepEqual([reply?.tag, reply?.status], [77, RingHbaStatus.aborted]);
});
