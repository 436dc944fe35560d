// The FTDI model: packets with status bytes, the latency timer, every request.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { FtdiLineBit, FtdiModemBit, FtdiRequest, ftdiEepromChecksum } from "../../codec/ftdi/ftdi.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { ScriptedFarEnd } from "../serial-far-ends.ts";
import { FtdiDevice, type FtdiOptions } from "./ftdi-device.ts";

const nothing = new Uint8Array(0);
const millisecond = 1_000_000;

function bench(options: Partial<FtdiOptions> = {}, clock = new VirtualClock()) {
  const readied: number[] = [];
  const device = new FtdiDevice({ clock, ...options });
  device.plug({ ready: (endpoint) => readied.push(endpoint), reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  device.in(0x80, nothing, 0, 0);
  return { clock, device, readied };
}

function vendorOut(device: FtdiDevice, request: number, value: number, index = 0): boolean {
  device.setup(Uint8Array.of(0x40, request, value & 255, value >> 8, index & 255, index >> 8, 0, 0));
  return device.in(0x80, nothing, 0, 0) === 0;
}

function vendorIn(device: FtdiDevice, request: number, index: number, length: number): number[] | null {
  device.setup(Uint8Array.of(0xc0, request, 0, 0, index & 255, index >> 8, length, 0));
  const buffer = new Uint8Array(length);
  const count = device.in(0x80, buffer, 0, length);
  return count === UsbStall ? null : [...buffer.subarray(0, count)];
}

test("an idle chip says two status bytes once per latency interval, and nothing before", () => {
  const { clock, device, readied } = bench();
  const packet = new Uint8Array(64);
  assert.equal(device.in(0x81, packet, 0, 64), UsbNak);
  clock.runUntil(15 * millisecond);
  assert.deepEqual(readied, []);
  clock.runUntil(16 * millisecond);
  assert.deepEqual(readied, [0x81]);
  assert.equal(device.in(0x81, packet, 0, 64), 2);
  assert.equal(packet[0] & 0x0f, FtdiModemBit.always);
  assert.equal(packet[1], FtdiLineBit.holdingEmpty | FtdiLineBit.transmitterEmpty);
});

test("10 KiB come back in packets that each begin with two status bytes", () => {
  const { clock, device } = bench({ pacing: "none" });
  const sent = new Uint8Array(10 * 1024).map((_, index) => (index * 13) & 255);
  const received: number[] = [];
  let at = 0;
  const buffer = new Uint8Array(512);
  while (received.length < sent.length) {
    const taken = at < sent.length ? device.out(0x02, sent, at, Math.min(64, sent.length - at)) : UsbNak;
    if (taken > 0) at += taken;
    const count = device.in(0x81, buffer, 0, 512);
    if (count === UsbNak) {
      assert.equal(clock.step(), true, "something must happen");
      continue;
    }
    for (let packet = 0; packet < count; packet += 64) {
      assert.equal(buffer[packet] & 0x0f, 1);
      received.push(...buffer.subarray(packet + 2, Math.min(packet + 64, count)));
    }
  }
  assert.deepEqual(Uint8Array.from(received), sent);
});

test("the event character sends a short packet before the latency timer", () => {
  const { clock, device } = bench({ pacing: "none" });
  vendorOut(device, FtdiRequest.setEventChar, 0x100 | 0x0a);
  device.out(0x02, Uint8Array.of(0x61, 0x62, 0x0a), 0, 3);
  const packet = new Uint8Array(64);
  assert.equal(device.in(0x81, packet, 0, 64), 5);
  assert.equal(clock.nowNs(), 0);
});

test("baud rate, data format, lines, flow and latency arrive as set", () => {
  const { device } = bench();
  assert.equal(vendorOut(device, FtdiRequest.setBaud, 0x4138), true);
  assert.equal(vendorOut(device, FtdiRequest.setData, 7 | (2 << 8) | (2 << 11)), true);
  assert.equal(vendorOut(device, FtdiRequest.modemControl, 0x0303), true);
  assert.equal(vendorOut(device, FtdiRequest.setFlow, 0, 0x0100), true);
  assert.equal(vendorOut(device, FtdiRequest.setLatency, 5), true);
  assert.deepEqual(vendorIn(device, FtdiRequest.getLatency, 0, 1), [5]);
  assert.deepEqual(device.observe(), {
    baudRate: 9600,
    dataBits: 7,
    parity: 2,
    stop: 2,
    isBreaking: false,
    dtr: true,
    rts: true,
    flow: 1,
    latencyMs: 5,
  });
});

test("DTR or RTS alone changes only the line whose mask bit is set", () => {
  const { device } = bench();
  vendorOut(device, FtdiRequest.modemControl, 0x0101);
  assert.deepEqual([device.observe().dtr, device.observe().rts], [true, false]);
  vendorOut(device, FtdiRequest.modemControl, 0x0202);
  assert.deepEqual([device.observe().dtr, device.observe().rts], [true, true]);
});

test("the EEPROM has the ids and a valid checksum, and can be written and erased", () => {
  const { device } = bench();
  const words = Uint16Array.from({ length: 64 }, (_, index) => {
    const bytes = vendorIn(device, FtdiRequest.readEeprom, index, 2) as number[];
    return bytes[0] | (bytes[1] << 8);
  });
  assert.equal(words[1], 0x0403);
  assert.equal(words[2], 0x6001);
  assert.equal(words[63], ftdiEepromChecksum(words));
  assert.equal(vendorOut(device, FtdiRequest.writeEeprom, 0x1234, 2), true);
  assert.deepEqual(vendorIn(device, FtdiRequest.readEeprom, 2, 2), [0x34, 0x12]);
  assert.equal(vendorOut(device, FtdiRequest.eraseEeprom, 0), true);
  assert.deepEqual(vendorIn(device, FtdiRequest.readEeprom, 2, 2), [0xff, 0xff]);
});

test("RTS/CTS flow control holds the transmitter until CTS", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [{ atNs: 5 * millisecond, modem: { cts: true } }]);
  const { device } = bench({ farEnds: [farEnd], pacing: "none" }, clock);
  vendorOut(device, FtdiRequest.setFlow, 0, 0x0100);
  device.out(0x02, Uint8Array.of(1, 2, 3), 0, 3);
  clock.runUntil(4 * millisecond);
  assert.equal(farEnd.heard.length, 0);
  clock.runUntil(6 * millisecond);
  assert.deepEqual(farEnd.heard, [1, 2, 3]);
});

test("XOFF from the far end holds the transmitter until XON, and neither is data", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [
    { atNs: millisecond, send: Uint8Array.of(0x13) },
    { atNs: 5 * millisecond, send: Uint8Array.of(0x11) },
  ]);
  const { device } = bench({ farEnds: [farEnd], pacing: "none" }, clock);
  vendorOut(device, FtdiRequest.setFlow, 0x1311, 0x0400);
  clock.runUntil(2 * millisecond);
  device.out(0x02, Uint8Array.of(9), 0, 1);
  clock.runUntil(4 * millisecond);
  assert.deepEqual(farEnd.heard, []);
  clock.runUntil(6 * millisecond);
  assert.deepEqual(farEnd.heard, [9]);
  assert.equal(device.ports[0].uart.receiveRing.used, 0);
});

test("a far end at another rate hears garbage, and the chip sees framing errors", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [{ afterBytes: 1, send: "x" }], 19_200);
  const { device } = bench({ farEnds: [farEnd] }, clock);
  device.out(0x02, Uint8Array.of(0x55), 0, 1);
  clock.runUntil(100 * millisecond);
  assert.notEqual(farEnd.heard[0], 0x55);
  const packet = new Uint8Array(64);
  assert.ok(device.in(0x81, packet, 0, 64) >= 2);
  assert.equal(packet[1] & FtdiLineBit.framing, FtdiLineBit.framing);
});

test("bytes that the chip has no room for are an overrun", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [{ atNs: 1, send: new Uint8Array(300) }]);
  const { device } = bench({ farEnds: [farEnd] }, clock);
  clock.runUntil(1000);
  assert.equal(device.ports[0].uart.overruns, 300 - 256);
  const packet = new Uint8Array(64);
  device.in(0x81, packet, 0, 64);
  assert.equal(packet[1] & FtdiLineBit.overrun, FtdiLineBit.overrun);
});

test("the four ports of an FT4232H are separate", () => {
  const { clock, device } = bench({ chip: "ft4232h", pacing: "none" });
  assert.equal(device.ports.length, 4);
  vendorOut(device, FtdiRequest.setLatency, 3, 2);
  assert.equal(device.observe(1).latencyMs, 3);
  assert.equal(device.observe(0).latencyMs, 16);
  device.out(0x06, Uint8Array.of(7), 0, 1);
  const packet = new Uint8Array(512);
  assert.equal(device.in(0x85, packet, 0, 512), UsbNak);
  clock.runUntil(16 * millisecond);
  assert.equal(device.in(0x85, packet, 0, 512), 3);
  assert.equal(packet[2], 7);
});

test("bit-bang modes and unknown requests are refused", () => {
  const { device } = bench();
  assert.equal(vendorOut(device, FtdiRequest.setBitMode, 0x0100), false);
  assert.equal(vendorOut(device, 0x55, 0), false);
  assert.equal(vendorIn(device, 0x55, 0, 4), null);
});

test("10000 hostile SETUPs are answered as hardware answers", () => {
  const { device } = bench();
  assert.equal(sendHostileSetups(device, new Random(43), 10_000), null);
});
