// NBD's messages byte for byte as its protocol document draws them, and what is none of them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { encodeUtf8 } from "../../base/text.ts";
import {
  decodeNbdGreeting,
  decodeNbdInfoRequest,
  decodeNbdMetaQuery,
  decodeNbdOption,
  decodeNbdOptionReply,
  encodeNbdBlockSizeInfo,
  encodeNbdExportInfo,
  encodeNbdGreeting,
  encodeNbdInfoRequest,
  encodeNbdListEntry,
  encodeNbdMetaContext,
  encodeNbdMetaQuery,
  encodeNbdOption,
  encodeNbdOptionReply,
  encodeNbdTextInfo,
  NbdCommand,
  NbdCommandFlag,
  NbdError,
  NbdHandshake,
  NbdInfo,
  NbdOption,
  NbdOptionReply,
  newNbdRequestHeader,
  readNbdRequest,
  writeNbdChunkHeader,
  writeNbdRequest,
  writeNbdSimpleReply,
} from "./nbd.ts";

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString("hex");
const bytesOf = (...parts: (string | readonly number[])[]): Uint8Array =>
  Uint8Array.from(parts.flatMap((part) => (typeof part === "string" ? [...encodeUtf8(part)] : [...part])));
/** The same bytes behind `count` others, as they lie in a stream. */
const behind = (count: number, bytes: Uint8Array): Uint8Array =>
  bytesOf(new Array<number>(count).fill(0xee), [...bytes]);
const refused = (offset: number, words: RegExp) => (error: unknown) =>
  error instanceof DecodeError && error.offset === offset && words.test(error.message);

test("the greeting: NBDMAGIC, IHAVEOPT, flags of 16 bits", () => {
  const flags = NbdHandshake.fixedNewstyle | NbdHandshake.noZeroes;
  const bytes = encodeNbdGreeting(flags);
  assert.deepEqual(bytes, bytesOf("NBDMAGIC", "IHAVEOPT", [0, 3]));
  assert.equal(decodeNbdGreeting(bytes, 0), 3);
  assert.equal(decodeNbdGreeting(behind(5, encodeNbdGreeting(0x8102)), 5), 0x8102);
  for (const at of [0, 3, 4, 7]) {
    const wrong = bytes.slice();
    wrong[at] ^= 1;
    assert.throws(() => decodeNbdGreeting(wrong, 0), refused(0, /NBDMAGIC is missing/));
  }
  // An oldstyle server says 0x00420281861253 in the second place.
  const old = bytesOf("NBDMAGIC", [0, 0, 0x42, 0x02, 0x81, 0x86, 0x12, 0x53], [0, 0]);
  assert.throws(() => decodeNbdGreeting(old, 0), refused(8, /oldstyle/));
});

test("an option: IHAVEOPT, its number, the length of its data, the data", () => {
  const bytes = encodeNbdOption(NbdOption.exportName, encodeUtf8("disk"));
  assert.deepEqual(bytes, bytesOf("IHAVEOPT", [0, 0, 0, 1], [0, 0, 0, 4], "disk"));
  assert.deepEqual(decodeNbdOption(behind(3, bytes), 3), { option: 1, length: 4 });
  assert.deepEqual(encodeNbdOption(NbdOption.abort), bytesOf("IHAVEOPT", [0, 0, 0, 2], [0, 0, 0, 0]));
  for (const at of [0, 7]) {
    const wrong = bytes.slice();
    wrong[at] ^= 0x80;
    assert.throws(() => decodeNbdOption(wrong, 0), refused(0, /IHAVEOPT is missing/));
  }
});

test("a reply to an option: 0x3e889045565a9, option, type, length, data; errors have the top bit", () => {
  const bytes = encodeNbdOptionReply(NbdOption.go, NbdOptionReply.unknown, Uint8Array.of(0x21));
  assert.equal(hex(bytes), `0003e889045565a9${"00000007"}${"80000006"}${"00000001"}21`);
  assert.deepEqual(decodeNbdOptionReply(behind(2, bytes), 2), { option: 7, type: 0x80000006, length: 1 });
  assert.equal(
    hex(encodeNbdOptionReply(NbdOption.list, NbdOptionReply.acknowledged)).slice(16),
    "000000030000000100000000",
  );
  for (const at of [0, 7]) {
    const wrong = bytes.slice();
    wrong[at] ^= 1;
    assert.throws(() => decodeNbdOptionReply(wrong, 0), refused(0, /magic word is wrong/));
  }
});

test("GO and INFO: length and name, count and kinds; nothing more, nothing less", () => {
  const bytes = encodeNbdInfoRequest("é", [NbdInfo.blockSize, 0x0102]);
  assert.equal(hex(bytes), "00000002c3a9" + "0002" + "0003" + "0102");
  assert.deepEqual(decodeNbdInfoRequest(bytes), { name: "é", kinds: [3, 0x0102] });
  assert.deepEqual(decodeNbdInfoRequest(encodeNbdInfoRequest("", [])), { name: "", kinds: [] });
  assert.throws(() => decodeNbdInfoRequest(bytesOf([...bytes], [0])), refused(12, /1 bytes too many/));
  assert.throws(() => decodeNbdInfoRequest(bytes.slice(0, -1)), DecodeError);
  assert.throws(() => decodeNbdInfoRequest(bytes.slice(0, 7)), DecodeError);
  // More kinds than there are: 0x0102 of them.
  assert.throws(() => decodeNbdInfoRequest(bytesOf([0, 0, 0, 0, 1, 2, 0, 0])), DecodeError);
});

test("a name has at most 4,096 bytes; one that is longer is refused where its length lies", () => {
  const long = "n".repeat(4096);
  assert.equal(decodeNbdInfoRequest(encodeNbdInfoRequest(long, [])).name, long);
  assert.throws(
    () => decodeNbdInfoRequest(encodeNbdInfoRequest(`${long}n`, [])),
    refused(0, /a name of 4097 bytes/),
  );
  assert.throws(
    () => decodeNbdMetaQuery(encodeNbdMetaQuery("", [`${long}n`])),
    refused(8, /a query of 4097 bytes/),
  );
});

test("information: the export with size and flags, block sizes, a name", () => {
  // 2^40 + 0x1234 bytes: the size is one number of 64 bits.
  assert.equal(hex(encodeNbdExportInfo(2 ** 40 + 0x1234, 0x0105)), "0000" + "0000010000001234" + "0105");
  assert.equal(
    hex(encodeNbdBlockSizeInfo(1, 4096, 0x02000000)),
    "0003" + "00000001" + "00001000" + "02000000",
  );
  assert.equal(hex(encodeNbdTextInfo(NbdInfo.description, "hi")), "00026869");
  assert.equal(hex(encodeNbdListEntry("ab", "words")), `00000002${hex(encodeUtf8("abwords"))}`);
});

test("meta contexts: the export's name, then as many queries as are counted", () => {
  const bytes = encodeNbdMetaQuery("x", ["base:allocation", ""]);
  assert.equal(
    hex(bytes),
    `${"00000001"}${hex(encodeUtf8("x"))}${"00000002"}${"0000000f"}${hex(encodeUtf8("base:allocation"))}${"00000000"}`,
  );
  assert.deepEqual(decodeNbdMetaQuery(bytes), { name: "x", queries: ["base:allocation", ""] });
  assert.deepEqual(decodeNbdMetaQuery(encodeNbdMetaQuery("", [])), { name: "", queries: [] });
  assert.throws(() => decodeNbdMetaQuery(bytesOf([...bytes], [1, 2])), /2 bytes too many/);
  // A count of 2^32-1 ends at the first query that is not there.
  assert.throws(() => decodeNbdMetaQuery(bytesOf([0, 0, 0, 0], [255, 255, 255, 255])), DecodeError);
  assert.equal(hex(encodeNbdMetaContext(0x01020304, "a:b")), `01020304${hex(encodeUtf8("a:b"))}`);
});

test("a request: 0x25609513, flags, type, cookie, offset, length; 28 bytes", () => {
  const request = {
    flags: NbdCommandFlag.fua | NbdCommandFlag.fastZero,
    command: NbdCommand.writeZeroes,
    handleHigh: 0x01020304,
    handleLow: 0xf5060708,
    offset: 2 ** 40 + 0x1000,
    length: 0x80000200,
  };
  const bytes = new Uint8Array(30).fill(0xee);
  writeNbdRequest(bytes, 1, request);
  assert.equal(
    hex(bytes),
    "ee" + "25609513" + "0011" + "0006" + "01020304f5060708" + "0000010000001000" + "80000200" + "ee",
  );
  const read = newNbdRequestHeader();
  assert.deepEqual(read, { flags: 0, command: 0, handleHigh: 0, handleLow: 0, offset: 0, length: 0 });
  assert.equal(readNbdRequest(bytes, 1, read), true);
  assert.deepEqual(read, request);
  const upper = bytes.slice();
  upper.set([0xab, 0xcd, 0x12, 0x34], 5);
  assert.equal(readNbdRequest(upper, 1, read), true);
  assert.deepEqual([read.flags, read.command], [0xabcd, 0x1234]);
  const before = { ...read };
  upper[1] ^= 1;
  assert.equal(readNbdRequest(upper, 1, read), false);
  assert.deepEqual(read, before, "nothing is taken of a stream that has lost its meaning");
});

test("answers: simple ones of 16 bytes, chunks with 20 before their payload", () => {
  const simple = new Uint8Array(18).fill(0xee);
  writeNbdSimpleReply(simple, 1, NbdError.noSpace, 0xa1a2a3a4, 0xb1b2b3b4);
  assert.equal(hex(simple), "ee" + "67446698" + "0000001c" + "a1a2a3a4b1b2b3b4" + "ee");
  const chunk = new Uint8Array(22).fill(0xee);
  writeNbdChunkHeader(chunk, 1, 1, 0x8002, 0xa1a2a3a4, 0xb1b2b3b4, 0x01000002);
  assert.equal(hex(chunk), "ee" + "668e33ef" + "0001" + "8002" + "a1a2a3a4b1b2b3b4" + "01000002" + "ee");
});
