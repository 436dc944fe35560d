// Requests on a UsbHostPort, each with a callback of its own: hands out slots and keeps queues when they run out.

import {
  type UsbHostClient,
  type UsbHostPort,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";

/** Called once per request; inside the submitting call only when the port refused it. */
export type RequestDone = (status: UsbStatus, actualBytes: number) => void;

/** A request under way. */
export interface PortRequest {
  /** 8 bytes, or null for a data transfer. */
  readonly setup: Uint8Array | null;
  /** Address with direction bit; 0 for a control request. */
  readonly endpoint: number;
  readonly buffer: Uint8Array;
  /** Of an isochronous transfer; null: another kind. */
  readonly packets: UsbPackets | null;
  readonly done: RequestDone;
  /** -1 while it waits for a slot. */
  slot: number;
}

/** A refusal in terms of a completion: a halted endpoint would stall again. */
const refusals: Readonly<Record<number, UsbStatus>> = {
  [UsbSubmit.gone]: UsbStatus.gone,
  [UsbSubmit.halted]: UsbStatus.stall,
};

/** Slots that data transfers leave free: reads that wait for ever must not keep control requests from the device. */
const slotsForControl = 4;

export class PortRequests implements UsbHostClient {
  readonly #port: UsbHostPort;
  readonly #onDetached: () => void;
  readonly #free: number[] = [];
  readonly #bySlot: (PortRequest | null)[];
  readonly #waitingControl: PortRequest[] = [];
  readonly #waitingData: PortRequest[] = [];

  /** Connects to `port`. `onDetached` comes after the last completion. */
  constructor(port: UsbHostPort, onDetached: () => void) {
    this.#port = port;
    this.#onDetached = onDetached;
    for (let slot = port.slotCount - 1; slot >= 0; slot--) this.#free.push(slot);
    this.#bySlot = new Array<PortRequest | null>(port.slotCount).fill(null);
    port.connect(this);
  }

  get locationId(): number {
    return this.#port.locationId;
  }

  /** `buffer` is the data stage, all of it: its length must be wLength. */
  control(setup: Uint8Array, buffer: Uint8Array, done: RequestDone): PortRequest {
    return this.#begin({ setup, endpoint: 0, buffer, packets: null, done, slot: -1 }, this.#waitingControl);
  }

  transfer(endpoint: number, buffer: Uint8Array, done: RequestDone): PortRequest {
    return this.#begin({ setup: null, endpoint, buffer, packets: null, done, slot: -1 }, this.#waitingData);
  }

  /** What became of each packet stands in `packets` when `done` is called. */
  isochronous(endpoint: number, buffer: Uint8Array, packets: UsbPackets, done: RequestDone): PortRequest {
    return this.#begin({ setup: null, endpoint, buffer, packets, done, slot: -1 }, this.#waitingData);
  }

  /** `done` comes with `cancelled`: at once while the request waits for a slot, otherwise later, unless it ends first. */
  cancel(request: PortRequest): void {
    const waiting = request.setup === null ? this.#waitingData : this.#waitingControl;
    const at = waiting.indexOf(request);
    if (at >= 0) {
      waiting.splice(at, 1);
      request.done(UsbStatus.cancelled, 0);
    } else if (request.slot >= 0 && this.#bySlot[request.slot] === request) {
      this.#port.cancel(request.slot);
    }
  }

  clearHalt(endpoint: number): void {
    this.#port.clearHalt(endpoint);
  }

  reset(): void {
    this.#port.reset();
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const request = this.#bySlot[slot];
    if (request === null) return;
    this.#bySlot[slot] = null;
    this.#free.push(slot);
    request.done(status, actualBytes);
    this.#submitWaiting(this.#waitingControl);
    this.#submitWaiting(this.#waitingData);
  }

  detached(): void {
    const waiting = [...this.#waitingControl.splice(0), ...this.#waitingData.splice(0)];
    for (const request of waiting) request.done(UsbStatus.gone, 0);
    this.#onDetached();
  }

  #begin(request: PortRequest, waiting: PortRequest[]): PortRequest {
    if (waiting.length > 0 || !this.#submit(request)) waiting.push(request);
    return request;
  }

  #submitWaiting(waiting: PortRequest[]): void {
    while (waiting.length > 0 && this.#submit(waiting[0])) waiting.shift();
  }

  /** False when there is no slot now. */
  #submit(request: PortRequest): boolean {
    const { setup } = request;
    const least = setup === null ? slotsForControl : 0;
    if (this.#free.length <= least) return false;
    const slot = this.#free.pop() as number;
    const verdict = this.#submitTo(slot, request);
    if (verdict === UsbSubmit.accepted) {
      request.slot = slot;
      this.#bySlot[slot] = request;
      return true;
    }
    this.#free.push(slot);
    const isAlone = this.#free.length === this.#bySlot.length;
    if (verdict === UsbSubmit.busy && !isAlone) return false;
    // Those before it on the halted endpoint are told first.
    if (verdict === UsbSubmit.halted && this.#bySlot.some((other) => other?.endpoint === request.endpoint))
      return false;
    request.done(refusals[verdict] ?? UsbStatus.protocolError, 0);
    return true;
  }

  #submitTo(slot: number, { buffer, endpoint, packets, setup }: PortRequest): UsbSubmit {
    if (setup !== null) return this.#port.control(slot, setup, buffer, 0);
    if (packets !== null) return this.#port.isochronous(slot, endpoint, buffer, 0, packets);
    return this.#port.transfer(slot, endpoint, buffer, 0, buffer.length);
  }
}
