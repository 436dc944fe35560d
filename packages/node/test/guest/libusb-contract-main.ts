// Runs inside the Linux guest: the USB host contract over libusb, on the loopback device that vhci_hcd carries.

import { readFileSync, writeFileSync } from "node:fs";
import { Libusb } from "@drydock/node/libusb";
import { checkLibusbDevice, isLoopback, waitFor } from "@drydock/node/libusb-bench";

const controller = "/sys/devices/platform/vhci_hcd.0";

/** The virtual port in use: the loopback device's, as nothing else is attached. */
function portInUse(): string {
  const line = readFileSync(`${controller}/status`, "latin1")
    .split("\n")
    .find((text) => text.split(/\s+/)[2] === "006");
  if (line === undefined) throw new Error("no virtual port is in use");
  return String(Number(line.split(/\s+/)[1]));
}

const libusb = await Libusb.load();
const results = await checkLibusbDevice({
  find: () => waitFor("the loopback device", () => libusb.devices().find(isLoopback)),
  unplug: () => {
    writeFileSync(`${controller}/detach`, portInUse());
  },
});
process.stdout.write(`results ${JSON.stringify(results)}\n`);
process.exit(0);
