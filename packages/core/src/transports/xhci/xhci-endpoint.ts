// One endpoint: its rings and events, and how it is stopped, reset and begun anew (xHCI 1.2 §4.6.8 ff).

import { TransferType } from "../../codec/usb/descriptors.ts";
import { directionIn } from "../../codec/usb/setup.ts";
import { describeXhciCode, highHalf, lowHalf, TrbType, trbBytes, XhciCode } from "../../codec/xhci/trb.ts";
import { UsbPacketStatus, type UsbPackets, UsbStatus } from "../../ports/usb-host.ts";
import { ProducerRing } from "./producer-ring.ts";
import type { Steps } from "./steps.ts";
import type { SharedBlock } from "./xhci-memory.ts";
import {
  type Lane,
  pushPackets,
  pushTransfer,
  type TransferTarget,
  trbsFor,
  type XhciTransfer,
} from "./xhci-transfer.ts";

/** The device that the endpoint belongs to, as the endpoint uses it. */
export interface EndpointHost {
  readonly slotId: number;
  /** Submits a command; the answer is its completion code. */
  command(type: number, low: number, high: number, status: number, control: number): Steps<number>;
  ringDoorbell(contextIndex: number, stream: number): void;
  /** Runs when what was asked before it is over: nothing else gives commands for the device meanwhile. */
  exclusive(steps: () => Steps): void;
  /** The transfer is over; its slot may be used again. */
  complete(transfer: XhciTransfer, status: UsbStatus): void;
  /** The device may have left: whoever asked is answered when that is known. True: it has. */
  hasLeft(): Steps<boolean>;
  /** The controller has said something that cannot be. */
  complain(text: string): void;
  problem(text: string): void;
}

const ringTrbs = 256;
export const ringBytes = ringTrbs * trbBytes;
/** Rings of streams are many. */
export const streamRingBytes = 64 * trbBytes;

export interface EndpointParts {
  readonly address: number;
  readonly contextIndex: number;
  readonly transferType: number;
  readonly packetBytes: number;
  /** Streams that the device has, and the controller too. */
  readonly streams: number;
  /** Bytes of one service interval. */
  readonly mostBytes: number;
  readonly block: SharedBlock;
}

export class XhciEndpoint implements TransferTarget {
  readonly address: number;
  readonly contextIndex: number;
  readonly transferType: number;
  readonly packetBytes: number;
  readonly streams: number;
  readonly mostBytes: number;
  readonly block: SharedBlock;
  /** Refuses transfers, as its host has been told of a halt. */
  isHalted = false;
  /** Rings and contexts of its streams, once it has them: stream n has the n-th ring. */
  streamBlock: SharedBlock | null = null;
  streamContexts: SharedBlock | null = null;
  streamsState: "none" | "wanted" | "ready" | "refused" = "none";
  readonly plain: Lane;
  readonly #host: EndpointHost;
  readonly #lanes = new Map<number, Lane>();
  /** Rings belong to the controller no more until it has been told where to begin. */
  #isRestarting = false;
  #needsReset = false;
  /** The controller has been told that there is no such endpoint, or will be. */
  #isDropped = false;

  constructor(host: EndpointHost, parts: EndpointParts) {
    this.#host = host;
    this.address = parts.address;
    this.contextIndex = parts.contextIndex;
    this.transferType = parts.transferType;
    this.packetBytes = parts.packetBytes;
    this.streams = parts.streams;
    this.mostBytes = parts.mostBytes;
    this.block = parts.block;
    const ring = new ProducerRing<XhciTransfer>(parts.block.bytes, parts.block.address);
    this.plain = { stream: 0, ring, queue: [], pushed: 0, isUsed: false };
  }

  get isIn(): boolean {
    return (this.address & directionIn) !== 0;
  }

  /** Most TRBs of one transfer on `stream`. */
  capacity(stream: number): number {
    return (stream === 0 ? ringTrbs : streamRingBytes / trbBytes) - 1;
  }

  *lanes(): Generator<Lane> {
    yield this.plain;
    yield* this.#lanes.values();
  }

  lane(stream: number): Lane {
    if (stream === 0) return this.plain;
    let lane = this.#lanes.get(stream);
    if (lane === undefined) {
      lane = { stream, ring: null, queue: [], pushed: 0, isUsed: false };
      this.#lanes.set(stream, lane);
    }
    return lane;
  }

  submit(transfer: XhciTransfer, lane: Lane): void {
    transfer.lane = lane;
    lane.queue.push(transfer);
    this.fill(lane);
  }

  /** As much of the queue as there is room for, and the doorbell. */
  fill(lane: Lane): void {
    const { queue, ring } = lane;
    if (ring === null || this.#isRestarting) return;
    if (this.transferType === TransferType.isochronous) {
      this.#fillPackets(lane, ring);
      return;
    }
    const before = lane.pushed;
    while (lane.pushed < queue.length) {
      const transfer = queue[lane.pushed];
      if (trbsFor(transfer) > ring.room) break;
      pushTransfer(ring, transfer);
      lane.pushed++;
    }
    if (lane.pushed === before) return;
    lane.isUsed = true;
    this.#host.ringDoorbell(this.contextIndex, lane.stream);
  }

  #fillPackets(lane: Lane, ring: ProducerRing<XhciTransfer>): void {
    const room = ring.room;
    while (lane.pushed < lane.queue.length) {
      const transfer = lane.queue[lane.pushed];
      const lengths = transfer.packets?.lengths ?? [];
      let from = 0;
      for (let index = 0; index < transfer.nextPacket; index++) from += lengths[index];
      if (!pushPackets(ring, transfer, from)) break;
      lane.pushed++;
    }
    if (ring.room === room) return;
    lane.isUsed = true;
    this.#host.ringDoorbell(this.contextIndex, lane.stream);
  }

  /**
   * What became of a packet. Those before it of which nothing was said were missed (§4.10.3.2): nothing halts, and the
   * transfer is over with its last one.
   */
  #packetEvent(lane: Lane, index: number, code: number, residual: number): void {
    const ring = lane.ring as ProducerRing<XhciTransfer>;
    const owner = ring.owners[index] as XhciTransfer;
    const packet = ring.ends[index];
    switch (code) {
      case XhciCode.stopped:
      case XhciCode.stoppedLengthInvalid:
      case XhciCode.stoppedShort:
        return;
    }
    ring.freeBefore(index);
    for (let transfer = lane.queue[0]; transfer !== undefined; transfer = lane.queue[0]) {
      const packets = transfer.packets as UsbPackets;
      const last = transfer === owner ? packet : packets.lengths.length - 1;
      while (transfer.toldPacket <= last) {
        const told = transfer.toldPacket++;
        if (transfer !== owner || told !== packet) continue;
        const { moved, status } = packetOutcome(code, packets.lengths[told] - residual);
        packets.statuses[told] = status;
        packets.actualBytes[told] = moved;
        transfer.movedBytes += moved;
      }
      if (transfer.toldPacket < packets.lengths.length) break;
      lane.queue.shift();
      if (lane.pushed > 0) lane.pushed--;
      this.#host.complete(transfer, UsbStatus.ok);
      if (transfer === owner) break;
    }
    this.fill(lane);
  }

  /** Ends it with `cancelled` unless it ends before. */
  cancel(transfer: XhciTransfer): void {
    transfer.isCancelled = true;
    this.#restart();
  }

  /** An event of a TRB at `pointer`. */
  transferEvent(pointer: number, code: number, residual: number): void {
    // §4.10.3.1: told of a ring, not of a transfer.
    if (code === XhciCode.ringUnderrun || code === XhciCode.ringOverrun) return;
    const lane = this.#laneOf(pointer);
    if (lane === null || lane.ring === null) {
      this.#host.complain(
        `a transfer event of endpoint 0x${hex(this.address)} at 0x${pointer.toString(16)}, where no ring is`,
      );
      return;
    }
    const { ring } = lane;
    const index = ring.indexOf(pointer);
    const transfer = ring.owners[index];
    if (transfer === null) {
      // A second word about a transfer that is over (§4.10.1.1), or a stop between two of them (§4.6.9).
      if (!isHarmless(code))
        this.#host.complain(`${describeXhciCode(code)} of endpoint 0x${hex(this.address)} for no transfer`);
      return;
    }
    if (this.transferType === TransferType.isochronous) {
      if (residual > ring.lengths[index])
        this.#host.complain(`${residual} of ${ring.lengths[index]} bytes are said to be left of a packet`);
      else this.#packetEvent(lane, index, code, residual);
      return;
    }
    if (transfer !== lane.queue[0]) {
      this.#host.complain(`endpoint 0x${hex(this.address)} ends its transfers out of order`);
      return;
    }
    if (
      residual > ring.lengths[index] &&
      code !== XhciCode.stoppedLengthInvalid &&
      code !== XhciCode.stoppedShort
    ) {
      this.#host.complain(
        `${residual} of ${ring.lengths[index]} bytes are said to be left at endpoint 0x${hex(this.address)}`,
      );
      this.#finish(lane, transfer, UsbStatus.protocolError, true);
      return;
    }
    this.#told(lane, transfer, index, code, residual);
  }

  #told(lane: Lane, transfer: XhciTransfer, index: number, code: number, residual: number): void {
    const ring = lane.ring as ProducerRing<XhciTransfer>;
    const isControl = this.transferType === TransferType.control;
    const isLast = index === transfer.lastTrb;
    const moved = ring.ends[index] - residual;
    switch (code) {
      case XhciCode.success:
        if (!isLast) {
          this.#host.complain(`success of endpoint 0x${hex(this.address)} in the middle of a transfer`);
          return;
        }
        // What a short packet of the data stage said stays.
        if (!transfer.isShort) transfer.movedBytes = isControl ? transfer.lengthBytes : moved;
        this.#over(lane, transfer, UsbStatus.ok);
        return;
      case XhciCode.shortPacket:
        transfer.movedBytes = moved;
        if (isControl && !isLast) {
          transfer.isShort = true;
          return;
        }
        this.#over(lane, transfer, UsbStatus.ok);
        return;
      case XhciCode.stopped:
        if (!isControl) transfer.movedBytes = Math.max(transfer.movedBytes, moved);
        return;
      case XhciCode.stoppedLengthInvalid:
        if (!isControl)
          transfer.movedBytes = Math.max(transfer.movedBytes, ring.ends[index] - ring.lengths[index]);
        return;
      case XhciCode.stoppedShort:
        // §4.6.9.1: all that the transfer has moved.
        if (!isControl && residual <= transfer.lengthBytes)
          transfer.movedBytes = Math.max(transfer.movedBytes, residual);
        return;
      case XhciCode.stall:
        transfer.movedBytes = isControl ? 0 : moved;
        this.#finish(lane, transfer, UsbStatus.stall, !isControl);
        return;
      case XhciCode.babble:
        transfer.movedBytes = moved;
        this.#finish(lane, transfer, UsbStatus.overflow, false);
        return;
      case XhciCode.transactionError:
      case XhciCode.splitTransactionError:
        transfer.movedBytes = isControl ? 0 : moved;
        // A cable that was pulled looks so before the port says it: see `restart`.
        transfer.isSilent = true;
        this.#needsReset = true;
        this.#restart();
        return;
      default:
        this.#host.complain(`${describeXhciCode(code)} of endpoint 0x${hex(this.address)}`);
        this.#finish(lane, transfer, UsbStatus.protocolError, !isControl);
    }
  }

  /** A halt: the transfer is over, and the endpoint is reset for those behind it, which meet the device as it is. */
  #finish(lane: Lane, transfer: XhciTransfer, status: UsbStatus, refusesMore: boolean): void {
    if (refusesMore) this.isHalted = true;
    this.#needsReset = true;
    this.#restart();
    this.#over(lane, transfer, status);
  }

  #over(lane: Lane, transfer: XhciTransfer, status: UsbStatus): void {
    lane.queue.shift();
    if (lane.pushed > 0) {
      lane.pushed--;
      lane.ring?.free(transfer.firstTrb, transfer.trbCount);
    }
    this.#host.complete(transfer, status);
    this.fill(lane);
  }

  #restart(): void {
    if (this.#isRestarting) return;
    this.#isRestarting = true;
    this.#host.exclusive(() => this.restart());
  }

  /** Everything of it must be found stopped before contexts change. Inside `exclusive`. */
  *stop(): Steps {
    this.#isRestarting = true;
    const isReset = this.#needsReset;
    this.#needsReset = false;
    const type = isReset ? TrbType.resetEndpoint : TrbType.stopEndpoint;
    const code = yield* this.#host.command(type, 0, 0, 0, this.contextIndex << 16);
    // Not running, or halted meanwhile: what is wanted is what it is.
    if (code !== XhciCode.success && code !== XhciCode.contextStateError)
      this.#host.problem(`endpoint 0x${hex(this.address)} would not stop: ${describeXhciCode(code)}`);
    if (this.#needsReset) yield* this.stop();
    this.#isRestarting = true;
  }

  /** Stopped and begun anew: cancelled transfers end, the others go on where they were. Inside `exclusive`. */
  *restart(): Steps {
    while (!this.#isDropped) {
      yield* this.stop();
      // All that is pending ends with `gone` then, when the port has been looked at.
      if (this.#hasEnded(({ isSilent }) => isSilent) && (yield* this.#host.hasLeft())) return;
      const used = [...this.lanes()].filter(({ isUsed }) => isUsed);
      this.rewind();
      for (const { ring, stream } of used) {
        if (ring === null || (stream === 0 && this.streamsState === "ready")) continue;
        const dequeue = ring.enqueueAddress;
        // SCT of a primary ring where there are streams (§6.4.3.9).
        const low = (lowHalf(dequeue) | (stream === 0 ? 0 : 1 << 1) | ring.cycle) >>> 0;
        const code = yield* this.#host.command(
          TrbType.setDequeue,
          low,
          highHalf(dequeue),
          stream << 16,
          this.contextIndex << 16,
        );
        if (code !== XhciCode.success)
          this.#host.problem(`endpoint 0x${hex(this.address)} cannot go on: ${describeXhciCode(code)}`);
      }
      if (!this.#needsReset && !this.#hasEnded(({ isCancelled }) => isCancelled)) {
        this.resume();
        return;
      }
    }
  }

  /** Rings are emptied, transfers that were cancelled or had no answer end, those that were under way wait again. The controller stands still. */
  rewind(): void {
    for (const lane of this.lanes()) {
      if (lane.isUsed) lane.ring?.reset();
      lane.isUsed = false;
      lane.pushed = 0;
      // What was not told yet goes into the ring once more.
      for (const transfer of lane.queue) transfer.nextPacket = transfer.toldPacket;
      const ended = lane.queue.filter(({ isCancelled, isSilent }) => isCancelled || isSilent);
      if (ended.length === 0) continue;
      const live = lane.queue.filter(({ isCancelled, isSilent }) => !isCancelled && !isSilent);
      lane.queue.splice(0, lane.queue.length, ...live);
      for (const transfer of ended) {
        if (transfer.isSilent && this.transferType !== TransferType.control) this.isHalted = true;
        this.#host.complete(transfer, transfer.isSilent ? UsbStatus.protocolError : UsbStatus.cancelled);
      }
    }
  }

  /** The controller may go on. */
  resume(): void {
    this.#isRestarting = false;
    for (const lane of this.lanes()) this.fill(lane);
  }

  /** The endpoint is no more: everything is taken out, in order. */
  drain(): XhciTransfer[] {
    this.#isRestarting = true;
    this.#isDropped = true;
    return this.takeAll();
  }

  /** Its streams are no more; what waited on them, in order. */
  dropStreams(): XhciTransfer[] {
    const all = [...this.#lanes.values()].flatMap(({ queue }) => queue);
    this.#lanes.clear();
    this.streamsState = "none";
    return all;
  }

  /** Everything that waits, in order; the controller stands still. */
  takeAll(): XhciTransfer[] {
    const all: XhciTransfer[] = [];
    for (const lane of this.lanes()) {
      all.push(...lane.queue.splice(0));
      lane.pushed = 0;
    }
    return all;
  }

  #hasEnded(isEnded: (transfer: XhciTransfer) => boolean): boolean {
    for (const { queue } of this.lanes()) if (queue.some(isEnded)) return true;
    return false;
  }

  #laneOf(pointer: number): Lane | null {
    const { plain, streamBlock } = this;
    if (plain.ring !== null && plain.ring.indexOf(pointer) >= 0) return plain;
    if (streamBlock === null) return null;
    const at = Math.floor((pointer - streamBlock.address) / streamRingBytes);
    const lane = at > 0 ? this.#lanes.get(at) : undefined;
    return lane?.ring != null && lane.ring.indexOf(pointer) >= 0 ? lane : null;
  }
}

/** §4.10.3 and §6.4.5, for an endpoint that never halts. */
function packetOutcome(code: number, moved: number): { moved: number; status: UsbPacketStatus } {
  switch (code) {
    case XhciCode.success:
    case XhciCode.shortPacket:
      return { moved, status: UsbPacketStatus.ok };
    case XhciCode.babble:
    case XhciCode.isochronousBufferOverrun:
      return { moved, status: UsbPacketStatus.overflow };
    case XhciCode.missedService:
      return { moved: 0, status: UsbPacketStatus.missed };
    default:
      return { moved: 0, status: UsbPacketStatus.damaged };
  }
}

const hex = (value: number): string => value.toString(16).padStart(2, "0");

function isHarmless(code: number): boolean {
  return (
    code === XhciCode.success ||
    code === XhciCode.shortPacket ||
    code === XhciCode.stopped ||
    code === XhciCode.stoppedLengthInvalid ||
    code === XhciCode.stoppedShort
  );
}
