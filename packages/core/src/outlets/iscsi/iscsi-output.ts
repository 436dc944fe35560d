// What an iSCSI connection sends: PDUs gathered in one piece of memory and written once per turn.

import { putU24be, putU32le } from "../../base/bytes.ts";
import { crc32c } from "../../base/crc32c.ts";
import { IscsiField, iscsiHeaderBytes, paddingOf } from "../../codec/iscsi/pdu.ts";
import type { ByteOwner, ByteStream } from "../../ports/byte-stream.ts";

const largestSlabBytes = 131072;
/** Enough for a login; each further piece is twice the last, as long as what it gathers is sent at once. */
const firstSlabBytes = 4096;
/** Data up to this size is gathered; larger data is written by itself, without a copy. */
export const gatheredMaximum = 32768;

/**
 * Digests travel with their lowest byte first (RFC 7143 §13.1). A PDU is reserved (`begin`: header cleared, room for data behind it), filled in place, and committed. What was
 * written to the stream belongs to it, so a piece of memory is never used twice.
 */
export class IscsiOutput {
  readonly #stream: ByteStream;
  hasHeaderDigest = false;
  hasDataDigest = false;
  #slab = new Uint8Array(firstSlabBytes);
  /** From here to `#end` waits to be written. */
  #start = 0;
  #end = 0;
  /** False after the stream said that enough is waiting. */
  isWritable = true;

  constructor(stream: ByteStream) {
    this.#stream = stream;
  }

  get #headBytes(): number {
    return iscsiHeaderBytes + (this.hasHeaderDigest ? 4 : 0);
  }

  /** The memory that the PDU last begun lies in. */
  get bytes(): Uint8Array {
    return this.#slab;
  }

  /** Reserves a PDU with room for `dataBytes`, at most `gatheredMaximum`; answers where its header begins. */
  begin(dataBytes: number): number {
    const need = this.#headBytes + dataBytes + 8;
    if (this.#end + need > this.#slab.length) {
      this.flush();
      // Who does not read its answers gets no more memory for them than it needs.
      const grown = this.isWritable ? Math.min(largestSlabBytes, 2 * this.#slab.length) : firstSlabBytes;
      this.#slab = new Uint8Array(Math.max(grown, need));
      this.#start = 0;
      this.#end = 0;
    }
    this.#slab.fill(0, this.#end, this.#end + iscsiHeaderBytes);
    return this.#end;
  }

  dataAt(header: number): number {
    return header + this.#headBytes;
  }

  /** The PDU at `header` is complete, with `dataBytes` of data behind its header. */
  commit(header: number, dataBytes: number): void {
    this.#end = header + this.#seal(this.#slab, header, dataBytes);
  }

  /** Padding and digests; answers the length of the whole PDU. */
  #seal(bytes: Uint8Array, header: number, dataBytes: number): number {
    putU24be(bytes, header + IscsiField.dataSegmentLength, dataBytes);
    const dataAt = header + this.#headBytes;
    if (this.hasHeaderDigest)
      putU32le(bytes, header + iscsiHeaderBytes, crc32c(bytes, header, iscsiHeaderBytes));
    const padding = paddingOf(dataBytes);
    bytes.fill(0, dataAt + dataBytes, dataAt + dataBytes + padding);
    let end = dataAt + dataBytes + padding;
    if (this.hasDataDigest && dataBytes > 0) {
      putU32le(bytes, end, crc32c(bytes, dataAt, dataBytes + padding));
      end += 4;
    }
    return end - header;
  }

  /** The reserved PDU is in somebody else's hands: its memory is never used again. */
  detach(header: number, dataBytes: number): void {
    this.#write(this.#start, header);
    this.#end = this.dataAt(header) + dataBytes;
    this.#start = this.#end;
  }

  /** Commits a header whose data lies elsewhere and is handed to the stream: for good, or until `owner` hears. */
  commitWithData(header: number, data: Uint8Array, owner?: ByteOwner): void {
    putU24be(this.#slab, header + IscsiField.dataSegmentLength, data.length);
    this.#end = header + iscsiHeaderBytes;
    if (this.hasHeaderDigest) {
      putU32le(this.#slab, this.#end, crc32c(this.#slab, header, iscsiHeaderBytes));
      this.#end += 4;
    }
    this.flush();
    // The last digest is made first: an owner may have its memory back when `write` returns.
    const padding = paddingOf(data.length);
    const tail = new Uint8Array(padding + (this.hasDataDigest ? 4 : 0));
    if (this.hasDataDigest) putU32le(tail, padding, crc32c(tail, 0, padding, crc32c(data)));
    this.isWritable = this.#stream.write(data, owner) && this.isWritable;
    if (tail.length > 0) this.isWritable = this.#stream.write(tail) && this.isWritable;
  }

  flush(): void {
    this.#write(this.#start, this.#end);
    this.#start = this.#end;
  }

  #write(from: number, to: number): void {
    if (to > from) this.isWritable = this.#stream.write(this.#slab.subarray(from, to)) && this.isWritable;
  }
}
