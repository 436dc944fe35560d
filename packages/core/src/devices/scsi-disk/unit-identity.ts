// What a logical unit says about itself: INQUIRY, its VPD pages, LOG SENSE.

import { putU32be } from "../../base/bytes.ts";
import { bytesFromHex, encodeUtf8 } from "../../base/text.ts";
import { type ScsiCommandInfo, ScsiOpcode, scsiCommands } from "../../codec/scsi/commands.ts";
import { encodeStandardInquiry, putAscii, VersionDescriptor } from "../../codec/scsi/inquiry.ts";
import { encodeLogPage, encodeSupportedLogPages, LogPage } from "../../codec/scsi/log-pages.ts";
import {
  type BlockLimits,
  type Designator,
  DesignatorCodeSet,
  DesignatorOwner,
  DesignatorType,
  encodeBlockDeviceCharacteristics,
  encodeBlockLimits,
  encodeDeviceIdentification,
  encodeExtendedInquiry,
  encodeLogicalBlockProvisioning,
  encodeSupportedPages,
  encodeUnitSerialNumber,
  ReadAfterErase,
  VpdPage,
} from "../../codec/scsi/vpd.ts";
import type { ResolvedUnitOptions } from "./unit-options.ts";

const supportedPages: readonly number[] = [
  VpdPage.supportedPages,
  VpdPage.unitSerialNumber,
  VpdPage.deviceIdentification,
  VpdPage.extendedInquiry,
  VpdPage.blockLimits,
  VpdPage.blockDeviceCharacteristics,
  VpdPage.logicalBlockProvisioning,
];

/** Most blocks that COMPARE AND WRITE and WRITE ATOMIC take. */
const smallMaximum = 64;
const atomicMaximum = 256;
const unmapDescriptorsMaximum = 256;

export function blockLimitsOf(options: ResolvedUnitOptions): BlockLimits {
  const { blockBytes, isThin } = options;
  const maximumTransfer = Math.floor(options.maximumTransferBytes / blockBytes);
  return {
    maximumCompareAndWrite: smallMaximum,
    optimalGranularity: 1 << options.physicalExponent,
    maximumTransfer,
    optimalTransfer: Math.min(maximumTransfer, (1 << 20) / blockBytes),
    maximumPrefetch: 0,
    maximumUnmapBlocks: isThin ? 0xffffffff : 0,
    maximumUnmapDescriptors: isThin ? unmapDescriptorsMaximum : 0,
    optimalUnmapGranularity: isThin ? 1 : 0,
    maximumWriteSame: maximumTransfer,
    writeSameNonZero: !options.writesSameToEnd,
    maximumAtomic: atomicMaximum,
    atomicAlignment: 0,
    atomicGranularity: 0,
  };
}

/** In the table because others send them; no disk here answers them. */
const refusedOpcodes: ReadonlySet<number> = new Set([
  ScsiOpcode.ataPassThrough12,
  ScsiOpcode.ataPassThrough16,
]);

function isServed(opcode: number, options: ResolvedUnitOptions): boolean {
  if (opcode === ScsiOpcode.variableLength) return options.hasLongCommands;
  return opcode === ScsiOpcode.unmap ? options.isThin : !refusedOpcodes.has(opcode);
}

export class UnitIdentity {
  readonly limits: BlockLimits;
  /** What REPORT SUPPORTED OPERATION CODES lists. */
  readonly commands: readonly ScsiCommandInfo[];
  readonly #served = new Uint8Array(256);
  readonly #options: ResolvedUnitOptions;

  constructor(options: ResolvedUnitOptions) {
    this.#options = options;
    this.limits = blockLimitsOf(options);
    this.commands = scsiCommands.filter(({ opcode }) => isServed(opcode, options));
    for (const { opcode } of this.commands) this.#served[opcode] = 1;
  }

  /** False: INVALID COMMAND OPERATION CODE. */
  serves(opcode: number): boolean {
    return this.#served[opcode] !== 0;
  }

  standardInquiry(): Uint8Array {
    const options = this.#options;
    return encodeStandardInquiry({
      qualifier: 0,
      deviceType: 0,
      isRemovable: options.isRemovable,
      version: 6,
      canQueue: true,
      canCopy: true,
      vendor: options.vendor,
      product: options.product,
      revision: options.revision,
      standards: [
        VersionDescriptor.sam5,
        VersionDescriptor.spc4,
        VersionDescriptor.sbc3,
        ...options.standards,
      ],
    });
  }

  /** Null: no such page. */
  vpd(page: number): Uint8Array | null {
    const options = this.#options;
    switch (page) {
      case VpdPage.supportedPages:
        return encodeSupportedPages(supportedPages);
      case VpdPage.unitSerialNumber:
        return encodeUnitSerialNumber(options.serial);
      case VpdPage.deviceIdentification:
        return encodeDeviceIdentification(this.designators);
      case VpdPage.extendedInquiry:
        return encodeExtendedInquiry();
      case VpdPage.blockLimits:
        return encodeBlockLimits(this.limits);
      case VpdPage.blockDeviceCharacteristics:
        return encodeBlockDeviceCharacteristics({
          rotationRate: options.rotationRate,
          formFactor: 3,
          afterBlockErase: ReadAfterErase.good,
          afterCryptographicErase: ReadAfterErase.good,
        });
      case VpdPage.logicalBlockProvisioning:
        return encodeLogicalBlockProvisioning({
          canUnmap: options.isThin,
          canWriteSame16: options.isThin,
          canWriteSame10: options.isThin,
          readsZeros: options.isThin,
          type: options.isThin ? 2 : 0,
        });
      default:
        return null;
    }
  }

  /** The unit's names, by which a copy finds it too. */
  get designators(): readonly Designator[] {
    const owner = DesignatorOwner.unit;
    return [
      {
        codeSet: DesignatorCodeSet.binary,
        owner,
        type: DesignatorType.naa,
        value: bytesFromHex(this.#options.worldWideName),
      },
      { codeSet: DesignatorCodeSet.ascii, owner, type: DesignatorType.t10VendorId, value: this.#t10Name() },
      { codeSet: DesignatorCodeSet.utf8, owner, type: DesignatorType.scsiName, value: this.#scsiName() },
    ];
  }

  #t10Name(): Uint8Array {
    const name = new Uint8Array(8 + 16 + this.#options.serial.length);
    putAscii(name, 0, 8, this.#options.vendor);
    putAscii(name, 8, 16, this.#options.product);
    putAscii(name, 24, this.#options.serial.length, this.#options.serial);
    return name;
  }

  /** "naa." and the digits, ended by zeros to a multiple of four (SPC-4 §7.8.6.11). */
  #scsiName(): Uint8Array {
    const text = encodeUtf8(`naa.${this.#options.worldWideName.toUpperCase()}`);
    const value = new Uint8Array((text.length + 4) & ~3);
    value.set(text);
    return value;
  }

  /** Null: no such page. */
  log(page: number, starts: number): Uint8Array | null {
    const counter = (value: number) => {
      const bytes = new Uint8Array(4);
      putU32be(bytes, 0, value);
      return bytes;
    };
    switch (page) {
      case LogPage.supportedPages:
        return encodeSupportedLogPages([
          LogPage.supportedPages,
          LogPage.temperature,
          LogPage.startStopCycles,
          LogPage.informationalExceptions,
        ]);
      case LogPage.temperature:
        // 30 degrees Celsius, reference 70.
        return encodeLogPage(page, [
          { code: 0, control: 0x03, value: Uint8Array.of(0, 30) },
          { code: 1, control: 0x03, value: Uint8Array.of(0, 70) },
        ]);
      case LogPage.startStopCycles:
        return encodeLogPage(page, [
          { code: 3, control: 0x03, value: counter(50000) },
          { code: 4, control: 0x03, value: counter(starts) },
        ]);
      case LogPage.informationalExceptions:
        return encodeLogPage(page, [{ code: 0, control: 0x03, value: Uint8Array.of(0, 0, 30) }]);
      default:
        return null;
    }
  }
}
