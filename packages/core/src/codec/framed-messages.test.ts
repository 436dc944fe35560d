// Framed messages: bytes as written down by hand, and every way to cut them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex, hexBytes } from "../base/text.ts";
import { FramedReader, framed, longestFramedMessage } from "./framed-messages.ts";

test("a length of two bytes, the high one first", () => {
  assert.equal(hexBytes(framed(bytesFromHex("61 62 63")), 9), "00 03 61 62 63");
  assert.equal(framed(new Uint8Array(0x1234))[0], 0x12);
  assert.equal(framed(new Uint8Array(longestFramedMessage)).length, longestFramedMessage + 2);
  assert.throws(() => framed(new Uint8Array(longestFramedMessage + 1)), RangeError);
});

test("two cuts at every place, an empty message between two others, and a rest that is none", () => {
  const stream = bytesFromHex("00 03 61 62 63 00 00 00 01 7a 00 02 71");
  for (let first = 0; first <= stream.length; first++)
    for (let second = first; second <= stream.length; second++) {
      const reader = new FramedReader();
      const messages = [stream.subarray(0, first), stream.subarray(first, second), stream.subarray(second)]
        .flatMap((piece) => reader.take(piece))
        .map((message) => hexBytes(message, 9));
      assert.deepEqual(messages, ["61 62 63", "", "7a"], `${first} ${second}`);
      assert.equal(reader.pending, 3);
      reader.clear();
      assert.deepEqual(reader.take(bytesFromHex("00 01 61")), [bytesFromHex("61")]);
    }
});
