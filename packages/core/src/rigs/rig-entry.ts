// What a rig of the catalogue is: the shape of its entry, and the parts that entries are made of.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import type { LineFormat } from "../devices/uart.ts";
import type { AudioServerDevice } from "../families/audio/audio-server-device.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import type { IOEthernetInterface } from "../families/network/io-ethernet-interface.ts";
import type { PciFamily } from "../families/pci/pci-family.ts";
import type { IOSerialBSDClient } from "../families/serial/io-serial-bsd-client.ts";
import type { CountedAccess } from "../faults/counted-access.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { HidEvent } from "../ports/hid.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import type { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import type { NetworkCable } from "./network-rig.ts";
import type { PciBerth } from "./pci-berth.ts";
import type { SerialDeviceKind } from "./serial-rig.ts";
import type { UsbBerth } from "./usb-berth.ts";
import { digestOf, type UsbRigParts } from "./usb-rig-doors.ts";

/** Where devices are plugged in. */
export type BerthKind = "usb" | "pci";
/** How programs reach what a rig brings up. */
export type OutletKind = "terminal" | "block" | "input" | "audio" | "network";
/** What one can do to a rig, by the name that command line, palette and buttons share. */
export type RigAct = "plug" | "unplug" | "fault" | "power cut";

/** Everything that chance and people decide about a rig. */
export interface RigBuildOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** Name of a platform profile; left out: the entry's own. */
  readonly platform?: string;
  readonly faults?: UsbFaultPlan;
  /** Counts every access of the rig, and strikes those that it names. */
  readonly access?: CountedAccess;
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
  /** Devices offer the least that their specifications let them offer, short queues above all: what wraps, wraps often. */
  readonly isTight?: boolean;
}

/** What device models are made with. */
export interface UsbDevicePlace {
  /** What makes its disk another one than the next server's: names that a host takes for the same disk wherever it sees them. */
  readonly diskName?: { readonly serial: string; readonly worldWideName: string };
  readonly clock: Clock;
  readonly random: Random;
  readonly pacing: "real" | "none";
}

/** Audio that programs play, and an ear at the hardware's converter. */
export interface RigSound {
  readonly devices: readonly AudioServerDevice[];
  /** Hears frames as they leave the converter; the bytes are used again. */
  listener: ((bytes: Uint8Array) => void) | null;
}

/** An input, and what a program that listens from the beginning has heard of it. */
export interface HeardInput {
  readonly name: string;
  readonly isGone: boolean;
  readonly events: readonly HidEvent[];
}

/** A rig as everybody takes it who does not care which one it is. */
export interface BuiltRig {
  readonly machine: Machine;
  /** Everything that was recorded; nothing when `trace` is false. */
  readonly timeline: Timeline;
  readonly usb: UsbBerth | null;
  readonly pci: PciBerth | null;
  /** The function in slot 1 and the family above it, where a PCI function is all that a rig has: what explorations watch. */
  readonly pciFunction?: { readonly family: PciFamily; readonly device: PciDevicePort };
  /** Ports, disks and inputs that programs can open, in order of appearance. */
  readonly ports: readonly IOSerialBSDClient[];
  readonly media: readonly IOMedia[];
  /** How the lines of its serial devices are set, by connector and port, whatever was asked for. Left out: nobody can look. */
  readonly lines?: () => readonly LineFormat[];
  /** Blocks of its disks, as the devices know them, in order of appearance. Left out: nobody can look. */
  readonly diskBlocks?: () => readonly number[];
  /** Absent: nothing to be heard here. */
  readonly sound?: RigSound;
  /** Network interfaces, in order of appearance; gone ones stay. Left out: it has none. */
  readonly interfaces?: readonly IOEthernetInterface[];
  /** The network cables of its adapters, by connector. Left out: it has none. */
  readonly cables?: readonly NetworkCable[];
  readonly inputCount: number;
  /** Inputs that came up, each with every event that it gave, in order of appearance; gone ones stay. Left out: nobody listens. */
  readonly inputs?: readonly HeardInput[];
  /** What every input that came up was told so far. */
  readonly inputEvents: number;
  /** A key or button of the device in `connector`, from 0, goes down or up. False: there is nothing to press. */
  press(connector: number, button: number, isDown: boolean): boolean;
  /** Why something did not come up, as far as the machine can say. */
  failures(): readonly string[];
  /** The n-th device, from 1: pulled out, and put in again. False: it was so already. */
  unplug(connector: number): boolean;
  plug(connector: number): boolean;
  /** Whether something is in that connector, from 1, where its bus does not know: hardware. Left out: the bus knows. */
  isOccupied?(connector: number): boolean;
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

export const usbActs: readonly RigAct[] = ["plug", "unplug", "fault"];

/** What every entry's `build` hands on to its rig. */
export function commonRigOptions(options: RigBuildOptions, platform: string) {
  const { access, faults, pacing, seed, timelineBytes, trace, turn } = options;
  return {
    ...(access === undefined ? {} : { access }),
    seed,
    turn,
    profile: platformProfile(options.platform ?? platform),
    timing: pacing === "none" ? ("none" as const) : ("bus" as const),
    ...(faults === undefined ? {} : { faults }),
    ...(trace === undefined ? {} : { trace }),
    ...(timelineBytes === undefined ? {} : { timeline: { maximumBytes: timelineBytes } }),
  };
}

/** Interfaces of a rig that are there now. */
export function liveInterfaces({ interfaces = [] }: BuiltRig): readonly IOEthernetInterface[] {
  return interfaces.filter(({ isGone }) => !isGone);
}

/** Nothing to press here. */
export const noInput = { inputCount: 0, inputEvents: 0, press: () => false } as const;

/** A `write` of blocks that loses what comes from `fromNs` on and says that all is well. */
export function forgetful<Args extends unknown[], R>(
  clock: Clock,
  fromNs: number,
  write: (...args: Args) => R,
  kept: R,
): (...args: Args) => R {
  return (...args) => (clock.nowNs() < fromNs ? write(...args) : kept);
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
