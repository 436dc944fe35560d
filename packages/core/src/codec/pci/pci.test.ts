// PCI's configuration space: values of the standard, a real QEMU NVMe header, and lists that garbage has made.

import assert from "node:assert/strict";
import { test } from "node:test";
import { putU16le, putU32le } from "../../base/bytes.ts";
import { DecodeError } from "../../base/errors.ts";
import { Random } from "../../base/random.ts";
import { decodeMsi, decodeMsiX, describeUncorrectable, encodeMsiX } from "./capabilities.ts";
import {
  configBytes,
  decodeBar,
  decodeHeader,
  extendedConfigBytes,
  listCapabilities,
  listExtendedCapabilities,
} from "./config-space.ts";

/** As QEMU 7.2's nvme shows itself: MSI-X at 40h, Express at 80h, power management at 60h (pci-devices.md §8). */
function qemuNvmeConfig(): Uint8Array {
  const bytes = new Uint8Array(configBytes);
  putU32le(bytes, 0, 0x0010_1b36);
  putU16le(bytes, 6, 0x0010);
  putU32le(bytes, 8, 0x0108_0202);
  bytes[0x34] = 0x40;
  putU32le(bytes, 0x40, 0x0040_8011);
  putU32le(bytes, 0x44, 0x2000);
  putU32le(bytes, 0x48, 0x3000);
  bytes[0x80] = 0x10;
  bytes[0x81] = 0x60;
  bytes[0x60] = 0x01;
  return bytes;
}

test("header, list and MSI-X of QEMU's NVMe", () => {
  const bytes = qemuNvmeConfig();
  const header = decodeHeader(bytes);
  assert.deepEqual(
    [header.vendorId, header.deviceId, header.classCode, header.type],
    [0x1b36, 0x0010, 0x010802, 0],
  );
  assert.deepEqual(
    listCapabilities(bytes).map(({ id, offset }) => [id, offset]),
    [
      [0x11, 0x40],
      [0x10, 0x80],
      [0x01, 0x60],
    ],
  );
  const msiX = decodeMsiX(bytes, 0x40);
  assert.deepEqual(msiX, {
    vectors: 65,
    isEnabled: false,
    isFunctionMasked: false,
    tableBar: 0,
    tableOffset: 0x2000,
    pendingBar: 0,
    pendingOffset: 0x3000,
  });
  const again = new Uint8Array(16);
  encodeMsiX(again, 0, msiX);
  again[1] = 0x80;
  assert.deepEqual(again.subarray(0, 12), bytes.subarray(0x40, 0x4c));
});

test("BARs: sizes of PCI 3.0 §6.2.5.1, and masks that are none", () => {
  // 16 KiB of 64-bit memory, as QEMU's NVMe has it.
  assert.deepEqual(decodeBar(0, 0xffffc004, 0xffffffff), {
    kind: "memory64",
    isPrefetchable: false,
    lengthBytes: 16384,
  });
  assert.deepEqual(decodeBar(0, 0x0000000c, 0xfffffff0)?.lengthBytes, 16 * 2 ** 32);
  assert.deepEqual(decodeBar(2, 0xffffff01, 0)?.kind, "io");
  assert.equal(decodeBar(1, 0xff000000, 0)?.lengthBytes, 1 << 24);
  assert.equal(decodeBar(3, 0, 0), null);
  for (const [index, low, high] of [
    [0, 0xffffffff, 0xffffffff],
    [0, 0xff00f000, 0],
    [5, 0xfffff004, 0xffffffff],
    [0, 0xfffff002, 0],
    [0, 0x00000004, 0],
    [0, 0xffffc004, 0xfffffff0],
  ]) {
    assert.throws(() => decodeBar(index, low, high), DecodeError, `${index} ${low.toString(16)}`);
  }
});

test("hostile lists: a circle, a pointer into the header, all ones, an empty header inside", () => {
  const circle = qemuNvmeConfig();
  circle[0x61] = 0x40;
  assert.throws(() => listCapabilities(circle), /circle/);
  const low = qemuNvmeConfig();
  low[0x34] = 0x10;
  assert.throws(() => listCapabilities(low), /points to 0x10/);
  const ones = new Uint8Array(extendedConfigBytes).fill(0xff);
  assert.throws(() => decodeHeader(ones), /no function answers/);
  assert.deepEqual(listExtendedCapabilities(ones), []);
  const extended = new Uint8Array(extendedConfigBytes);
  putU32le(extended, 0x100, 0x1402_0001);
  assert.throws(() => listExtendedCapabilities(extended), /empty header/);
  putU32le(extended, 0x140, 0x1001_0003);
  assert.throws(() => listExtendedCapabilities(extended), /circle/);
  putU32le(extended, 0x140, 0x0001_0003);
  assert.deepEqual(
    listExtendedCapabilities(extended).map(({ id, version }) => [id, version]),
    [
      [1, 2],
      [3, 1],
    ],
  );
});

test("any 4 KiB decode or are refused with an offset, never anything else", () => {
  const random = new Random(15);
  let refused = 0;
  for (let round = 0; round < 2000; round++) {
    const bytes = new Uint8Array(extendedConfigBytes);
    for (let at = 0; at < bytes.length; at++) bytes[at] = random.next32() >>> 24;
    for (const read of [
      () => decodeHeader(bytes),
      () => listCapabilities(bytes),
      () => listExtendedCapabilities(bytes),
      () => decodeMsiX(bytes, bytes[0x34]),
      () => decodeMsi(bytes, bytes[0x34]),
      () => decodeBar(random.below(6), random.next32(), random.next32()),
    ]) {
      try {
        read();
      } catch (error) {
        assert.ok(error instanceof DecodeError, String(error));
        assert.ok(error.offset >= 0 && error.offset <= extendedConfigBytes);
        refused++;
      }
    }
  }
  assert.ok(refused > 1000);
});

test("names of AER's uncorrectable bits", () => {
  assert.deepEqual(describeUncorrectable((1 << 14) | (1 << 5)), ["surprise down", "completion timeout"]);
});

// PCI 3.0 §6.8.1.3: enable 0, capable 3:1, enabled 6:4, 64-bit 7, per-vector masking 8.
test("MSI: each bit of its control by itself", () => {
  const msi = (control: number) => {
    const bytes = new Uint8Array(14);
    putU16le(bytes, 2 + 2, control);
    return decodeMsi(bytes, 2);
  };
  const off = { isEnabled: false, capableVectors: 1, enabledVectors: 1, is64Bit: false, hasMasks: false };
  assert.deepEqual(msi(0), off);
  assert.deepEqual(msi(0x0001), { ...off, isEnabled: true });
  assert.deepEqual(msi(0x0006), { ...off, capableVectors: 8 });
  assert.deepEqual(msi(0x0050), { ...off, enabledVectors: 32 });
  assert.deepEqual(msi(0x0080), { ...off, is64Bit: true });
  assert.deepEqual(msi(0x0100), { ...off, hasMasks: true });
  for (const control of [0x000c, 0x0060])
    assert.throws(
      () => msi(control),
      (error) => error instanceof DecodeError && error.offset === 4,
    );
});
