// A HID device of a vendor's own page: numbered input, output and feature reports, as tools and configurators have.

import type { Clock } from "@drydock/core/base/clock";
import { HidReportType } from "@drydock/core/codec/hid/hid";
import { HidDeviceModel } from "@drydock/core/devices/hid-device-model";

const reportBytes = 8;
const featureBytes = 4;

/** HID 1.11 §6.2.2: input 1, output 2 of eight bytes, feature 3 of four, on usage page FF31h. */
const descriptor = Uint8Array.from([
  ...[0x06, 0x31, 0xff, 0x09, 0x74, 0xa1, 0x01, 0x15, 0x00, 0x26, 0xff, 0x00, 0x75, 0x08],
  ...[0x85, 0x01, 0x95, reportBytes, 0x09, 0x75, 0x81, 0x02],
  ...[0x85, 0x02, 0x95, reportBytes, 0x09, 0x76, 0x91, 0x02],
  ...[0x85, 0x03, 0x95, featureBytes, 0x09, 0x77, 0xb1, 0x02],
  0xc0,
]);

/** Says an output report back, each byte inverted; keeps a feature report. */
export class VendorHid extends HidDeviceModel {
  readonly taken: Uint8Array[] = [];
  #input = new Uint8Array(reportBytes);
  #feature = new Uint8Array(featureBytes);

  constructor(clock: Clock) {
    super({
      clock,
      idVendor: 0x16c0,
      idProduct: 0x0480,
      bcdDevice: 0x0105,
      manufacturer: "Teensyduino",
      product: "Raw HID",
      serialNumber: "HID-7",
      bootProtocol: 0,
      reportDescriptor: descriptor,
      packetBytes: 64,
      intervalMs: 1,
      hasOutEndpoint: true,
      inputIds: [1],
      idleUnits: 0,
    });
  }

  protected override inputReport(id: number): Uint8Array {
    return Uint8Array.of(id, ...this.#input);
  }

  protected override answerReport(type: number, id: number): Uint8Array | null {
    return type === HidReportType.feature && id === 3 ? Uint8Array.of(id, ...this.#feature) : null;
  }

  protected override takeReport(type: number, id: number, data: Uint8Array): boolean {
    this.taken.push(data);
    if (type === HidReportType.feature && id === 3) {
      this.#feature = data.slice(1, 1 + featureBytes);
      return true;
    }
    if (type !== HidReportType.output || id !== 2) return false;
    this.#input = Uint8Array.from(data.subarray(1), (byte) => byte ^ 0xff);
    this.changed(1);
    return true;
  }
}
