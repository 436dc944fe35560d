// A simulated USB bus: connectors, hot plug at any instant, one port object per attachment.

import type { Clock } from "../../base/clock.ts";
import { ContractViolation } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { millisecond } from "../../base/units.ts";
import type { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import type { UsbDevicePort } from "../../ports/usb-device.ts";
import type { UsbHostClient, UsbHostPort, UsbPackets, UsbSubmit } from "../../ports/usb-host.ts";
import { carrierSlots, type SharedWire, UsbCarrier } from "./usb-carrier.ts";

export interface SimUsbBusOptions {
  readonly clock: Clock;
  readonly random: Random;
  /** `bus` (default): real rates and latencies. `none`: no wire time, for speed tests. */
  readonly timing?: "bus" | "none";
  /** Number of this bus, the top byte of a locationID. Default 0. */
  readonly busNumber?: number;
  /** Told what a device says that its driver did against its specification. */
  readonly onMisuse?: (text: string) => void;
}

/** Debounce and reset of a real port take about this long (USB 2.0 §7.1.7.3: 100 ms debounce, 10 ms reset). */
const debounceNs = 100 * millisecond;
const resetNs = 10 * millisecond;

interface Connector {
  readonly number: number;
  device: UsbDevicePort | null;
  carrier: UsbCarrier | null;
  /** Counts attachments, so that a debounce that was overtaken does nothing. */
  generation: number;
}

/**
 * Connectors are numbered from 1. `plugIn` is the hand that pushes the cable in; after debounce and reset the
 * listeners get a fresh `UsbHostPort`. `unplug` works at any instant, also before that.
 */
export class SimUsbBus {
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #timing: "bus" | "none";
  readonly #busNumber: number;
  readonly #wire: SharedWire = { busyUntilNs: 0 };
  readonly #connectors = new Map<number, Connector>();
  readonly #listeners: ((port: UsbHostPort) => void)[] = [];
  readonly #onMisuse: (text: string) => void;

  constructor(options: SimUsbBusOptions) {
    this.#onMisuse = options.onMisuse ?? (() => {});
    this.#clock = options.clock;
    this.#random = options.random;
    this.#timing = options.timing ?? "bus";
    this.#busNumber = options.busNumber ?? 0;
  }

  /** Told of every attachment, with a port that nobody has connected to yet. */
  onAttach(listener: (port: UsbHostPort) => void): void {
    this.#listeners.push(listener);
  }

  /** Connects `device` to a connector (default: the first free one) and answers its number. */
  plugIn(device: UsbDevicePort, connectorNumber = this.#firstFree()): number {
    const connector = this.#connector(connectorNumber);
    if (connector.device !== null) {
      throw new ContractViolation("connector-occupied", `connector ${connectorNumber} has a device`);
    }
    connector.device = device;
    this.#attach(connector, debounceNs + resetNs);
    return connectorNumber;
  }

  /** Pulls the cable. A connector without a device is ignored. */
  unplug(connectorNumber: number): void {
    const connector = this.#connector(connectorNumber);
    connector.device = null;
    connector.generation++;
    const { carrier } = connector;
    connector.carrier = null;
    carrier?.unplug();
  }

  /** True while a device is in the connector, attached or still debouncing. */
  isOccupied(connectorNumber: number): boolean {
    return this.#connector(connectorNumber).device !== null;
  }

  #connector(number: number): Connector {
    let connector = this.#connectors.get(number);
    if (connector === undefined) {
      connector = { number, device: null, carrier: null, generation: 0 };
      this.#connectors.set(number, connector);
    }
    return connector;
  }

  #firstFree(): number {
    let number = 1;
    while (this.#connectors.get(number)?.device) number++;
    return number;
  }

  #attach(connector: Connector, baseDelayNs: number): void {
    const generation = ++connector.generation;
    const delay = this.#timing === "none" ? 0 : baseDelayNs + this.#random.below(20 * millisecond);
    this.#clock.after(
      delay,
      () => {
        const { device } = connector;
        if (device === null || connector.generation !== generation) return;
        const carrier = new UsbCarrier(device, {
          clock: this.#clock,
          random: this.#random,
          wire: this.#wire,
          timing: this.#timing,
          onReconnect: () => this.#reattach(connector),
          onMisuse: this.#onMisuse,
        });
        connector.carrier = carrier;
        device.plug(carrier);
        device.reset();
        const port = new SimUsbPort(carrier, this.#locationOf(connector), () => this.#reattach(connector));
        for (const listener of this.#listeners) listener(port);
      },
      undefined,
    );
  }

  /** A reset by the host, or the device's own wish: the old attachment ends, a new one follows, the power stays on. */
  #reattach(connector: Connector): void {
    const { carrier, device } = connector;
    if (carrier === null || device === null) return;
    connector.carrier = null;
    carrier.leave();
    this.#attach(connector, resetNs);
  }

  #locationOf(connector: Connector): number {
    return this.#busNumber * 0x1000000 + (connector.number & 0xf) * 0x100000;
  }
}

/** One attachment as the driver's side sees it. */
class SimUsbPort implements UsbHostPort {
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly slotCount = carrierSlots;
  readonly #carrier: UsbCarrier;
  readonly #onReset: () => void;

  constructor(carrier: UsbCarrier, locationId: number, onReset: () => void) {
    this.#carrier = carrier;
    this.speed = carrier.device.speed;
    this.locationId = locationId;
    this.#onReset = onReset;
  }

  connect(client: UsbHostClient): void {
    this.#carrier.connect(client);
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    return this.#carrier.control(slot, setup, buffer, offset);
  }

  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    return this.#carrier.transfer(slot, endpoint, buffer, offset, length, stream);
  }

  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    return this.#carrier.isochronous(slot, endpoint, buffer, offset, packets);
  }

  cancel(slot: number): void {
    this.#carrier.cancel(slot);
  }

  clearHalt(endpoint: number): void {
    this.#carrier.clearHalt(endpoint);
  }

  reset(): void {
    if (!this.#carrier.isGone) this.#onReset();
  }
}
