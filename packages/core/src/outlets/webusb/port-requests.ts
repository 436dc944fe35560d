// Requests on a UsbHostPort, each with a callback of its own: hands out slots and keeps a queue when they run out.

import { type UsbHostClient, type UsbHostPort, UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";

/** Called once per request; inside the submitting call only when the port refused it. */
export type RequestDone = (status: UsbStatus, actualBytes: number) => void;

/** A request under way. */
export interface PortRequest {
  /** 8 bytes, or null for a data transfer. */
  readonly setup: Uint8Array | null;
  /** Address with direction bit; 0 for a control request. */
  readonly endpoint: number;
  readonly buffer: Uint8Array;
  readonly done: RequestDone;
  /** -1 while it waits for a slot. */
  slot: number;
}

/** A refusal in terms of a completion: a halted endpoint would stall again. */
const refusals: Readonly<Record<number, UsbStatus>> = {
  [UsbSubmit.gone]: UsbStatus.gone,
  [UsbSubmit.halted]: UsbStatus.stall,
};

export class PortRequests implements UsbHostClient {
  readonly #port: UsbHostPort;
  readonly #onDetached: () => void;
  readonly #free: number[] = [];
  readonly #bySlot: (PortRequest | null)[];
  readonly #waiting: PortRequest[] = [];
  readonly #idleListeners: (() => void)[] = [];
  #underway = 0;
  #isGone = false;

  /** Connects to `port`. `onDetached` comes after the last completion. */
  constructor(port: UsbHostPort, onDetached: () => void) {
    this.#port = port;
    this.#onDetached = onDetached;
    for (let slot = port.slotCount - 1; slot >= 0; slot--) this.#free.push(slot);
    this.#bySlot = new Array<PortRequest | null>(port.slotCount).fill(null);
    port.connect(this);
  }

  /** The device has left, as far as anybody could notice. */
  get isGone(): boolean {
    return this.#isGone;
  }

  /** `buffer` is the data stage, all of it: its length must be wLength. */
  control(setup: Uint8Array, buffer: Uint8Array, done: RequestDone): PortRequest {
    return this.#begin({ setup, endpoint: 0, buffer, done, slot: -1 });
  }

  transfer(endpoint: number, buffer: Uint8Array, done: RequestDone): PortRequest {
    return this.#begin({ setup: null, endpoint, buffer, done, slot: -1 });
  }

  /** `done` comes later with `cancelled`, unless the request was over before. */
  cancel(request: PortRequest): void {
    const at = this.#waiting.indexOf(request);
    if (at >= 0) {
      this.#waiting.splice(at, 1);
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

  /** Calls `run` when no request is under way; at once when that is so now. */
  whenIdle(run: () => void): void {
    if (this.#underway === 0) run();
    else this.#idleListeners.push(run);
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    const request = this.#bySlot[slot];
    if (request === null) return;
    this.#bySlot[slot] = null;
    this.#free.push(slot);
    this.#underway--;
    if (status === UsbStatus.gone) this.#isGone = true;
    request.done(status, actualBytes);
    this.#submitWaiting();
    if (this.#underway === 0) for (const run of this.#idleListeners.splice(0)) run();
  }

  detached(): void {
    this.#isGone = true;
    for (const request of this.#waiting.splice(0)) request.done(UsbStatus.gone, 0);
    for (const run of this.#idleListeners.splice(0)) run();
    this.#onDetached();
  }

  #begin(request: PortRequest): PortRequest {
    if (this.#waiting.length > 0 || !this.#submit(request)) this.#waiting.push(request);
    return request;
  }

  #submitWaiting(): void {
    while (this.#waiting.length > 0 && this.#free.length > 0) {
      const request = this.#waiting[0];
      if (!this.#submit(request)) return;
      this.#waiting.shift();
    }
  }

  /** False when there is no slot now. */
  #submit(request: PortRequest): boolean {
    const slot = this.#free.pop();
    if (slot === undefined) return false;
    const { setup, buffer } = request;
    const verdict =
      setup === null
        ? this.#port.transfer(slot, request.endpoint, buffer, 0, buffer.length)
        : this.#port.control(slot, setup, buffer, 0);
    if (verdict === UsbSubmit.accepted) {
      request.slot = slot;
      this.#bySlot[slot] = request;
      this.#underway++;
      return true;
    }
    this.#free.push(slot);
    if (verdict === UsbSubmit.busy && this.#underway > 0) return false;
    if (verdict === UsbSubmit.gone) this.#isGone = true;
    request.done(refusals[verdict] ?? UsbStatus.protocolError, 0);
    return true;
  }
}
