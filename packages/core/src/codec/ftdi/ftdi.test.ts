// FTDI bytes: divisors of linux-guest.md §4.2 and posts.md P13, data format, status bytes, EEPROM checksum.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex } from "../../base/text.ts";
import { decodeSetup, encodeSetup } from "../usb/setup.ts";
import {
  decodeDataFormat,
  describeFtdiRequest,
  encodeDataFormat,
  type FtdiClock,
  FtdiRequest,
  ftdiBaudOf,
  ftdiDivisor,
  ftdiEepromChecksum,
  stripFtdiStatus,
} from "./ftdi.ts";

/** What Linux's driver sent to an FT232R (linux-guest.md §4.2): rate, low word, bit 16. */
const golden: readonly (readonly [number, number, number])[] = [
  [300, 0x2710, 0],
  [9600, 0x4138, 0],
  [19200, 0x809c, 0],
  [57600, 0xc034, 0],
  [115200, 0x001a, 0],
  [230400, 0x000d, 0],
  [460800, 0x4006, 0],
  [921600, 0x8003, 0],
  [1_000_000, 3, 0],
  [2_000_000, 1, 0],
  [3_000_000, 0, 0],
];

test("divisors of the 3 MHz clock are those that a foreign driver sends", () => {
  for (const [baud, value, high] of golden) {
    const divisor = ftdiDivisor(baud);
    assert.deepEqual([divisor?.value, divisor?.high], [value, high], `${baud}`);
  }
});

test("twenty standard rates are within 3 % on both clocks, and decode to what they do (P13 AC4)", () => {
  const rates = [
    300, 600, 1200, 1800, 2400, 4800, 7200, 9600, 14400, 19200, 28800, 31250, 38400, 57600, 76800, 115200,
    230400, 460800, 921600, 1_000_000,
  ];
  assert.equal(rates.length, 20);
  for (const clock of ["232b", "h"] as const satisfies readonly FtdiClock[]) {
    for (const rate of rates) {
      const divisor = ftdiDivisor(rate, clock);
      assert.ok(divisor !== null, `${rate}`);
      assert.ok(Math.abs(divisor.actualBaud - rate) / rate < 0.03, `${rate} -> ${divisor.actualBaud}`);
      assert.equal(ftdiBaudOf(divisor.value, divisor.high), divisor.actualBaud);
    }
  }
});

test("the H chips' 12 MHz clock sets bit 17; rates below 733 fall back to 3 MHz", () => {
  const at = (baud: number) => {
    const divisor = ftdiDivisor(baud, "h");
    return divisor === null ? null : [divisor.value, divisor.high];
  };
  assert.deepEqual(at(12_000_000), [0, 2]);
  assert.deepEqual(at(8_000_000), [1, 2]);
  assert.deepEqual(at(6_000_000), [2, 2]);
  assert.deepEqual(at(1_000_000), [12, 2]);
  assert.deepEqual(at(115_200), [0xc068, 2], "104 1/8");
  assert.deepEqual(at(300), [0x2710, 0]);
  assert.equal(ftdiBaudOf(0x2710, 0), 300);
});

test("every eighth has its own code, and bit 16 goes into the high part", () => {
  const codes = new Set<number>();
  for (let eighth = 0; eighth < 8; eighth++) {
    const divisor = ftdiDivisor((3_000_000 * 8) / (800 + eighth));
    assert.ok(divisor !== null);
    codes.add((divisor.value >> 14) | (divisor.high << 2));
    assert.equal(divisor.value & 0x3fff, 100);
    assert.equal(ftdiBaudOf(divisor.value, divisor.high), divisor.actualBaud);
  }
  assert.deepEqual([...codes], [0, 3, 2, 4, 1, 5, 6, 7]);
});

test("rates that the chip cannot come within 3 % of have no divisor", () => {
  for (const baud of [
    0,
    -1,
    Number.NaN,
    100,
    2_500_000,
    1_700_000,
    3_100_000,
    4_000_000,
    Number.POSITIVE_INFINITY,
  ]) {
    assert.equal(ftdiDivisor(baud), null, `${baud}`);
  }
  assert.equal(ftdiDivisor(13_000_000, "h"), null);
  assert.equal(ftdiDivisor(3_050_000)?.actualBaud, 3_000_000);
});

test("every 18-bit divisor code means a finite rate", () => {
  for (let code = 0; code < 1 << 18; code++) {
    const baud = ftdiBaudOf(code & 0xffff, code >> 16);
    if (!(baud > 0 && baud <= 12_000_000)) assert.fail(`code ${code} means ${baud}`);
  }
});

test("the data format is bits, parity << 8, stop << 11, break << 14", () => {
  assert.equal(encodeDataFormat({ dataBits: 8, parity: 0, stop: 0, breakOn: false }), 0x0008);
  assert.equal(encodeDataFormat({ dataBits: 7, parity: 2, stop: 2, breakOn: true }), 0x5207);
  assert.deepEqual(decodeDataFormat(0x5207), { dataBits: 7, parity: 2, stop: 2, breakOn: true });
});

/** `payload` as the chip sends it: two status bytes before every `packetBytes - 2`. */
function inPackets(payload: Uint8Array, packetBytes: number): Uint8Array {
  const out: number[] = [];
  for (let at = 0; at < payload.length; at += packetBytes - 2) {
    out.push(0x01, 0x60, ...payload.subarray(at, at + packetBytes - 2));
  }
  return Uint8Array.from(out);
}

test("status bytes go per packet, not per transfer", () => {
  const random = new Random(7);
  for (const packetBytes of [64, 512]) {
    for (const length of [1, 61, 62, 63, 124, 510, 511, 1020, 10 * 1024]) {
      const payload = Uint8Array.from({ length }, () => random.below(256));
      const buffer = inPackets(payload, packetBytes);
      let pairs = 0;
      const kept = stripFtdiStatus(buffer, buffer.length, packetBytes, (modem, line) => {
        assert.deepEqual([modem, line], [0x01, 0x60]);
        pairs++;
      });
      assert.deepEqual(buffer.subarray(0, kept), payload);
      assert.equal(pairs, Math.ceil(length / (packetBytes - 2)));
    }
  }
});

test("an idle packet has no data; a runt and a senseless packet size end the stripping", () => {
  const strip = (bytes: Uint8Array, packetBytes: number) =>
    stripFtdiStatus(bytes, bytes.length, packetBytes, () => {});
  assert.equal(strip(bytesFromHex("01 60"), 64), 0);
  assert.equal(strip(new Uint8Array(0), 64), 0);
  assert.equal(strip(new Uint8Array(65), 64), 62, "the last packet has one byte only");
  assert.equal(strip(new Uint8Array(64), 0), 0);
  assert.equal(strip(new Uint8Array(64), -1), 0);
});

test("the EEPROM checksum rotates an exclusive or from AAAAh", () => {
  assert.equal(ftdiEepromChecksum(Uint16Array.of(0)), 0xaaaa, "only the checksum's own word");
  assert.equal(ftdiEepromChecksum(Uint16Array.of(0xaaaa, 0)), 0);
  assert.equal(ftdiEepromChecksum(Uint16Array.of(0x0000, 0)), 0x5555);
  assert.equal(ftdiEepromChecksum(Uint16Array.of(0x0000, 0x5554, 0)), 0x0002);
});

test("requests are named for traces", () => {
  const name = (bRequest: number, wValue = 0, wIndex = 0, bmRequestType = 0x40) =>
    describeFtdiRequest(decodeSetup(encodeSetup({ bmRequestType, bRequest, wValue, wIndex, wLength: 0 })));
  assert.equal(name(FtdiRequest.reset), "RESET all");
  assert.equal(name(FtdiRequest.reset, 1), "RESET purge receive");
  assert.equal(name(FtdiRequest.reset, 9), "RESET 9");
  assert.equal(name(FtdiRequest.modemControl, 0x0303), "MODEM_CTRL DTR on RTS on");
  assert.equal(name(FtdiRequest.modemControl, 0x0200), "MODEM_CTRL RTS off");
  assert.equal(name(FtdiRequest.setFlow, 0x1311, 0x0400), "SET_FLOW_CTRL XON/XOFF");
  assert.equal(name(FtdiRequest.setFlow, 0, 0x0301), "SET_FLOW_CTRL 0x03");
  assert.equal(name(FtdiRequest.setBaud, 0x4138), "SET_BAUD_RATE 9600");
  assert.equal(name(FtdiRequest.setBaud, 12, 0x0203), "SET_BAUD_RATE 1000000", "port 3 of an H chip");
  assert.equal(name(FtdiRequest.setData, 0x5207), "SET_DATA 7E2 break");
  assert.equal(name(FtdiRequest.setLatency, 16), "SET_LATENCY 16 ms");
  assert.equal(name(FtdiRequest.getLatency, 0, 0, 0xc0), "GET_LATENCY");
  assert.equal(name(FtdiRequest.readEeprom, 0, 0x0a, 0xc0), "READ_EEPROM word 0x0a");
  assert.equal(name(FtdiRequest.writeEeprom, 0x0403, 1), "WRITE_EEPROM word 0x01 = 0x0403");
  assert.equal(name(0x55), null);
  assert.equal(name(FtdiRequest.reset, 0, 0, 0x21), null, "a class request is not FTDI's");
});
