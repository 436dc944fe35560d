// The AX88772's driver on its model: link, filters, frames cut everywhere, errors, unplug.

import assert from "node:assert/strict";
import { test } from "node:test";
import { axChips } from "../../codec/ax88772/ax88772.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { Ax88772Device, type Ax88772Options } from "../../devices/ax88772/ax88772-device.ts";
import { exchanged, networkBench } from "../../rigs/test/network-bench.ts";

const exchange = (options: Partial<Ax88772Options>, frames: number) =>
  exchanged((clock) => new Ax88772Device({ clock, ...options }), frames);

for (const chip of Object.values(axChips))
  for (const speed of [UsbSpeed.full, UsbSpeed.high] as const)
    test(`${chip.name} at ${speed === UsbSpeed.full ? "full" : "high"} speed: random frames both ways, equal`, async () => {
      const { device, exchange: done, rig } = await exchange({ chip: chip.name, speed }, 150);
      assert.equal(done.result().isWhole, true, JSON.stringify(done.result()));
      const { badTransmitHeaders, miiWithoutOwnership, refusedRequests } = device.observe();
      assert.deepEqual([badTransmitHeaders, miiWithoutOwnership, refusedRequests], [0, 0, 0]);
      assert.deepEqual(
        [rig.interfaces[0].link.bitsPerSecond, rig.interfaces[0].link.isFullDuplex],
        [100e6, true],
      );
    });

for (const cutBytes of [2, 4, 6, 62, 64, 66, 510, 512])
  test(`transfers that end after ${cutBytes} bytes lose nothing`, async () => {
    const { exchange: done } = await exchange({ cutBytes }, 40);
    assert.equal(done.result().isWhole, true, JSON.stringify(done.result()));
  });

test("an adapter without an address gets one of the driver's making, the same every time", async () => {
  const { rig } = await exchange({ eeprom: null }, 1);
  const again = await exchange({ eeprom: null }, 1);
  const { macAddress } = rig.interfaces[0];
  assert.equal(macAddress[0], 2);
  assert.deepEqual(again.rig.interfaces[0].macAddress, macAddress);
});

test("groups are filtered by hash, and everything comes when it is asked for", async () => {
  const { device, rig } = await exchange({}, 1);
  const [port] = rig.interfaces;
  port.close();
  const heard: number[] = [];
  port.open({
    ...{ enabled() {}, writable() {}, linkChanged() {}, hungUp() {} },
    frame: (bytes, offset) => heard.push(bytes[offset + 5]),
  });
  const { scheduler } = rig.machine;
  const settle = () => scheduler.run(scheduler.nowNs() + 1e9);
  const tell = async (filter: {
    promiscuous?: boolean;
    allMulticast?: boolean;
    multicast?: Uint8Array[];
  }) => {
    port.setFilter({ promiscuous: false, allMulticast: false, multicast: [], ...filter });
    await settle();
    heard.length = 0;
    for (const last of [0xfb, 1]) {
      const frame = new Uint8Array(60);
      frame.set([1, 0, 0x5e, 0, 0, last]);
      device.jack.frame(frame, 0, 60);
    }
    const other = new Uint8Array(60);
    other.set([2, 9, 9, 9, 9, 9]);
    device.jack.frame(other, 0, 60);
    await settle();
    return heard.join();
  };
  await settle();
  assert.equal(await tell({}), "");
  assert.equal(await tell({ multicast: [Uint8Array.of(1, 0, 0x5e, 0, 0, 0xfb)] }), "251");
  assert.equal(await tell({ allMulticast: true }), "251,1");
  assert.equal(await tell({ promiscuous: true }), "251,1,9");
  assert.equal(await tell({}), "");
});

test("link changes are told, and 200 of them leave a link that works", async () => {
  const { device, exchange: done, rig } = await exchange({ negotiationNs: 1_000_000 }, 1);
  const { scheduler } = rig.machine;
  const [port] = rig.interfaces;
  port.close();
  await scheduler.run(scheduler.nowNs() + 1e9);
  const links: boolean[] = [];
  let frames = 0;
  port.open({
    ...{ enabled() {}, writable() {}, hungUp() {} },
    linkChanged: ({ isUp }) => links.push(isUp),
    frame: () => frames++,
  });
  for (let flap = 0; flap < 200; flap++) {
    device.jack.pullOut();
    await scheduler.run(scheduler.nowNs() + 0.2e9);
    device.jack.plugIn(done.station);
    await scheduler.run(scheduler.nowNs() + 0.2e9);
  }
  assert.equal(links.length, 400);
  assert.equal(links.at(-1), true);
  const frame = new Uint8Array(60);
  frame.set(port.macAddress);
  device.jack.frame(frame, 0, 60);
  await scheduler.run(scheduler.nowNs() + 1e9);
  assert.equal(frames, 1);
});

test("60 unplugs at random moments of traffic: a hang-up each time, no crash, no packet left behind", async () => {
  for (let seed = 1; seed <= 60; seed++) {
    const { exchange: done, rig } = await networkBench(
      (clock) => new Ax88772Device({ clock, negotiationNs: 1_000_000 }),
      1000,
      { seed, timing: "bus" },
    );
    const { scheduler } = rig.machine;
    done.start(rig.interfaces[0]);
    const last = scheduler.steps + 50 + seed * 37;
    await scheduler.run(scheduler.nowNs() + 10e9, () => scheduler.steps >= last);
    rig.usb.bus.unplug(1);
    await scheduler.run(scheduler.nowNs() + 5e9);
    assert.equal(done.hungUps, 1, `seed ${seed}`);
    assert.deepEqual([rig.machine.crashes, rig.machine.failure], [[], null], `seed ${seed}`);
    const [port] = rig.interfaces;
    const { lostFrames, sentFrames } = port.counts;
    assert.ok(sentFrames + lostFrames <= done.result().out.sent, "no frame is counted twice");
    assert.equal(rig.machine.registry.byClass("Ax88772Driver").length, 0);
  }
});
