// WebHID over rigs: which devices a page may see, reports both ways, names of errors, disconnections.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { HidGamepadDevice } from "../../devices/hid-gamepad/hid-gamepad-device.ts";
import { HidKeyboardDevice } from "../../devices/hid-keyboard/hid-keyboard-device.ts";
import { PageRig, type PageRigOptions } from "../../rigs/page-rig.ts";
import type { HIDDeviceFilter } from "./web-hid.ts";
import type { WebHidInputReportEvent } from "./web-hid-device.ts";

async function bench(options: Partial<PageRigOptions> = {}) {
  const rig = new PageRig({ seed: 4, turn: hostTurn, ...options });
  const gamepad = new HidGamepadDevice({ clock: rig.scheduler });
  const plug = rig.plugIn(gamepad, "hid");
  rig.plugIn(new HidKeyboardDevice({ clock: rig.scheduler }), "hid");
  await rig.settle();
  const runner = rig.runFreely((error) => {
    throw error;
  });
  return { rig, gamepad, plug, runner };
}

const rejects = (work: Promise<unknown>, name: string) => assert.rejects(work, { name });

test("a gamepad is offered and granted; a keyboard never is", async () => {
  const { rig, runner } = await bench();
  assert.deepEqual(await rig.hid.getDevices(), []);
  const all = await rig.hid.requestDevice({ filters: [] });
  assert.deepEqual(
    all.map(({ productName }) => productName),
    ["HID gamepad"],
  );
  assert.deepEqual(await rig.hid.getDevices(), all);
  const ask = async (filters: HIDDeviceFilter[], exclusionFilters?: HIDDeviceFilter[]) =>
    (
      await rig.hid.requestDevice({
        filters,
        ...(exclusionFilters === undefined ? {} : { exclusionFilters }),
      })
    ).length;
  assert.equal(await ask([{ usagePage: 1, usage: 5 }]), 1);
  assert.equal(await ask([{ usagePage: 1, usage: 6 }]), 0);
  assert.equal(await ask([{ vendorId: 0x1209 }], [{ usagePage: 1 }]), 0);
  await all[0].forget();
  assert.deepEqual(await rig.hid.getDevices(), []);
  runner.stop();
});

test("requestDevice: unlawful filters, no gesture, a prompt that was cancelled", async () => {
  let isActive = true;
  const { rig, runner } = await bench({
    hid: { hasUserActivation: () => isActive, devicesFound: () => null },
  });
  for (const filter of [{}, { productId: 1 }, { usage: 1 }])
    await rejects(rig.hid.requestDevice({ filters: [filter] }), "TypeError");
  await rejects(rig.hid.requestDevice({} as { filters: [] }), "TypeError");
  await rejects(rig.hid.requestDevice({ filters: [], exclusionFilters: [] }), "TypeError");
  assert.deepEqual(await rig.hid.requestDevice({ filters: [] }), []);
  isActive = false;
  await rejects(rig.hid.requestDevice({ filters: [] }), "SecurityError");
  runner.stop();
});

test("collections as the descriptor has them", async () => {
  const { rig, runner } = await bench();
  const [device] = await rig.hid.requestDevice({ filters: [] });
  const [top] = device.collections;
  assert.deepEqual([top.usagePage, top.usage, top.type], [1, 5, 1]);
  assert.deepEqual(
    [top.inputReports, top.outputReports, top.featureReports].map((list) => list.map((r) => r.reportId)),
    [[1], [2], [3]],
  );
  const [axes, hat, buttons] = top.inputReports[0].items;
  assert.deepEqual(axes.usages, [0x1_0030, 0x1_0031, 0x1_0032, 0x1_0035]);
  assert.deepEqual([axes.logicalMinimum, axes.isRange, axes.isArray], [-127, false, false]);
  assert.deepEqual(
    [hat.hasNull, hat.unitSystem, hat.unitFactorLengthExponent],
    [true, "english-rotation", 1],
  );
  assert.deepEqual([buttons.isRange, buttons.usageMinimum, buttons.usageMaximum], [true, 0x9_0001, 0x9_000a]);
  runner.stop();
});

test("reports both ways, and each refusal by its name", async () => {
  const { rig, gamepad, runner } = await bench();
  const [device] = await rig.hid.requestDevice({ filters: [] });
  await rejects(device.sendReport(2, Uint8Array.of(1, 2)), "InvalidStateError");
  await device.open();
  await rejects(device.open(), "InvalidStateError");
  const seen: WebHidInputReportEvent[] = [];
  const came = new Promise<void>((resolve) => {
    device.oninputreport = (event) => {
      seen.push(event);
      resolve();
    };
  });
  gamepad.setButton(3, true);
  await came;
  assert.deepEqual([seen[0].device, seen[0].reportId, seen[0].data.byteLength], [device, 1, 6]);
  await device.sendReport(2, Uint8Array.of(40, 50));
  assert.deepEqual(gamepad.rumbles, [{ strong: 40, weak: 50 }]);
  await rejects(device.sendReport(9, Uint8Array.of(1)), "NotAllowedError");
  await rejects(device.sendReport(0, Uint8Array.of(1)), "NotAllowedError");
  await rejects(device.sendReport(2, new Uint8Array(3)), "NotAllowedError");
  await rejects(device.sendReport(2, "text" as unknown as Uint8Array), "TypeError");
  await device.sendFeatureReport(3, Uint8Array.of(77, 0));
  // The model refuses what is too short, with a STALL.
  await rejects(device.sendFeatureReport(3, Uint8Array.of(77)), "NotAllowedError");
  const { buffer } = await device.receiveFeatureReport(3);
  assert.deepEqual([...new Uint8Array(buffer)].slice(0, 2), [3, 77]);
  await rejects(device.receiveFeatureReport(4), "NotAllowedError");
  await device.close();
  await device.close();
  assert.equal(device.opened, false);
  gamepad.setButton(3, false);
  await new Promise<void>((resolve) => rig.scheduler.after(50_000_000, resolve, undefined));
  assert.equal(seen.length, 1);
  runner.stop();
});

test("unplugged while open: closed, told, and what was under way is refused", async () => {
  const { rig, plug, runner } = await bench({
    faults: { hid: { rules: [{ kind: "drop", request: 0x01 }] } },
  });
  const [device] = await rig.hid.requestDevice({ filters: [] });
  await device.open();
  const told = new Promise<unknown>((resolve) => {
    rig.hid.ondisconnect = ({ device: gone }) => resolve(gone);
  });
  // GET_REPORT is never answered.
  const reading = device.receiveFeatureReport(3);
  plug.unplug();
  await rejects(reading, "NotAllowedError");
  assert.equal(await told, device);
  assert.deepEqual([device.opened, await rig.hid.getDevices()], [false, []]);
  await rejects(device.open(), "NotAllowedError");
  plug.plugIn();
  await new Promise((resolve) => rig.hid.addEventListener("connect", resolve));
  assert.equal((await rig.hid.getDevices()).length, 1);
  runner.stop();
});

test("a program that tries again for as long as it is opened stops when the device has left", async () => {
  const { plug, rig, runner } = await bench();
  const [device] = await rig.hid.requestDevice({ filters: [] });
  await device.open();
  let tries = 0;
  const sending = (async () => {
    while (device.opened && ++tries < 10_000) await device.sendReport(2, Uint8Array.of(1, 1)).catch(() => {});
  })();
  await new Promise<void>((resolve) => rig.scheduler.after(20_000_000, resolve, undefined));
  plug.unplug();
  await sending;
  assert.ok(tries > 1 && tries < 10_000);
  runner.stop();
});
