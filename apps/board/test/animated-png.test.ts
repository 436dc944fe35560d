// The animated PNG of the README: frames in order, whole chunks, one size; a viewer that knows none sees the first.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { deflateSync } from "node:zlib";
import { animatedPng, chunksOf } from "./animated-png.ts";

const pictures = join(import.meta.dirname, "../../../docs/pictures");

/** Grey, eight bits, so wide and one high. */
function greyPng(width: number, shade: number): Buffer {
  const still = chunksOf(readFileSync(join(pictures, "board.png")));
  const head = Buffer.from(still[0].data);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(1, 4);
  head[8] = 8;
  head[9] = 0;
  const rows = deflateSync(Buffer.from([0, ...Array.from({ length: width }, () => shade)]));
  return rebuilt([
    { type: "IHDR", data: head },
    { type: "IDAT", data: rows },
  ]);
}

/** By way of the writer itself: an animation of one frame, without what makes it one. */
function rebuilt(chunks: { readonly type: string; readonly data: Buffer }[]): Buffer {
  const { crc32 } = process.getBuiltinModule("node:zlib");
  const parts = [Buffer.from("89504e470d0a1a0a", "hex")];
  for (const { data, type } of [...chunks, { type: "IEND", data: Buffer.alloc(0) }]) {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const numbers = Buffer.alloc(8);
    numbers.writeUInt32BE(data.length, 0);
    numbers.writeUInt32BE(crc32(body), 4);
    parts.push(numbers.subarray(0, 4), body, numbers.subarray(4));
  }
  return Buffer.concat(parts);
}

test("three frames: one head, their times, numbers without a gap", () => {
  const made = animatedPng(
    [10, 20, 30].map((shade) => ({ png: greyPng(3, shade), milliseconds: shade * 10 })),
  );
  const chunks = chunksOf(made);
  assert.deepEqual(
    chunks.map(({ type }) => type),
    ["IHDR", "acTL", "fcTL", "IDAT", "fcTL", "fdAT", "fcTL", "fdAT", "IEND"],
  );
  assert.equal(chunks[1].data.readUInt32BE(0), 3);
  const numbered = chunks.filter(({ type }) => type === "fcTL" || type === "fdAT");
  assert.deepEqual(
    numbered.map(({ data }) => data.readUInt32BE(0)),
    [0, 1, 2, 3, 4],
  );
  const times = chunks.filter(({ type }) => type === "fcTL").map(({ data }) => data.readUInt16BE(20));
  assert.deepEqual(times, [100, 200, 300]);
  assert.deepEqual(chunks[5].data.subarray(4), chunksOf(greyPng(3, 20))[1].data);
});

test("frames of two sizes, no frame, and what is no PNG are refused", () => {
  const frame = (width: number) => ({ png: greyPng(width, 1), milliseconds: 1 });
  assert.throws(() => animatedPng([frame(3), frame(4)]), /frame 1 is of another size/);
  assert.throws(() => animatedPng([]), /no frame/);
  assert.throws(() => chunksOf(Buffer.from("GIF89a")), /no PNG/);
  const damaged = greyPng(3, 1);
  damaged[20] ^= 1;
  assert.throws(() => chunksOf(damaged), /is damaged/);
});

test("the README's animation: several frames, below a megabyte", () => {
  const file = readFileSync(join(pictures, "lab-unplug.png"));
  assert.ok(file.length < 1_000_000, `${file.length} bytes`);
  const frames = chunksOf(file).filter(({ type }) => type === "fcTL").length;
  assert.ok(frames >= 5, `${frames} frames`);
  assert.match(readFileSync(join(pictures, "../../README.md"), "utf8"), /docs\/pictures\/lab-unplug\.png/);
});
