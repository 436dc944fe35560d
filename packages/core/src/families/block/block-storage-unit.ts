// The kernel's half of a block storage dext: numbered requests, prepared memory, one completion each.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { type BlockGeometry, BlockStatus } from "../../ports/block.ts";
import { DmaDirection, type DmaLimits, type DmaMapping } from "../../ports/dma.ts";
import type { DmaProvider } from "../../runtime/dma-command.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import { FlushLedger } from "./flush-ledger.ts";
import type { BlockStorageBackend, IOMedia } from "./io-media.ts";
import {
  type Accepted,
  type BlockRange,
  BlockStorageCall,
  type BlockStorageKernel,
  type DeviceParams,
  type IOUserBlockStorageDevice,
  kIOUserStorageOptionForceUnitAccess,
  kIOUserStorageOptionNone,
} from "./io-user-block-storage-device.ts";

const Kind = { read: 0, write: 1, flush: 2, trim: 3, zeroes: 4 } as const;

/** Zeroes are written from a buffer of this size, as a disk without the command needs it. */
const zeroBytes = 64 * 1024;

interface Request {
  kind: number;
  slot: number;
  block: number;
  blocks: number;
  buffer: Uint8Array | null;
  offset: number;
  isForced: boolean;
  mapping: DmaMapping | null;
  /** Blocks of a zeroing that are done. */
  done: number;
  isBusy: boolean;
}

/**
 * Between IOMedia and the dext. Requests beyond the device's number wait; completions reach the medium on a step of
 * their own, never inside the dext's call. When the device goes every request ends: `aborted` what it had, `gone` what
 * waited.
 */
export class BlockStorageUnit implements BlockStorageBackend, BlockStorageKernel {
  readonly ledger = new FlushLedger();
  media: IOMedia | null = null;
  readonly geometry: BlockGeometry;
  readonly #service: IOUserBlockStorageDevice;
  readonly #scheduler: Scheduler;
  readonly #params: DeviceParams;
  readonly #dma: DmaProvider;
  readonly #limits: DmaLimits;
  readonly #requests: Request[];
  readonly #free: number[] = [];
  readonly #waiting: Request[] = [];
  /** Answers on their way, and the place for the next ones while they are told. */
  #answers: number[] = [];
  #told: number[] = [];
  #answerCount = 0;
  #isAnswering = false;
  #isEnded = false;
  readonly #submitCall: BlockStorageCall;
  #zeroes: Uint8Array | null = null;

  constructor(
    service: IOUserBlockStorageDevice,
    scheduler: Scheduler,
    params: DeviceParams,
    dma: DmaProvider,
  ) {
    this.#service = service;
    this.#scheduler = scheduler;
    this.#params = params;
    this.#dma = dma;
    this.#limits = {
      addressBits: Math.min(params.numOfAddressBits, 53),
      alignmentBytes: Math.max(1, params.minSegmentAlignment),
    };
    const isReadOnly = service.reportWriteProtection();
    this.geometry = {
      blockBytes: params.blockSize,
      blockCount: params.numOfBlocks,
      maximumBlocks: Math.max(1, Math.floor(params.maxIOSize / params.blockSize)),
      isReadOnly,
      hasWriteCache: service.reportWriteCache(),
      canTrim: params.isUnmapSupported && !isReadOnly,
      canWriteZeroes: !isReadOnly,
    };
    this.#requests = Array.from({ length: params.numOfOutstandingIOs }, (_, index) => {
      this.#free.push(params.numOfOutstandingIOs - 1 - index);
      return newRequest();
    });
    this.#submitCall = new BlockStorageCall(`${service.className}::DoAsyncReadWrite_Impl`, (id) =>
      this.#handOver(id),
    );
  }

  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): void {
    this.#submit(Kind.read, slot, block, blocks, buffer, offset, false);
  }

  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): void {
    this.#submit(Kind.write, slot, block, blocks, buffer, offset, isForced);
  }

  flush(slot: number): void {
    const counts = this.ledger.of("class driver");
    counts.requested++;
    counts.converted++;
    this.#submit(Kind.flush, slot, 0, 0, null, 0, false);
  }

  trim(slot: number, block: number, blocks: number): void {
    this.#submit(Kind.trim, slot, block, blocks, null, 0, false);
  }

  writeZeroes(slot: number, block: number, blocks: number, _mayTrim: boolean, isForced: boolean): void {
    this.#zeroes ??= new Uint8Array(zeroBytes);
    this.#submit(Kind.zeroes, slot, block, blocks, this.#zeroes, 0, isForced);
  }

  completeIO(requestId: number, bytesTransferred: number, status: IOReturn): void {
    const request = this.#requests[requestId];
    if (request === undefined || !request.isBusy || this.#isEnded) return;
    const { blockSize } = this.#params;
    const wanted = partOf(request, blockSize) * blockSize;
    // More than asked for is an error with nothing; less is a short transfer, which a disk's user cannot take.
    const isWhole = status === IOReturns.kIOReturnSuccess && bytesTransferred === wanted;
    if (request.kind === Kind.zeroes && isWhole) {
      request.done += partOf(request, blockSize);
      if (request.done < request.blocks) {
        this.#release(request);
        this.#send(requestId);
        return;
      }
    }
    this.#answer(requestId, isWhole ? BlockStatus.ok : statusOf(status));
  }

  complete(requestId: number, status: IOReturn): void {
    const request = this.#requests[requestId];
    if (request === undefined || !request.isBusy || this.#isEnded) return;
    if (request.kind === Kind.flush && status !== IOReturns.kIOReturnSuccess)
      this.ledger.of("class driver").failed++;
    this.#answer(requestId, statusOf(status));
  }

  stopped(): void {
    this.end();
  }

  /** The device is gone, or stops: everything ends. */
  end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const [requestId, request] of this.#requests.entries())
      if (request.isBusy) this.#answer(requestId, BlockStatus.gone);
    for (const request of this.#waiting.splice(0)) this.#finishLater(request.slot, BlockStatus.gone);
  }

  #submit(
    kind: number,
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array | null,
    offset: number,
    isForced: boolean,
  ): void {
    if (this.#isEnded) {
      this.#finishLater(slot, BlockStatus.gone);
      return;
    }
    const requestId = this.#free.pop();
    const request = requestId === undefined ? newRequest() : this.#requests[requestId];
    request.kind = kind;
    request.slot = slot;
    request.block = block;
    request.blocks = blocks;
    request.buffer = buffer;
    request.offset = offset;
    request.isForced = isForced;
    request.done = 0;
    if (requestId === undefined) this.#waiting.push(request);
    else {
      request.isBusy = true;
      this.#send(requestId);
    }
  }

  #send(requestId: number): void {
    const { process } = this.#service;
    if (process.isAlive) this.#service.defaultQueue.enqueueCall(this.#submitCall, requestId, 0, 0);
    else this.#answer(requestId, BlockStatus.gone);
  }

  /** On the dext's queue: prepares the memory and calls the dext. */
  #handOver(requestId: number): void | Promise<void> {
    const request = this.#requests[requestId];
    if (!request.isBusy || this.#isEnded) return;
    const status = this.#call(requestId, request);
    if (typeof status !== "number")
      return status.then((answer) => this.#handedOver(requestId, request, answer));
    if (status !== IOReturns.kIOReturnSuccess) this.#answer(requestId, statusOf(status));
  }

  #handedOver(requestId: number, request: Request, status: IOReturn): void {
    if (status !== IOReturns.kIOReturnSuccess && this.#requests[requestId] === request)
      this.#answer(requestId, statusOf(status));
  }

  #call(requestId: number, request: Request): Accepted {
    const service = this.#service;
    if (request.kind === Kind.flush)
      return service.doAsyncSynchronize(requestId, 0, this.#params.numOfBlocks);
    if (request.kind === Kind.trim) {
      const range: BlockRange = { startBlock: request.block, numOfBlocks: request.blocks };
      return service.doAsyncUnmapPriv(requestId, [range]);
    }
    const { blockSize } = this.#params;
    const blocks = partOf(request, blockSize);
    const length = blocks * blockSize;
    const isRead = request.kind === Kind.read;
    const { buffer, offset } = request;
    const whole = buffer as Uint8Array;
    const memory = offset === 0 && length === whole.length ? whole : whole.subarray(offset, offset + length);
    const mapping = this.#dma.dmaPort.map(
      memory,
      isRead ? DmaDirection.deviceWrites : DmaDirection.deviceReads,
      isRead ? "block read" : "block write",
      this.#limits,
    );
    if (typeof mapping === "number") return IOReturns.kIOReturnNoMemory;
    request.mapping = mapping;
    if (mapping.segmentCount !== 1) {
      this.#release(request);
      return IOReturns.kIOReturnNoSpace;
    }
    const isForced = request.isForced && this.#params.isFUASupported;
    return service.doAsyncReadWrite(
      isRead,
      requestId,
      mapping.firstAddress,
      length,
      request.block + request.done,
      blocks,
      isForced ? kIOUserStorageOptionForceUnitAccess : kIOUserStorageOptionNone,
    );
  }

  #release(request: Request): void {
    if (request.mapping !== null) this.#dma.dmaPort.unmap(request.mapping);
    request.mapping = null;
  }

  #answer(requestId: number, status: number): void {
    const request = this.#requests[requestId];
    if (!request.isBusy) return;
    this.#release(request);
    request.isBusy = false;
    request.buffer = null;
    this.#finishLater(request.slot, status);
    const next = this.#isEnded ? undefined : this.#waiting.shift();
    if (next === undefined) {
      this.#free.push(requestId);
      return;
    }
    this.#requests[requestId] = next;
    next.isBusy = true;
    this.#send(requestId);
  }

  #finishLater(slot: number, status: number): void {
    this.#answers[this.#answerCount++] = slot * 256 + status;
    if (this.#isAnswering) return;
    this.#isAnswering = true;
    this.#scheduler.ready(drainAnswers, this as BlockStorageUnit);
  }

  /** Called by the scheduler. */
  drainAnswers(): void {
    this.#isAnswering = false;
    const { media } = this;
    const answers = this.#answers;
    const count = this.#answerCount;
    this.#answers = this.#told;
    this.#told = answers;
    this.#answerCount = 0;
    for (let at = 0; at < count; at++) {
      const answer = answers[at];
      media?.finished(answer >>> 8, (answer & 0xff) as BlockStatus);
    }
  }
}

function drainAnswers(unit: BlockStorageUnit): void {
  unit.drainAnswers();
}

function newRequest(): Request {
  return {
    kind: 0,
    slot: 0,
    block: 0,
    blocks: 0,
    buffer: null,
    offset: 0,
    isForced: false,
    mapping: null,
    done: 0,
    isBusy: false,
  };
}

/** Blocks of the next part: all of a read or write, at most a buffer of a zeroing. */
function partOf(request: Request, blockSize: number): number {
  if (request.kind !== Kind.zeroes) return request.blocks;
  return Math.min(request.blocks - request.done, Math.floor(zeroBytes / blockSize));
}

function statusOf(status: IOReturn): BlockStatus {
  switch (status) {
    case IOReturns.kIOReturnSuccess:
      return BlockStatus.ok;
    case IOReturns.kIOReturnNoDevice:
    case IOReturns.kIOReturnOffline:
      return BlockStatus.gone;
    case IOReturns.kIOReturnAborted:
      return BlockStatus.aborted;
    case IOReturns.kIOReturnNotWritable:
      return BlockStatus.writeProtected;
    case IOReturns.kIOReturnNoSpace:
      return BlockStatus.noSpace;
    case IOReturns.kIOReturnBadMedia:
      return BlockStatus.mediumError;
    default:
      return BlockStatus.ioError;
  }
}
