// WAV: the bytes of a file as the specification lays them out, chunks that are passed over, and files that lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { decodeWav, encodeWav } from "./wav.ts";

const ascii = (text: string): number[] => [...text].map((letter) => letter.charCodeAt(0));
const le32 = (value: number): number[] =>
  [value, value >>> 8, value >>> 16, value >>> 24].map((b) => b & 0xff);
/** 48 kHz, two channels of 16 bits. */
const format = [1, 0, 2, 0, ...le32(48000), ...le32(192000), 4, 0, 16, 0];
const file = (...chunks: number[][]): Uint8Array => {
  const body = chunks.flat();
  return Uint8Array.from([...ascii("RIFF"), ...le32(4 + body.length), ...ascii("WAVE"), ...body]);
};
const fmt = [...ascii("fmt "), ...le32(16), ...format];

test("a file of one frame is 48 bytes, in the places that players look at", () => {
  const bytes = encodeWav({
    sampleRate: 48000,
    channels: 2,
    bitsPerSample: 16,
    data: Uint8Array.of(1, 2, 3, 4),
  });
  assert.deepEqual(bytes, file(fmt, [...ascii("data"), ...le32(4), 1, 2, 3, 4]));
  const { data, ...read } = decodeWav(bytes);
  assert.deepEqual([read, [...data]], [{ sampleRate: 48000, channels: 2, bitsPerSample: 16 }, [1, 2, 3, 4]]);
});

test("the writer's name goes into a LIST chunk, and the samples are the same", () => {
  const wav = { sampleRate: 8000, channels: 1, bitsPerSample: 8, data: Uint8Array.of(1, 2, 3) };
  const bytes = encodeWav(wav, "drydock");
  assert.equal(bytes.length % 2, 0);
  assert.ok(Buffer.from(bytes).includes("INFOISFT"));
  assert.deepEqual([...decodeWav(bytes).data], [1, 2, 3]);
});

test("chunks of others are passed over, an odd one with its pad byte; extensible PCM is PCM", () => {
  const extensible = [
    0xfe,
    0xff,
    ...format.slice(2),
    22,
    0,
    16,
    0,
    3,
    0,
    0,
    0,
    1,
    0,
    0,
    0,
    0,
    0,
    0x10,
    0,
    0x80,
    0,
  ];
  const tail = [0, 0xaa, 0, 0x38, 0x9b, 0x71];
  const bytes = file(
    [...ascii("LIST"), ...le32(3), 9, 9, 9, 0],
    [...ascii("fmt "), ...le32(40), ...extensible, ...tail.slice(0, 40 - extensible.length)],
    [...ascii("data"), ...le32(4), 5, 6, 7, 8],
  );
  assert.deepEqual([...decodeWav(bytes).data], [5, 6, 7, 8]);
});

test("a writer that was killed left no length: refused, unless the reader says that it knows", () => {
  const bytes = file(fmt, [...ascii("data"), ...le32(0), 1, 2, 3, 4, 5]);
  assert.equal(decodeWav(bytes).data.length, 0);
  assert.deepEqual([...decodeWav(bytes, { isUnfinished: true }).data], [1, 2, 3, 4]);
});

for (const [what, bytes, message] of [
  ["no RIFF", Uint8Array.from(ascii("RIFX0000WAVE")), /no RIFF file/],
  ["data before the format", file([...ascii("data"), ...le32(0)]), /before the format/],
  [
    "a chunk longer than the file",
    file(fmt, [...ascii("data"), ...le32(400), 1]),
    /says 400 bytes, the file has 1 more/,
  ],
  ["half a frame", file(fmt, [...ascii("data"), ...le32(6), 1, 2, 3, 4, 5, 6]), /no whole frames of 4/],
  ["ADPCM", file([...ascii("fmt "), ...le32(16), 2, ...format.slice(1)]), /format 0x2: only PCM/],
  [
    "frames that do not fit",
    file([...ascii("fmt "), ...le32(16), ...format.slice(0, 12), 8, 0, 16, 0]),
    /frames of 8 bytes/,
  ],
  ["no data", file(fmt), /ends before its data/],
] as const)
  test(`${what} is refused with its place`, () => {
    assert.throws(
      () => decodeWav(bytes),
      (error: unknown) => error instanceof DecodeError && message.test(error.message),
    );
  });
