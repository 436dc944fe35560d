// The older capture file: one header, then records. Format: IETF draft "PCAP Capture File Format", sections 4 and 5.

import { DecodeError } from "../../base/errors.ts";
import type { PcapngPacket } from "./pcapng.ts";

const magicMicroseconds = 0xa1b2c3d4;
const magicNanoseconds = 0xa1b23c4d;
const headerBytes = 24;
const recordBytes = 16;

/** Every packet of a file, in order, in the shape of {@link readPcapng}. Throws DecodeError with the offset. */
export function* readPcap(file: Uint8Array): Generator<PcapngPacket> {
  const subject = "pcap file";
  if (file.length < headerBytes)
    throw new DecodeError(subject, file.length, `needs ${headerBytes} bytes of header`);
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  const isLittle = [magicMicroseconds, magicNanoseconds].includes(view.getUint32(0, true));
  const magic = view.getUint32(0, isLittle);
  if (magic !== magicMicroseconds && magic !== magicNanoseconds)
    throw new DecodeError(subject, 0, "no magic number");
  const nsPerUnit = magic === magicNanoseconds ? 1 : 1000;
  const linkType = view.getUint32(20, isLittle) & 0x0fffffff;
  for (let at = headerBytes; at < file.length; ) {
    if (at + recordBytes > file.length) throw new DecodeError(subject, at, "a record header is cut");
    const length = view.getUint32(at + 8, isLittle);
    if (at + recordBytes + length > file.length)
      throw new DecodeError(subject, at + 8, `captured length ${length} does not fit`);
    yield {
      linkType,
      timeNs: view.getUint32(at, isLittle) * 1e9 + view.getUint32(at + 4, isLittle) * nsPerUnit,
      bytes: file.slice(at + recordBytes, at + recordBytes + length),
      comments: [],
      offset: at,
    };
    at += recordBytes + length;
  }
}
