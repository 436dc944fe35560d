// Interrupt IN endpoints of a usbredir device: the host keeps reading and pushes what comes.

import { UsbredirStatus } from "../../codec/usbredir/usbredir.ts";
import { usbredirDataOffset, writeUsbredirData } from "../../codec/usbredir/usbredir-messages.ts";
import { type UsbHostPort, UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";

/** Reads under way per endpoint: the next one waits while the guest is told of the last. */
const depth = 2;
const endpointCount = 15;
/** Slots 0 to here belong to interrupt endpoints 1 to 15. */
export const interruptSlots = depth * endpointCount;

interface Receiver {
  isOn: boolean;
  /** Number of the next packet, from 0 at each start. */
  nextId: number;
  packetBytes: number;
}

export interface InterruptOptions {
  readonly port: UsbHostPort;
  readonly capabilities: number;
  /** A whole packet. */
  readonly write: (bytes: Uint8Array) => void;
  /** Receiving has ended by itself. */
  readonly onStopped: (endpoint: number, status: UsbredirStatus) => void;
}

/**
 * Reads are submitted again from their own completion, unless the guest is behind: then they wait for `resume`, and so
 * does the device, which NAKs nothing and loses nothing.
 */
export class InterruptReceivers {
  readonly #options: InterruptOptions;
  readonly #receivers: Receiver[] = [];
  readonly #isBusy = new Uint8Array(interruptSlots);
  readonly #buffers = new Array<Uint8Array | null>(interruptSlots).fill(null);
  #isHeld = false;

  constructor(options: InterruptOptions) {
    this.#options = options;
    for (let number = 1; number <= endpointCount; number++) {
      this.#receivers.push({ isOn: false, nextId: 0, packetBytes: 0 });
    }
  }

  /** Answers how the start went. An endpoint that is being read already goes on. */
  start(endpoint: number, packetBytes: number): UsbredirStatus {
    const receiver = this.#receivers[(endpoint & 0x0f) - 1];
    if (receiver.isOn) return UsbredirStatus.ok;
    receiver.isOn = true;
    receiver.nextId = 0;
    receiver.packetBytes = packetBytes;
    const refusal = this.#fill(endpoint & 0x0f);
    if (refusal !== UsbredirStatus.ok) this.stop(endpoint);
    return refusal;
  }

  stop(endpoint: number): void {
    const number = endpoint & 0x0f;
    const receiver = this.#receivers[number - 1];
    if (!receiver.isOn) return;
    receiver.isOn = false;
    for (let slot = (number - 1) * depth; slot < number * depth; slot++) {
      if (this.#isBusy[slot] === 1) this.#options.port.cancel(slot);
    }
  }

  /** Stops every endpoint that `isStale` says has begun anew. */
  stopWhere(isStale: (endpoint: number) => boolean): void {
    for (let number = 1; number <= endpointCount; number++) {
      if (this.#receivers[number - 1].isOn && isStale(0x80 | number)) this.stop(0x80 | number);
    }
  }

  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
    for (let number = 1; number <= endpointCount; number++) {
      if (this.#receivers[number - 1].isOn) this.#refill(number);
    }
  }

  /** A read of one of our slots is over. */
  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    this.#isBusy[slot] = 0;
    const buffer = this.#buffers[slot] as Uint8Array;
    this.#buffers[slot] = null;
    const number = Math.floor(slot / depth) + 1;
    const receiver = this.#receivers[number - 1];
    if (!receiver.isOn || status === UsbStatus.gone) return;
    const endpoint = 0x80 | number;
    if (status === UsbStatus.ok) {
      const { capabilities } = this.#options;
      const packet = {
        kind: "interruptPacket",
        endpoint,
        status: UsbredirStatus.ok,
        length: actualBytes,
        data: buffer,
      } as const;
      writeUsbredirData(buffer, packet, actualBytes, receiver.nextId, capabilities);
      receiver.nextId = (receiver.nextId + 1) % 0x1_0000_0000;
      this.#options.write(
        buffer.subarray(0, usbredirDataOffset("interruptPacket", capabilities) + actualBytes),
      );
    } else if (status !== UsbStatus.cancelled) {
      this.#end(endpoint, status === UsbStatus.stall ? UsbredirStatus.stall : UsbredirStatus.ioError);
      return;
    }
    this.#refill(number);
  }

  #refill(number: number): void {
    const refusal = this.#fill(number);
    if (refusal !== UsbredirStatus.ok) this.#end(0x80 | number, refusal);
  }

  #end(endpoint: number, status: UsbredirStatus): void {
    this.stop(endpoint);
    this.#options.onStopped(endpoint, status);
  }

  #fill(number: number): UsbredirStatus {
    const { port, capabilities } = this.#options;
    const at = usbredirDataOffset("interruptPacket", capabilities);
    const { packetBytes } = this.#receivers[number - 1];
    for (let slot = (number - 1) * depth; slot < number * depth; slot++) {
      if (this.#isBusy[slot] === 1 || this.#isHeld) continue;
      const buffer = new Uint8Array(at + packetBytes);
      const submitted = port.transfer(slot, 0x80 | number, buffer, at, packetBytes);
      if (submitted === UsbSubmit.gone) return UsbredirStatus.ok;
      if (submitted !== UsbSubmit.accepted) {
        return submitted === UsbSubmit.halted ? UsbredirStatus.stall : UsbredirStatus.ioError;
      }
      this.#isBusy[slot] = 1;
      this.#buffers[slot] = buffer;
    }
    return UsbredirStatus.ok;
  }
}
