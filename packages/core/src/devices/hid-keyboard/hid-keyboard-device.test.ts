// The keyboard, transaction by transaction: reports, rollover, idle rate, LEDs, protocol, refusals.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { bytesFromHex, hexBytes } from "../../base/text.ts";
import { millisecond } from "../../base/units.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { HidKeyboardDevice, hidKeyboardReportDescriptor } from "./hid-keyboard-device.ts";

function configured(): { device: HidKeyboardDevice; clock: VirtualClock } {
  const clock = new VirtualClock();
  const device = new HidKeyboardDevice({ clock });
  device.plug({ ready: () => {}, reconnect: () => {} });
  assert.equal(send(device, "00 09 01 00 00 00 00 00"), 0);
  return { device, clock };
}

/** A control transfer without or with data OUT: the status stage's answer. */
function send(device: HidKeyboardDevice, setup: string, data: Uint8Array = new Uint8Array(0)): number {
  device.setup(bytesFromHex(setup));
  if (data.length > 0 && device.out(0, data, 0, data.length) < 0) return UsbStall;
  return device.in(0x80, new Uint8Array(0), 0, 0);
}

function ask(device: HidKeyboardDevice, setup: string): string {
  device.setup(bytesFromHex(setup));
  const buffer = new Uint8Array(256);
  const count = device.in(0x80, buffer, 0, buffer.length);
  return count < 0 ? "STALL" : hexBytes(buffer.subarray(0, count));
}

function poll(device: HidKeyboardDevice): string {
  const buffer = new Uint8Array(8);
  const count = device.in(0x81, buffer, 0, 8);
  return count === UsbNak ? "NAK" : hexBytes(buffer.subarray(0, count));
}

test("each change is one report, then NAK; modifiers are bits, keys keep their order", () => {
  const { device } = configured();
  assert.equal(poll(device), "NAK");
  device.press(0xe1);
  device.press(0x04);
  device.press(0x1d);
  device.release(0x04);
  assert.deepEqual(
    [poll(device), poll(device), poll(device), poll(device), poll(device)],
    [
      "02 00 00 00 00 00 00 00",
      "02 00 04 00 00 00 00 00",
      "02 00 04 1d 00 00 00 00",
      "02 00 1d 00 00 00 00 00",
      "NAK",
    ],
  );
  assert.throws(() => device.press(0x01), RangeError);
});

test("the seventh key is a rollover that ends when it is let go", () => {
  const { device } = configured();
  for (let key = 0x04; key < 0x0b; key++) device.press(key);
  for (let count = 0; count < 6; count++) poll(device);
  assert.equal(poll(device), "00 00 01 01 01 01 01 01");
  device.release(0x04);
  assert.equal(poll(device), "00 00 05 06 07 08 09 0a");
});

test("an unchanged report is repeated at the idle rate and not at all at rate 0", () => {
  const { device, clock } = configured();
  assert.equal(device.idleMs(), 500);
  device.press(0x04);
  assert.equal(poll(device), "00 00 04 00 00 00 00 00");
  clock.runUntil(499 * millisecond);
  assert.equal(poll(device), "NAK");
  clock.runUntil(501 * millisecond);
  assert.equal(poll(device), "00 00 04 00 00 00 00 00");
  assert.equal(send(device, "21 0a 00 00 00 00 00 00"), 0);
  assert.equal(ask(device, "a1 02 00 00 00 00 01 00"), "00");
  clock.runUntil(5000 * millisecond);
  assert.equal(poll(device), "NAK");
});

test("LEDs by SET_REPORT, protocol by SET_PROTOCOL, both back to power-on values after a reset", () => {
  const { device } = configured();
  assert.equal(send(device, "21 09 00 02 00 00 01 00", Uint8Array.of(0x02)), 0);
  assert.equal(device.leds, 2);
  assert.equal(ask(device, "a1 01 00 02 00 00 01 00"), "02");
  assert.equal(send(device, "21 0b 00 00 00 00 00 00"), 0);
  assert.equal(ask(device, "a1 03 00 00 00 00 01 00"), "00");
  device.reset();
  assert.deepEqual([device.leds, device.protocol], [0, 1]);
});

test("descriptors of the interface, and STALL for what there is not", () => {
  const { device } = configured();
  assert.equal(ask(device, "81 06 00 22 00 00 ff 00"), hexBytes(hidKeyboardReportDescriptor));
  assert.equal(
    ask(device, "81 06 00 21 00 00 09 00"),
    `09 21 11 01 00 01 22 ${hexBytes(Uint8Array.of(hidKeyboardReportDescriptor.length))} 00`,
  );
  assert.equal(ask(device, "81 06 00 23 00 00 09 00"), "STALL");
  assert.equal(ask(device, "a1 01 00 03 00 00 08 00"), "STALL");
  assert.equal(ask(device, "a1 01 00 01 00 00 08 00"), "00 00 00 00 00 00 00 00");
  assert.equal(send(device, "21 09 00 02 00 00 02 00", Uint8Array.of(1, 2)), UsbStall);
  assert.equal(send(device, "21 0b 02 00 00 00 00 00"), UsbStall);
  assert.equal(send(device, "21 0a 00 00 01 00 00 00"), UsbStall);
  assert.equal(device.refusedRequests, 5);
});

test("10 000 hostile SETUPs are answered as hardware answers", () => {
  assert.equal(sendHostileSetups(configured().device, new Random(1), 10_000), null);
});
