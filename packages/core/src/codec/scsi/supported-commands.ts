// REPORT SUPPORTED OPERATION CODES and TASK MANAGEMENT FUNCTIONS data. SPC-4 r37 §6.35 and §6.36.

import { getU16be, getU32be, putU16be, putU32be } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { type ScsiCommandInfo, ScsiOpcode } from "./commands.ts";

/** Command timeouts descriptor: 12 bytes, "no nominal or recommended time told". */
const timeoutsBytes = 12;

function putTimeouts(bytes: Uint8Array, at: number): void {
  putU16be(bytes, at, timeoutsBytes - 2);
}

/** All commands (reporting options 000b). */
export function encodeAllCommands(commands: readonly ScsiCommandInfo[], withTimeouts: boolean): Uint8Array {
  const each = withTimeouts ? 8 + timeoutsBytes : 8;
  const bytes = new Uint8Array(4 + each * commands.length);
  putU32be(bytes, 0, each * commands.length);
  for (const [index, info] of commands.entries()) {
    const at = 4 + each * index;
    bytes[at] = info.opcode;
    putU16be(bytes, at + 2, Math.max(0, info.serviceAction));
    bytes[at + 5] = (withTimeouts ? 0x02 : 0) | (info.serviceAction >= 0 ? 0x01 : 0);
    putU16be(bytes, at + 6, info.cdbBytes);
    if (withTimeouts) putTimeouts(bytes, at + 8);
  }
  return bytes;
}

/** Usage data as it is reported: opcode and service action stand for themselves. */
export function reportedUsage(info: ScsiCommandInfo): Uint8Array {
  const usage = info.usage.slice();
  if (info.opcode === ScsiOpcode.variableLength) putU16be(usage, 8, info.serviceAction);
  else if (info.serviceAction >= 0) usage[1] = (usage[1] & 0xe0) | info.serviceAction;
  return usage;
}

/** One command (options 001b to 011b); null: not supported. */
export function encodeOneCommand(info: ScsiCommandInfo | null, withTimeouts: boolean): Uint8Array {
  if (info === null) return Uint8Array.of(0, 0x01, 0, 0);
  const bytes = new Uint8Array(4 + info.cdbBytes + (withTimeouts ? timeoutsBytes : 0));
  // CTDP, and SUPPORT 011b: as the standard says.
  bytes[1] = (withTimeouts ? 0x80 : 0) | 0x03;
  putU16be(bytes, 2, info.cdbBytes);
  bytes.set(reportedUsage(info), 4);
  if (withTimeouts) putTimeouts(bytes, 4 + info.cdbBytes);
  return bytes;
}

export interface SupportedCommand {
  readonly opcode: number;
  /** -1 for none. */
  readonly serviceAction: number;
  readonly cdbBytes: number;
}

export function decodeAllCommands(bytes: Uint8Array): SupportedCommand[] {
  if (bytes.length < 4) throw new DecodeError("supported operation codes", bytes.length, "needs 4 bytes");
  const end = Math.min(bytes.length, 4 + getU32be(bytes, 0));
  const found: SupportedCommand[] = [];
  for (let at = 4; at + 8 <= end; at += (bytes[at + 5] & 0x02) !== 0 ? 8 + timeoutsBytes : 8)
    found.push({
      opcode: bytes[at],
      serviceAction: (bytes[at + 5] & 1) !== 0 ? getU16be(bytes, at + 2) : -1,
      cdbBytes: getU16be(bytes, at + 6),
    });
  return found;
}

/** ABORT TASK, ABORT TASK SET, CLEAR TASK SET, LOGICAL UNIT RESET; `isExtended`: the 16-byte form (REPD). */
export function encodeTaskManagement(isExtended: boolean): Uint8Array {
  const bytes = new Uint8Array(isExtended ? 16 : 4);
  bytes[0] = 0x80 | 0x40 | 0x10 | 0x08;
  // I_T NEXUS RESET.
  bytes[1] = 0x00;
  if (isExtended) bytes[3] = 12;
  return bytes;
}
