// The telnet Com Port Control option: RFC 2217. Codes, and how modem and line states look on the wire.

/** Client to server; the server answers with the same number plus 100. */
export const ComPort = {
  signature: 0,
  setBaudRate: 1,
  setDataSize: 2,
  setParity: 3,
  setStopSize: 4,
  setControl: 5,
  notifyLineState: 6,
  notifyModemState: 7,
  flowSuspend: 8,
  flowResume: 9,
  setLineStateMask: 10,
  setModemStateMask: 11,
  purgeData: 12,
} as const;
export const comPortServer = 100;

/** Values of setControl. */
export const ComPortControl = {
  askFlow: 0,
  noFlow: 1,
  xonXoff: 2,
  hardware: 3,
  askBreak: 4,
  breakOn: 5,
  breakOff: 6,
  askDtr: 7,
  dtrOn: 8,
  dtrOff: 9,
  askRts: 10,
  rtsOn: 11,
  rtsOff: 12,
  askInboundFlow: 13,
  noInboundFlow: 14,
  inboundXonXoff: 15,
  inboundHardware: 16,
} as const;

/** Values of setParity and setStopSize, from 1; 0 asks. */
export const comPortParities = ["none", "odd", "even", "mark", "space"] as const;
/** Half stop bits: 1 is one stop bit, 2 is two, 3 is one and a half. */
export const comPortHalfStopBits = [2, 4, 3] as const;

/** Bits of notifyModemState: RFC 2217 §3.7. The low four say what changed; of RI only its end. */
export function modemStateByte(lines: {
  readonly cts: boolean;
  readonly dsr: boolean;
  readonly ri: boolean;
  readonly dcd: boolean;
}): number {
  return (lines.dcd ? 0x80 : 0) | (lines.ri ? 0x40 : 0) | (lines.dsr ? 0x20 : 0) | (lines.cts ? 0x10 : 0);
}

/** With the deltas against what was told last. */
export function modemStateChange(now: number, before: number): number {
  const changed = (now ^ before) & 0xf0;
  const ringEnded = (before & 0x40) !== 0 && (now & 0x40) === 0 ? 0x04 : 0;
  const deltas = ((changed & 0x80) >> 4) | ((changed & 0x20) >> 4) | ((changed & 0x10) >> 4);
  return now | deltas | ringEnded;
}

/** Bits of notifyLineState: RFC 2217 §3.6. */
export const ComPortLine = {
  dataReady: 0x01,
  overrun: 0x02,
  parity: 0x04,
  framing: 0x08,
  break: 0x10,
  holdingEmpty: 0x20,
  shiftEmpty: 0x40,
  timeout: 0x80,
} as const;
