// How an NVMe controller finds the memory of a command: PRP lists and SGL segments (NVM Express 1.4 §4.3, §4.4).

import { getU32le } from "../../base/bytes.ts";
import {
  dataPointerPrp,
  getU64le,
  type NvmeCommand,
  NvmeSgl,
  NvmeStatus,
  sglDescriptorBytes,
} from "../../codec/nvme/commands.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";

/** Descriptors in a chain; longer ones are refused so that a circle of segments ends. */
const descriptorMaximum = 4096;

/**
 * Moves data between a controller's buffer and the host's memory, page by page as the command says. A refused read of
 * memory is a transfer error; a refused write nobody notices, as on any bus.
 */
export class NvmeData {
  pageBytes = 4096;
  readonly #list = new Uint8Array(4096);

  /** Status of the command: success, or what was wrong with its pointers. */
  move(
    upstream: PciUpstream,
    command: NvmeCommand,
    buffer: Uint8Array,
    offset: number,
    lengthBytes: number,
    isToHost: boolean,
  ): number {
    if (lengthBytes === 0) return NvmeStatus.success;
    if (command.dataPointer !== dataPointerPrp)
      return this.#moveBySgl(upstream, command, buffer, offset, lengthBytes, isToHost);
    const { pageBytes } = this;
    const inPage = command.prp1 % pageBytes;
    if (command.prp1 % 4 !== 0) return NvmeStatus.prpOffset;
    const first = Math.min(lengthBytes, pageBytes - inPage);
    if (!one(upstream, command.prp1, buffer, offset, first, isToHost)) return NvmeStatus.transferError;
    const rest = lengthBytes - first;
    if (rest === 0) return NvmeStatus.success;
    if (rest <= pageBytes) {
      if (command.prp2 % pageBytes !== 0) return NvmeStatus.prpOffset;
      return one(upstream, command.prp2, buffer, offset + first, rest, isToHost)
        ? NvmeStatus.success
        : NvmeStatus.transferError;
    }
    return this.#moveByList(upstream, command.prp2, buffer, offset + first, rest, isToHost);
  }

  #moveByList(
    upstream: PciUpstream,
    listAddress: number,
    buffer: Uint8Array,
    offset: number,
    lengthBytes: number,
    isToHost: boolean,
  ): number {
    const { pageBytes } = this;
    if (listAddress % 8 !== 0) return NvmeStatus.prpOffset;
    let list = listAddress;
    let done = 0;
    while (done < lengthBytes) {
      // What is left of this list page, or of the transfer; the last entry of a full page points to the next one.
      const room = (pageBytes - (list % pageBytes)) / 8;
      const needed = Math.ceil((lengthBytes - done) / pageBytes);
      const isChained = needed > room;
      const entries = isChained ? room : needed;
      for (let index = 0; index < entries; index++) {
        if (!upstream.read(list + index * 8, this.#list, 0, 8)) return NvmeStatus.transferError;
        const address = getU64le(this.#list, 0);
        if (isChained && index === entries - 1) {
          if (address % pageBytes !== 0) return NvmeStatus.prpOffset;
          list = address;
          break;
        }
        if (address % pageBytes !== 0) return NvmeStatus.prpOffset;
        const length = Math.min(pageBytes, lengthBytes - done);
        if (!one(upstream, address, buffer, offset + done, length, isToHost)) return NvmeStatus.transferError;
        done += length;
      }
    }
    return NvmeStatus.success;
  }

  /** The descriptor in the command, and the segments behind it. */
  #moveBySgl(
    upstream: PciUpstream,
    command: NvmeCommand,
    buffer: Uint8Array,
    offset: number,
    lengthBytes: number,
    isToHost: boolean,
  ): number {
    const descriptor = new Uint8Array(sglDescriptorBytes);
    let address = command.prp1;
    let length = command.sglLength;
    let type = command.sglType;
    let done = 0;
    let segment = 0;
    let segmentEnd = 0;
    for (let count = 0; count < descriptorMaximum; count++) {
      if (type === NvmeSgl.dataBlock || type === NvmeSgl.bitBucket) {
        const part = Math.min(length, lengthBytes - done);
        if (type === NvmeSgl.dataBlock && part > 0) {
          if (!one(upstream, address, buffer, offset + done, part, isToHost)) return NvmeStatus.transferError;
        } else if (type === NvmeSgl.bitBucket && !isToHost) return NvmeStatus.sglType;
        done += part;
        if (done >= lengthBytes) return NvmeStatus.success;
      } else if (type === NvmeSgl.segment || type === NvmeSgl.lastSegment) {
        if (length === 0 || length % sglDescriptorBytes !== 0) return NvmeStatus.sglSegment;
        segment = address;
        segmentEnd = address + length;
      } else return NvmeStatus.sglType;
      if (segment >= segmentEnd) return NvmeStatus.sglLength;
      if (!upstream.read(segment, descriptor, 0, sglDescriptorBytes)) return NvmeStatus.transferError;
      segment += sglDescriptorBytes;
      address = getU64le(descriptor, 0);
      length = getU32le(descriptor, 8);
      type = descriptor[15] >>> 4;
    }
    return NvmeStatus.sglCount;
  }
}

function one(
  upstream: PciUpstream,
  address: number,
  buffer: Uint8Array,
  offset: number,
  lengthBytes: number,
  isToHost: boolean,
): boolean {
  if (!isToHost) return upstream.read(address, buffer, offset, lengthBytes);
  upstream.write(address, buffer, offset, lengthBytes);
  return true;
}
