// USB/IP's packet table: bytes as Linux sends them, and counts that lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { decodeUsbipPackets, encodeUsbipPackets } from "./usbip-packets.ts";

/** Two rows of 16 bytes, big-endian. */
const table = (...words: number[]): Uint8Array =>
  Uint8Array.from(
    words.flatMap((word) => [word >>> 24, word >>> 16, word >>> 8, word].map((byte) => byte & 255)),
  );

test("a table as Linux's vhci_hcd sends it with an OUT: nothing moved yet, -EXDEV as filler", () => {
  const bytes = table(0, 192, 0, 0xffff_ffee, 192, 192, 0, 0xffff_ffee);
  const packets = decodeUsbipPackets(bytes, 0, 2, 384, 1 << 20);
  assert.deepEqual(packets, [
    { offset: 0, length: 192, actualBytes: 0, status: -18 },
    { offset: 192, length: 192, actualBytes: 0, status: -18 },
  ]);
  const back = new Uint8Array(32);
  encodeUsbipPackets(packets, back, 0);
  assert.deepEqual(back, bytes);
});

test("packets past the buffer, longer than they are, and more of them than memory are refused, with the row", () => {
  for (const [words, row, problem] of [
    [[0, 193, 0, 0], 0, /lies at 0 with 193 bytes in a buffer of 192/],
    [[0xffff_ff00, 192, 0, 0], 0, /lies at 4294967040/],
    [[0, 10, 11, 0], 0, /has 11 of its 10 bytes/],
    [[0, 150, 0, 0, 0, 150, 0, 0], 16, /packet 1 makes 300 bytes of all/],
  ] as const) {
    assert.throws(
      () => decodeUsbipPackets(table(...words), 0, words.length / 4, 192, 256),
      (error: unknown) => error instanceof DecodeError && error.offset === row && problem.test(error.message),
    );
  }
});
