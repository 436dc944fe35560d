// The lines of a dext as a source map, in a section of its module that inspectors read (ECMA-426).

import type { DextImage } from "./dext-image.ts";

const base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const sectionName = "sourceMappingURL";

/** A signed number in base 64, the least significant five bits first. */
function vlq(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1;
  let text = "";
  do {
    const digit = rest & 31;
    rest >>>= 5;
    text += base64[rest > 0 ? digit | 32 : digit];
  } while (rest > 0);
  return text;
}

/** One generated line, whose columns are offsets in the module's file. `read`: a source's text; null where there is none. */
function sourceMapOf(image: DextImage, read: (file: string) => string | null): string {
  const files: string[] = [];
  const indices = new Map<string, number>();
  const segments: string[] = [];
  const before = { offset: 0, file: 0, line: 0, column: 0 };
  for (const [offset, place] of image.lineRows()) {
    if (place === null) {
      segments.push(vlq(offset - before.offset));
      before.offset = offset;
      continue;
    }
    const file = indices.get(place.file) ?? files.push(place.file) - 1;
    indices.set(place.file, file);
    const line = Math.max(0, place.line - 1);
    const column = Math.max(0, place.column - 1);
    segments.push(
      vlq(offset - before.offset) +
        vlq(file - before.file) +
        vlq(line - before.line) +
        vlq(column - before.column),
    );
    Object.assign(before, { offset, file, line, column });
  }
  return JSON.stringify({
    version: 3,
    sources: files.map((file) => (file.startsWith("/") ? `file://${file}` : file)),
    sourcesContent: files.map(read),
    names: [],
    mappings: segments.join(","),
  });
}

function unsignedLeb(value: number): number[] {
  const bytes: number[] = [];
  do {
    const low = value & 0x7f;
    value >>>= 7;
    bytes.push(value > 0 ? low | 0x80 : low);
  } while (value > 0);
  return bytes;
}

/** The module with its map behind everything else, so that no offset changes. */
export function withSourceMap(
  image: DextImage,
  read: (file: string) => string | null,
): Uint8Array<ArrayBuffer> {
  const text = new TextEncoder();
  const name = text.encode(sectionName);
  let map = "";
  for (const byte of text.encode(sourceMapOf(image, read))) map += String.fromCharCode(byte);
  const url = text.encode(`data:application/json;base64,${btoa(map)}`);
  const content = [...unsignedLeb(name.length), ...name, ...unsignedLeb(url.length)];
  const head = [0, ...unsignedLeb(content.length + url.length), ...content];
  const bytes = new Uint8Array(image.bytes.length + head.length + url.length);
  bytes.set(image.bytes);
  bytes.set(head, image.bytes.length);
  bytes.set(url, image.bytes.length + head.length);
  return bytes;
}
