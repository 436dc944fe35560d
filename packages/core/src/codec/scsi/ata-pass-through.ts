// ATA PASS-THROUGH(12) and (16): the ATA command inside a CDB, read as SAT-3 r5 §12.2.2 and §12.2.3 lay it out.

import { DecodeError } from "../../base/errors.ts";
import { ScsiOpcode } from "./commands.ts";

/** PROTOCOL (SAT-3 table 160): how the ATA command moves its data. */
export const AtaProtocol = {
  hardReset: 0,
  softwareReset: 1,
  nonData: 3,
  pioIn: 4,
  pioOut: 5,
  dma: 6,
  deviceDiagnostic: 8,
  deviceReset: 9,
  ultraDmaIn: 10,
  ultraDmaOut: 11,
  fpdma: 12,
  returnResponse: 15,
} as const;

/** Where the length of the data stands (T_LENGTH). */
export const AtaLengthField = { none: 0, features: 1, count: 2, stream: 3 } as const;

export interface AtaPassThrough {
  /** One of `AtaProtocol`, or a reserved value. */
  readonly protocol: number;
  /** 48-bit registers hold something: EXTEND, in the 16-byte form alone. */
  readonly isExtended: boolean;
  /** CK_COND: the registers are wanted back as sense data, even after GOOD. */
  readonly wantsRegisters: boolean;
  readonly isIn: boolean;
  /** One of `AtaLengthField`. */
  readonly lengthField: number;
  /** The length counts blocks (BYT_BLOK): of 512 bytes, or logical ones with T_TYPE. Otherwise bytes. */
  readonly countsBlocks: boolean;
  readonly countsLogicalBlocks: boolean;
  /** log2 of the blocks in a DRQ block, for READ and WRITE MULTIPLE. */
  readonly multipleCount: number;
  readonly features: number;
  readonly count: number;
  readonly lba: number;
  readonly device: number;
  readonly command: number;
}

/** Throws for other opcodes and for CDBs that are cut off. Registers beyond 28 bits are 0 without EXTEND. */
export function decodeAtaPassThrough(cdb: Uint8Array, cdbBytes = cdb.length): AtaPassThrough {
  const isLong = cdb[0] === ScsiOpcode.ataPassThrough16;
  if (!isLong && cdb[0] !== ScsiOpcode.ataPassThrough12)
    throw new DecodeError("ATA PASS-THROUGH", 0, `opcode 0x${(cdb[0] ?? 0).toString(16)}`);
  const need = isLong ? 16 : 12;
  if (cdbBytes < need || cdb.length < need)
    throw new DecodeError("ATA PASS-THROUGH", Math.min(cdbBytes, cdb.length), `needs ${need} bytes`);
  const isExtended = isLong && (cdb[1] & 0x01) !== 0;
  const high = (at: number): number => (isExtended ? cdb[at] : 0);
  const registers = isLong
    ? {
        features: high(3) * 256 + cdb[4],
        count: high(5) * 256 + cdb[6],
        lba:
          (high(11) * 256 + high(9)) * 0x100000000 +
          high(7) * 0x1000000 +
          ((cdb[12] << 16) | (cdb[10] << 8) | cdb[8]),
        device: cdb[13],
        command: cdb[14],
      }
    : {
        features: cdb[3],
        count: cdb[4],
        lba: (cdb[7] << 16) | (cdb[6] << 8) | cdb[5],
        device: cdb[8],
        command: cdb[9],
      };
  return {
    protocol: (cdb[1] >> 1) & 0x0f,
    isExtended,
    wantsRegisters: (cdb[2] & 0x20) !== 0,
    isIn: (cdb[2] & 0x08) !== 0,
    lengthField: cdb[2] & 0x03,
    countsBlocks: (cdb[2] & 0x04) !== 0,
    countsLogicalBlocks: (cdb[2] & 0x10) !== 0,
    multipleCount: cdb[1] >> 5,
    ...registers,
  };
}

/** Bytes that the data phase moves: T_LENGTH of bytes or blocks; null when the carrier's own length decides. */
export function ataTransferBytes(ata: AtaPassThrough, logicalBlockBytes = 512): number | null {
  if (ata.lengthField === AtaLengthField.none) return 0;
  if (ata.lengthField === AtaLengthField.stream) return null;
  const length = ata.lengthField === AtaLengthField.features ? ata.features : ata.count;
  if (!ata.countsBlocks) return length;
  return length * (ata.countsLogicalBlocks ? logicalBlockBytes : 512);
}

/** Commands of ATA8-ACS that reach a disk this way. */
const commandNames: Readonly<Record<number, string>> = {
  6: "DATA SET MANAGEMENT",
  37: "READ DMA EXT",
  47: "READ LOG EXT",
  53: "WRITE DMA EXT",
  176: "SMART",
  224: "STANDBY IMMEDIATE",
  229: "CHECK POWER MODE",
  231: "FLUSH CACHE",
  234: "FLUSH CACHE EXT",
  236: "IDENTIFY DEVICE",
  239: "SET FEATURES",
};

/** `IDENTIFY DEVICE`, or `ATA command 0x99`. */
export function ataCommandName(command: number): string {
  return commandNames[command] ?? `ATA command 0x${command.toString(16).padStart(2, "0")}`;
}
