// The catalogue of rigs as data: what each is made of, what one can do with it, and how it is built.

import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { HidGamepadDevice } from "../devices/hid-gamepad/hid-gamepad-device.ts";
import { HidKeyboardDevice } from "../devices/hid-keyboard/hid-keyboard-device.ts";
import { MassStorageDevice } from "../devices/mass-storage/mass-storage-device.ts";
import { type DiskQuirk, findDiskQuirks } from "../devices/scsi-disk/disk-quirks.ts";
import { ScsiDiskDevice } from "../devices/scsi-disk/scsi-disk-device.ts";
import { ForgetfulPlug } from "../devices/serial-far-ends.ts";
import { ftdiBundle } from "../drivers/ftdi/ftdi-driver.ts";
import { IOSerialBSDClient, installSerialFamily } from "../families/serial/io-serial-bsd-client.ts";
import { StoreResult } from "../ports/block-store.ts";
import type { Machine } from "../runtime/machine.ts";
import { AudioRig } from "./audio-rig.ts";
import { headsetEntries } from "./headset-entries.ts";
import { HidRig } from "./hid-rig.ts";
import { networkEntries } from "./network-entries.ts";
import { NvmeRig } from "./nvme-rig.ts";
import type { PciDiskRig } from "./pci-disk-rig.ts";
import { pciOptions, pciRigParts } from "./pci-rig-parts.ts";
import { RaidRig } from "./raid-rig.ts";
import {
  type BuiltRig,
  commonRigOptions,
  forgetful,
  noInput,
  type RigBuildOptions,
  type RigEntry,
  type RigSound,
  rigEntry,
  usbActs,
  usbRigParts,
} from "./rig-entry.ts";
import { RingHbaRig } from "./ring-hba-rig.ts";
import { serialEntries } from "./serial-entries.ts";
import { makeSerialDevice, serialRequestNames } from "./serial-rig.ts";
import { defaultBlockCount, StorageRig, withQuirks } from "./storage-rig.ts";
import { usbOn } from "./usb-rig.ts";
import { digestOf } from "./usb-rig-doors.ts";

export {
  type BerthKind,
  type BuiltRig,
  commonRigOptions,
  isRigEntry,
  type OutletKind,
  type RigAct,
  type RigBuildOptions,
  type RigEntry,
  rigEntry,
  type UsbDevicePlace,
  usbRigParts,
} from "./rig-entry.ts";
export { serialRigEntry } from "./serial-entries.ts";

/** The letter A on the keyboard page, and how many letters follow (HID Usage Tables 1.12 §10). */
const firstKey = 4;
const letterKeys = 26;
const gamepadButtons = 10;

/** The least that a queue may have, and what a RAID controller takes besides its own work (`RigBuildOptions.isTight`). */
const tightEntries = 4;
const tightCommands = 12;

function forgetBlocks(machine: Machine, disk: ScsiDiskDevice, { forgetsFromNs }: RigBuildOptions): void {
  if (forgetsFromNs === undefined) return;
  const { store } = disk.units[0].medium;
  store.write = forgetful(machine.scheduler, forgetsFromNs, store.write.bind(store), StoreResult.ok);
}

function hidEntry(name: string, summary: string, kinds: readonly ("keyboard" | "gamepad")[]): RigEntry {
  return rigEntry({
    name,
    summary,
    berths: ["usb"],
    devices: kinds,
    drivers: ["org.drydock.driver.usb-hid"],
    outlets: ["input"],
    type: [`drydock registry ${name}`, `drydock export usbip ${name}`],
    acts: usbActs,
    serialDevices: [],
    usbDevices: ({ clock }) =>
      kinds.map((kind) =>
        kind === "keyboard" ? new HidKeyboardDevice({ clock }) : new HidGamepadDevice({ clock }),
      ),
    build: (options) => {
      const rig = new HidRig({ ...commonRigOptions(options, "macos15"), devices: kinds });
      const device = (index: number) => (kinds[index] === "keyboard" ? rig.keyboard : rig.gamepad);
      const { forgetsFromNs = Number.POSITIVE_INFINITY } = options;
      return {
        ...usbRigParts(rig, kinds.length, (index) => rig.usb.bus.plugIn(device(index), index + 1)),
        ports: [],
        media: [],
        get inputCount() {
          return rig.inputs.length;
        },
        get inputs() {
          return rig.inputs.map(({ input, listener }) => ({
            name: input.name,
            isGone: input.isGone,
            events: listener.events,
          }));
        },
        get inputEvents() {
          return rig.inputs.reduce((sum, { listener }) => sum + listener.events.length, 0);
        },
        press: (connector, button, isDown) => {
          const kind = kinds[connector - 1];
          if (kind === undefined) return false;
          if (rig.machine.scheduler.nowNs() >= forgetsFromNs) return true;
          if (kind === "gamepad") rig.gamepad.setButton(1 + (button % gamepadButtons), isDown);
          else if (isDown) rig.keyboard.press(firstKey + (button % letterKeys));
          else rig.keyboard.release(firstKey + (button % letterKeys));
          return true;
        },
      };
    },
  });
}

function diskEntry(
  name: string,
  summary: string,
  policy: "by-speed" | "bulk-only" | "uas",
  quirks: readonly DiskQuirk[] = [],
): RigEntry {
  const how =
    quirks.length === 0 ? "" : `, which misbehaves: ${quirks.map((quirk) => quirk.name).join(", ")}`;
  return rigEntry({
    name,
    summary,
    berths: ["usb"],
    devices: [`a USB disk of 64 MiB with Bulk-Only and UAS${how}`],
    drivers: ["com.apple.iokit.IOUSBMassStorageDriver", "com.apple.iokit.IOSCSIBlockCommandsDevice"],
    outlets: ["block"],
    type: [`drydock disk serve`, `drydock export usbip ${name}`],
    acts: [...usbActs, "power cut"],
    serialDevices: [],
    usbDevices: ({ clock, diskName, random }) => {
      const units = [{ blockCount: defaultBlockCount, ...diskName }];
      const disk = new ScsiDiskDevice({ clock, random, units });
      const { device, target } = withQuirks(disk, clock, quirks);
      const named = diskName === undefined ? {} : { serialNumber: diskName.serial };
      return [new MassStorageDevice({ speed: UsbSpeed.high, maximumLun: 0, ...named, ...device, target })];
    },
    build: (options) => {
      const rig = new StorageRig({ ...commonRigOptions(options, "open"), policy, quirks });
      forgetBlocks(rig.machine, rig.disk, options);
      return {
        ...usbRigParts(rig, 1, () => rig.usb.bus.plugIn(rig.device, 1)),
        ports: [],
        get media() {
          return rig.media;
        },
        diskBlocks: () => rig.disk.units.map(({ medium }) => medium.blockCount),
        ...noInput,
      };
    },
  });
}

/** The parts of a rig with one PCI function in slot 1 that brings disks up. */
function pciDiskRigParts(rig: PciDiskRig): BuiltRig {
  return {
    ...pciRigParts(rig, rig.device),
    ports: [],
    get media() {
      return rig.media;
    },
    failures: () => (rig.media.length > 0 ? [] : rig.whyNoDisk()),
  };
}

const nvme: RigEntry = rigEntry({
  name: "nvme",
  summary: "an NVMe disk on PCI, with an IOMMU, and Drydock's NVMe driver",
  berths: ["pci"],
  devices: ["an NVMe disk of our own design"],
  drivers: ["org.drydock.driver.nvme"],
  outlets: ["block"],
  type: ["drydock registry nvme"],
  acts: ["plug", "unplug"],
  serialDevices: [],
  usbDevices: () => [],
  build: (options) => {
    const device = options.isTight === true ? { queueEntries: tightEntries } : {};
    const rig = new NvmeRig({ ...pciOptions(options), device });
    if (options.forgetsFromNs !== undefined) {
      const [disk] = rig.device.disks;
      const { scheduler } = rig.machine;
      disk.write = forgetful(scheduler, options.forgetsFromNs, disk.write.bind(disk), undefined);
    }
    const diskBlocks = () => rig.device.disks.map(({ geometry }) => geometry.blockCount);
    return Object.assign(pciDiskRigParts(rig), { diskBlocks });
  },
});

const audio: RigEntry = rigEntry({
  name: "audio",
  summary: "AC'97 audio on PCI, with a ring that the audio server fills, and Drydock's driver",
  berths: ["pci"],
  devices: ["AC'97 audio as Intel's ICH has it"],
  drivers: ["org.drydock.driver.ac97"],
  outlets: ["audio"],
  type: ["drydock audio play", "drydock registry audio"],
  acts: ["plug", "unplug"],
  serialDevices: [],
  usbDevices: () => [],
  build: (options) => {
    const { forgetsFromNs = Number.POSITIVE_INFINITY } = options;
    const sound: RigSound = {
      get devices() {
        return rig.audio.devices;
      },
      listener: null,
    };
    const onPlayed = (bytes: Uint8Array): void => {
      if (rig.machine.scheduler.nowNs() < forgetsFromNs) sound.listener?.(bytes);
    };
    const rig = new AudioRig({ ...pciOptions(options), device: { onPlayed } });
    return {
      ...pciRigParts(rig, rig.device),
      sound,
      ports: [],
      media: [],
      failures: () => (rig.audio.devices.length > 0 ? [] : rig.whyNoDevice()),
    };
  },
});

const raid: RigEntry = rigEntry({
  name: "raid",
  summary: "a RAID controller on PCI with a SCSI disk behind it, and Drydock's MegaRAID driver",
  berths: ["pci"],
  devices: ["a MegaRAID controller with one logical drive of 64 MiB"],
  drivers: ["org.drydock.driver.megaraid", "com.apple.iokit.IOSCSIBlockCommandsDevice"],
  outlets: ["block"],
  type: ["drydock registry raid"],
  acts: ["plug", "unplug"],
  serialDevices: [],
  usbDevices: () => [],
  build: (options) => {
    const device = options.isTight === true ? { maximumCommands: tightCommands } : {};
    const rig = new RaidRig({ ...pciOptions(options), device });
    forgetBlocks(rig.machine, rig.disks[0], options);
    return pciDiskRigParts(rig);
  },
});

const ringHba: RigEntry = rigEntry({
  name: "ring-hba",
  summary: "a small host adapter of our own design with a SCSI disk behind it, and its driver",
  berths: ["pci"],
  devices: ["a host adapter with one disk of 64 MiB"],
  drivers: ["org.drydock.driver.ring-hba", "com.apple.iokit.IOSCSIBlockCommandsDevice"],
  outlets: ["block"],
  type: ["drydock registry ring-hba"],
  acts: ["plug", "unplug"],
  serialDevices: [],
  usbDevices: () => [],
  build: (options) => {
    const rig = new RingHbaRig(pciOptions(options));
    forgetBlocks(rig.machine, rig.disks[0], options);
    return pciDiskRigParts(rig);
  },
});

/** Both berths on one machine: slot 1 is connector 1, the USB connector is connector 2. */
const workstation: RigEntry = rigEntry({
  name: "workstation",
  summary: "an NVMe disk on PCI and an FT232R on USB, on one machine",
  berths: ["usb", "pci"],
  devices: ["an NVMe disk of our own design", "an FT232R with a loop-back plug"],
  drivers: ["org.drydock.driver.nvme", "org.drydock.driver.ftdi"],
  outlets: ["terminal", "block"],
  type: ["drydock registry workstation"],
  acts: ["plug", "unplug"],
  serialDevices: [],
  usbDevices: ({ clock, pacing }) => [
    makeSerialDevice("ftdi", { clock, pacing: pacing === "none" ? "none" : "baud" }),
  ],
  build: (options) => {
    const disk = nvme.build(options);
    const { machine, timeline } = disk;
    const { forgetsFromNs, faults } = options;
    const now = () => machine.scheduler.nowNs();
    const farEnd = forgetsFromNs === undefined ? {} : { farEnd: new ForgetfulPlug(now, forgetsFromNs) };
    const device = makeSerialDevice("ftdi", {
      clock: machine.scheduler,
      pacing: options.pacing === "none" ? "none" : "baud",
      ...farEnd,
    });
    const { usb, family } = usbOn(machine, timeline, {
      timing: options.pacing === "none" ? "none" : "bus",
      describeRequests: serialRequestNames,
      ...(options.trace === undefined ? {} : { trace: options.trace }),
      ...(faults === undefined ? {} : { faults }),
    });
    const ports: IOSerialBSDClient[] = [];
    installSerialFamily(machine);
    machine.onRegistered((service) => {
      if (service instanceof IOSerialBSDClient) ports.push(service);
    });
    machine.install(ftdiBundle);
    const plug = (): boolean => {
      if (usb.bus.isOccupied(1)) return false;
      usb.bus.plugIn(device, 1);
      return true;
    };
    plug();
    return {
      ...disk,
      usb,
      ports,
      get media() {
        return disk.media;
      },
      failures: () => [...disk.failures(), ...family.failures.map(({ reason }) => reason)],
      unplug: (connector) => {
        if (connector !== 2) return disk.unplug(connector);
        if (!usb.bus.isOccupied(1)) return false;
        usb.bus.unplug(1);
        return true;
      },
      plug: (connector) => (connector === 2 ? plug() : disk.plug(connector)),
      digest: () => digestOf({ machine, usb }) + disk.digest(),
    };
  },
});

/** In the order in which they are listed; the first is the default. */
export const rigCatalogue: readonly RigEntry[] = [
  ...serialEntries,
  hidEntry("keyboard", "a keyboard and Drydock's HID driver", ["keyboard"]),
  hidEntry("gamepad", "a gamepad and Drydock's HID driver", ["gamepad"]),
  hidEntry("inputs", "a keyboard and a gamepad on one bus", ["keyboard", "gamepad"]),
  diskEntry(
    "storage",
    "a USB disk with Bulk-Only and UAS, the kernel's SCSI and block drivers above it",
    "by-speed",
  ),
  diskEntry("uas", "the same disk, driven by UAS", "uas"),
  diskEntry(
    "quirky",
    "a disk with the firmware of many a stick; --quirk of disk serve and of export disk has more",
    "bulk-only",
    findDiskQuirks(["no-vpd", "no-write-same", "fua-refused", "first-read-fails", "residue-lies"]),
  ),
  ...networkEntries,
  nvme,
  raid,
  ringHba,
  audio,
  ...headsetEntries,
  workstation,
];

/** By name. Null: there is none of that name. */
export function findRig(name: string): RigEntry | null {
  return rigCatalogue.find((entry) => entry.name === name) ?? null;
}
