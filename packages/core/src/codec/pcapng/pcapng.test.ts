// Capture files: the layout of the draft, both byte orders, and files that lie.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { bytesFromHex } from "../../base/text.ts";
import { linkTypeUsbLinuxMmapped, PcapngWriter, readPcapng } from "./pcapng.ts";
import { decodeUsbLinux, encodeUsbLinux, type UsbLinuxHeader } from "./usb-linux.ts";

function sample(): Uint8Array {
  const writer = new PcapngWriter("drydock");
  writer.addInterface(linkTypeUsbLinuxMmapped);
  writer.addPacket(0, 1_250_000, Uint8Array.of(1, 2, 3), ["IOUSBHostPipe.io", "fault: drop"]);
  writer.addPacket(0, 5_000_000_000_123, new Uint8Array(0), []);
  return writer.finish();
}

test("what is written is read back: time in nanoseconds, bytes, comments", () => {
  const packets = [...readPcapng(sample())];
  assert.deepEqual(
    packets.map(({ linkType, timeNs, bytes, comments }) => ({
      linkType,
      timeNs,
      bytes: [...bytes],
      comments,
    })),
    [
      { linkType: 220, timeNs: 1_250_000, bytes: [1, 2, 3], comments: ["IOUSBHostPipe.io", "fault: drop"] },
      { linkType: 220, timeNs: 5_000_000_000_123, bytes: [], comments: [] },
    ],
  );
});

test("the first block is a section header of version 1.0, and every block ends with its length", () => {
  const file = sample();
  assert.deepEqual(file.slice(0, 4), bytesFromHex("0a 0d 0d 0a"));
  assert.deepEqual(file.slice(8, 16), bytesFromHex("4d 3c 2b 1a 01 00 00 00"));
  const view = new DataView(file.buffer);
  for (let at = 0; at < file.length; ) {
    const total = view.getUint32(at + 4, true);
    assert.equal(total % 4, 0);
    assert.equal(view.getUint32(at + total - 4, true), total);
    at += total;
  }
});

test("a big-endian file, with microseconds and a block nobody knows, is read too", () => {
  const file = bytesFromHex(`
    0a0d0d0a 0000001c 1a2b3c4d 0001 0000 ffffffff ffffffff 0000001c
    00000bad 00000010 deadbeef 00000010
    00000001 00000014 00dc 0000 00000000 00000014
    00000006 00000024 00000000 00000000 000003e8 00000002 00000002 abcd0000 00000024`);
  const [packet] = readPcapng(file);
  assert.deepEqual([packet.linkType, packet.timeNs, [...packet.bytes]], [220, 1_000_000, [0xab, 0xcd]]);
});

test("every prefix of a file is read as far as it goes or refused with an offset inside", () => {
  const file = sample();
  for (let length = 0; length < file.length; length++) {
    assertHonest(file.slice(0, length));
  }
});

test("100000 mutated files: no crash, every refusal has an offset inside", () => {
  const random = new Random(8);
  const file = sample();
  for (let round = 0; round < 100_000; round++) {
    const copy = file.slice();
    for (let change = random.between(1, 3); change > 0; change--) {
      copy[random.below(copy.length)] = random.chance(0.3) ? 0xff : random.below(256);
    }
    assertHonest(copy);
  }
});

function assertHonest(bytes: Uint8Array): void {
  try {
    for (const packet of readPcapng(bytes)) assert.ok(packet.bytes.length <= bytes.length);
  } catch (error) {
    assert.ok(error instanceof DecodeError, String(error));
    assert.ok(error.offset >= 0 && error.offset <= bytes.length, error.message);
  }
}

test("a usbmon header: a control submission in the kernel's layout, and back", () => {
  const header: UsbLinuxHeader = {
    id: 7,
    event: "S",
    transfer: 2,
    endpoint: 0x80,
    device: 3,
    bus: 1,
    timeNs: 2_000_005_000,
    status: -115,
    urbLength: 18,
    dataLength: 0,
    setup: bytesFromHex("80 06 00 01 00 00 12 00"),
  };
  const packet = encodeUsbLinux(header, new Uint8Array(0));
  const expected = new Uint8Array(64);
  expected.set(
    bytesFromHex("07 00 00 00 00 00 00 00 53 02 80 03 01 00 00 3c 02 00 00 00 00 00 00 00 05 00 00 00"),
  );
  expected.set(bytesFromHex("8d ff ff ff 12 00 00 00 00 00 00 00 80 06 00 01 00 00 12 00"), 28);
  assert.deepEqual(packet, expected);
  assert.deepEqual(decodeUsbLinux(packet).header, header);
});

test("a usbmon packet shorter than it says is refused at the length field", () => {
  const packet = encodeUsbLinux(
    {
      id: 1,
      event: "C",
      transfer: 3,
      endpoint: 0x81,
      device: 1,
      bus: 1,
      timeNs: 0,
      status: 0,
      urbLength: 4,
      dataLength: 4,
      setup: null,
    },
    Uint8Array.of(1, 2, 3, 4),
  );
  assert.deepEqual([...decodeUsbLinux(packet).data], [1, 2, 3, 4]);
  for (const [bytes, offset] of [
    [packet.slice(0, 66), 36],
    [packet.slice(0, 10), 10],
  ] as const) {
    assert.throws(
      () => decodeUsbLinux(bytes),
      (error) => error instanceof DecodeError && error.offset === offset,
    );
  }
});
