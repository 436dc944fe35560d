// Base of HID device models: class descriptor, class requests, report queue, idle rate. HID 1.11 §7.2.

import type { Clock, TimerHandle } from "../base/clock.ts";
import { millisecond } from "../base/units.ts";
import {
  encodeHidDescriptor,
  HidDescriptorType,
  HidProtocol,
  HidReportType,
  HidRequest,
  hidBootSubClass,
  hidClass,
  hidIdleUnitMs,
} from "../codec/hid/hid.ts";
import { encodeConfiguration, TransferType } from "../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup, StandardRequest } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { UsbDeviceModel } from "./usb-device-model.ts";

export const hidInEndpoint = 0x81;
export const hidOutEndpoint = 0x02;

export interface HidModelPlan {
  readonly clock: Clock;
  readonly idProduct: number;
  readonly product: string;
  readonly serialNumber: string;
  /** HidBootProtocol; anything but `none` makes it a boot device (HID 1.11 §4.2). */
  readonly bootProtocol: number;
  readonly reportDescriptor: Uint8Array;
  /** Input reports must fit one packet. */
  readonly packetBytes: number;
  /** Full speed: milliseconds between polls. */
  readonly intervalMs: number;
  readonly hasOutEndpoint: boolean;
  /** Ids of input reports; 0 alone when the device has no ids. */
  readonly inputIds: readonly number[];
  /** Idle duration after power-on, in 4 ms; §7.2.4 recommends 500 ms for keyboards, 0 for the rest. */
  readonly idleUnits: number;
}

/** Reports that wait to be fetched; what comes on top replaces the newest, as a chip's small FIFO does. */
const queueMaximum = 16;

/**
 * Answers GET/SET_REPORT, IDLE and PROTOCOL on interface 0 and NAKs the interrupt endpoint while nothing has changed
 * and no idle period has passed. Everything else is a STALL.
 */
export abstract class HidDeviceModel extends UsbDeviceModel {
  /** Class requests that were answered with STALL. */
  refusedRequests = 0;
  readonly #plan: HidModelPlan;
  readonly #hidDescriptor: Uint8Array;
  readonly #queue: Uint8Array[] = [];
  /** By input report id. */
  readonly #idle = new Map<number, { units: number; timer: TimerHandle; readonly id: number }>();
  #protocol: number = HidProtocol.report;

  constructor(plan: HidModelPlan) {
    const hid = encodeHidDescriptor({
      bcdHID: 0x0111,
      bCountryCode: 0,
      descriptors: [{ type: HidDescriptorType.report, length: plan.reportDescriptor.length }],
    });
    const isBoot = plan.bootProtocol !== 0;
    const endpoint = (bEndpointAddress: number) => ({
      bEndpointAddress,
      bmAttributes: TransferType.interrupt,
      wMaxPacketSize: plan.packetBytes,
      bInterval: plan.intervalMs,
    });
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: 0x1209,
        idProduct: plan.idProduct,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [
        encodeConfiguration(
          { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
          [
            {
              bInterfaceNumber: 0,
              bInterfaceClass: hidClass,
              bInterfaceSubClass: isBoot ? hidBootSubClass : 0,
              bInterfaceProtocol: plan.bootProtocol,
              extra: [hid],
              endpoints: [
                endpoint(hidInEndpoint),
                ...(plan.hasOutEndpoint ? [endpoint(hidOutEndpoint)] : []),
              ],
            },
          ],
        ),
      ],
      strings: ["Drydock", plan.product, plan.serialNumber],
    });
    this.#plan = plan;
    this.#hidDescriptor = hid;
    for (const id of plan.inputIds) this.#idle.set(id, { units: plan.idleUnits, timer: 0, id });
  }

  /** HidProtocol: what SET_PROTOCOL chose last; `report` after power-on (§7.2.6). */
  get protocol(): number {
    return this.#protocol;
  }

  /** Milliseconds between repetitions of an unchanged report, 0 for none. */
  idleMs(id = 0): number {
    return (this.#idle.get(id)?.units ?? 0) * hidIdleUnitMs;
  }

  /** The state as it would be sent now, id byte included. */
  protected abstract inputReport(id: number): Uint8Array;

  /** GET_REPORT of an output or feature report: null to STALL. */
  protected abstract answerReport(type: number, id: number): Uint8Array | null;

  /** SET_REPORT, or a packet on the OUT endpoint. `data` has the id byte where there are ids. False to STALL. */
  protected abstract takeReport(type: number, id: number, data: Uint8Array): boolean;

  /** The state of an input report has changed: it will be sent. */
  protected changed(id: number): void {
    if (this.configurationValue === 0) return;
    if (this.#queue.length === queueMaximum) this.#queue.pop();
    this.#queue.push(this.inputReport(id));
    this.ready(hidInEndpoint);
  }

  protected override powerOn(): void {
    this.#protocol = HidProtocol.report;
    this.#queue.length = 0;
    for (const idle of this.#idle.values()) {
      this.#plan.clock.cancel(idle.timer);
      idle.timer = 0;
      idle.units = this.#plan.idleUnits;
    }
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    const answer = this.#answer(setup);
    if (answer === null) this.refusedRequests++;
    return answer;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    const isDone = this.#isToInterface(setup, RequestType.class) && this.#perform(setup, data);
    if (!isDone) this.refusedRequests++;
    return isDone;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint !== hidInEndpoint) return UsbNak;
    const report = this.#queue.shift();
    if (report === undefined) {
      for (const idle of this.#idle.values()) if (idle.timer === 0) this.#armIdle(idle);
      return UsbNak;
    }
    const count = Math.min(report.length, length);
    buffer.set(report.subarray(0, count), offset);
    const idle = this.#idle.get(this.#idOf(report));
    if (idle !== undefined) this.#armIdle(idle);
    return count;
  }

  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const data = buffer.slice(offset, offset + length);
    // A report the device does not have is a packet it has no use for.
    if (length > 0) this.takeReport(HidReportType.output, this.#idOf(data), data);
    return length;
  }

  #idOf(report: Uint8Array): number {
    return this.#idle.has(0) ? 0 : report[0];
  }

  /** The period begins anew with each report sent (§7.2.4). */
  #armIdle(idle: { units: number; timer: TimerHandle; readonly id: number }): void {
    const { clock } = this.#plan;
    clock.cancel(idle.timer);
    idle.timer = 0;
    if (idle.units === 0) return;
    idle.timer = clock.after(
      idle.units * hidIdleUnitMs * millisecond,
      (fired) => {
        fired.timer = 0;
        if (this.#queue.length === 0) this.changed(fired.id);
      },
      idle,
    );
  }

  #isToInterface(setup: Setup, type: number): boolean {
    const { bmRequestType, wIndex } = setup;
    return (
      (bmRequestType & RequestType.mask) === type &&
      (bmRequestType & Recipient.mask) === Recipient.interface &&
      wIndex === 0 &&
      this.configurationValue !== 0
    );
  }

  #answer(setup: Setup): Uint8Array | null {
    const { bRequest, wValue } = setup;
    if (this.#isToInterface(setup, RequestType.standard)) {
      if (bRequest !== StandardRequest.getDescriptor || (wValue & 0xff) !== 0) return null;
      if (wValue >> 8 === HidDescriptorType.hid) return this.#hidDescriptor;
      return wValue >> 8 === HidDescriptorType.report ? this.#plan.reportDescriptor : null;
    }
    if (!this.#isToInterface(setup, RequestType.class)) return null;
    const [type, id] = [wValue >> 8, wValue & 0xff];
    switch (bRequest) {
      case HidRequest.getReport:
        if (type !== HidReportType.input) return this.answerReport(type, id);
        return this.#idle.has(id) ? this.inputReport(id) : null;
      case HidRequest.getIdle: {
        const idle = this.#idle.get(id) ?? (id === 0 ? this.#idle.values().next().value : undefined);
        return idle === undefined ? null : Uint8Array.of(idle.units);
      }
      case HidRequest.getProtocol:
        return this.#plan.bootProtocol === 0 ? null : Uint8Array.of(this.#protocol);
      default:
        return null;
    }
  }

  #perform(setup: Setup, data: Uint8Array): boolean {
    const { bRequest, wValue } = setup;
    const [high, id] = [wValue >> 8, wValue & 0xff];
    switch (bRequest) {
      case HidRequest.setReport:
        return high !== HidReportType.input && this.takeReport(high, id, data);
      case HidRequest.setIdle: {
        // Report id 0 means all input reports (§7.2.4).
        const chosen = [...this.#idle.values()].filter((idle) => id === 0 || idle.id === id);
        for (const idle of chosen) {
          idle.units = high;
          this.#armIdle(idle);
        }
        return chosen.length > 0;
      }
      case HidRequest.setProtocol:
        if (this.#plan.bootProtocol === 0 || wValue > HidProtocol.report) return false;
        this.#protocol = wValue;
        return true;
      default:
        return false;
    }
  }
}
