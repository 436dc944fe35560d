// IOUserNetworkPacket and its pool: buffers that driver and kernel hand to each other.

import { ContractViolation } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { Created } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import {
  kIOUserNetworkPacketDirectionNone,
  kIOUserNetworkPacketDirectionRx,
  kIOUserNetworkPacketDirectionTx,
  PoolFlagMapToDext,
} from "./network-constants.ts";

/** Who has a packet now. */
export const PacketOwner = { pool: 0, driver: 1, queue: 2, kernel: 3 } as const;
export type PacketOwner = (typeof PacketOwner)[keyof typeof PacketOwner];
const ownerNames = ["its pool", "the driver", "a queue", "the kernel"] as const;

/**
 * One packet with one buffer. `bytes` is the pool's memory, which is where C++ code's getDataVirtualAddress points into: the
 * frame lies at `dataAt`, `getDataLength()` bytes.
 */
export class IOUserNetworkPacket {
  readonly bytes: Uint8Array;
  readonly index: number;
  readonly #pool: IOUserNetworkPacketBufferPool;
  readonly #base: number;
  #offset = 0;
  #length = 0;
  #linkHeaderLength = 0;
  #direction: number = kIOUserNetworkPacketDirectionNone;
  #status: IOReturn = IOReturns.kIOReturnSuccess;
  /** Kernel's side. */
  owner: PacketOwner = PacketOwner.pool;

  /** Called by the pool. */
  constructor(pool: IOUserNetworkPacketBufferPool, bytes: Uint8Array, index: number, base: number) {
    this.#pool = pool;
    this.bytes = bytes;
    this.index = index;
    this.#base = base;
  }

  /** Where the frame begins in `bytes`. */
  get dataAt(): number {
    return this.#base + this.#offset;
  }

  get direction(): number {
    return this.#direction;
  }

  get completionStatus(): IOReturn {
    return this.#status;
  }

  getPacketBufferPool(): IOUserNetworkPacketBufferPool {
    return this.#pool;
  }

  /** Where its buffer begins in the pool's memory. */
  getMemorySegmentOffset(): number {
    return this.#base;
  }

  getDataOffset(): number {
    return this.#offset;
  }

  getDataLength(): number {
    return this.#length;
  }

  getLinkHeaderLength(): number {
    return this.#linkHeaderLength;
  }

  /** kIOReturnBadArgument, and nothing changes, when the range is not inside the packet's buffer. */
  setDataOffsetAndLength(offset: number, length: number): IOReturn {
    if (!(offset >= 0 && length >= 0 && offset + length <= this.#pool.bufferSize))
      return IOReturns.kIOReturnBadArgument;
    this.#offset = offset;
    this.#length = length;
    return IOReturns.kIOReturnSuccess;
  }

  setDataOffset(offset: number): IOReturn {
    return this.setDataOffsetAndLength(offset, this.#length);
  }

  setDataLength(length: number): IOReturn {
    return this.setDataOffsetAndLength(this.#offset, length);
  }

  /** Bytes of the link's header: 14 for Ethernet. */
  setLinkHeaderLength(length: number): IOReturn {
    if (!(length >= 0 && length <= 255)) return IOReturns.kIOReturnBadArgument;
    this.#linkHeaderLength = length;
    return IOReturns.kIOReturnSuccess;
  }

  /** Before it goes into a queue of the other direction than the one it came by. */
  prepareWithQueue(queue: object | null, direction: number): IOReturn {
    const isKnown =
      direction === kIOUserNetworkPacketDirectionRx || direction === kIOUserNetworkPacketDirectionTx;
    if (queue === null || !isKnown) return IOReturns.kIOReturnBadArgument;
    this.#direction = direction;
    return IOReturns.kIOReturnSuccess;
  }

  /** What became of it: success, or why it was not sent or received. */
  setCompletionStatus(status: IOReturn): void {
    this.#status = status;
  }

  /** Kernel's side: a packet that begins anew. */
  renew(direction: number): void {
    this.#direction = direction;
    this.#status = IOReturns.kIOReturnSuccess;
    this.#offset = 0;
    this.#length = 0;
    this.#linkHeaderLength = 0;
  }

  /** Rule `packet-not-yours`: every packet goes back exactly once. */
  take(from: PacketOwner, to: PacketOwner, call: string): void {
    if (this.owner !== from) {
      throw new ContractViolation(
        "packet-not-yours",
        `${call}: packet ${this.index} of ${this.#pool.name} belongs to ${ownerNames[this.owner]}`,
      );
    }
    this.owner = to;
  }
}

/** IOUserNetworkPacketBufferPoolOptions. Sizes in bytes. */
export interface IOUserNetworkPacketBufferPoolOptions {
  readonly packetCount: number;
  readonly bufferCount: number;
  readonly bufferSize: number;
  /** One buffer for each packet is what there is. Default 1. */
  readonly maxBuffersPerPacket?: number;
  readonly poolFlags?: number;
}

const mostPackets = 65_536;
const largestBuffer = 65_536;

/**
 * Wired memory for the packets of all queues of an interface. It is released when the service has stopped and the last packet
 * is home.
 */
export class IOUserNetworkPacketBufferPool {
  readonly name: string;
  readonly owner: IOService;
  readonly bufferSize: number;
  readonly packets: readonly IOUserNetworkPacket[];
  readonly #free: IOUserNetworkPacket[];

  private constructor(owner: IOService, name: string, options: IOUserNetworkPacketBufferPoolOptions) {
    this.owner = owner;
    this.name = name;
    this.bufferSize = options.bufferSize;
    const memory = new Uint8Array(options.packetCount * options.bufferSize);
    this.packets = Array.from(
      { length: options.packetCount },
      (_, index) => new IOUserNetworkPacket(this, memory, index, index * options.bufferSize),
    );
    this.#free = [...this.packets].reverse();
  }

  /**
   * kIOReturnBadArgument: counts or sizes that are not whole and positive, fewer buffers than packets; kIOReturnUnsupported: more
   * than one buffer for a packet, or a pool that is not mapped into the dext, which no data path of ours could use.
   */
  static createWithOptions(
    owner: IOService,
    name: string,
    options: IOUserNetworkPacketBufferPoolOptions,
  ): Created<IOUserNetworkPacketBufferPool> {
    const { bufferCount, bufferSize, packetCount } = options;
    const isWithin = (value: number, most: number) => Number.isInteger(value) && value > 0 && value <= most;
    if (
      !isWithin(packetCount, mostPackets) ||
      !isWithin(bufferSize, largestBuffer) ||
      bufferCount < packetCount
    )
      return { status: IOReturns.kIOReturnBadArgument, value: null };
    const flags = options.poolFlags ?? PoolFlagMapToDext;
    if ((options.maxBuffersPerPacket ?? 1) !== 1 || (flags & PoolFlagMapToDext) === 0)
      return { status: IOReturns.kIOReturnUnsupported, value: null };
    return {
      status: IOReturns.kIOReturnSuccess,
      value: new IOUserNetworkPacketBufferPool(owner, name, options),
    };
  }

  /** Packets that nobody has. */
  get freeCount(): number {
    return this.#free.length;
  }

  /** The driver's: null when none is free (kIOReturnNoMemory). */
  allocatePacket(): IOUserNetworkPacket | null {
    return this.#allocate(PacketOwner.driver);
  }

  /** Gives one back that went into no queue. Rule `packet-not-yours`. */
  deallocatePacket(packet: IOUserNetworkPacket): void {
    packet.take(PacketOwner.driver, PacketOwner.pool, "deallocatePacket");
    this.#free.push(packet);
  }

  /** Kernel's side. */
  allocateForKernel(): IOUserNetworkPacket | null {
    return this.#allocate(PacketOwner.kernel);
  }

  freeFromKernel(packet: IOUserNetworkPacket): void {
    packet.take(PacketOwner.kernel, PacketOwner.pool, "the kernel");
    this.#free.push(packet);
  }

  #allocate(owner: PacketOwner): IOUserNetworkPacket | null {
    const packet = this.#free.pop();
    if (packet === undefined) return null;
    packet.owner = owner;
    packet.renew(kIOUserNetworkPacketDirectionNone);
    return packet;
  }
}
