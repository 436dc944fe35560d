// HID models with identities of their own: ids, strings, speeds, more than one interface.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { VirtualClock } from "../base/virtual-clock.ts";
import { HidBootProtocol } from "../codec/hid/hid.ts";
import { parseConfiguration, parseDeviceDescriptor } from "../codec/usb/descriptors.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import { UsbNak, UsbStall } from "../ports/usb-device.ts";
import { HidRig } from "../rigs/hid-rig.ts";
import { HidDeviceModel, type HidModelPlan } from "./hid-device-model.ts";
import { hidKeyboardReportDescriptor } from "./hid-keyboard/hid-keyboard-device.ts";

const nothing = new Uint8Array(0);

/** A bar code scanner: a keyboard, and beside it a second interface that counts what it has read. */
class Scanner extends HidDeviceModel {
  readonly leds: [value: number, interfaceNumber: number][] = [];
  #key = 0;
  #count = 0;

  constructor(clock: VirtualClock, change: Partial<HidModelPlan> = {}) {
    const keyboard = {
      bootProtocol: HidBootProtocol.keyboard,
      reportDescriptor: hidKeyboardReportDescriptor,
      packetBytes: 8,
      intervalMs: 10,
      hasOutEndpoint: false,
      inputIds: [0],
      idleUnits: 0,
    };
    super({
      clock,
      ...keyboard,
      idVendor: 0x05e0,
      idProduct: 0x1200,
      bcdDevice: 0x0207,
      manufacturer: "Symbol",
      product: "Scanner",
      serialNumber: "S1",
      moreInterfaces: [{ ...keyboard, bootProtocol: HidBootProtocol.none, packetBytes: 4, intervalMs: 2 }],
      ...change,
    });
  }

  read(key: number): void {
    this.#key = key;
    this.#count++;
    this.changed(0);
    this.changed(0, 1);
  }

  protected override inputReport(_id: number, interfaceNumber: number): Uint8Array {
    return interfaceNumber === 0 ? Uint8Array.of(0, 0, this.#key, 0, 0, 0, 0, 0) : Uint8Array.of(this.#count);
  }
  protected override answerReport(): null {
    return null;
  }
  protected override takeReport(
    _type: number,
    _id: number,
    data: Uint8Array,
    interfaceNumber: number,
  ): boolean {
    this.leds.push([data[0], interfaceNumber]);
    return true;
  }
}

function get(device: HidDeviceModel, ...setup: number[]): Uint8Array | null {
  device.setup(Uint8Array.from(setup));
  const buffer = new Uint8Array(255);
  const count = device.in(0x80, buffer, 0, 255);
  return count === UsbStall ? null : buffer.slice(0, count);
}

function configured(change: Partial<HidModelPlan> = {}): Scanner {
  const scanner = new Scanner(new VirtualClock(), change);
  scanner.plug({ ready: () => {}, reconnect: () => {} });
  scanner.setup(Uint8Array.of(0, 9, 1, 0, 0, 0, 0, 0));
  scanner.in(0x80, nothing, 0, 0);
  return scanner;
}

// Symbol's scanners, Logitech's receivers: drivers match by vendor and release, and most have two interfaces.
test("vendor, release and manufacturer are the plan's, and each interface has descriptors and reports of its own", () => {
  const scanner = configured();
  const device = parseDeviceDescriptor(get(scanner, 0x80, 6, 0, 1, 0, 0, 18, 0) as Uint8Array);
  assert.deepEqual([device.idVendor, device.bcdDevice], [0x05e0, 0x0207]);
  const text = get(scanner, 0x80, 6, 1, 3, 9, 4, 255, 0) as Uint8Array;
  assert.equal(String.fromCharCode(...text.filter((_, index) => index > 1 && index % 2 === 0)), "Symbol");
  const { interfaces } = parseConfiguration(get(scanner, 0x80, 6, 0, 2, 0, 0, 255, 0) as Uint8Array);
  assert.deepEqual(
    interfaces.map(({ settings: [setting] }) => [
      setting.descriptor.bInterfaceProtocol,
      setting.endpoints[0].descriptor.bEndpointAddress,
      setting.endpoints[0].descriptor.wMaxPacketSize,
    ]),
    [
      [1, 0x81, 8],
      [0, 0x83, 4],
    ],
  );
  scanner.read(0x1e);
  const packet = new Uint8Array(8);
  assert.equal(scanner.in(0x83, packet, 0, 4), 1);
  assert.equal(packet[0], 1);
  assert.equal(scanner.in(0x81, packet, 0, 8), 8);
  assert.equal(packet[2], 0x1e);
  assert.equal(scanner.in(0x83, packet, 0, 4), UsbNak);
});

test("requests go to the interface that they name", () => {
  const scanner = configured();
  scanner.setup(Uint8Array.of(0x21, 0x09, 0, 2, 1, 0, 1, 0));
  scanner.out(0, Uint8Array.of(5), 0, 1);
  assert.deepEqual(scanner.leds, [[5, 1]]);
  assert.deepEqual([...(get(scanner, 0xa1, 0x03, 0, 0, 0, 0, 1, 0) ?? [])], [1]);
  assert.equal(get(scanner, 0xa1, 0x03, 0, 0, 1, 0, 1, 0), null, "the second is no boot device");
  assert.equal(get(scanner, 0x81, 6, 0, 0x22, 2, 0, 255, 0), null, "there is no third");
});

// USB 2.0 §5.7.3: low speed has packets of 8 bytes; table 9-13: at high speed bInterval is an exponent.
test("low and high speed: packet 0, intervals, and the other speed's configuration", () => {
  const low = configured({ speed: UsbSpeed.low });
  assert.equal(parseDeviceDescriptor(get(low, 0x80, 6, 0, 1, 0, 0, 18, 0) as Uint8Array).bMaxPacketSize0, 8);
  const high = configured({ speed: UsbSpeed.high, intervalMs: 1 });
  const { interfaces } = parseConfiguration(get(high, 0x80, 6, 0, 2, 0, 0, 255, 0) as Uint8Array);
  assert.equal(interfaces[0].settings[0].endpoints[0].descriptor.bInterval, 4);
  assert.notEqual(get(high, 0x80, 6, 0, 7, 0, 0, 255, 0), null);
});

test("the driver of the class brings both interfaces up, at each speed", async () => {
  for (const speed of [UsbSpeed.low, UsbSpeed.full, UsbSpeed.high]) {
    const rig = new HidRig({ seed: 1, turn: hostTurn, profile: platformProfile("open"), devices: [] });
    rig.bus.plugIn(new Scanner(rig.machine.scheduler as never, { speed }));
    await rig.untilInputs(2);
    assert.equal(rig.inputs.length, 2, `speed ${speed}`);
  }
});
