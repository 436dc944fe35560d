// Faults by access on a USB port: the n-th transfer of a rig is lost, late, wrong or doubled.

import type { Clock } from "../base/clock.ts";
import { hex } from "../base/text.ts";
import { type UsbHostPort, UsbStatus, UsbSubmit } from "../ports/usb-host.ts";
import { UsbHostFilter } from "../ports/usb-host-filter.ts";
import {
  type AccessFault,
  type AccessFaults,
  type AccessRow,
  defaultAccessDelayNs,
  flipBit,
} from "./access-faults.ts";

const directionIn = 0x80;

/** A transfer between its submission and its end. */
interface Transfer {
  readonly endpoint: number;
  readonly isIn: boolean;
  readonly fault: AccessFault | null;
  readonly row: AccessRow | null;
  readonly buffer: Uint8Array | null;
  readonly offset: number;
  readonly length: number;
  /** It is below; else it is ours: lost, or a double that is handed out. */
  readonly isForwarded: boolean;
  /** Submits it again, from the slot that is ours: an OUT that goes twice. */
  again: (() => boolean) | null;
  end: { readonly status: UsbStatus; readonly bytes: number } | null;
}

/**
 * Lost: the device never answers, nor anything behind it on that endpoint, until the host cancels. Late: its answer, and those
 * behind it, come afterwards. Wrong: one bit of its data. Doubled: what went out goes out a second time; what came in comes in once
 * more, in the place of the next one's answer. Same type in, same type out.
 */
export function withUsbAccessFaults(port: UsbHostPort, faults: AccessFaults, clock: Clock): UsbHostPort {
  return new FaultyUsbPort(port, faults, clock);
}

class FaultyUsbPort extends UsbHostFilter {
  override readonly slotCount: number;
  readonly #faults: AccessFaults;
  readonly #clock: Clock;
  readonly #transfers: (Transfer | null)[];
  /** By endpoint: ends that wait behind a late one, in their order. */
  readonly #late = new Map<number, number[]>();
  /** By endpoint: an answer that comes once more, and whose it was. */
  readonly #doubles = new Map<number, { readonly bytes: Uint8Array; readonly fault: AccessFault }>();
  /** The slot whose OUT goes a second time just now; -1: none. */
  #repeating = -1;
  #isGone = false;

  constructor(port: UsbHostPort, faults: AccessFaults, clock: Clock) {
    super(port);
    this.#faults = faults;
    this.#clock = clock;
    this.slotCount = port.slotCount - 1;
    this.#transfers = new Array<Transfer | null>(this.slotCount).fill(null);
  }

  override control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    const isIn = (setup[0] & directionIn) !== 0;
    const length = setup[6] | (setup[7] << 8);
    const where = (): string => `control 0x${hex(setup[1], 2)}, ${length} bytes ${isIn ? "in" : "out"}`;
    return this.#submit(slot, 0, isIn, buffer, offset, length, where, (into, given) =>
      this.port.control(into, setup, given, offset),
    );
  }

  override transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    const where = (): string => `endpoint 0x${hex(endpoint, 2)}, ${length} bytes`;
    const isIn = (endpoint & directionIn) !== 0;
    return this.#submit(slot, endpoint, isIn, buffer, offset, length, where, (into, given) =>
      this.port.transfer(into, endpoint, given ?? buffer, offset, length, stream),
    );
  }

  override cancel(slot: number): void {
    const transfer = this.#transfers[slot] ?? null;
    if (transfer === null) return;
    if (transfer.end !== null) {
      // Its answer is late: the host gives up before it comes.
      const late = this.#late.get(transfer.endpoint) ?? [];
      const at = late.indexOf(slot);
      if (at < 0) return;
      late.splice(at, 1);
      transfer.end = null;
      this.#endSoon(slot, UsbStatus.cancelled, 0);
    } else if (transfer.isForwarded) this.port.cancel(slot);
    else this.#endSoon(slot, UsbStatus.cancelled, 0);
  }

  override completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (slot === this.slotCount) {
      const whose = this.#repeating;
      this.#repeating = -1;
      if (whose >= 0) this.#ended(whose);
      return;
    }
    const transfer = this.#transfers[slot];
    if (transfer === null) return;
    const { fault, row } = transfer;
    transfer.end = { status, bytes: actualBytes };
    if (row !== null && status === UsbStatus.ok) {
      row.bytes = actualBytes;
      row.isDone = true;
    }
    if (fault !== null && status === UsbStatus.ok && this.#strikeEnd(slot, transfer, fault, actualBytes))
      return;
    const late = this.#late.get(transfer.endpoint);
    if (late === undefined) this.#ended(slot);
    else late.push(slot);
  }

  override detached(): void {
    this.#isGone = true;
    for (let slot = 0; slot < this.slotCount; slot++) {
      const transfer = this.#transfers[slot];
      if (transfer === null) continue;
      transfer.end = { status: UsbStatus.gone, bytes: 0 };
      this.#ended(slot);
    }
    super.detached();
  }

  #submit(
    slot: number,
    endpoint: number,
    isIn: boolean,
    buffer: Uint8Array | null,
    offset: number,
    length: number,
    where: () => string,
    submit: (slot: number, given: Uint8Array | null) => UsbSubmit,
  ): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (!(slot >= 0 && slot < this.slotCount) || this.#transfers[slot] !== null) return UsbSubmit.badRequest;
    const fault = this.#faults.next("transfer", where, 0, false);
    const row = this.#faults.rows?.at(-1) ?? null;
    const parts = { endpoint, isIn, fault, row, buffer, offset, length };
    const isBehind = this.#transfers.some(
      (other) => other !== null && !other.isForwarded && other.end === null && other.endpoint === endpoint,
    );
    const double = this.#doubles.get(endpoint);
    if (fault?.fault === "lost" || isBehind) {
      if (fault?.fault === "lost") this.#faults.strike(fault);
      this.#transfers[slot] = { ...parts, isForwarded: false, again: null, end: null };
      return UsbSubmit.accepted;
    }
    if (isIn && endpoint !== 0 && double !== undefined && buffer !== null) {
      this.#doubles.delete(endpoint);
      this.#faults.strike(double.fault);
      const bytes = Math.min(double.bytes.length, length);
      buffer.set(double.bytes.subarray(0, bytes), offset);
      this.#transfers[slot] = { ...parts, isForwarded: false, again: null, end: null };
      this.#endSoon(slot, UsbStatus.ok, bytes);
      return UsbSubmit.accepted;
    }
    let given = buffer;
    if (fault?.fault === "wrong" && !isIn && buffer !== null && length > 0) {
      given = buffer.slice();
      flipBit(given, offset, length, fault);
      this.#faults.strike(fault);
    }
    const submitted = submit(slot, given);
    if (submitted !== UsbSubmit.accepted) return submitted;
    // Of an IN a second one would be another question; of a control transfer it is the same one again.
    const goesTwice = fault?.fault === "doubled" && (!isIn || endpoint === 0);
    const spare = buffer === null || !isIn ? buffer : new Uint8Array(buffer.length);
    const again = goesTwice ? () => submit(this.slotCount, spare) === UsbSubmit.accepted : null;
    this.#transfers[slot] = { ...parts, isForwarded: true, again, end: null };
    return submitted;
  }

  /** True: its end waits for something. */
  #strikeEnd(slot: number, transfer: Transfer, fault: AccessFault, actualBytes: number): boolean {
    const { again, buffer, endpoint, isIn, offset } = transfer;
    if (fault.fault === "late") {
      this.#faults.strike(fault);
      if (!this.#late.has(endpoint)) this.#late.set(endpoint, []);
      this.#late.get(endpoint)?.push(slot);
      this.#clock.after(fault.delayNs ?? defaultAccessDelayNs, () => this.#release(endpoint), undefined);
      return true;
    }
    if (fault.fault === "wrong" && isIn && buffer !== null && actualBytes > 0) {
      flipBit(buffer, offset, actualBytes, fault);
      this.#faults.strike(fault);
    } else if (fault.fault === "doubled" && again !== null && this.#repeating < 0) {
      this.#faults.strike(fault);
      this.#repeating = slot;
      // Not from inside a call of the port's.
      this.#clock.after(
        0,
        () => {
          if (this.#repeating !== slot || again()) return;
          this.#repeating = -1;
          this.#ended(slot);
        },
        undefined,
      );
      return true;
    } else if (fault.fault === "doubled" && isIn && buffer !== null)
      this.#doubles.set(endpoint, { bytes: buffer.slice(offset, offset + actualBytes), fault });
    return false;
  }

  #release(endpoint: number): void {
    const slots = this.#late.get(endpoint) ?? [];
    this.#late.delete(endpoint);
    for (const slot of slots) this.#ended(slot);
  }

  #endSoon(slot: number, status: UsbStatus, bytes: number): void {
    const transfer = this.#transfers[slot];
    if (transfer === null || transfer.end !== null) return;
    transfer.end = { status, bytes };
    this.#clock.after(
      0,
      () => {
        if (this.#transfers[slot] === transfer) this.#ended(slot);
      },
      undefined,
    );
  }

  #ended(slot: number): void {
    const transfer = this.#transfers[slot];
    if (transfer?.end == null) return;
    const { status, bytes } = transfer.end;
    this.#transfers[slot] = null;
    this.client?.completed(slot, status, bytes);
  }
}
