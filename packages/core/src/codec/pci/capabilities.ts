// The capabilities that matter here, as values and as bytes: power management, MSI, MSI-X, Express, AER.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { PciCapabilityId } from "./config-space.ts";

/** Bytes of an MSI-X table entry: address low, high, data, vector control (PCI 3.0 §6.8.2). */
export const msiXEntryBytes = 16;
export const msiXVectorMasked = 0x1;

export interface MsiXCapability {
  readonly vectors: number;
  readonly isEnabled: boolean;
  readonly isFunctionMasked: boolean;
  readonly tableBar: number;
  readonly tableOffset: number;
  readonly pendingBar: number;
  readonly pendingOffset: number;
}

function need(bytes: Uint8Array, offset: number, length: number, what: string): void {
  if (offset < 0 || offset + length > bytes.length)
    throw new DecodeError(what, bytes.length, `needs ${length} bytes from 0x${offset.toString(16)}`);
}

/** §6.8.2. DecodeError for a table or pending array in a BAR that cannot exist. */
export function decodeMsiX(bytes: Uint8Array, offset: number): MsiXCapability {
  need(bytes, offset, 12, "MSI-X capability");
  const control = getU16le(bytes, offset + 2);
  const table = getU32le(bytes, offset + 4);
  const pending = getU32le(bytes, offset + 8);
  if ((table & 7) > 5) throw new DecodeError("MSI-X capability", offset + 4, `table in BAR ${table & 7}`);
  if ((pending & 7) > 5)
    throw new DecodeError("MSI-X capability", offset + 8, `pending array in BAR ${pending & 7}`);
  return {
    vectors: (control & 0x7ff) + 1,
    isEnabled: (control & 0x8000) !== 0,
    isFunctionMasked: (control & 0x4000) !== 0,
    tableBar: table & 7,
    tableOffset: (table & 0xfffffff8) >>> 0,
    pendingBar: pending & 7,
    pendingOffset: (pending & 0xfffffff8) >>> 0,
  };
}

export const msiXControlOffset = 2;
export const msiXEnable = 0x8000;

/** 12 bytes at `offset`; the link to the next capability is the caller's. */
export function encodeMsiX(bytes: Uint8Array, offset: number, capability: MsiXCapability): void {
  bytes[offset] = PciCapabilityId.msiX;
  putU16le(
    bytes,
    offset + 2,
    (capability.vectors - 1) |
      (capability.isEnabled ? msiXEnable : 0) |
      (capability.isFunctionMasked ? 0x4000 : 0),
  );
  putU32le(bytes, offset + 4, (capability.tableOffset | capability.tableBar) >>> 0);
  putU32le(bytes, offset + 8, (capability.pendingOffset | capability.pendingBar) >>> 0);
}

export interface MsiCapability {
  readonly isEnabled: boolean;
  /** 1, 2, 4 ... 32. */
  readonly capableVectors: number;
  readonly enabledVectors: number;
  readonly is64Bit: boolean;
  readonly hasMasks: boolean;
}

/** §6.8.1. DecodeError for more than 32 vectors. */
export function decodeMsi(bytes: Uint8Array, offset: number): MsiCapability {
  need(bytes, offset, 10, "MSI capability");
  const control = getU16le(bytes, offset + 2);
  const capable = (control >>> 1) & 7;
  const enabled = (control >>> 4) & 7;
  if (capable > 5 || enabled > 5) throw new DecodeError("MSI capability", offset + 2, "more than 32 vectors");
  return {
    isEnabled: (control & 1) !== 0,
    capableVectors: 1 << capable,
    enabledVectors: 1 << enabled,
    is64Bit: (control & 0x80) !== 0,
    hasMasks: (control & 0x100) !== 0,
  };
}

/** Power management, PCI Power Management 1.2 §3.2. */
export const pmControlOffset = 4;

/** PCI Express capability registers (PCI Express 3.0 §7.8), from the capability's start. */
export const PciExpress = {
  capabilities: 0x02,
  deviceCapabilities: 0x04,
  deviceControl: 0x08,
  deviceStatus: 0x0a,
  linkCapabilities: 0x0c,
  linkControl: 0x10,
  linkStatus: 0x12,
  slotCapabilities: 0x14,
  slotControl: 0x18,
  slotStatus: 0x1a,
  rootControl: 0x1c,
} as const;

/** Device control bits. */
export const expressFunctionReset = 0x8000;

/** Slot control and status, §7.8.10 and §7.8.11. */
export const PciSlot = {
  attentionButton: 0x01,
  powerFault: 0x02,
  presenceChanged: 0x08,
  commandCompleted: 0x10,
  isPresent: 0x40,
  /** Control: 1 switches the slot's power off. */
  powerOff: 0x400,
  powerIndicatorMask: 0x300,
  powerIndicatorOn: 0x100,
  powerIndicatorOff: 0x300,
} as const;

/** Device and port type, capabilities 7:4. */
export const expressEndpoint = 0;
export const expressRootPort = 4;

/** AER registers from the capability's start (PCI Express 3.0 §7.10). */
export const PciAer = {
  uncorrectableStatus: 0x04,
  uncorrectableMask: 0x08,
  uncorrectableSeverity: 0x0c,
  correctableStatus: 0x10,
  correctableMask: 0x14,
  control: 0x18,
  headerLog: 0x1c,
  rootCommand: 0x2c,
  rootStatus: 0x30,
  rootSource: 0x34,
} as const;

/** Uncorrectable errors, by bit. */
export const uncorrectableErrors: Readonly<Record<number, string>> = {
  4: "data link protocol",
  5: "surprise down",
  12: "poisoned TLP",
  13: "flow control protocol",
  14: "completion timeout",
  15: "completer abort",
  16: "unexpected completion",
  17: "receiver overflow",
  18: "malformed TLP",
  19: "ECRC",
  20: "unsupported request",
};

/** Names of the bits set in an uncorrectable status register; bits without a meaning by number. */
export function describeUncorrectable(status: number): string[] {
  const names: string[] = [];
  for (let bit = 0; bit < 32; bit++) {
    if (((status >>> bit) & 1) === 1) names.push(uncorrectableErrors[bit] ?? `bit ${bit}`);
  }
  return names;
}
