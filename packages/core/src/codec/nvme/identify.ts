// NVM Express 1.4 §5.15: what controllers and namespaces say of themselves.

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { getU64le, putU64le } from "./commands.ts";

export const identifyBytes = 4096;

/** CNS values. */
export const IdentifyWhat = { namespace: 0, controller: 1, activeNamespaces: 2, descriptors: 3 } as const;

export interface IdentifyController {
  readonly vendorId: number;
  readonly serialNumber: string;
  readonly modelNumber: string;
  readonly firmware: string;
  /** Bytes of the largest transfer as a multiple of the smallest page, a power of two; 0: no limit. */
  readonly maximumTransferPages: number;
  readonly version: number;
  readonly abortLimit: number;
  readonly eventLimit: number;
  readonly namespaceCount: number;
  readonly hasVolatileCache: boolean;
  readonly hasSgl: boolean;
  readonly hasWriteZeroes: boolean;
  readonly hasDatasetManagement: boolean;
  readonly hasCompare: boolean;
  /** States beyond the first: 0 means one state. */
  readonly lastPowerState: number;
}

export interface IdentifyNamespace {
  readonly blockCount: number;
  readonly capacity: number;
  readonly used: number;
  readonly blockBytes: number;
  readonly metadataBytes: number;
}

const ascii = (bytes: Uint8Array, at: number, length: number): string => {
  let text = "";
  for (let index = at; index < at + length; index++) {
    const code = bytes[index];
    text += code >= 0x20 && code < 0x7f ? String.fromCharCode(code) : " ";
  }
  return text.trimEnd();
};

const putAscii = (bytes: Uint8Array, at: number, length: number, text: string): void => {
  for (let index = 0; index < length; index++)
    bytes[at + index] = index < text.length ? text.charCodeAt(index) & 0x7f : 0x20;
};

function needWhole(bytes: Uint8Array, what: string): void {
  if (bytes.length < identifyBytes)
    throw new DecodeError(what, bytes.length, `${identifyBytes} bytes needed`);
}

/** DecodeError when required queue entry sizes are not 64 and 16 bytes: nothing here could speak to it. */
export function decodeController(bytes: Uint8Array): IdentifyController {
  needWhole(bytes, "identify controller");
  if ((bytes[512] & 0xf) > 6 || bytes[512] >>> 4 < 6)
    throw new DecodeError("identify controller", 512, `submission entries of 2^${bytes[512] & 0xf} bytes`);
  if ((bytes[513] & 0xf) > 4 || bytes[513] >>> 4 < 4)
    throw new DecodeError("identify controller", 513, `completion entries of 2^${bytes[513] & 0xf} bytes`);
  const transfer = bytes[77];
  const optional = getU16le(bytes, 520);
  return {
    vendorId: getU16le(bytes, 0),
    serialNumber: ascii(bytes, 4, 20),
    modelNumber: ascii(bytes, 24, 40),
    firmware: ascii(bytes, 64, 8),
    maximumTransferPages: transfer === 0 || transfer > 30 ? 0 : 2 ** transfer,
    version: getU32le(bytes, 80),
    abortLimit: bytes[258] + 1,
    eventLimit: bytes[259] + 1,
    namespaceCount: getU32le(bytes, 516),
    hasVolatileCache: (bytes[525] & 1) !== 0,
    hasSgl: (getU32le(bytes, 536) & 3) !== 0,
    hasCompare: (optional & 1) !== 0,
    hasDatasetManagement: (optional & 4) !== 0,
    hasWriteZeroes: (optional & 8) !== 0,
    lastPowerState: bytes[263],
  };
}

export function encodeController(controller: IdentifyController): Uint8Array {
  const bytes = new Uint8Array(identifyBytes);
  putU16le(bytes, 0, controller.vendorId);
  putU16le(bytes, 2, controller.vendorId);
  putAscii(bytes, 4, 20, controller.serialNumber);
  putAscii(bytes, 24, 40, controller.modelNumber);
  putAscii(bytes, 64, 8, controller.firmware);
  bytes[77] = controller.maximumTransferPages === 0 ? 0 : Math.log2(controller.maximumTransferPages);
  putU32le(bytes, 80, controller.version);
  bytes[258] = controller.abortLimit - 1;
  bytes[259] = controller.eventLimit - 1;
  bytes[263] = controller.lastPowerState;
  putU16le(bytes, 266, 343);
  putU16le(bytes, 268, 353);
  bytes[512] = 0x66;
  bytes[513] = 0x44;
  putU32le(bytes, 516, controller.namespaceCount);
  putU16le(
    bytes,
    520,
    (controller.hasCompare ? 1 : 0) |
      (controller.hasDatasetManagement ? 4 : 0) |
      (controller.hasWriteZeroes ? 8 : 0),
  );
  bytes[525] = controller.hasVolatileCache ? 1 : 0;
  putU32le(bytes, 536, controller.hasSgl ? 1 : 0);
  return bytes;
}

/** DecodeError for a format that does not exist, blocks that are no power of two of 512 or more, or a size of 2^53 bytes. */
export function decodeNamespace(bytes: Uint8Array): IdentifyNamespace {
  needWhole(bytes, "identify namespace");
  const index = bytes[26] & 0xf;
  if (index > bytes[25])
    throw new DecodeError("identify namespace", 26, `format ${index} of ${bytes[25] + 1}`);
  const at = 128 + 4 * index;
  const shift = bytes[at + 2];
  if (shift < 9 || shift > 16) throw new DecodeError("identify namespace", at + 2, `blocks of 2^${shift}`);
  const blockCount = getU64le(bytes, 0);
  if (!Number.isSafeInteger(blockCount * 2 ** shift))
    throw new DecodeError("identify namespace", 0, `${blockCount} blocks are more than 2^53 bytes`);
  return {
    blockCount,
    capacity: getU64le(bytes, 8),
    used: getU64le(bytes, 16),
    blockBytes: 2 ** shift,
    metadataBytes: getU16le(bytes, at),
  };
}

export function encodeNamespace(namespace: IdentifyNamespace): Uint8Array {
  const bytes = new Uint8Array(identifyBytes);
  putU64le(bytes, 0, namespace.blockCount);
  putU64le(bytes, 8, namespace.capacity);
  putU64le(bytes, 16, namespace.used);
  putU16le(bytes, 128, namespace.metadataBytes);
  bytes[130] = Math.log2(namespace.blockBytes);
  return bytes;
}

/** Identifiers of the active list (CNS 2), ended by 0. */
export function decodeActiveNamespaces(bytes: Uint8Array): number[] {
  const found: number[] = [];
  for (let at = 0; at + 4 <= bytes.length; at += 4) {
    const id = getU32le(bytes, at);
    if (id === 0) break;
    found.push(id);
  }
  return found;
}
