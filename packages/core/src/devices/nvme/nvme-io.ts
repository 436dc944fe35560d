// I/O commands of the NVMe model: read, write, flush, zeroes, compare, deallocate (NVM Express 1.4 §6).

import { getU32le } from "../../base/bytes.ts";
import {
  allNamespaces,
  datasetDeallocate,
  forceUnitAccess,
  getU64le,
  type NvmeCommand,
  NvmeIo,
  NvmeStatus,
} from "../../codec/nvme/commands.ts";
import type { MemoryDisk } from "../memory-disk/memory-disk-device.ts";
import type { NvmeController, NvmeInFlight } from "./nvme-controller.ts";
import { nvmeTransferPages } from "./nvme-limits.ts";

const transferMaximum = nvmeTransferPages * 4096;

export class NvmeIoCommands {
  readCommands = 0;
  writeCommands = 0;
  readonly #device: NvmeController;
  readonly #buffer = new Uint8Array(transferMaximum);

  constructor(device: NvmeController) {
    this.#device = device;
  }

  /** Does the whole command and completes it. */
  execute(entry: NvmeInFlight): void {
    const status = this.#perform(entry.command);
    const isFinal = status !== NvmeStatus.success && status >>> 8 === 0;
    if (status !== NvmeStatus.success)
      this.#device.admin.logError(entry.queue, entry.command.commandId, status);
    this.#device.complete(entry, status, 0, isFinal);
  }

  /** The power goes while a write is under way: some of its blocks may have arrived. */
  cut(entry: NvmeInFlight): void {
    const { command } = entry;
    const disk = this.#device.disks[command.namespaceId - 1];
    if (disk === undefined || entry.queue === 0 || command.opcode !== NvmeIo.writeZeroes) return;
    const blocks = (command.dw12 & 0xffff) + 1;
    if (lba(command) + blocks <= disk.geometry.blockCount) disk.tear(lba(command), blocks, null, 0);
  }

  #perform(command: NvmeCommand): number {
    if (command.opcode === NvmeIo.flush) return this.#flush(command);
    const disk = this.#device.disks[command.namespaceId - 1];
    if (disk === undefined) return NvmeStatus.invalidNamespace;
    switch (command.opcode) {
      case NvmeIo.read:
      case NvmeIo.write:
      case NvmeIo.compare:
        return this.#transfer(disk, command);
      case NvmeIo.writeZeroes: {
        const blocks = (command.dw12 & 0xffff) + 1;
        if (lba(command) + blocks > disk.geometry.blockCount) return NvmeStatus.lbaRange;
        disk.write(lba(command), blocks, null, 0, this.#isForced(command));
        this.writeCommands++;
        return NvmeStatus.success;
      }
      case NvmeIo.datasetManagement:
        return this.#dataset(disk, command);
      default:
        return NvmeStatus.invalidOpcode;
    }
  }

  #isForced(command: NvmeCommand): boolean {
    if (this.#device.options.liesAboutFlush === true) return false;
    return (command.dw12 & forceUnitAccess) !== 0 || !this.#device.admin.isCacheOn;
  }

  #transfer(disk: MemoryDisk, command: NvmeCommand): number {
    const upstream = this.#device.upstreamPort;
    if (upstream === null) return NvmeStatus.internalError;
    const { blockBytes, blockCount } = disk.geometry;
    const blocks = (command.dw12 & 0xffff) + 1;
    const length = blocks * blockBytes;
    const first = lba(command);
    if (first + blocks > blockCount) return NvmeStatus.lbaRange;
    if (length > transferMaximum) return NvmeStatus.invalidField;
    const buffer = this.#buffer;
    const { data } = this.#device;
    if (command.opcode === NvmeIo.read) {
      this.readCommands++;
      const direct = disk.direct(first, blocks);
      if (direct !== null)
        return data.move(upstream, command, direct, disk.directOffset(first), length, true);
      disk.read(first, blocks, buffer, 0);
      return data.move(upstream, command, buffer, 0, length, true);
    }
    const moved = data.move(upstream, command, buffer, 0, length, false);
    if (moved !== NvmeStatus.success) return moved;
    if (command.opcode === NvmeIo.compare) {
      const held = new Uint8Array(length);
      disk.read(first, blocks, held, 0);
      for (let at = 0; at < length; at++) if (held[at] !== buffer[at]) return NvmeStatus.compareFailure;
      return NvmeStatus.success;
    }
    disk.write(first, blocks, buffer, 0, this.#isForced(command));
    this.writeCommands++;
    return NvmeStatus.success;
  }

  #flush(command: NvmeCommand): number {
    const { disks, options } = this.#device;
    if (command.namespaceId !== allNamespaces && disks[command.namespaceId - 1] === undefined)
      return NvmeStatus.invalidNamespace;
    if (options.liesAboutFlush === true) return NvmeStatus.success;
    if (command.namespaceId === allNamespaces) for (const disk of disks) disk.flush();
    else disks[command.namespaceId - 1].flush();
    return NvmeStatus.success;
  }

  #dataset(disk: MemoryDisk, command: NvmeCommand): number {
    const upstream = this.#device.upstreamPort;
    if (upstream === null) return NvmeStatus.internalError;
    const count = (command.dw10 & 0xff) + 1;
    const ranges = new Uint8Array(count * 16);
    const moved = this.#device.data.move(upstream, command, ranges, 0, ranges.length, false);
    if (moved !== NvmeStatus.success) return moved;
    if ((command.dw11 & datasetDeallocate) === 0) return NvmeStatus.success;
    // All ranges are judged before one is touched.
    for (let at = 0; at < ranges.length; at += 16) {
      if (getU64le(ranges, at + 8) + getU32le(ranges, at + 4) > disk.geometry.blockCount)
        return NvmeStatus.lbaRange;
    }
    for (let at = 0; at < ranges.length; at += 16) {
      const blocks = getU32le(ranges, at + 4);
      if (blocks > 0) disk.write(getU64le(ranges, at + 8), blocks, null, 0, false);
    }
    return NvmeStatus.success;
  }
}

function lba(command: NvmeCommand): number {
  return command.dw11 * 4294967296 + command.dw10;
}
