// Frames, addresses, the multicast hash and the Internet checksums: values of standards, and of adapters seen at work.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex } from "../../base/text.ts";
import { crc32, multicastHash } from "./crc32.ts";
import {
  describeFrame,
  formatMac,
  isBroadcastAddress,
  isGroupAddress,
  isStationAddress,
  parseMac,
  viewEthernet,
} from "./ethernet.ts";
import { fillChecksums, viewChecksums } from "./internet-checksum.ts";
import { encodePause, isForThisCable, pauseNs, pauseOf } from "./pause.ts";

const mac = (text: string): Uint8Array => parseMac(text) as Uint8Array;

test("the multicast hash has the values that Linux's asix driver writes", () => {
  for (const [address, index] of [
    ["01:00:5e:00:00:01", 31],
    ["33:33:00:00:00:01", 62],
    ["33:33:ff:01:02:03", 59],
    ["01:00:5e:01:02:03", 57],
    ["01:00:5e:00:00:fb", 15],
    ["33:33:00:00:00:fb", 46],
    ["01:80:c2:00:00:00", 25],
  ] as const)
    assert.equal(multicastHash(mac(address)), index, address);
});

test("CRC-32 of the check string, and the residue of a frame with its FCS", () => {
  const text = bytesFromHex("313233343536373839");
  assert.equal(crc32(text), 0xcbf43926);
  const whole = Uint8Array.of(...text, 0x26, 0x39, 0xf4, 0xcb);
  assert.equal(crc32(whole), 0x2144df1c);
});

test("addresses: what is a group, a station, broadcast, and no address at all", () => {
  assert.equal(formatMac(mac("00-0E-C6-81-79-01")), "00:0e:c6:81:79:01");
  assert.deepEqual(mac("000ec6817901"), mac("00:0e:c6:81:79:01"));
  for (const text of ["", "00:0e:c6:81:79", "00:0e:c6:81:79:01:02", "00:0e-c6:81:79:01", "0g:0e:c6:81:79:01"])
    assert.equal(parseMac(text), null, text);
  assert.equal(isGroupAddress(mac("01:00:5e:00:00:01")), true);
  assert.equal(isBroadcastAddress(mac("ff:ff:ff:ff:ff:fe")), false);
  assert.deepEqual(
    ["02:00:00:00:00:01", "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff"].map((text) =>
      isStationAddress(mac(text)),
    ),
    [true, false, false],
  );
});

const arp = `ffffffffffff 0200000000 01 0806 0001080006040001 020000000001 0a000001 000000000000 0a000002`;

test("frames are described, short ones and tagged ones too", () => {
  assert.equal(
    describeFrame(bytesFromHex(arp)),
    "02:00:00:00:00:01 > ff:ff:ff:ff:ff:ff ARP request, 42 bytes",
  );
  assert.equal(describeFrame(new Uint8Array(3)), "a frame of 3 bytes, too short for a header");
  const tagged = bytesFromHex("0200000000020200000000018100a00586dd6000000000003a40");
  assert.equal(describeFrame(tagged), "02:00:00:00:00:01 > 02:00:00:00:00:02 vlan 5 IPv6 ICMPv6, 26 bytes");
  assert.deepEqual(viewEthernet(tagged, 0, tagged.length)?.vlan, { id: 5, priority: 5 });
  assert.equal(viewEthernet(tagged, 0, 16), null, "a tag that is cut");
});

/** An IPv4 header of Wikipedia's and RFC 1071's kind: its sum is B861h. */
const ipv4 = "4500 0073 0000 4000 4011 b861 c0a8 0001 c0a8 00c7";

test("IPv4 and UDP sums: the header of the textbook is right, one bit more is not", () => {
  const frame = new Uint8Array(14 + 0x73);
  frame.set(bytesFromHex("0200000000020200000000010800"));
  frame.set(bytesFromHex(ipv4), 14);
  frame.set(bytesFromHex("0035e97c005f0000"), 34);
  assert.deepEqual(
    [
      viewChecksums(frame, 0, frame.length)?.isHeaderRight,
      viewChecksums(frame, 0, frame.length)?.isPayloadRight,
    ],
    [true, null],
    "UDP without a sum is neither right nor wrong",
  );
  frame[24] ^= 1;
  assert.equal(viewChecksums(frame, 0, frame.length)?.isHeaderRight, false);
  fillChecksums(frame, 0, frame.length, { header: true, payload: () => true });
  assert.deepEqual([frame[24], frame[25]], [0xb8, 0x61]);
  assert.equal(viewChecksums(frame, 0, frame.length)?.isPayloadRight, true);
  frame[60] ^= 0x80;
  assert.equal(viewChecksums(frame, 0, frame.length)?.isPayloadRight, false);
});

test("lengths that lie are not followed: no view, and nothing is filled in", () => {
  const frame = new Uint8Array(60);
  frame.set(bytesFromHex("0200000000020200000000010800"));
  frame.set(bytesFromHex(ipv4), 14);
  assert.equal(viewChecksums(frame, 0, 60), null, "the total length is beyond the frame");
  const before = frame.slice();
  fillChecksums(frame, 0, 60, { header: true, payload: () => true });
  assert.deepEqual(frame, before);
  frame[14] = 0x4f;
  assert.equal(viewChecksums(frame, 0, 60), null, "the header is longer than the packet");
});

test("PAUSE frames: the bytes of 802.3 annex 31B, and what is none", () => {
  const frame = encodePause(mac("00:0e:c6:00:00:01"), 0x1234);
  const head = "0180c2000001 000ec6000001 8808 0001 1234";
  assert.deepEqual(frame, Uint8Array.of(...bytesFromHex(head), ...new Uint8Array(42)));
  assert.equal(pauseOf(frame, 0, 60, null), 0x1234);
  for (let length = 0; length < 18; length++) assert.equal(pauseOf(frame, 0, length, null), null);
  // To a station's own address it counts for that station only.
  frame.set(mac("02:00:00:00:00:07"));
  assert.equal(pauseOf(frame, 0, 60, null), null);
  assert.equal(pauseOf(frame, 0, 60, mac("02:00:00:00:00:07")), 0x1234);
  assert.equal(pauseNs(0xffff, 100e6), 335_539_200);
  assert.ok(isForThisCable(mac("01:80:c2:00:00:0e"), 0));
  assert.ok(!isForThisCable(mac("01:80:c2:00:00:10"), 0));
});
