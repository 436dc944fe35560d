// Addresses of USB/IP servers as people type them, and what a server there offers.

import { shown } from "@drydock/core/base/shown-text";
import type { UsbipListedDevice } from "@drydock/core/codec/usbip/usbip";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import { listUsbipDevices } from "@drydock/core/transports/usbip/usbip-importer";
import { HostClock } from "@drydock/node/host-clock";
import { connectSocket } from "@drydock/node/socket-stream";
import { UsageError } from "../terminal/usage-error.ts";

export interface UsbipAddress {
  /** As it was typed. */
  readonly text: string;
  readonly host: string;
  readonly port: number;
}

/** HOST, HOST:PORT or [IPV6]:PORT. UsageError for anything else. */
export function parseUsbipAddress(text: string): UsbipAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:\s]+))(?::(\d{1,5}))?$/.exec(text);
  const port = match?.[3] === undefined ? usbipPort : Number(match[3]);
  if (match === null || port < 1 || port > 65535) {
    throw new UsageError(`"${text}" is no HOST or HOST:PORT, for example 127.0.0.1:3240`);
  }
  return { text, host: match[1] ?? match[2], port };
}

/** Asks a server; rejects with a sentence that says what went wrong there. */
export function askUsbipServer({ host, port }: UsbipAddress): Promise<readonly UsbipListedDevice[]> {
  const stream = connectSocket(host, port);
  return new Promise((resolve, reject) => {
    listUsbipDevices(stream, new HostClock(), (devices, problem) => {
      if (devices !== null) resolve(devices);
      else reject(new Error(`${host}:${port}: ${shown(stream.problem ?? problem ?? "")}`));
    });
  });
}

const speedNames: Readonly<Record<number, string>> = {
  1: "low",
  2: "full",
  3: "high",
  5: "super",
  6: "super+",
};

/** One line per device. */
export function describeListed({ device, interfaces }: UsbipListedDevice): string {
  const id = [device.idVendor, device.idProduct].map((half) => half.toString(16).padStart(4, "0")).join(":");
  const classes = interfaces.map(({ bInterfaceClass }) => bInterfaceClass.toString(16).padStart(2, "0"));
  const seen = classes.length === 0 ? "not configured" : `interface classes ${classes.join(", ")}`;
  return `${shown(device.busId).padEnd(12)} ${id}  ${(speedNames[device.speed] ?? "?").padEnd(6)} ${seen}`;
}
