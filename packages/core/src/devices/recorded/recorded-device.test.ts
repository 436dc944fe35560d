// The recorded device by its packets: recorded answers in their order, inferred ones counted, data in their turn.

import assert from "node:assert/strict";
import { test } from "node:test";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { type DeviceRecording, RecordedDevice } from "./recorded-device.ts";

const recording: DeviceRecording = {
  speed: UsbSpeed.full,
  device: {
    bcdUSB: 0x0200,
    bDeviceClass: 0xff,
    bDeviceSubClass: 0,
    bDeviceProtocol: 0,
    bMaxPacketSize0: 64,
    idVendor: 0x1209,
    idProduct: 9,
    bcdDevice: 0x0100,
    iManufacturer: 0,
    iProduct: 0,
    iSerialNumber: 0,
    bNumConfigurations: 1,
  },
  configurations: ["09022000010100c0320904000002ff000000070581024000000705020240000a"],
  strings: [],
  requests: [
    { setup: "c001000000000200", answers: ["0102", "0304"] },
    { setup: "c002000000000100", answers: ["stall"] },
    { setup: "4003000000000000", answers: [""] },
  ],
  data: [
    { endpoint: 0x81, after: 1, bytes: "aa".repeat(64), isFull: false },
    { endpoint: 0x81, after: 2, bytes: "bb", isFull: false },
  ],
};

const setupOf = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const buffer = new Uint8Array(256);

function plugged() {
  const device = new RecordedDevice(recording);
  const told: number[] = [];
  device.plug({ ready: (endpoint) => told.push(endpoint), reconnect: () => {} });
  device.setup(setupOf("0009010000000000"));
  assert.equal(device.in(0x80, buffer, 0, 0), 0);
  told.length = 0;
  return { device, told };
}

function ask(device: RecordedDevice, hex: string): string | number {
  device.setup(setupOf(hex));
  const count = device.in(0x80, buffer, 0, 64);
  return count < 0 ? count : Buffer.from(buffer.subarray(0, count)).toString("hex");
}

test("a request is answered as it was each time, the last answer stays, and a STALL is one", () => {
  const { device } = plugged();
  const answers = [1, 2, 3].map(() => ask(device, "c001000000000200"));
  assert.deepEqual(answers, ["0102", "0304", "0304"]);
  assert.equal(ask(device, "c002000000000100"), UsbStall);
});

test("what was not recorded is inferred, and counted: standard requests by the descriptors, others refused", () => {
  const { device } = plugged();
  device.inferred.clear();
  assert.equal(ask(device, "8008000000000100"), "01");
  assert.equal(ask(device, "c00900000000ff00"), UsbStall);
  assert.deepEqual(
    [...device.inferred],
    [
      ["8008000000000100", 1],
      ["c00900000000ff00", 1],
    ],
  );
});

test("data wait for the messages that came before them; whole packets end with an empty one", () => {
  // SET_CONFIGURATION was the host's first message.
  const { device, told } = plugged();
  assert.equal(device.in(0x81, buffer, 0, 128), 64);
  assert.equal(device.in(0x81, buffer, 0, 64), 0);
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
  device.setup(setupOf("4003000000000000"));
  assert.equal(device.in(0x80, buffer, 0, 0), 0);
  assert.ok(told.includes(0x81));
  assert.equal(device.in(0x81, buffer, 0, 64), 1);
  assert.equal(buffer[0], 0xbb);
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
});

test("with a clock answers and data take the time that was recorded, and the host is told when", () => {
  const clock = new VirtualClock();
  const device = new RecordedDevice(
    {
      ...recording,
      requests: [{ setup: "c001000000000200", answers: ["0102", "0304"], waitsNs: [5000, 0] }],
      data: [{ endpoint: 0x81, after: 1, bytes: "bb", isFull: false, waitNs: 7000 }],
    },
    { clock },
  );
  const told: number[] = [];
  device.plug({ ready: (endpoint) => told.push(endpoint), reconnect: () => {} });
  device.setup(setupOf("0009010000000000"));
  assert.equal(device.in(0x80, buffer, 0, 0), 0);
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
  clock.runUntil(6999);
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
  told.length = 0;
  clock.runUntil(7000);
  assert.deepEqual([...new Set(told)], [0x81]);
  assert.equal(device.in(0x81, buffer, 0, 64), 1);
  told.length = 0;
  assert.equal(ask(device, "c001000000000200"), UsbNak);
  clock.runUntil(12_000);
  assert.deepEqual(told, [0x80]);
  assert.equal(device.in(0x80, buffer, 0, 64), 2);
  assert.equal(ask(device, "c001000000000200"), "0304");
  // Out of the bus with an answer under way: its timer tells nobody.
  const late = new RecordedDevice(
    { ...recording, data: [{ endpoint: 0x81, after: 1, bytes: "bb", isFull: false, waitNs: 7 }] },
    { clock },
  );
  late.plug({ ready: () => assert.fail("told after it was pulled"), reconnect: () => {} });
  late.in(0x81, buffer, 0, 64);
  late.unplug();
  clock.runUntil(20_000);
});

test("isochronous data go packet by packet, empty ones among them", () => {
  const device = new RecordedDevice({
    ...recording,
    data: [{ endpoint: 0x81, after: 0, bytes: "aabbcc", isFull: true, packets: [2, 0, 1] }],
  });
  device.plug({ ready: () => {}, reconnect: () => {} });
  device.setup(setupOf("0009010000000000"));
  assert.equal(device.in(0x80, buffer, 0, 0), 0);
  assert.deepEqual(
    [1, 2, 3, 4].map(() => device.in(0x81, buffer, 0, 64)),
    [2, 0, 1, UsbNak],
  );
});
