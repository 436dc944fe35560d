// The audio ring as the hardware wants it: prepared for DMA, cut into pieces, a list of 32 moving over them.

import { IOReturns } from "../../base/io-return.ts";
import {
  ac97Entries,
  ac97EntryBytes,
  ac97ListBytes,
  newAc97Buffer,
  writeAc97Buffer,
} from "../../codec/ac97/ac97.ts";
import type { IOPCIDevice } from "../../families/pci/io-pci-device.ts";
import { type IOAddressSegment, IODMACommand } from "../../runtime/dma-command.ts";
import type { IOMemoryDescriptor } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { DmaBuffer } from "../dma-buffer.ts";

/** The list's addresses, and those of the buffers in it, have 32 bits. */
export const ac97AddressBits = 32;
/** What one PrepareForDMA answers at most. */
const segmentsAtOnce = 32;

/**
 * Where a ring lies for the device. One segment where an IOMMU translates; in pieces where none does, and then more of them
 * than one call answers: commands by offset, until the sum is the whole.
 */
export class PreparedRing {
  readonly segments: readonly IOAddressSegment[];
  readonly #commands: readonly IODMACommand[];

  private constructor(segments: readonly IOAddressSegment[], commands: readonly IODMACommand[]) {
    this.segments = segments;
    this.#commands = commands;
  }

  /** IOError when a command cannot be made or prepared; nothing stays prepared then. */
  static prepare(driver: IOService, device: IOPCIDevice, memory: IOMemoryDescriptor): PreparedRing {
    const segments: IOAddressSegment[] = [];
    const commands: IODMACommand[] = [];
    const giveBack = (): void => {
      for (const command of commands) if (command.isPrepared) command.completeDMA(0);
    };
    for (let offset = 0; offset < memory.length; ) {
      const { status, value: command } = IODMACommand.create(
        device,
        0,
        { maxAddressBits: ac97AddressBits },
        "audio ring",
      );
      const prepared = command?.prepareForDMA(0, memory, offset, 0, segmentsAtOnce);
      const isGood = prepared?.status === IOReturns.kIOReturnSuccess && prepared.segments.length > 0;
      if (command === null || prepared === undefined || !isGood) {
        giveBack();
        throw driver.failure(prepared?.status ?? status, "IODMACommand.PrepareForDMA", "audio ring");
      }
      commands.push(command);
      for (const segment of prepared.segments) {
        segments.push(segment);
        offset += segment.length;
      }
    }
    return new PreparedRing(segments, commands);
  }

  /** After the engine has stopped: what it fetches from now on is refused. */
  complete(): void {
    for (const command of this.#commands) if (command.isPrepared) command.completeDMA(0);
  }
}

/** A piece of the ring that one entry names. */
interface Piece {
  readonly address: number;
  readonly samples: number;
}

/** Segments, cut so that none is longer than `mostBytes`: an interrupt for each. */
export function piecesOf(segments: readonly IOAddressSegment[], mostBytes: number): readonly Piece[] {
  const pieces: Piece[] = [];
  for (const { address, length } of segments)
    for (let at = 0; at < length; at += mostBytes)
      pieces.push({ address: address + at, samples: Math.min(mostBytes, length - at) / 2 });
  return pieces;
}

/** A list of 32 entries over a ring of pieces: entry n of the endless row of buffers lies at n mod 32. */
export class Ac97List {
  readonly pieces: readonly Piece[];
  readonly #memory: DmaBuffer;
  readonly #buffer = newAc97Buffer();

  constructor(driver: IOService, device: IOPCIDevice, pieces: readonly Piece[]) {
    this.pieces = pieces;
    this.#memory = DmaBuffer.create(driver, device, ac97ListBytes, "audio buffer list", ac97AddressBits);
    for (let number = 0; number < ac97Entries; number++) this.write(number);
  }

  get address(): number {
    return this.#memory.address;
  }

  /** The n-th buffer of the endless row, into its entry. */
  write(number: number): void {
    const { address, samples } = this.pieces[number % this.pieces.length];
    const buffer = this.#buffer;
    buffer.address = address;
    buffer.samples = samples;
    buffer.isInterrupting = true;
    writeAc97Buffer(this.#memory.bytes, (number % ac97Entries) * ac97EntryBytes, buffer);
  }

  release(): void {
    this.#memory.release();
  }
}
