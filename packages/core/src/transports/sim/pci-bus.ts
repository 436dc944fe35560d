// A simulated PCI Express hierarchy: slots, BAR assignment, dead links, one port per attachment.

import type { Clock, Nanoseconds } from "../../base/clock.ts";
import { ContractViolation, DecodeError } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { microsecond, millisecond } from "../../base/units.ts";
import { decodeBar, isAbsent, PciConfig } from "../../codec/pci/config-space.ts";
import type { PciDevicePort, PciUpstream } from "../../ports/pci-device.ts";
import { formatPciAddress, type PciAddress, type PciHostPort, type PciRange } from "../../ports/pci-host.ts";
import type { SimIommu } from "./iommu.ts";
import { type DeadLinkRead, LinkUpstream, type PciLinkBus, SimPciPort } from "./pci-link.ts";
import { RootPort } from "./root-port.ts";

export interface SimPciBusOptions {
  readonly clock: Clock;
  readonly random: Random;
  readonly iommu: SimIommu;
  /** `bus` (default): latencies of a Thunderbolt link. `none`: no time at all, for speed. */
  readonly timing?: "bus" | "none";
  /** Where memory ranges are placed. Default: as on the Macs of posts.md P14. */
  readonly apertureBase?: number;
  /** How long the system takes to notice that a link died: [least, most]. Default 10 to 100 us. */
  readonly noticeNs?: readonly [number, number];
  /** Stands between each function and the bus on its way up, for each attachment: same type in, same type out. */
  readonly wayUp?: (upstream: PciUpstream) => PciUpstream;
  /** Told what a function says that its driver did against its specification. */
  readonly onMisuse?: (text: string) => void;
}

/** A function that could not be brought up, and why. */
export interface PciEnumerationFailure {
  readonly slot: number;
  readonly reason: string;
}

/** When a link died, and when the system heard of it. */
export interface LinkDeath {
  readonly slot: number;
  readonly requester: string;
  readonly diedNs: Nanoseconds;
  readonly noticedNs: Nanoseconds;
}

interface Slot {
  readonly number: number;
  readonly rootPort: RootPort;
  device: PciDevicePort | null;
  port: SimPciPort | null;
  generation: number;
}

const defaultAperture = 0xa_4000_0000;
/** Each slot's piece of the aperture. */
const slotWindowBytes = 0x1000_0000;
/** From plugging in to a trained link and a finished enumeration. */
const trainNs = 100 * millisecond;

/**
 * Slots count from 1; slot n is bus n behind root port 00:0n.0. `plugIn` trains the link, sizes and assigns the BARs, and
 * gives listeners a fresh port. `unplug` kills the link at once: reads are unreachable, writes vanish, and only some
 * microseconds later the driver's side hears of it.
 */
export class SimPciBus implements PciLinkBus {
  readonly failures: PciEnumerationFailure[] = [];
  readonly deadLinkReads: DeadLinkRead[] = [];
  /** The last ones. */
  readonly deaths: LinkDeath[] = [];
  /** Told of each write to a command register: for provers of teardown order. */
  onCommand: ((requester: string, command: number) => void) | null = null;
  readonly onMisuse: (text: string) => void;
  readonly iommu: SimIommu;
  readonly clock: Clock;
  readonly random: Random;
  readonly timing: "bus" | "none";
  readonly #noticeNs: readonly [number, number];
  readonly #apertureBase: number;
  readonly #wayUp: (upstream: PciUpstream) => PciUpstream;
  readonly #slots = new Map<number, Slot>();
  readonly #listeners: ((port: PciHostPort) => void)[] = [];

  constructor(options: SimPciBusOptions) {
    this.clock = options.clock;
    this.onMisuse = options.onMisuse ?? (() => {});
    this.random = options.random;
    this.iommu = options.iommu;
    this.timing = options.timing ?? "bus";
    this.#noticeNs = options.noticeNs ?? [10 * microsecond, 100 * microsecond];
    this.#apertureBase = options.apertureBase ?? defaultAperture;
    this.#wayUp = options.wayUp ?? ((upstream) => upstream);
  }

  onAttach(listener: (port: PciHostPort) => void): void {
    this.#listeners.push(listener);
  }

  rootPort(slot: number): RootPort {
    return this.#slot(slot).rootPort;
  }

  plugIn(device: PciDevicePort, slotNumber = 1): void {
    const slot = this.#slot(slotNumber);
    if (slot.device !== null) throw new ContractViolation("slot-occupied", `slot ${slotNumber} has a device`);
    slot.device = device;
    const generation = ++slot.generation;
    slot.rootPort.presence(true);
    const delay = this.timing === "none" ? 0 : trainNs + this.random.below(20 * millisecond);
    this.clock.after(
      delay,
      () => {
        if (slot.generation === generation && slot.device !== null) this.#bringUp(slot, slot.device);
      },
      undefined,
    );
  }

  /** Pulls the cable. A slot without a device is ignored. */
  unplug(slotNumber: number): void {
    const slot = this.#slot(slotNumber);
    const { device, port } = slot;
    if (device === null) return;
    slot.device = null;
    slot.port = null;
    slot.generation++;
    slot.rootPort.presence(false);
    slot.rootPort.error(5, slotNumber << 8);
    if (port === null) return;
    const [least, most] = this.#noticeNs;
    const noticeNs = this.random.between(least, most);
    const diedNs = this.clock.nowNs();
    const requester = formatPciAddress(port.address);
    this.deaths.push({ slot: slotNumber, requester, diedNs, noticedNs: diedNs + noticeNs });
    if (this.deaths.length > 1000) this.deaths.shift();
    port.linkDied(noticeNs);
  }

  isOccupied(slotNumber: number): boolean {
    return this.#slot(slotNumber).device !== null;
  }

  /** True while the link of a slot is up and its function enumerated. */
  isUp(slotNumber: number): boolean {
    return this.#slot(slotNumber).port !== null;
  }

  #slot(number: number): Slot {
    if (!Number.isInteger(number) || number < 1 || number > 31)
      throw new RangeError(`slots are numbered 1 to 31, not ${number}`);
    let slot = this.#slots.get(number);
    if (slot === undefined) {
      slot = { number, rootPort: new RootPort(number), device: null, port: null, generation: 0 };
      this.#slots.set(number, slot);
    }
    return slot;
  }

  #bringUp(slot: Slot, device: PciDevicePort): void {
    const address: PciAddress = { bus: slot.number, device: 0, function: 0 };
    const upstream = new LinkUpstream(this, slot.rootPort, formatPciAddress(address));
    device.plug(this.#wayUp(upstream));
    device.reset("power");
    if (isAbsent(device.configRead(0, 4) >>> 0)) {
      this.failures.push({ slot: slot.number, reason: "no function answers" });
      return;
    }
    const base = this.#apertureBase + (slot.number - 1) * slotWindowBytes + 0x100000;
    let ranges: PciRange[];
    try {
      ranges = assignBars(device, base, slotWindowBytes - 0x100000);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.failures.push({ slot: slot.number, reason: error.message });
      return;
    }
    slot.rootPort.setWindow(base, slotWindowBytes - 0x100000);
    const port = new SimPciPort(this, slot.rootPort, device, upstream, address, ranges);
    slot.port = port;
    for (const listener of this.#listeners) listener(port);
  }
}

/**
 * Sizes and places the base address registers of a type 0 function (PCI 3.0 §6.2.5.1). DecodeError for one that cannot
 * be sized, does not fit, does not hold what is written, or overlaps another: such a function is not brought up.
 */
export function assignBars(device: PciDevicePort, base: number, windowBytes: number): PciRange[] {
  const ranges: PciRange[] = [];
  let next = base;
  for (let index = 0; index < 6; index++) {
    const at = PciConfig.bar0 + index * 4;
    device.configWrite(at, 4, 0xffffffff);
    const low = device.configRead(at, 4) >>> 0;
    const isWide = (low & 7) === 4 && index < 5;
    let high = 0;
    if (isWide) {
      device.configWrite(at + 4, 4, 0xffffffff);
      high = device.configRead(at + 4, 4) >>> 0;
    }
    const shape = decodeBar(index, low, high);
    if (shape === null) continue;
    const { lengthBytes } = shape;
    const isIo = shape.kind === "io";
    // I/O space and 32-bit ranges are reached through the bridge's own window, whose bus addresses are short ones.
    const address = Math.ceil(next / Math.max(lengthBytes, 0x1000)) * Math.max(lengthBytes, 0x1000);
    if (address + lengthBytes > base + windowBytes)
      throw new DecodeError("PCI BAR", at, `${lengthBytes} bytes do not fit the slot's window`);
    next = address + lengthBytes;
    device.configWrite(at, 4, address >>> 0);
    if (isWide) device.configWrite(at + 4, 4, Math.floor(address / 4294967296));
    const mask = isIo ? 0xfffffffc : 0xfffffff0;
    const held = (device.configRead(at, 4) & mask) >>> 0;
    const heldHigh = isWide ? device.configRead(at + 4, 4) >>> 0 : 0;
    const wanted = (address & mask) >>> 0;
    if (held !== wanted || (isWide && heldHigh !== Math.floor(address / 4294967296))) {
      const other = ranges.some((range) => range.address % 4294967296 === held);
      throw new DecodeError(
        "PCI BAR",
        at,
        other ? "overlaps another range and cannot be moved" : "does not hold its address",
      );
    }
    const { kind, isPrefetchable } = shape;
    ranges.push({ barIndex: index, kind, isPrefetchable, address, lengthBytes });
    if (isWide) index++;
  }
  return ranges;
}
