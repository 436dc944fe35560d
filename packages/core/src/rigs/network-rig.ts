// The network rig: a machine, a USB bus, a network adapter on it and the driver that makes an interface of it.

import type { Clock } from "../base/clock.ts";
import { type AxChip, describeAxRequest } from "../codec/ax88772/ax88772.ts";
import { describeEcmRequest } from "../codec/cdc-ecm/cdc-ecm.ts";
import { describeNcmRequest } from "../codec/cdc-ncm/cdc-ncm.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { Ax88772Device } from "../devices/ax88772/ax88772-device.ts";
import { CdcEcmDevice } from "../devices/cdc-ecm/cdc-ecm-device.ts";
import { CdcNcmDevice } from "../devices/cdc-ncm/cdc-ncm-device.ts";
import { EchoStation } from "../devices/ethernet-far-ends.ts";
import type { EthernetJack } from "../devices/ethernet-jack.ts";
import { ax88772Bundle } from "../drivers/ax88772/ax88772-driver.ts";
import { cdcEcmBundle } from "../drivers/cdc-ecm/cdc-ecm-driver.ts";
import { cdcNcmBundle } from "../drivers/cdc-ncm/cdc-ncm-driver.ts";
import { IOEthernetInterface, installNetworkFamily } from "../families/network/io-ethernet-interface.ts";
import type { FrameTaker } from "../ports/ethernet.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import { type EthernetTraceOptions, withEthernetTrace } from "../trace/ethernet-trace.ts";
import { UsbRig, type UsbRigOptions } from "./usb-rig.ts";
import { UsbRigDoors } from "./usb-rig-doors.ts";

export type NetworkDeviceKind = AxChip["name"] | "cdc-ncm" | "cdc-ecm";

/** An adapter: what the bus sees, and where its cable goes in. */
export type NetworkAdapter = UsbDevicePort & { readonly jack: EthernetJack };

export interface NetworkRigOptions extends Omit<UsbRigOptions, "describeRequests"> {
  readonly devices?: readonly NetworkDeviceKind[];
  /** Adapters in place of the ones that `devices` names. */
  readonly adapters?: (clock: Clock) => readonly NetworkAdapter[];
  /** What each cable leads to; default a station that sends every frame back. `into` leads to the adapter. */
  readonly farEnd?: (into: FrameTaker) => FrameTaker;
  /** Drivers in place of Drydock's own. */
  readonly bundles?: readonly DriverBundle[];
}

/** Names of network adapters' requests, for text traces. */
export const networkRequestNames: readonly DescribeRequest[] = [
  describeAxRequest,
  describeEcmRequest,
  describeNcmRequest,
];

export const networkBundles: readonly DriverBundle[] = [ax88772Bundle, cdcNcmBundle, cdcEcmBundle];

/** A model of one kind, for whoever has a clock; its address ends in `number`. */
export function makeNetworkDevice(kind: NetworkDeviceKind, clock: Clock, number = 1): NetworkAdapter {
  const macAddress = Uint8Array.of(0x02, 0xdd, 0, 0, 0, number);
  if (kind === "cdc-ncm") return new CdcNcmDevice({ macAddress });
  if (kind === "cdc-ecm") return new CdcEcmDevice({ macAddress });
  return new Ax88772Device({ clock, chip: kind, macAddress });
}

/** The network cable of an adapter: what passes is recorded, in both directions. */
export class NetworkCable {
  readonly #jack: EthernetJack;
  readonly #trace: EthernetTraceOptions | null;
  #far: FrameTaker | null = null;
  /** Leads into the adapter: for whoever is at the far end. */
  readonly into: FrameTaker;

  constructor(jack: EthernetJack, trace: EthernetTraceOptions | null) {
    this.#jack = jack;
    this.#trace = trace;
    this.into = trace === null ? jack : withEthernetTrace("in", jack, trace);
  }

  get isIn(): boolean {
    return this.#jack.isConnected;
  }

  /** Leads the cable elsewhere; the link goes and comes. */
  connect(far: FrameTaker): void {
    this.#far = this.#trace === null ? far : withEthernetTrace("out", far, this.#trace);
    this.#jack.plugIn(this.#far);
  }

  pullOut(): void {
    this.#jack.pullOut();
  }

  /** Puts it in again, as it was. */
  plugIn(): void {
    if (this.#far !== null && !this.isIn) this.#jack.plugIn(this.#far);
  }
}

/** A USB rig with network adapters plugged in, cables in them, and their interfaces published. */
export class NetworkRig extends UsbRigDoors {
  readonly adapters: readonly NetworkAdapter[];
  /** By adapter. */
  readonly cables: readonly NetworkCable[];
  /** Interfaces that programs can open, in order of appearance; gone ones stay, closed. */
  readonly interfaces: IOEthernetInterface[] = [];

  constructor(options: NetworkRigOptions) {
    super(new UsbRig({ ...options, describeRequests: networkRequestNames }));
    installNetworkFamily(this.machine);
    this.machine.onRegistered((service) => {
      if (service instanceof IOEthernetInterface) this.interfaces.push(service);
    });
    for (const bundle of options.bundles ?? networkBundles) this.machine.install(bundle);
    const clock = this.machine.scheduler;
    this.adapters =
      options.adapters?.(clock) ??
      (options.devices ?? ["ax88772c"]).map((kind, index) => makeNetworkDevice(kind, clock, index + 1));
    const { timeline } = this;
    this.cables = this.adapters.map(({ jack }, index) => {
      const trace = options.trace === false ? null : { clock, timeline, name: `cable ${index + 1}` };
      return new NetworkCable(jack, trace);
    });
    this.adapters.forEach((adapter, index) => {
      const cable = this.cables[index];
      cable.connect(options.farEnd?.(cable.into) ?? new EchoStation(cable.into));
      this.usb.bus.plugIn(adapter, index + 1);
    });
  }
}
