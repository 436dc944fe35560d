// The loopback device behind our WebUSB face, brought in again by our WebUSB transport.

import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { LoopbackDevice } from "../devices/loopback/loopback-device.ts";
import { WebUsb } from "../outlets/webusb/web-usb.ts";
import { RecordingClient, type UsbHostBench } from "../ports/usb-host.contract.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { WebUsbImporter } from "../transports/webusb/web-usb-importer.ts";

/** What no user of the WebUSB API can do, whoever implements it. */
const limits = {
  "cancelled-write": "WebUSB cannot take a transfer back: what a cancelled write carries still goes out",
  "cancelled-packets": "WebUSB cannot take a transfer back: its packets go their way, and take what comes",
  streams: "WebUSB has no stream numbers",
};

export async function webUsbBench(seed: number, turn: HostTurn): Promise<UsbHostBench> {
  const clock = new VirtualClock();
  const bus = new SimUsbBus({ clock, random: new Random(seed) });
  const usb = new WebUsb({ clock, allowAllDevices: true });
  const settle = async (): Promise<void> => {
    do {
      clock.runUntil();
      await turn();
    } while (clock.pending > 0);
  };
  bus.onAttach((port) => usb.attach(port));
  const connector = bus.plugIn(new LoopbackDevice());
  await settle();
  const [device] = await usb.getDevices();
  const client = new RecordingClient();
  const ports: UsbHostPort[] = [];
  new WebUsbImporter({
    clock,
    device,
    events: usb,
    onAttach: (port) => {
      // A port that comes back after a reset is not this bench's.
      if (ports.length === 0) port.connect(client);
      ports.push(port);
    },
  });
  await settle();
  return { port: ports[0], client, settle, unplug: () => bus.unplug(connector), limits };
}
