// The CDC ACM model's finer points: descriptors, rate table, whole packets, power-on, state after attach.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex } from "../../base/text.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  encodeLineCoding,
  parseAcmFunction,
  SerialStateAssembler,
  SerialStateBit,
} from "../../codec/cdc/cdc.ts";
import { parseConfiguration } from "../../codec/usb/descriptors.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { ScriptedFarEnd } from "../serial-far-ends.ts";
import { CdcAcmDevice, type CdcAcmOptions } from "./cdc-acm-device.ts";

const nothing = new Uint8Array(0);
const millisecond = 1_000_000;

function bench(options: Partial<CdcAcmOptions> = {}, clock = new VirtualClock()) {
  const readied: number[] = [];
  const device = new CdcAcmDevice({ clock, pacing: "none", ...options });
  device.plug({ ready: (endpoint) => readied.push(endpoint), reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x80, nothing, 0, 0), 0);
  return { clock, device, readied };
}

function send(device: CdcAcmDevice, setup: string, data: Uint8Array = nothing): boolean {
  device.setup(bytesFromHex(setup));
  if (data.length > 0 && device.out(0x00, data, 0, data.length) === UsbStall) return false;
  return device.in(0x80, nothing, 0, 0) === 0;
}

const rate = (dwDTERate: number) =>
  encodeLineCoding({ dwDTERate, bCharFormat: 0, bParityType: 0, bDataBits: 8 });
const setCoding = "21 20 00 00 00 00 07 00";

test("Linux finds header, call management, ACM and union, a notification pipe and two bulk pipes", () => {
  for (const [speed, packetBytes] of [
    [UsbSpeed.full, 64],
    [UsbSpeed.high, 512],
  ] as const) {
    const { device } = bench({ speed });
    device.setup(Uint8Array.of(0x80, 6, 0, 2, 0, 0, 0xff, 0));
    const buffer = new Uint8Array(255);
    const count = device.in(0x80, buffer, 0, 255);
    const { interfaces } = parseConfiguration(buffer.slice(0, count));
    const [control, data] = interfaces.map(({ settings }) => settings[0]);
    assert.deepEqual(
      control.extra.map(({ bytes }) => bytes[2]),
      [0, 1, 2, 6],
    );
    assert.deepEqual(parseAcmFunction(control.extra), { capabilities: 6, dataInterface: 1 });
    const { bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol } = control.descriptor;
    assert.deepEqual([bInterfaceClass, bInterfaceSubClass, bInterfaceProtocol], [2, 2, 1]);
    assert.deepEqual(
      control.endpoints.map(({ descriptor }) => [descriptor.bEndpointAddress, descriptor.bmAttributes]),
      [[0x83, 3]],
    );
    assert.equal(data.descriptor.bInterfaceClass, 0x0a);
    assert.deepEqual(
      data.endpoints.map(({ descriptor }) => [descriptor.bEndpointAddress, descriptor.wMaxPacketSize]),
      [
        [0x81, packetBytes],
        [0x02, packetBytes],
      ],
    );
  }
});

test("a device with a table of rates takes those only", () => {
  const { device } = bench({ baudRates: [9600, 115200], maximumBaud: 57600 });
  assert.equal(send(device, setCoding, rate(9600)), true);
  assert.equal(send(device, setCoding, rate(9601)), false);
  assert.equal(send(device, setCoding, rate(115200)), false, "above the maximum");
  assert.equal(device.observe().lineCoding.dwDTERate, 9600);
});

test("only class requests to the control interface of a configured device count", () => {
  const { device } = bench();
  const data = rate(300);
  assert.equal(send(device, "41 20 00 00 00 00 07 00", data), false, "vendor");
  assert.equal(send(device, "20 20 00 00 00 00 07 00", data), false, "to the device");
  assert.equal(send(device, "22 20 00 00 00 00 07 00", data), false, "to an endpoint");
  assert.equal(send(device, "21 20 00 00 00 01 07 00", data), false, "wIndex is 16 bits");
  assert.equal(send(device, "21 02 00 00 00 00 00 00"), false, "SET_COMM_FEATURE");
  assert.equal(device.observe().refusedRequests, 5);
  device.setup(Uint8Array.of(0x80, 6, 0, 6, 0, 0, 10, 0));
  assert.equal(device.in(0x80, new Uint8Array(10), 0, 10), UsbStall);
  assert.equal(device.observe().refusedRequests, 5, "a standard request is not counted");
  device.reset();
  assert.equal(send(device, setCoding, data), false, "unconfigured");
});

test("after a reset line coding, pace, lines and break are those of power-on", () => {
  const { clock, device } = bench({ pacing: "baud" });
  send(device, setCoding, rate(300));
  send(device, "21 22 03 00 00 00 00 00");
  send(device, "21 23 ff 7f 00 00 00 00");
  device.reset();
  const { lineCoding, dtr, rts, isBreaking } = device.observe();
  assert.deepEqual(
    { rate: lineCoding.dwDTERate, dtr, rts, isBreaking },
    { rate: 9600, dtr: false, rts: false, isBreaking: false },
  );
  assert.equal(clock.pending, 0, "the end of the break is forgotten");
  send(device, "00 09 01 00 00 00 00 00");
  device.out(0x02, new Uint8Array(9), 0, 9);
  clock.runUntil(clock.nowNs() + 10 * millisecond);
  assert.equal(device.uart.transmittedBytes, 9, "9 characters at 9600, not at 300");
});

test("a second break replaces the end of the first", () => {
  const { clock, device } = bench();
  send(device, "21 23 0a 00 00 00 00 00");
  clock.runUntil(5 * millisecond);
  send(device, "21 23 14 00 00 00 00 00");
  clock.runUntil(24 * millisecond);
  assert.equal(device.observe().isBreaking, true);
  clock.runUntil(25 * millisecond);
  assert.equal(device.observe().isBreaking, false);
});

test("lines that are on when the cable goes in are told to the host", () => {
  const clock = new VirtualClock();
  const farEnd = new ScriptedFarEnd(clock, [{ modem: { dcd: true } }]);
  const { device } = bench({ farEnd }, clock);
  const packet = new Uint8Array(16);
  const count = device.in(0x83, packet, 0, 16);
  assert.deepEqual(new SerialStateAssembler().push(packet, count), [SerialStateBit.dcd]);
  assert.equal(device.in(0x83, packet, 0, 16), UsbNak);
});

test("a notification goes through an interrupt pipe of 4 bytes in pieces", () => {
  const { device } = bench();
  send(device, "21 22 01 00 00 00 00 00");
  const packet = new Uint8Array(4);
  const assembler = new SerialStateAssembler();
  const states: number[] = [];
  const sizes: number[] = [];
  for (let count = device.in(0x83, packet, 0, 4); count > 0; count = device.in(0x83, packet, 0, 4)) {
    sizes.push(count);
    states.push(...assembler.push(packet, count));
  }
  assert.deepEqual(sizes, [4, 4, 2]);
  assert.deepEqual(states, [SerialStateBit.dcd | SerialStateBit.dsr]);
});

test("a full device takes whole packets only, answers NAK, and says when one fits", () => {
  const clock = new VirtualClock();
  const { device, readied } = bench({ pacing: "baud" }, clock);
  assert.equal(device.out(0x02, new Uint8Array(10), 0, 10), 10);
  assert.equal(device.out(0x02, new Uint8Array(4096), 0, 4096), 4032, "63 packets of 64");
  assert.equal(device.out(0x02, new Uint8Array(64), 0, 64), UsbNak);
  assert.equal(readied.length, 0);
  clock.runUntil(100 * millisecond);
  assert.ok(readied.includes(0x02));
  assert.equal(device.out(0x02, new Uint8Array(64), 0, 64), 64);
});

test("10 KiB come back, and a transfer of whole packets ends with an empty one", () => {
  const { device } = bench();
  const sent = Uint8Array.from({ length: 10 * 1024 }, (_, index) => (index * 7) & 255);
  const received: number[] = [];
  const buffer = new Uint8Array(512);
  for (let at = 0; at < sent.length; ) {
    at += device.out(0x02, sent, at, Math.min(1024, sent.length - at));
    for (let count = device.in(0x81, buffer, 0, 512); count > 0; count = device.in(0x81, buffer, 0, 512)) {
      for (let index = 0; index < count; index++) received.push(buffer[index]);
    }
  }
  assert.deepEqual(Uint8Array.from(received), sent);
  device.out(0x02, sent, 0, 128);
  assert.equal(device.in(0x81, buffer, 0, 512), 128);
  assert.equal(device.in(0x81, buffer, 128, 384), 0);
  assert.equal(device.in(0x81, buffer, 128, 384), UsbNak);
});
