// Faults by access on a PCI function: its registers at the port, its DMA and interrupts on its way up.

import type { Clock } from "../base/clock.ts";
import { hex } from "../base/text.ts";
import { millisecond } from "../base/units.ts";
import { allOnes, extendedConfigBytes } from "../codec/pci/config-space.ts";
import type { DmaPort } from "../ports/dma.ts";
import type { PciUpstream } from "../ports/pci-device.ts";
import {
  isPciAccess,
  type PciAddress,
  type PciHostClient,
  type PciHostPort,
  type PciMessage,
  type PciRange,
  PciStatus,
  PciSubmit,
} from "../ports/pci-host.ts";
import {
  type AccessFault,
  type AccessFaults,
  defaultAccessDelayNs,
  flipBit,
  flippedValue,
  placeOf,
} from "./access-faults.ts";

/** When a requester gives a read up that nobody answers. */
const completionTimeoutNs = 50 * millisecond;

/**
 * Registers. Lost: a write vanishes, a read ends as a completion timeout. Late: the link stands still, and what comes behind
 * waits in its order. Wrong: one bit. Doubled: the function sees it twice. Same type in, same type out.
 */
export function withPciAccessFaults(port: PciHostPort, faults: AccessFaults, clock: Clock): PciHostPort {
  return new FaultyPciPort(port, faults, clock);
}

class FaultyPciPort implements PciHostPort, PciHostClient {
  readonly address: PciAddress;
  readonly ranges: readonly PciRange[];
  readonly dma: DmaPort;
  /** The last slot is ours, for reads that come twice. */
  readonly slotCount: number;
  readonly #port: PciHostPort;
  readonly #faults: AccessFaults;
  readonly #clock: Clock;
  readonly #sizes: Uint8Array;
  readonly #wrong: (AccessFault | null)[];
  /** What waits for a link that stands still; null: it does not. */
  #waiting: (() => void)[] | null = null;
  /** Reads that will never be answered. */
  readonly #lost = new Set<number>();
  #client: PciHostClient | null = null;
  #isDetached = false;

  constructor(port: PciHostPort, faults: AccessFaults, clock: Clock) {
    this.#port = port;
    this.#faults = faults;
    this.#clock = clock;
    this.address = port.address;
    this.ranges = port.ranges;
    this.dma = port.dma;
    this.slotCount = port.slotCount - 1;
    this.#sizes = new Uint8Array(this.slotCount);
    this.#wrong = new Array<AccessFault | null>(this.slotCount).fill(null);
  }

  connect(client: PciHostClient): void {
    this.#client = client;
    this.#port.connect(this);
  }

  configRead(slot: number, offset: number, sizeBytes: number): PciSubmit {
    if (sizeBytes === 8 || !isPciAccess(offset, sizeBytes, extendedConfigBytes)) return PciSubmit.badRequest;
    return this.#read("config-read", slot, -1, offset, sizeBytes);
  }

  memoryRead(slot: number, range: number, offset: number, sizeBytes: number): PciSubmit {
    const known = this.ranges[range];
    if (known === undefined || !isPciAccess(offset, sizeBytes, known.lengthBytes))
      return PciSubmit.badRequest;
    return this.#read("register-read", slot, range, offset, sizeBytes);
  }

  configWrite(offset: number, sizeBytes: number, value: number): void {
    this.#write("config-write", -1, offset, sizeBytes, value >>> 0, 0);
  }

  memoryWrite(range: number, offset: number, sizeBytes: number, low: number, high: number): void {
    this.#write("register-write", range, offset, sizeBytes, low >>> 0, high >>> 0);
  }

  messages(count: number): readonly PciMessage[] {
    return this.#port.messages(count);
  }

  reset(): void {
    this.#inOrder(() => this.#port.reset());
  }

  // What the port tells.

  readCompleted(slot: number, status: PciStatus, low: number, high: number): void {
    if (slot === this.slotCount) return;
    const fault = this.#wrong[slot];
    this.#wrong[slot] = null;
    if (fault === null || status !== PciStatus.ok) this.#complete(slot, status, low, high);
    else {
      const [wrongLow, wrongHigh] = flippedValue(low, high, this.#sizes[slot], fault);
      this.#complete(slot, status, wrongLow, wrongHigh);
    }
  }

  message(vector: number): void {
    this.#client?.message(vector);
  }

  line(isRaised: boolean): void {
    this.#client?.line(isRaised);
  }

  detached(): void {
    // Accepted reads complete before (ports/pci-host.ts).
    this.#isDetached = true;
    this.#release();
    for (const slot of [...this.#lost]) this.#giveUp(slot, PciStatus.unreachable);
    this.#client?.detached();
  }

  #read(
    access: "config-read" | "register-read",
    slot: number,
    range: number,
    offset: number,
    sizeBytes: number,
  ): PciSubmit {
    if (this.#isDetached) return PciSubmit.gone;
    if (!(slot >= 0 && slot < this.slotCount) || this.#sizes[slot] !== 0) return PciSubmit.badRequest;
    const fault = this.#faults.next(access, () => placeOf(range, offset), sizeBytes);
    const submit = (into: number): PciSubmit =>
      range < 0
        ? this.#port.configRead(into, offset, sizeBytes)
        : this.#port.memoryRead(into, range, offset, sizeBytes);
    if (fault !== null) this.#faults.strike(fault);
    this.#sizes[slot] = sizeBytes;
    if (fault?.fault === "lost") {
      this.#lost.add(slot);
      this.#clock.after(completionTimeoutNs, () => this.#giveUp(slot, PciStatus.timeout), undefined);
      return PciSubmit.accepted;
    }
    if (fault?.fault === "late") this.#standStill(fault);
    if (fault?.fault === "wrong") this.#wrong[slot] = fault;
    if (fault?.fault === "doubled") this.#inOrder(() => void submit(this.slotCount));
    if (this.#waiting === null) {
      const submitted = submit(slot);
      if (submitted !== PciSubmit.accepted) this.#sizes[slot] = 0;
      return submitted;
    }
    this.#waiting.push(() => {
      if (submit(slot) === PciSubmit.accepted) return;
      this.#lost.add(slot);
      this.#clock.after(0, () => this.#giveUp(slot, PciStatus.unreachable), undefined);
    });
    return PciSubmit.accepted;
  }

  #write(
    access: "config-write" | "register-write",
    range: number,
    offset: number,
    sizeBytes: number,
    low: number,
    high: number,
  ): void {
    const fault = this.#faults.next(access, () => placeOf(range, offset), sizeBytes);
    if (fault !== null) this.#faults.strike(fault);
    if (fault?.fault === "lost") return;
    if (fault?.fault === "late") this.#standStill(fault);
    const [toLow, toHigh] =
      fault?.fault === "wrong" ? flippedValue(low, high, sizeBytes, fault) : [low, high];
    const write = (): void => {
      if (range < 0) this.#port.configWrite(offset, sizeBytes, toLow);
      else this.#port.memoryWrite(range, offset, sizeBytes, toLow, toHigh);
    };
    this.#inOrder(write);
    if (fault?.fault === "doubled") this.#inOrder(write);
  }

  #inOrder(act: () => void): void {
    if (this.#waiting === null) act();
    else this.#waiting.push(act);
  }

  #standStill({ delayNs = defaultAccessDelayNs }: AccessFault): void {
    this.#waiting ??= [];
    this.#clock.after(delayNs, () => this.#release(), undefined);
  }

  #release(): void {
    const waiting = this.#waiting ?? [];
    this.#waiting = null;
    for (const act of waiting) act();
  }

  #giveUp(slot: number, status: PciStatus): void {
    if (!this.#lost.delete(slot)) return;
    const size = this.#sizes[slot];
    this.#complete(slot, status, allOnes(Math.min(size, 4)), size === 8 ? 0xffffffff : 0);
  }

  #complete(slot: number, status: PciStatus, low: number, high: number): void {
    this.#sizes[slot] = 0;
    this.#client?.readCompleted(slot, status, low, high);
  }
}

/** Reads of the device's that are remembered, so that one can be answered with what lay there before. */
const rememberedReads = 4096;

/**
 * DMA and interrupts. DMA lost: a read is refused, a write vanishes. Late: a read sees what lay there at its last look, a write
 * arrives afterwards. Wrong: one bit. Doubled: a write arrives a second time, later. Interrupts: none, afterwards, another's, two.
 */
export function withUpstreamFaults(upstream: PciUpstream, faults: AccessFaults, clock: Clock): PciUpstream {
  return new FaultyUpstream(upstream, faults, clock);
}

class FaultyUpstream implements PciUpstream {
  readonly #upstream: PciUpstream;
  readonly #faults: AccessFaults;
  readonly #clock: Clock;
  readonly #seen: Map<string, Uint8Array> | null;
  #isLineRaised = false;
  /** What a raised line came to be. */
  #lineFault: AccessFault | null = null;

  constructor(upstream: PciUpstream, faults: AccessFaults, clock: Clock) {
    this.#upstream = upstream;
    this.#faults = faults;
    this.#clock = clock;
    const isStale = faults.faults.some(({ access, fault }) => access === "dma-read" && fault === "late");
    this.#seen = isStale ? new Map() : null;
  }

  misused(text: string): void {
    this.#upstream.misused?.(text);
  }

  read(address: number, into: Uint8Array, offset: number, lengthBytes: number): boolean {
    const fault = this.#faults.next("dma-read", () => dmaPlace(address, lengthBytes), lengthBytes);
    if (fault !== null) this.#faults.strike(fault);
    if (fault?.fault === "lost") {
      into.fill(0xff, offset, offset + lengthBytes);
      return false;
    }
    const isRead = this.#upstream.read(address, into, offset, lengthBytes);
    if (fault?.fault === "doubled") this.#upstream.read(address, into, offset, lengthBytes);
    if (!isRead) return false;
    if (fault?.fault === "wrong") flipBit(into, offset, lengthBytes, fault);
    if (this.#seen !== null) this.#look(this.#seen, address, into, offset, lengthBytes, fault);
    return true;
  }

  write(address: number, from: Uint8Array, offset: number, lengthBytes: number): void {
    this.#write(from, offset, lengthBytes, address, (bytes, at) =>
      this.#upstream.write(address, bytes, at, lengthBytes),
    );
  }

  writeAs(
    functionNumber: number,
    address: number,
    from: Uint8Array,
    offset: number,
    lengthBytes: number,
  ): void {
    this.#write(from, offset, lengthBytes, address, (bytes, at) =>
      this.#upstream.writeAs?.(functionNumber, address, bytes, at, lengthBytes),
    );
  }

  message(address: number, data: number): void {
    const fault = this.#interrupt(() => `message ${data}`);
    if (fault?.fault === "lost") return;
    if (fault?.fault === "late") this.#later(fault, () => this.#upstream.message(address, data));
    else this.#upstream.message(address, fault?.fault === "wrong" ? data ^ 1 : data);
    if (fault?.fault === "doubled") this.#upstream.message(address, data);
  }

  setLine(isRaised: boolean): void {
    if (isRaised === this.#isLineRaised) {
      if (this.#lineFault === null) this.#upstream.setLine(isRaised);
      return;
    }
    this.#isLineRaised = isRaised;
    const fault = isRaised ? this.#interrupt(() => "line") : null;
    this.#lineFault = fault?.fault === "doubled" ? null : fault;
    if (!isRaised || fault === null) this.#upstream.setLine(isRaised);
    else if (fault.fault === "doubled") {
      for (const level of [true, false, true]) this.#upstream.setLine(level);
    } else if (fault.fault === "late")
      this.#later(fault, () => {
        if (this.#lineFault === fault) this.#lineFault = null;
        if (this.#isLineRaised) this.#upstream.setLine(true);
      });
  }

  reportError(bit: number): void {
    this.#upstream.reportError(bit);
  }

  #write(
    from: Uint8Array,
    offset: number,
    lengthBytes: number,
    address: number,
    write: (bytes: Uint8Array, at: number) => void,
  ): void {
    const fault = this.#faults.next("dma-write", () => dmaPlace(address, lengthBytes), lengthBytes);
    if (fault === null) {
      write(from, offset);
      return;
    }
    this.#faults.strike(fault);
    const copy = from.slice(offset, offset + lengthBytes);
    if (fault.fault === "wrong") {
      flipBit(copy, 0, lengthBytes, fault);
      write(copy, 0);
    }
    if (fault.fault === "doubled") write(from, offset);
    if (fault.fault === "late" || fault.fault === "doubled") this.#later(fault, () => write(copy, 0));
  }

  /** What the device is told is what it was told at its last look, or nothing. */
  #look(
    seen: Map<string, Uint8Array>,
    address: number,
    into: Uint8Array,
    offset: number,
    lengthBytes: number,
    fault: AccessFault | null,
  ): void {
    const key = `${address}:${lengthBytes}`;
    const before = seen.get(key);
    if (seen.size < rememberedReads) seen.set(key, into.slice(offset, offset + lengthBytes));
    if (fault?.fault !== "late") return;
    if (before === undefined) into.fill(0, offset, offset + lengthBytes);
    else into.set(before, offset);
  }

  #interrupt(where: () => string): AccessFault | null {
    const fault = this.#faults.next("interrupt", where, 4);
    if (fault !== null) this.#faults.strike(fault);
    return fault;
  }

  #later({ delayNs = defaultAccessDelayNs }: AccessFault, act: () => void): void {
    this.#clock.after(delayNs, act, undefined);
  }
}

const dmaPlace = (address: number, lengthBytes: number): string => `0x${hex(address)}, ${lengthBytes} bytes`;
