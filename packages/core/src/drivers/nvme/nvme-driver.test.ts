// The NVMe driver: what the disk says of itself, recovery counted, an orderly stop, reads in steady state: none.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { NvmeDevice } from "../../devices/nvme/nvme-device.ts";
import { BlockStatus } from "../../ports/block.ts";
import { defaultNvmeRig, type NvmeRig } from "../../rigs/nvme-rig.ts";
import { describeTeardown, TeardownWatch } from "../../trials/teardown-watch.ts";

async function write(rig: NvmeRig, count: number): Promise<number[]> {
  const media = await rig.openMedia();
  const statuses: number[] = [];
  media.connect({ completed: (_slot, status) => statuses.push(status), detached: () => {} });
  for (let slot = 0; slot < count; slot++) media.write(slot, slot * 8, 8, new Uint8Array(4096), 0, false);
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 100e9, () => statuses.length === count);
  return statuses;
}

test("the disk's geometry is the namespace's, and its name the controller's", async () => {
  const rig = defaultNvmeRig(1, hostTurn, {
    device: { namespaces: [{ blockCount: 9000, blockBytes: 4096 }] },
  });
  const media = await rig.openMedia();
  assert.equal(media.geometry.blockBytes, 4096);
  assert.equal(media.geometry.blockCount, 9000);
  assert.equal(media.geometry.maximumBlocks, 32);
  assert.equal(media.geometry.hasWriteCache, true);
  assert.equal(media.registryName, "NVMe Drydock NVMe model Media");
  assert.equal(rig.driver?.identity?.serialNumber, "DRYDOCK-NVME-0001");
});

test("a controller whose queues hold few commands gets no more at once than they hold", async () => {
  // CAP.MQES is 0's based and 1 at least (NVM Express 1.4, §3.1.1): a ring of n entries holds n - 1 commands (§4.1.2).
  for (const queueEntries of [2, 5, 32]) {
    const rig = defaultNvmeRig(8, hostTurn, { device: { queueEntries } });
    const statuses = await write(rig, 100);
    assert.deepEqual(statuses, new Array(100).fill(BlockStatus.ok), `${queueEntries} entries`);
    assert.equal(rig.device.commandCount, 100);
    assert.deepEqual(rig.driver?.counters.resets, 0);
    assert.equal(rig.driver?.counters.protocolErrors, 0);
  }
});

test("doorbells that lie beyond the BAR are said to, not written into nothing", async () => {
  const rig = defaultNvmeRig(10, hostTurn);
  const { device } = rig;
  device.memoryRead = (bar, offset, sizeBytes) => {
    const value = NvmeDevice.prototype.memoryRead.call(device, bar, offset, sizeBytes);
    // CAP.DSTRD, bits 35:32: strides of 2 ^ (2 + 15) bytes.
    return bar === 0 && offset === 4 && value !== null ? (value | 0xf) >>> 0 : value;
  };
  await rig.machine.scheduler.run(20e9);
  assert.equal(rig.media.length, 0);
  assert.match(
    rig.machine.log
      .show({ info: true, debug: true })
      .map(({ message }) => message)
      .join("\n"),
    /doorbells 131072 bytes apart end at 0x[0-9a-f]+, BAR 0 at 0x4000/,
  );
  assert.equal(rig.pci.iommu.mappings.size, 0);
});

test("requests that come together share a doorbell, one that comes alone has its own at once", async () => {
  const writes: number[] = [];
  const rig = defaultNvmeRig(9, hostTurn);
  const { device } = rig;
  device.memoryWrite = (bar, offset, sizeBytes, value) => {
    // The tail of queue 1.
    if (offset === 0x1008) writes.push(value);
    NvmeDevice.prototype.memoryWrite.call(device, bar, offset, sizeBytes, value);
  };
  assert.deepEqual(await write(rig, 1), [BlockStatus.ok]);
  assert.deepEqual(writes, [1]);
  const statuses = await write(rig, 64);
  assert.equal(statuses.filter((status) => status === BlockStatus.ok).length, 64);
  assert.equal(writes.at(-1), 65);
  assert.ok(writes.length <= 5, `${writes.length} doorbells for 64 commands`);
});

test("no register is read while requests run", async () => {
  const rig = defaultNvmeRig(2, hostTurn);
  await rig.openMedia();
  const [device] = rig.family.devices;
  const reads = rig.pci.bus.deadLinkReads.length + device.reads.count;
  const statuses = await write(rig, 64);
  assert.ok(statuses.every((status) => status === BlockStatus.ok));
  assert.equal(rig.pci.bus.deadLinkReads.length + device.reads.count, reads);
  assert.equal(device.reads.count, 0);
});

test("a lost interrupt costs a second, a lost command an abort, a broken completion a reset", async () => {
  const lost = defaultNvmeRig(3, hostTurn, {
    device: { mischief: [{ kind: "lost-interrupt", atCommand: 1 }] },
  });
  assert.deepEqual(await write(lost, 1), [BlockStatus.ok]);
  assert.deepEqual(lost.driver?.counters.resets, 0);
  const silent = defaultNvmeRig(4, hostTurn, { device: { mischief: [{ kind: "silent", atCommand: 2 }] } });
  assert.deepEqual(await write(silent, 3), [0, 0, 0]);
  assert.equal(silent.driver?.counters.aborts, 1);
  assert.equal(silent.driver?.counters.resets, 0);
  const wrong = defaultNvmeRig(5, hostTurn, { device: { mischief: [{ kind: "wrong-id", atCommand: 2 }] } });
  assert.deepEqual(await write(wrong, 3), [0, 0, 0]);
  assert.equal(wrong.driver?.counters.protocolErrors, 1);
  assert.equal(wrong.driver?.counters.resets, 1);
});

test("a temperature warning reaches the driver, which reads the log and asks again", async () => {
  const rig = defaultNvmeRig(6, hostTurn);
  await rig.openMedia();
  const { scheduler } = rig.machine;
  for (let round = 1; round <= 3; round++) {
    rig.device.admin.setTemperature(350 + round);
    await scheduler.run(scheduler.nowNs() + 1e9);
    assert.equal(rig.driver?.counters.events, round);
  }
});

test("an orderly end of the driver stops in order: shut down, engine off, bus master off, mappings gone", async () => {
  const rig = defaultNvmeRig(7, hostTurn);
  await write(rig, 4);
  const { driver } = rig;
  assert.ok(driver !== null);
  const watch = new TeardownWatch(rig.machine.scheduler, rig.pci, rig.device);
  rig.machine.terminate(driver);
  await rig.machine.run();
  assert.equal(watch.report().windowNs, 0, describeTeardown(watch.report()));
  assert.equal(watch.report().steps[0]?.what, "bus master off");
  assert.equal(rig.machine.failure, null);
  assert.equal(rig.device.isEngineOn, false);
  assert.equal(rig.device.disks[0].cachedBlocks, 0);
  assert.equal(rig.device.configRead(4, 2) & 4, 0);
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.pci.iommu.refusedCount, 0);
});
