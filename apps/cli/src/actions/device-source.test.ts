// A device's descriptors from bytes, from what lsusb prints, from a capture: the same device each time.

import assert from "node:assert/strict";
import { test } from "node:test";
import { FtdiDevice } from "@drydock/core/devices/ftdi/ftdi-device";
import { WebUsbRig } from "@drydock/core/rigs/web-usb-rig";
import { writeUsbPcapng } from "@drydock/core/trace/usb-pcapng";
import { hostTurn } from "@drydock/node/host-turn";
import { UsageError } from "../terminal/usage-error.ts";
import { readDeviceSource } from "./device-source.ts";

const deviceHex = "12010002ff00004083044057100201020301";
const configurationHex = "09022000010100c0320904000002ff000000070581024000000705020310000a";
const bytes = (hex: string): Uint8Array => Uint8Array.from(Buffer.from(hex, "hex"));
const hex = (found: Uint8Array | undefined): string => Buffer.from(found ?? []).toString("hex");

// usbutils 014, lsusb -v: fields of USB 2.0 tables 9-8 to 9-13 with their values, strings behind their indices.
const listing = `
Bus 001 Device 005: ID 0483:5740 STMicroelectronics Virtual COM Port
Device Descriptor:
  bLength                18
  bDescriptorType         1
  bcdUSB               2.00
  bDeviceClass          255 Vendor Specific Class
  bDeviceSubClass         0
  bDeviceProtocol         0
  bMaxPacketSize0        64
  idVendor           0x0483 STMicroelectronics
  idProduct          0x5740 Virtual COM Port
  bcdDevice            2.10
  iManufacturer           1 STMicro
  iProduct                2 Weather "station"
  iSerial                 3 0000001A
  bNumConfigurations      1
  Configuration Descriptor:
    bLength                 9
    wTotalLength       0x0020
    bNumInterfaces          1
    bConfigurationValue     1
    iConfiguration          0
    bmAttributes         0xc0
      Self Powered
    MaxPower              100mA
    Interface Descriptor:
      bInterfaceNumber        0
      bAlternateSetting       0
      bNumEndpoints           2
      bInterfaceClass       255 Vendor Specific Class
      bInterfaceSubClass      0
      bInterfaceProtocol      0
      iInterface              0
      Endpoint Descriptor:
        bEndpointAddress     0x81  EP 1 IN
        bmAttributes            2
          Transfer Type            Bulk
        wMaxPacketSize     0x0040  1x 64 bytes
        bInterval               0
      Endpoint Descriptor:
        bEndpointAddress     0x02  EP 2 OUT
        bmAttributes            3
          Transfer Type            Interrupt
        wMaxPacketSize     0x0010  1x 16 bytes
        bInterval              10
Device Qualifier (for other device speed):
  bcdUSB               3.00
  bMaxPacketSize0         8
Device Status:     0x0001
  Self Powered
`;

test("bytes as Linux's sysfs has them: the device, then each configuration as it is", () => {
  const source = readDeviceSource(bytes(deviceHex + configurationHex));
  assert.deepEqual([source.device.idVendor, source.device.idProduct], [0x0483, 0x5740]);
  assert.deepEqual(source.configurations.map(hex), [configurationHex]);
  assert.deepEqual(source.strings, ["", "", ""]);
});

test("what lsusb -v prints is the same device, with its strings; the qualifier behind it is another descriptor", () => {
  const source = readDeviceSource(new TextEncoder().encode(listing));
  assert.deepEqual(source.device, readDeviceSource(bytes(deviceHex + configurationHex)).device);
  assert.deepEqual(source.configurations.map(hex), [configurationHex]);
  assert.deepEqual(source.strings, ["STMicro", 'Weather "station"', "0000001A"]);
});

test("a capture of the enumeration has descriptors and strings", async () => {
  const rig = new WebUsbRig({ seed: 1, turn: hostTurn });
  rig.bus.plugIn(new FtdiDevice({ clock: rig.scheduler, chip: "ft2232h" }));
  await rig.settle();
  const source = readDeviceSource(writeUsbPcapng(rig.trace));
  assert.deepEqual([source.device.idVendor, source.device.idProduct], [0x0403, 0x6010]);
  assert.equal(source.configurations.length, 1);
  assert.equal(source.configurations[0]?.length, (source.configurations[0]?.[2] ?? 0) | 0);
  assert.deepEqual(source.strings, ["FTDI", "Dual RS232-HS", "DD000001"]);
});

test("what is something else, cut, or without a configuration is refused with what to bring", () => {
  for (const [what, wrong] of [
    ["nothing", new Uint8Array(0)],
    ["text", new TextEncoder().encode("Bus 001 Device 005: ID 0483:5740\n")],
    ["no configuration", bytes(deviceHex)],
    ["a configuration that is none", bytes(`${deviceHex}09042000010100c0320904`)],
    ["lsusb without -v's fields", new TextEncoder().encode("Device Descriptor:\n  idVendor 0x0483\n")],
    ["a broken capture", bytes("0a0d0d0affffffff")],
  ] as const)
    assert.throws(() => readDeviceSource(wrong), UsageError, what);
});
