// iSCSI headers, text and negotiation: RFC 7143's fields, examples and rules, and what they refuse.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { encodeUtf8 } from "../../base/text.ts";
import {
  dataSegmentBytes,
  IscsiOpcode,
  iscsiHeaderBytes,
  iscsiOpcodeName,
  LoginStatus,
  loginRefusal,
  paddingOf,
  readIscsiCdb,
  serialLess,
} from "./pdu.ts";
import {
  decodeTextPairs,
  encodeTextPairs,
  formatIscsiBinary,
  isIscsiName,
  negotiate,
  negotiationRules,
  parseIscsiBinary,
  parseIscsiNumber,
} from "./text.ts";

// §11.2.1.2: initiator 00h to 06h and 10h, target 20h to 26h, 31h, 32h, 3Fh; the upper two bits are no part of it.
test("opcodes have the names of the RFC, whatever the immediate bit is; others their number", () => {
  assert.equal(iscsiOpcodeName(IscsiOpcode.command), "SCSI Command");
  assert.equal(iscsiOpcodeName(0x41), "SCSI Command");
  assert.equal(iscsiOpcodeName(0xbf), "Reject");
  assert.equal(iscsiOpcodeName(0x31), "Ready To Transfer");
  assert.equal(iscsiOpcodeName(0x47), "opcode 0x7");
  for (const opcode of Object.values(IscsiOpcode)) assert.doesNotMatch(iscsiOpcodeName(opcode), /^opcode/);
  assert.equal(new Set(Object.values(IscsiOpcode).map(iscsiOpcodeName)).size, 18);
});

test("a refused login is told in words with its code; a code without words alone", () => {
  assert.match(loginRefusal(0x0201), /CHAP.*\(login status 0201\)$/);
  assert.match(loginRefusal(0x0203), /another target \(login status 0203\)$/);
  assert.match(loginRefusal(0x0302), /no room .*\(login status 0302\)$/);
  assert.equal(loginRefusal(0x0301), "login status 0301");
  assert.equal(loginRefusal(0x0004), "login status 0004");
  for (const [name, status] of Object.entries(LoginStatus))
    assert.equal(loginRefusal(status).startsWith("login status"), name === "success", name);
});

test("data segments: three bytes of length, padded to words", () => {
  const header = new Uint8Array(iscsiHeaderBytes + 2);
  header.set([0xff, 0x01, 0x02, 0x03], 2 + 4);
  assert.equal(dataSegmentBytes(header, 2), 0x010203);
  assert.equal(dataSegmentBytes(header.subarray(2)), 0x010203);
  assert.deepEqual([0, 1, 2, 3, 4, 5, 511].map(paddingOf), [0, 3, 2, 1, 0, 3, 1]);
});

/** A command's header: its CDB in place, additional segments behind. */
function commandOf(...segments: readonly (readonly number[])[]): { header: Uint8Array; ahsBytes: number } {
  const more = segments.flat();
  const header = new Uint8Array(iscsiHeaderBytes + more.length);
  for (let index = 0; index < 16; index++) header[32 + index] = 0x10 + index;
  header.set(more, iscsiHeaderBytes);
  return { header, ahsBytes: more.length };
}
const first16 = Array.from({ length: 16 }, (_, index) => 0x10 + index);

test("a CDB of 16 bytes lies in the header; what was in the place of a longer one is cleared", () => {
  const { header } = commandOf();
  const cdb = new Uint8Array(20).fill(0xee);
  assert.equal(readIscsiCdb(header, 0, cdb), 16);
  assert.deepEqual([...cdb], [...first16, 0, 0, 0, 0]);
});

// §11.2.2.3: length and type, a reserved byte, then the rest of the CDB, padded to words.
test("an extended CDB goes on in a segment of type 1; bidirectional lengths (type 2) are passed over", () => {
  const extended = [0, 5, 1, 0, 0xa0, 0xa1, 0xa2, 0xa3];
  const lengths = [0, 5, 2, 0, 0, 0, 2, 0];
  for (const segments of [[extended], [lengths, extended], [extended, lengths]]) {
    const { header, ahsBytes } = commandOf(...segments);
    const cdb = new Uint8Array(32).fill(0xee);
    assert.equal(readIscsiCdb(header, ahsBytes, cdb), 20);
    assert.deepEqual([...cdb.slice(0, 21)], [...first16, 0xa0, 0xa1, 0xa2, 0xa3, 0]);
  }
  // Three bytes and their padding, and a type whose upper bits are set.
  const { header, ahsBytes } = commandOf([0, 4, 0xc1, 0, 0xa0, 0xa1, 0xa2, 0xff], lengths);
  const cdb = new Uint8Array(32);
  assert.equal(readIscsiCdb(header, ahsBytes, cdb), 19);
  assert.deepEqual([...cdb.slice(16, 20)], [0xa0, 0xa1, 0xa2, 0]);
});

test("segments that are empty, reach past their end, or hold more than a CDB are malformed", () => {
  const cdb = new Uint8Array(32);
  const read = (...segments: (readonly number[])[]): number => {
    const { header, ahsBytes } = commandOf(...segments);
    return readIscsiCdb(header, ahsBytes, cdb);
  };
  assert.equal(read([0, 0, 1, 0]), 0, "no length");
  assert.equal(read([0, 6, 1, 0, 1, 2, 3, 4]), 0, "five bytes of which four are there");
  assert.equal(read([0, 1, 1, 0]), 16, "nothing but the reserved byte");
  assert.equal(read([0, 17, 1, 0, ...first16]), 32, "as much as fits");
  assert.equal(read([0, 18, 1, 0, ...first16, 9, 0, 0, 0]), 0, "one byte more");
});

// RFC 1982 §3.2: a < b when b is less than 2^31 ahead.
test("serial numbers: less is behind by less than half of the circle", () => {
  for (const [a, b] of [
    [0, 1],
    [0xffffffff, 0],
    [0, 0x7fffffff],
    [0x80000000, 0xffffffff],
  ]) {
    assert.equal(serialLess(a, b), true, `${a} < ${b}`);
    assert.equal(serialLess(b, a), false, `${b} < ${a}`);
  }
  assert.equal(serialLess(7, 7), false);
});

test("text: pairs in order, each ended by a zero; empty ones between are passed over", () => {
  const pairs = [
    ["InitiatorName", "iqn.1999-07.com.os:hostid.77"],
    ["AuthMethod", ""],
    ["X-org.example", "a=b"],
  ] as const;
  const bytes = encodeTextPairs(pairs);
  assert.deepEqual(
    bytes,
    encodeUtf8("InitiatorName=iqn.1999-07.com.os:hostid.77\0AuthMethod=\0X-org.example=a=b\0"),
  );
  assert.deepEqual(decodeTextPairs(bytes), pairs);
  assert.deepEqual(decodeTextPairs(encodeUtf8("\0\0a=1\0\0b=2")), [
    ["a", "1"],
    ["b", "2"],
  ]);
  assert.deepEqual(decodeTextPairs(new Uint8Array(0)), []);
});

test("text: no key, no =, and what is too long or too much is refused where it begins", () => {
  const refuses = (text: string, offset: number): void =>
    assert.throws(
      () => decodeTextPairs(encodeUtf8(text)),
      (error) => error instanceof DecodeError && error.offset === offset,
      text.slice(0, 40),
    );
  refuses("a=1\0=2\0", 4);
  refuses("a=1\0noequals\0b=2\0", 4);
  refuses("noequals", 0);
  // A key of 63 bytes and a value of 8,192 (§6.1) are the longest.
  const key = "k".repeat(63);
  assert.deepEqual(decodeTextPairs(encodeUtf8(`${key}=1`)), [[key, "1"]]);
  refuses(`${key}k=1`, 0);
  const value = "v".repeat(8191);
  assert.deepEqual(decodeTextPairs(encodeUtf8(`a=${value}\0`)), [["a", value]]);
  refuses(`a=${"v".repeat(8193)}\0`, 0);
  assert.equal(decodeTextPairs(encodeUtf8("a=1\0".repeat(256))).length, 256);
  refuses("a=1\0".repeat(257), 1024);
});

// §6.1: decimal without sign, 0x and hexadecimal digits.
test("numbers: decimal or 0x, whole, and never more than a number holds", () => {
  assert.deepEqual(["0", "65535", "0x1F", "0XfF"].map(parseIscsiNumber), [0, 65535, 31, 255]);
  assert.equal(parseIscsiNumber("0x1fffffffffffff"), null);
  assert.equal(parseIscsiNumber("0xfffffffffffff"), 2 ** 52 - 1);
  assert.equal(parseIscsiNumber("999999999999999"), 999999999999999);
  for (const text of ["", "-1", "1.5", "1e3", "0x", "0xg", " 1", "1 ", "9999999999999999", "x1", "10x1"])
    assert.equal(parseIscsiNumber(text), null, text);
});

// RFC 4648 §10 has these texts in base 64.
test("binary values: hexadecimal in pairs, base 64 with its padding", () => {
  const text = (value: Uint8Array | null): string | null =>
    value === null ? null : Buffer.from(value).toString();
  assert.deepEqual(
    ["0bZg==", "0bZm8=", "0bZm9v", "0BZm9vYg==", "0bZm9vYmE=", "0bZm9vYmFy"].map((each) =>
      text(parseIscsiBinary(each)),
    ),
    ["f", "fo", "foo", "foob", "fooba", "foobar"],
  );
  assert.deepEqual(parseIscsiBinary("0b+/+/"), Uint8Array.of(0xfb, 0xff, 0xbf));
  assert.deepEqual(parseIscsiBinary("0x00fF10"), Uint8Array.of(0, 255, 16));
  assert.deepEqual(parseIscsiBinary("0X0a"), Uint8Array.of(10));
  for (const wrong of ["0x", "0x123", "0xzz", "0b", "Zg==", "1x00", "0b Zg", "0bZ!==", "0bZg===", "a0x00"])
    assert.equal(parseIscsiBinary(wrong), null, wrong);
  assert.equal(formatIscsiBinary(Uint8Array.of(0, 9, 0x0a, 255)), "0x00090aff");
  const all = Uint8Array.from({ length: 256 }, (_, index) => index);
  assert.deepEqual(parseIscsiBinary(formatIscsiBinary(all)), all);
  assert.deepEqual(parseIscsiBinary(`0b${Buffer.from(all).toString("base64")}`), all);
});

// §6.2 and §13: the result function of each key.
test("negotiation: the least, the most, or, and, the first that both have", () => {
  const answer = (key: string, offer: string): string => negotiate(negotiationRules[key], offer);
  assert.equal(answer("MaxBurstLength", "262144"), "262144");
  assert.equal(answer("MaxBurstLength", "16776192"), "1048576");
  assert.equal(answer("MaxBurstLength", "512"), "512");
  assert.equal(answer("MaxBurstLength", "511"), "Reject");
  assert.equal(answer("MaxBurstLength", "16777215"), "1048576");
  assert.equal(answer("MaxBurstLength", "16777216"), "Reject");
  assert.equal(answer("FirstBurstLength", "0x10000"), "65536");
  assert.equal(answer("DefaultTime2Wait", "1"), "2");
  assert.equal(answer("DefaultTime2Wait", "30"), "30");
  assert.equal(answer("DefaultTime2Wait", "3601"), "Reject");
  assert.equal(answer("DefaultTime2Retain", "20"), "0");
  assert.equal(answer("ErrorRecoveryLevel", "2"), "0");
  assert.equal(answer("ErrorRecoveryLevel", "3"), "Reject");
  assert.equal(answer("MaxConnections", "0"), "Reject");
  assert.equal(answer("MaxConnections", "8"), "1");
  assert.equal(answer("MaxConnections", "many"), "Reject");
  assert.deepEqual(
    ["Yes", "No", "yes", ""].map((offer) => answer("InitialR2T", offer)),
    ["Yes", "No", "Reject", "Reject"],
  );
  assert.deepEqual(
    ["Yes", "No"].map((offer) => answer("ImmediateData", offer)),
    ["Yes", "No"],
  );
  assert.deepEqual(
    ["Yes", "No"].map((offer) => answer("DataPDUInOrder", offer)),
    ["Yes", "Yes"],
  );
  assert.deepEqual(
    ["Yes", "No"].map((offer) => answer("IFMarker", offer)),
    ["No", "No"],
  );
  assert.equal(answer("HeaderDigest", "CRC32C,None"), "CRC32C");
  assert.equal(answer("HeaderDigest", "None,CRC32C"), "None");
  assert.equal(answer("DataDigest", "MD5,CRC32C"), "CRC32C");
  assert.equal(answer("DataDigest", "MD5"), "Reject");
});

// §4.2.7.4 to §4.2.7.6 have these names as examples.
test("names: iqn., eui. and naa., as the RFC writes them", () => {
  for (const name of [
    "iqn.2001-04.com.example:storage:diskarrays-sn-a8675309",
    "iqn.2001-04.com.example",
    "eui.02004567A425678D",
    "naa.52004567BA64678D",
    "naa.62004567BA64678D0123456789ABCDEF",
  ])
    assert.equal(isIscsiName(name), true, name);
  for (const name of [
    "",
    "iqn.2001-4.com.example",
    "iqn.01-04.com.example",
    "iqn.2001-04.",
    "iqn.2001-04.com.example:a b",
    "iqn.2001-04.com.example/x",
    "xiqn.2001-04.com.example",
    "eui.02004567A425678",
    "eui.02004567A425678DD",
    "naa.52004567BA64678",
    "naa.62004567BA64678D0123456789ABCDEF0",
    "eui.02004567A425678G",
    "disk",
  ])
    assert.equal(isIscsiName(name), false, name);
  const longest = `iqn.2001-04.${"x".repeat(211)}`;
  assert.equal(longest.length, 223);
  assert.equal(isIscsiName(longest), true);
  assert.equal(isIscsiName(`${longest}x`), false);
});
