// Memory that QEMU does not share: copies that both sides write are the same again whenever the bus orders it.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DmaDirection } from "../../ports/dma.ts";
import { physicalAddresses, QtestDma } from "./qtest-dma.ts";
import { RamArena } from "./ram-arena.ts";

const both = (DmaDirection.deviceReads | DmaDirection.deviceWrites) as DmaDirection;

function bench(direction: DmaDirection) {
  const arena = new RamArena(new Uint8Array(4 << 20));
  const dma = new QtestDma(arena, physicalAddresses);
  const own = new Uint8Array(4096).fill(1);
  const mapping = dma.map(own, direction, "ring");
  assert.ok(typeof mapping !== "number");
  const { address } = mapping.segments[0];
  return { dma, own, mapping, shared: arena.bytes.subarray(address, address + own.length) };
}

test("what each side writes is with the other after a carry, byte for byte; where both did, the driver's stays", () => {
  const { dma, mapping, own, shared } = bench(both);
  assert.equal(mapping.isBounced, true);
  own[7] = 0x70;
  shared[9] = 0x90;
  own[11] = 0xaa;
  shared[11] = 0xbb;
  assert.deepEqual([shared[7], own[9]], [1, 1]);
  dma.carry();
  assert.deepEqual([shared[7], own[9], own[11], shared[11]], [0x70, 0x90, 0xaa, 0xaa]);
  shared[7] = 0x71;
  dma.carry();
  assert.equal(own[7], 0x71);
});

test("when the mapping ends the last bytes are carried, and then none", () => {
  const { dma, mapping, own, shared } = bench(both);
  shared[3] = 0x33;
  own[4] = 0x44;
  dma.unmap(mapping);
  assert.deepEqual([own[3], own[4]], [0x33, 0x44]);
  shared[5] = 0x55;
  dma.carry();
  assert.equal(own[5], 1);
});

test("a copy that the device alone writes comes back at the end, as before", () => {
  const { dma, mapping, own, shared } = bench(DmaDirection.deviceWrites);
  shared.fill(0x22);
  dma.carry();
  assert.equal(own[0], 1);
  dma.unmap(mapping);
  assert.equal(own[0], 0x22);
});
