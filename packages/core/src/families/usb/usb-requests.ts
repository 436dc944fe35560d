// Every transfer under way on one device: slots, owners, timeouts, and how results become IOReturns.

import type { TimerHandle } from "../../base/clock.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond } from "../../base/units.ts";
import {
  type UsbHostClient,
  type UsbHostPort,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import type { IOService } from "../../runtime/service.ts";

/** Who is told about a finished transfer: an OSAction, a blocked call, a bundle. Never called inside a submission. */
export interface UsbReceiver {
  usbCompleted(tag: number, status: IOReturn, actualBytes: number): void;
}

/** An isochronous transfer whose first frame lies ahead. */
interface TransferAhead {
  readonly call: string;
  readonly owner: IOService | null;
  readonly endpoint: number;
  readonly buffer: Uint8Array;
  readonly packets: UsbPackets;
  /** Gives it to the port; 0: it goes right behind the one before. */
  readonly timer: TimerHandle;
}

/** What a transfer was for, so that it can be aborted by endpoint or by client. */
const defaultEndpoint = 0;

/**
 * The kernel's bookkeeping between the family's objects and a `UsbHostPort`. Nothing here allocates per transfer:
 * a slot's fields live in arrays, and a timer exists only when a timeout was asked for.
 */
export class UsbRequests implements UsbHostClient {
  readonly port: UsbHostPort;
  readonly #scheduler: Scheduler;
  readonly #onDetached: () => void;
  /** Slots that were used and are free again; those from `#receivers.length` on were never used. */
  readonly #free: number[] = [];
  readonly #receivers: (UsbReceiver | null)[] = [];
  readonly #owners: (IOService | null)[] = [];
  readonly #tags: number[] = [];
  readonly #endpoints: number[] = [];
  readonly #timers: TimerHandle[] = [];
  /** What a cancelled slot reports: the abort's error, or kIOReturnTimeout. */
  readonly #cancelCodes: IOReturn[] = [];
  /** By slot, in the order of their frames: isochronous transfers that the port has not been given yet. */
  readonly #ahead = new Map<number, TransferAhead>();
  #isGone = false;
  /** The call that is submitting right now, for traces. */
  #call = "";
  #caller: IOService | null = null;
  /** The last description, for the next transfer of the same pipe. */
  #described = "";
  #describedCall = "";
  #describedCaller: IOService | null = null;

  constructor(port: UsbHostPort, scheduler: Scheduler, onDetached: () => void) {
    this.port = port;
    this.#scheduler = scheduler;
    this.#onDetached = onDetached;
    port.connect(this);
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** The driver call that causes the submission under way, for a trace: "IOUSBHostPipe.asyncIO (FtdiDriver)". */
  describeCaller(): string | null {
    if (this.#call === "") return null;
    if (this.#caller === null) return this.#call;
    if (this.#call !== this.#describedCall || this.#caller !== this.#describedCaller) {
      this.#describedCall = this.#call;
      this.#describedCaller = this.#caller;
      this.#described = `${this.#call} (${this.#caller.className})`;
    }
    return this.#described;
  }

  /**
   * Sends a control request. kIOReturnSuccess: `receiver` will be told exactly once; anything else: never.
   * `timeoutMs` 0 waits for ever.
   */
  control(
    call: string,
    owner: IOService | null,
    setup: Uint8Array,
    buffer: Uint8Array | null,
    timeoutMs: number,
    receiver: UsbReceiver,
    tag: number,
  ): IOReturn {
    const slot = this.#claim(owner, defaultEndpoint, receiver, tag);
    if (slot < 0) return IOReturns.kIOReturnNoResources;
    this.#call = call;
    this.#caller = owner;
    const submitted = this.port.control(slot, setup, buffer, 0);
    this.#call = "";
    return this.#accepted(slot, submitted, timeoutMs);
  }

  /** Moves bulk or interrupt data; as `control`. */
  transfer(
    call: string,
    owner: IOService | null,
    endpoint: number,
    buffer: Uint8Array,
    length: number,
    timeoutMs: number,
    receiver: UsbReceiver,
    tag: number,
    offset = 0,
    stream = 0,
  ): IOReturn {
    const slot = this.#claim(owner, endpoint, receiver, tag);
    if (slot < 0) return IOReturns.kIOReturnNoResources;
    this.#call = call;
    this.#caller = owner;
    const submitted = this.port.transfer(slot, endpoint, buffer, offset, length, stream);
    this.#call = "";
    return this.#accepted(slot, submitted, timeoutMs);
  }

  /**
   * Packets of an isochronous endpoint; as `transfer`. What became of each stands in `packets` at the completion. The first
   * goes in the interval that begins at `startNs`, 0: right behind what is under way. Ports know of no frame numbers: a
   * transfer that lies ahead is given to the port just before its time, and what refuses it then is its completion.
   */
  isochronous(
    call: string,
    owner: IOService | null,
    endpoint: number,
    buffer: Uint8Array,
    packets: UsbPackets,
    receiver: UsbReceiver,
    startNs = 0,
  ): IOReturn {
    const slot = this.#claim(owner, endpoint, receiver, 0);
    if (slot < 0) return IOReturns.kIOReturnNoResources;
    const aheadNs = startNs - 1 - this.#scheduler.nowNs();
    if (aheadNs > 0 || this.#isAhead(endpoint)) {
      const timer = aheadNs > 0 ? this.#scheduler.after(aheadNs, this.#begin, slot) : 0;
      this.#ahead.set(slot, { call, owner, endpoint, buffer, packets, timer });
      return IOReturns.kIOReturnSuccess;
    }
    this.#call = call;
    this.#caller = owner;
    const submitted = this.port.isochronous(slot, endpoint, buffer, 0, packets);
    this.#call = "";
    return this.#accepted(slot, submitted, 0);
  }

  /** Ends the one transfer of `receiver` with `tag`, with `code`. False when it is not under way. */
  abortOne(receiver: UsbReceiver, tag: number, code: IOReturn): boolean {
    for (let slot = 0; slot < this.#receivers.length; slot++) {
      if (this.#receivers[slot] !== receiver || this.#tags[slot] !== tag) continue;
      this.#cancelCodes[slot] = code;
      this.#cancel(slot);
      return true;
    }
    return false;
  }

  /** Ends what is under way on `endpoint` (null: all) for `owner` (null: anybody) with `code`. Returns how many. */
  abort(endpoint: number | null, owner: IOService | null, code: IOReturn): number {
    let count = 0;
    for (let slot = 0; slot < this.#receivers.length; slot++) {
      if (this.#receivers[slot] === null) continue;
      if (endpoint !== null && this.#endpoints[slot] !== endpoint) continue;
      if (owner !== null && this.#owners[slot] !== owner) continue;
      this.#cancelCodes[slot] = code;
      this.#cancel(slot);
      count++;
    }
    return count;
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const receiver = this.#receivers[slot] ?? null;
    if (receiver === null) return;
    const tag = this.#tags[slot];
    const code = status === UsbStatus.cancelled ? this.#cancelCodes[slot] : returnOfStatus[status];
    this.#release(slot);
    receiver.usbCompleted(tag, code, actualBytes);
  }

  detached(): void {
    this.#isGone = true;
    for (const slot of [...this.#ahead.keys()]) this.#endAhead(slot, returnOfStatus[UsbStatus.gone]);
    this.#onDetached();
  }

  #isAhead(endpoint: number): boolean {
    if (this.#ahead.size === 0) return false;
    for (const ahead of this.#ahead.values()) if (ahead.endpoint === endpoint) return true;
    return false;
  }

  /** Its time has come, and with it that of those right behind it. */
  readonly #begin = (first: number): void => {
    const endpoint = this.#ahead.get(first)?.endpoint;
    for (const [slot, ahead] of this.#ahead) {
      if (ahead.endpoint !== endpoint) continue;
      if (slot !== first && ahead.timer !== 0) return;
      this.#ahead.delete(slot);
      this.#call = ahead.call;
      this.#caller = ahead.owner;
      const submitted = this.port.isochronous(slot, ahead.endpoint, ahead.buffer, 0, ahead.packets);
      this.#call = "";
      if (submitted !== UsbSubmit.accepted) this.#end(slot, returnOfSubmit[submitted]);
    }
  };

  #cancel(slot: number): void {
    if (this.#ahead.has(slot)) this.#scheduler.after(0, this.#cancelAhead, slot);
    else this.port.cancel(slot);
  }

  readonly #cancelAhead = (slot: number): void => {
    // It may have begun meanwhile.
    if (this.#ahead.has(slot)) this.#endAhead(slot, this.#cancelCodes[slot]);
    else if (this.#receivers[slot] !== null) this.port.cancel(slot);
  };

  #endAhead(slot: number, status: IOReturn): void {
    this.#scheduler.cancel(this.#ahead.get(slot)?.timer ?? 0);
    this.#ahead.delete(slot);
    this.#end(slot, status);
  }

  #end(slot: number, status: IOReturn): void {
    const receiver = this.#receivers[slot];
    const tag = this.#tags[slot];
    this.#release(slot);
    receiver?.usbCompleted(tag, status, 0);
  }

  #claim(owner: IOService | null, endpoint: number, receiver: UsbReceiver, tag: number): number {
    let slot = this.#free.pop();
    if (slot === undefined) {
      slot = this.#receivers.length;
      if (slot >= this.port.slotCount) return -1;
      this.#timers[slot] = 0;
      this.#cancelCodes[slot] = IOReturns.kIOReturnAborted;
    }
    this.#receivers[slot] = receiver;
    this.#owners[slot] = owner;
    this.#endpoints[slot] = endpoint;
    this.#tags[slot] = tag;
    return slot;
  }

  #accepted(slot: number, submitted: UsbSubmit, timeoutMs: number): IOReturn {
    if (submitted !== UsbSubmit.accepted) {
      this.#release(slot);
      return returnOfSubmit[submitted];
    }
    if (timeoutMs > 0) {
      this.#timers[slot] = this.#scheduler.after(timeoutMs * millisecond, this.#timedOut, slot);
    }
    return IOReturns.kIOReturnSuccess;
  }

  #release(slot: number): void {
    if (this.#timers[slot] !== 0) {
      this.#scheduler.cancel(this.#timers[slot]);
      this.#timers[slot] = 0;
    }
    this.#receivers[slot] = null;
    this.#owners[slot] = null;
    this.#cancelCodes[slot] = IOReturns.kIOReturnAborted;
    this.#free.push(slot);
  }

  readonly #timedOut = (slot: number): void => {
    this.#timers[slot] = 0;
    if (this.#receivers[slot] === null) return;
    this.#cancelCodes[slot] = IOReturns.kIOReturnTimeout;
    this.port.cancel(slot);
  };
}

/** posts.md T10; `gone` and the rest are likely, not established (driverkit-families.md §1.4). */
const returnOfStatus: Record<UsbStatus, IOReturn> = {
  [UsbStatus.ok]: IOReturns.kIOReturnSuccess,
  [UsbStatus.stall]: IOReturns.kUSBHostReturnPipeStalled,
  [UsbStatus.cancelled]: IOReturns.kIOReturnAborted,
  [UsbStatus.gone]: IOReturns.kIOReturnNotResponding,
  [UsbStatus.overflow]: IOReturns.kIOReturnOverrun,
  [UsbStatus.protocolError]: IOReturns.kIOReturnNotResponding,
};

const returnOfSubmit: Record<UsbSubmit, IOReturn> = {
  [UsbSubmit.accepted]: IOReturns.kIOReturnSuccess,
  [UsbSubmit.gone]: IOReturns.kIOReturnNoDevice,
  [UsbSubmit.noEndpoint]: IOReturns.kIOReturnNotFound,
  [UsbSubmit.halted]: IOReturns.kUSBHostReturnPipeStalled,
  [UsbSubmit.badRequest]: IOReturns.kIOReturnBadArgument,
  [UsbSubmit.busy]: IOReturns.kIOReturnNoResources,
  [UsbSubmit.unsupported]: IOReturns.kIOReturnUnsupported,
};
