// What a modelled disk can be told to be.

import type { BlockStore } from "../../ports/block-store.ts";
import type { ReservationKeeper } from "./kept-reservations.ts";

/** One logical unit. Everything but the size has a default. */
export interface ScsiUnitOptions {
  /** Logical blocks, below 2^53 / blockBytes: 66 TB of 512 bytes are 128 906 250 000. */
  readonly blockCount: number;
  /** A power of two, 512 to 4096. Default 512. */
  readonly blockBytes?: number;
  /** 2^n logical blocks in a physical one (512e drives: 3). Default 0. */
  readonly physicalExponent?: number;
  /** Where the bytes are. Default: sparse memory. */
  readonly store?: BlockStore;
  /** Where reservations outlive the power. Default: nowhere, which is right for a disk that does not outlive it either. */
  readonly keeper?: ReservationKeeper;
  /** At most 8, 16, 4 and 20 ASCII characters. */
  readonly vendor?: string;
  readonly product?: string;
  readonly revision?: string;
  readonly serial?: string;
  /** World wide name, 16 hexadecimal digits beginning with 3 (locally assigned) or 5. Default: from the serial number. */
  readonly worldWideName?: string;
  /** Version descriptors of the carriers (INQUIRY); default SAM-5, SPC-4, SBC-3. */
  readonly standards?: readonly number[];
  readonly isRemovable?: boolean;
  /** A card reader without a card, until `insertMedium`. Only with `isRemovable`. Default false. */
  readonly isEmpty?: boolean;
  /** A switch on the case: writes are refused with DATA PROTECT. */
  readonly isWriteProtected?: boolean;
  /** Write cache on at first (WCE). Default true. */
  readonly writeCache?: boolean;
  /** MODE SELECT may change WCE. Default true. */
  readonly canChangeCache?: boolean;
  /**
   * Bytes of cached writes that a power cut can undo; 0: nothing is undone, flushes go to the store. Default 64 MiB for
   * memory, 0 for a store that was given.
   */
  readonly cacheBytes?: number;
  /** Unmapped blocks exist: UNMAP and the UNMAP bit of WRITE SAME are served. Default: what the store can. */
  readonly isThin?: boolean;
  /** WRITE SAME of 0 blocks writes to the last block (WSNZ 0); false: it is refused. Default false. */
  readonly writesSameToEnd?: boolean;
  /** Most bytes that one READ or WRITE moves. Default 16 MiB. */
  readonly maximumTransferBytes?: number;
  /** READ(32) and the like are served. They carry what protection type 2 needs, so disks without it have none. Default false. */
  readonly hasLongCommands?: boolean;
  /** Turns per minute, 1 for none. Default 1. */
  readonly rotationRate?: number;
  /** From START UNIT, power-on or standby to ready. Default 0. */
  readonly spinUpNs?: number;
  /** Spins up by itself at power-on; false: waits for START UNIT (4/02). Default true. */
  readonly startsSpinning?: boolean;
  /** What each command that touches the medium takes. Default 0: done within the call. */
  readonly accessNs?: number;
  /** What a flush takes per mebibyte that is owed. Default 0. */
  readonly flushNsPerMebibyte?: number;
}

export interface ResolvedUnitOptions extends Required<Omit<ScsiUnitOptions, "store" | "keeper">> {
  readonly store: BlockStore;
  readonly keeper: ReservationKeeper | null;
}

const mebibyte = 1 << 20;

/** Fills in the defaults and refuses what no disk can be. Throws RangeError with what to do. */
export function resolveUnitOptions(
  options: ScsiUnitOptions,
  lun: number,
  makeStore: (bytes: number) => BlockStore,
): ResolvedUnitOptions {
  const blockBytes = options.blockBytes ?? 512;
  if (![512, 1024, 2048, 4096].includes(blockBytes))
    throw new RangeError(`blocks have 512, 1024, 2048 or 4096 bytes, not ${blockBytes}`);
  const lengthBytes = options.blockCount * blockBytes;
  if (
    !Number.isSafeInteger(options.blockCount) ||
    options.blockCount < 1 ||
    !Number.isSafeInteger(lengthBytes)
  )
    throw new RangeError(
      `a disk has at least one block and fewer than 2^53 bytes, not ${options.blockCount} blocks`,
    );
  const { store: given } = options;
  if (given !== undefined && given.lengthBytes < lengthBytes)
    throw new RangeError(`the store holds ${given.lengthBytes} bytes, the disk needs ${lengthBytes}`);
  const store = given ?? makeStore(lengthBytes);
  const serial = options.serial ?? `DRYDOCK${String(lun).padStart(5, "0")}`;
  const worldWideName = options.worldWideName ?? localName(serial);
  if (!/^[35][0-9a-fA-F]{15}$/.test(worldWideName))
    throw new RangeError(
      `a world wide name has 16 hexadecimal digits and begins with 3 or 5: ${worldWideName}`,
    );
  return {
    blockCount: options.blockCount,
    blockBytes,
    physicalExponent: options.physicalExponent ?? 0,
    store,
    keeper: options.keeper ?? null,
    vendor: options.vendor ?? "DRYDOCK",
    product: options.product ?? "VIRTUAL DISK",
    revision: options.revision ?? "1.0",
    serial,
    worldWideName,
    standards: options.standards ?? [],
    isRemovable: options.isRemovable ?? false,
    isEmpty: options.isRemovable === true && options.isEmpty === true,
    isWriteProtected: options.isWriteProtected ?? false,
    writeCache: options.writeCache ?? true,
    canChangeCache: options.canChangeCache ?? true,
    cacheBytes: options.cacheBytes ?? (given === undefined ? 64 * mebibyte : 0),
    isThin: (options.isThin ?? true) && store.canDiscard,
    writesSameToEnd: options.writesSameToEnd ?? false,
    maximumTransferBytes: options.maximumTransferBytes ?? 16 * mebibyte,
    hasLongCommands: options.hasLongCommands ?? false,
    rotationRate: options.rotationRate ?? 1,
    spinUpNs: options.spinUpNs ?? 0,
    startsSpinning: options.startsSpinning ?? true,
    accessNs: options.accessNs ?? 0,
    flushNsPerMebibyte: options.flushNsPerMebibyte ?? 0,
  };
}

/** A locally assigned NAA name (type 3) whose digits follow from the serial number. */
function localName(serial: string): string {
  let high = 0x811c9dc5;
  let low = 0x01000193;
  for (let index = 0; index < serial.length; index++) {
    high = Math.imul(high ^ serial.charCodeAt(index), 16777619);
    low = Math.imul(low ^ high, 16777619);
  }
  const digits = (value: number) => (value >>> 0).toString(16).padStart(8, "0");
  return `3${(digits(high) + digits(low)).slice(1)}`;
}
