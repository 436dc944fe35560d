// The ECM driver on its model: random frames, devices that are refused with a reason, the link, groups, unplug.

import assert from "node:assert/strict";
import { test } from "node:test";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { CdcEcmDevice } from "../../devices/cdc-ecm/cdc-ecm-device.ts";
import { EthernetSend } from "../../ports/ethernet.ts";
import { exchanged, networkBench } from "../../rigs/test/network-bench.ts";

for (const speed of [UsbSpeed.full, UsbSpeed.high] as const)
  test(`300 random frames both ways, equal, at ${speed === UsbSpeed.full ? "full" : "high"} speed`, async () => {
    const { device, exchange, rig } = await exchanged(() => new CdcEcmDevice({ speed }), 300);
    assert.equal(exchange.result().isWhole, true, JSON.stringify(exchange.result()));
    assert.deepEqual([device.counts.badTransfers, device.refusedRequests], [0, 0]);
    assert.equal(rig.interfaces[0].link.bitsPerSecond, speed === UsbSpeed.full ? 9_728_000 : 425_984_000);
  });

test("a device whose address is a group's, or zeros, is refused, and the log says why", async () => {
  for (const first of [1, 0]) {
    const macAddress = Uint8Array.of(first, 0, 0, 0, 0, 0);
    const { rig } = await networkBench(() => new CdcEcmDevice({ macAddress }), 1);
    assert.equal(rig.interfaces.length, 0);
    const said = rig.machine.log.show().map(({ message }) => message);
    assert.ok(
      said.some((line) => /is no station's/.test(line)),
      said.join("\n"),
    );
  }
});

test("a device with shorter frames: longer ones are refused to the program, and never sent", async () => {
  const { device, exchange, rig } = await networkBench(() => new CdcEcmDevice({ segmentBytes: 1014 }), 1);
  const [port] = rig.interfaces;
  assert.equal(port.mtu, 1000);
  exchange.start(port);
  await rig.machine.scheduler.run(rig.machine.scheduler.nowNs() + 1e9);
  assert.equal(port.send(new Uint8Array(1514), 0, 1514), EthernetSend.badFrame);
  assert.equal(device.counts.badTransfers, 0);
});

test("a device without notifications is taken to have a link, and the log says so", async () => {
  const { exchange, rig } = await exchanged(() => new CdcEcmDevice({ notifies: false }), 50);
  assert.equal(exchange.result().isWhole, true);
  assert.ok(rig.machine.log.show().some(({ message }) => /no notification endpoint/.test(message)));
});

test("groups are filtered by the device as far as it has filters, and all are taken beyond that", async () => {
  const { device, rig } = await networkBench(() => new CdcEcmDevice(), 1);
  const [port] = rig.interfaces;
  const { scheduler } = rig.machine;
  const settle = () => scheduler.run(scheduler.nowNs() + 1e9);
  let heard = 0;
  port.open({ ...{ enabled() {}, writable() {}, linkChanged() {}, hungUp() {} }, frame: () => heard++ });
  await settle();
  const groups = (count: number) =>
    Array.from({ length: count }, (_, index) => Uint8Array.of(1, 0, 0x5e, 0, 0, index));
  port.setFilter({ promiscuous: false, allMulticast: false, multicast: groups(2) });
  await settle();
  assert.equal(device.packetFilter, 0x1c);
  const frame = new Uint8Array(60);
  for (const last of [0, 1, 2]) {
    frame.set([1, 0, 0x5e, 0, 0, last]);
    device.jack.frame(frame, 0, 60);
  }
  await settle();
  assert.equal(heard, 2);
  port.setFilter({ promiscuous: false, allMulticast: false, multicast: groups(40) });
  await settle();
  assert.equal(device.packetFilter & 2, 2);
});

test("40 unplugs at random moments of traffic: a hang-up each time, no crash", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { exchange, rig } = await networkBench(() => new CdcEcmDevice(), 1000, { seed, timing: "bus" });
    const { scheduler } = rig.machine;
    exchange.start(rig.interfaces[0]);
    const last = scheduler.steps + 20 + seed * 29;
    await scheduler.run(scheduler.nowNs() + 10e9, () => scheduler.steps >= last);
    rig.usb.bus.unplug(1);
    await scheduler.run(scheduler.nowNs() + 5e9);
    assert.deepEqual(
      [exchange.hungUps, rig.machine.crashes, rig.machine.failure],
      [1, [], null],
      `seed ${seed}`,
    );
  }
});
