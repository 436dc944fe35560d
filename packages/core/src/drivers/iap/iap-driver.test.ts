// The system's accessory driver against accessories that are not what they should be.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { AccessoryDevice } from "../../devices/accessory/accessory-device.ts";
import { AccessorySystem } from "../../families/accessory/ea-accessory-manager.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { UsbRig } from "../../rigs/usb-rig.ts";
import { iapBundle } from "./iap-driver.ts";

const second = 1e9;

function rigWith(seed: number) {
  const rig = new UsbRig({ seed, turn: hostTurn, profile: platformProfile("iphone"), record: "wire" });
  const system = new AccessorySystem(rig.machine);
  rig.machine.install(iapBundle(system));
  return { rig, system };
}

test("an accessory comes up, leaves, and leaves nothing behind; the next connection has another number", async () => {
  const { rig, system } = rigWith(1);
  const device = new AccessoryDevice({ clock: rig.machine.scheduler });
  for (let connection = 1; connection <= 3; connection++) {
    rig.usb.bus.plugIn(device, 1);
    await rig.machine.scheduler.run(
      rig.machine.scheduler.nowNs() + 5 * second,
      () => system.accessories.length > 0,
    );
    assert.equal(system.accessories[0]?.connectionID, connection);
    assert.deepEqual(system.accessories[0].protocolStrings, ["org.drydock.control", "org.drydock.echo"]);
    rig.usb.bus.unplug(1);
    await rig.machine.run();
    assert.equal(system.accessories.length, 0);
    assert.equal(rig.machine.registry.byClass("IAPTransport").length, 0);
  }
  assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
});

test("the cable pulled at every step of the coming up: it ends clean, and comes up the next time", async () => {
  for (let step = 1; step <= 400; step += 3) {
    const { rig, system } = rigWith(step);
    const { scheduler } = rig.machine;
    rig.usb.bus.plugIn(new AccessoryDevice({ clock: scheduler }), 1);
    const onStep = (at: number) => {
      if (at === step) rig.usb.bus.unplug(1);
    };
    scheduler.onStep = onStep;
    await rig.machine.run(5 * second);
    rig.usb.bus.unplug(1);
    await rig.machine.run();
    assert.equal(rig.machine.registry.byClass("IAPTransport").length, 0, `step ${step}`);
    rig.usb.bus.plugIn(new AccessoryDevice({ clock: scheduler }), 2);
    await scheduler.run(scheduler.nowNs() + 5 * second, () => system.accessories.length > 0);
    assert.equal(system.accessories.length, 1, `step ${step}`);
    assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
  }
});

test("identifications that lie: refused by their parameters or taken as they are, never a panic", async () => {
  for (const [name, protocols] of [
    ["\u0000", []],
    ["x".repeat(60_000), []],
    ["two alike", [1, 1].map((id) => ({ id, name: "org.same", matchAction: 0 }))],
    ["a strange action", [{ id: 1, name: "org.one", matchAction: 200 }]],
  ] as const) {
    const { rig, system } = rigWith(7);
    const device = new AccessoryDevice({
      clock: rig.machine.scheduler,
      identification: { name: name.slice(0, 1500), protocols },
    });
    rig.usb.bus.plugIn(device, 1);
    await rig.machine.run(10 * second);
    assert.equal(rig.machine.failure, null);
    const isRefused = rig.machine.log.show().some(({ message }) => /identification rejected/.test(message));
    assert.equal(system.accessories.length, isRefused ? 0 : 1, name.slice(0, 20));
  }
});
