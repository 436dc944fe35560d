// The catalogue of rigs as data: what each is made of, what one can do with it, and how it is built.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { HidGamepadDevice } from "../devices/hid-gamepad/hid-gamepad-device.ts";
import { HidKeyboardDevice } from "../devices/hid-keyboard/hid-keyboard-device.ts";
import { MassStorageDevice } from "../devices/mass-storage/mass-storage-device.ts";
import { type DiskQuirk, findDiskQuirks } from "../devices/scsi-disk/disk-quirks.ts";
import { ScsiDiskDevice } from "../devices/scsi-disk/scsi-disk-device.ts";
import { ForgetfulPlug } from "../devices/serial-far-ends.ts";
import { ftdiBundle } from "../drivers/ftdi/ftdi-driver.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { IOSerialBSDClient, installSerialFamily } from "../families/serial/io-serial-bsd-client.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { StoreResult } from "../ports/block-store.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import type { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import { HidRig } from "./hid-rig.ts";
import { NvmeRig } from "./nvme-rig.ts";
import type { PciBerth } from "./pci-berth.ts";
import type { PciDiskRig } from "./pci-disk-rig.ts";
import { pciDigest } from "./pci-rig.ts";
import { RaidRig } from "./raid-rig.ts";
import { makeSerialDevice, type SerialDeviceKind, SerialRig, serialRequestNames } from "./serial-rig.ts";
import { defaultBlockCount, StorageRig, withQuirks } from "./storage-rig.ts";
import type { UsbBerth } from "./usb-berth.ts";
import { usbOn } from "./usb-rig.ts";
import { digestOf, type UsbRigParts } from "./usb-rig-doors.ts";

/** Where devices are plugged in. */
export type BerthKind = "usb" | "pci";
/** How programs reach what a rig brings up. */
export type OutletKind = "terminal" | "block" | "input";
/** What one can do to a rig, by the name that command line, palette and buttons share. */
export type RigAct = "plug" | "unplug" | "fault" | "power cut";

/** Everything that chance and people decide about a rig. */
export interface RigBuildOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** Name of a platform profile; left out: the entry's own. */
  readonly platform?: string;
  readonly faults?: UsbFaultPlan;
  /** `none` takes the time of wires and lines away. Default `real`. */
  readonly pacing?: "real" | "none";
  /** Records everything that passes. Default true. */
  readonly trace?: boolean;
  /** How much of it is kept, bytes. */
  readonly timelineBytes?: number;
  /**
   * A defect for trials to find: from this virtual time on the devices lose without a word what they are given, blocks,
   * characters, keys.
   */
  readonly forgetsFromNs?: number;
}

/** What device models are made with. */
export interface UsbDevicePlace {
  readonly clock: Clock;
  readonly random: Random;
  readonly pacing: "real" | "none";
}

/** A rig as everybody takes it who does not care which one it is. */
export interface BuiltRig {
  readonly machine: Machine;
  /** Everything that was recorded; nothing when `trace` is false. */
  readonly timeline: Timeline;
  readonly usb: UsbBerth | null;
  readonly pci: PciBerth | null;
  /** Ports, disks and inputs that programs can open, in order of appearance. */
  readonly ports: readonly IOSerialBSDClient[];
  readonly media: readonly IOMedia[];
  readonly inputCount: number;
  /** What every input that came up was told so far. */
  readonly inputEvents: number;
  /** A key or button of the device in `connector`, from 0, goes down or up. False: there is nothing to press. */
  press(connector: number, button: number, isDown: boolean): boolean;
  /** Why something did not come up, as far as the machine can say. */
  failures(): readonly string[];
  /** The n-th device, from 1: pulled out, and put in again. False: it was so already. */
  unplug(connector: number): boolean;
  plug(connector: number): boolean;
  digest(): string;
}

/** One rig of the catalogue. A file of somebody's own makes one with {@link rigEntry}. */
export interface RigEntry {
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly berths: readonly BerthKind[];
  /** What is plugged in, by connector, in words. */
  readonly devices: readonly string[];
  /** Bundle identifiers of the drivers that come up. */
  readonly drivers: readonly string[];
  readonly outlets: readonly OutletKind[];
  /** What to type, a line each. */
  readonly type: readonly string[];
  readonly acts: readonly RigAct[];
  /** Kinds of serial devices, by connector; empty where there are none. */
  readonly serialDevices: readonly SerialDeviceKind[];
  /** Fresh models of its USB devices, by connector, for a bus that nobody here drives; none where it has no USB berth. */
  usbDevices(place: UsbDevicePlace): readonly UsbDevicePort[];
  build(options: RigBuildOptions): BuiltRig;
  /** What is done with a rig that is up, in a word or two; absent: nothing more than coming up. */
  use?(rig: BuiltRig): Promise<string>;
}

/** Entries that this copy of the package has checked. */
const checked = new WeakSet<object>();

/** Whether this copy of the package made the entry: one of another copy is not of our classes. */
export function isRigEntry(value: unknown): value is RigEntry {
  return typeof value === "object" && value !== null && checked.has(value);
}

/** Checks an entry that comes from outside: its name must be one that every command takes. RangeError says what is wrong. */
export function rigEntry(entry: RigEntry): RigEntry {
  if (!/^[a-z][a-z0-9-]*$/.test(entry.name))
    throw new RangeError(`"${entry.name}" is no name for a rig: small letters, digits and hyphens`);
  if (entry.berths.length === 0) throw new RangeError(`the rig ${entry.name} has no berth`);
  if (entry.devices.length === 0) throw new RangeError(`the rig ${entry.name} has no device`);
  checked.add(entry);
  return entry;
}

/** The letter A on the keyboard page, and how many letters follow (HID Usage Tables 1.12 §10). */
const firstKey = 4;
const letterKeys = 26;
const gamepadButtons = 10;

const usbActs: readonly RigAct[] = ["plug", "unplug", "fault"];

/** What every entry's `build` hands on to its rig. */
export function commonRigOptions(options: RigBuildOptions, platform: string) {
  const { faults, pacing, seed, timelineBytes, trace, turn } = options;
  return {
    seed,
    turn,
    profile: platformProfile(options.platform ?? platform),
    timing: pacing === "none" ? ("none" as const) : ("bus" as const),
    ...(faults === undefined ? {} : { faults }),
    ...(trace === undefined ? {} : { trace }),
    ...(timelineBytes === undefined ? {} : { timeline: { maximumBytes: timelineBytes } }),
  };
}

/** Nothing to press here. */
const noInput = { inputCount: 0, inputEvents: 0, press: () => false } as const;

/** A `write` of blocks that loses what comes from `fromNs` on and says that all is well. */
function forgetful<Args extends unknown[], R>(
  clock: Clock,
  fromNs: number,
  write: (...args: Args) => R,
  kept: R,
): (...args: Args) => R {
  return (...args) => (clock.nowNs() < fromNs ? write(...args) : kept);
}

function forgetBlocks(machine: Machine, disk: ScsiDiskDevice, { forgetsFromNs }: RigBuildOptions): void {
  if (forgetsFromNs === undefined) return;
  const { store } = disk.units[0].medium;
  store.write = forgetful(machine.scheduler, forgetsFromNs, store.write.bind(store), StoreResult.ok);
}

/** The parts that every USB rig has; `replug` puts the n-th device, from 0, into its connector again. */
export function usbRigParts(
  rig: UsbRigParts,
  deviceCount: number,
  replug: (index: number) => void,
): Omit<BuiltRig, "ports" | "media" | "inputCount" | "inputEvents" | "press"> {
  const { bus } = rig.usb;
  return {
    machine: rig.machine,
    timeline: rig.timeline,
    usb: rig.usb,
    pci: null,
    failures: () => [
      ...rig.family.failures.map(({ reason }) => reason),
      ...(rig.machine.failure === null ? [] : [rig.machine.failure.text]),
    ],
    unplug: (connector) => {
      if (!bus.isOccupied(connector)) return false;
      bus.unplug(connector);
      return true;
    },
    plug: (connector) => {
      if (connector < 1 || connector > deviceCount || bus.isOccupied(connector)) return false;
      replug(connector - 1);
      return true;
    },
    digest: () => digestOf(rig),
  };
}

/** A rig with these serial devices, of the catalogue or of a command line. */
export function serialRigEntry(
  name: string,
  summary: string,
  kinds: readonly SerialDeviceKind[],
  devices: readonly string[] = kinds,
  drivers: readonly string[] = [],
): RigEntry {
  return rigEntry({
    name,
    summary,
    berths: ["usb"],
    devices,
    drivers,
    outlets: ["terminal"],
    type: [`drydock start ${name}`, "picocom -b 115200 /tmp/drydock-tty0"],
    acts: usbActs,
    serialDevices: kinds,
    usbDevices: ({ clock, pacing }) =>
      kinds.map((kind) => makeSerialDevice(kind, { clock, pacing: pacing === "none" ? "none" : "baud" })),
    build: (options) => {
      const { forgetsFromNs } = options;
      const rig: SerialRig = new SerialRig({
        ...commonRigOptions(options, "open"),
        devices: kinds,
        pacing: options.pacing === "none" ? "none" : "baud",
        ...(forgetsFromNs === undefined
          ? {}
          : {
              farEnds: kinds.map(() => new ForgetfulPlug(() => rig.machine.scheduler.nowNs(), forgetsFromNs)),
            }),
      });
      const plugIn = (index: number) => rig.usb.bus.plugIn(rig.devices[index], index + 1);
      return { ...usbRigParts(rig, kinds.length, plugIn), ports: rig.ports, media: [], ...noInput };
    },
  });
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
    usbDevices: ({ clock, random }) => {
      const disk = new ScsiDiskDevice({ clock, random, units: [{ blockCount: defaultBlockCount }] });
      const { device, target } = withQuirks(disk, clock, quirks);
      return [new MassStorageDevice({ speed: UsbSpeed.high, maximumLun: 0, ...device, target })];
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
        ...noInput,
      };
    },
  });
}

/** The parts of a rig with one PCI function in slot 1 that brings disks up. */
function pciDiskRigParts(rig: PciDiskRig): BuiltRig {
  const { bus } = rig.pci;
  return {
    machine: rig.machine,
    timeline: rig.timeline,
    usb: null,
    pci: rig.pci,
    ports: [],
    get media() {
      return rig.media;
    },
    ...noInput,
    failures: () => (rig.media.length > 0 ? [] : rig.whyNoDisk()),
    unplug: (slot) => {
      if (!bus.isOccupied(slot)) return false;
      bus.unplug(slot);
      return true;
    },
    plug: (slot) => {
      if (slot !== 1 || bus.isOccupied(1)) return false;
      bus.plugIn(rig.device, 1);
      return true;
    },
    digest: () => pciDigest(rig),
  };
}

function pciOptions(options: RigBuildOptions) {
  const { pacing, platform, seed, timelineBytes, trace, turn } = options;
  return {
    seed,
    turn,
    profile: platformProfile(platform ?? "open"),
    timing: pacing === "none" ? ("none" as const) : ("bus" as const),
    ...(trace === undefined ? {} : { trace }),
    ...(timelineBytes === undefined ? {} : { timeline: { maximumBytes: timelineBytes } }),
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
    const rig = new NvmeRig(pciOptions(options));
    if (options.forgetsFromNs !== undefined) {
      const [disk] = rig.device.disks;
      const { scheduler } = rig.machine;
      disk.write = forgetful(scheduler, options.forgetsFromNs, disk.write.bind(disk), undefined);
    }
    return pciDiskRigParts(rig);
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
    const rig = new RaidRig(pciOptions(options));
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

const ftdi = "org.drydock.driver.ftdi";
const cdcAcm = "org.drydock.driver.cdc-acm";
const loopbackFtdi = "an FT232R with a loop-back plug";
const loopbackModem = "a CDC-ACM modem with a loop-back plug";

/** In the order in which they are listed; the first is the default. */
export const rigCatalogue: readonly RigEntry[] = [
  serialRigEntry(
    "serial",
    `${loopbackFtdi} and Drydock's FTDI driver (the default)`,
    ["ftdi"],
    [loopbackFtdi],
    [ftdi],
  ),
  serialRigEntry(
    "modem",
    `${loopbackModem} and Drydock's CDC-ACM driver`,
    ["cdc-acm"],
    [loopbackModem],
    [cdcAcm],
  ),
  serialRigEntry(
    "quad",
    "an FT4232H: four ports, high speed",
    ["ft4232h"],
    ["an FT4232H with four loop-back plugs"],
    [ftdi],
  ),
  serialRigEntry(
    "desk",
    "an FT232R and a CDC-ACM modem on one bus",
    ["ftdi", "cdc-acm"],
    [loopbackFtdi, loopbackModem],
    [ftdi, cdcAcm],
  ),
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
  nvme,
  raid,
  workstation,
];

/** By name. Null: there is none of that name. */
export function findRig(name: string): RigEntry | null {
  return rigCatalogue.find((entry) => entry.name === name) ?? null;
}
