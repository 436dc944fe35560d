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
import { encodeConfiguration, type SettingPlan, TransferType } from "../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup, StandardRequest } from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { UsbNak } from "../ports/usb-device.ts";
import { UsbDeviceModel } from "./usb-device-model.ts";

/** Endpoints of HID interface n: IN 81h, 83h, ..., OUT 02h, 04h, ... */
const inEndpoint = (index: number): number => 0x81 + index * 2;
const outEndpoint = (index: number): number => 0x02 + index * 2;

/** One HID interface of a device. */
export interface HidInterfacePlan {
  /** HidBootProtocol; anything but `none` makes it a boot device (HID 1.11 §4.2). */
  readonly bootProtocol: number;
  readonly reportDescriptor: Uint8Array;
  readonly packetBytes: number;
  /** Milliseconds between polls; at high speed the nearest power of two of 125 microseconds below it. */
  readonly intervalMs: number;
  readonly hasOutEndpoint: boolean;
  /** Ids of input reports; 0 alone when the device has no ids. */
  readonly inputIds: readonly number[];
  /** Idle duration after power-on, in 4 ms; §7.2.4 recommends 500 ms for keyboards, 0 for the rest. */
  readonly idleUnits: number;
}

/** The device, and its first HID interface. */
export interface HidModelPlan extends HidInterfacePlan {
  readonly clock: Clock;
  readonly idProduct: number;
  readonly product: string;
  readonly serialNumber: string;
  /** Default 1209h, pid.codes. */
  readonly idVendor?: number;
  /** Default 0100h. */
  readonly bcdDevice?: number;
  /** Default "Drydock". */
  readonly manufacturer?: string;
  /** Default full. Most keyboards and mice are low speed: packets of 8 bytes then. */
  readonly speed?: typeof UsbSpeed.low | typeof UsbSpeed.full | typeof UsbSpeed.high;
  /** HID interfaces beside the first, numbered from 1: media keys of a keyboard, a keyboard that a mouse claims to be. */
  readonly moreInterfaces?: readonly HidInterfacePlan[];
}

/** Reports that wait to be fetched; what comes on top replaces the newest, as a chip's small FIFO does. */
const queueMaximum = 16;

interface Idle {
  units: number;
  timer: TimerHandle;
  readonly id: number;
  readonly owner: HidInterfaceState;
}

/** What belongs to one interface. */
class HidInterfaceState {
  readonly number: number;
  readonly plan: HidInterfacePlan;
  readonly descriptor: Uint8Array;
  readonly queue: Uint8Array[] = [];
  /** By input report id. */
  readonly idle = new Map<number, Idle>();
  protocol: number = HidProtocol.report;

  constructor(number: number, plan: HidInterfacePlan) {
    this.number = number;
    this.plan = plan;
    this.descriptor = hidDescriptor(plan);
    for (const id of plan.inputIds) this.idle.set(id, { units: plan.idleUnits, timer: 0, id, owner: this });
  }

  idOf(report: Uint8Array): number {
    return this.idle.has(0) ? 0 : report[0];
  }
}

/**
 * Answers GET/SET_REPORT, IDLE and PROTOCOL on its HID interfaces and NAKs an interrupt endpoint while nothing has changed
 * and no idle period has passed. Everything else is a STALL. Subclasses with one interface leave `interfaceNumber` out.
 */
export abstract class HidDeviceModel extends UsbDeviceModel {
  /** Class requests that were answered with STALL. */
  refusedRequests = 0;
  readonly #clock: Clock;
  readonly #interfaces: readonly HidInterfaceState[];

  constructor(plan: HidModelPlan) {
    const plans: readonly HidInterfacePlan[] = [plan, ...(plan.moreInterfaces ?? [])];
    const speed = plan.speed ?? UsbSpeed.full;
    super({
      speed,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: speed === UsbSpeed.low ? 8 : 64,
        idVendor: plan.idVendor ?? 0x1209,
        idProduct: plan.idProduct,
        bcdDevice: plan.bcdDevice ?? 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: plan.serialNumber === "" ? 0 : 3,
        bNumConfigurations: 1,
      },
      configurations: [configuration(plans, speed)],
      ...(speed === UsbSpeed.high ? { otherSpeedConfigurations: [configuration(plans, UsbSpeed.full)] } : {}),
      strings: [plan.manufacturer ?? "Drydock", plan.product, plan.serialNumber],
    });
    this.#clock = plan.clock;
    this.#interfaces = plans.map((entry, number) => new HidInterfaceState(number, entry));
  }

  /** HidProtocol: what SET_PROTOCOL chose last on the first interface; `report` after power-on (§7.2.6). */
  get protocol(): number {
    return this.protocolOf(0);
  }

  protocolOf(interfaceNumber: number): number {
    return this.#interfaces[interfaceNumber].protocol;
  }

  /** Milliseconds between repetitions of an unchanged report, 0 for none. */
  idleMs(id = 0, interfaceNumber = 0): number {
    return (this.#interfaces[interfaceNumber].idle.get(id)?.units ?? 0) * hidIdleUnitMs;
  }

  /** The state as it would be sent now, id byte included. */
  protected abstract inputReport(id: number, interfaceNumber: number): Uint8Array;

  /** GET_REPORT of an output or feature report: null to STALL. */
  protected abstract answerReport(type: number, id: number, interfaceNumber: number): Uint8Array | null;

  /** SET_REPORT, or a packet on the OUT endpoint. `data` has the id byte where there are ids. False to STALL. */
  protected abstract takeReport(type: number, id: number, data: Uint8Array, interfaceNumber: number): boolean;

  /** The state of an input report has changed: it will be sent. */
  protected changed(id: number, interfaceNumber = 0): void {
    if (this.configurationValue === 0) return;
    const { queue } = this.#interfaces[interfaceNumber];
    if (queue.length === queueMaximum) queue.pop();
    queue.push(this.inputReport(id, interfaceNumber));
    this.ready(inEndpoint(interfaceNumber));
  }

  protected override powerOn(): void {
    for (const state of this.#interfaces) {
      state.protocol = HidProtocol.report;
      state.queue.length = 0;
      for (const idle of state.idle.values()) {
        this.#clock.cancel(idle.timer);
        idle.timer = 0;
        idle.units = state.plan.idleUnits;
      }
    }
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    const answer = this.#answer(setup);
    if (answer === null) this.refusedRequests++;
    return answer;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    const state = this.#interfaceOf(setup, RequestType.class);
    const isDone = state !== null && this.#perform(state, setup, data);
    if (!isDone) this.refusedRequests++;
    return isDone;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const state = this.#interfaces[(endpoint - 0x81) >> 1];
    const report = state?.queue.shift();
    if (state === undefined || report === undefined) {
      for (const idle of state?.idle.values() ?? []) if (idle.timer === 0) this.#armIdle(idle);
      return UsbNak;
    }
    const count = Math.min(report.length, length);
    buffer.set(report.subarray(0, count), offset);
    const idle = state.idle.get(state.idOf(report));
    if (idle !== undefined) this.#armIdle(idle);
    return count;
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    const state = this.#interfaces[(endpoint - 0x02) >> 1];
    const data = buffer.slice(offset, offset + length);
    // A report the device does not have is a packet it has no use for.
    if (length > 0 && state !== undefined)
      this.takeReport(HidReportType.output, state.idOf(data), data, state.number);
    return length;
  }

  /** The period begins anew with each report sent (§7.2.4). */
  #armIdle(idle: Idle): void {
    this.#clock.cancel(idle.timer);
    idle.timer = 0;
    if (idle.units === 0) return;
    idle.timer = this.#clock.after(
      idle.units * hidIdleUnitMs * millisecond,
      (fired) => {
        fired.timer = 0;
        if (fired.owner.queue.length === 0) this.changed(fired.id, fired.owner.number);
      },
      idle,
    );
  }

  #interfaceOf({ bmRequestType, wIndex }: Setup, type: number): HidInterfaceState | null {
    const isMeant =
      (bmRequestType & RequestType.mask) === type &&
      (bmRequestType & Recipient.mask) === Recipient.interface &&
      this.configurationValue !== 0;
    return isMeant ? (this.#interfaces[wIndex] ?? null) : null;
  }

  #answer(setup: Setup): Uint8Array | null {
    const { bRequest, wValue } = setup;
    const asked = this.#interfaceOf(setup, RequestType.standard);
    if (asked !== null) {
      if (bRequest !== StandardRequest.getDescriptor || (wValue & 0xff) !== 0) return null;
      if (wValue >> 8 === HidDescriptorType.hid) return asked.descriptor;
      return wValue >> 8 === HidDescriptorType.report ? asked.plan.reportDescriptor : null;
    }
    const state = this.#interfaceOf(setup, RequestType.class);
    if (state === null) return null;
    const [type, id] = [wValue >> 8, wValue & 0xff];
    switch (bRequest) {
      case HidRequest.getReport:
        if (type !== HidReportType.input) return this.answerReport(type, id, state.number);
        return state.idle.has(id) ? this.inputReport(id, state.number) : null;
      case HidRequest.getIdle: {
        const idle = state.idle.get(id) ?? (id === 0 ? state.idle.values().next().value : undefined);
        return idle === undefined ? null : Uint8Array.of(idle.units);
      }
      case HidRequest.getProtocol:
        return state.plan.bootProtocol === 0 ? null : Uint8Array.of(state.protocol);
      default:
        return null;
    }
  }

  #perform(state: HidInterfaceState, setup: Setup, data: Uint8Array): boolean {
    const { bRequest, wValue } = setup;
    const [high, id] = [wValue >> 8, wValue & 0xff];
    switch (bRequest) {
      case HidRequest.setReport:
        return high !== HidReportType.input && this.takeReport(high, id, data, state.number);
      case HidRequest.setIdle: {
        // Report id 0 means all input reports (§7.2.4).
        const chosen = [...state.idle.values()].filter((idle) => id === 0 || idle.id === id);
        for (const idle of chosen) {
          idle.units = high;
          this.#armIdle(idle);
        }
        return chosen.length > 0;
      }
      case HidRequest.setProtocol:
        if (state.plan.bootProtocol === 0 || wValue > HidProtocol.report) return false;
        state.protocol = wValue;
        return true;
      default:
        return false;
    }
  }
}

function hidDescriptor(plan: HidInterfacePlan): Uint8Array {
  return encodeHidDescriptor({
    bcdHID: 0x0111,
    bCountryCode: 0,
    descriptors: [{ type: HidDescriptorType.report, length: plan.reportDescriptor.length }],
  });
}

function configuration(plans: readonly HidInterfacePlan[], speed: UsbSpeed): Uint8Array {
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    plans.map((plan, number): SettingPlan => {
      const isBoot = plan.bootProtocol !== 0;
      const endpoint = (bEndpointAddress: number) => ({
        bEndpointAddress,
        bmAttributes: TransferType.interrupt,
        wMaxPacketSize: plan.packetBytes,
        bInterval: intervalOf(plan.intervalMs, speed),
      });
      return {
        bInterfaceNumber: number,
        bInterfaceClass: hidClass,
        bInterfaceSubClass: isBoot ? hidBootSubClass : 0,
        bInterfaceProtocol: plan.bootProtocol,
        extra: [hidDescriptor(plan)],
        endpoints: [
          endpoint(inEndpoint(number)),
          ...(plan.hasOutEndpoint ? [endpoint(outEndpoint(number))] : []),
        ],
      };
    }),
  );
}

/** USB 2.0 table 9-13: milliseconds at low and full speed, 2^(n-1) microframes at high speed. */
function intervalOf(intervalMs: number, speed: UsbSpeed): number {
  if (speed !== UsbSpeed.high) return Math.max(1, Math.min(255, Math.round(intervalMs)));
  return Math.max(1, Math.min(16, Math.floor(Math.log2(intervalMs * 8)) + 1));
}
