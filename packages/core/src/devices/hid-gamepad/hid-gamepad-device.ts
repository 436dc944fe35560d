// A gamepad of our own design: four axes, a hat switch, ten buttons, rumble, one feature report.

import type { Clock } from "../../base/clock.ts";
import { HidBootProtocol, HidReportType } from "../../codec/hid/hid.ts";
import { compileReportDescriptor } from "../../codec/hid-report/report-compiler.ts";
import { Desktop, UsagePage, usage } from "../../codec/hid-report/usages.ts";
import { HidDeviceModel } from "../hid-device-model.ts";

const desktop = (id: number): number => usage(UsagePage.genericDesktop, id);
const vendor = (id: number): number => usage(UsagePage.vendor, id);

export const gamepadInputId = 1;
export const gamepadRumbleId = 2;
export const gamepadSettingsId = 3;
const buttonCount = 10;
const axisMaximum = 127;
const degreesUnit = 0x14;
/** Lies outside the hat's logical range: nobody presses it (HID 1.11 §5.10). */
const hatReleased = 0x0f;
const firmwareRevision = 0x10;

export const hidGamepadReportDescriptor: Uint8Array = compileReportDescriptor([
  {
    collection: "application",
    usage: desktop(Desktop.gamePad),
    items: [
      {
        kind: "input",
        reportId: gamepadInputId,
        size: 8,
        count: 4,
        usages: [desktop(Desktop.x), desktop(Desktop.y), desktop(Desktop.z), desktop(Desktop.rz)],
        logical: [-axisMaximum, axisMaximum],
        flags: ["variable"],
      },
      {
        kind: "input",
        reportId: gamepadInputId,
        size: 4,
        count: 1,
        usages: [desktop(Desktop.hatSwitch)],
        logical: [0, 7],
        physical: [0, 315],
        unit: degreesUnit,
        flags: ["variable", "nullState"],
      },
      {
        kind: "input",
        reportId: gamepadInputId,
        size: 1,
        count: buttonCount,
        usageRange: [usage(UsagePage.button, 1), usage(UsagePage.button, buttonCount)],
        flags: ["variable"],
      },
      { kind: "input", reportId: gamepadInputId, size: 2, count: 1 },
      {
        kind: "output",
        reportId: gamepadRumbleId,
        size: 8,
        count: 2,
        usages: [vendor(1), vendor(2)],
        logical: [0, 255],
        flags: ["variable"],
      },
      {
        kind: "feature",
        reportId: gamepadSettingsId,
        size: 8,
        count: 1,
        usages: [vendor(3)],
        logical: [0, 100],
        flags: ["variable"],
      },
      {
        kind: "feature",
        reportId: gamepadSettingsId,
        size: 8,
        count: 1,
        usages: [vendor(4)],
        logical: [0, 255],
        flags: ["constant", "variable"],
      },
    ],
  },
]);

const axes = ["x", "y", "z", "rz"] as const;
export type GamepadAxis = (typeof axes)[number];

/** Magnitudes of the two motors, 0 to 255. */
export interface Rumble {
  readonly strong: number;
  readonly weak: number;
}

export class HidGamepadDevice extends HidDeviceModel {
  /** Every rumble command that arrived, scaled by the strength limit. */
  readonly rumbles: Rumble[] = [];
  readonly #axes = new Int8Array(axes.length);
  #hat = hatReleased;
  #buttons = 0;
  #strengthPercent = 100;

  constructor(options: { readonly clock: Clock; readonly serialNumber?: string }) {
    super({
      clock: options.clock,
      idProduct: 0x0004,
      product: "HID gamepad",
      serialNumber: options.serialNumber ?? "DD-PAD-1",
      bootProtocol: HidBootProtocol.none,
      reportDescriptor: hidGamepadReportDescriptor,
      packetBytes: 8,
      intervalMs: 4,
      hasOutEndpoint: true,
      inputIds: [gamepadInputId],
      idleUnits: 0,
    });
  }

  /** Percent of full strength, written by feature report 3. */
  get strengthPercent(): number {
    return this.#strengthPercent;
  }

  /** -127 to 127. */
  moveAxis(axis: GamepadAxis, value: number): void {
    if (!Number.isInteger(value) || Math.abs(value) > axisMaximum)
      throw new RangeError(`an axis goes from -127 to 127, not to ${value}`);
    this.#axes[axes.indexOf(axis)] = value;
    this.changed(gamepadInputId);
  }

  /** 0 is up, clockwise in steps of 45 degrees; null lets go. */
  turnHat(direction: number | null): void {
    if (direction !== null && !(Number.isInteger(direction) && direction >= 0 && direction <= 7))
      throw new RangeError(`a hat points to 0..7 or nowhere, not to ${direction}`);
    this.#hat = direction ?? hatReleased;
    this.changed(gamepadInputId);
  }

  /** Buttons are numbered from 1 to 10, as in the usage tables. */
  setButton(button: number, isDown: boolean): void {
    if (!Number.isInteger(button) || button < 1 || button > buttonCount)
      throw new RangeError(`there are buttons 1 to ${buttonCount}, not ${button}`);
    const bit = 1 << (button - 1);
    this.#buttons = isDown ? this.#buttons | bit : this.#buttons & ~bit;
    this.changed(gamepadInputId);
  }

  protected override powerOn(): void {
    super.powerOn();
    this.#strengthPercent = 100;
  }

  protected override inputReport(_id: number): Uint8Array {
    const report = new Uint8Array(7);
    report[0] = gamepadInputId;
    axes.forEach((_axis, index) => {
      report[1 + index] = this.#axes[index] & 0xff;
    });
    report[5] = this.#hat | ((this.#buttons & 0x0f) << 4);
    report[6] = this.#buttons >> 4;
    return report;
  }

  protected override answerReport(type: number, id: number): Uint8Array | null {
    if (type !== HidReportType.feature || id !== gamepadSettingsId) return null;
    return Uint8Array.of(gamepadSettingsId, this.#strengthPercent, firmwareRevision);
  }

  protected override takeReport(type: number, id: number, data: Uint8Array): boolean {
    if (data.length !== 3 || data[0] !== id) return false;
    if (type === HidReportType.output && id === gamepadRumbleId) {
      const scale = this.#strengthPercent / 100;
      this.rumbles.push({ strong: Math.round(data[1] * scale), weak: Math.round(data[2] * scale) });
      return true;
    }
    if (type !== HidReportType.feature || id !== gamepadSettingsId || data[1] > 100) return false;
    this.#strengthPercent = data[1];
    return true;
  }
}
