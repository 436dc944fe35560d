// One transfer under way, and how it becomes TRBs: pieces that cross no boundary, control stages, what is left of it.

import { getU32le } from "../../base/bytes.ts";
import { TransferType } from "../../codec/usb/descriptors.ts";
import {
  highHalf,
  lowHalf,
  newTrb,
  SetupTransfer,
  TrbFlag,
  TrbType,
  trbBoundary,
} from "../../codec/xhci/trb.ts";
import type { DmaMapping } from "../../ports/dma.ts";
import type { UsbPackets } from "../../ports/usb-host.ts";
import type { ProducerRing } from "./producer-ring.ts";

/** The endpoint of a transfer, as the transfer knows it. */
export interface TransferTarget {
  readonly transferType: number;
  readonly packetBytes: number;
  /** Ends it with `cancelled` unless it ends before. */
  cancel(transfer: XhciTransfer): void;
}

/** A queue of an endpoint, or of one of its streams. */
export interface Lane {
  readonly stream: number;
  /** Null until its endpoint has its streams. */
  ring: ProducerRing<XhciTransfer> | null;
  /** Accepted and not over, in order: the first `pushed` are in the ring. */
  readonly queue: XhciTransfer[];
  pushed: number;
  /** Its ring has been used since the controller was last told where it begins. */
  isUsed: boolean;
}

/** Made once for each slot of a port and used again. */
export class XhciTransfer {
  readonly slot: number;
  /** Null while the slot is free. */
  endpoint: TransferTarget | null = null;
  lane: Lane | null = null;
  buffer: Uint8Array | null = null;
  mapping: DmaMapping | null = null;
  isIn = false;
  lengthBytes = 0;
  /** Of the data, known to have moved. */
  movedBytes = 0;
  /** The data stage of a control transfer has ended early: `movedBytes` holds. */
  isShort = false;
  isCancelled = false;
  /** The device did not answer, or has left. */
  isSilent = false;
  /** In the ring: from `firstTrb` on, `trbCount` of them, the last at `lastTrb`. */
  trbCount = 0;
  firstTrb = 0;
  lastTrb = 0;
  /** Isochronous only: its packets, the next to go into the ring, and the next whose end has not been told. */
  packets: UsbPackets | null = null;
  nextPacket = 0;
  toldPacket = 0;
  /** Endpoint 0 only. */
  readonly setup = new Uint8Array(8);

  constructor(slot: number) {
    this.slot = slot;
  }
}

const trb = newTrb();

/** Where `at` bytes into the mapping is for the controller, and how many bytes lie there in one piece below the boundary. */
function placeOf(mapping: DmaMapping, at: number, wanted: number): { address: number; size: number } {
  let skip = at;
  for (const { address, lengthBytes } of mapping.segments) {
    if (skip < lengthBytes) {
      const from = address + skip;
      return {
        address: from,
        size: Math.min(wanted, lengthBytes - skip, trbBoundary - (from % trbBoundary)),
      };
    }
    skip -= lengthBytes;
  }
  return { address: 0, size: wanted };
}

/**
 * As many of the packets that are left as there is room for, each a transfer descriptor of its own (§4.11.2.3), in the next
 * interval that is free. True when all are in the ring.
 */
export function pushPackets(ring: ProducerRing<XhciTransfer>, transfer: XhciTransfer, from: number): boolean {
  const packets = transfer.packets as UsbPackets;
  const { lengths } = packets;
  let at = from;
  while (transfer.nextPacket < lengths.length) {
    const index = transfer.nextPacket;
    const length = lengths[index];
    // A packet crosses at most one boundary.
    if (ring.room < 2) return false;
    let left = length;
    let type: number = TrbType.isochronous;
    do {
      const place =
        length === 0 ? { address: ring.address, size: 0 } : placeOf(transfer.mapping as DmaMapping, at, left);
      left -= place.size;
      at += place.size;
      trb.low = lowHalf(place.address);
      trb.high = highHalf(place.address);
      trb.status = place.size;
      trb.control =
        ((type << 10) |
          (left > 0 ? TrbFlag.chain : TrbFlag.interruptOnCompletion) |
          (transfer.isIn ? TrbFlag.interruptOnShort : 0) |
          (type === TrbType.isochronous ? TrbFlag.startAsap : 0)) >>>
        0;
      ring.push(trb, transfer, index, place.size);
      type = TrbType.normal;
    } while (left > 0);
    ring.handOver();
    transfer.nextPacket++;
  }
  return true;
}

/** TRBs that the bytes from `moved` on need. */
function piecesOf(mapping: DmaMapping | null, moved: number): number {
  if (mapping === null) return 0;
  let count = 0;
  let skip = moved;
  for (const { address, lengthBytes } of mapping.segments) {
    const skipped = Math.min(skip, lengthBytes);
    skip -= skipped;
    if (skipped === lengthBytes) continue;
    const first = Math.floor((address + skipped) / trbBoundary);
    const last = Math.floor((address + lengthBytes - 1) / trbBoundary);
    count += last - first + 1;
  }
  return count;
}

/** How many TRBs a transfer takes, with setup and status of a control transfer. */
export function trbsFor(transfer: XhciTransfer): number {
  const isControl = transfer.endpoint?.transferType === TransferType.control;
  const pieces = piecesOf(transfer.mapping, transfer.movedBytes);
  return isControl ? pieces + 2 : Math.max(1, pieces);
}

/** Puts it into the ring, which has room for it. */
export function pushTransfer(ring: ProducerRing<XhciTransfer>, transfer: XhciTransfer): void {
  const endpoint = transfer.endpoint as TransferTarget;
  const isControl = endpoint.transferType === TransferType.control;
  transfer.trbCount = 0;
  if (isControl) pushSetup(ring, transfer);
  const count = piecesOf(transfer.mapping, transfer.movedBytes);
  let left = count;
  let skip = transfer.movedBytes;
  let end = transfer.movedBytes;
  for (const { address, lengthBytes } of transfer.mapping?.segments ?? []) {
    const skipped = Math.min(skip, lengthBytes);
    skip -= skipped;
    for (let at = skipped; at < lengthBytes; ) {
      const from = address + at;
      const size = Math.min(lengthBytes - at, trbBoundary - (from % trbBoundary));
      at += size;
      end += size;
      left--;
      const isFirst = left === count - 1;
      const type = isControl && isFirst ? TrbType.data : TrbType.normal;
      trb.low = lowHalf(from);
      trb.high = highHalf(from);
      // TD Size (§4.11.2.4): packets that are left after this TRB.
      const packets = Math.min(31, Math.ceil((transfer.lengthBytes - end) / endpoint.packetBytes));
      trb.status = (size | (packets << 17)) >>> 0;
      trb.control =
        (type << 10) |
        (left > 0 ? TrbFlag.chain : isControl ? 0 : TrbFlag.interruptOnCompletion) |
        (transfer.isIn ? TrbFlag.interruptOnShort : 0) |
        (isControl && isFirst && transfer.isIn ? TrbFlag.directionIn : 0);
      note(ring, transfer, end, size);
    }
  }
  if (isControl) pushStatus(ring, transfer);
  else if (count === 0) {
    // A packet of no bytes needs a place all the same.
    trb.low = lowHalf(ring.address);
    trb.high = highHalf(ring.address);
    trb.status = 0;
    trb.control = (TrbType.normal << 10) | TrbFlag.interruptOnCompletion;
    note(ring, transfer, transfer.movedBytes, 0);
  }
  ring.handOver();
}

function pushSetup(ring: ProducerRing<XhciTransfer>, transfer: XhciTransfer): void {
  trb.low = getU32le(transfer.setup, 0);
  trb.high = getU32le(transfer.setup, 4);
  trb.status = 8;
  const kind =
    transfer.lengthBytes === 0 ? SetupTransfer.none : transfer.isIn ? SetupTransfer.in : SetupTransfer.out;
  trb.control = (TrbType.setup << 10) | TrbFlag.immediate | (kind << 16);
  note(ring, transfer, 0, 0);
}

/** The status stage goes the other way than the data, and IN where there are none (USB 2.0 §8.5.3). */
function pushStatus(ring: ProducerRing<XhciTransfer>, transfer: XhciTransfer): void {
  trb.low = 0;
  trb.high = 0;
  trb.status = 0;
  const isIn = transfer.lengthBytes === 0 || !transfer.isIn;
  trb.control = (TrbType.status << 10) | TrbFlag.interruptOnCompletion | (isIn ? TrbFlag.directionIn : 0);
  note(ring, transfer, transfer.lengthBytes, 0);
}

function note(ring: ProducerRing<XhciTransfer>, transfer: XhciTransfer, end: number, size: number): void {
  ring.push(trb, transfer, end, size);
  if (transfer.trbCount === 0) transfer.firstTrb = ring.lastIndex;
  transfer.trbCount++;
  transfer.lastTrb = ring.lastIndex;
}
