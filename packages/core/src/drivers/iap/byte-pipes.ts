// A bulk pair as a stream of bytes: one read always pending, writes one after the other, an end that waits for both.

import { IOReturns } from "../../base/io-return.ts";
import type { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { IOUSBHostPipe } from "../../families/usb/io-usb-host-pipe.ts";
import type { ActionHandler, OSAction } from "../../runtime/action.ts";
import {
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";

const bulkIn = 0x80;
const readBytes = 4096;

export interface BytePipesOwner {
  createAction(name: string, handler: ActionHandler): OSAction;
  /** Bytes came; they are the callee's. */
  came(bytes: Uint8Array): void;
  /** So many bytes have been taken by the device. */
  left(count: number): void;
  /** Once: a transfer failed, so nothing comes or goes any more. */
  over(): void;
}

export class BytePipes {
  readonly #owner: BytePipesOwner;
  readonly #usb: IOUSBHostInterface;
  readonly #in: IOUSBHostPipe;
  readonly #out: IOUSBHostPipe;
  readonly #readBuffer: IOMemoryDescriptor;
  readonly #read: OSAction;
  readonly #wrote: OSAction;
  readonly #outgoing: Uint8Array[] = [];
  #writeBuffer: IOMemoryDescriptor | null = null;
  #writing = 0;
  #isOver = false;

  private constructor(
    usb: IOUSBHostInterface,
    pipes: { readonly in: IOUSBHostPipe; readonly out: IOUSBHostPipe },
    owner: BytePipesOwner,
  ) {
    this.#usb = usb;
    this.#in = pipes.in;
    this.#out = pipes.out;
    this.#owner = owner;
    this.#readBuffer = usb.createIOBuffer(kIOMemoryDirectionIn, readBytes);
    this.#read = owner.createAction("read", (_action, status, count) => {
      if (status !== IOReturns.kIOReturnSuccess) this.#end();
      else {
        if (!this.#isOver) owner.came(this.#readBuffer.bytes.slice(0, count));
        this.#readOn();
      }
    });
    this.#wrote = owner.createAction("wrote", (_action, status) => {
      const count = this.#writing;
      this.#writing = 0;
      this.#writeBuffer?.release();
      this.#writeBuffer = null;
      if (status !== IOReturns.kIOReturnSuccess) {
        this.#end();
        return;
      }
      if (!this.#isOver) owner.left(count);
      this.#write();
    });
  }

  /** The bulk pair of the setting in force; null when it has none. Reads at once. */
  static open(usb: IOUSBHostInterface, owner: BytePipesOwner): BytePipes | null {
    let [into, out]: (IOUSBHostPipe | null)[] = [null, null];
    for (const { descriptor } of usb.setting.endpoints) {
      if ((descriptor.bmAttributes & 3) !== 2) continue;
      const pipe = usb.copyPipe(descriptor.bEndpointAddress);
      if ((descriptor.bEndpointAddress & bulkIn) !== 0) into ??= pipe;
      else out ??= pipe;
    }
    if (into === null || out === null) return null;
    const pipes = new BytePipes(usb, { in: into, out }, owner);
    pipes.#readOn();
    return pipes;
  }

  /** Bytes for the device; a copy is not made. */
  send(bytes: Uint8Array): void {
    if (this.#isOver || bytes.length === 0) return;
    this.#outgoing.push(bytes);
    this.#write();
  }

  /** Aborts both transfers; `ended` is called when neither action can be called any more. */
  async close(ended: () => void): Promise<void> {
    this.#isOver = true;
    await this.#in.abort();
    await this.#out.abort();
    let waiting = 2;
    for (const action of [this.#read, this.#wrote])
      action.cancel(() => {
        if (--waiting > 0) return;
        this.#readBuffer.release();
        this.#writeBuffer?.release();
        this.#writeBuffer = null;
        ended();
      });
  }

  #readOn(): void {
    if (this.#isOver) return;
    const status = this.#in.asyncIO(this.#readBuffer, readBytes, this.#read);
    if (status !== IOReturns.kIOReturnSuccess) this.#end();
  }

  #write(): void {
    const [next] = this.#outgoing;
    if (next === undefined || this.#writing > 0 || this.#isOver) return;
    this.#outgoing.shift();
    this.#writing = next.length;
    const buffer = this.#usb.createIOBuffer(kIOMemoryDirectionOut, next.length);
    buffer.bytes.set(next);
    this.#writeBuffer = buffer;
    const status = this.#out.asyncIO(buffer, next.length, this.#wrote);
    if (status !== IOReturns.kIOReturnSuccess) this.#end();
  }

  #end(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#owner.over();
  }
}
