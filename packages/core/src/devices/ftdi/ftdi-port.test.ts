// The FTDI model's finer points: reset, receive flow control, whole packets, status that is not lost.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { FtdiLineBit, FtdiModemBit, FtdiRequest } from "../../codec/ftdi/ftdi.ts";
import { parseConfiguration } from "../../codec/usb/descriptors.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { UsbStatus } from "../../ports/usb-host.ts";
import { UsbCarrier } from "../../transports/sim/usb-carrier.ts";
import { ScriptedFarEnd } from "../serial-far-ends.ts";
import { FtdiDevice, type FtdiOptions } from "./ftdi-device.ts";

const nothing = new Uint8Array(0);
const millisecond = 1_000_000;

function bench(options: Partial<FtdiOptions> = {}, clock = new VirtualClock()) {
  const readied: number[] = [];
  const device = new FtdiDevice({ clock, pacing: "none", ...options });
  device.plug({ ready: (endpoint) => readied.push(endpoint), reconnect: () => {} });
  configure(device);
  return { clock, device, readied };
}

function configure(device: FtdiDevice): void {
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, nothing, 0, 0), 0);
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

test("RESET 0 ends flow control, event character and lines, empties both rings, and leaves rate and format", () => {
  const { device } = bench();
  vendorOut(device, FtdiRequest.setBaud, 0x001a);
  vendorOut(device, FtdiRequest.setData, 7 | (1 << 8));
  vendorOut(device, FtdiRequest.setLatency, 4);
  vendorOut(device, FtdiRequest.modemControl, 0x0303);
  vendorOut(device, FtdiRequest.setFlow, 0, 0x0100);
  device.out(0x02, new Uint8Array(20), 0, 20);
  assert.equal(device.ports[0].uart.receiveRing.used, 20);
  assert.equal(vendorOut(device, FtdiRequest.reset, 0), true);
  const { baudRate, dataBits, parity, dtr, rts, flow, latencyMs } = device.observe();
  assert.deepEqual(
    { baudRate, dataBits, parity, dtr, rts, flow, latencyMs },
    { baudRate: 115385, dataBits: 7, parity: 1, dtr: false, rts: false, flow: 0, latencyMs: 4 },
  );
  assert.equal(device.ports[0].uart.receiveRing.used, 0);
  assert.equal(vendorOut(device, FtdiRequest.reset, 3), false);
});

test("a bus reset under RTS/CTS does not leave the transmitter held", () => {
  const { device } = bench();
  vendorOut(device, FtdiRequest.setFlow, 0, 0x0100);
  vendorOut(device, FtdiRequest.modemControl, 0x0202);
  device.reset();
  configure(device);
  assert.equal(device.out(0x02, Uint8Array.of(1, 2), 0, 2), 2);
  assert.equal(device.ports[0].uart.receiveRing.used, 2);
});

test("a full packet that does not fit into what the host asks for goes in pieces, each with its status", () => {
  const { clock, device } = bench();
  const sent = Uint8Array.from({ length: 62 }, (_, index) => index);
  device.out(0x02, sent, 0, 62);
  const packet = new Uint8Array(32);
  assert.equal(device.in(0x81, packet, 0, 32), 32);
  const received = [...packet.subarray(2)];
  assert.equal(device.in(0x81, packet, 0, 32), UsbNak, "the rest is no full packet");
  clock.runUntil(16 * millisecond);
  assert.equal(device.in(0x81, packet, 0, 32), 32);
  received.push(...packet.subarray(2));
  assert.equal(device.in(0x81, packet, 0, 32), UsbNak);
  clock.runUntil(32 * millisecond);
  assert.equal(device.in(0x81, packet, 0, 32), 4);
  received.push(...packet.subarray(2, 4));
  assert.deepEqual(Uint8Array.from(received), sent);
});

test("a purge of the receive ring lets a far end go on that waited for room", () => {
  const { device } = bench();
  for (let packet = 0; packet < 5; packet++) device.out(0x02, new Uint8Array(64), 0, 64);
  const { uart } = device.ports[0];
  assert.deepEqual([uart.receiveRing.used, uart.transmitRing.used], [256, 64]);
  vendorOut(device, FtdiRequest.reset, 1);
  assert.deepEqual([uart.receiveRing.used, uart.transmitRing.used], [64, 0]);
});

test("a packet is taken whole or not at all, and ready is said when a whole one fits", () => {
  const { clock, device, readied } = bench({ pacing: "baud" });
  const packet = new Uint8Array(64);
  assert.equal(device.out(0x02, packet, 0, 10), 10);
  assert.equal(device.out(0x02, packet, 0, 64), 64);
  assert.equal(device.out(0x02, packet, 0, 64), UsbNak, "54 bytes of room are not a packet");
  assert.equal(device.out(0x02, packet, 0, 50), 50, "the last packet of a transfer is short");
  assert.equal(readied.length, 0);
  clock.runUntil(200 * millisecond);
  assert.ok(readied.includes(0x02));
  const { uart } = device.ports[0];
  assert.equal(uart.transmittedBytes, 124);
});

test("GET_MODEM_STATUS shows line errors and leaves them to the next packet", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [{ atNs: millisecond, error: "parity", modem: { dsr: true } }]);
  const { device } = bench({ farEnds: [farEnd] }, clock);
  clock.runUntil(2 * millisecond);
  const idle = FtdiLineBit.holdingEmpty | FtdiLineBit.transmitterEmpty;
  const wanted = [FtdiModemBit.always | FtdiModemBit.dsr, idle | FtdiLineBit.parity];
  assert.deepEqual(vendorIn(device, FtdiRequest.getModemStatus, 0, 2), wanted);
  const packet = new Uint8Array(64);
  assert.equal(device.in(0x81, packet, 0, 64), 3, "the wrong byte comes with it");
  assert.deepEqual([packet[0], packet[1]], wanted);
  assert.deepEqual(vendorIn(device, FtdiRequest.getModemStatus, 0, 2), [wanted[0], idle]);
  assert.equal(device.in(0x81, packet, 0, 64), UsbNak, "an error is told once");
});

test("under RTS/CTS the chip takes RTS away before its ring is full, and gives it back", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [
    { atNs: 1, send: new Uint8Array(223) },
    { atNs: 2, send: new Uint8Array(1) },
  ]);
  const { device } = bench({ farEnds: [farEnd] }, clock);
  vendorOut(device, FtdiRequest.modemControl, 0x0303);
  vendorOut(device, FtdiRequest.setFlow, 0, 0x0100);
  const { uart } = device.ports[0];
  clock.runUntil(1);
  assert.deepEqual([uart.dtr, uart.rts], [true, true]);
  clock.runUntil(2);
  assert.deepEqual([uart.dtr, uart.rts], [true, false]);
  assert.equal(device.observe().rts, true, "what the host set");
  const packet = new Uint8Array(64);
  assert.equal(device.in(0x81, packet, 0, 64), 64);
  assert.equal(uart.rts, false);
  assert.equal(device.in(0x81, packet, 0, 64), 64);
  assert.equal(uart.rts, true, "half empty");
});

test("DTR/DSR flow control holds the transmitter by DSR", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [{ atNs: 5 * millisecond, modem: { dsr: true } }]);
  const { device } = bench({ farEnds: [farEnd] }, clock);
  vendorOut(device, FtdiRequest.setFlow, 0, 0x0200);
  device.out(0x02, Uint8Array.of(4), 0, 1);
  clock.runUntil(4 * millisecond);
  assert.deepEqual(farEnd.heard, []);
  clock.runUntil(6 * millisecond);
  assert.deepEqual(farEnd.heard, [4]);
});

test("bytes that came before XON/XOFF was set are not looked at again", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [
    { atNs: 1, send: Uint8Array.of(0x13, 0x41) },
    { atNs: 3, send: Uint8Array.of(0x42, 0x13, 0x43) },
  ]);
  const { device } = bench({ farEnds: [farEnd] }, clock);
  clock.runUntil(2);
  vendorOut(device, FtdiRequest.setFlow, 0x1311, 0x0400);
  clock.runUntil(20 * millisecond);
  const packet = new Uint8Array(64);
  assert.equal(device.in(0x81, packet, 0, 64), 2 + 4);
  assert.deepEqual([...packet.subarray(2, 6)], [0x13, 0x41, 0x42, 0x43]);
  device.out(0x02, Uint8Array.of(1), 0, 1);
  assert.deepEqual(farEnd.heard, [], "the second 13h was an XOFF");
});

test("modem lines come at once, each in its bit", () => {
  const clock = new VirtualClock();
  const lines = ["cts", "dsr", "ri", "dcd"] as const;
  const farEnd = new ScriptedFarEnd(
    clock,
    lines.map((line, index) => ({ atNs: index + 1, modem: { [line]: true } })),
  );
  const { device, readied } = bench({ farEnds: [farEnd] }, clock);
  const packet = new Uint8Array(64);
  const seen: number[] = [];
  for (let ns = 1; ns <= 4; ns++) {
    clock.runUntil(ns);
    assert.equal(device.in(0x81, packet, 0, 64), 2);
    seen.push(packet[0]);
  }
  assert.deepEqual(seen, [0x11, 0x31, 0x71, 0xf1]);
  assert.equal(readied.filter((endpoint) => endpoint === 0x81).length, 4);
});

test("a break is sent until SET_DATA ends it, and holds the bytes behind it", () => {
  const farEnd = new ScriptedFarEnd(new VirtualClock(), []);
  const { device } = bench({ farEnds: [farEnd] });
  vendorOut(device, FtdiRequest.setData, 0x4008);
  device.out(0x02, Uint8Array.of(5), 0, 1);
  assert.deepEqual(farEnd.heard, []);
  vendorOut(device, FtdiRequest.setData, 0x0008);
  assert.deepEqual(farEnd.heard, [5]);
  assert.deepEqual(farEnd.lineChanges.slice(-2), ["break on", "break off"]);
});

test("data formats and latencies that the chip does not have are refused", () => {
  const { device } = bench();
  for (const wValue of [5, 6, 9, 0, 8 | (5 << 8), 8 | (3 << 11)]) {
    assert.equal(vendorOut(device, FtdiRequest.setData, wValue), false, `${wValue}`);
  }
  assert.equal(vendorOut(device, FtdiRequest.setLatency, 0), false);
  assert.equal(vendorOut(device, FtdiRequest.writeEeprom, 1, 64), false);
});

test("bit 17 of a divisor is the H chips'; an FT232R does not read it", () => {
  const single = bench().device;
  vendorOut(single, FtdiRequest.setBaud, 3, 2);
  assert.equal(single.observe().baudRate, 1_000_000);
  const quad = bench({ chip: "ft4232h" }).device;
  vendorOut(quad, FtdiRequest.setBaud, 12, 0x0203);
  assert.equal(quad.observe(2).baudRate, 1_000_000);
  assert.equal(quad.observe(0).baudRate, 9600);
  assert.equal(vendorOut(quad, FtdiRequest.setBaud, 12, 0x0205), false, "there is no fifth port");
});

test("what Linux's driver looks at first: release, EEPROM word 0Ah, latency", () => {
  const { device } = bench();
  device.setup(Uint8Array.of(0x80, 6, 0, 1, 0, 0, 18, 0));
  const descriptor = new Uint8Array(18);
  assert.equal(device.in(0x80, descriptor, 0, 18), 18);
  assert.deepEqual([...descriptor.subarray(8, 14)], [0x03, 0x04, 0x01, 0x60, 0x00, 0x06]);
  assert.deepEqual(vendorIn(device, FtdiRequest.getLatency, 0, 1), [16]);
  assert.deepEqual(vendorIn(device, FtdiRequest.readEeprom, 0x0a, 2), [0x23, 0x10]);
  assert.deepEqual(vendorIn(device, FtdiRequest.readPins, 0, 1), [0xff]);
});

test("an FT4232H has 512-byte packets, and 64-byte ones at the other speed", () => {
  const { device } = bench({ chip: "ft4232h" });
  const read = (type: number) => {
    device.setup(Uint8Array.of(0x80, 6, 0, type, 0, 0, 0xff, 0));
    const buffer = new Uint8Array(255);
    const bytes = buffer.slice(0, device.in(0x80, buffer, 0, 255));
    bytes[1] = 2;
    return parseConfiguration(bytes).interfaces.map(
      ({ settings }) => settings[0].endpoints[0].descriptor.wMaxPacketSize,
    );
  };
  assert.deepEqual(read(2), [512, 512, 512, 512]);
  assert.deepEqual(read(7), [64, 64, 64, 64]);
});

test("an idle chip costs one event per latency interval with an IN waiting, and none without", () => {
  const clock = new VirtualClock();
  const device = new FtdiDevice({ clock });
  const carrier = new UsbCarrier(device, {
    clock,
    random: new Random(1),
    wire: { busyUntilNs: 0 },
    timing: "none",
    onReconnect: () => {},
  });
  const buffer = new Uint8Array(512);
  let isReading = true;
  let packets = 0;
  carrier.connect({
    completed(slot, status, actualBytes) {
      if (slot === 0) return;
      assert.deepEqual([status, actualBytes], [UsbStatus.ok, 2]);
      packets++;
      if (isReading) carrier.transfer(1, 0x81, buffer, 0, 512);
    },
    detached: () => {},
  });
  device.plug(carrier);
  carrier.control(0, Uint8Array.of(0x80, 6, 0, 2, 0, 0, 0xff, 0), buffer, 0);
  clock.runUntil(0);
  carrier.control(0, Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0), null, 0);
  clock.runUntil(0);
  carrier.transfer(1, 0x81, buffer, 0, 512);
  clock.runUntil(160 * millisecond);
  assert.equal(packets, 10, "one per 16 ms");
  isReading = false;
  clock.runUntil(200 * millisecond);
  assert.equal(packets, 11);
  assert.equal(clock.pending, 0, "nobody waits: the chip sleeps");
});
