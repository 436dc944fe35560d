// Screenshots as one animated PNG (third edition of the standard, §11.3.6): pictures of one size.

import { crc32 } from "node:zlib";

const signature = Buffer.from("89504e470d0a1a0a", "hex");
const chunkOverhead = 12;

interface Chunk {
  readonly type: string;
  readonly data: Buffer;
}

export function chunksOf(png: Uint8Array): Chunk[] {
  const bytes = Buffer.from(png);
  if (!bytes.subarray(0, 8).equals(signature)) throw new RangeError("it is no PNG");
  const chunks: Chunk[] = [];
  for (let at = 8; at + chunkOverhead <= bytes.length; ) {
    const length = bytes.readUInt32BE(at);
    const data = bytes.subarray(at + 8, at + 8 + length);
    const type = bytes.toString("latin1", at + 4, at + 8);
    if (crc32(bytes.subarray(at + 4, at + 8 + length)) !== bytes.readUInt32BE(at + 8 + length))
      throw new RangeError(`the chunk ${type} at ${at} is damaged`);
    chunks.push({ type, data });
    at += chunkOverhead + length;
  }
  return chunks;
}

function written(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
  const [length, check] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(data.length);
  check.writeUInt32BE(crc32(body));
  return Buffer.concat([length, body, check]);
}

/** Plays for ever. Throws RangeError for frames of different sizes or forms. `milliseconds`: how long each is seen. */
export function animatedPng(
  frames: readonly { readonly png: Uint8Array; readonly milliseconds: number }[],
): Buffer {
  const [first] = frames;
  if (first === undefined) throw new RangeError("there is no frame");
  const head = chunksOf(first.png)[0];
  const control = Buffer.alloc(8);
  control.writeUInt32BE(frames.length);
  const parts = [signature, written(head.type, head.data), written("acTL", control)];
  let sequence = 0;
  for (const [index, { milliseconds, png }] of frames.entries()) {
    const [ownHead, ...chunks] = chunksOf(png);
    if (!ownHead.data.equals(head.data)) throw new RangeError(`frame ${index} is of another size or form`);
    const frame = Buffer.alloc(26);
    frame.writeUInt32BE(sequence++);
    head.data.copy(frame, 4, 0, 8);
    frame.writeUInt16BE(milliseconds, 20);
    frame.writeUInt16BE(1000, 22);
    parts.push(written("fcTL", frame));
    for (const { data, type } of chunks) {
      if (type !== "IDAT") continue;
      if (index === 0) parts.push(written("IDAT", data));
      else {
        const number = Buffer.alloc(4);
        number.writeUInt32BE(sequence++);
        parts.push(written("fdAT", Buffer.concat([number, data])));
      }
    }
  }
  return Buffer.concat([...parts, written("IEND", Buffer.alloc(0))]);
}
