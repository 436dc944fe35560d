// Network adapters that storm: empty transfers, babble and stalls in place of data, and frames that are none.

import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "../base/clock.ts";
import { Ax88772Device, axInEndpoint } from "../devices/ax88772/ax88772-device.ts";
import { CdcEcmDevice } from "../devices/cdc-ecm/cdc-ecm-device.ts";
import { cdcInEndpoint } from "../devices/cdc-ethernet-model.ts";
import { CdcNcmDevice } from "../devices/cdc-ncm/cdc-ncm-device.ts";
import { EthernetSend } from "../ports/ethernet.ts";
import { UsbStall } from "../ports/usb-device.ts";
import { FrameExchange } from "../trials/frame-exchange.ts";
import type { NetworkAdapter } from "./network-rig.ts";
import { networkBench } from "./test/network-bench.ts";

/** What an adapter answers to a read in place of data. */
const answers = { empty: 0, babble: 1 << 20, stall: UsbStall } as const;

interface Storm {
  answer: keyof typeof answers;
  /** Reads that are answered so; Infinity: for ever. */
  left: number;
  answered: number;
}

const kinds: readonly (readonly [string, number, (clock: Clock) => NetworkAdapter])[] = [
  ["AX88772C", axInEndpoint, (clock) => new Ax88772Device({ clock, chip: "ax88772c" })],
  ["NCM", cdcInEndpoint, () => new CdcNcmDevice({})],
  ["ECM", cdcInEndpoint, () => new CdcEcmDevice({})],
];

async function stormy([, endpoint, make]: (typeof kinds)[number], frames: number) {
  const storm: Storm = { answer: "empty", left: 0, answered: 0 };
  const bench = await networkBench(
    (clock) => {
      const adapter = make(clock);
      const usual = adapter.in.bind(adapter);
      adapter.in = (address, buffer, offset, length, stream) => {
        if (address !== endpoint || storm.left <= 0) return usual(address, buffer, offset, length, stream);
        storm.left--;
        storm.answered++;
        return answers[storm.answer];
      };
      return adapter;
    },
    frames,
    { timing: "bus" },
  );
  return { ...bench, storm, scheduler: bench.rig.machine.scheduler };
}

for (const kind of kinds) {
  test(`${kind[0]}: 5000 empty transfers among the frames cost none of them, either way`, async () => {
    const { exchange, rig, scheduler, storm } = await stormy(kind, 200);
    storm.left = 5000;
    exchange.start(rig.interfaces[0]);
    await scheduler.run(scheduler.nowNs() + 100e9, () => exchange.isDone && storm.left === 0);
    assert.equal(storm.answered, 5000);
    assert.equal(exchange.result().isWhole, true, JSON.stringify(exchange.result()));
    assert.deepEqual([rig.machine.crashes, rig.machine.failure], [[], null]);
  });

  test(`${kind[0]}: empty transfers without end: what the program sends leaves, and the cable's end is told once`, async () => {
    const { exchange, rig, scheduler, storm } = await stormy(kind, 200);
    storm.left = Number.POSITIVE_INFINITY;
    exchange.start(rig.interfaces[0]);
    await scheduler.run(scheduler.nowNs() + 1e9, () => exchange.result().out.received === 200);
    const { in: into, out } = exchange.result();
    assert.deepEqual([out.received, out.receivedDigest, into.received], [200, out.sentDigest, 0]);
    rig.usb.bus.unplug(1);
    await scheduler.run(scheduler.nowNs() + 1e9);
    assert.deepEqual([exchange.hungUps, rig.machine.crashes, rig.machine.failure], [1, [], null]);
  });

  for (const answer of ["babble", "stall"] as const)
    test(`${kind[0]}: ${answer} after ${answer}: the driver gives up in words, and works when the interface is opened again`, async () => {
      const { device, exchange, rig, scheduler, storm } = await stormy(kind, 50);
      const [port] = rig.interfaces;
      Object.assign(storm, { answer, left: Number.POSITIVE_INFINITY });
      exchange.start(port);
      await scheduler.run(scheduler.nowNs() + 5e9);
      // A read or two more may be under way when it gives up.
      assert.ok(storm.answered >= 8 && storm.answered < 40, `${storm.answered} reads`);
      const words = rig.machine.log.show().map(({ message }) => message);
      assert.equal(words.filter((text) => /8 transfer errors in a row, giving up/.test(text)).length, 1);
      assert.equal(exchange.result().out.received, 50, "what the program sends leaves");
      storm.left = 0;
      port.close();
      await scheduler.run(scheduler.nowNs() + 1e9);
      // What waited in the adapter comes first.
      port.open({ ...{ enabled() {}, writable() {}, linkChanged() {}, hungUp() {} }, frame: () => {} });
      await scheduler.run(scheduler.nowNs() + 1e9);
      port.close();
      await scheduler.run(scheduler.nowNs() + 1e9);
      const again: FrameExchange = new FrameExchange({
        ...{ clock: scheduler, frames: 50, seed: 4, window: 4, intoCable: device.jack },
      });
      rig.cables[0].connect(again.station);
      await scheduler.run(scheduler.nowNs() + 5e9, () => port.link.isUp);
      again.start(port);
      await scheduler.run(scheduler.nowNs() + 20e9, () => again.isDone);
      assert.equal(again.result().isWhole, true, JSON.stringify(again.result()));
      assert.deepEqual([rig.machine.crashes, rig.machine.failure], [[], null]);
    });

  test(`${kind[0]}: what is no frame, from the cable and from the program, is refused, and its neighbours arrive`, async () => {
    const { device, rig, scheduler } = await stormy(kind, 1);
    const [port] = rig.interfaces;
    let heard = 0;
    const client = { enabled() {}, writable() {}, linkChanged() {}, hungUp() {}, frame: () => heard++ };
    assert.equal(port.open(client), null);
    await scheduler.run(scheduler.nowNs() + 1e9);
    const bytes = new Uint8Array(70_000);
    bytes.set(port.macAddress);
    for (const length of [0, 1, 13, 1519, 2048, 9000, 65_535]) {
      device.jack.frame(bytes, 0, length);
      assert.notEqual(port.send(bytes, 0, length), EthernetSend.accepted, `${length} bytes`);
    }
    assert.notEqual(port.send(bytes, 69_990, 60), EthernetSend.accepted, "past the buffer");
    assert.notEqual(port.send(bytes, -1, 60), EthernetSend.accepted, "before the buffer");
    device.jack.frame(bytes, 0, 60);
    assert.equal(port.send(bytes, 0, 60), EthernetSend.accepted);
    await scheduler.run(scheduler.nowNs() + 1e9);
    assert.equal(heard, 1);
    assert.deepEqual([rig.machine.crashes, rig.machine.failure], [[], null]);
  });
}
