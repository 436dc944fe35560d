// IOUserUSBSerial: base of USB serial drivers; it moves the bytes, a chip's driver adds the chip.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { OSAction } from "../../runtime/action.ts";
import {
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { IOUserSerial } from "../serial/io-user-serial.ts";
import type { IOUSBHostInterface } from "../usb/io-usb-host-interface.ts";
import type { IOUSBHostPipe } from "../usb/io-usb-host-pipe.ts";

/** Reads and writes kept under way, and how large each is: a multiple of every packet size. */
const readsUnderWay = 2;
const writesUnderWay = 2;
const transferBytes = 4096;
/** After this many errors in a row the driver stops reading until the port is opened again. */
const errorLimit = 8;

/** The endpoints a subclass found. `interruptIn` is optional. */
export interface UsbSerialPipes {
  readonly bulkIn: IOUSBHostPipe;
  readonly bulkOut: IOUSBHostPipe;
  readonly interruptIn: IOUSBHostPipe | null;
}

/**
 * Runs the pipes of a USB serial device (USBSerialDriverKit): reads are posted while the port is active and as long as
 * the receive ring has room for what they may bring, so nothing is lost in here; the transmit ring is drained into
 * bulk OUT. A subclass calls `usePipes` in its `start`, overrides `handleRxPacket` to strip its chip's headers and
 * `handleInterruptPacket` for notifications, and programs the chip in the `hw...` methods.
 */
export class IOUserUSBSerial extends IOUserSerial {
  #interface: IOUSBHostInterface | null = null;
  #pipes: UsbSerialPipes | null = null;
  readonly #readBuffers: IOMemoryDescriptor[] = [];
  readonly #idleReads: number[] = [];
  readonly #writeBuffers: IOMemoryDescriptor[] = [];
  readonly #idleWrites: number[] = [];
  readonly #writeLengths: number[] = [];
  #interruptBuffer: IOMemoryDescriptor | null = null;
  readonly #actions: OSAction[] = [];
  readonly #readActions: OSAction[] = [];
  readonly #writeActions: OSAction[] = [];
  #interruptAction: OSAction | null = null;
  #isActive = false;
  #isStopping = false;
  #isInterruptPosted = false;
  #errors = 0;
  /** Bytes dropped because a transfer failed. */
  lostTransmitBytes = 0;

  /** Called by the subclass's `start`, on the default queue, after the interface was opened. */
  protected usePipes(usbInterface: IOUSBHostInterface, pipes: UsbSerialPipes): void {
    this.#interface = usbInterface;
    this.#pipes = pipes;
    for (let index = 0; index < readsUnderWay; index++) {
      this.#readBuffers.push(usbInterface.createIOBuffer(kIOMemoryDirectionIn, transferBytes));
      const action = this.createAction("readComplete", (_action, status, length) =>
        this.#readDone(index, status, length),
      );
      this.#readActions.push(action);
      this.#idleReads.push(index);
    }
    for (let index = 0; index < writesUnderWay; index++) {
      this.#writeBuffers.push(usbInterface.createIOBuffer(kIOMemoryDirectionOut, transferBytes));
      const action = this.createAction("writeComplete", (_action, status, length) =>
        this.#writeDone(index, status, length),
      );
      this.#writeActions.push(action);
      this.#idleWrites.push(index);
    }
    this.#actions.push(...this.#readActions, ...this.#writeActions);
    if (pipes.interruptIn !== null) {
      // One packet, as it comes: a buffer that ends inside a packet would see babble.
      const packet = Math.max(1, pipes.interruptIn.descriptor.wMaxPacketSize & 0x7ff);
      this.#interruptBuffer = usbInterface.createIOBuffer(
        kIOMemoryDirectionIn,
        Math.ceil(8 / packet) * packet,
      );
      this.#interruptAction = this.createAction("interruptComplete", (_action, status, length) =>
        this.#interruptDone(status, length),
      );
      this.#actions.push(this.#interruptAction);
    }
  }

  protected get usbInterface(): IOUSBHostInterface {
    return this.#interface as IOUSBHostInterface;
  }

  get isActive(): boolean {
    return this.#isActive;
  }

  override async hwActivate(): Promise<void> {
    await super.hwActivate();
    this.#isActive = true;
    this.#errors = 0;
    this.#postReads();
    this.#postInterrupt();
  }

  override async hwDeactivate(): Promise<void> {
    this.#isActive = false;
    const pipes = this.#pipes;
    if (pipes !== null && !this.#isStopping) {
      await pipes.bulkIn.abort();
      await pipes.interruptIn?.abort();
    }
    await super.hwDeactivate();
  }

  override async isTransmitIdle(): Promise<boolean> {
    return this.#idleWrites.length === this.#writeBuffers.length;
  }

  override txDataAvailable(): void {
    const pipes = this.#pipes;
    if (pipes === null || this.#isStopping) return;
    let moved = false;
    while (this.#idleWrites.length > 0 && this.txRing.used > 0) {
      const index = this.#idleWrites.pop() as number;
      const buffer = this.#writeBuffers[index];
      const length = this.txRing.pull(buffer.bytes, 0, transferBytes);
      this.#writeLengths[index] = length;
      const status = pipes.bulkOut.asyncIO(buffer, length, this.#writeActions[index]);
      if (status !== IOReturns.kIOReturnSuccess) {
        this.lostTransmitBytes += length;
        this.#idleWrites.push(index);
        break;
      }
      // Room is told of only when the device took something: a device that has left must not swallow all that is written.
      moved = true;
    }
    if (moved) this.txFreeSpaceAvailable();
  }

  override rxFreeSpaceAvailable(): void {
    this.#postReads();
  }

  /**
   * Received bytes `buffer[0 .. length)`. The default keeps them all; an override removes headers in place and passes
   * the new length to super. The buffer is read into again once it has returned, or its promise is fulfilled.
   */
  protected handleRxPacket(buffer: Uint8Array, length: number): void | Promise<void> {
    const kept = this.rxRing.push(buffer, 0, length);
    if (kept < length) this.rxError(true, false, false, false);
    if (kept > 0) this.rxDataAvailable();
  }

  /** A notification arrived. The bytes are valid during the call, or until its promise is fulfilled. */
  protected handleInterruptPacket(_packet: Uint8Array, _length: number): void | Promise<void> {}

  /** Aborts, waits for every cancel handler, closes, then tells the superclass: the order that Stop demands. */
  override async stop(provider: IOService): Promise<void> {
    this.#isStopping = true;
    this.#isActive = false;
    const pipes = this.#pipes;
    if (pipes !== null) {
      await pipes.bulkIn.abort();
      await pipes.bulkOut.abort();
      await pipes.interruptIn?.abort();
    }
    let waiting = this.#actions.length;
    const finish = () => {
      this.#interface?.close(this);
      for (const buffer of [...this.#readBuffers, ...this.#writeBuffers]) buffer.release();
      this.#interruptBuffer?.release();
      return super.stop(provider);
    };
    if (waiting === 0) {
      await finish();
      return;
    }
    for (const action of this.#actions) {
      action.cancel(() => {
        waiting--;
        if (waiting === 0) this.defaultQueue.dispatchAsync(finish);
      });
    }
  }

  /** Room is promised to every read under way before another is posted. */
  #postReads(): void {
    const pipes = this.#pipes;
    if (pipes === null || !this.#isActive || this.#errors >= errorLimit) return;
    while (this.#idleReads.length > 0) {
      const promised = (readsUnderWay - this.#idleReads.length) * transferBytes;
      if (this.rxRing.free < promised + transferBytes) return;
      const index = this.#idleReads.pop() as number;
      const status = pipes.bulkIn.asyncIO(this.#readBuffers[index], transferBytes, this.#readActions[index]);
      if (status !== IOReturns.kIOReturnSuccess) {
        this.#idleReads.push(index);
        return;
      }
    }
  }

  #readDone(index: number, status: IOReturn, length: number): void | Promise<void> {
    if (length > 0 && this.#isActive) {
      const handling = this.handleRxPacket(this.#readBuffers[index].bytes, length);
      if (handling !== undefined) return handling.then(() => this.#readHandled(index, status));
    }
    return this.#readHandled(index, status);
  }

  #readHandled(index: number, status: IOReturn): void | Promise<void> {
    this.#idleReads.push(index);
    if (status === IOReturns.kIOReturnSuccess) {
      this.#errors = 0;
      this.#postReads();
      return;
    }
    return this.#recover(this.#pipes?.bulkIn ?? null, status, () => this.#postReads());
  }

  #writeDone(index: number, status: IOReturn, length: number): void | Promise<void> {
    this.#idleWrites.push(index);
    if (status === IOReturns.kIOReturnSuccess) {
      this.txDataAvailable();
      if (this.txRing.used === 0) this.txFreeSpaceAvailable();
      return;
    }
    this.lostTransmitBytes += this.#writeLengths[index] - length;
    return this.#recover(this.#pipes?.bulkOut ?? null, status, () => this.txDataAvailable());
  }

  #interruptDone(status: IOReturn, length: number): void | Promise<void> {
    const buffer = this.#interruptBuffer;
    if (length > 0 && buffer !== null && this.#isActive) {
      const handling = this.handleInterruptPacket(buffer.bytes, length);
      if (handling !== undefined) return handling.then(() => this.#interruptHandled(status));
    }
    return this.#interruptHandled(status);
  }

  #interruptHandled(status: IOReturn): void | Promise<void> {
    this.#isInterruptPosted = false;
    if (status === IOReturns.kIOReturnSuccess) {
      this.#postInterrupt();
      return;
    }
    return this.#recover(this.#pipes?.interruptIn ?? null, status, () => this.#postInterrupt());
  }

  #postInterrupt(): void {
    const pipe = this.#pipes?.interruptIn ?? null;
    const buffer = this.#interruptBuffer;
    if (pipe === null || buffer === null || !this.#isActive || this.#isInterruptPosted) return;
    const status = pipe.asyncIO(buffer, buffer.length, this.#interruptAction as OSAction);
    this.#isInterruptPosted = status === IOReturns.kIOReturnSuccess;
  }

  /** An abort is our own doing, a vanished device is Stop's business; a halt is cleared, with patience that ends. */
  async #recover(pipe: IOUSBHostPipe | null, status: IOReturn, again: () => void): Promise<void> {
    if (this.#isStopping || pipe === null || status === IOReturns.kIOReturnAborted) {
      if (this.#isActive && !this.#isStopping) again();
      return;
    }
    this.#errors++;
    if (this.#errors >= errorLimit) {
      this.log(
        `${this.className}: ${errorLimit} transfer errors in a row, giving up until the port is reopened`,
        "error",
      );
      return;
    }
    try {
      await pipe.clearStall(true);
    } catch {
      return;
    }
    if (this.#isActive && !this.#isStopping) again();
  }
}
