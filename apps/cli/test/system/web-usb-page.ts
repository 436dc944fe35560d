// What the WebUSB test runs in the page: a rig as navigator.usb, and a driver that knows only navigator.usb.

import { LoopbackDevice } from "@drydock/core/devices/loopback/loopback-device";
import type { USB } from "@drydock/core/ports/web-usb";
import { PageRig } from "@drydock/core/rigs/page-rig";
import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { enumerateFaces, missingOfWebUsb, runFaces } from "./web-faces-program.ts";

const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
const turn = () =>
  new Promise<void>((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });

async function run(): Promise<object> {
  const rig = new WebUsbRig({ seed: 3, turn });
  rig.runFreely((error) => {
    throw error;
  });
  rig.berth.bus.plugIn(new LoopbackDevice());
  Object.defineProperty(navigator, "usb", { value: rig.usb, configurable: true });
  return drive((navigator as unknown as { usb: USB }).usb, () => rig.berth.bus.unplug(1));
}

/** A page's driver. */
async function drive(usb: USB, unplug: () => void): Promise<object> {
  let device = null;
  while (device === null) {
    device = await usb.requestDevice({ filters: [{ vendorId: 0x1209 }] }).catch(() => null);
    if (device === null) await turn();
  }
  await device.open();
  await device.selectConfiguration(1);
  await device.claimInterface(0);
  const sent = Uint8Array.from({ length: 100 }, (_, index) => index);
  const { bytesWritten } = await device.transferOut(1, sent);
  const { data } = await device.transferIn(1, 512);
  const left = new Promise<string>((resolve) => {
    usb.addEventListener("disconnect", ({ type }) => resolve(type), { once: true });
  });
  unplug();
  const event = await left;
  const refusal = await device.open().catch((error: unknown) => error);
  const { DOMException } = globalThis as unknown as { DOMException: new () => Error };
  return {
    product: device.productName,
    bytesWritten,
    received: data === null || data === undefined ? [] : [...new Uint8Array(data.buffer)],
    event,
    refusal: refusal instanceof DOMException ? refusal.name : String(refusal),
  };
}

Object.assign(globalThis, { runWebUsb: run });

const chromiums = enumerateFaces();

Object.assign(globalThis, {
  chromiums,
  missingOfWebUsb: () => missingOfWebUsb(turn, chromiums),
  runFaces: (seed: number) => runFaces(seed, turn, globalThis),
  /** Ours, while they stand in the page's place. */
  ours: () => {
    const undo = new PageRig({ seed: 1, turn }).installGlobals(globalThis);
    const found = enumerateFaces();
    undo();
    return found;
  },
});
