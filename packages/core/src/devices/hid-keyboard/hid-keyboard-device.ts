// A boot keyboard with six-key rollover and five LEDs. HID 1.11 appendix B.1 and C, HID Usage Tables 1.4 chapter 10.

import type { Clock } from "../../base/clock.ts";
import {
  bootKeyboardKeys,
  bootKeyboardReportBytes,
  HidBootProtocol,
  HidReportType,
} from "../../codec/hid/hid.ts";
import { compileReportDescriptor } from "../../codec/hid-report/report-compiler.ts";
import { Desktop, Key, Led, UsagePage, usage } from "../../codec/hid-report/usages.ts";
import { HidDeviceModel } from "../hid-device-model.ts";

const key = (id: number): number => usage(UsagePage.keyboard, id);
const led = (id: number): number => usage(UsagePage.led, id);

/** 500 ms, the recommendation of HID 1.11 §7.2.4. */
const idleUnits = 125;
const ledMask = 0x1f;

/** The layout of appendix B.1: report and boot protocol have the same bytes. */
export const hidKeyboardReportDescriptor: Uint8Array = compileReportDescriptor([
  {
    collection: "application",
    usage: usage(UsagePage.genericDesktop, Desktop.keyboard),
    items: [
      {
        kind: "input",
        size: 1,
        count: 8,
        usageRange: [key(Key.leftControl), key(Key.rightGui)],
        flags: ["variable"],
      },
      { kind: "input", size: 8, count: 1 },
      {
        kind: "output",
        size: 1,
        count: 5,
        usageRange: [led(Led.numLock), led(Led.kana)],
        flags: ["variable"],
      },
      { kind: "output", size: 3, count: 1 },
      {
        kind: "input",
        size: 8,
        count: bootKeyboardKeys,
        usageRange: [key(0), key(0xff)],
        logical: [0, 0xff],
      },
    ],
  },
]);

/** A keyboard under somebody's fingers: `press` and `release` take usages of the keyboard page. */
export class HidKeyboardDevice extends HidDeviceModel {
  /** Every LED state that arrived, in order: bit 0 is Num Lock. */
  readonly ledStates: number[] = [];
  #modifiers = 0;
  /** In the order they were pressed; more than six is a rollover. */
  readonly #keys: number[] = [];
  #leds = 0;

  constructor(options: { readonly clock: Clock; readonly serialNumber?: string }) {
    super({
      clock: options.clock,
      idProduct: 0x0003,
      product: "HID keyboard",
      serialNumber: options.serialNumber ?? "DD-KBD-1",
      bootProtocol: HidBootProtocol.keyboard,
      reportDescriptor: hidKeyboardReportDescriptor,
      packetBytes: bootKeyboardReportBytes,
      intervalMs: 10,
      hasOutEndpoint: false,
      inputIds: [0],
      idleUnits,
    });
  }

  get leds(): number {
    return this.#leds;
  }

  /** A key goes down. Throws RangeError for what no key has. */
  press(id: number): void {
    checkKey(id);
    if (id >= Key.leftControl) this.#modifiers |= 1 << (id - Key.leftControl);
    else if (this.#keys.includes(id)) return;
    else this.#keys.push(id);
    this.changed(0);
  }

  release(id: number): void {
    checkKey(id);
    if (id >= Key.leftControl) this.#modifiers &= ~(1 << (id - Key.leftControl));
    else {
      const at = this.#keys.indexOf(id);
      if (at < 0) return;
      this.#keys.splice(at, 1);
    }
    this.changed(0);
  }

  protected override powerOn(): void {
    super.powerOn();
    this.#leds = 0;
  }

  /** With more keys than places all places say ErrorRollOver; modifiers are still true (appendix C). */
  protected override inputReport(_id: number): Uint8Array {
    const report = new Uint8Array(bootKeyboardReportBytes);
    report[0] = this.#modifiers;
    if (this.#keys.length > bootKeyboardKeys) report.fill(Key.errorRollOver, 2);
    else report.set(this.#keys, 2);
    return report;
  }

  protected override answerReport(type: number, id: number): Uint8Array | null {
    return type === HidReportType.output && id === 0 ? Uint8Array.of(this.#leds) : null;
  }

  protected override takeReport(type: number, id: number, data: Uint8Array): boolean {
    if (type !== HidReportType.output || id !== 0 || data.length !== 1) return false;
    this.#leds = data[0] & ledMask;
    this.ledStates.push(this.#leds);
    return true;
  }
}

function checkKey(id: number): void {
  if (!Number.isInteger(id) || id < Key.a || id > Key.rightGui)
    throw new RangeError(`0x${id.toString(16)} is no key; keys are 0x04 to 0xe7 of the keyboard page`);
}
