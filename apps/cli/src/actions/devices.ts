// drydock devices: what can be reached over each path, and which path is closed for which reason.

import { spawnSync } from "node:child_process";
import { shown } from "@drydock/core/base/shown-text";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { Libusb, type PackagedDevice } from "@drydock/node/libusb";
import type { CommandIo } from "../terminal/command-io.ts";
import { rigsWith, withTerminals } from "./rig-list.ts";
import { askUsbipServer, describeListed, type UsbipAddress } from "./usbip-address.ts";

interface PathReport {
  readonly path: string;
  readonly isOpen: boolean;
  /** What is there, or why nothing can be. */
  readonly devices: readonly string[];
  readonly reason: string | null;
}

const closed = (path: string, reason: string): PathReport => ({ path, isOpen: false, devices: [], reason });
const open = (path: string, devices: readonly string[]): PathReport => ({
  path,
  isOpen: true,
  devices,
  reason: devices.length === 0 ? "nothing is attached" : null,
});

async function usbip(server: UsbipAddress | undefined): Promise<PathReport> {
  if (server === undefined) return closed("usbip", "no server was named: drydock devices HOST[:PORT]");
  try {
    return open(`usbip ${server.text}`, (await askUsbipServer(server)).map(describeListed));
  } catch (error) {
    return closed(`usbip ${server.text}`, error instanceof Error ? error.message : String(error));
  }
}

function qemu(): PathReport {
  const found = spawnSync("qemu-system-x86_64", ["--version"], { encoding: "utf8" });
  if (found.error !== undefined) {
    return closed(
      "usbredir",
      "QEMU is not installed here (Debian: qemu-system-x86); a QEMU elsewhere can connect",
    );
  }
  return open("usbredir", [`${found.stdout.split("\n")[0]}: takes our devices, see drydock export usbredir`]);
}

const speedNames = Object.fromEntries(Object.entries(UsbSpeed).map(([name, value]) => [value, name]));

function describeReal(device: PackagedDevice): string {
  const hex = (value: number): string => value.toString(16).padStart(4, "0");
  const ids = `${hex(device.idVendor)}:${hex(device.idProduct)}`;
  const place = `bus ${device.busNumber} port ${device.portNumbers.join(".")}`;
  const note = device.forbidden === null ? "" : `; ${device.forbidden}`;
  return `${ids}  ${speedNames[device.speed]}  ${place}${note}`;
}

async function libusb(): Promise<PathReport> {
  try {
    const loaded = await Libusb.load();
    const found = loaded.devices().map(describeReal);
    return found.length > 0 ? open("libusb", found) : closed("libusb", loaded.whyNone);
  } catch (error) {
    return closed("libusb", error instanceof Error ? error.message : String(error));
  }
}

/** Paths in the order of design.md §1. Exit code 0 whatever is open: it is a list, not a check. */
export async function devices(
  options: { readonly server?: UsbipAddress; readonly json: boolean },
  io: CommandIo,
): Promise<void> {
  const reports: PathReport[] = [
    open(
      "sim",
      rigsWith(withTerminals).map(({ name }) => `rig ${name}`),
    ),
    await libusb(),
    await usbip(options.server),
    qemu(),
    closed(
      "webusb",
      "a browser gives devices to a page, not to a command; see packages/core/src/transports/webusb",
    ),
  ];
  if (options.json) {
    io.document(reports);
    return;
  }
  for (const { path, isOpen, devices: found, reason } of reports) {
    io.print(
      `${path.padEnd(24)} ${isOpen ? "open" : "closed"}${reason === null ? "" : `: ${shown(reason)}`}\n`,
    );
    for (const line of found) io.print(`  ${shown(line)}\n`);
  }
}
