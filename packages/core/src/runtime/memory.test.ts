// posts.md T6 as far as it needs no DMA: directions, mappings, guards, poison.

import assert from "node:assert/strict";
import { test } from "node:test";
import { ContractViolation } from "../base/errors.ts";
import { IOReturns } from "../base/io-return.ts";
import { type Address, AddressSpace, freshPoison, MemoryFault, releasedPoison } from "./address-space.ts";
import {
  IOBufferMemoryDescriptor,
  IOMemoryDescriptor,
  type IOMemoryMap,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
  kIOMemoryDirectionOutIn,
  kIOMemoryDisableCopyOnWrite,
  kIOMemoryMapReadOnly,
} from "./memory.ts";

function buffer(space: AddressSpace, direction: number, length = 64): IOBufferMemoryDescriptor {
  const made = IOBufferMemoryDescriptor.create(space, direction, length, 0);
  assert.equal(made.status, IOReturns.kIOReturnSuccess);
  return made.value as IOBufferMemoryDescriptor;
}

function fault(access: () => unknown): MemoryFault {
  try {
    access();
  } catch (error) {
    assert.ok(error instanceof MemoryFault, String(error));
    return error;
  }
  assert.fail("the access was allowed");
}

test("IOBufferMemoryDescriptor::Create: direction bits only, zero-filled, length = capacity", () => {
  const space = new AddressSpace("dext");
  for (const options of [0x10, 0x20, kIOMemoryDisableCopyOnWrite, 4, -1]) {
    const made = IOBufferMemoryDescriptor.create(space, options, 64, 0);
    assert.deepEqual(made, { status: IOReturns.kIOReturnBadArgument, value: null });
  }
  for (const capacity of [-1, 1.5, Number.NaN]) {
    assert.equal(
      IOBufferMemoryDescriptor.create(space, 1, capacity, 0).status,
      IOReturns.kIOReturnBadArgument,
    );
  }
  const memory = buffer(space, kIOMemoryDirectionOutIn, 100);
  assert.equal(memory.length, 100);
  assert.ok(memory.bytes.every((byte) => byte === 0));
});

test("SetLength beyond the capacity is ignored and still succeeds", () => {
  const memory = buffer(new AddressSpace("dext"), kIOMemoryDirectionOutIn, 64);
  assert.equal(memory.setLength(7), IOReturns.kIOReturnSuccess);
  assert.equal(memory.length, 7);
  assert.equal(memory.setLength(65), IOReturns.kIOReturnSuccess);
  assert.equal(memory.length, 7);
  assert.equal(memory.capacity, 64);
});

test("a mapping shares the memory; Out is read-only for anybody but the creator", () => {
  const kernel = new AddressSpace("kernel");
  const dext = new AddressSpace("dext");
  const rows: [number, number, AddressSpace, boolean][] = [
    [kIOMemoryDirectionOut, 0, dext, false],
    [kIOMemoryDirectionIn, 0, dext, true],
    [kIOMemoryDirectionOutIn, 0, dext, true],
    [kIOMemoryDirectionIn, kIOMemoryMapReadOnly, dext, false],
    [kIOMemoryDirectionOut, 0, kernel, true],
    [kIOMemoryDirectionOut, kIOMemoryMapReadOnly, kernel, true],
  ];
  for (const [direction, options, space, isWritable] of rows) {
    const memory = buffer(kernel, direction);
    memory.bytes[3] = 42;
    const map = memory.createMapping(space, options, 2, 0).value as IOMemoryMap;
    assert.deepEqual([map.getLength(), map.getOffset()], [62, 2]);
    assert.equal(space.loadByte((map.getAddress() + 1) as Address), 42);
    if (isWritable) {
      space.storeByte(map.getAddress(), 9);
      assert.equal(memory.bytes[2], 9);
    } else {
      const { machCode, reason } = fault(() => space.storeByte(map.getAddress(), 9));
      assert.deepEqual([machCode, reason], ["KERN_PROTECTION_FAILURE", "read-only"]);
    }
    map.release();
    assert.equal(fault(() => space.loadByte(map.getAddress())).reason, "after release");
  }
});

test("CreateMapping refuses unknown options, alignments and ranges outside", () => {
  const space = new AddressSpace("dext");
  const memory = buffer(space, kIOMemoryDirectionOutIn);
  const rows: [number, number, number, number][] = [
    [0x8000, 0, 0, 0],
    [0x300, 0, 0, 0],
    [0, 65, 0, 0],
    [0, 0, 65, 0],
    [0, -1, 4, 0],
    [0, 0, 0, 16],
  ];
  for (const [options, offset, length, alignment] of rows) {
    const made = memory.createMapping(space, options, offset, length, alignment);
    assert.deepEqual(made, { status: IOReturns.kIOReturnBadArgument, value: null });
  }
});

test("a sub-descriptor is a window, and its range is checked", () => {
  const memory = buffer(new AddressSpace("dext"), kIOMemoryDirectionOutIn);
  const make = (offset: number, length: number, options = 3) =>
    IOMemoryDescriptor.createSubMemoryDescriptor(options, offset, length, memory);
  const part = make(8, 4).value as IOMemoryDescriptor;
  part.bytes.fill(7);
  assert.deepEqual([...memory.bytes.subarray(7, 13)], [0, 7, 7, 7, 7, 0]);
  for (const [offset, length, options] of [
    [60, 5],
    [-1, 2],
    [0, 0],
    [0, 4, 0x100],
  ]) {
    assert.equal(make(offset, length, options).status, IOReturns.kIOReturnBadArgument);
  }
});

test("released memory is poisoned, and every later use has a name", () => {
  const space = new AddressSpace("dext");
  const memory = buffer(space, kIOMemoryDirectionOutIn, 4);
  const { address } = memory.getAddressRange();
  const view = memory.bytes;
  memory.release();
  assert.deepEqual([...view], [releasedPoison, releasedPoison, releasedPoison, releasedPoison]);
  assert.equal(fault(() => space.loadByte(address)).reason, "after release");
  const isRule = (rule: string) => (error: unknown) =>
    error instanceof ContractViolation && error.rule === rule;
  assert.throws(() => memory.bytes, isRule("memory-use-after-release"));
  assert.throws(() => memory.createMapping(space, 0, 0, 0), isRule("memory-use-after-release"));
  assert.throws(() => memory.release(), isRule("memory-released-twice"));
});

test("memcpy into &pointer hits the pointer, not what it points at (posts.md P02)", () => {
  const space = new AddressSpace("dext");
  const target = space.allocate(8, "coding", true);
  const pointer = space.local("ptr", target);
  const source = space.allocate(8, "source", true);
  space.write(source, Uint8Array.of(0x80, 0x25, 0, 0, 0, 0, 8, 0));
  space.copy(pointer.address, source, 7);
  assert.deepEqual([...space.read(target, 8)], [0, 0, 0, 0, 0, 0, 0, 0]);
  assert.notEqual(pointer.value, target);
  assert.equal(fault(() => space.loadByte(pointer.value)).reason, "unmapped");
});

test("heap blocks are fresh poison, guarded on both sides, and freed once", () => {
  const space = new AddressSpace("dext");
  const first = space.allocate(16, "first");
  const second = space.allocate(16, "second");
  assert.deepEqual([...space.read(first, 2)], [freshPoison, freshPoison]);
  const over = fault(() => space.read((first + 10) as Address, 7));
  assert.deepEqual(
    [over.reason, over.region, over.machCode],
    ["past the end", "first", "KERN_INVALID_ADDRESS"],
  );
  assert.equal(fault(() => space.loadByte((second - 1) as Address)).kind, "read");
  assert.equal(fault(() => space.copy(second, first, 17)).region, "first");
  assert.equal(fault(() => space.loadByte(0 as Address)).reason, "unmapped");
  space.free(first);
  assert.equal(fault(() => space.free(first)).reason, "after release");
  assert.equal(fault(() => space.fill(first, 0, 1)).reason, "after release");
  space.fill(second, 3, 16);
  assert.equal(space.loadByte((second + 15) as Address), 3);
});

test("moves of no bytes touch nothing, addresses survive a round trip", () => {
  const space = new AddressSpace("dext");
  space.copy(1 as Address, 2 as Address, 0);
  space.write(1 as Address, new Uint8Array(0));
  assert.equal(space.read(5 as Address, 0).length, 0);
  const cell = space.allocate(8, "cell");
  for (const value of [0, 1, 0x1_0400_0000, 2 ** 53 - 1]) {
    space.storeAddress(cell, value as Address);
    assert.equal(space.loadAddress(cell), value);
  }
});
