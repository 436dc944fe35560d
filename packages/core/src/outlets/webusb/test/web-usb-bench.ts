// A page's situation for tests of the WebUSB face: a rig that runs by itself, a granted device, named rejections.

import assert from "node:assert/strict";
import { hostTurn } from "@drydock/node/host-turn";
import { WebUsbRig, type WebUsbRigOptions } from "../../../rigs/web-usb-rig.ts";
import { WebUsbDevice } from "../web-usb-device.ts";
import { TwoModeDevice, type TwoModePlan } from "./two-mode-device.ts";

export interface Page {
  readonly rig: WebUsbRig;
  readonly model: TwoModeDevice;
  readonly device: WebUsbDevice;
  unplug(): void;
}

/** A page that may use one freshly plugged device. */
export async function page(plan: TwoModePlan = {}, options: Partial<WebUsbRigOptions> = {}): Promise<Page> {
  const rig = new WebUsbRig({ seed: 5, turn: hostTurn, allowAllDevices: true, ...options });
  rig.runFreely((error) => {
    throw error;
  });
  const model = new TwoModeDevice(plan);
  const connected = new Promise<WebUsbDevice>((resolve) => {
    rig.usb.addEventListener("connect", ({ device }) => resolve(device as WebUsbDevice), { once: true });
  });
  const connector = rig.berth.bus.plugIn(model);
  const device = await connected;
  assert.ok(device instanceof WebUsbDevice);
  return { rig, model, device, unplug: () => rig.berth.bus.unplug(connector) };
}

/** Pulls the cable and waits for the event. */
export async function disconnect({ rig, device, unplug }: Page): Promise<void> {
  const left = new Promise((resolve) => {
    rig.usb.addEventListener("disconnect", resolve, { once: true });
  });
  unplug();
  const event = (await left) as { device: WebUsbDevice };
  assert.equal(event.device, device);
}

export async function rejects(promise: Promise<unknown>, name: string): Promise<void> {
  await assert.rejects(promise, (error: Error) => {
    assert.equal(error.name, name, error.message);
    assert.ok(name === "TypeError" || error instanceof DOMException);
    return true;
  });
}

/** Opened, in a configuration, with these interfaces claimed. */
export async function ready(
  value: number,
  interfaces: readonly number[],
  plan: TwoModePlan = {},
): Promise<Page> {
  const all = await page(plan);
  await all.device.open();
  await all.device.selectConfiguration(value);
  for (const number of interfaces) await all.device.claimInterface(number);
  return all;
}
