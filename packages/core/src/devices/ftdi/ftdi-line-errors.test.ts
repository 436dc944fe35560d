// Line errors of an FTDI chip come with their byte, and EEPROM reads are answered as each chip answers them.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { FtdiLineBit, FtdiRequest, ftdiEepromChecksum } from "../../codec/ftdi/ftdi.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { NullModem } from "../null-modem.ts";
import { ScriptedFarEnd, type ScriptStep } from "../serial-far-ends.ts";
import { FtdiDevice, type FtdiOptions } from "./ftdi-device.ts";

const nothing = new Uint8Array(0);
const millisecond = 1_000_000;
const errorBits = FtdiLineBit.overrun | FtdiLineBit.parity | FtdiLineBit.framing | FtdiLineBit.break;

function plugged(options: FtdiOptions): FtdiDevice {
  const device = new FtdiDevice({ pacing: "none", ...options });
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  device.in(0x80, nothing, 0, 0);
  return device;
}

function vendorOut(device: FtdiDevice, request: number, value: number, index = 0): boolean {
  device.setup(Uint8Array.of(0x40, request, value & 255, value >> 8, index & 255, index >> 8, 0, 0));
  return device.in(0x80, nothing, 0, 0) === 0;
}

function word(device: FtdiDevice, index: number): number | null {
  device.setup(Uint8Array.of(0xc0, FtdiRequest.readEeprom, 0, 0, index & 255, index >> 8, 2, 0));
  const buffer = new Uint8Array(2);
  const count = device.in(0x80, buffer, 0, 2);
  return count === UsbStall ? null : buffer[0] | (buffer[1] << 8);
}

/** Error bits and data of the packets with data that come within two latency intervals. */
function packets(device: FtdiDevice, clock: VirtualClock): [errors: number, data: number[]][] {
  const found: [number, number[]][] = [];
  const buffer = new Uint8Array(64);
  const until = clock.nowNs() + 40 * millisecond;
  while (clock.nowNs() < until) {
    const count = device.in(0x81, buffer, 0, 64);
    if (count === UsbNak) clock.runUntil(clock.nowNs() + millisecond);
    else if (count > 2) found.push([buffer[1] & errorBits, [...buffer.subarray(2, count)]]);
  }
  return found;
}

function hearing(...steps: ScriptStep[]) {
  const clock = new VirtualClock();
  const device = plugged({ clock, farEnds: [new ScriptedFarEnd(clock, steps)] });
  clock.runUntil(5 * millisecond);
  return { device, clock };
}

// Linux, ftdi_sio: a packet's line status is looked at only where data follow, and BI counts only when the last of
// them is NUL ("usb: serial: ftdi_sio: fix break detection", reports of SysRq by break over FTDI adapters).
test("a break is a NUL at the end of a packet with BI, apart from what came before and after", () => {
  const { device, clock } = hearing(
    { atNs: millisecond, send: "ab" },
    { atNs: millisecond, error: "break" },
    { atNs: millisecond, send: "c" },
    { atNs: 2 * millisecond, modem: { cts: true } },
  );
  assert.deepEqual(packets(device, clock), [
    [FtdiLineBit.break, [0x61, 0x62, 0]],
    [0, [0x63]],
  ]);
});

// The same for TTY_PARITY and TTY_FRAME: `stty parmrk` marks the last byte of the packet.
test("parity and framing errors end the packet with the byte that was wrong", () => {
  const { device, clock } = hearing(
    { atNs: millisecond, send: "xyz", error: "parity" },
    { atNs: millisecond, send: "Q", error: "framing" },
    { atNs: millisecond, send: "ok", modem: { dsr: true } },
  );
  assert.deepEqual(packets(device, clock), [
    [FtdiLineBit.parity, [0x78, 0x79, 0x7a]],
    [FtdiLineBit.framing, [0x51]],
    [0, [0x6f, 0x6b]],
  ]);
});

test("two errors on one byte are one packet; a purge takes the marks with the bytes", () => {
  const { device, clock } = hearing(
    { atNs: millisecond, error: "break" },
    { atNs: millisecond, error: "break" },
  );
  vendorOut(device, FtdiRequest.reset, 1);
  assert.deepEqual(packets(device, clock), []);
});

test("a wrong byte behind a full packet waits for its own", () => {
  const { device, clock } = hearing(
    { atNs: millisecond, send: "u".repeat(62) },
    { atNs: millisecond, send: "v", error: "parity" },
  );
  const found = packets(device, clock);
  assert.deepEqual(
    found.map(([errors, data]) => [errors, data.length]),
    [
      [0, 62],
      [FtdiLineBit.parity, 1],
    ],
  );
});

// 16550 data sheets, line status register: with even parity against none, the character decides whether it is seen.
test("a far end with another parity is heard with the errors that its bits make", () => {
  const clock = new VirtualClock();
  const cable = new NullModem(clock);
  const sender = plugged({ clock, farEnds: [cable.ends[0]] });
  const receiver = plugged({ clock, farEnds: [cable.ends[1]] });
  vendorOut(receiver, FtdiRequest.setData, 8 | (2 << 8));
  // 03h has an even number of ones: its parity bit would be 0, the stop bit says 1. 01h is right by chance.
  sender.out(0x02, Uint8Array.of(1, 3), 0, 2);
  assert.deepEqual(packets(receiver, clock), [[FtdiLineBit.parity, [1, 3]]]);
});

// libftdi reads 128 words of every chip before it knows which one it is (ftdi_read_eeprom).
test("each chip answers 128 words: the FT232R erased ones above its own, the others a checksum in word 7Fh", () => {
  const clock = new VirtualClock();
  for (const chip of ["ft232r", "ft230x", "ft232h", "ft2232h", "ft4232h"] as const) {
    const device = plugged({ clock, chip });
    const words = Uint16Array.from({ length: 128 }, (_, index) => word(device, index) ?? assert.fail(chip));
    assert.equal(words[1], 0x0403, chip);
    const sums = chip === "ft230x" ? [...words.subarray(0, 0x12), ...words.subarray(0x40)] : [...words];
    const last = chip === "ft232r" ? 63 : sums.length - 1;
    assert.equal(sums[last], ftdiEepromChecksum(Uint16Array.from(sums.slice(0, last + 1))), chip);
    assert.equal(words[64] === 0xffff, chip === "ft232r", chip);
  }
});

test("an EEPROM beside the chip begins again where it ends; the FT-X has ten times as much", () => {
  const clock = new VirtualClock();
  const external = plugged({ clock, chip: "ft232h" });
  assert.equal(word(external, 0x81), word(external, 1));
  for (const chip of ["ft232b", "ft2232d"] as const) {
    const small = plugged({ clock, chip });
    const words = Uint16Array.from({ length: 128 }, (_, index) => word(small, index) ?? assert.fail(chip));
    assert.deepEqual(words.subarray(64), words.subarray(0, 64), chip);
    assert.equal(words[63], ftdiEepromChecksum(words.subarray(0, 64)), chip);
  }
  const inside = plugged({ clock, chip: "ft230x" });
  assert.equal(vendorOut(inside, FtdiRequest.writeEeprom, 0x1234, 0x3ff), true);
  assert.deepEqual([word(inside, 0x3ff), word(inside, 0x7f) === 0x1234], [0x1234, false]);
});
