// Bundles and isochronous frames of a dext against the loop-back device: what it was told of each.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";

test("rings of buffers go out and come back in bundles, then frames each way; the unplug leaves nothing", async () => {
  const described = await compileDext([join(import.meta.dirname, "../dexts/batch")]);
  const dext = new LoadedDext(described, { tracesObjects: true });
  const rig = new UsbRig({ seed: 4, turn: hostTurn, profile: platformProfile("open"), describeRequests: [] });
  const { machine } = rig;
  machine.install(dext.bundle);
  rig.bus.plugIn(new LoopbackDevice(), 1);
  await machine.run(1e9);
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  const log = machine.log.show({ info: true }).map(({ message }) => message);
  const said = (pattern: RegExp) => log.filter((line) => pattern.test(line));
  assert.deepEqual(said(/accepted$/), [
    "out: 0, 3 accepted",
    "in: 0, 4 accepted",
    "busy: e00002c2, 0 accepted",
  ]);
  // Short packets of 16, 32 and 48 bytes each end a transfer of the reading side; its fourth read is aborted.
  assert.deepEqual(said(/^entry/).sort(), [
    "entry 0: 0, 16 bytes",
    "entry 0: e00002eb, 0 bytes",
    "entry 1: 0, 16 bytes",
    "entry 1: 0, 32 bytes",
    "entry 2: 0, 32 bytes",
    "entry 2: 0, 48 bytes",
    "entry 3: 0, 48 bytes",
  ]);
  assert.deepEqual(said(/^first/), ["first byte back: a"]);
  assert.deepEqual(said(/^frames out/), ["frames out: 0, 8 of 8 frames good, 128 bytes"]);
  assert.match(said(/^frames in/).join(), /^frames in: 0, [1-8] of 8 frames good, \d+ bytes$/);
  rig.bus.unplug(1);
  await machine.run();
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
  assert.deepEqual(dext.describeLeaks(), []);
});
