// Isochronous endpoints of a usbredir host: packets by interval, pushes meet what waits.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { directionIn } from "../../codec/usb/setup.ts";
import { type UsbredirId, UsbredirStatus } from "../../codec/usbredir/usbredir.ts";
import type { UsbredirMessage, UsbredirPeriodicPacket } from "../../codec/usbredir/usbredir-messages.ts";
import { UsbPacketStatus, type UsbPackets, UsbStatus } from "../../ports/usb-host.ts";

/** What a host is asked to have under way: 8 packets in each of 4 transfers. */
const packetsPerTransfer = 8;
const transfers = 4;

interface Transfer {
  readonly slot: number;
  readonly buffer: Uint8Array;
  readonly packets: UsbPackets;
  /** Of the next packet. */
  offset: number;
  next: number;
  moved: number;
  isCancelled: boolean;
}

interface Stream {
  readonly address: number;
  periodNs: number;
  /** The host has been asked to, and has not been asked to stop. */
  isOn: boolean;
  /** Starts and stops that it has not answered: what comes before the last of them is of an earlier time. */
  unanswered: number;
  readonly waiting: Transfer[];
  notBeforeNs: number;
  timer: TimerHandle;
}

export interface PacketLink {
  readonly clock: Clock;
  takeId(): number;
  send(message: UsbredirMessage, id: UsbredirId): void;
}

/**
 * A stream starts with an endpoint's first transfer and is stopped when none waits any more: who asks for nothing misses what
 * comes, as on a wire. Nobody answers a packet of an OUT: its transfer is over when its intervals are.
 */
export class UsbredirPackets {
  readonly #link: PacketLink;
  readonly #complete: (slot: number, status: UsbStatus, actualBytes: number) => void;
  readonly #streams = new Map<number, Stream>();

  constructor(link: PacketLink, complete: (slot: number, status: UsbStatus, actualBytes: number) => void) {
    this.#link = link;
    this.#complete = complete;
  }

  submit(
    slot: number,
    address: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
    periodNs: number,
  ): void {
    let stream = this.#streams.get(address);
    if (stream === undefined) {
      stream = { address, periodNs, isOn: false, unanswered: 0, waiting: [], notBeforeNs: 0, timer: 0 };
      this.#streams.set(address, stream);
    }
    stream.periodNs = periodNs;
    packets.actualBytes.fill(0);
    packets.statuses.fill(UsbPacketStatus.missed);
    stream.waiting.push({ slot, buffer, packets, offset, next: 0, moved: 0, isCancelled: false });
    if (!stream.isOn) {
      stream.isOn = true;
      this.#say(stream, { kind: "startIsoStream", endpoint: address, packetsPerTransfer, transfers });
    }
    if ((address & directionIn) === 0) this.#schedule(stream);
  }

  /** True when the slot is a transfer of ours: it ends later. */
  cancel(slot: number): boolean {
    for (const stream of this.#streams.values()) {
      const transfer = stream.waiting.find((entry) => entry.slot === slot);
      if (transfer === undefined) continue;
      transfer.isCancelled = true;
      this.#link.clock.after(0, this.#dropCancelled, stream);
      return true;
    }
    return false;
  }

  /** A packet of an IN. */
  packet({ data, endpoint, status }: UsbredirPeriodicPacket): void {
    const stream = this.#streams.get(endpoint);
    if (stream === undefined || !stream.isOn || stream.unanswered > 0) return;
    const transfer = stream.waiting.find((entry) => !entry.isCancelled);
    if (transfer === undefined) return;
    const { buffer, packets } = transfer;
    const room = packets.lengths[transfer.next];
    const isWhole = status === UsbredirStatus.ok;
    const count = isWhole ? Math.min(room, data.length) : 0;
    buffer.set(data.subarray(0, count), transfer.offset);
    packets.actualBytes[transfer.next] = count;
    packets.statuses[transfer.next] = !isWhole
      ? UsbPacketStatus.damaged
      : data.length > room
        ? UsbPacketStatus.overflow
        : UsbPacketStatus.ok;
    this.#advance(stream, transfer, count);
  }

  /** The host's word on a start or a stop, or that it has stopped by itself: what waits has missed its intervals. */
  status(endpoint: number, status: number): void {
    const stream = this.#streams.get(endpoint);
    if (stream === undefined) return;
    if (stream.unanswered > 0) stream.unanswered--;
    if (status === UsbredirStatus.ok || stream.unanswered > 0) return;
    stream.isOn = false;
    this.#link.clock.cancel(stream.timer);
    stream.timer = 0;
    for (const { slot, moved } of stream.waiting.splice(0)) this.#complete(slot, UsbStatus.ok, moved);
  }

  /** Settings have changed: hosts stop their streams then. */
  beginAnew(isStale: (endpoint: number) => boolean): void {
    for (const stream of this.#streams.values()) {
      if (!isStale(stream.address)) continue;
      this.#streams.delete(stream.address);
      this.#link.clock.cancel(stream.timer);
      for (const { slot, moved } of stream.waiting.splice(0))
        this.#complete(slot, UsbStatus.cancelled, moved);
    }
  }

  /** The port ends what waits. */
  over(): void {
    for (const { timer } of this.#streams.values()) this.#link.clock.cancel(timer);
    this.#streams.clear();
  }

  #say(stream: Stream, message: UsbredirMessage): void {
    stream.unanswered++;
    this.#link.send(message, this.#link.takeId());
  }

  #schedule(stream: Stream): void {
    if (stream.timer !== 0 || stream.waiting.length === 0) return;
    const { clock } = this.#link;
    const now = clock.nowNs();
    const next = (Math.floor(now / stream.periodNs) + 1) * stream.periodNs;
    stream.timer = clock.after(Math.max(next, stream.notBeforeNs) - now, this.#sendNext, stream);
  }

  readonly #sendNext = (stream: Stream): void => {
    stream.timer = 0;
    stream.notBeforeNs = this.#link.clock.nowNs() + stream.periodNs;
    const [transfer] = stream.waiting;
    if (transfer === undefined || transfer.isCancelled) return;
    const { buffer, offset, packets } = transfer;
    const length = packets.lengths[transfer.next];
    const data = buffer.subarray(offset, offset + length);
    const endpoint = stream.address;
    this.#link.send({ kind: "isoPacket", endpoint, status: UsbredirStatus.ok, length, data }, 0);
    packets.actualBytes[transfer.next] = length;
    packets.statuses[transfer.next] = UsbPacketStatus.ok;
    this.#advance(stream, transfer, length);
    this.#schedule(stream);
  };

  #advance(stream: Stream, transfer: Transfer, count: number): void {
    const { lengths } = transfer.packets;
    transfer.offset += lengths[transfer.next++];
    transfer.moved += count;
    if (transfer.next < lengths.length) return;
    stream.waiting.splice(stream.waiting.indexOf(transfer), 1);
    this.#complete(transfer.slot, UsbStatus.ok, transfer.moved);
    this.#stopIdle(stream);
  }

  /** The client may have submitted the next one inside the completion. */
  #stopIdle(stream: Stream): void {
    if (stream.waiting.length > 0 || !stream.isOn || this.#streams.get(stream.address) !== stream) return;
    // What an OUT has sent still goes out at the host, and a stream that runs costs it nothing.
    if ((stream.address & directionIn) === 0) return;
    stream.isOn = false;
    this.#say(stream, { kind: "stopIsoStream", endpoint: stream.address });
  }

  readonly #dropCancelled = (stream: Stream): void => {
    for (const transfer of stream.waiting.filter(({ isCancelled }) => isCancelled)) {
      const at = stream.waiting.indexOf(transfer);
      // A completion may have ended the stream, and this one with it.
      if (at < 0) continue;
      stream.waiting.splice(at, 1);
      this.#complete(transfer.slot, UsbStatus.cancelled, transfer.moved);
    }
    this.#stopIdle(stream);
    if ((stream.address & directionIn) === 0) this.#schedule(stream);
  };
}
