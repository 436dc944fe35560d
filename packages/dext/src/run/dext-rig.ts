// The machine in which a dext runs: a rig without our own drivers, or a bus with the device it asks for.

import { HidGamepadDevice } from "@drydock/core/devices/hid-gamepad/hid-gamepad-device";
import { HidKeyboardDevice } from "@drydock/core/devices/hid-keyboard/hid-keyboard-device";
import { usbHidBundle } from "@drydock/core/drivers/usb-hid/usb-hid-driver";
import { installHidFamily } from "@drydock/core/families/hid/hid-family";
import { IOSerialBSDClient, installSerialFamily } from "@drydock/core/families/serial/io-serial-bsd-client";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import type { RigEntry } from "@drydock/core/rigs/rig-entry";
import { makeSerialDevice, serialRequestNames } from "@drydock/core/rigs/serial-rig";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { Machine } from "@drydock/core/runtime/machine";
import { AskedDevice } from "./asked-device.ts";
import { askedPciRig, isPci } from "./asked-pci-rig.ts";
import type { DextRig, DextRigOptions } from "./dext-rig-promise.ts";

/** The FTDI chips that we have a model of, by product. */
const ftdiVendor = 0x0403;
const ftdiKinds = {
  24577: "ftdi",
  24597: "ft230x",
  24596: "ft232h",
  24592: "ft2232h",
  24593: "ft4232h",
} as const;

/** A rig of the catalogue; of its drivers only the kernel's own stay. */
export function catalogueRig(entry: RigEntry, bundle: DriverBundle, options: DextRigOptions): DextRig {
  const { faults, platform, seed, turn } = options;
  const built = entry.build({
    seed,
    turn,
    ...(platform === undefined ? {} : { platform }),
    ...(faults === undefined ? {} : { faults }),
  });
  for (const { bundle: own } of built.machine.loading.bundles)
    if (own.kind !== "kext") built.machine.loading.setEnabled(own.identifier, false);
  built.machine.install(bundle);
  return {
    machine: built.machine,
    timeline: built.timeline,
    ports: built.ports,
    unplug: () => {
      for (let connector = 1; connector <= entry.devices.length; connector++) built.unplug(connector);
    },
    transfers: () => built.usb?.trace.count ?? 0,
    digest: () => built.digest(),
    devices: entry.devices,
  };
}

/** A bus with a device for each personality of the dext that asks for one: USB, or PCI where none asks for USB. */
export function askedRig(bundle: DriverBundle, options: DextRigOptions): DextRig {
  const asks = Object.values(bundle.personalities);
  if (asks.some(isPci) && !asks.some(isUsb)) return askedPciRig(bundle, options);
  const { faults, platform = "open", seed, turn } = options;
  const rig = new UsbRig({
    seed,
    turn,
    profile: platformProfile(platform),
    describeRequests: serialRequestNames,
    ...(faults === undefined ? {} : { faults }),
  });
  const { machine } = rig;
  installSerialFamily(machine);
  installHidFamily(machine, () => {});
  const ports: IOSerialBSDClient[] = [];
  machine.onRegistered((service) => {
    if (service instanceof IOSerialBSDClient) ports.push(service);
  });
  machine.install(bundle);
  const devices: string[] = [];
  for (const personality of Object.values(bundle.personalities)) {
    if (personality.IOProviderClass === "IOHIDInterface") {
      const name = plugInHid(rig, personality, devices.length + 1);
      if (!devices.includes(name)) devices.push(name);
      continue;
    }
    if (!isUsb(personality)) continue;
    const usual = deviceFor(personality, machine);
    const { name } = usual;
    const device = options.makeDevice?.(personality) ?? usual.device;
    if (devices.includes(name)) continue;
    devices.push(name);
    rig.bus.plugIn(device, devices.length);
  }
  return {
    machine,
    timeline: rig.timeline,
    ports,
    unplug: () => {
      for (const [index] of devices.entries()) if (rig.bus.isOccupied(index + 1)) rig.bus.unplug(index + 1);
    },
    transfers: () => rig.trace.count,
    digest: () => rig.digest(),
    devices,
  };
}

/** What publishes the interface on which an event service starts: our own driver of the device, without its events. */
const hidDeviceBundle: DriverBundle = {
  ...usbHidBundle,
  personalities: Object.fromEntries(
    Object.entries(usbHidBundle.personalities).filter(
      ([, { IOProviderClass }]) => IOProviderClass !== "IOHIDInterface",
    ),
  ),
};

/** A gamepad for who asks for one, else a keyboard. Answers its name; one of each is enough. */
function plugInHid(rig: UsbRig, { DeviceUsage, PrimaryUsage }: Properties, connector: number): string {
  const { machine } = rig;
  const usage = PrimaryUsage ?? DeviceUsage;
  const isGamepad = usage === 4 || usage === 5;
  const name = isGamepad ? "a USB gamepad" : "a USB keyboard";
  if (machine.loading.bundles.some(({ bundle }) => bundle === hidDeviceBundle)) return name;
  machine.install(hidDeviceBundle);
  const clock = machine.scheduler;
  rig.bus.plugIn(isGamepad ? new HidGamepadDevice({ clock }) : new HidKeyboardDevice({ clock }), connector);
  return name;
}

function isUsb({ IOProviderClass }: Properties): boolean {
  return IOProviderClass === "IOUSBHostInterface" || IOProviderClass === "IOUSBHostDevice";
}

function deviceFor(personality: Properties, machine: Machine) {
  const { idProduct, idVendor } = personality;
  const kind = idVendor === ftdiVendor ? ftdiKinds[idProduct as keyof typeof ftdiKinds] : undefined;
  if (kind !== undefined) {
    const device = makeSerialDevice(kind, { clock: machine.scheduler, pacing: "baud" });
    return { device, name: `${kind} with a loop-back plug` };
  }
  const hex = (value: unknown) => (typeof value === "number" ? value.toString(16).padStart(4, "0") : "any");
  return {
    device: new AskedDevice(personality),
    name: `a device ${hex(idVendor)}:${hex(idProduct)} as the personality asks for it`,
  };
}
