// Digests against what others publish: FNV-1a, MD5 (RFC 1321 A.5), CRC-32C (RFC 3720 B.4).

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { crc32c } from "./crc32c.ts";
import { TraceHash } from "./hash.ts";
import { md5 } from "./md5.ts";
import { encodeUtf8 } from "./text.ts";

const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");

test("MD5: the suite of RFC 1321, A.5", () => {
  for (const [text, digest] of [
    ["", "d41d8cd98f00b204e9800998ecf8427e"],
    ["a", "0cc175b9c0f1b6a831c399e269772661"],
    ["abc", "900150983cd24fb0d6963f7d28e17f72"],
    ["message digest", "f96b697d7cb7938d525a2f31aaf161d0"],
    ["abcdefghijklmnopqrstuvwxyz", "c3fcd3d76192e4007dfb496cca67e13b"],
  ])
    assert.equal(hexOf(md5(encodeUtf8(text))), digest);
});

test("MD5: every length round the edge of a block, as the host has it", () => {
  for (let length = 50; length < 135; length++) {
    const bytes = Uint8Array.from({ length }, (_, index) => (index * 37 + length) & 255);
    assert.equal(hexOf(md5(bytes)), createHash("md5").update(bytes).digest("hex"), `${length} bytes`);
  }
});

test("CRC-32C: the examples of RFC 3720, B.4, whole and in two parts", () => {
  const ascending = Uint8Array.from({ length: 32 }, (_, index) => index);
  for (const [bytes, digest] of [
    [new Uint8Array(32), 0x8a9136aa],
    [new Uint8Array(32).fill(0xff), 0x62a8ab43],
    [ascending, 0x46dd794e],
    [ascending.toReversed(), 0x113fdb5c],
  ] as const) {
    assert.equal(crc32c(bytes), digest);
    for (const cut of [1, 7, 8, 9, 16, 31])
      assert.equal(crc32c(bytes, cut, 32 - cut, crc32c(bytes, 0, cut)), digest, `cut at ${cut}`);
  }
  assert.equal(crc32c(encodeUtf8("x123456789"), 1), 0xe3069283, "the check value of the polynomial");
});

test("the low lane of a trace's digest is FNV-1a", () => {
  const low = (text: string): string => {
    const hash = new TraceHash();
    hash.bytes(encodeUtf8(text));
    return hash.digest().slice(8);
  };
  // From the authors' own list of test vectors.
  assert.equal(low(""), "811c9dc5");
  assert.equal(low("a"), "e40c292c");
  assert.equal(low("foobar"), "bf9cf968");
});

test("a digest is the same by bytes, one by one, and by part; text is its UTF-16 units and a zero; a number is eight bytes", () => {
  const digest = (feed: (hash: TraceHash) => void): string => {
    const hash = new TraceHash();
    feed(hash);
    return hash.digest();
  };
  const bytes = Uint8Array.from({ length: 40 }, (_, index) => (index * 91) & 255);
  const whole = digest((hash) => hash.bytes(bytes));
  assert.equal(
    digest((hash) => {
      for (const byte of bytes) hash.byte(byte);
    }),
    whole,
  );
  assert.equal(
    digest((hash) => {
      hash.bytes(bytes, 0, 15);
      hash.bytes(bytes, 15);
    }),
    whole,
  );
  assert.equal(
    digest((hash) => hash.byte(0x141)),
    digest((hash) => hash.byte(0x41)),
  );
  assert.equal(
    digest((hash) => hash.text("Aß\u{2713}")),
    digest((hash) => hash.bytes(Uint8Array.of(0x41, 0, 0xdf, 0, 0x13, 0x27, 0))),
  );
  assert.equal(
    digest((hash) => hash.number(0x0012345689abcdef)),
    digest((hash) => hash.bytes(Uint8Array.of(0xef, 0xcd, 0xab, 0x89, 0x56, 0x34, 0x12, 0))),
  );
  assert.equal(
    digest((hash) => hash.number(-2)),
    digest((hash) => hash.bytes(Uint8Array.of(0xfe, 255, 255, 255, 255, 255, 255, 255))),
  );
});

test("the high lane takes the low one in: traces that were recorded keep their digest", () => {
  const hash = new TraceHash();
  assert.equal(hash.digest(), "01000193811c9dc5");
  hash.bytes(encodeUtf8("foobar"));
  // FNV-1a with the second prime, each byte xored with the low lane's top byte: worked out apart from the class.
  let low = 0x811c9dc5n;
  let high = 0x01000193n;
  for (const byte of encodeUtf8("foobar")) {
    low = ((low ^ BigInt(byte)) * 0x01000193n) & 0xffffffffn;
    high = ((high ^ BigInt(byte) ^ (low >> 24n)) * 0x0100019dn) & 0xffffffffn;
  }
  const text = (half: bigint): string => half.toString(16).padStart(8, "0");
  assert.equal(hash.digest(), text(high) + text(low));
});
