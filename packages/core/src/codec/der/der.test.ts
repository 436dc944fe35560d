// DER: the standard's own examples, both length forms, entitlements and profiles, refusals with their offsets.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex, encodeUtf8, hexBytes } from "../../base/text.ts";
import { decodeSignedData, encodeUnsignedData, looksLikeSignedData } from "./cms.ts";
import { DerReader, DerTag, encodeDer, encodeDerInteger, encodeDerObjectIdentifier } from "./der.ts";
import {
  DerDate,
  decodeDerEntitlements,
  decodeDerProfile,
  encodeDerEntitlements,
  encodeDerProfile,
} from "./der-entitlements.ts";

const read = (text: string) => {
  const reader = new DerReader(bytesFromHex(text), "test");
  return { reader, node: reader.read() };
};

test("X.690 examples: integer, object identifier, constructed and indefinite strings", () => {
  const negative = read("02 02 ff 7f");
  assert.equal(negative.reader.integer(negative.node), -129);
  // §8.19.5: {2 100 3} is 813403.
  const identifier = read("06 03 81 34 03");
  assert.equal(identifier.reader.objectIdentifier(identifier.node), "2.100.3");
  const signed = read("06 09 2a 86 48 86 f7 0d 01 07 02");
  assert.equal(signed.reader.objectIdentifier(signed.node), "1.2.840.113549.1.7.2");
  const joined = read("24 80 04 02 0a 3b 04 04 5f 29 1c d0 00 00");
  assert.equal(hexBytes(joined.reader.octets(joined.node)), "0a 3b 5f 29 1c d0");
});

test("integers and object identifiers are written in the shortest form and read back", () => {
  for (const [value, bytes] of [
    [0, "02 01 00"],
    [127, "02 01 7f"],
    [128, "02 02 00 80"],
    [-128, "02 01 80"],
    [-129, "02 02 ff 7f"],
    [1356, "02 02 05 4c"],
    [2 ** 40, "02 06 01 00 00 00 00 00"],
  ] as const) {
    assert.equal(hexBytes(encodeDerInteger(value)), bytes);
    const reader = new DerReader(encodeDerInteger(value), "test");
    assert.equal(reader.integer(reader.read()), value);
  }
  assert.equal(hexBytes(encodeDerObjectIdentifier("2.100.3")), "06 03 81 34 03");
});

test("entitlements: the bytes of a small dictionary, types kept apart", () => {
  assert.equal(
    hexBytes(encodeDerEntitlements({ a: true, b: [{ c: 1356 }] })),
    // Counted by hand from posts.md §4.7: [APPLICATION 16] { 1, [CONTEXT 16] { SEQUENCE { key, value } ... } }.
    "70 1f 02 01 01 b0 1a 30 06 0c 01 61 01 01 ff 30 10 0c 01 62 30 0b b0 09 30 07 0c 01 63 02 02 05 4c",
  );
  const claim = {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor: 1356 }],
  };
  assert.deepEqual(decodeDerEntitlements(encodeDerEntitlements(claim)), claim);
  const asText = encodeDerEntitlements({ idVendor: "1356" });
  assert.deepEqual(decodeDerEntitlements(asText), { idVendor: "1356" });
});

test("a profile's SET: dates, hashes, nested entitlements in their own form", () => {
  const fields = {
    Name: "Driver development",
    ExpirationDate: new DerDate("270201221215Z"),
    DeveloperCertificates: [new Uint8Array(32).fill(7)],
    ProvisionedDevices: ["00008103-001A2B3C4D5E6F70"],
    Version: 1,
    Entitlements: { "com.apple.developer.driverkit.transport.usb": [{ idVendor: "*" }] },
  };
  const bytes = encodeDerProfile(fields);
  assert.equal(bytes[0], DerTag.set);
  const back = decodeDerProfile(bytes);
  assert.deepEqual(back, fields);
  assert.equal((back.ExpirationDate as DerDate).iso, "2027-02-01T22:12:15Z");
  assert.equal(new DerDate("19991231235959Z").iso, "1999-12-31T23:59:59Z");
});

test("an unsigned CMS envelope is recognised and gives its content back", () => {
  const bytes = encodeUnsignedData(encodeUtf8("<plist/>"));
  assert.equal(looksLikeSignedData(bytes), true);
  assert.equal(looksLikeSignedData(encodeUtf8("<?xml")), false);
  const { content, certificates, signers } = decodeSignedData(bytes);
  assert.deepEqual(content, encodeUtf8("<plist/>"));
  assert.deepEqual([certificates.length, signers.length], [0, 0]);
});

test("what cannot be is refused at its offset: absurd lengths, endless nesting, floods, wrong types", () => {
  const refuses = (bytes: Uint8Array, pattern: RegExp, decode: (input: Uint8Array) => unknown) =>
    assert.throws(
      () => decode(bytes),
      (error) => error instanceof DecodeError && pattern.test(error.message) && error.offset <= bytes.length,
    );
  refuses(bytesFromHex("30 84 ff ff ff ff 00"), /length 4294967295/, decodeSignedData);
  refuses(bytesFromHex("30 89 01 01 01 01 01 01 01 01 01"), /a length of 9 bytes/, decodeSignedData);
  refuses(
    new Uint8Array(10_000).map((_, index) => (index % 2 === 0 ? 0x30 : 0x80)),
    /nested deeper/,
    decodeSignedData,
  );
  refuses(bytesFromHex("70 06 02 01 02 b0 01 00"), /version 2|no value|cut off/, decodeDerEntitlements);
  refuses(bytesFromHex("31 04 30 02 01 00"), /a pair is/, decodeDerProfile);
  let nested = encodeDer(0xb0, []);
  for (let level = 0; level < 30; level++) {
    nested = encodeDer(0xb0, [
      encodeDer(DerTag.sequence, [encodeDer(DerTag.utf8String, encodeUtf8("k")), nested]),
    ]);
  }
  refuses(encodeDer(0x70, [encodeDerInteger(1), nested]), /nested deeper than 20/, decodeDerEntitlements);
});

test("entitlements as they were written for macOS 11: a SET of pairs, a dictionary inside a SET too", () => {
  const text = (value: string): number[] => [0x0c, value.length, ...encodeUtf8(value)];
  const pair = (key: string, value: readonly number[]): number[] => {
    const inner = [...text(key), ...value];
    return [0x30, inner.length, ...inner];
  };
  const set = (...pairs: number[][]): number[] => [0x31, pairs.flat().length, ...pairs.flat()];
  const bytes = Uint8Array.from(
    set(
      pair("held", [0x01, 0x01, 0xff]),
      pair("list", [0x30, 0x06, 0x0c, 0x01, 0x61, 0x0c, 0x01, 0x62]),
      pair("match", set(pair("idVendor", [0x02, 0x02, 0x05, 0x4c]))),
    ),
  );
  assert.deepEqual(decodeDerEntitlements(bytes), {
    held: true,
    list: ["a", "b"],
    match: { idVendor: 1356 },
  });
});
