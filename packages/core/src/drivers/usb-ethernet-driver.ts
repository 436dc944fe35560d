// What our USB Ethernet drivers share: pool, queues, reads, writes, and the way out.

import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { ethernetHeaderBytes } from "../codec/ethernet/ethernet.ts";
import { type Endpoint, TransferType } from "../codec/usb/descriptors.ts";
import { directionIn } from "../codec/usb/setup.ts";
import { IOUserNetworkEthernet } from "../families/network/io-user-network-ethernet.ts";
import {
  type IOUserNetworkPacket,
  IOUserNetworkPacketBufferPool,
} from "../families/network/io-user-network-packet.ts";
import {
  type IOUserNetworkPacketQueue,
  IOUserNetworkRxCompletionQueue,
  IOUserNetworkRxSubmissionQueue,
  IOUserNetworkTxCompletionQueue,
  IOUserNetworkTxSubmissionQueue,
} from "../families/network/io-user-network-packet-queue.ts";
import {
  kIOUserNetworkLinkStatusActive,
  kIOUserNetworkLinkStatusInactive,
  kIOUserNetworkMediaEthernetAuto,
  kIOUserNetworkPacketDirectionRx,
  PoolFlagMapToDext,
} from "../families/network/network-constants.ts";
import type { IOUSBHostInterface } from "../families/usb/io-usb-host-interface.ts";
import { type IOUSBHostPipe, kIOUSBAbortSynchronous } from "../families/usb/io-usb-host-pipe.ts";
import type { OSAction } from "../runtime/action.ts";
import { IODispatchQueue } from "../runtime/dispatch-queue.ts";
import { cancelAndWait } from "../runtime/dispatch-source.ts";
import { IOError } from "../runtime/io-error.ts";
import {
  type Created,
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../runtime/memory.ts";
import type { IOService } from "../runtime/service.ts";

/** Largest frame with a VLAN tag, and room for a header in front of it. */
const packetBufferBytes = 2048;
/** After this many errors in a row the driver stops until the interface is enabled again. */
const errorLimit = 8;

/** What a subclass has found out when it begins. */
export interface UsbEthernetPlan {
  readonly macAddress: Uint8Array;
  /** The interface with the bulk pipes; open, in the setting that has them. */
  readonly data: IOUSBHostInterface;
  /** The interface with the interrupt pipe; `data` where it is one. */
  readonly control: IOUSBHostInterface;
  /** Bytes of a read, and of the buffer that a write is made in. */
  readonly readBytes: number;
  readonly writeBytes: number;
  /** Packets of the pool and of each queue; default 256 and 64. */
  readonly packets?: number;
  readonly capacity?: number;
  /** Reads and writes under way at once; default 2 each. */
  readonly reads?: number;
  readonly writes?: number;
}

/** A write: its buffer, its action, and the packets whose frames are in it. */
interface Write {
  readonly buffer: IOMemoryDescriptor;
  readonly action: OSAction;
  readonly packets: IOUserNetworkPacket[];
  count: number;
  /** Transfers of it under way: two where an empty packet follows. */
  parts: number;
  status: IOReturn;
}

/**
 * The shape of a USB network dext that works: an own queue under the names RxDispatchQueue and TxDispatchQueue for all of the
 * data path, the default queue for what the stack asks (driverkit-families.md §4.3). A subclass finds pipes and address, calls
 * `beginEthernet`, packs frames into writes and takes frames out of reads.
 */
export abstract class UsbEthernetDriver extends IOUserNetworkEthernet {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    TxPacketsAvailable: "TxDispatchQueue",
    TransmitComplete: "TxDispatchQueue",
    ReceiveComplete: "RxDispatchQueue",
    InterruptComplete: "RxDispatchQueue",
  };

  #data: IOUSBHostInterface | null = null;
  #control: IOUSBHostInterface | null = null;
  #dataQueue: IODispatchQueue | null = null;
  #bulkIn: IOUSBHostPipe | null = null;
  #bulkOut: IOUSBHostPipe | null = null;
  #interruptIn: IOUSBHostPipe | null = null;
  #pool: IOUserNetworkPacketBufferPool | null = null;
  #txSubmission: IOUserNetworkTxSubmissionQueue | null = null;
  #txCompletion: IOUserNetworkTxCompletionQueue | null = null;
  #rxSubmission: IOUserNetworkRxSubmissionQueue | null = null;
  #rxCompletion: IOUserNetworkRxCompletionQueue | null = null;
  readonly #reads: { readonly buffer: IOMemoryDescriptor; readonly action: OSAction; isPosted: boolean }[] =
    [];
  readonly #writes: Write[] = [];
  readonly #idleWrites: Write[] = [];
  #interruptBuffer: IOMemoryDescriptor | null = null;
  #interruptAction: OSAction | null = null;
  #availableAction: OSAction | null = null;
  #isInterruptPosted = false;
  /** A packet that did not fit into the last write. */
  #next: IOUserNetworkPacket | null = null;
  readonly #received: IOUserNetworkPacket[] = [];
  #receivedCount = 0;
  #isEnabled = false;
  #isStopping = false;
  #errors = 0;
  /** Frames for which there was no packet, and frames whose transfer failed. */
  droppedFrames = 0;

  protected get data(): IOUSBHostInterface {
    return this.#data as IOUSBHostInterface;
  }

  protected get control(): IOUSBHostInterface {
    return this.#control as IOUSBHostInterface;
  }

  protected get isEnabled(): boolean {
    return this.#isEnabled;
  }

  /** Bytes of a packet on the bulk OUT pipe. */
  protected get packetBytes(): number {
    return (this.#bulkOut?.descriptor.wMaxPacketSize ?? 0) & 0x7ff;
  }

  /** The last step of a subclass's `start`: pools, queues, actions, registration. */
  protected beginEthernet(plan: UsbEthernetPlan): void {
    const { control, data } = plan;
    this.#data = data;
    this.#control = control;
    const dataQueue = IODispatchQueue.create(this.process, "network data");
    this.#dataQueue = dataQueue;
    this.setDispatchQueue("RxDispatchQueue", dataQueue);
    this.setDispatchQueue("TxDispatchQueue", dataQueue);
    this.#usePipes(plan);
    this.#makeQueues(plan, dataQueue);
    this.registerService();
    this.#postInterrupt();
  }

  #usePipes({ control, data, readBytes, reads = 2, writeBytes, writes = 2 }: UsbEthernetPlan): void {
    const pipe = (owner: IOUSBHostInterface, type: number, isIn: boolean): IOUSBHostPipe | null => {
      const found = owner.setting.endpoints.find((endpoint) => isEndpoint(endpoint, type, isIn));
      return found === undefined ? null : owner.copyPipe(found.descriptor.bEndpointAddress);
    };
    this.#bulkIn = pipe(data, TransferType.bulk, true);
    this.#bulkOut = pipe(data, TransferType.bulk, false);
    this.#interruptIn = pipe(control, TransferType.interrupt, true);
    if (this.#bulkIn === null || this.#bulkOut === null)
      throw this.failure(
        IOReturns.kIOReturnNotFound,
        "start",
        "the data interface has no pair of bulk pipes",
      );
    for (let index = 0; index < reads; index++) {
      const buffer = data.createIOBuffer(kIOMemoryDirectionIn, readBytes);
      const action = this.createAction("ReceiveComplete", (_action, status, length) =>
        this.#readDone(index, status, length),
      );
      this.#reads.push({ buffer, action, isPosted: false });
    }
    for (let index = 0; index < writes; index++) {
      const buffer = data.createIOBuffer(kIOMemoryDirectionOut, writeBytes);
      const action = this.createAction("TransmitComplete", (_action, status) =>
        this.#writeDone(index, status),
      );
      const write: Write = { buffer, action, packets: [], count: 0, parts: 0, status: 0 };
      this.#writes.push(write);
      this.#idleWrites.push(write);
    }
    if (this.#interruptIn === null) return;
    // One packet, as it comes: a buffer that ends inside a packet would see babble.
    const packet = Math.max(1, this.#interruptIn.descriptor.wMaxPacketSize & 0x7ff);
    this.#interruptBuffer = control.createIOBuffer(kIOMemoryDirectionIn, packet);
    this.#interruptAction = this.createAction("InterruptComplete", (_action, status, length) =>
      this.#interruptDone(status, length),
    );
  }

  #makeQueues({ capacity = 64, macAddress, packets = 256 }: UsbEthernetPlan, queue: IODispatchQueue): void {
    const made = <T>({ status, value }: Created<T>, call: string): T => {
      if (value === null) throw this.failure(status, call);
      return value;
    };
    const pool = made(
      IOUserNetworkPacketBufferPool.createWithOptions(this, `${this.className} pool`, {
        packetCount: packets,
        bufferCount: packets,
        bufferSize: packetBufferBytes,
        maxBuffersPerPacket: 1,
        poolFlags: PoolFlagMapToDext,
      }),
      "IOUserNetworkPacketBufferPool.createWithOptions",
    );
    this.#pool = pool;
    const call = "IOUserNetworkPacketQueue.create";
    const txS = made(IOUserNetworkTxSubmissionQueue.create(pool, this, capacity, 0, queue), call);
    const txC = made(IOUserNetworkTxCompletionQueue.create(pool, this, packets, 0, queue), call);
    const rxS = made(IOUserNetworkRxSubmissionQueue.create(pool, this, 1, 0, queue), call);
    const rxC = made(IOUserNetworkRxCompletionQueue.create(pool, this, packets, 0, queue), call);
    this.#txSubmission = txS;
    this.#txCompletion = txC;
    this.#rxSubmission = rxS;
    this.#rxCompletion = rxC;
    this.#availableAction = this.createAction("TxPacketsAvailable", () => this.#fillWrites());
    txS.copyDataQueue().setDataAvailableHandler(this.#availableAction);
    this.registerEthernetInterface(macAddress, [txS, txC, rxS, rxC], pool, pool);
  }

  /** Rates in bits per second; 0: not known, `media` says it. */
  protected linkIs(isUp: boolean, media: number = kIOUserNetworkMediaEthernetAuto, bitsPerSecond = 0): void {
    if (bitsPerSecond > 0) this.reportDataBandwidths(bitsPerSecond, bitsPerSecond);
    this.reportLinkStatus(
      isUp ? kIOUserNetworkLinkStatusActive : kIOUserNetworkLinkStatusInactive,
      isUp ? media : kIOUserNetworkMediaEthernetAuto,
    );
  }

  /** Packing a write: `into` is its buffer. */
  protected abstract beginWrite(into: Uint8Array): void;
  /** False: it does not fit, and nothing was done. The first of a write always fits. */
  protected abstract addFrame(bytes: Uint8Array, offset: number, length: number): boolean;
  /** Answers the transfer's length. */
  protected abstract endWrite(): number;
  /** Whether an empty packet must follow a write of that length, for a device that waits for a short one. */
  protected endsWithZeroPacket(_length: number): boolean {
    return false;
  }
  /** A read came: take its frames out with `frameReceived`. */
  protected abstract readReceived(bytes: Uint8Array, length: number): void;
  /** What was kept between reads is worth nothing any more: reads were aborted, or failed. */
  protected abstract readsBroken(): void;
  /** The hardware begins or ceases to receive. On the default queue. */
  protected abstract setHardwareEnable(isEnable: boolean): Promise<void>;
  /** A notification arrived. The bytes are valid during the call. On the data queue. */
  protected interruptReceived(_bytes: Uint8Array, _length: number): void {}

  override async setInterfaceEnable(isEnable: boolean): Promise<void> {
    if (isEnable === this.#isEnabled || this.#isStopping) return;
    if (isEnable) {
      for (const queue of this.#queuesInOrder()) queue.setEnable(true);
      this.#isEnabled = true;
      if (this.#errors >= errorLimit) await this.#clearHalts();
      this.#errors = 0;
      this.readsBroken();
      await this.setHardwareEnable(true);
      this.#postReads();
      this.#postInterrupt();
      return;
    }
    // Hardware first, then what is under way, then the queues from the last to the first.
    await this.setHardwareEnable(false);
    this.#isEnabled = false;
    await this.#abortData();
    for (const queue of [...this.#queuesInOrder()].reverse()) queue.setEnable(false);
  }

  /** The driver had given up on a pipe that may be halted still: no transfer would begin on it. */
  async #clearHalts(): Promise<void> {
    for (const pipe of [this.#bulkIn, this.#bulkOut, this.#interruptIn]) {
      try {
        await pipe?.clearStall(true);
      } catch (error) {
        // What it refuses now the transfers will say.
        if (!(error instanceof IOError)) throw error;
      }
    }
  }

  /** Resolves when every completion of the data pipes has been handled. */
  async #abortData(): Promise<void> {
    await this.#bulkIn?.abort(kIOUSBAbortSynchronous);
    await this.#bulkOut?.abort(kIOUSBAbortSynchronous);
    await this.#dataQueue?.dispatchSync(() => {});
    if (this.#next !== null) this.#sent(this.#next, IOReturns.kIOReturnAborted);
    this.#next = null;
  }

  #queuesInOrder(): readonly IOUserNetworkPacketQueue[] {
    return [this.#txSubmission, this.#txCompletion, this.#rxSubmission, this.#rxCompletion].filter(
      (queue) => queue !== null,
    );
  }

  /** One frame of a read. Its packet goes up when the read has been taken apart. */
  protected frameReceived(bytes: Uint8Array, offset: number, length: number): void {
    const packet = length <= packetBufferBytes ? (this.#pool?.allocatePacket() ?? null) : null;
    if (packet === null) {
      this.droppedFrames++;
      return;
    }
    packet.prepareWithQueue(this.#rxCompletion, kIOUserNetworkPacketDirectionRx);
    packet.setDataOffsetAndLength(0, length);
    packet.setLinkHeaderLength(ethernetHeaderBytes);
    packet.setCompletionStatus(IOReturns.kIOReturnSuccess);
    const to = packet.bytes;
    const at = packet.dataAt;
    if (length <= 64) for (let index = 0; index < length; index++) to[at + index] = bytes[offset + index];
    else to.set(bytes.subarray(offset, offset + length), at);
    this.#received[this.#receivedCount++] = packet;
  }

  #handUp(): void {
    const count = this.#receivedCount;
    if (count === 0) return;
    this.#receivedCount = 0;
    const taken = this.#rxCompletion?.enqueuePackets(this.#received, count) ?? 0;
    for (let index = taken; index < count; index++) {
      this.#pool?.deallocatePacket(this.#received[index]);
      this.droppedFrames++;
    }
  }

  #postReads(): void {
    const pipe = this.#bulkIn;
    if (pipe === null || !this.#isEnabled || this.#isStopping || this.#errors >= errorLimit) return;
    for (const read of this.#reads) {
      if (read.isPosted) continue;
      const status = pipe.asyncIO(read.buffer, read.buffer.length, read.action);
      if (status !== IOReturns.kIOReturnSuccess) return;
      read.isPosted = true;
    }
  }

  #readDone(index: number, status: IOReturn, length: number): void | Promise<void> {
    const read = this.#reads[index];
    read.isPosted = false;
    if (length > 0 && this.#isEnabled) {
      this.readReceived(read.buffer.bytes, length);
      this.#handUp();
    }
    if (status === IOReturns.kIOReturnSuccess) {
      this.#errors = 0;
      this.#postReads();
      return;
    }
    this.readsBroken();
    return this.#recover(this.#bulkIn, status, () => this.#postReads());
  }

  #fillWrites(): void {
    const pipe = this.#bulkOut;
    const queue = this.#txSubmission;
    if (pipe === null || queue === null || !this.#isEnabled || this.#isStopping) return;
    while (this.#idleWrites.length > 0) {
      let packet = this.#next ?? queue.dequeuePacket();
      if (packet === null) return;
      const write = this.#idleWrites.pop() as Write;
      this.beginWrite(write.buffer.bytes);
      write.count = 0;
      do {
        if (!this.addFrame(packet.bytes, packet.dataAt, packet.getDataLength())) break;
        write.packets[write.count++] = packet;
        packet = queue.dequeuePacket();
      } while (packet !== null);
      this.#next = packet;
      const length = this.endWrite();
      write.status = pipe.asyncIO(write.buffer, length, write.action);
      if (write.status !== IOReturns.kIOReturnSuccess) {
        this.#settle(write);
        return;
      }
      write.parts = 1;
      if (!this.endsWithZeroPacket(length)) continue;
      write.status = pipe.asyncIO(write.buffer, 0, write.action);
      if (write.status !== IOReturns.kIOReturnSuccess) return;
      write.parts = 2;
    }
  }

  #writeDone(index: number, result: IOReturn): void | Promise<void> {
    const write = this.#writes[index];
    if (write.status === IOReturns.kIOReturnSuccess) write.status = result;
    write.parts--;
    if (write.parts > 0) return;
    const { status } = write;
    this.#settle(write);
    if (status === IOReturns.kIOReturnSuccess) {
      this.#fillWrites();
      return;
    }
    return this.#recover(this.#bulkOut, status, () => this.#fillWrites());
  }

  #settle(write: Write): void {
    for (let index = 0; index < write.count; index++) this.#sent(write.packets[index], write.status);
    write.count = 0;
    this.#idleWrites.push(write);
  }

  #sent(packet: IOUserNetworkPacket, status: IOReturn): void {
    packet.setCompletionStatus(status);
    if (this.#txCompletion?.enqueuePacket(packet) === IOReturns.kIOReturnSuccess) return;
    this.#pool?.deallocatePacket(packet);
    this.droppedFrames++;
  }

  #postInterrupt(): void {
    const pipe = this.#interruptIn;
    const buffer = this.#interruptBuffer;
    if (pipe === null || buffer === null || this.#isStopping || this.#isInterruptPosted) return;
    const status = pipe.asyncIO(buffer, buffer.length, this.#interruptAction as OSAction);
    this.#isInterruptPosted = status === IOReturns.kIOReturnSuccess;
  }

  #interruptDone(status: IOReturn, length: number): void | Promise<void> {
    this.#isInterruptPosted = false;
    if (length > 0 && this.#interruptBuffer !== null && !this.#isStopping)
      this.interruptReceived(this.#interruptBuffer.bytes, length);
    if (status === IOReturns.kIOReturnSuccess) {
      this.#postInterrupt();
      return;
    }
    return this.#recover(this.#interruptIn, status, () => this.#postInterrupt());
  }

  /** An abort is our own doing, a vanished device is Stop's business; a halt is cleared, with patience that ends. */
  async #recover(pipe: IOUSBHostPipe | null, status: IOReturn, again: () => void): Promise<void> {
    if (this.#isStopping || pipe === null || status === IOReturns.kIOReturnAborted) return;
    this.#errors++;
    if (this.#errors >= errorLimit) {
      this.log(
        `${this.className}: ${errorLimit} transfer errors in a row, giving up until the interface is enabled again`,
        "error",
      );
      return;
    }
    try {
      await pipe.clearStall(true);
    } catch (error) {
      if (!(error instanceof IOError)) throw error;
      return;
    }
    if (!this.#isStopping) again();
  }

  /** Aborts, waits for every cancel handler, closes, then tells the superclass: the order that Stop demands. */
  override async stop(provider: IOService): Promise<void> {
    this.#isStopping = true;
    this.#isEnabled = false;
    await this.#interruptIn?.abort(kIOUSBAbortSynchronous);
    await this.#abortData();
    await cancelAndWait(this.kernel.scheduler, [
      ...this.#queuesInOrder().map((queue) => queue.copyDataQueue()),
      this.#availableAction,
      ...this.#reads.map(({ action }) => action),
      ...this.#writes.map(({ action }) => action),
      this.#interruptAction,
    ]);
    if (this.#data !== this.#control) this.#data?.close(this);
    this.#control?.close(this);
    for (const { buffer } of [...this.#reads, ...this.#writes]) buffer.release();
    this.#interruptBuffer?.release();
    this.#dataQueue?.release();
    await super.stop(provider);
  }
}

function isEndpoint({ descriptor }: Endpoint, type: number, isIn: boolean): boolean {
  return (
    (descriptor.bmAttributes & 3) === type && ((descriptor.bEndpointAddress & directionIn) !== 0) === isIn
  );
}
