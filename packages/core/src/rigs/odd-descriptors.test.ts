// Devices with faulty descriptors come up as far as they can be read, and the log says for each fault what was done.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { type DescriptorFaultKind, viewConfiguration } from "../codec/usb/configuration-view.ts";
import { encodeConfiguration, TransferType } from "../codec/usb/descriptors.ts";
import type { Setup } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { UsbDeviceModel } from "../devices/usb-device-model.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { defaultSerialRig } from "./serial-rig.ts";
import { openSerialSession } from "./serial-session.ts";
import { usbPaths } from "./usb-paths.ts";
import { WebUsbRig } from "./web-usb-rig.ts";

const endpoint = (bEndpointAddress: number, bmAttributes: number, wMaxPacketSize: number, bInterval = 0) => ({
  bEndpointAddress,
  bmAttributes,
  wMaxPacketSize,
  bInterval,
});
const union = Uint8Array.of(5, 0x24, 0x06, 0, 1);
const good = encodeConfiguration(
  { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
  [
    {
      bInterfaceNumber: 0,
      bInterfaceClass: 2,
      bInterfaceSubClass: 2,
      bInterfaceProtocol: 1,
      extra: [union],
      endpoints: [endpoint(0x83, TransferType.interrupt, 16, 10)],
    },
    {
      bInterfaceNumber: 1,
      bInterfaceClass: 10,
      bInterfaceSubClass: 0,
      bInterfaceProtocol: 0,
      endpoints: [endpoint(0x81, TransferType.bulk, 64), endpoint(0x02, TransferType.bulk, 64)],
    },
  ],
);
/** The last two endpoints and the interface before them. */
const [lastInterface, bulkIn, bulkOut] = [good.length - 23, good.length - 14, good.length - 7];

function changed(change: (bytes: Uint8Array) => void): Uint8Array {
  const bytes = good.slice();
  change(bytes);
  return bytes;
}

function with_(more: Uint8Array, at = good.length): Uint8Array {
  const bytes = Uint8Array.from([...good.subarray(0, at), ...more, ...good.subarray(at)]);
  bytes[2] = bytes.length;
  return bytes;
}

// Linux, drivers/usb/core/config.c: the words of its warnings are the public reports' ("skipping remainder of the config",
// "Duplicate endpoint", "config 1 has 1 interface, different from the descriptor's value: 2", "invalid wMaxPacketSize 0").
const odd: Record<string, { readonly bytes: Uint8Array; readonly fault: DescriptorFaultKind }> = {
  "three bytes more are promised than come": {
    bytes: changed((bytes) => (bytes[2] += 3)),
    fault: "total-too-large",
  },
  "bNumInterfaces does not count": { bytes: changed((bytes) => (bytes[4] = 3)), fault: "interface-count" },
  "bNumEndpoints does not count": {
    bytes: changed((bytes) => (bytes[lastInterface + 4] = 4)),
    fault: "endpoint-count",
  },
  "an endpoint twice": { bytes: with_(good.slice(bulkIn, bulkOut)), fault: "duplicate-endpoint" },
  "an endpoint of packets of 0 bytes beside the others": {
    bytes: with_(Uint8Array.of(7, 5, 0x84, 2, 0, 0, 0)),
    fault: "packet-size-zero",
  },
  "packets of 512 bytes at full speed": {
    bytes: changed((bytes) => bytes.set([0, 2], bulkIn + 4)),
    fault: "packet-size-too-large",
  },
  "a bLength of 0 at the end": { bytes: with_(Uint8Array.of(0, 0)), fault: "broken-length" },
  "a last descriptor that runs over the end": {
    bytes: with_(Uint8Array.of(9, 4, 2)),
    fault: "broken-length",
  },
  "a device descriptor inside": {
    bytes: with_(Uint8Array.of(18, 1, ...new Uint8Array(16)), lastInterface),
    fault: "unexpected-descriptor",
  },
  "a setting twice": {
    bytes: with_(Uint8Array.of(9, 4, 1, 0, 0, 10, 0, 0, 0)),
    fault: "duplicate-setting",
  },
  "endpoint number 0": { bytes: with_(Uint8Array.of(7, 5, 0x80, 2, 64, 0, 0)), fault: "endpoint-zero" },
  "an endpoint before any interface": {
    bytes: with_(Uint8Array.of(7, 5, 0x85, 2, 64, 0, 0), 9),
    fault: "endpoint-before-interface",
  },
  "a data interface that begins with setting 1": {
    bytes: changed((bytes) => (bytes[lastInterface + 3] = 1)),
    fault: "no-setting-zero",
  },
};

class OddModem extends UsbDeviceModel {
  readonly heard: number[] = [];

  constructor(configuration: Uint8Array) {
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 2,
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
      configurations: [configuration],
      strings: ["Drydock", "Odd modem"],
    });
  }

  protected override powerOn(): void {}
  protected override answerRequest(_setup: Setup): null {
    return null;
  }
  protected override performRequest(): boolean {
    return true;
  }
  protected override dataIn(): number {
    return UsbNak;
  }
  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    this.heard.push(...buffer.subarray(offset, offset + length));
    return length;
  }
}

for (const [what, { bytes, fault }] of Object.entries(odd)) {
  test(`${what}: a port that carries data, and a line that says what was done`, async () => {
    for (const path of ["bus", "usbip", "xhci"] as const) {
      const rig = defaultSerialRig(1, hostTurn, { devices: [], path: usbPaths[path] });
      const modem = new OddModem(bytes);
      assert.deepEqual(
        modem.descriptorFaults.map(({ kind }) => kind),
        [fault],
      );
      rig.bus.plugIn(modem);
      const session = await openSerialSession(rig);
      session.send(Uint8Array.of(1, 2, 3));
      await rig.run(rig.machine.scheduler.nowNs() + 1e9);
      assert.deepEqual(modem.heard, [1, 2, 3], path);
      const { text } = modem.descriptorFaults[0];
      assert.ok(
        rig.machine.log.show().some((row) => row.message.includes(text)),
        text,
      );
    }
  });
}

test("wTotalLength too small by one descriptor: the endpoint behind it is not there, and that is the port's end", async () => {
  const rig = defaultSerialRig(1, hostTurn, { devices: [] });
  rig.bus.plugIn(new OddModem(changed((bytes) => (bytes[2] -= 7))));
  await rig.run(3e9);
  const log = rig.machine.log.show().map((row) => row.message);
  assert.equal(rig.ports.length, 0);
  assert.match(log.join("\n"), /interface 1 setting 0 promises 2 endpoints, 1 follow/);
  assert.match(log.join("\n"), /CdcAcmDriver .*no data interface/);
});

test("a page finds the part that can be read, and the rig hears of the rest", async () => {
  const problems: string[] = [];
  const rig = new WebUsbRig({ seed: 1, turn: hostTurn, onProblem: (reason) => problems.push(reason) });
  rig.bus.plugIn(new OddModem(odd["an endpoint twice"].bytes));
  await rig.settle();
  const runner = rig.runFreely((error) => {
    throw error;
  });
  const device = await rig.usb.requestDevice({ filters: [] });
  runner.stop();
  assert.equal(device.configurations[0].interfaces[1].alternates[0].endpoints.length, 2);
  assert.match(problems.join(), /0x81 occurs twice/);
});

test("what is no configuration at all is refused", () => {
  assert.throws(() => viewConfiguration(Uint8Array.of(9, 2, 9)), /only 3 of 9/);
  assert.throws(() => viewConfiguration(Uint8Array.of(9, 1, 9, 0, 0, 1, 0, 0x80, 1)), /type 1/);
  assert.deepEqual(viewConfiguration(good).faults, []);
});
