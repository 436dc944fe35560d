// The USB HID driver on both models: events, LEDs, rumble, feature reports, matching and entitlements.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { Led } from "../../codec/hid-report/usages.ts";
import { kIOHIDReportTypeFeature, kIOHIDReportTypeOutput } from "../../families/hid/io-hid-device.ts";
import { IOHIDInterface } from "../../families/hid/io-hid-interface.ts";
import { platformProfile } from "../../platform/platform-profile.ts";
import { HidRig, hidRequestNames } from "../../rigs/hid-rig.ts";
import { IOError } from "../../runtime/io-error.ts";
import {
  IOBufferMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import { formatTrace } from "../../trace/usb-text.ts";
import { usbHidBundle } from "./usb-hid-driver.ts";

const start = (options: Partial<ConstructorParameters<typeof HidRig>[0]> = {}) =>
  new HidRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), ...options });
const soon = (rig: HidRig) => rig.machine.run(rig.machine.scheduler.nowNs() + 200_000_000);

test("keys arrive as pressed, a rollover changes nothing, LEDs arrive at the keyboard", async () => {
  const rig = start({ devices: ["keyboard"] });
  await rig.untilInputs(1);
  const [{ input, listener }] = rig.inputs;
  assert.equal(input.name, "HID keyboard");
  rig.keyboard.press(0xe1);
  for (let key = 0x04; key < 0x0b; key++) rig.keyboard.press(key);
  await soon(rig);
  assert.deepEqual(listener.keys(), ["+e1", "+04", "+05", "+06", "+07", "+08", "+09"]);
  for (let key = 0x04; key < 0x0b; key++) rig.keyboard.release(key);
  rig.keyboard.release(0xe1);
  await soon(rig);
  assert.deepEqual(listener.keys().slice(7), ["-04", "+0a", "-05", "-06", "-07", "-08", "-09", "-0a", "-e1"]);
  input.setLed(Led.capsLock, true);
  input.setLed(Led.numLock, true);
  input.setLed(Led.capsLock, false);
  await soon(rig);
  assert.deepEqual(rig.keyboard.ledStates, [2, 3, 1]);
  assert.equal(input.lastFailure, null);
  const trace = formatTrace(rig.usb.trace, { describeRequests: hidRequestNames });
  for (const name of [
    "GET_DESCRIPTOR HID report 0",
    "SET_PROTOCOL report interface 0",
    "SET_IDLE report 0 only on change",
    "SET_REPORT output 0 interface 0",
    "IOUSBHostInterface.asyncDeviceRequest",
  ])
    assert.ok(trace.includes(name), name);
  rig.usb.bus.unplug(1);
  assert.equal((await rig.machine.run()).reason, "idle");
  assert.equal(listener.goneCount, 1);
  assert.equal(input.open(listener), "the device is gone");
  assert.deepEqual([rig.machine.failure, rig.machine.crashes], [null, []]);
});

test("a gamepad's axes, hat with null state and buttons arrive as set", async () => {
  const rig = start({ devices: ["gamepad"] });
  await rig.untilInputs(1);
  const [{ listener }] = rig.inputs;
  const last = () => {
    const event = listener.events.at(-1);
    assert.ok(event?.kind === "game-controller");
    return event;
  };
  rig.gamepad.moveAxis("x", -127);
  rig.gamepad.moveAxis("rz", 127);
  await soon(rig);
  assert.deepEqual(last().joystick, { x: -1, y: 0, z: 0, rz: 1 });
  for (const [hat, expected] of [
    [0, [1, 0, 0, 0]],
    [1, [1, 0, 0, 1]],
    [2, [0, 0, 0, 1]],
    [5, [0, 1, 1, 0]],
    [null, [0, 0, 0, 0]],
  ] as const) {
    rig.gamepad.turnHat(hat);
    await soon(rig);
    const { dpad } = last();
    assert.deepEqual([dpad.up, dpad.down, dpad.left, dpad.right], expected, `hat ${hat}`);
  }
  for (const button of [1, 4, 8, 10]) rig.gamepad.setButton(button, true);
  await soon(rig);
  assert.deepEqual(last().face, { a: 1, b: 0, x: 0, y: 1 });
  assert.deepEqual(last().shoulder, { l1: 0, r1: 0, l2: 0, r2: 1 });
  assert.deepEqual([last().thumbstickLeft, last().thumbstickRight], [false, true]);
  assert.equal(listener.events.length, 2 + 5 + 4);
});

test("a client sends rumble over the OUT pipe and reads and writes the feature report", async () => {
  const rig = start({ devices: ["gamepad"] });
  await rig.untilInputs(1);
  const { machine } = rig;
  const [nub] = machine.registry.byClass("IOHIDInterface");
  assert.ok(nub instanceof IOHIDInterface);
  const buffer = (direction: number, bytes: readonly number[]) => {
    const made = IOBufferMemoryDescriptor.create(
      machine.kernelProcess.memory,
      direction,
      bytes.length,
      0,
    ).value;
    assert.ok(made !== null);
    made.bytes.set(bytes);
    return made;
  };
  await machine.perform(async () => {
    await nub.setReport(buffer(kIOMemoryDirectionOut, [3, 50, 0]), kIOHIDReportTypeFeature, 3);
    await nub.setReport(buffer(kIOMemoryDirectionOut, [2, 200, 100]), kIOHIDReportTypeOutput, 2);
    const answer = buffer(kIOMemoryDirectionIn, [0, 0, 0]);
    assert.equal(await nub.getReport(answer, kIOHIDReportTypeFeature, 3), 3);
    assert.deepEqual([...answer.bytes], [3, 50, 0x10]);
    await assert.rejects(
      nub.getReport(buffer(kIOMemoryDirectionIn, [0]), kIOHIDReportTypeFeature, 9),
      (error) => error instanceof IOError && error.code === 0xe0005000,
    );
  });
  assert.deepEqual(rig.gamepad.rumbles, [{ strong: 100, weak: 50 }]);
  assert.match(formatTrace(rig.usb.trace), /ep02 {3}interrupt out 3 {2}data 02 c8 64/);
});

test("without the HID entitlements the parts do not attach, and the report says why", async () => {
  const without = async (key: string) => {
    const entitlements = Object.fromEntries(
      Object.entries(usbHidBundle.entitlements).filter(([name]) => !name.endsWith(key)),
    );
    const rig = start({ devices: ["keyboard"], bundles: [{ ...usbHidBundle, entitlements }] });
    await rig.machine.run(2_000_000_000);
    const bad = rig.machine.matchReports.filter((report) => report.outcome.includes("does not hold"));
    return [rig.inputs.length, ...bad.map((report) => report.candidate.personalityName)];
  };
  assert.deepEqual(await without("transport.hid"), [0, "UsbHidEventDriver"]);
  assert.deepEqual(await without("family.hid.eventservice"), [0, "UsbHidEventDriver"]);
  assert.deepEqual(await without("family.hid.device"), [0, "UsbHidBootDriver"]);
});
