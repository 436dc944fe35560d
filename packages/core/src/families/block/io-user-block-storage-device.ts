// IOUserBlockStorageDevice: a dext that is a disk (driverkit-families.md §7).

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { IODispatchQueue, type QueuedCall } from "../../runtime/dispatch-queue.ts";
import { IOService } from "../../runtime/service.ts";

export const kIOUserStorageOptionNone = 0x0000;
export const kIOUserStorageOptionForceUnitAccess = 0x0001;

/** What GetDeviceParams answers. */
export interface DeviceParams {
  readonly numOfBlocks: number;
  readonly blockSize: number;
  /** Bytes of the largest read or write. */
  readonly maxIOSize: number;
  /** Requests at once; requestID is below it. Zero: the kernel does not start. */
  readonly numOfOutstandingIOs: number;
  readonly maxNumOfUnmapRegions: number;
  readonly minSegmentAlignment: number;
  readonly numOfAddressBits: number;
  readonly isUnmapSupported: boolean;
  readonly isFUASupported: boolean;
}

export interface BlockRange {
  readonly startBlock: number;
  readonly numOfBlocks: number;
}

/** Told by the dext's half; the kernel's half implements it. */
export interface BlockStorageKernel {
  /** Of a read or write. Out of range, or after the end: ignored. */
  completeIO(requestId: number, bytesTransferred: number, status: IOReturn): void;
  /** Of a synchronise, unmap or eject. */
  complete(requestId: number, status: IOReturn): void;
  /** The device cannot go on with its requests: Stop has begun. */
  stopped(): void;
}

const completionQueueName = "Completion";

/** What a `doAsync...` answers. A promise holds the default queue until it settles. */
export type Accepted = IOReturn | Promise<IOReturn>;

/**
 * Subclasses drive the hardware. A `doAsync...` that returns success is answered exactly once, by `completeIO` or
 * `complete`, never inside the call; one that returns an error is answered never. `dmaAddr` is one contiguous range
 * that the kernel has prepared for the provider's hardware.
 *
 * Call `super.start` when the hardware is ready: the kernel then asks `getDeviceParams` and publishes the disk.
 */
export abstract class IOUserBlockStorageDevice extends IOService {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    CompleteIO: completionQueueName,
    Complete: completionQueueName,
  };
  /** Set by the kernel's half when the disk is published. */
  blockKernel: BlockStorageKernel | null = null;
  #completions: IODispatchQueue | null = null;

  abstract getDeviceParams(): DeviceParams;
  abstract doAsyncReadWrite(
    isRead: boolean,
    requestId: number,
    dmaAddr: number,
    size: number,
    lba: number,
    numOfBlocks: number,
    options: number,
  ): Accepted;
  abstract doAsyncSynchronize(requestId: number, lba: number, numOfBlocks: number): Accepted;
  abstract doAsyncUnmapPriv(requestId: number, ranges: readonly BlockRange[]): Accepted;

  doAsyncEjectMedia(_requestId: number): Accepted {
    return IOReturns.kIOReturnUnsupported;
  }

  getVendorString(): string {
    return "";
  }

  getProductString(): string {
    return "";
  }

  getRevisionString(): string {
    return "";
  }

  reportWriteProtection(): boolean {
    return false;
  }

  /** Volatile until synchronised. A question of Drydock's own: the framework has none, the kernel always synchronises. */
  reportWriteCache(): boolean {
    return true;
  }

  override async start(provider: IOService): Promise<void> {
    this.#completions = IODispatchQueue.create(this.process, completionQueueName);
    this.setDispatchQueue(completionQueueName, this.#completions);
    this.registerService();
    await super.start(provider);
  }

  /** Cancels the completion queue; the superclass's Stop is called in the cancel handler. */
  override async stop(provider: IOService): Promise<void> {
    this.blockKernel?.stopped();
    const queue = this.#completions;
    this.#completions = null;
    if (queue === null) {
      await super.stop(provider);
      return;
    }
    await this.kernel.scheduler.block<void>("the completion queue's cancel handler", (done) =>
      queue.cancel(() => done.succeed(undefined)),
    );
    queue.release();
    await super.stop(provider);
  }

  completeIO(requestId: number, bytesTransferred: number, status: IOReturn): void {
    this.blockKernel?.completeIO(requestId, bytesTransferred, status);
  }

  complete(requestId: number, status: IOReturn): void {
    this.blockKernel?.complete(requestId, status);
  }
}

/** Calls of the kernel into the dext, prepared once: a number says which request. */
export class BlockStorageCall implements QueuedCall {
  readonly symbol: string;
  readonly #run: (requestId: number) => void | Promise<void>;

  constructor(symbol: string, run: (requestId: number) => void | Promise<void>) {
    this.symbol = symbol;
    this.#run = run;
  }

  run(requestId: number): void | Promise<void> {
    return this.#run(requestId);
  }
}
