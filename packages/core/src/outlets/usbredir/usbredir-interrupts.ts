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
  /** Counts how often the endpoint began anew: what was read before that is nobody's. */
  era: number;
  /** Reports whose reads were over when the guest had stopped: at most as many as there are reads. */
  kept: { readonly buffer: Uint8Array; readonly length: number }[];
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
 * does the device, which loses nothing. Nor does stopping lose anything: a report that its read had already when the
 * guest stopped is the first one after the next start, unless the endpoint has begun anew in between.
 */
export class InterruptReceivers {
  readonly #options: InterruptOptions;
  readonly #receivers: Receiver[] = [];
  readonly #isBusy = new Uint8Array(interruptSlots);
  readonly #buffers = new Array<Uint8Array | null>(interruptSlots).fill(null);
  readonly #eras = new Uint32Array(interruptSlots);
  #isHeld = false;

  constructor(options: InterruptOptions) {
    this.#options = options;
    for (let number = 1; number <= endpointCount; number++) {
      this.#receivers.push({ isOn: false, nextId: 0, packetBytes: 0, era: 0, kept: [] });
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

  /** The guest was told of the start: what was kept for it follows. */
  deliverKept(endpoint: number): void {
    const receiver = this.#receivers[(endpoint & 0x0f) - 1];
    if (!receiver.isOn) return;
    for (const { buffer, length } of receiver.kept.splice(0)) this.#report(endpoint, buffer, length);
  }

  /** Stops every endpoint that `isStale` says has begun anew, and forgets what came from it. */
  stopWhere(isStale: (endpoint: number) => boolean): void {
    for (let number = 1; number <= endpointCount; number++) {
      if (!isStale(0x80 | number)) continue;
      this.stop(0x80 | number);
      const receiver = this.#receivers[number - 1];
      receiver.era++;
      receiver.kept.length = 0;
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
    const isOurs = receiver.era === this.#eras[slot];
    // Bytes that had come when a read was cancelled are a report's beginning: they are not to be had again.
    const isReport = status === UsbStatus.ok || (status === UsbStatus.cancelled && actualBytes > 0);
    if (isReport && isOurs) {
      if (receiver.isOn) this.#report(0x80 | number, buffer, actualBytes);
      else receiver.kept.push({ buffer, length: actualBytes });
    }
    if (!receiver.isOn || status === UsbStatus.gone) return;
    const isFailure = status !== UsbStatus.ok && status !== UsbStatus.cancelled;
    if (isFailure && isOurs) {
      this.#end(0x80 | number, status === UsbStatus.stall ? UsbredirStatus.stall : UsbredirStatus.ioError);
      return;
    }
    this.#refill(number);
  }

  #report(endpoint: number, buffer: Uint8Array, length: number): void {
    const { capabilities } = this.#options;
    const receiver = this.#receivers[(endpoint & 0x0f) - 1];
    const packet = {
      kind: "interruptPacket",
      endpoint,
      status: UsbredirStatus.ok,
      length,
      data: buffer,
    } as const;
    writeUsbredirData(buffer, packet, length, receiver.nextId, capabilities);
    receiver.nextId = (receiver.nextId + 1) % 0x1_0000_0000;
    this.#options.write(buffer.subarray(0, usbredirDataOffset("interruptPacket", capabilities) + length));
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
      this.#eras[slot] = this.#receivers[number - 1].era;
    }
    return UsbredirStatus.ok;
  }
}
