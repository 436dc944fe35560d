// What the browser test runs in the page: the serial rig in virtual time, without Node.

import { defaultSerialRig } from "@drydock/core/rigs/serial-rig";
import { openSerialSession } from "@drydock/core/rigs/serial-session";
import { digestOf } from "@drydock/core/rigs/usb-rig-doors";

/** A turn of the browser's event loop: a message to oneself is a macrotask without a delay. */
const channel = new MessageChannel();
const waiting: (() => void)[] = [];
channel.port1.onmessage = () => waiting.shift()?.();
const turn = () =>
  new Promise<void>((resolve) => {
    waiting.push(resolve);
    channel.port2.postMessage(null);
  });

async function run(seed: number): Promise<{ received: string; digest: string }> {
  const rig = defaultSerialRig(seed, turn, { devices: ["ftdi"] });
  const session = await openSerialSession(rig);
  session.configure({ baudRate: 115200 });
  session.send(Uint8Array.from("hello from the page", (letter) => letter.charCodeAt(0)));
  await rig.machine.scheduler.run(5_000_000_000, () => session.received.length === 19);
  rig.usb.bus.unplug(1);
  await rig.machine.run();
  return { received: String.fromCharCode(...session.received), digest: digestOf(rig) };
}

Object.assign(globalThis, { runSerialRig: run });
