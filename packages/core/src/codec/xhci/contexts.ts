// xHCI 1.2 §6.2: slot, endpoint, stream and input contexts, as values and as bytes.

import { getU32le, putU32le } from "../../base/bytes.ts";
import { TransferType } from "../usb/descriptors.ts";
import { directionIn } from "../usb/setup.ts";
import { UsbSpeed } from "../usb/usb-speed.ts";
import { XhciSpeed } from "./registers.ts";
import { addressOf, highHalf, lowHalf } from "./trb.ts";

/** A device context: the slot's, then 31 endpoints'. An input context has one more in front (§6.2.5). */
export const contextsOfDevice = 32;
export const contextsOfInput = 33;
export const streamContextBytes = 16;

/** §6.2.2, table 6-7. */
export const SlotState = { disabled: 0, default: 1, addressed: 2, configured: 3 } as const;

export interface SlotContext {
  readonly speed: number;
  /** Context index of the last endpoint that is valid. */
  readonly lastContext: number;
  readonly rootPort: number;
  readonly route: number;
  /** From the controller. */
  readonly address: number;
  readonly state: number;
}

export function writeSlotContext(
  bytes: Uint8Array,
  offset: number,
  slot: Pick<SlotContext, "speed" | "lastContext" | "rootPort" | "route">,
): void {
  putU32le(
    bytes,
    offset,
    ((slot.route & 0xf_ffff) | ((slot.speed & 0xf) << 20) | (slot.lastContext << 27)) >>> 0,
  );
  putU32le(bytes, offset + 4, (slot.rootPort & 0xff) << 16);
  putU32le(bytes, offset + 8, 0);
  putU32le(bytes, offset + 12, 0);
}

export function readSlotContext(bytes: Uint8Array, offset: number): SlotContext {
  const first = getU32le(bytes, offset);
  const last = getU32le(bytes, offset + 12);
  return {
    route: first & 0xf_ffff,
    speed: (first >>> 20) & 0xf,
    lastContext: first >>> 27,
    rootPort: (getU32le(bytes, offset + 4) >>> 16) & 0xff,
    address: last & 0xff,
    state: last >>> 27,
  };
}

/** The dword that only a controller writes: address and state. */
export function putSlotState(bytes: Uint8Array, offset: number, address: number, state: number): void {
  putU32le(bytes, offset + 12, ((address & 0xff) | (state << 27)) >>> 0);
}

/** §6.2.3, table 6-8. */
export const EndpointState = { disabled: 0, running: 1, halted: 2, stopped: 3, error: 4 } as const;

/** Type 4 is control; others count from 1 for OUT and 5 for IN, in the order isochronous, bulk, interrupt. */
export function endpointTypeOf(endpointAddress: number, transferType: number): number {
  if (transferType === TransferType.control) return 4;
  return transferType + ((endpointAddress & directionIn) !== 0 ? 4 : 0);
}

export interface EndpointContext {
  readonly state: number;
  readonly mult: number;
  /** log2 of the size of the primary stream array, minus 1; 0 is no streams. */
  readonly streamsLog2: number;
  /** 2^interval times 125 us. */
  readonly interval: number;
  readonly errorCount: number;
  readonly type: number;
  readonly burst: number;
  readonly packetBytes: number;
  /** Of the ring, or of the array of stream contexts. */
  readonly dequeue: number;
  readonly dequeueCycle: number;
  readonly averageBytes: number;
  readonly payloadBytes: number;
}

export function writeEndpointContext(bytes: Uint8Array, offset: number, context: EndpointContext): void {
  const { burst, dequeue, dequeueCycle, errorCount, interval, mult, packetBytes, streamsLog2, type } =
    context;
  // LSA (bit 15): the primary array is all there is.
  const linear = streamsLog2 > 0 ? 0x8000 : 0;
  putU32le(
    bytes,
    offset,
    (context.state |
      (mult << 8) |
      (streamsLog2 << 10) |
      linear |
      (interval << 16) |
      ((context.payloadBytes >>> 16) << 24)) >>>
      0,
  );
  putU32le(bytes, offset + 4, ((errorCount << 1) | (type << 3) | (burst << 8) | (packetBytes << 16)) >>> 0);
  putU32le(bytes, offset + 8, (lowHalf(dequeue) | dequeueCycle) >>> 0);
  putU32le(bytes, offset + 12, highHalf(dequeue));
  putU32le(
    bytes,
    offset + 16,
    ((context.averageBytes & 0xffff) | ((context.payloadBytes & 0xffff) << 16)) >>> 0,
  );
}

export function readEndpointContext(bytes: Uint8Array, offset: number): EndpointContext {
  const first = getU32le(bytes, offset);
  const second = getU32le(bytes, offset + 4);
  const dequeueLow = getU32le(bytes, offset + 8);
  const lengths = getU32le(bytes, offset + 16);
  return {
    state: first & 7,
    mult: (first >>> 8) & 3,
    streamsLog2: (first >>> 10) & 0x1f,
    interval: (first >>> 16) & 0xff,
    errorCount: (second >>> 1) & 3,
    type: (second >>> 3) & 7,
    burst: (second >>> 8) & 0xff,
    packetBytes: second >>> 16,
    dequeue: addressOf(dequeueLow & ~0xf, getU32le(bytes, offset + 12)),
    dequeueCycle: dequeueLow & 1,
    averageBytes: lengths & 0xffff,
    payloadBytes: ((first >>> 24) << 16) | (lengths >>> 16),
  };
}

/** §6.2.4.1: a transfer ring of the primary array. */
export function writeStreamContext(bytes: Uint8Array, offset: number, ring: number, cycle: number): void {
  putU32le(bytes, offset, (lowHalf(ring) | (1 << 1) | cycle) >>> 0);
  putU32le(bytes, offset + 4, highHalf(ring));
  putU32le(bytes, offset + 8, 0);
  putU32le(bytes, offset + 12, 0);
}

/** What an endpoint's descriptor says, as far as a context needs it. */
export interface EndpointShape {
  readonly address: number;
  readonly transferType: number;
  readonly wMaxPacketSize: number;
  readonly bInterval: number;
  /** SuperSpeed companion; null below. */
  readonly companion: {
    readonly bMaxBurst: number;
    readonly bmAttributes: number;
    readonly wBytesPerInterval: number;
  } | null;
}

/** §6.2.3 and §4.14: an input context's endpoint, from descriptors. The dequeue pointer is the caller's to add. */
export function endpointContextFor(
  speed: UsbSpeed,
  shape: EndpointShape,
): Omit<EndpointContext, "dequeue" | "dequeueCycle" | "streamsLog2"> {
  const { companion, transferType, wMaxPacketSize } = shape;
  const packetBytes = wMaxPacketSize & 0x7ff;
  const isPeriodic = transferType === TransferType.isochronous || transferType === TransferType.interrupt;
  const isSuper = speed >= UsbSpeed.super;
  // USB 2.0 §9.6.6: additional transactions of a high-speed microframe.
  const perInterval = speed === UsbSpeed.high && isPeriodic ? (wMaxPacketSize >>> 11) & 3 : 0;
  const burst = isSuper ? (companion?.bMaxBurst ?? 0) & 0xf : perInterval;
  const isIsochronous = transferType === TransferType.isochronous;
  const mult = isSuper && isIsochronous ? (companion?.bmAttributes ?? 0) & 3 : 0;
  const full = packetBytes * (burst + 1) * (mult + 1);
  const payloadBytes = !isPeriodic ? 0 : isSuper ? companion?.wBytesPerInterval || full : full;
  return {
    state: EndpointState.disabled,
    mult,
    interval: isPeriodic ? intervalOf(speed, transferType, shape.bInterval) : 0,
    errorCount: isIsochronous ? 0 : 3,
    type: endpointTypeOf(shape.address, transferType),
    burst,
    packetBytes,
    // §4.14.1.1: control 8; the rest is a guess that real transfers come near to.
    averageBytes:
      transferType === TransferType.control ? 8 : isPeriodic ? Math.max(1, Math.min(full, 0xffff)) : 3072,
    payloadBytes,
  };
}

/** Table 6-12: the exponent of 125 us. */
function intervalOf(speed: UsbSpeed, transferType: number, bInterval: number): number {
  if (speed >= UsbSpeed.high) return Math.min(16, Math.max(1, bInterval)) - 1;
  if (transferType === TransferType.isochronous) return Math.min(16, Math.max(1, bInterval)) - 1 + 3;
  return Math.min(10, Math.max(3, Math.floor(Math.log2(Math.max(1, bInterval) * 8))));
}

const speedIds: Readonly<Record<number, number>> = {
  [UsbSpeed.full]: XhciSpeed.full,
  [UsbSpeed.low]: XhciSpeed.low,
  [UsbSpeed.high]: XhciSpeed.high,
  [UsbSpeed.super]: XhciSpeed.super,
  [UsbSpeed.superPlus]: XhciSpeed.superPlus,
  [UsbSpeed.superPlusBy2]: XhciSpeed.superPlus,
};
const usbSpeeds: Readonly<Record<number, UsbSpeed>> = {
  [XhciSpeed.full]: UsbSpeed.full,
  [XhciSpeed.low]: UsbSpeed.low,
  [XhciSpeed.high]: UsbSpeed.high,
  [XhciSpeed.super]: UsbSpeed.super,
  [XhciSpeed.superPlus]: UsbSpeed.superPlus,
};

export const xhciSpeedOf = (speed: UsbSpeed): number => speedIds[speed] ?? XhciSpeed.full;
/** Null for an id outside of the default table. */
export const usbSpeedOf = (id: number): UsbSpeed | null => usbSpeeds[id] ?? null;

/** Packet size of endpoint 0 before the device has said it: USB 2.0 §5.5.3, USB 3.2 §8.12.2.1. */
export function firstPacketBytes(speed: UsbSpeed): number {
  if (speed >= UsbSpeed.super) return 512;
  return speed === UsbSpeed.low ? 8 : 64;
}
