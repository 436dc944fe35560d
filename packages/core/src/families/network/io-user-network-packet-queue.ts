// The four packet queues of an Ethernet driver, and the data queue inside each that says when packets are there.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
import type { Created } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import {
  type IOUserNetworkPacket,
  type IOUserNetworkPacketBufferPool,
  PacketOwner,
} from "./io-user-network-packet.ts";

/**
 * IODataQueueDispatchSource as a packet queue has it: edge triggered. The action is invoked when the queue goes from empty to
 * not empty, and not again until somebody has emptied it: drain it, or remember that it is not drained.
 */
export class IODataQueueDispatchSource {
  readonly #queue: IODispatchQueue;
  #action: OSAction | null = null;
  #isCancelled = false;

  constructor(queue: IODispatchQueue) {
    this.#queue = queue;
    queue.retain();
    queue.countSource(1);
  }

  /** kIOReturnUnsupported after cancel. The action's numbers are the time and two zeros. */
  setDataAvailableHandler(action: OSAction): IOReturn {
    if (this.#isCancelled) return IOReturns.kIOReturnUnsupported;
    this.#action = action;
    return IOReturns.kIOReturnSuccess;
  }

  /** Nothing is delivered after `handler` has run on the queue. */
  cancel(handler: () => void): void {
    if (this.#isCancelled) return;
    this.#isCancelled = true;
    this.#action = null;
    this.#queue.dispatchAsync(() => {
      this.#queue.countSource(-1);
      this.#queue.release();
      handler();
    });
  }

  /** Kernel's side. */
  sendDataAvailable(timeNs: number): void {
    this.#action?.invoke(timeNs, 0, 0);
  }
}

/** Told by a queue that the driver has put packets into it. */
export interface PacketQueueReader {
  packetsEnqueued(queue: IOUserNetworkPacketQueue): void;
}

const largestCapacity = 65_536;

/**
 * A ring of packets with one side for the driver and one for the kernel. Which side enqueues depends on the class: submission
 * queues are filled by the kernel, completion queues by the driver. Disabled queues give and take nothing.
 */
export abstract class IOUserNetworkPacketQueue {
  readonly pool: IOUserNetworkPacketBufferPool;
  readonly queueId: number;
  readonly capacity: number;
  readonly #ring: (IOUserNetworkPacket | null)[];
  readonly #source: IODataQueueDispatchSource;
  readonly #owner: IOService;
  #first = 0;
  #count = 0;
  #isEnabled = false;
  /** Kernel's side of completion queues. */
  reader: PacketQueueReader | null = null;

  /** Called by `create` of the four classes. */
  constructor(
    pool: IOUserNetworkPacketBufferPool,
    owner: IOService,
    capacity: number,
    queueId: number,
    dispatchQueue: IODispatchQueue,
  ) {
    this.pool = pool;
    this.#owner = owner;
    this.capacity = capacity;
    this.queueId = queueId;
    this.#ring = new Array<IOUserNetworkPacket | null>(capacity).fill(null);
    this.#source = new IODataQueueDispatchSource(dispatchQueue);
  }

  get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** Packets in it. */
  get count(): number {
    return this.#count;
  }

  /** No packet may be touched while it is disabled: both sides are refused. */
  setEnable(isEnable: boolean): IOReturn {
    this.#isEnabled = isEnable;
    return IOReturns.kIOReturnSuccess;
  }

  copyDataQueue(): IODataQueueDispatchSource {
    return this.#source;
  }

  /** The driver's: kIOReturnNotReady (disabled), kIOReturnNoSpace (full); then the packet stays the driver's. Rule `packet-not-yours`. */
  enqueuePacket(packet: IOUserNetworkPacket): IOReturn {
    if (!this.#isEnabled) return IOReturns.kIOReturnNotReady;
    if (this.#count === this.capacity) return IOReturns.kIOReturnNoSpace;
    packet.take(PacketOwner.driver, PacketOwner.queue, "enqueuePacket");
    this.#put(packet);
    this.reader?.packetsEnqueued(this);
    return IOReturns.kIOReturnSuccess;
  }

  /** As enqueuePacket for the first `count`; answers how many were taken. The rest stay the driver's. */
  enqueuePackets(packets: readonly IOUserNetworkPacket[], count: number): number {
    if (!this.#isEnabled) return 0;
    const most = Math.min(count, this.capacity - this.#count);
    for (let index = 0; index < most; index++) {
      packets[index].take(PacketOwner.driver, PacketOwner.queue, "enqueuePackets");
      this.#put(packets[index]);
    }
    if (most > 0) this.reader?.packetsEnqueued(this);
    return most;
  }

  /** The driver's: null when it is empty or disabled. */
  dequeuePacket(): IOUserNetworkPacket | null {
    if (!this.#isEnabled || this.#count === 0) return null;
    const packet = this.#take();
    packet.owner = PacketOwner.driver;
    return packet;
  }

  /** Fills `into` from its beginning with up to `most`; answers how many. */
  dequeuePackets(into: IOUserNetworkPacket[], most: number): number {
    if (!this.#isEnabled) return 0;
    const count = Math.min(most, this.#count);
    for (let index = 0; index < count; index++) {
      const packet = this.#take();
      packet.owner = PacketOwner.driver;
      into[index] = packet;
    }
    return count;
  }

  /** Kernel's side: false when disabled or full. Wakes the driver when it was empty. */
  submit(packet: IOUserNetworkPacket): boolean {
    if (!this.#isEnabled || this.#count === this.capacity) return false;
    packet.take(PacketOwner.kernel, PacketOwner.queue, "the kernel");
    this.#put(packet);
    if (this.#count === 1) this.#source.sendDataAvailable(this.#owner.nowNs);
    return true;
  }

  /** Kernel's side, enabled or not: null when empty. */
  collect(): IOUserNetworkPacket | null {
    if (this.#count === 0) return null;
    const packet = this.#take();
    packet.owner = PacketOwner.kernel;
    return packet;
  }

  #put(packet: IOUserNetworkPacket): void {
    let at = this.#first + this.#count;
    if (at >= this.capacity) at -= this.capacity;
    this.#ring[at] = packet;
    this.#count++;
  }

  #take(): IOUserNetworkPacket {
    const packet = this.#ring[this.#first] as IOUserNetworkPacket;
    this.#ring[this.#first] = null;
    if (++this.#first === this.capacity) this.#first = 0;
    this.#count--;
    return packet;
  }
}

type QueueParameters = [
  pool: IOUserNetworkPacketBufferPool,
  owner: IOService,
  capacity: number,
  queueId: number,
  dispatchQueue: IODispatchQueue,
];

/** kIOReturnBadArgument: a capacity below 1, or above what the pool has packets for. */
function createQueue<T>(
  cls: new (...parameters: QueueParameters) => T,
  ...parameters: QueueParameters
): Created<T> {
  const [pool, , capacity] = parameters;
  if (
    !Number.isInteger(capacity) ||
    capacity < 1 ||
    capacity > Math.min(largestCapacity, pool.packets.length)
  )
    return { status: IOReturns.kIOReturnBadArgument, value: null };
  return { status: IOReturns.kIOReturnSuccess, value: new cls(...parameters) };
}

/** Stack to driver: frames to send. */
export class IOUserNetworkTxSubmissionQueue extends IOUserNetworkPacketQueue {
  static create(...parameters: QueueParameters): Created<IOUserNetworkTxSubmissionQueue> {
    return createQueue(IOUserNetworkTxSubmissionQueue, ...parameters);
  }
}

/** Driver to stack: frames that were sent, or could not be. */
export class IOUserNetworkTxCompletionQueue extends IOUserNetworkPacketQueue {
  static create(...parameters: QueueParameters): Created<IOUserNetworkTxCompletionQueue> {
    return createQueue(IOUserNetworkTxCompletionQueue, ...parameters);
  }
}

/** Stack to driver: empty packets to receive into, for drivers that do not allocate their own. */
export class IOUserNetworkRxSubmissionQueue extends IOUserNetworkPacketQueue {
  static create(...parameters: QueueParameters): Created<IOUserNetworkRxSubmissionQueue> {
    return createQueue(IOUserNetworkRxSubmissionQueue, ...parameters);
  }
}

/** Driver to stack: frames that came. */
export class IOUserNetworkRxCompletionQueue extends IOUserNetworkPacketQueue {
  static create(...parameters: QueueParameters): Created<IOUserNetworkRxCompletionQueue> {
    return createQueue(IOUserNetworkRxCompletionQueue, ...parameters);
  }
}
