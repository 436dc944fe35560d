// The CDC ACM model: what it accepts, what it refuses, what it says.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex } from "../../base/text.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import {
  encodeLineCoding,
  type LineCoding,
  SerialStateAssembler,
  SerialStateBit,
} from "../../codec/cdc/cdc.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { ScriptedFarEnd, type ScriptStep } from "../serial-far-ends.ts";
import { CdcAcmDevice, type CdcAcmOptions } from "./cdc-acm-device.ts";

const nothing = new Uint8Array(0);

function bench(options: Partial<CdcAcmOptions> = {}) {
  const clock = new VirtualClock();
  const readied: number[] = [];
  const device = new CdcAcmDevice({ clock, ...options });
  device.plug({ ready: (endpoint) => readied.push(endpoint), reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  device.in(0x80, nothing, 0, 0);
  return { clock, device, readied };
}

/** A control OUT; true when the device agreed. */
function send(device: CdcAcmDevice, setup: string, data: Uint8Array = nothing): boolean {
  device.setup(bytesFromHex(setup));
  if (data.length > 0 && device.out(0x00, data, 0, data.length) === UsbStall) return false;
  return device.in(0x80, nothing, 0, 0) === 0;
}

const coding = (change: Partial<LineCoding> = {}) =>
  encodeLineCoding({ dwDTERate: 115200, bCharFormat: 0, bParityType: 0, bDataBits: 8, ...change });

test("a lawful line coding is taken and given back", () => {
  const { device } = bench();
  assert.equal(send(device, "21 20 00 00 00 00 07 00", coding()), true);
  device.setup(bytesFromHex("a1 21 00 00 00 00 07 00"));
  const back = new Uint8Array(7);
  assert.equal(device.in(0x80, back, 0, 7), 7);
  assert.deepEqual(back, bytesFromHex("00 c2 01 00 00 00 08"));
});

const refused: [string, string, Uint8Array][] = [
  ["rate 0", "21 20 00 00 00 00 07 00", coding({ dwDTERate: 0 })],
  ["rate above the device's", "21 20 00 00 00 00 07 00", coding({ dwDTERate: 50_000_000 })],
  ["9 data bits", "21 20 00 00 00 00 07 00", coding({ bDataBits: 9 })],
  ["format 3", "21 20 00 00 00 00 07 00", coding({ bCharFormat: 3 })],
  ["parity 5", "21 20 00 00 00 00 07 00", coding({ bParityType: 5 })],
  ["length 6", "21 20 00 00 00 00 06 00", coding().slice(0, 6)],
  ["length 8", "21 20 00 00 00 00 08 00", new Uint8Array(8)],
  ["the data interface's number", "21 20 00 00 01 00 07 00", coding()],
];
for (const [name, setup, data] of refused) {
  test(`a line coding is refused: ${name}`, () => {
    const { device } = bench();
    assert.equal(send(device, setup, data), false);
    assert.equal(device.observe().lineCoding.dwDTERate, 9600);
    assert.equal(device.observe().refusedRequests, 1);
  });
}

test("without D1 there is no line coding; without the break bit no break", () => {
  const { device } = bench({ capabilities: 0 });
  assert.equal(send(device, "21 20 00 00 00 00 07 00", coding()), false);
  assert.equal(send(device, "21 22 03 00 00 00 00 00"), false);
  assert.equal(send(device, "21 23 ff ff 00 00 00 00"), false);
});

test("a break of 10 ms ends by itself, one of ffffh when told", () => {
  const { clock, device } = bench();
  send(device, "21 23 0a 00 00 00 00 00");
  assert.equal(device.observe().isBreaking, true);
  clock.runUntil(11_000_000);
  assert.equal(device.observe().isBreaking, false);
  send(device, "21 23 ff ff 00 00 00 00");
  clock.runUntil(1_000_000_000);
  assert.equal(device.observe().isBreaking, true);
  send(device, "21 23 00 00 00 00 00 00");
  assert.equal(device.observe().isBreaking, false);
});

test("DTR on a loop-back plug raises DSR and DCD, as a notification", () => {
  const { device, readied } = bench();
  const packet = new Uint8Array(16);
  assert.equal(device.in(0x83, packet, 0, 16), UsbNak);
  send(device, "21 22 01 00 00 00 00 00");
  assert.ok(readied.includes(0x83));
  const count = device.in(0x83, packet, 0, 16);
  assert.deepEqual(new SerialStateAssembler().push(packet, count), [SerialStateBit.dcd | SerialStateBit.dsr]);
  assert.equal(device.in(0x83, packet, 0, 16), UsbNak);
});

test("a script answers text, changes lines and makes errors", () => {
  const clock = new VirtualClock();
  const script: ScriptStep[] = [
    { afterText: "ATI\r", send: "Drydock modem\r\n" },
    { modem: { ri: true } },
    { atNs: 50_000_000, error: "parity" },
  ];
  const farEnd = new ScriptedFarEnd(clock, script);
  const device = new CdcAcmDevice({ clock, farEnd });
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  device.in(0x80, nothing, 0, 0);
  const question = Uint8Array.from("ATI\r", (letter) => letter.charCodeAt(0));
  assert.equal(device.out(0x02, question, 0, question.length), 4);
  clock.runUntil(20_000_000);
  const answer = new Uint8Array(64);
  assert.equal(device.in(0x81, answer, 0, 64), 15);
  clock.runUntil(60_000_000);
  const packet = new Uint8Array(16);
  const states: number[] = [];
  const assembler = new SerialStateAssembler();
  for (let count = device.in(0x83, packet, 0, 16); count > 0; count = device.in(0x83, packet, 0, 16)) {
    states.push(...assembler.push(packet, count));
  }
  assert.ok(states.some((state) => (state & SerialStateBit.parity) !== 0));
  assert.equal(states.at(-1), (states.at(-1) as number) | SerialStateBit.ring);
});

test("bytes take their time at the line's rate", () => {
  const { clock, device } = bench();
  send(device, "21 20 00 00 00 00 07 00", coding({ dwDTERate: 1000 }));
  device.out(0x02, new Uint8Array(10), 0, 10);
  clock.runUntil(99_000_000);
  assert.ok(device.uart.transmittedBytes < 10, "10 characters of 10 bits at 1000 baud take 100 ms");
  clock.runUntil(101_000_000);
  assert.equal(device.uart.transmittedBytes, 10);
});

test("10000 hostile SETUPs are answered as hardware answers", () => {
  const { device } = bench();
  assert.equal(sendHostileSetups(device, new Random(42), 10_000), null);
});
