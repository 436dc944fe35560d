// P01 AC3: the cable pulled at every byte.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { accessoryBench, echoProtocol, sameBytes } from "./accessory-bench.ts";
import { SessionApp } from "./good-driver.ts";

const declared = ["org.drydock.control", echoProtocol];
const second = 1e9;

test("P01 AC3: the cable pulled at every byte of a 1 KiB exchange: nothing is written after the end, and it comes back", async () => {
  const payload = new Uint8Array(510).map((_, index) => index);
  for (let cut = 1; cut <= 1024; cut++) {
    const bench = accessoryBench({ seed: cut, turn: hostTurn }, declared, { segmentBytes: 100 });
    const { accessory, rig } = bench;
    const { scheduler } = rig.machine;
    const app = new SessionApp(bench);
    app.onSession = () => app.send(payload);
    let isCut = false;
    accessory.onDataByte = (total) => {
      if (total !== cut || isCut) return;
      isCut = true;
      scheduler.after(0, () => rig.usb.bus.unplug(1), undefined);
    };
    await scheduler.run(30 * second, () => isCut && !app.isConnected);
    assert.ok(isCut && !app.isConnected, `byte ${cut}`);
    assert.equal(bench.manager.connectedAccessories.length, 0);
    const whole = app.messages.length;
    assert.ok(whole <= 1);
    // Again, with a new connection.
    rig.usb.bus.plugIn(accessory, 1);
    await scheduler.run(scheduler.nowNs() + 30 * second, () => app.messages.length > whole);
    assert.equal(app.sessions, 2);
    assert.ok(sameBytes(app.messages[app.messages.length - 1], payload), `byte ${cut}`);
    assert.equal(bench.manager.connectedAccessories[0].connectionID, 2);
    assert.equal(bench.manager.writesAfterEnd, 0);
    assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
  }
});
