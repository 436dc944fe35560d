// A controller's own memory, with an address space that may look like the host's: where wrong scatter entries lead.

const pageBytes = 4096;
/** Pages kept: a stray access fills no host's memory. */
const pagesMaximum = 1024;
const writesMaximum = 100;

/** A write that stayed inside the controller (posts.md F11: "went to local memory"). */
export interface LocalWrite {
  readonly address: number;
  readonly bytes: Uint8Array;
}

export class ControllerMemory {
  /** The newest writes: no bus saw them. */
  readonly writes: LocalWrite[] = [];
  readonly #pages = new Map<number, Uint8Array>();

  /** Between `buffer` and the memory at `address`; what was never written reads as zeros. */
  move(address: number, buffer: Uint8Array, offset: number, lengthBytes: number, isWrite: boolean): void {
    if (isWrite) {
      this.writes.push({ address, bytes: buffer.slice(offset, offset + lengthBytes) });
      if (this.writes.length > writesMaximum) this.writes.shift();
    }
    for (let index = 0; index < lengthBytes; index++) {
      const page = Math.floor((address + index) / pageBytes);
      let bytes = this.#pages.get(page);
      if (bytes === undefined) {
        if (!isWrite || this.#pages.size >= pagesMaximum) {
          if (!isWrite) buffer[offset + index] = 0;
          continue;
        }
        bytes = new Uint8Array(pageBytes);
        this.#pages.set(page, bytes);
      }
      const at = (address + index) % pageBytes;
      if (isWrite) bytes[at] = buffer[offset + index];
      else buffer[offset + index] = bytes[at];
    }
  }
}
