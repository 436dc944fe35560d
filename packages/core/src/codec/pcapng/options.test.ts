// Options of pcapng blocks and USBPcap's header: what is no comment, what ends a list, what does not fit.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { bytesFromHex } from "../../base/text.ts";
import { readPcapng } from "./pcapng.ts";
import { decodeUsbPcap } from "./usbpcap.ts";

/** Big-endian: section, interface with its options, one packet of two bytes with its options; both in words of hex. */
function fileOf(interfaceOptions: string, packetOptions: string): Uint8Array {
  const block = (type: string, body: string): string => {
    const length = (12 + body.length / 2).toString(16).padStart(8, "0");
    return `${type}${length}${body}${length}`;
  };
  const section = block("0a0d0d0a", "1a2b3c4d00010000ffffffffffffffff");
  const described = block("00000001", `00dc000000000000${interfaceOptions}`);
  const packet = block("00000006", `0000000000000000000003e80000000200000002abcd0000${packetOptions}`);
  return bytesFromHex(section + described + packet);
}
const commentsOf = (options: string): readonly string[] => [...readPcapng(fileOf("", options))][0].comments;

// pcapng draft §3.5 and §4.3: opt_endofopt 0, opt_comment 1, epb_flags 2; values padded to four bytes.
test("comments are options of code 1; others beside them are none; the end is code 0", () => {
  const [flags, hi, end] = ["0002000400000001", "0001000268690000", "00000000"];
  assert.deepEqual(commentsOf(flags), []);
  assert.deepEqual(commentsOf(flags + hi), ["hi"]);
  assert.deepEqual(commentsOf(hi + flags + hi), ["hi", "hi"]);
  assert.deepEqual(commentsOf(hi + end + hi), ["hi"]);
  assert.deepEqual(commentsOf(end), []);
});

test("an option that is longer than its block ends the list, what came before stays", () => {
  assert.deepEqual(commentsOf(`0001000268690000${"00010009"}${"61626364"}`), ["hi"]);
  assert.deepEqual(commentsOf(`0001000461626364`), ["abcd"], "one that just fits");
});

// if_tsresol is option 9: 06h microseconds, 09h nanoseconds, 8Ah 2^-10 s.
test("an interface's resolution: microseconds unless it says another, of ten or of two", () => {
  const timeWith = (options: string): number => [...readPcapng(fileOf(options, ""))][0].timeNs;
  assert.equal(timeWith(""), 1_000_000);
  assert.equal(timeWith("0009000106000000"), 1_000_000);
  assert.equal(timeWith("0009000109000000"), 1000);
  assert.equal(timeWith("000900018a000000"), 976_562_500);
  assert.equal(timeWith("00020002666f0000"), 1_000_000, "a name is no resolution");
});

/** Of a bulk IN completion: header of 27 bytes, IRP 1, endpoint 81h, type 3, and one byte of data. */
const usbPcap = (): Uint8Array =>
  bytesFromHex("1b00 0100000000000000 00000000 0900 01 0200 0500 81 03 01000000 aa");

test("USBPcap's header: bus, device, endpoint, kind; lengths and kinds that are none are refused where they lie", () => {
  const { header, data } = decodeUsbPcap(usbPcap());
  const { bus, device, endpoint, irp, isCompletion, kind, result } = header;
  assert.deepEqual(
    { bus, device, endpoint, irp, isCompletion, kind, result },
    {
      bus: 2,
      device: 5,
      endpoint: 0x81,
      irp: "1",
      isCompletion: true,
      kind: "bulk",
      result: "ok",
    },
  );
  assert.deepEqual([...data], [0xaa]);
  const changed = (at: number, value: number): Uint8Array => {
    const bytes = usbPcap();
    bytes[at] = value;
    return bytes;
  };
  const refused = (bytes: Uint8Array, offset: number, words: RegExp): void =>
    assert.throws(
      () => decodeUsbPcap(bytes),
      (error) => error instanceof DecodeError && error.offset === offset && words.test(error.message),
    );
  refused(changed(22, 9), 22, /unknown transfer type 9/);
  refused(changed(0, 26), 0, /header length 26/);
  refused(changed(0, 29), 0, /header length 29/);
  refused(usbPcap().subarray(0, 26), 26, /needs 27 bytes/);
  assert.deepEqual([...decodeUsbPcap(changed(0, 28)).data], []);
  for (const [at, kind] of ["isochronous", "interrupt", "control", "bulk"].entries())
    assert.equal(decodeUsbPcap(changed(22, at)).header.kind, kind);
  assert.equal(decodeUsbPcap(changed(16, 0)).header.isCompletion, false);
});
