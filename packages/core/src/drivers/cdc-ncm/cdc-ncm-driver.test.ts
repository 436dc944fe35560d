// The NCM driver on its model: random frames, odd parameters, blocks that lie, unplug.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { NtbParameters } from "../../codec/cdc-ncm/cdc-ncm.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { CdcNcmDevice } from "../../devices/cdc-ncm/cdc-ncm-device.ts";
import { exchanged, networkBench } from "../../rigs/test/network-bench.ts";

const variants: readonly Partial<NtbParameters>[] = [
  {},
  { formats: 1 },
  { inMaxSize: 2048, outMaxSize: 2048 },
  { inMaxSize: 65_536, outMaxSize: 1 << 20 },
  { outMaxDatagrams: 1 },
  { outDivisor: 64, outRemainder: 14, outAlignment: 64, inDivisor: 16, inRemainder: 2, inAlignment: 16 },
  { outDivisor: 0, outRemainder: 9, outAlignment: 3 },
];

for (const parameters of variants)
  for (const speed of [UsbSpeed.full, UsbSpeed.high] as const)
    test(`300 random frames both ways: ${JSON.stringify(parameters)}, ${speed === UsbSpeed.full ? "full" : "high"} speed`, async () => {
      const { device, exchange } = await exchanged(() => new CdcNcmDevice({ parameters, speed }), 300);
      assert.equal(exchange.result().isWhole, true, JSON.stringify(exchange.result()));
      assert.equal(device.counts.badTransfers, 0);
      assert.equal(device.refusedRequests, 0);
    });

test("a device without capabilities hands up what comes, and works", async () => {
  const { exchange } = await exchanged(() => new CdcNcmDevice({ capabilities: 0 }), 100);
  assert.equal(exchange.result().isWhole, true);
});

test("parameters that no host can obey are refused, and the log says which", async () => {
  for (const [parameters, why] of [
    [{ formats: 2 }, /NTB-16/],
    [{ inMaxSize: 1024 }, /dwNtbInMaxSize is 1024/],
    [{ outMaxSize: 100 }, /dwNtbOutMaxSize is 100/],
  ] as const) {
    const { rig } = await networkBench(() => new CdcNcmDevice({ parameters }), 1);
    assert.equal(rig.interfaces.length, 0);
    assert.ok(rig.machine.log.show().some(({ message }) => why.test(message)));
  }
});

test("a block that lies costs its own frames: the next one is read", async () => {
  class LyingAdapter extends CdcNcmDevice {
    lies = 0;
    protected override dataIn(pipe: number, buffer: Uint8Array, offset: number, length: number): number {
      const count = super.dataIn(pipe, buffer, offset, length);
      if (count > 64 && this.lies-- > 0) buffer[offset + 10] ^= 0x41;
      return count;
    }
  }
  const { device, rig } = await networkBench(() => new LyingAdapter(), 1);
  const [port] = rig.interfaces;
  const { scheduler } = rig.machine;
  let heard = 0;
  port.open({ ...{ enabled() {}, writable() {}, linkChanged() {}, hungUp() {} }, frame: () => heard++ });
  await scheduler.run(scheduler.nowNs() + 1e9);
  device.lies = 1;
  const frame = new Uint8Array(60);
  frame.set(port.macAddress);
  for (let count = 0; count < 2; count++) {
    device.jack.frame(frame, 0, 60);
    await scheduler.run(scheduler.nowNs() + 1e9);
  }
  assert.equal(heard, 1);
});

test("40 unplugs at random moments of traffic: a hang-up each time, no crash", async () => {
  for (let seed = 1; seed <= 40; seed++) {
    const { exchange, rig } = await networkBench(() => new CdcNcmDevice(), 1000, { seed, timing: "bus" });
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
