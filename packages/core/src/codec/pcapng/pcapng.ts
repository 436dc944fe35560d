// Capture files that Wireshark opens: pcapng blocks, and the Linux USB pseudo-header inside them.
// Formats: IETF draft "PCAP Next Generation Capture File Format"; LINKTYPE_USB_LINUX_MMAPPED (220).

import { DecodeError } from "../../base/errors.ts";
import { decodeUtf8, encodeUtf8 } from "../../base/text.ts";

export const linkTypeUsbLinuxMmapped = 220;
/** Frames from their destination address on, without preamble and FCS. */
export const linkTypeEthernet = 1;

const sectionHeader = 0x0a0d0d0a;
const interfaceDescription = 1;
const enhancedPacket = 6;
const byteOrderMagic = 0x1a2b3c4d;
const optionEnd = 0;
const optionComment = 1;
const optionTimeResolution = 9;
const optionApplication = 4;

/** Grows a file block by block. Times are nanoseconds. */
export class PcapngWriter {
  readonly #parts: Uint8Array[] = [];

  constructor(application: string) {
    this.#block(
      sectionHeader,
      (view) => {
        view.setUint32(0, byteOrderMagic, true);
        view.setUint16(4, 1, true);
        view.setUint16(6, 0, true);
        view.setUint32(8, 0xffffffff, true);
        view.setUint32(12, 0xffffffff, true);
      },
      16,
      [[optionApplication, encodeUtf8(application)]],
    );
  }

  /** Interfaces are numbered from 0 in the order they are added. */
  addInterface(linkType: number): void {
    this.#block(
      interfaceDescription,
      (view) => {
        view.setUint16(0, linkType, true);
        view.setUint32(4, 0, true);
      },
      8,
      [[optionTimeResolution, Uint8Array.of(9)]],
    );
  }

  addPacket(interfaceNumber: number, timeNs: number, bytes: Uint8Array, comments: readonly string[]): void {
    const padded = Math.ceil(bytes.length / 4) * 4;
    const options = comments.map((comment): [number, Uint8Array] => [optionComment, encodeUtf8(comment)]);
    this.#block(
      enhancedPacket,
      (view, body) => {
        view.setUint32(0, interfaceNumber, true);
        view.setUint32(4, Math.floor(timeNs / 4294967296), true);
        view.setUint32(8, timeNs % 4294967296, true);
        view.setUint32(12, bytes.length, true);
        view.setUint32(16, bytes.length, true);
        body.set(bytes, 20);
      },
      20 + padded,
      options,
    );
  }

  finish(): Uint8Array {
    const total = this.#parts.reduce((sum, part) => sum + part.length, 0);
    const file = new Uint8Array(total);
    let at = 0;
    for (const part of this.#parts) {
      file.set(part, at);
      at += part.length;
    }
    return file;
  }

  #block(
    type: number,
    fill: (view: DataView, body: Uint8Array) => void,
    bodyLength: number,
    options: readonly [number, Uint8Array][],
  ): void {
    const optionsLength =
      options.length === 0
        ? 0
        : options.reduce((sum, [, value]) => sum + 4 + Math.ceil(value.length / 4) * 4, 4);
    const total = 12 + bodyLength + optionsLength;
    const block = new Uint8Array(total);
    const view = new DataView(block.buffer);
    view.setUint32(0, type, true);
    view.setUint32(4, total, true);
    fill(new DataView(block.buffer, 8), block.subarray(8));
    let at = 8 + bodyLength;
    for (const [code, value] of options) {
      view.setUint16(at, code, true);
      view.setUint16(at + 2, value.length, true);
      block.set(value, at + 4);
      at += 4 + Math.ceil(value.length / 4) * 4;
    }
    if (options.length > 0) view.setUint32(at, optionEnd, true);
    view.setUint32(total - 4, total, true);
    this.#parts.push(block);
  }
}

export interface PcapngPacket {
  readonly linkType: number;
  readonly timeNs: number;
  readonly bytes: Uint8Array;
  readonly comments: readonly string[];
  /** Position of the block in the file. */
  readonly offset: number;
}

/** Every packet of a file, in order. Unknown blocks are skipped. Throws DecodeError with the offset of a bad block. */
export function* readPcapng(file: Uint8Array): Generator<PcapngPacket> {
  const subject = "pcapng file";
  const view = new DataView(file.buffer, file.byteOffset, file.byteLength);
  let little = true;
  let interfaces: { linkType: number; nsPerUnit: number }[] = [];
  let at = 0;
  if (file.length < 12 || view.getUint32(0, true) !== sectionHeader) {
    throw new DecodeError(subject, 0, "does not begin with a section header block");
  }
  while (at < file.length) {
    if (file.length - at < 12)
      throw new DecodeError(subject, at, `${file.length - at} bytes are left, a block needs 12`);
    const type = view.getUint32(at, little);
    if (type === sectionHeader) {
      little = view.getUint32(at + 8, true) === byteOrderMagic;
      if (!little && view.getUint32(at + 8, false) !== byteOrderMagic)
        throw new DecodeError(subject, at + 8, "no byte-order magic");
      interfaces = [];
    }
    const total = view.getUint32(at + 4, little);
    if (total < 12 || total % 4 !== 0 || at + total > file.length) {
      throw new DecodeError(subject, at + 4, `block length ${total} does not fit`);
    }
    if (type === interfaceDescription) interfaces.push(readInterface(view, file, at, total, little));
    if (type === enhancedPacket) {
      if (total < 32) throw new DecodeError(subject, at, "packet block without its header");
      const link = interfaces[view.getUint32(at + 8, little)];
      if (link === undefined)
        throw new DecodeError(subject, at + 8, "packet of an interface that was not described");
      const captured = view.getUint32(at + 20, little);
      const dataAt = at + 28;
      if (captured > total - 32)
        throw new DecodeError(subject, at + 20, `captured length ${captured} does not fit the block`);
      const units = view.getUint32(at + 12, little) * 4294967296 + view.getUint32(at + 16, little);
      const optionsAt = dataAt + Math.ceil(captured / 4) * 4;
      yield {
        linkType: link.linkType,
        timeNs: Math.round(units * link.nsPerUnit),
        bytes: file.slice(dataAt, dataAt + captured),
        comments: [...readOptions(view, file, optionsAt, at + total - 4, little)]
          .filter(([code]) => code === optionComment)
          .map(([, value]) => decodeUtf8(value)),
        offset: at,
      };
    }
    at += total;
  }
}

function readInterface(
  view: DataView,
  file: Uint8Array,
  at: number,
  total: number,
  little: boolean,
): { linkType: number; nsPerUnit: number } {
  if (total < 20) throw new DecodeError("pcapng file", at, "interface block without its header");
  let nsPerUnit = 1000;
  for (const [code, value] of readOptions(view, file, at + 16, at + total - 4, little)) {
    if (code !== optionTimeResolution || value.length < 1) continue;
    const exponent = value[0] & 0x7f;
    nsPerUnit = 1e9 * ((value[0] & 0x80) !== 0 ? 2 ** -exponent : 10 ** -exponent);
  }
  return { linkType: view.getUint16(at + 8, little), nsPerUnit };
}

function* readOptions(
  view: DataView,
  file: Uint8Array,
  start: number,
  end: number,
  little: boolean,
): Generator<[number, Uint8Array]> {
  let at = start;
  while (at + 4 <= end) {
    const code = view.getUint16(at, little);
    const length = view.getUint16(at + 2, little);
    if (code === optionEnd || at + 4 + length > end) return;
    yield [code, file.slice(at + 4, at + 4 + length)];
    at += 4 + Math.ceil(length / 4) * 4;
  }
}
