// HID in C++: a USB keyboard beside its twin in TypeScript, and reports that a client asks of a device.

import assert from "node:assert/strict";
import { join } from "node:path";
import { before, test } from "node:test";
import { IOReturns } from "@drydock/core/base/io-return";
import { IOHIDInterface } from "@drydock/core/families/hid/io-hid-interface";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { HidRig, hidRequestNames } from "@drydock/core/rigs/hid-rig";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import { traceLines } from "@drydock/core/trace/usb-text";
import { hostTurn } from "@drydock/node/host-turn";
import { LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";

let described: Awaited<ReturnType<typeof compileDext>>;
before(async () => {
  described = await compileDext([join(import.meta.dirname, "../dexts/keys")]);
});

const capsLock = 2;

/** Fingers on the keyboard, and an LED that the system wants on; answers the wire, and what a listener heard. */
async function typeOn(dext: LoadedDext | null) {
  const rig = new HidRig({
    seed: 3,
    turn: hostTurn,
    profile: platformProfile("open"),
    devices: ["keyboard"],
    ...(dext === null ? {} : { bundles: [dext.bundle] }),
  });
  await rig.untilInputs(1);
  const { scheduler } = rig.machine;
  const settle = () => rig.machine.run(scheduler.nowNs() + 1e8);
  await settle();
  const [{ input, listener }] = rig.inputs;
  for (const key of [0x04, 0x05, 0xe1]) {
    rig.keyboard.press(key);
    await settle();
  }
  input.setLed(capsLock, true);
  await settle();
  for (const key of [0x05, 0xe1, 0x04]) {
    rig.keyboard.release(key);
    await settle();
  }
  assert.equal(input.lastFailure, null);
  rig.bus.unplug(1);
  await rig.machine.run();
  assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
  const wires = traceLines(rig.trace, { describeRequests: hidRequestNames }).map(({ wire }) => wire);
  return { wires, keys: listener.keys() };
}

test("a keyboard's transfers and events are those of the driver in TypeScript, LEDs too", async () => {
  const dext = new LoadedDext(described, { tracesObjects: true });
  const cpp = await typeOn(dext);
  const twin = await typeOn(null);
  assert.deepEqual(cpp.keys, ["+04", "+05", "+e1", "-05", "-e1", "-04"]);
  assert.deepEqual(cpp, twin);
  assert.ok(
    cpp.wires.some((wire) => wire.includes("SET_REPORT")),
    "the LED was set",
  );
});

test("a feature report is asked for and set; another kind is refused", async () => {
  const dext = new LoadedDext(described, { tracesObjects: true });
  const rig = new HidRig({
    seed: 5,
    turn: hostTurn,
    profile: platformProfile("open"),
    devices: [],
    bundles: [dext.bundle],
  });
  const { machine } = rig;
  await machine.run(1e9);
  const panel = [...machine.registry.entries()].find((entry) => entry instanceof IOHIDInterface);
  assert.ok(panel instanceof IOHIDInterface);
  const application = machine.launchApplication({ name: "Panel" });
  const buffer = IOBufferMemoryDescriptor.create(application.memory, kIOMemoryDirectionOutIn, 2, 0).value;
  assert.ok(buffer);
  const seen = await machine.perform(async () => {
    const first = [await panel.getReport(buffer, 2), ...buffer.bytes];
    buffer.bytes.set([42, 0]);
    await panel.setReport(buffer, 2);
    buffer.bytes.fill(0);
    const second = [await panel.getReport(buffer, 2), ...buffer.bytes];
    const refused = await panel.getReport(buffer, 0).catch((error: { code: number }) => error.code);
    return { first, second, refused };
  }, application);
  assert.deepEqual(seen, {
    first: [2, 7, 0xf8],
    second: [2, 42, 0xd5],
    refused: IOReturns.kIOReturnUnsupported,
  });
  assert.deepEqual([machine.failure, machine.crashes], [null, []]);
});
