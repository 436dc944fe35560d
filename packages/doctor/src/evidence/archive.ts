// Archives: zip, gzip, tar. Nothing is unpacked to a disk; links are not followed, and what comes out is bounded.

import { DecodeError } from "@drydock/core/base/errors";
import { decodeUtf8 } from "@drydock/core/base/text";
import type { EvidenceSource } from "../facts/evidence-source.ts";
import type { BinaryReader, FactSink } from "./reader.ts";

/** Names are shown, never used as paths; still, a name that climbs is worth a word. */
export function checkedName(name: string, sink: FactSink): string {
  if (/(?:^|[\\/])\.\.(?:[\\/]|$)|^[\\/]|^[A-Za-z]:/.test(name))
    sink.problem(
      `has a member whose name leads out of the archive (${name.slice(0, 100)}); it was read, not written`,
    );
  return name.slice(0, 500);
}

/** A compressed stream in pieces. `format`: as DecompressionStream names them. */
export async function* inflated(bytes: Uint8Array, format: CompressionFormat): AsyncGenerator<Uint8Array> {
  const copy = new Uint8Array(bytes);
  const stream = new Blob([copy]).stream().pipeThrough(new DecompressionStream(format));
  const reader = stream.getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}

export const gzipReader: BinaryReader = {
  kind: "archive",
  recognise: (head) => head[0] === 0x1f && head[1] === 0x8b && head[2] === 8,
  read(file, sink) {
    const name = (file.name.split("/").pop() ?? "").replace(/\.t?gz$/i, "") || "content";
    sink.nestedFile({ name, chunks: () => inflated(file.bytes, "gzip") });
  },
};

const block = 512;

export const tarReader: BinaryReader = {
  kind: "archive",
  recognise: (head) => head.length >= 262 && decodeUtf8(head.subarray(257, 262)) === "ustar",
  read(file, sink) {
    const { bytes } = file;
    let longName: string | null = null;
    let links = 0;
    for (let at = 0; at + block <= bytes.length; ) {
      const header = bytes.subarray(at, at + block);
      if (header[0] === 0) break;
      const size = octal(header.subarray(124, 136));
      const start = at + block;
      if (size === null || start + size > bytes.length) {
        sink.problem(`is a tar archive that is cut or wrong at byte ${at}; what is before was read`);
        break;
      }
      const type = String.fromCharCode(header[156]);
      const prefix = text(header.subarray(345, 500));
      const name: string = longName ?? `${prefix === "" ? "" : `${prefix}/`}${text(header.subarray(0, 100))}`;
      longName = null;
      const data = bytes.subarray(start, start + size);
      if (type === "L") longName = text(data.subarray(0, 4096));
      else if (type === "x")
        longName = /\d+ path=([^\n]{1,4096})\n/.exec(decodeUtf8(data.subarray(0, 65536)))?.[1] ?? null;
      else if (type === "1" || type === "2") links++;
      else if (type === "0" || type === "\0" || type === "7")
        sink.nestedFile({ name: checkedName(name, sink), chunks: () => [data] });
      at = start + Math.ceil(size / block) * block;
    }
    if (links > 0) sink.problem(`has ${links} links among its members, which are not followed`);
  },
};

function text(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return decodeUtf8(end < 0 ? bytes : bytes.subarray(0, end));
}

/** GNU's base-256 sizes are only for members that are too large anyway. */
function octal(bytes: Uint8Array): number | null {
  const digits = text(bytes).trim();
  return /^[0-7]{1,12}$/.test(digits) ? Number.parseInt(digits, 8) : null;
}

const endOfDirectory = 0x06054b50;
const directoryEntry = 0x02014b50;
const localHeader = 0x04034b50;
const linkMode = 0o120000;

export const zipReader: BinaryReader = {
  kind: "archive",
  recognise: (head) =>
    head[0] === 0x50 && head[1] === 0x4b && (head[2] === 3 || head[2] === 5) && head[3] === head[2] + 1,
  read(file, sink) {
    for (const member of zipMembers(file.bytes, sink)) sink.nestedFile(member);
  },
};

/** From the central directory. Throws DecodeError when there is none. */
function* zipMembers(bytes: Uint8Array, sink: FactSink): Generator<EvidenceSource> {
  const subject = "zip archive";
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  let end = bytes.length - 22;
  const first = Math.max(0, end - 65_535);
  while (end >= first && view.getUint32(end, true) !== endOfDirectory) end--;
  if (end < first || end < 0)
    throw new DecodeError(subject, bytes.length, "has no directory at its end; it was cut");
  const count = view.getUint16(end + 10, true);
  let at = view.getUint32(end + 16, true);
  let links = 0;
  for (let index = 0; index < count; index++) {
    if (at + 46 > bytes.length || view.getUint32(at, true) !== directoryEntry) {
      sink.problem(`is a zip archive whose directory is wrong at byte ${at}; what is before was read`);
      break;
    }
    const method = view.getUint16(at + 10, true);
    const flags = view.getUint16(at + 8, true);
    const packed = view.getUint32(at + 20, true);
    const nameLength = view.getUint16(at + 28, true);
    const mode = view.getUint16(at + 40, true);
    const local = view.getUint32(at + 42, true);
    const name = decodeUtf8(bytes.subarray(at + 46, at + 46 + nameLength));
    at += 46 + nameLength + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
    if (name.endsWith("/")) continue;
    if ((mode & 0o170000) === linkMode) {
      links++;
      continue;
    }
    if (local + 30 > bytes.length || view.getUint32(local, true) !== localHeader) {
      sink.problem(`has a member (${name.slice(0, 100)}) whose header is not where the directory says`);
      continue;
    }
    const start = local + 30 + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
    const data = bytes.subarray(start, Math.min(bytes.length, start + packed));
    if ((flags & 1) !== 0) sink.problem(`has a member (${name.slice(0, 100)}) that needs a password`);
    else if (method === 0) yield { name: checkedName(name, sink), chunks: () => [data] };
    else if (method === 8)
      yield { name: checkedName(name, sink), chunks: () => inflated(data, "deflate-raw") };
    else sink.problem(`has a member (${name.slice(0, 100)}) packed by method ${method}, which is not read`);
  }
  if (links > 0) sink.problem(`has ${links} links among its members, which are not followed`);
}
