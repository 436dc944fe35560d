// IOUSBHostPipe: one endpoint of an open interface, with single, blocking and bundled transfers.

import { ContractViolation } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond } from "../../base/units.ts";
import { type Endpoint, type EndpointDescriptor, streamsOf } from "../../codec/usb/descriptors.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { isochronousIntervalNs } from "../../dissect/usb-endpoints.ts";
import type { OSAction } from "../../runtime/action.ts";
import {
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import type { IOUSBHostInterface } from "./io-usb-host-interface.ts";
import {
  type IOUSBIsochronousFrame,
  IsochronousReceiver,
  isochronousFramesAhead,
} from "./usb-isochronous.ts";
import { ActionReceiver, blockOnUsb } from "./usb-receivers.ts";
import type { UsbReceiver, UsbRequests } from "./usb-requests.ts";

/** Most transfers in one asyncIOBundled, and most completions in one callback. */
export const kIOUSBHostPipeBundlingMax = 16;
export const kIOUSBAbortAsynchronous = 0;
export const kIOUSBAbortSynchronous = 1;

/** CLEAR_FEATURE(ENDPOINT_HALT) to an endpoint: USB 2.0 §9.4.1. */
const clearFeature = 1;
const recipientEndpoint = 0x02;

/**
 * Made by `IOUSBHostInterface.copyPipe`. Not a service. Data calls return an IOReturn instead of throwing, because
 * they are the hot path; the others reject with an IOError.
 *
 * After any error but a timeout the endpoint is halted: further transfers are refused with kUSBHostReturnPipeStalled
 * until `clearStall` (driverkit-families.md §1.4). Transfers complete in the order they were accepted.
 */
export class IOUSBHostPipe {
  readonly interface: IOUSBHostInterface;
  readonly descriptor: EndpointDescriptor;
  readonly address: number;
  /** Streams that the endpoint's companion allows; 0 below SuperSpeed. */
  readonly streamCount: number;
  readonly #requests: UsbRequests;
  readonly #actions: ActionReceiver;
  #isClosed = false;
  #idleTimeoutMs = 0;
  #ring: Bundle | null = null;
  #hasStreams = false;
  /** Isochronous transfers that are not over, and when the last of their intervals is. */
  #isochronousPending = 0;
  #isochronousUntilNs = 0;

  /** Called by the interface. */
  constructor(owner: IOUSBHostInterface, endpoint: Endpoint, requests: UsbRequests) {
    const { companion, descriptor } = endpoint;
    this.interface = owner;
    this.descriptor = descriptor;
    this.address = descriptor.bEndpointAddress;
    const isBulk = (descriptor.bmAttributes & 3) === 2;
    const isSuper = requests.port.speed >= UsbSpeed.super;
    this.streamCount = isBulk && isSuper && companion !== null ? streamsOf(companion.bmAttributes) : 0;
    this.#requests = requests;
    this.#actions = new ActionReceiver(owner.scheduler);
  }

  get isIn(): boolean {
    return (this.address & 0x80) !== 0;
  }

  /** The interface chose another alternate setting, or was closed: this pipe is no longer usable. */
  invalidate(): void {
    this.#isClosed = true;
  }

  getSpeed(): number {
    return this.#requests.port.speed;
  }

  getDescriptors(): EndpointDescriptor {
    return this.descriptor;
  }

  /** Milliseconds; kept and answered, nothing suspends (fidelity: absent). */
  setIdlePolicy(idleTimeoutMs: number): void {
    this.#idleTimeoutMs = idleTimeoutMs;
  }

  getIdlePolicy(): number {
    return this.#idleTimeoutMs;
  }

  /**
   * Starts a transfer of `length` bytes of `dataBuffer`. kIOReturnSuccess: `completion` is invoked exactly once with
   * (status, actual byte count, time); anything else: never. The buffer is the pipe's until then.
   * kIOReturnNotOpen, kIOReturnBadArgument (length or direction do not fit the buffer), kIOReturnNoDevice,
   * kUSBHostReturnPipeStalled (halted), kIOReturnNoResources (too many under way). `timeoutMs` 0: never times out;
   * interrupt pipes take no timeout (kIOReturnBadArgument).
   */
  asyncIO(dataBuffer: IOMemoryDescriptor, length: number, completion: OSAction, timeoutMs = 0): IOReturn {
    const refused = this.#check(dataBuffer, length, timeoutMs);
    if (refused !== IOReturns.kIOReturnSuccess) return refused;
    const tag = this.#actions.claim(completion);
    const status = this.#requests.transfer(
      "IOUSBHostPipe.asyncIO",
      this.interface.client,
      this.address,
      dataBuffer.bytes,
      length,
      timeoutMs,
      this.#actions,
      tag,
    );
    if (status !== IOReturns.kIOReturnSuccess) this.#actions.forget(tag);
    return status;
  }

  /** As asyncIO, but blocks the calling thread; resolves with the byte count, rejects with the error. */
  async io(dataBuffer: IOMemoryDescriptor, length: number, timeoutMs = 0): Promise<number> {
    const call = "IOUSBHostPipe.io";
    const refused = this.#check(dataBuffer, length, timeoutMs);
    if (refused !== IOReturns.kIOReturnSuccess) throw this.interface.failure(refused, call);
    return await blockOnUsb(this.interface.scheduler, this.interface, call, (receiver) =>
      this.#requests.transfer(
        call,
        this.interface.client,
        this.address,
        dataBuffer.bytes,
        length,
        timeoutMs,
        receiver,
        0,
      ),
    );
  }

  /** The bus's frame, in whole milliseconds. */
  getFrameNumber(): number {
    return Math.floor(this.interface.scheduler.nowNs() / millisecond);
  }

  /**
   * Frames of an isochronous pipe: those of `frameList` lie one after the other in `dataBuffer`, and each gets its status and
   * count before `completion` is invoked with (status, time). kIOReturnSuccess means it will be, once. The first of them goes
   * in frame `firstFrameNumber`, as `getFrameNumber` counts: with 0 right behind what is under way, or in the next interval. A
   * pause between two transfers is kept, by the machine's clock: over carriers that number no frames as exactly as these are
   * in time. kIOReturnIsoTooOld for a frame that has begun or that belongs to what is under way (the latter: likely);
   * kIOReturnIsoTooNew for more than 1024 frames ahead. Others as asyncIO; of a transfer that lies ahead some of them come as
   * the completion's status. kIOReturnUnsupported on another kind of pipe, or on a path that carries none.
   */
  isochIO(
    dataBuffer: IOMemoryDescriptor,
    frameList: readonly IOUSBIsochronousFrame[],
    firstFrameNumber: number,
    completion: OSAction,
  ): IOReturn {
    if ((this.descriptor.bmAttributes & 3) !== 1) return IOReturns.kIOReturnUnsupported;
    const length = frameList.reduce((sum, { requestCount }) => sum + requestCount, 0);
    const refused = this.#check(dataBuffer, length, 0);
    if (refused !== IOReturns.kIOReturnSuccess) return refused;
    const { scheduler } = this.interface;
    const periodNs = isochronousIntervalNs(this.#requests.port.speed, this.descriptor);
    const nowNs = scheduler.nowNs();
    const now = this.getFrameNumber();
    const busyUntilNs = this.#isochronousPending > 0 ? this.#isochronousUntilNs : 0;
    const firstNs = firstFrameNumber * millisecond;
    if (firstFrameNumber !== 0) {
      if (firstFrameNumber <= now || firstNs < busyUntilNs) return IOReturns.kIOReturnIsoTooOld;
      if (firstFrameNumber > now + isochronousFramesAhead) return IOReturns.kIOReturnIsoTooNew;
    }
    const nextNs = (Math.floor(nowNs / periodNs) + 1) * periodNs;
    const startNs = firstFrameNumber === 0 ? Math.max(busyUntilNs, nextNs) : firstNs;
    // What is right behind the one before needs no alarm.
    const isBehind = firstFrameNumber === 0 || firstNs === busyUntilNs;
    const receiver = new IsochronousReceiver(scheduler, frameList, completion, this.#isochronousOver);
    const status = this.#requests.isochronous(
      "IOUSBHostPipe.isochIO",
      this.interface.client,
      this.address,
      dataBuffer.bytes,
      receiver.packets,
      receiver,
      isBehind ? 0 : startNs,
    );
    if (status === IOReturns.kIOReturnSuccess) {
      this.#isochronousPending++;
      this.#isochronousUntilNs = startNs + frameList.length * periodNs;
    }
    return status;
  }

  readonly #isochronousOver = (): void => {
    this.#isochronousPending--;
  };

  /**
   * Ends what is pending on this pipe with `withError`. Asynchronous: returns at once, completions follow.
   * Synchronous: resolves when the last of them has been handed over.
   */
  async abort(
    options: number = kIOUSBAbortAsynchronous,
    withError: IOReturn = IOReturns.kIOReturnAborted,
  ): Promise<void> {
    const count = this.#requests.abort(this.address, null, withError);
    if (options === kIOUSBAbortSynchronous && count > 0) await this.interface.scheduler.sleep(1_000);
  }

  /**
   * Ends a halt. With `withRequest` the device is told too (CLEAR_FEATURE(ENDPOINT_HALT)). Aborts what is pending and
   * resets the data toggle: never call it on a healthy pipe.
   */
  async clearStall(withRequest: boolean): Promise<void> {
    this.#requests.abort(this.address, null, IOReturns.kIOReturnAborted);
    if (withRequest) {
      await this.interface.sendStandardRequest(
        "IOUSBHostPipe.clearStall",
        recipientEndpoint,
        clearFeature,
        0,
        this.address,
      );
    }
    this.#requests.port.clearHalt(this.address);
  }

  /**
   * Kernel clients only. Switches the pipe to streams: from now on transfers name one, 1 to `streamCount`.
   * USBDriverKit documents no streams; the kernel's and the IOUSBHost framework's pipes have this call (likely).
   * kIOReturnUnsupported when the endpoint has none.
   */
  enableStreams(): void {
    if (this.streamCount === 0)
      throw this.interface.failure(IOReturns.kIOReturnUnsupported, "IOUSBHostPipe.enableStreams");
    this.#hasStreams = true;
  }

  disableStreams(): void {
    this.#hasStreams = false;
  }

  /**
   * Kernel clients only: a transfer ended by a completion routine instead of an action, as kernel drivers have it.
   * Returns and refusals as `asyncIO`; `receiver` is told exactly once after kIOReturnSuccess, never inside the call.
   * kIOReturnBadArgument for a stream that is not enabled, or none where streams are.
   */
  enqueue(
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
    timeoutMs: number,
    receiver: UsbReceiver,
    tag: number,
  ): IOReturn {
    const { client } = this.interface;
    if (this.#isClosed || client === null) return IOReturns.kIOReturnNotOpen;
    if (this.#hasStreams !== stream > 0 || stream > this.streamCount) return IOReturns.kIOReturnBadArgument;
    return this.#requests.transfer(
      "IOUSBHostPipe.io",
      client,
      this.address,
      buffer,
      length,
      timeoutMs,
      receiver,
      tag,
      offset,
      stream,
    );
  }

  /** Kernel clients only: ends one transfer of `enqueue` with kIOReturnAborted. Ignored when it is over. */
  abortOne(receiver: UsbReceiver, tag: number): void {
    this.#requests.abortOne(receiver, tag, IOReturns.kIOReturnAborted);
  }

  /** Once per pipe, bulk only: room for `size` descriptors that asyncIOBundled names by index. */
  createMemoryDescriptorRing(size: number): void {
    const call = "IOUSBHostPipe.createMemoryDescriptorRing";
    if (this.#ring !== null) throw this.interface.failure(IOReturns.kIOReturnBusy, call, "a ring exists");
    if (!Number.isInteger(size) || size < 1)
      throw this.interface.failure(IOReturns.kIOReturnBadArgument, call);
    if ((this.descriptor.bmAttributes & 3) !== 2)
      throw this.interface.failure(IOReturns.kIOReturnUnsupported, call);
    this.#ring = new Bundle(size, this.address);
  }

  setMemoryDescriptor(memory: IOMemoryDescriptor, index: number): void {
    const ring = this.#ring;
    if (ring === null || index < 0 || index >= ring.buffers.length) {
      throw this.interface.failure(IOReturns.kIOReturnBadArgument, "IOUSBHostPipe.setMemoryDescriptor");
    }
    ring.buffers[index] = memory;
  }

  /**
   * Starts up to 16 transfers on ring entries from `index` (wrapping), `lengths[i]` bytes each. Answers how many were
   * accepted, with the status that stopped the rest. `completion` is invoked with (first ring index, count, endpoint address);
   * statuses and byte counts are read with `bundledStatus` and `bundledByteCount` by ring index: Apple passes them as
   * arrays.
   */
  asyncIOBundled(
    index: number,
    lengths: readonly number[],
    completion: OSAction,
    timeoutMs = 0,
  ): { status: IOReturn; accepted: number } {
    const ring = this.#ring;
    if (ring === null || lengths.length < 1 || lengths.length > kIOUSBHostPipeBundlingMax) {
      return { status: IOReturns.kIOReturnBadArgument, accepted: 0 };
    }
    let accepted = 0;
    for (const length of lengths) {
      const entry = (index + accepted) % ring.buffers.length;
      const buffer = ring.buffers[entry];
      if (buffer === null || ring.isBusy[entry]) return { status: IOReturns.kIOReturnBadArgument, accepted };
      const refused = this.#check(buffer, length, timeoutMs);
      if (refused !== IOReturns.kIOReturnSuccess) return { status: refused, accepted };
      ring.begin(entry, completion);
      const status = this.#requests.transfer(
        "IOUSBHostPipe.asyncIOBundled",
        this.interface.client,
        this.address,
        buffer.bytes,
        length,
        timeoutMs,
        ring,
        entry,
      );
      if (status !== IOReturns.kIOReturnSuccess) {
        ring.isBusy[entry] = false;
        return { status, accepted };
      }
      accepted++;
    }
    return { status: IOReturns.kIOReturnSuccess, accepted };
  }

  bundledStatus(index: number): IOReturn {
    return (this.#ring as Bundle).statuses[index];
  }

  bundledByteCount(index: number): number {
    return (this.#ring as Bundle).byteCounts[index];
  }

  #check(dataBuffer: IOMemoryDescriptor, length: number, timeoutMs: number): IOReturn {
    if (this.#isClosed || this.interface.client === null) return IOReturns.kIOReturnNotOpen;
    if (this.#requests.isGone) return IOReturns.kIOReturnNoDevice;
    if (dataBuffer.isReleased) {
      throw new ContractViolation(
        "memory-use-after-release",
        `a released buffer was given to pipe 0x${this.address.toString(16)}`,
      );
    }
    if (length < 0 || length > dataBuffer.length) return IOReturns.kIOReturnBadArgument;
    const needed = this.isIn ? kIOMemoryDirectionIn : kIOMemoryDirectionOut;
    if ((dataBuffer.direction & needed) === 0) return IOReturns.kIOReturnBadArgument;
    if (timeoutMs > 0 && (this.descriptor.bmAttributes & 3) === 3) return IOReturns.kIOReturnBadArgument;
    return IOReturns.kIOReturnSuccess;
  }
}

/** Ring of a bundled pipe; each completion is one callback of one entry. */
class Bundle implements UsbReceiver {
  readonly buffers: (IOMemoryDescriptor | null)[];
  readonly isBusy: boolean[];
  readonly statuses: IOReturn[];
  readonly byteCounts: number[];
  readonly #completions: (OSAction | null)[];
  readonly #address: number;

  constructor(size: number, address: number) {
    this.#address = address;
    this.buffers = new Array<IOMemoryDescriptor | null>(size).fill(null);
    this.isBusy = new Array<boolean>(size).fill(false);
    this.statuses = new Array<IOReturn>(size).fill(IOReturns.kIOReturnSuccess);
    this.byteCounts = new Array<number>(size).fill(0);
    this.#completions = new Array<OSAction | null>(size).fill(null);
  }

  begin(entry: number, completion: OSAction): void {
    this.isBusy[entry] = true;
    this.#completions[entry] = completion;
  }

  usbCompleted(entry: number, status: IOReturn, actualBytes: number): void {
    this.isBusy[entry] = false;
    this.statuses[entry] = status;
    this.byteCounts[entry] = actualBytes;
    this.#completions[entry]?.invoke(entry, 1, this.#address);
  }
}
