// The mass-storage driver on a model: it comes up, and it goes when the cable does.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { LoopbackDevice } from "../../devices/loopback/loopback-device.ts";
import { UsbRig } from "../../rigs/usb-rig.ts";
import { platformProfile } from "../../runtime/platform-profile.ts";
import { massStorageBundle } from "./mass-storage-driver.ts";

test("mass-storage: starts on its device and stops when it is unplugged", async () => {
  const rig = new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15") });
  rig.machine.install(massStorageBundle);
  const connector = rig.bus.plugIn(new LoopbackDevice());
  await rig.run();
  const [driver] = rig.machine.registry.byClass("MassStorageDriver");
  assert.equal(driver?.copyProperties().DeviceStatus, 0);
  rig.bus.unplug(connector);
  assert.equal((await rig.run()).reason, "idle");
  assert.equal(rig.machine.registry.byClass("MassStorageDriver").length, 0);
  assert.equal(rig.machine.failure, null);
});
