// The accessory against SETUP packets and link packets that no phone would send.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "../../base/random.ts";
import { hexBytes } from "../../base/text.ts";
import { second } from "../../base/units.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { encodeControlMessage, Iap2Message, numberParameter } from "../../codec/iap2/control-message.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { sendHostileSetups } from "../hostile-setups.ts";
import { AccessoryDevice } from "./accessory-device.ts";

function plugged(seed = 1) {
  const clock = new VirtualClock();
  const device = new AccessoryDevice({ clock });
  device.plug({ ready: () => {}, reconnect: () => {} });
  return { clock, device, random: new Random(seed) };
}

test("ten thousand hostile SETUP packets and transactions are answered lawfully", () => {
  const { clock, device, random } = plugged();
  assert.equal(sendHostileSetups(device, random, 10_000), null);
  clock.runUntil(clock.nowNs() + 60 * second);
});

test("it begins with the detection bytes once it is configured, and gives up when nobody answers", () => {
  const { clock, device } = plugged();
  const buffer = new Uint8Array(512);
  assert.ok(device.in(0x81, buffer, 0, 64) < 0, "an endpoint of no configuration");
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  assert.equal(device.in(0x81, buffer, 0, 64), 6);
  assert.equal(hexBytes(buffer.subarray(0, 6), 6), "ff 55 02 00 ee 10");
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
  clock.runUntil(clock.nowNs() + 60 * second);
  assert.match(device.problems.join(), /nobody answers the detection/);
});

test("a million random bytes on the OUT pipe: taken, bounded, nothing of them reaches the application", () => {
  const clock = new VirtualClock();
  const heard: number[] = [];
  const device = new AccessoryDevice({
    clock,
    application: { received: (_protocol, bytes) => heard.push(bytes.length) },
  });
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  const random = new Random(5);
  const buffer = new Uint8Array(4096);
  for (let block = 0; block < 250; block++) {
    for (let index = 0; index < buffer.length; index++)
      buffer[index] = random.below(4) === 0 ? 0xff : random.below(256);
    const taken = device.out(0x01, buffer, 0, buffer.length);
    assert.ok(taken === buffer.length || taken === UsbNak);
  }
  assert.deepEqual(heard, []);
});

test("messages for protocols and sessions that do not exist are encodable and left out", () => {
  const message = encodeControlMessage({
    message: Iap2Message.startProtocolSession,
    parameters: [numberParameter(0, 99, 1), numberParameter(1, 5, 2)],
  });
  assert.equal(message.length, 6 + 5 + 6);
  const { device } = plugged();
  assert.deepEqual([device.receivedBytes, device.sentBytes, device.problems.length], [0, 0, 0]);
});
