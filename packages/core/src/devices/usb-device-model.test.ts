// What every USB device model answers on endpoint 0: USB 2.0 chapter 9, request by request.

import assert from "node:assert/strict";
import { test } from "node:test";
import { bytesFromHex, hexBytes } from "../base/text.ts";
import { encodeConfiguration, parseStringDescriptor, TransferType } from "../codec/usb/descriptors.ts";
import type { Setup } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { UsbNak, UsbStall } from "../ports/usb-device.ts";
import { SmallUsbDevice } from "./small-usb-device.ts";
import { answerLater, UsbDeviceModel } from "./usb-device-model.ts";

const nothing = new Uint8Array(0);

function configuration(): Uint8Array {
  const bulk = (bEndpointAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.bulk,
    wMaxPacketSize: 64,
    bInterval: 0,
  });
  const vendor = { bInterfaceClass: 0xff, bInterfaceSubClass: 0, bInterfaceProtocol: 0 };
  return encodeConfiguration(
    { bConfigurationValue: 3, iConfiguration: 0, bmAttributes: 0xe0, bMaxPower: 50 },
    [
      { ...vendor, bInterfaceNumber: 0, endpoints: [bulk(0x81)] },
      { ...vendor, bInterfaceNumber: 1, endpoints: [bulk(0x02)] },
      { ...vendor, bInterfaceNumber: 1, bAlternateSetting: 1, endpoints: [bulk(0x02), bulk(0x83)] },
    ],
  );
}

/** Vendor request 1 echoes its SETUP, 2 answers later, 3 takes data, 4 takes data and answers later. */
class Specimen extends UsbDeviceModel {
  taken = "";
  laterNumber = 0;

  constructor(speed: UsbSpeed = UsbSpeed.full) {
    super({
      speed,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: 0x1209,
        idProduct: 0x0001,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 0,
        bNumConfigurations: 1,
      },
      configurations: [configuration()],
      ...(speed === UsbSpeed.high ? { otherSpeedConfigurations: [configuration()] } : {}),
      strings: ["Drydock", "Specimen"],
    });
  }

  finish(answer: Uint8Array | boolean | null, number = this.laterNumber): void {
    this.finishRequest(number, answer);
  }

  protected override answerRequest(setup: Setup): Uint8Array | null | typeof answerLater {
    if (setup.bRequest === 1) return Uint8Array.from({ length: 128 }, (_, index) => index);
    if (setup.bRequest !== 2) return null;
    this.laterNumber = this.requestNumber;
    return answerLater;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean | typeof answerLater {
    this.taken = hexBytes(data);
    this.laterNumber = this.requestNumber;
    return setup.bRequest === 4 ? answerLater : setup.bRequest === 3;
  }

  protected override dataIn(): number {
    return UsbNak;
  }

  protected override dataOut(
    _endpoint: number,
    _buffer: Uint8Array,
    _offset: number,
    length: number,
  ): number {
    return length;
  }

  protected override powerOn(): void {
    this.taken = "";
  }
}

function plugged(speed: UsbSpeed = UsbSpeed.full) {
  const device = new Specimen(speed);
  const readied: number[] = [];
  device.plug({ ready: (endpoint) => readied.push(endpoint), reconnect: () => {} });
  return { device, readied };
}

function configured() {
  const bench = plugged();
  assert.equal(send(bench.device, "00 09 03 00 00 00 00 00"), true);
  return bench;
}

/** A control OUT; true when every stage was agreed to. */
function send(device: UsbDeviceModel, setup: string, data: Uint8Array = nothing): boolean {
  device.setup(bytesFromHex(setup));
  if (data.length > 0 && device.out(0x00, data, 0, data.length) !== data.length) return false;
  return device.in(0x80, nothing, 0, 0) === 0;
}

/** A control IN; the data in hexadecimal, or "stall". */
function ask(device: UsbDeviceModel, setup: string): string {
  const packet = bytesFromHex(setup);
  device.setup(packet);
  const buffer = new Uint8Array(packet[6] | (packet[7] << 8));
  const count = device.in(0x80, buffer, 0, buffer.length);
  if (count === UsbStall) return "stall";
  assert.equal(device.out(0x00, nothing, 0, 0), 0, "status stage");
  return hexBytes(buffer.subarray(0, count));
}

test("descriptors are cut to wLength, and missing ones are refused", () => {
  const { device } = plugged();
  const whole = "12 01 00 02 00 00 00 40 09 12 01 00 00 01 01 02 00 01";
  assert.equal(ask(device, "80 06 00 01 00 00 12 00"), whole);
  assert.equal(ask(device, "80 06 00 01 00 00 ff 00"), whole);
  assert.equal(ask(device, "80 06 00 01 00 00 08 00"), whole.slice(0, 23));
  assert.equal(ask(device, "80 06 00 01 00 00 00 00"), "");
  assert.equal(ask(device, "80 06 00 02 00 00 ff 00"), hexBytes(configuration()));
  assert.equal(ask(device, "80 06 00 03 00 00 ff 00"), "04 03 09 04");
  assert.equal(parseStringDescriptor(bytesFromHex(ask(device, "80 06 02 03 09 04 ff 00"))), "Specimen");
  for (const missing of ["01 02", "03 03", "00 06", "00 07", "00 0f", "00 22"]) {
    assert.equal(ask(device, `80 06 ${missing} 00 00 ff 00`), "stall", missing);
  }
});

test("a high-speed device has a qualifier and an other-speed configuration", () => {
  const { device } = plugged(UsbSpeed.high);
  assert.equal(ask(device, "80 06 00 06 00 00 0a 00"), "0a 06 00 02 00 00 00 40 01 00");
  const other = ask(device, "80 06 00 07 00 00 ff 00");
  assert.equal(other.slice(0, 5), "09 07");
  assert.equal(other.slice(6), hexBytes(configuration()).slice(6));
  assert.equal(ask(device, "80 06 01 07 00 00 ff 00"), "stall");
  assert.equal(ask(device, "80 06 00 02 00 00 02 00"), "09 02", "its own configuration is not touched");
});

// USB 2.0 §9.6.4, §5.5.3 to §5.8.3; Linux's usbtest asks for it in its test 9 and found a STALL on models without a plan for it.
test("a high-speed device whose plan has no other-speed configuration says its own at full speed", () => {
  const device = new SmallUsbDevice({ idVendor: 0x1209, idProduct: 1, speed: UsbSpeed.high });
  device.plug({ ready: () => {}, reconnect: () => {} });
  assert.equal(
    ask(device, "80 06 00 07 00 00 ff 00"),
    "09 07 20 00 01 01 00 80 32 09 04 00 00 02 ff 00 00 00 07 05 81 02 40 00 00 07 05 02 02 40 00 00",
  );
  assert.match(ask(device, "80 06 00 02 00 00 ff 00"), /^09 02 .* 07 05 02 02 00 02 00$/);
  const full = new SmallUsbDevice({ idVendor: 0x1209, idProduct: 1 });
  full.plug({ ready: () => {}, reconnect: () => {} });
  assert.equal(ask(full, "80 06 00 07 00 00 ff 00"), "stall");
  assert.equal(ask(full, "80 06 00 06 00 00 0a 00"), "stall");
});

test("configurations and alternate settings are chosen, told, and decide which endpoints are there", () => {
  const { device } = plugged();
  const buffer = new Uint8Array(64);
  assert.equal(ask(device, "80 08 00 00 00 00 01 00"), "00");
  assert.equal(device.in(0x81, buffer, 0, 64), UsbStall);
  assert.equal(send(device, "00 09 01 00 00 00 00 00"), false, "there is no configuration 1");
  assert.equal(send(device, "01 09 03 00 00 00 00 00"), false, "not to an interface");
  assert.equal(ask(device, "81 0a 00 00 00 00 01 00"), "stall", "unconfigured");
  assert.equal(send(device, "00 09 03 00 00 00 00 00"), true);
  assert.equal(ask(device, "80 08 00 00 00 00 01 00"), "03");
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
  assert.equal(device.in(0x83, buffer, 0, 64), UsbStall, "only in setting 1");
  assert.equal(send(device, "01 0b 01 00 01 00 00 00"), true);
  assert.equal(ask(device, "81 0a 00 00 01 00 01 00"), "01");
  assert.equal(device.in(0x83, buffer, 0, 64), UsbNak);
  assert.equal(device.out(0x02, buffer, 0, 64), 64);
  assert.equal(send(device, "01 0b 02 00 01 00 00 00"), false);
  assert.equal(send(device, "01 0b 01 00 00 00 00 00"), false);
  assert.equal(ask(device, "81 0a 00 00 07 00 01 00"), "stall");
  assert.equal(send(device, "01 0b 00 00 01 00 00 00"), true);
  assert.equal(device.in(0x83, buffer, 0, 64), UsbStall);
  assert.equal(send(device, "00 09 00 00 00 00 00 00"), true);
  assert.equal(device.in(0x81, buffer, 0, 64), UsbStall);
});

test("halts are set, told, cleared, and end with the setting and with a reset", () => {
  const { device, readied } = configured();
  const buffer = new Uint8Array(64);
  const status = (endpoint: string) => ask(device, `82 00 00 00 ${endpoint} 00 02 00`);
  assert.equal(status("81"), "00 00");
  assert.equal(send(device, "02 03 00 00 81 00 00 00"), true);
  assert.equal(status("81"), "01 00");
  assert.deepEqual(readied, [0x81], "whoever waits hears of it");
  assert.equal(device.in(0x81, buffer, 0, 64), UsbStall);
  assert.equal(send(device, "02 01 00 00 81 00 00 00"), true);
  assert.equal(device.in(0x81, buffer, 0, 64), UsbNak);
  assert.equal(send(device, "02 03 00 00 81 00 00 00"), true);
  assert.equal(send(device, "02 03 00 00 02 00 00 00"), true);
  assert.equal(send(device, "01 0b 00 00 01 00 00 00"), true);
  assert.equal(status("02"), "00 00", "the setting was chosen anew");
  assert.equal(status("81"), "01 00", "another interface's endpoint");
  assert.equal(status("00"), "00 00");
  assert.equal(status("84"), "stall");
  assert.equal(send(device, "02 03 00 00 84 00 00 00"), false);
  assert.equal(send(device, "02 03 01 00 81 00 00 00"), false, "no such feature");
  device.reset();
  assert.equal(device.configurationValue, 0);
  assert.equal(send(device, "00 09 03 00 00 00 00 00"), true);
  assert.equal(status("81"), "00 00");
});

test("remote wakeup is told back, and only offered by a configuration", () => {
  const { device } = plugged();
  assert.equal(send(device, "00 03 01 00 00 00 00 00"), false, "unconfigured");
  assert.equal(send(device, "00 09 03 00 00 00 00 00"), true);
  assert.equal(ask(device, "80 00 00 00 00 00 02 00"), "01 00");
  assert.equal(send(device, "00 03 01 00 00 00 00 00"), true);
  assert.equal(ask(device, "80 00 00 00 00 00 02 00"), "03 00");
  assert.equal(ask(device, "81 00 00 00 00 00 02 00"), "00 00");
  assert.equal(ask(device, "81 00 00 00 05 00 02 00"), "stall");
  assert.equal(send(device, "00 01 01 00 00 00 00 00"), true);
  assert.equal(ask(device, "80 00 00 00 00 00 02 00"), "01 00");
});

test("an answer as long as whole packets but shorter than wLength ends with an empty packet", () => {
  const { device } = configured();
  device.setup(bytesFromHex("c0 01 00 00 00 00 00 01"));
  const buffer = new Uint8Array(256);
  assert.equal(device.in(0x80, buffer, 0, 64), 64);
  assert.equal(device.in(0x80, buffer, 64, 192), 64);
  assert.equal(device.in(0x80, buffer, 128, 128), 0);
  assert.equal(device.out(0x00, nothing, 0, 0), 0);
});

test("the data stage of a request is collected; too much and too little are refused", () => {
  const { device } = configured();
  device.setup(bytesFromHex("40 03 00 00 00 00 05 00"));
  assert.equal(device.out(0x00, Uint8Array.of(1, 2, 3), 0, 3), 3);
  assert.equal(device.taken, "");
  assert.equal(device.out(0x00, Uint8Array.of(9, 4, 5), 1, 2), 2);
  assert.equal(device.taken, "01 02 03 04 05");
  assert.equal(device.in(0x80, nothing, 0, 0), 0);
  device.setup(bytesFromHex("40 03 00 00 00 00 05 00"));
  assert.equal(device.out(0x00, new Uint8Array(6), 0, 6), UsbStall);
  assert.equal(device.in(0x80, nothing, 0, 0), UsbStall);
  device.setup(bytesFromHex("40 03 00 00 00 00 05 00"));
  assert.equal(device.out(0x00, new Uint8Array(4), 0, 4), 4);
  assert.equal(device.in(0x80, nothing, 0, 0), UsbStall, "one byte is missing");
  assert.equal(send(device, "40 09 00 00 00 00 02 00", new Uint8Array(2)), false, "unknown request");
  assert.equal(send(device, "40 03 00 00 00 00 00 00"), true, "the next SETUP is a fresh start");
});

test("a later answer is NAK until it comes, for IN and for OUT", () => {
  const { device, readied } = configured();
  const buffer = new Uint8Array(8);
  device.setup(bytesFromHex("c0 02 00 00 00 00 04 00"));
  assert.equal(device.in(0x80, buffer, 0, 4), UsbNak);
  device.finish(Uint8Array.of(7, 8, 9, 10, 11));
  assert.deepEqual(readied, [0x80]);
  assert.equal(device.in(0x80, buffer, 0, 4), 4, "cut to wLength");
  device.setup(bytesFromHex("40 04 00 00 00 00 02 00"));
  assert.equal(device.out(0x00, buffer, 0, 2), 2);
  assert.equal(device.in(0x80, nothing, 0, 0), UsbNak);
  device.finish(true);
  assert.equal(device.in(0x80, nothing, 0, 0), 0);
  device.setup(bytesFromHex("c0 02 00 00 00 00 04 00"));
  device.finish(null);
  assert.equal(device.in(0x80, buffer, 0, 4), UsbStall);
});

test("an answer that comes after the next SETUP, a second one, and one after the cable is out are dropped", () => {
  const { device, readied } = configured();
  const buffer = new Uint8Array(8);
  device.setup(bytesFromHex("c0 02 00 00 00 00 01 00"));
  const first = device.laterNumber;
  device.setup(bytesFromHex("c0 02 00 00 00 00 01 00"));
  device.finish(Uint8Array.of(1), first);
  assert.equal(device.in(0x80, buffer, 0, 1), UsbNak);
  device.finish(Uint8Array.of(2));
  device.finish(Uint8Array.of(3));
  assert.equal(device.in(0x80, buffer, 0, 1), 1);
  assert.equal(buffer[0], 2);
  assert.deepEqual(readied, [0x80]);
  device.setup(bytesFromHex("c0 02 00 00 00 00 01 00"));
  device.unplug();
  device.finish(Uint8Array.of(4));
  assert.deepEqual(readied, [0x80], "no word to the upstream after unplug");
});
