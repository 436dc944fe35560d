// PCI configuration space: where each field lies, header and BARs as values, capability lists that may be hostile.

import { getU16le, getU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";

/** Bytes of a conventional header with its capabilities, and of PCI Express's extended space (ECAM). */
export const configBytes = 256;
export const extendedConfigBytes = 4096;

/** Offsets of PCI Local Bus 3.0 §6.1, type 0 unless named otherwise. */
export const PciConfig = {
  vendorId: 0x00,
  deviceId: 0x02,
  command: 0x04,
  status: 0x06,
  revision: 0x08,
  programmingInterface: 0x09,
  subclass: 0x0a,
  baseClass: 0x0b,
  headerType: 0x0e,
  bar0: 0x10,
  subsystemVendorId: 0x2c,
  subsystemId: 0x2e,
  capabilityPointer: 0x34,
  interruptLine: 0x3c,
  interruptPin: 0x3d,
  /** Type 1 (bridge). */
  primaryBus: 0x18,
  secondaryBus: 0x19,
  subordinateBus: 0x1a,
  memoryBase: 0x20,
  memoryLimit: 0x22,
  prefetchableBase: 0x24,
  prefetchableLimit: 0x26,
  bridgeControl: 0x3e,
} as const;

/** Command register, §6.2.2. */
export const PciCommand = {
  ioSpace: 0x1,
  memorySpace: 0x2,
  busMaster: 0x4,
  parityResponse: 0x40,
  serr: 0x100,
  interruptDisable: 0x400,
} as const;

/** Status register, §6.2.3. */
export const PciStatusBits = { interrupt: 0x8, capabilityList: 0x10 } as const;

export const PciCapabilityId = {
  powerManagement: 0x01,
  msi: 0x05,
  express: 0x10,
  msiX: 0x11,
} as const;

export const PciExtendedCapabilityId = { advancedErrorReporting: 0x0001 } as const;

/** A read that nobody answered: all ones of the read's size. */
export function allOnes(sizeBytes: number): number {
  return sizeBytes === 1 ? 0xff : sizeBytes === 2 ? 0xffff : 0xffffffff;
}

export interface ConfigHeader {
  readonly vendorId: number;
  readonly deviceId: number;
  readonly revision: number;
  /** Base class, subclass, programming interface: 0x010802 is NVMe. */
  readonly classCode: number;
  /** 0 endpoint, 1 bridge. */
  readonly type: number;
  readonly isMultifunction: boolean;
  readonly subsystemVendorId: number;
  readonly subsystemId: number;
  readonly interruptPin: number;
}

/** All ones or zeros where the vendor should be: nobody is there (PCI 3.0 §6.2.1). */
export function isAbsent(firstDword: number): boolean {
  const vendor = firstDword & 0xffff;
  return vendor === 0xffff || vendor === 0;
}

/** The header as a value. DecodeError when nobody is there, or when it is of a type that has no meaning here. */
export function decodeHeader(bytes: Uint8Array): ConfigHeader {
  if (bytes.length < 64)
    throw new DecodeError("PCI header", bytes.length, `64 bytes needed, ${bytes.length} there`);
  if (isAbsent(getU32le(bytes, 0))) throw new DecodeError("PCI header", 0, "no function answers here");
  const type = bytes[PciConfig.headerType] & 0x7f;
  if (type > 1) throw new DecodeError("PCI header", PciConfig.headerType, `unknown header type ${type}`);
  return {
    vendorId: getU16le(bytes, PciConfig.vendorId),
    deviceId: getU16le(bytes, PciConfig.deviceId),
    revision: bytes[PciConfig.revision],
    classCode: getU32le(bytes, PciConfig.revision) >>> 8,
    type,
    isMultifunction: (bytes[PciConfig.headerType] & 0x80) !== 0,
    subsystemVendorId: type === 0 ? getU16le(bytes, PciConfig.subsystemVendorId) : 0,
    subsystemId: type === 0 ? getU16le(bytes, PciConfig.subsystemId) : 0,
    interruptPin: bytes[PciConfig.interruptPin],
  };
}

/** What sizing a base address register told (PCI 3.0 §6.2.5.1). */
export interface BarShape {
  readonly kind: "io" | "memory32" | "memory64";
  readonly isPrefetchable: boolean;
  /** A power of two; below 2^53. */
  readonly lengthBytes: number;
}

/**
 * Judges one BAR from what was read after writing ones: `low` of the register, `high` of the next one (used for 64-bit
 * BARs only). Null: not implemented. DecodeError for a type that is reserved or a mask that is no power of two.
 */
export function decodeBar(index: number, low: number, high: number): BarShape | null {
  const at = PciConfig.bar0 + index * 4;
  if (low === 0 || low === 0xffffffff) {
    if (low === 0) return null;
    throw new DecodeError("PCI BAR", at, "all ones: the register does not hold a type");
  }
  if ((low & 1) === 1) {
    // I/O: bits 31:16 may read as zero on devices that decode 16 bits only.
    const mask = ((low & 0xfffffffc) | 0xffff0000) >>> 0;
    return { kind: "io", isPrefetchable: false, lengthBytes: sizeOf(at, mask, 0xffffffff) };
  }
  const type = (low >>> 1) & 3;
  const isPrefetchable = (low & 8) !== 0;
  const mask = (low & 0xfffffff0) >>> 0;
  if (type === 0) return { kind: "memory32", isPrefetchable, lengthBytes: sizeOf(at, mask, 0xffffffff) };
  if (type !== 2) throw new DecodeError("PCI BAR", at, `reserved memory type ${type}`);
  if (index === 5) throw new DecodeError("PCI BAR", at, "a 64-bit BAR needs a register after it");
  return { kind: "memory64", isPrefetchable, lengthBytes: sizeOf(at, mask, high) };
}

/** Size from the mask: its lowest set bit, and nothing but ones above it. */
function sizeOf(at: number, low: number, high: number): number {
  const isWide = low === 0;
  const half = isWide ? high : low;
  const lowest = (half & -half) >>> 0;
  const isContiguous = lowest !== 0 && (half | (lowest - 1)) >>> 0 === 0xffffffff;
  if (!isContiguous || (!isWide && high !== 0xffffffff))
    throw new DecodeError("PCI BAR", at, "the size mask is no power of two");
  const lengthBytes = isWide ? lowest * 4294967296 : lowest;
  if (lengthBytes > 2 ** 48) throw new DecodeError("PCI BAR", at, "larger than 2^48 bytes");
  return lengthBytes;
}

export interface CapabilityEntry {
  readonly id: number;
  readonly offset: number;
  /** Of extended ones; 0 otherwise. */
  readonly version: number;
}

/** Most entries that fit: a longer list is a circle. */
const listMaximum = 48;
const extendedMaximum = (extendedConfigBytes - configBytes) / 8;

/**
 * The conventional list. DecodeError for a pointer into the header, one outside, or a circle: a list that garbage has
 * made is refused whole, so that nobody trusts its first half.
 */
export function listCapabilities(bytes: Uint8Array): CapabilityEntry[] {
  if ((getU16le(bytes, PciConfig.status) & PciStatusBits.capabilityList) === 0) return [];
  const entries: CapabilityEntry[] = [];
  // The two low bits are reserved and must be masked (PCI 3.0 §6.7).
  let offset = bytes[PciConfig.capabilityPointer] & 0xfc;
  let from: number = PciConfig.capabilityPointer;
  while (offset !== 0) {
    if (offset < 0x40 || offset + 2 > Math.min(bytes.length, configBytes))
      throw new DecodeError("PCI capability list", from, `points to 0x${offset.toString(16)}`);
    if (entries.length >= listMaximum || entries.some((entry) => entry.offset === offset))
      throw new DecodeError("PCI capability list", from, `comes back to 0x${offset.toString(16)}: a circle`);
    entries.push({ id: bytes[offset], offset, version: 0 });
    from = offset + 1;
    offset = bytes[from] & 0xfc;
  }
  return entries;
}

/** The extended list (PCI Express 3.0 §7.9); the same refusals. An empty first header is an empty list. */
export function listExtendedCapabilities(bytes: Uint8Array): CapabilityEntry[] {
  const entries: CapabilityEntry[] = [];
  if (bytes.length <= configBytes) return entries;
  let offset = configBytes;
  let from = 0;
  while (offset !== 0) {
    if (offset < configBytes || offset % 4 !== 0 || offset + 4 > bytes.length)
      throw new DecodeError("PCI extended capability list", from, `points to 0x${offset.toString(16)}`);
    if (entries.length >= extendedMaximum || entries.some((entry) => entry.offset === offset))
      throw new DecodeError("PCI extended capability list", from, "a circle");
    const header = getU32le(bytes, offset);
    if (header === 0 || header === 0xffffffff) {
      if (entries.length === 0) return entries;
      throw new DecodeError("PCI extended capability list", offset, "an empty header inside the list");
    }
    entries.push({ id: header & 0xffff, offset, version: (header >>> 16) & 0xf });
    from = offset;
    offset = header >>> 20;
  }
  return entries;
}
