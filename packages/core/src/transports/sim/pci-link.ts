// One attachment on the simulated PCI bus: the driver's port, the function's way up, and what a dead link does to both.

import type { Clock, Nanoseconds } from "../../base/clock.ts";
import { ContractViolation } from "../../base/errors.ts";
import type { Random } from "../../base/random.ts";
import { millisecond } from "../../base/units.ts";
import { allOnes, extendedConfigBytes, PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
import type { DmaPort } from "../../ports/dma.ts";
import type { PciDevicePort, PciUpstream } from "../../ports/pci-device.ts";
import {
  isPciAccess,
  type PciAddress,
  type PciHostClient,
  type PciHostPort,
  type PciMessage,
  type PciRange,
  PciStatus,
  PciSubmit,
} from "../../ports/pci-host.ts";
import type { SimIommu } from "./iommu.ts";
import type { RootPort } from "./root-port.ts";

/** Where messages go: below the IOMMU's window, a page of its own. */
const messageBase = 0x3f00_0000;
const messageBytes = 0x1000;
/** Messages that the host's interrupt controller has for one function. */
const messageMaximum = 64;
const slotMaximum = 64;
/** One way over the link. */
const linkLeastNs = 150;
const linkSpreadNs = 300;
const completionTimeoutNs = 50 * millisecond;

const Operation = { configRead: 0, configWrite: 1, memoryRead: 2, memoryWrite: 3 } as const;
type Operation = (typeof Operation)[keyof typeof Operation];

/** An access on its way down; used again. */
interface Access {
  operation: Operation;
  slot: number;
  range: number;
  offset: number;
  sizeBytes: number;
  low: number;
  high: number;
}

/** A read that found the link dead (posts.md F02). */
export interface DeadLinkRead {
  readonly timeNs: Nanoseconds;
  readonly linkDiedNs: Nanoseconds;
  readonly address: number;
  readonly barIndex: number;
  readonly offset: number;
}

/** The bus, as its links see it. */
export interface PciLinkBus {
  readonly clock: Clock;
  readonly random: Random;
  readonly iommu: SimIommu;
  readonly timing: "bus" | "none";
  /** The newest reads of a link that was dead. */
  readonly deadLinkReads: DeadLinkRead[];
  /** Told of each write to a function's command register. */
  readonly onCommand: ((requester: string, command: number) => void) | null;
  readonly onMisuse: (text: string) => void;
}

/** What the function may do. Bus master and the link's life are checked here, mappings by the IOMMU. */
export class LinkUpstream implements PciUpstream {
  readonly requester: string;
  isBusMaster = false;
  isDead = false;
  isLineRaised = false;
  port: SimPciPort | null = null;
  readonly #bus: PciLinkBus;
  readonly #rootPort: RootPort;

  constructor(bus: PciLinkBus, rootPort: RootPort, requester: string) {
    this.#bus = bus;
    this.#rootPort = rootPort;
    this.requester = requester;
  }

  /** See PciUpstream.misused. */
  misused(text: string): void {
    this.#bus.onMisuse(text);
  }

  read(address: number, into: Uint8Array, offset: number, lengthBytes: number): boolean {
    if (this.isDead || !this.isBusMaster) {
      this.#refuse(address, lengthBytes, false);
      into.fill(0xff, offset, offset + lengthBytes);
      return false;
    }
    return this.#bus.iommu.read(this.requester, address, into, offset, lengthBytes);
  }

  write(address: number, from: Uint8Array, offset: number, lengthBytes: number): void {
    if (this.isDead || !this.isBusMaster) this.#refuse(address, lengthBytes, true);
    else this.#bus.iommu.write(this.requester, address, from, offset, lengthBytes);
  }

  writeAs(
    functionNumber: number,
    address: number,
    from: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): void {
    const requester = this.requester.replace(/\d$/, String(functionNumber));
    if (this.isDead || !this.isBusMaster) this.#refuse(address, lengthBytes, true);
    else this.#bus.iommu.write(requester, address, from, offset, lengthBytes);
  }

  message(address: number, data: number): void {
    if (this.isDead || !this.isBusMaster) {
      this.#refuse(address, 4, true);
      return;
    }
    if (address >= messageBase && address < messageBase + messageBytes) this.port?.messageArrived(data);
    else {
      const bytes = new Uint8Array([data, data >>> 8, data >>> 16, data >>> 24]);
      this.#bus.iommu.write(this.requester, address, bytes, 0, 4);
    }
  }

  setLine(isRaised: boolean): void {
    if (this.isDead || isRaised === this.isLineRaised) return;
    this.isLineRaised = isRaised;
    this.port?.lineChanged(isRaised);
  }

  reportError(bit: number): void {
    if (!this.isDead) this.#rootPort.error(bit, Number.parseInt(this.requester, 16) << 8);
  }

  #refuse(address: number, lengthBytes: number, isWrite: boolean): void {
    const reason = this.isDead ? "unplugged" : "bus master off";
    this.#bus.iommu.refuse(this.requester, address, lengthBytes, isWrite, reason);
  }
}

/** The driver's side. Accesses travel in order; what has not arrived when the link dies never does. */
export class SimPciPort implements PciHostPort {
  readonly address: PciAddress;
  readonly ranges: readonly PciRange[];
  readonly dma: DmaPort;
  readonly slotCount = slotMaximum;
  readonly #bus: PciLinkBus;
  readonly #rootPort: RootPort;
  readonly #device: PciDevicePort;
  readonly #upstream: LinkUpstream;
  readonly #isBusy = new Uint8Array(slotMaximum);
  /** On their way; the records are used again in place. */
  #queue: Access[] = [];
  #queued = 0;
  /** The other queue: while one arrives, the next accesses go into the other. */
  #spare: Access[] = [];
  #isScheduled = false;
  #client: PciHostClient | null = null;
  #messages: readonly PciMessage[] | null = null;
  #isMemoryOn = false;
  #isIoOn = false;
  #diedNs: Nanoseconds | null = null;
  #isDetached = false;
  #isNoticed = false;
  #pendingReads = 0;

  constructor(
    bus: PciLinkBus,
    rootPort: RootPort,
    device: PciDevicePort,
    upstream: LinkUpstream,
    address: PciAddress,
    ranges: readonly PciRange[],
  ) {
    this.#bus = bus;
    this.#rootPort = rootPort;
    this.#device = device;
    this.#upstream = upstream;
    this.address = address;
    this.ranges = ranges;
    this.dma = bus.iommu.portFor(upstream.requester);
    upstream.port = this;
  }

  connect(client: PciHostClient): void {
    if (this.#client !== null) throw new ContractViolation("connected-twice", "a PCI port has one client");
    this.#client = client;
    if (this.#isNoticed) this.#bus.clock.after(0, this.#tellDetached, undefined);
  }

  configRead(slot: number, offset: number, sizeBytes: number): PciSubmit {
    if (this.#isDetached) return PciSubmit.gone;
    if (sizeBytes === 8 || !this.#mayRead(slot) || !isPciAccess(offset, sizeBytes, extendedConfigBytes))
      return PciSubmit.badRequest;
    this.#beginRead(slot);
    this.#submit(Operation.configRead, slot, 0, offset, sizeBytes, 0, 0);
    return PciSubmit.accepted;
  }

  configWrite(offset: number, sizeBytes: number, value: number): void {
    if (sizeBytes === 8 || !isPciAccess(offset, sizeBytes, extendedConfigBytes)) return;
    this.#submit(Operation.configWrite, 0, 0, offset, sizeBytes, value >>> 0, 0);
  }

  memoryRead(slot: number, range: number, offset: number, sizeBytes: number): PciSubmit {
    if (this.#isDetached) return PciSubmit.gone;
    const known = this.ranges[range];
    if (known === undefined || !this.#mayRead(slot) || !isPciAccess(offset, sizeBytes, known.lengthBytes))
      return PciSubmit.badRequest;
    this.#beginRead(slot);
    this.#submit(Operation.memoryRead, slot, range, offset, sizeBytes, 0, 0);
    return PciSubmit.accepted;
  }

  memoryWrite(range: number, offset: number, sizeBytes: number, low: number, high: number): void {
    const known = this.ranges[range];
    if (known === undefined || !isPciAccess(offset, sizeBytes, known.lengthBytes)) return;
    this.#submit(Operation.memoryWrite, 0, range, offset, sizeBytes, low >>> 0, high >>> 0);
  }

  messages(count: number): readonly PciMessage[] {
    this.#messages ??= Array.from({ length: Math.min(count, messageMaximum) }, (_, vector) => ({
      address: messageBase,
      data: vector,
    }));
    return this.#messages;
  }

  reset(): void {
    if (this.#diedNs !== null) return;
    this.#device.reset("function");
    this.#upstream.isBusMaster = false;
    this.#isMemoryOn = false;
    this.#isIoOn = false;
    // FLR clears the base address registers; whoever resets restores them (PCI Express 3.0 §6.6.2).
    for (const range of this.ranges) {
      const at = PciConfig.bar0 + range.barIndex * 4;
      this.#device.configWrite(at, 4, range.address >>> 0);
      if (range.kind === "memory64")
        this.#device.configWrite(at + 4, 4, Math.floor(range.address / 4294967296));
    }
  }

  /** The bus's word: nothing passes any more; in `noticeNs` the system will know. */
  linkDied(noticeNs: number): void {
    this.#diedNs = this.#bus.clock.nowNs();
    this.#upstream.isDead = true;
    this.#device.unplugged();
    this.#bus.clock.after(
      noticeNs,
      () => {
        this.#isNoticed = true;
        this.#tellDetached();
      },
      undefined,
    );
  }

  messageArrived(vector: number): void {
    if (this.#messages !== null && vector < this.#messages.length) this.#client?.message(vector);
  }

  lineChanged(isRaised: boolean): void {
    this.#client?.line(isRaised);
  }

  readonly #tellDetached = (): void => {
    if (!this.#isNoticed || this.#isDetached || this.#client === null || this.#pendingReads > 0) return;
    this.#isDetached = true;
    this.#client.detached();
  };

  #mayRead(slot: number): boolean {
    return Number.isInteger(slot) && slot >= 0 && slot < slotMaximum && this.#isBusy[slot] === 0;
  }

  #beginRead(slot: number): void {
    this.#isBusy[slot] = 1;
    this.#pendingReads++;
  }

  #submit(
    operation: Operation,
    slot: number,
    range: number,
    offset: number,
    sizeBytes: number,
    low: number,
    high: number,
  ): void {
    if (this.#queued === this.#queue.length)
      this.#queue.push({ operation, slot, range, offset, sizeBytes, low, high });
    const access = this.#queue[this.#queued++];
    access.operation = operation;
    access.slot = slot;
    access.range = range;
    access.offset = offset;
    access.sizeBytes = sizeBytes;
    access.low = low;
    access.high = high;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    const latency = this.#bus.timing === "none" ? 0 : linkLeastNs + this.#bus.random.below(linkSpreadNs);
    this.#bus.clock.after(latency, arrive, this as SimPciPort);
  }

  /** Everything on its way arrives, in order. Called by the clock. */
  arrive(): void {
    const queue = this.#queue;
    const count = this.#queued;
    this.#queue = this.#spare;
    this.#queued = 0;
    this.#spare = queue;
    this.#isScheduled = false;
    for (let at = 0; at < count; at++) this.#perform(queue[at]);
  }

  #perform(access: Access): void {
    const { operation, slot, range, offset, sizeBytes } = access;
    if (this.#diedNs !== null) {
      if (operation === Operation.memoryRead) this.#deadRead(range, offset);
      if (operation === Operation.configRead || operation === Operation.memoryRead)
        this.#complete(slot, PciStatus.unreachable, sizeBytes, 0, 0);
      return;
    }
    switch (operation) {
      case Operation.configRead:
        this.#complete(slot, PciStatus.ok, sizeBytes, this.#device.configRead(offset, sizeBytes) >>> 0, 0);
        return;
      case Operation.configWrite:
        this.#device.configWrite(offset, sizeBytes, access.low);
        if (offset <= PciConfig.command && offset + sizeBytes > PciConfig.command) this.#noteCommand();
        return;
      case Operation.memoryRead:
        this.#read(slot, range, offset, sizeBytes);
        return;
      case Operation.memoryWrite:
        if (!this.#isDecoded(range)) {
          this.#upstream.reportError(20);
          return;
        }
        this.#device.memoryWrite(this.ranges[range].barIndex, offset, Math.min(sizeBytes, 4), access.low);
        if (sizeBytes === 8)
          this.#device.memoryWrite(this.ranges[range].barIndex, offset + 4, 4, access.high);
        return;
    }
  }

  #read(slot: number, range: number, offset: number, sizeBytes: number): void {
    const { barIndex } = this.ranges[range];
    if (!this.#isDecoded(range)) {
      this.#upstream.reportError(20);
      this.#complete(slot, PciStatus.unsupported, sizeBytes, 0, 0);
      return;
    }
    const low = this.#device.memoryRead(barIndex, offset, Math.min(sizeBytes, 4));
    const high = sizeBytes === 8 ? this.#device.memoryRead(barIndex, offset + 4, 4) : 0;
    if (low !== null && high !== null) {
      this.#complete(slot, PciStatus.ok, sizeBytes, low >>> 0, high >>> 0);
      return;
    }
    this.#bus.clock.after(
      completionTimeoutNs,
      () => {
        this.#rootPort.error(14, this.address.bus << 8);
        this.#complete(slot, PciStatus.timeout, sizeBytes, 0, 0);
      },
      undefined,
    );
  }

  #complete(slot: number, status: PciStatus, sizeBytes: number, low: number, high: number): void {
    this.#isBusy[slot] = 0;
    this.#pendingReads--;
    const isGood = status === PciStatus.ok;
    const ones = allOnes(Math.min(sizeBytes, 4));
    this.#client?.readCompleted(
      slot,
      status,
      isGood ? low : ones,
      isGood ? high : sizeBytes === 8 ? 0xffffffff : 0,
    );
    if (this.#isNoticed) this.#tellDetached();
  }

  #deadRead(range: number, offset: number): void {
    const { barIndex, address } = this.ranges[range];
    this.#bus.deadLinkReads.push({
      timeNs: this.#bus.clock.nowNs(),
      linkDiedNs: this.#diedNs ?? 0,
      address: address + offset,
      barIndex,
      offset,
    });
    if (this.#bus.deadLinkReads.length > 1000) this.#bus.deadLinkReads.shift();
  }

  /** Memory space and I/O space have a bit each in the command register (PCI 3.0 §6.2.2). */
  #isDecoded(range: number): boolean {
    return this.ranges[range].kind === "io" ? this.#isIoOn : this.#isMemoryOn;
  }

  #noteCommand(): void {
    const command = this.#device.configRead(PciConfig.command, 2);
    this.#isIoOn = (command & PciCommand.ioSpace) !== 0;
    this.#isMemoryOn = (command & PciCommand.memorySpace) !== 0;
    this.#upstream.isBusMaster = (command & PciCommand.busMaster) !== 0;
    this.#bus.onCommand?.(this.#upstream.requester, command);
  }
}

function arrive(port: SimPciPort): void {
  port.arrive();
}
