// The NVMe model against the standard, driven without our driver.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  forceUnitAccess,
  NvmeAdmin,
  type NvmeCommand,
  NvmeIo,
  NvmeSgl,
  NvmeStatus,
  newCommand,
  newCompletion,
  putU64le,
  readCompletion,
  writeCommand,
  writeSglDescriptor,
} from "../../codec/nvme/commands.ts";
import { decodeController, decodeNamespace } from "../../codec/nvme/identify.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";
import { NvmeDevice, type NvmeDeviceOptions } from "./nvme-device.ts";

/** Host memory of 1 MiB at address 0 and a controller in it; queues at fixed places. */
class Bench {
  readonly clock = new VirtualClock();
  readonly memory = new Uint8Array(1 << 20);
  readonly messages: number[] = [];
  readonly device: NvmeDevice;
  readonly completion = newCompletion();
  #tails = [0, 0];
  #heads = [0, 0];
  #phases = [1, 1];

  constructor(options: Partial<NvmeDeviceOptions> = {}) {
    this.device = new NvmeDevice({ clock: this.clock, random: new Random(1), ...options });
    const { memory } = this;
    const upstream: PciUpstream = {
      read: (address, into, offset, length) => {
        if (address + length > memory.length) return false;
        into.set(memory.subarray(address, address + length), offset);
        return true;
      },
      write: (address, from, offset, length) => {
        if (address + length <= memory.length) memory.set(from.subarray(offset, offset + length), address);
      },
      message: (_address, data) => this.messages.push(data),
      setLine: () => {},
      reportError: () => {},
    };
    this.device.plug(upstream);
    this.device.reset("power");
    // MSI-X on, both vectors open (PCI 3.0 §6.8.2).
    this.device.configWrite(0xb2, 2, 0x8000);
    for (const vector of [0, 1]) {
      this.device.memoryWrite(0, 0x2000 + vector * 16 + 8, 4, vector);
      this.device.memoryWrite(0, 0x2000 + vector * 16 + 12, 4, 0);
    }
  }

  write(offset: number, value: number): void {
    this.device.memoryWrite(0, offset, 4, value);
  }

  read(offset: number): number {
    return this.device.memoryRead(0, offset, 4) as number;
  }

  enable(): void {
    this.write(0x24, 15 | (15 << 16));
    this.write(0x28, 0x1000);
    this.write(0x30, 0x2000);
    this.write(0x14, 0x460001);
    this.clock.runUntil(this.clock.nowNs() + 10_000_000);
  }

  withIoQueue(): this {
    this.enable();
    const create = newCommand();
    create.opcode = NvmeAdmin.createCompletionQueue;
    create.prp1 = 0x3000;
    create.dw10 = 1 | (15 << 16);
    create.dw11 = 3 | (1 << 16);
    assert.equal(this.submit(0, create), 0);
    create.opcode = NvmeAdmin.createSubmissionQueue;
    create.prp1 = 0x4000;
    create.dw11 = 1 | (1 << 16);
    assert.equal(this.submit(0, create), 0);
    return this;
  }

  /** Status of the next completion of that queue; -1 when none came. */
  submit(queue: number, command: NvmeCommand): number {
    const base = queue === 0 ? 0x1000 : 0x4000;
    writeCommand(this.memory, base + this.#tails[queue] * 64, command);
    this.#tails[queue] = (this.#tails[queue] + 1) % 16;
    this.write(0x1000 + queue * 8, this.#tails[queue]);
    this.clock.runUntil(this.clock.nowNs() + 10_000_000);
    return this.take(queue);
  }

  take(queue: number): number {
    const at = (queue === 0 ? 0x2000 : 0x3000) + this.#heads[queue] * 16;
    readCompletion(this.memory, at, this.completion);
    if (this.completion.phase !== this.#phases[queue]) return -1;
    this.#heads[queue] = (this.#heads[queue] + 1) % 16;
    if (this.#heads[queue] === 0) this.#phases[queue] ^= 1;
    this.write(0x1004 + queue * 8, this.#heads[queue]);
    return this.completion.status;
  }

  io(opcode: number, fields: Partial<NvmeCommand>): number {
    return this.submit(1, { ...newCommand(), opcode, namespaceId: 1, prp1: 0x10000, ...fields });
  }
}

test("bring-up (§7.6.1): ready after a while, fatal for a queue that is not page aligned", () => {
  const bench = new Bench();
  assert.equal(bench.read(0x1c), 0);
  bench.enable();
  assert.equal(bench.read(0x1c), 1);
  bench.write(0x14, 0);
  assert.equal(bench.read(0x1c), 0);
  bench.write(0x28, 0x1004);
  bench.write(0x14, 0x460001);
  assert.equal(bench.read(0x1c) & 2, 2);
  assert.equal(bench.read(0x08), 0x00010400);
});

test("identify: controller and namespace; a namespace that does not exist is 0/0Bh", () => {
  const bench = new Bench();
  bench.enable();
  const command = { ...newCommand(), opcode: NvmeAdmin.identify, prp1: 0x8000, dw10: 1 };
  assert.equal(bench.submit(0, command), 0);
  const controller = decodeController(bench.memory.subarray(0x8000, 0x9000));
  assert.equal(controller.namespaceCount, 1);
  assert.equal(bench.submit(0, { ...command, dw10: 0, namespaceId: 1 }), 0);
  assert.equal(decodeNamespace(bench.memory.subarray(0x8000, 0x9000)).blockCount, 131_072);
  assert.equal(bench.submit(0, { ...command, dw10: 0, namespaceId: 9 }), NvmeStatus.invalidNamespace);
  assert.equal(bench.submit(0, { ...newCommand(), opcode: 0x7e }), NvmeStatus.invalidOpcode);
  assert.equal(bench.messages.length, 4);
});

test("reads and writes through one page, two pages, a list, and an offset in the first page", () => {
  const bench = new Bench().withIoQueue();
  for (let at = 0; at < 0x6000; at++) bench.memory[0x10000 + at] = (at * 31 + (at >>> 8)) & 0xff;
  for (let page = 0; page < 8; page++) putU64le(bench.memory, 0x9000 + page * 8, 0x11000 + page * 0x1000);
  const wanted = bench.memory.slice(0x10200, 0x10200 + 24 * 512);
  const shape = { prp1: 0x10200, prp2: 0x9000, dw12: 23 };
  assert.equal(bench.io(NvmeIo.write, { ...shape, dw10: 100 }), 0);
  bench.memory.fill(0, 0x10000, 0x18000);
  assert.equal(bench.io(NvmeIo.read, { ...shape, dw10: 100 }), 0);
  assert.deepEqual(bench.memory.slice(0x10200, 0x10200 + 24 * 512), wanted);
  assert.equal(bench.io(NvmeIo.read, { prp1: 0x20000, prp2: 0x21000, dw10: 100, dw12: 15 }), 0);
  assert.deepEqual(bench.memory.slice(0x20000, 0x22000), wanted.slice(0, 0x2000));
});

test("SGL: blocks, a bit bucket and a chain of segments (§4.4)", () => {
  const bench = new Bench().withIoQueue();
  bench.memory.fill(0x77, 0x10000, 0x11000);
  assert.equal(bench.io(NvmeIo.write, { dw12: 7 }), 0);
  const sgl = { dataPointer: 1, prp1: 0x9000, sglType: NvmeSgl.segment, sglLength: 32, dw12: 7 };
  writeSglDescriptor(bench.memory, 0x9000, NvmeSgl.dataBlock, 0x20000, 512);
  writeSglDescriptor(bench.memory, 0x9010, NvmeSgl.lastSegment, 0xa000, 32);
  writeSglDescriptor(bench.memory, 0xa000, NvmeSgl.bitBucket, 0, 512);
  writeSglDescriptor(bench.memory, 0xa010, NvmeSgl.dataBlock, 0x21000, 3072);
  assert.equal(bench.io(NvmeIo.read, sgl), 0);
  assert.equal(bench.memory[0x201ff], 0x77);
  assert.equal(bench.memory[0x20200], 0);
  assert.equal(bench.memory[0x21bff], 0x77);
  assert.equal(bench.io(NvmeIo.read, { ...sgl, sglType: 9 }), NvmeStatus.sglType);
  assert.equal(bench.io(NvmeIo.read, { ...sgl, sglLength: 17 }), NvmeStatus.sglSegment);
  // A segment that points to itself ends, too.
  writeSglDescriptor(bench.memory, 0x9000, NvmeSgl.segment, 0x9000, 32);
  assert.equal(bench.io(NvmeIo.read, sgl), NvmeStatus.sglCount);
});

test("what must be refused: LBA range, PRP offset, no namespace, memory that nobody has", () => {
  const bench = new Bench().withIoQueue();
  assert.equal(bench.io(NvmeIo.read, { dw10: 131_072 }), NvmeStatus.lbaRange);
  assert.equal(bench.io(NvmeIo.read, { dw11: 0xffffffff, dw10: 0xffffffff }), NvmeStatus.lbaRange);
  assert.equal(bench.io(NvmeIo.read, { prp1: 0x10000, prp2: 0x11010, dw12: 15 }), NvmeStatus.prpOffset);
  assert.equal(bench.io(NvmeIo.read, { prp1: 0x10002 }), NvmeStatus.prpOffset);
  assert.equal(bench.io(NvmeIo.write, { prp1: 0x1000000 }), NvmeStatus.transferError);
  assert.equal(bench.io(NvmeIo.read, { namespaceId: 2 }), NvmeStatus.invalidNamespace);
  assert.equal(bench.io(0x66, {}), NvmeStatus.invalidOpcode);
});

test("queues: ids, sizes, vectors, and a completion queue that still has submissions", () => {
  const bench = new Bench().withIoQueue();
  const create = { ...newCommand(), opcode: NvmeAdmin.createCompletionQueue, prp1: 0x5000, dw11: 3 };
  const status = (fields: Partial<NvmeCommand>) => bench.submit(0, { ...create, ...fields });
  assert.equal(status({ dw10: 1 | (15 << 16) }), NvmeStatus.invalidQueueId);
  assert.equal(status({ dw10: 2 }), NvmeStatus.invalidQueueSize);
  assert.equal(status({ dw10: 2 | (15 << 16), dw11: 3 | (99 << 16) }), NvmeStatus.invalidVector);
  assert.equal(status({ opcode: NvmeAdmin.deleteCompletionQueue, dw10: 1 }), NvmeStatus.invalidQueueDeletion);
  assert.equal(status({ opcode: NvmeAdmin.deleteSubmissionQueue, dw10: 1 }), 0);
  assert.equal(status({ opcode: NvmeAdmin.deleteCompletionQueue, dw10: 1 }), 0);
  assert.equal(status({ opcode: NvmeAdmin.deleteSubmissionQueue, dw10: 1 }), NvmeStatus.invalidQueueId);
});

test("events (§5.2): a doorbell beyond the queue, masked until the log is read; the fifth request is refused", () => {
  const bench = new Bench();
  bench.enable();
  const request = { ...newCommand(), opcode: NvmeAdmin.asynchronousEventRequest };
  for (let count = 0; count < 4; count++) assert.equal(bench.submit(0, { ...request, commandId: count }), -1);
  assert.equal(bench.submit(0, { ...request, commandId: 9 }), NvmeStatus.eventLimit);
  bench.write(0x1000, 500);
  assert.equal(bench.take(0), 0);
  assert.equal(bench.completion.result, 0x010100);
  // The same type stays quiet until log 1 has been read.
  bench.write(0x1010, 1);
  assert.equal(bench.take(0), -1);
  const log = { ...newCommand(), opcode: NvmeAdmin.getLogPage, prp1: 0x8000, dw10: 1 | (15 << 16) };
  const answers = [bench.submit(0, log), bench.take(0)];
  assert.deepEqual(answers, [0, 0]);
});

test("temperature: the event of QEMU's smart warning, 00020101h, and the log says how warm", () => {
  const bench = new Bench();
  bench.enable();
  const features = { ...newCommand(), opcode: NvmeAdmin.setFeatures, dw10: 0x0b, dw11: 0x1f };
  assert.equal(bench.submit(0, features), 0);
  assert.equal(bench.submit(0, { ...newCommand(), opcode: NvmeAdmin.asynchronousEventRequest }), -1);
  bench.device.admin.setTemperature(360);
  assert.equal(bench.take(0), 0);
  assert.equal(bench.completion.result, 0x00020101);
  bench.submit(0, { ...newCommand(), opcode: NvmeAdmin.getLogPage, prp1: 0x8000, dw10: 2 | (127 << 16) });
  assert.equal(bench.memory[0x8000], 2);
  assert.equal(bench.memory[0x8001] | (bench.memory[0x8002] << 8), 360);
});

test("abort: a command that is under way ends with 07h; one that is not says so", () => {
  const bench = new Bench({ mischief: [{ kind: "silent", atCommand: 1 }] }).withIoQueue();
  assert.equal(bench.io(NvmeIo.read, { commandId: 0x42 }), -1);
  const abort = { ...newCommand(), opcode: NvmeAdmin.abort, dw10: 1 | (0x42 << 16) };
  assert.equal(bench.submit(0, abort), 0);
  assert.equal(bench.completion.result, 0);
  assert.equal(bench.take(1), NvmeStatus.abortRequested);
  assert.equal(bench.submit(0, abort), 0);
  assert.equal(bench.completion.result, 1);
});

test("a power cut: flushed and forced blocks survive under every seed, and shutdown loses nothing", () => {
  for (let seed = 1; seed <= 30; seed++) {
    const bench = new Bench({ random: new Random(seed) }).withIoQueue();
    const [disk] = bench.device.disks;
    bench.memory.fill(0x11, 0x10000, 0x10200);
    assert.equal(bench.io(NvmeIo.write, { dw10: 5 }), 0);
    assert.equal(bench.io(NvmeIo.flush, {}), 0);
    bench.memory.fill(0x22, 0x10000, 0x10200);
    assert.equal(bench.io(NvmeIo.write, { dw10: 6, dw12: forceUnitAccess }), 0);
    bench.memory.fill(0x33, 0x10000, 0x10200);
    assert.equal(bench.io(NvmeIo.write, { dw10: 7 }), 0);
    if (seed % 2 === 0) {
      bench.write(0x14, 0x464001);
      bench.clock.runUntil(bench.clock.nowNs() + 10_000_000);
      assert.equal(bench.read(0x1c) & 0xc, 8);
    }
    bench.device.unplugged();
    assert.equal(disk.peek(5)[0], 0x11);
    assert.equal(disk.peek(6)[0], 0x22);
    if (seed % 2 === 0) assert.equal(disk.peek(7)[0], 0x33);
    assert.equal(bench.device.unsafeShutdowns, seed % 2 === 0 ? 0 : 1);
  }
});

test("any 64 bytes as a command: one completion, a legal status, nothing outside host memory", () => {
  const bench = new Bench({ latencyNs: [0, 0] }).withIoQueue();
  const random = new Random(99);
  let completed = 0;
  for (let round = 0; round < 3000; round++) {
    const command = newCommand();
    command.opcode = random.below(256);
    command.dataPointer = random.below(4);
    command.commandId = round & 0xffff;
    command.namespaceId = random.chance(0.8) ? 1 : random.next32();
    command.prp1 = random.chance(0.5) ? random.below(1 << 20) : random.next32() * random.below(0x1fffff);
    command.prp2 = random.chance(0.5) ? random.below(1 << 20) : 0;
    command.sglLength = random.below(65536);
    command.sglType = random.below(16);
    command.dw10 = random.chance(0.7) ? random.below(200_000) : random.next32();
    command.dw11 = random.chance(0.9) ? 0 : random.next32();
    command.dw12 = random.chance(0.7) ? random.below(512) : random.next32();
    // Host memory where the queues lie is not to be written over by a read.
    const isSafe = command.prp1 >= 0x10000 && (command.prp2 === 0 || command.prp2 >= 0x10000);
    if (!isSafe) continue;
    const status = bench.submit(1, command);
    if (status < 0) continue;
    completed++;
    assert.ok(status >>> 8 <= 2, `status ${status.toString(16)}`);
  }
  assert.ok(completed > 500, `${completed}`);
  assert.equal(bench.read(0x1c) & 3, 1);
});
