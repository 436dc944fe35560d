// A device of the visitor's own as a rig: what WebUSB lets in comes up under our drivers, on the real clock.

import { IOEthernetInterface } from "@drydock/core/families/network/io-ethernet-interface";
import { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import type { USB, USBDevice } from "@drydock/core/ports/web-usb";
import { AnyUsbRig } from "@drydock/core/rigs/any-usb-rig";
import {
  commonRigOptions,
  noInput,
  type RigEntry,
  rigEntry,
  usbRigParts,
} from "@drydock/core/rigs/rig-entry";
import { WebUsbImporter } from "@drydock/core/transports/webusb/web-usb-importer";
import { deviceName } from "./opened-names.ts";

/** Where devices appear: one place for each. */
const firstLocation = 0x0310_0000;
const nextLocation = 0x0010_0000;

/**
 * Its disks have no act that writes: what is there is the visitor's. `onWork` is told when something came from outside;
 * null for `usb`: this browser has none.
 */
export function deviceEntry(usb: USB | null, onWork: () => void): RigEntry {
  return rigEntry({
    name: deviceName,
    summary: "devices of yours, which this browser lets in by WebUSB",
    berths: ["usb"],
    devices: ["what WebUSB lets in"],
    drivers: ["org.drydock.driver.ftdi", "org.drydock.driver.cdc-acm", "org.drydock.driver.usb-hid"],
    outlets: ["terminal", "network"],
    type: [],
    acts: [],
    serialDevices: [],
    usbDevices: () => [],
    build: (options) => {
      const rig = new AnyUsbRig({ ...commonRigOptions(options, "open"), onInput: () => {} });
      const { machine } = rig;
      const ports: IOSerialBSDClient[] = [];
      const interfaces: IOEthernetInterface[] = [];
      const problems: string[] = [];
      const held = new Set<USBDevice>();
      machine.scheduler.onWork = onWork;
      machine.onRegistered((service) => {
        if (service instanceof IOSerialBSDClient) ports.push(service);
        if (service instanceof IOEthernetInterface) interfaces.push(service);
      });
      const bringIn = (device: USBDevice): void => {
        if (usb === null || held.has(device)) return;
        const name = device.productName ?? "a device without a name";
        new WebUsbImporter({
          clock: machine.scheduler,
          device,
          events: usb,
          locationId: firstLocation + held.size * nextLocation,
          onAttach: (port) => rig.attach(port),
          onProblem: (reason) => {
            problems.push(`${name}: ${reason}`);
            rig.trace.mark(machine.scheduler.nowNs(), `${name}: ${reason}`);
          },
        });
        held.add(device);
      };
      if (usb === null) problems.push("This browser has no WebUSB: Chromium and its kin have it.");
      else {
        usb.addEventListener("connect", ({ device }) => bringIn(device));
        usb.addEventListener("disconnect", ({ device }) => held.delete(device));
        usb.getDevices().then(
          (devices) => {
            for (const device of devices) bringIn(device);
            if (devices.length === 0)
              problems.push("No device was let in yet: choose one under Consoles, A device of yours.");
          },
          (error: unknown) => problems.push(error instanceof Error ? error.message : String(error)),
        );
      }
      return {
        ...usbRigParts(rig, 0, () => {}),
        ports,
        media: [],
        interfaces,
        failures: () => [...problems, ...rig.family.failures.map(({ reason }) => reason)],
        isOccupied: () => held.size > 0,
        ...noInput,
      };
    },
  });
}
