// xHCI 1.2 §6.4: transfer request blocks, 16 bytes each, their types and completion codes.

import { getU32le, putU32le } from "../../base/bytes.ts";

export const trbBytes = 16;

/** §6.4.6, table 6-91. */
export const TrbType = {
  normal: 1,
  setup: 2,
  data: 3,
  status: 4,
  isochronous: 5,
  link: 6,
  eventData: 7,
  noOp: 8,
  enableSlot: 9,
  disableSlot: 10,
  addressDevice: 11,
  configureEndpoint: 12,
  evaluateContext: 13,
  resetEndpoint: 14,
  stopEndpoint: 15,
  setDequeue: 16,
  resetDevice: 17,
  noOpCommand: 23,
  transferEvent: 32,
  commandCompletion: 33,
  portStatusChange: 34,
  hostController: 37,
  frameWrap: 39,
} as const;

/** Names of commands, for whoever tells people that one failed. */
export const trbCommandNames: Readonly<Record<number, string>> = {
  [TrbType.enableSlot]: "Enable Slot",
  [TrbType.disableSlot]: "Disable Slot",
  [TrbType.addressDevice]: "Address Device",
  [TrbType.configureEndpoint]: "Configure Endpoint",
  [TrbType.evaluateContext]: "Evaluate Context",
  [TrbType.resetEndpoint]: "Reset Endpoint",
  [TrbType.stopEndpoint]: "Stop Endpoint",
  [TrbType.setDequeue]: "Set TR Dequeue Pointer",
  [TrbType.resetDevice]: "Reset Device",
  [TrbType.noOpCommand]: "No Op",
};

/** Bits of the control dword. */
export const TrbFlag = {
  cycle: 0x1,
  /** Link: the cycle state turns. */
  toggleCycle: 0x2,
  /** An event when a packet was short. */
  interruptOnShort: 0x4,
  chain: 0x10,
  interruptOnCompletion: 0x20,
  /** The parameter holds the bytes themselves. */
  immediate: 0x40,
  /** Address Device: no SET_ADDRESS. Configure Endpoint: deconfigure. Reset Endpoint: keep the transfer's state. */
  special: 0x200,
  /** Data and status stages: IN. */
  directionIn: 0x1_0000,
  /** Isochronous: in the next interval that is free. */
  startAsap: 0x8000_0000,
} as const;

/** Transfer Type of a setup TRB, bits 17:16. */
export const SetupTransfer = { none: 0, out: 2, in: 3 } as const;

/** §6.4.5, table 6-90. */
export const XhciCode = {
  invalid: 0,
  success: 1,
  dataBufferError: 2,
  babble: 3,
  transactionError: 4,
  trbError: 5,
  stall: 6,
  resourceError: 7,
  bandwidthError: 8,
  noSlots: 9,
  invalidStreamType: 10,
  slotNotEnabled: 11,
  endpointNotEnabled: 12,
  shortPacket: 13,
  ringUnderrun: 14,
  ringOverrun: 15,
  parameterError: 17,
  contextStateError: 19,
  noPingResponse: 20,
  eventRingFull: 21,
  incompatibleDevice: 22,
  missedService: 23,
  commandRingStopped: 24,
  commandAborted: 25,
  stopped: 26,
  stoppedLengthInvalid: 27,
  stoppedShort: 28,
  isochronousBufferOverrun: 31,
  invalidStreamId: 34,
  splitTransactionError: 36,
} as const;

const codeNames: Readonly<Record<number, string>> = {
  0: "invalid",
  1: "success",
  2: "data buffer error",
  3: "babble",
  4: "transaction error",
  5: "TRB error",
  6: "stall",
  7: "resource error",
  8: "bandwidth error",
  9: "no slots available",
  10: "invalid stream type",
  11: "slot not enabled",
  12: "endpoint not enabled",
  13: "short packet",
  14: "ring underrun",
  15: "ring overrun",
  17: "parameter error",
  19: "context state error",
  20: "no ping response",
  21: "event ring full",
  22: "incompatible device",
  23: "missed service",
  24: "command ring stopped",
  25: "command aborted",
  26: "stopped",
  27: "stopped, length invalid",
  28: "stopped, short packet",
  31: "isochronous buffer overrun",
  34: "invalid stream id",
  36: "split transaction error",
};

export function describeXhciCode(code: number): string {
  return `${codeNames[code] ?? "unknown"} (${code})`;
}

/** Most bytes that one TRB moves, and the boundary that its buffer may not cross (§6.4.1.1). */
export const trbBoundary = 0x1_0000;

/** A TRB as numbers; a 64-bit parameter in two halves. */
export interface Trb {
  low: number;
  high: number;
  status: number;
  control: number;
}

export function newTrb(): Trb {
  return { low: 0, high: 0, status: 0, control: 0 };
}

/** Any 16 bytes are a TRB: what they mean is judged by who reads them. */
export function readTrb(bytes: Uint8Array, offset: number, into: Trb): Trb {
  into.low = getU32le(bytes, offset);
  into.high = getU32le(bytes, offset + 4);
  into.status = getU32le(bytes, offset + 8);
  into.control = getU32le(bytes, offset + 12);
  return into;
}

/** The control dword comes last: its cycle bit hands the rest over. */
export function writeTrb(bytes: Uint8Array, offset: number, trb: Trb): void {
  putU32le(bytes, offset, trb.low >>> 0);
  putU32le(bytes, offset + 4, trb.high >>> 0);
  putU32le(bytes, offset + 8, trb.status >>> 0);
  putU32le(bytes, offset + 12, trb.control >>> 0);
}

export const trbTypeOf = (control: number): number => (control >>> 10) & 0x3f;
export const trbSlotOf = (control: number): number => control >>> 24;
export const trbEndpointOf = (control: number): number => (control >>> 16) & 0x1f;
/** Of an event's status dword. */
export const trbCodeOf = (status: number): number => status >>> 24;
export const trbResidualOf = (status: number): number => status & 0xff_ffff;

/** A 64-bit address in two halves, as a number; above 2^53 it is no address of ours and stays one that nobody has. */
export function addressOf(low: number, high: number): number {
  return high * 4294967296 + (low >>> 0);
}
export const lowHalf = (address: number): number => (address % 4294967296) >>> 0;
export const highHalf = (address: number): number => Math.floor(address / 4294967296) >>> 0;

/** Context index of an endpoint (§4.8.1): 1 for endpoint 0, 2n for OUT, 2n + 1 for IN. */
export function contextIndexOf(endpointAddress: number): number {
  const number = endpointAddress & 0x0f;
  return number === 0 ? 1 : number * 2 + (endpointAddress >>> 7);
}

export function endpointAddressOf(contextIndex: number): number {
  return contextIndex <= 1 ? 0 : (contextIndex >>> 1) | ((contextIndex & 1) << 7);
}
