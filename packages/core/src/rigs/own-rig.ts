// A rig of somebody's own: their device models and drivers as an entry that every command takes like one of ours.

import type { Clock } from "../base/clock.ts";
import type { Random } from "../base/random.ts";
import { EchoStation } from "../devices/ethernet-far-ends.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { IOMedia as Media } from "../families/block/io-media.ts";
import { IOEthernetInterface } from "../families/network/io-ethernet-interface.ts";
import { IOSerialBSDClient } from "../families/serial/io-serial-bsd-client.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import { AnyUsbRig } from "./any-usb-rig.ts";
import { type NetworkAdapter, NetworkCable } from "./network-rig.ts";
import { PciRig } from "./pci-rig.ts";
import { pciOptions, pciRigParts } from "./pci-rig-parts.ts";
import {
  type BuiltRig,
  commonRigOptions,
  type OutletKind,
  type RigEntry,
  rigEntry,
  type UsbDevicePlace,
  usbRigParts,
} from "./rig-entry.ts";

/** One device, in the connector of its place in the list. */
export interface OwnUsbDevice {
  /** In words, for lists. */
  readonly name: string;
  /** A fresh model: a rig is built many times, and no two may share one. */
  make(place: UsbDevicePlace): UsbDevicePort;
}

export interface OwnUsbRigPlan {
  /** Small letters, digits and hyphens. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  readonly devices: readonly OwnUsbDevice[];
  readonly bundles: readonly DriverBundle[];
  /** Drydock's serial, HID, mass storage and network drivers beside yours. Default false. */
  readonly withOurDrivers?: boolean;
  /** How programs reach what comes up; default: not at all. */
  readonly outlets?: readonly OutletKind[];
  /** Whose rules hold where nobody names a platform; `drydock registry` and `start` name `open`. Default `macos15`. */
  readonly platform?: string;
  /**
   * Uses the driver once it is up, and says in a word or two how it went. `drydock explore` pulls the cable at every step
   * of it, so framework calls may be refused anywhere: what they reject with ends the use, and is no finding by itself.
   */
  use?(rig: BuiltRig): Promise<string>;
}

/**
 * The default export of a rig file. RangeError says what is wrong with the plan. The name of the driver's bundle, its
 * devices and its use are all that the commands need.
 */
export function ownUsbRig(plan: OwnUsbRigPlan): RigEntry {
  const { name, bundles, devices, outlets = [], platform = "macos15", use } = plan;
  return rigEntry({
    name,
    summary: plan.summary,
    berths: ["usb"],
    devices: devices.map((device) => device.name),
    drivers: bundles.map(({ identifier }) => identifier),
    outlets,
    type: ["drydock registry FILE --why", "drydock explore FILE"],
    acts: ["plug", "unplug", "fault"],
    serialDevices: [],
    usbDevices: (place) => devices.map((device) => device.make(place)),
    build: (options) => {
      let inputCount = 0;
      const rig = new AnyUsbRig({
        ...commonRigOptions(options, platform),
        drivers: plan.withOurDrivers === true ? "all" : "none",
        onInput: () => {
          inputCount++;
        },
      });
      const { machine } = rig;
      const ports: IOSerialBSDClient[] = [];
      const media: IOMedia[] = [];
      const interfaces: IOEthernetInterface[] = [];
      machine.onRegistered((service) => {
        if (service instanceof IOSerialBSDClient) ports.push(service);
        if (service instanceof Media) media.push(service);
        if (service instanceof IOEthernetInterface) interfaces.push(service);
      });
      machine.onGone((service) => {
        const at = media.indexOf(service as IOMedia);
        if (at >= 0) media.splice(at, 1);
      });
      for (const bundle of bundles) machine.install(bundle);
      const pacing = options.pacing ?? "real";
      const models = devices.map((device) =>
        device.make({ clock: machine.scheduler, random: machine.random.fork(device.name), pacing }),
      );
      const plug = (index: number) => rig.usb.bus.plugIn(models[index], index + 1);
      for (const index of models.keys()) plug(index);
      const cables = models.flatMap((model, index) => cablesOf(model, index, rig, options.trace !== false));
      return {
        ...usbRigParts(rig, models.length, plug),
        ports,
        media,
        interfaces,
        cables,
        get inputCount() {
          return inputCount;
        },
        inputEvents: 0,
        press: () => false,
      };
    },
    ...(use === undefined ? {} : { use: (rig: BuiltRig) => use(rig) }),
  });
}

/** A model with a network jack has a cable, which leads to an echo until somebody leads it elsewhere. */
function cablesOf(model: UsbDevicePort, index: number, rig: AnyUsbRig, isTraced: boolean): NetworkCable[] {
  const jack = (model as Partial<NetworkAdapter>).jack;
  if (jack === undefined) return [];
  const { scheduler } = rig.machine;
  const trace = isTraced ? { clock: scheduler, timeline: rig.timeline, name: `cable ${index + 1}` } : null;
  const cable = new NetworkCable(jack, trace);
  cable.connect(new EchoStation(cable.into));
  return [cable];
}

/** What a model of a PCI function is made with. */
export interface PciDevicePlace {
  readonly clock: Clock;
  readonly random: Random;
}

export interface OwnPciRigPlan {
  /** Small letters, digits and hyphens. */
  readonly name: string;
  /** One line, without a full stop. */
  readonly summary: string;
  /** The function in slot 1, in words, and a fresh model of it: a rig is built many times. */
  readonly device: { readonly name: string; make(place: PciDevicePlace): PciDevicePort };
  readonly bundles: readonly DriverBundle[];
  /** Whose rules hold where nobody names a platform; `drydock registry` names `open`. Default `macos15`. */
  readonly platform?: string;
  /** As {@link OwnUsbRigPlan.use}. */
  use?(rig: BuiltRig): Promise<string>;
}

/**
 * The default export of a rig file whose device is a PCI function, behind an IOMMU. `drydock explore` pulls it at every
 * step, and takes every way out (stop, crash, sleep) while it watches whether DMA could still arrive. RangeError says what
 * is wrong with the plan.
 */
export function ownPciRig(plan: OwnPciRigPlan): RigEntry {
  const { name, bundles, device, platform = "macos15", summary, use } = plan;
  return rigEntry({
    name,
    summary,
    berths: ["pci"],
    devices: [device.name],
    drivers: bundles.map(({ identifier }) => identifier),
    outlets: [],
    type: ["drydock registry FILE --why", "drydock explore FILE"],
    acts: ["plug", "unplug"],
    serialDevices: [],
    usbDevices: () => [],
    build: (options) => {
      const rig = new PciRig(pciOptions(options, platform));
      const { machine, family, pci } = rig;
      for (const bundle of bundles) machine.install(bundle);
      const model = device.make({ clock: machine.scheduler, random: machine.random.fork(device.name) });
      pci.bus.plugIn(model, 1);
      return {
        ...pciRigParts(rig, model),
        ports: [],
        media: [],
        failures: () => [
          ...pci.bus.failures.map(({ slot, reason }) => `slot ${slot}: ${reason}`),
          ...family.failures.map(({ place, reason }) => `${place}: ${reason}`),
          ...(machine.failure === null ? [] : [machine.failure.text]),
        ],
      };
    },
    ...(use === undefined ? {} : { use: (rig: BuiltRig) => use(rig) }),
  });
}
