// The storage stack end to end: contract of the disk on each transport, unplug at every step, faults by seed.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Random } from "../base/random.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { type BlockBench, blockContract, RecordingBlockClient } from "../ports/block.contract.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import { defaultStorageRig, type StorageRig, type StorageRigOptions } from "./storage-rig.ts";

const variants: readonly (Partial<StorageRigOptions> & { readonly name: string })[] = [
  { name: "Bulk-Only, high speed" },
  { name: "UAS, high speed", policy: "uas" },
  { name: "UAS with streams, SuperSpeed", device: { speed: UsbSpeed.super } },
  { name: "Bulk-Only forced on SuperSpeed", device: { speed: UsbSpeed.super }, policy: "bulk-only" },
];

async function bench(options: Partial<StorageRigOptions>): Promise<BlockBench> {
  const rig = defaultStorageRig(1, hostTurn, { timing: "none", trace: false, ...options });
  return await benchOf(rig);
}

async function benchOf(rig: StorageRig): Promise<BlockBench> {
  const port = await rig.openMedia();
  const client = new RecordingBlockClient();
  port.connect(client);
  return {
    port,
    client,
    settle: async () => {
      await rig.machine.run();
    },
    unplug: () => rig.usb.bus.unplug(1),
    cutPower: async () => {
      rig.usb.bus.unplug(1);
      await rig.machine.run();
      rig.usb.bus.plugIn(rig.device, 1);
      return await benchOf(rig);
    },
  };
}

for (const { name, ...options } of variants) {
  for (const check of blockContract) {
    test(`${name}: ${check.name}`, async () => {
      await check.run(await bench(options));
    });
  }
}

test("each variant uses the transport it is meant to", async () => {
  const used: string[] = [];
  for (const { name: _name, ...options } of variants) {
    const rig = defaultStorageRig(1, hostTurn, { timing: "none", ...options });
    const media = await rig.openMedia();
    used.push(`${rig.device.transport} ${media.provider?.provider?.kernelClass}`);
  }
  assert.deepEqual(used, [
    "bulk-only IOSCSILogicalUnitNub",
    "uas IOSCSIHierarchicalLogicalUnit",
    "uas IOSCSIHierarchicalLogicalUnit",
    "bulk-only IOSCSILogicalUnitNub",
  ]);
});

/** Writes and reads back at random, many requests at once; answers what went wrong. */
async function churn(rig: StorageRig, rounds: number, depth: number): Promise<number> {
  const media = await rig.openMedia();
  const random = new Random(7);
  const expected = new Map<number, number>();
  let wrong = 0;
  let left = rounds;
  const buffers = Array.from({ length: depth }, () => new Uint8Array(4096));
  const blocks = new Array<number>(depth).fill(0);
  const isRead = new Array<boolean>(depth).fill(false);
  const next = (slot: number): void => {
    if (left-- <= 0) return;
    // Regions per slot, so that requests do not overtake each other on the same block.
    const block = (slot * 64 + random.below(64)) * 8;
    blocks[slot] = block;
    isRead[slot] = expected.has(block) && random.chance(0.5);
    if (isRead[slot]) assert.equal(media.read(slot, block, 8, buffers[slot], 0), BlockSubmit.accepted);
    else {
      const value = random.below(255) + 1;
      buffers[slot].fill(value);
      expected.set(block, value);
      assert.equal(media.write(slot, block, 8, buffers[slot], 0, random.chance(0.1)), BlockSubmit.accepted);
    }
  };
  media.connect({
    completed: (slot, status) => {
      if (status !== BlockStatus.ok) wrong++;
      else if (isRead[slot] && !buffers[slot].every((byte) => byte === expected.get(blocks[slot]))) wrong++;
      next(slot);
    },
    detached: () => {},
  });
  for (let slot = 0; slot < depth; slot++) next(slot);
  await rig.machine.run();
  assert.ok(left <= 0, "everything was asked");
  return wrong;
}

for (const { name, ...options } of variants) {
  test(`${name}: random reads and writes, 32 at once, come back as written, with wire time`, async () => {
    const rig = defaultStorageRig(3, hostTurn, { trace: false, ...options });
    assert.equal(await churn(rig, 600, 32), 0);
    assert.equal(rig.machine.failure, null);
  });
}
