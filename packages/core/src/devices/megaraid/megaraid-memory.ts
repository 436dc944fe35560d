// How the controller reaches memory: the host's through the bus, or its own, as each scatter entry says.

import type { MfiSge, SgeFormat } from "../../codec/mfi/mfi.ts";
import { MfiAddressSpace, readSge, sgeBytes } from "../../codec/mfi/mfi.ts";
import type { PciUpstream } from "../../ports/pci-device.ts";
import { ControllerMemory } from "../controller-memory.ts";

export class RaidMemory {
  readonly local = new ControllerMemory();
  readonly #sge: MfiSge = { address: 0, lengthBytes: 0, space: 0 };

  /** Bytes that the entries of a frame cover; -1: they lie beyond the frame, or make no sense. */
  lengthOf(frame: Uint8Array, at: number, count: number, format: SgeFormat): number {
    let total = 0;
    for (let index = 0; index < count; index++) {
      const offset = at + index * sgeBytes[format];
      if (offset + sgeBytes[format] > frame.length) return -1;
      readSge(frame, offset, format, this.#sge);
      if (this.#sge.lengthBytes > maximumEntryBytes) return -1;
      total += this.#sge.lengthBytes;
    }
    return total;
  }

  /** Moves `lengthBytes` between `buffer` and what the entries name. False: the host refused a read. */
  move(
    upstream: PciUpstream,
    frame: Uint8Array,
    at: number,
    count: number,
    format: SgeFormat,
    buffer: Uint8Array,
    offset: number,
    lengthBytes: number,
    isToHost: boolean,
  ): boolean {
    let done = 0;
    for (let index = 0; index < count && done < lengthBytes; index++) {
      readSge(frame, at + index * sgeBytes[format], format, this.#sge);
      const { address, space } = this.#sge;
      const part = Math.min(this.#sge.lengthBytes, lengthBytes - done);
      if (space !== MfiAddressSpace.system) this.local.move(address, buffer, offset + done, part, isToHost);
      else if (isToHost) upstream.write(address, buffer, offset + done, part);
      else if (!upstream.read(address, buffer, offset + done, part)) return false;
      done += part;
    }
    return true;
  }
}

const maximumEntryBytes = 16 << 20;
