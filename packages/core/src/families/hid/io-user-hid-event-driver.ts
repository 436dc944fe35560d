// IOUserHIDEventDriver: events from any keyboard, pointer or game controller. driverkit-families.md §2.5.

import { IOReturns } from "../../base/io-return.ts";
import { FieldFlag } from "../../codec/hid-report/report-items.ts";
import { Desktop, Key, UsagePage } from "../../codec/hid-report/usages.ts";
import type { IOService } from "../../runtime/service.ts";
import {
  type IOHIDElement,
  kIOHIDElementCommitDirectionOut,
  kIOHIDElementTypeCollection,
  kIOHIDElementTypeOutput,
  kIOHIDValueOptionsFlagPrevious,
  kIOHIDValueScaleTypeCalibrated,
  toFixed,
} from "./io-hid-element.ts";
import { IOUserHIDEventService } from "./io-hid-event-service.ts";

const fixedOne = toFixed(1);
const degreesOfCircle = 360;

/** Sorts the elements at start and reads them back after each report. */
export class IOUserHIDEventDriver extends IOUserHIDEventService {
  readonly #keys: IOHIDElement[] = [];
  readonly #buttons: IOHIDElement[] = [];
  readonly #leds: IOHIDElement[] = [];
  readonly #wheels: IOHIDElement[] = [];
  readonly #axes = new Map<number, IOHIDElement>();
  #hat: IOHIDElement | null = null;
  #isGameController = false;
  #isPointer = false;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }

  override async handleStart(provider: IOService): Promise<boolean> {
    return (await super.handleStart(provider)) && this.parseElements(this.getElements());
  }

  /** False: there is nothing in it that becomes an event. */
  parseElements(elements: readonly IOHIDElement[]): boolean {
    this.#isGameController = elements.some(
      (element) =>
        element.getType() === kIOHIDElementTypeCollection &&
        element.getUsagePage() === UsagePage.genericDesktop &&
        (element.getUsage() === Desktop.gamePad || element.getUsage() === Desktop.joystick),
    );
    let found = false;
    for (const element of elements) {
      if (element.field === null) continue;
      found = this.parseElement(element) || found;
    }
    this.#isPointer = !this.#isGameController && this.#axes.has(Desktop.x) && this.#axes.has(Desktop.y);
    return found;
  }

  parseElement(element: IOHIDElement): boolean {
    if (element.field?.kind === "output") return this.parseLEDElement(element);
    if (element.field?.kind !== "input") return false;
    if (element.getUsagePage() === UsagePage.keyboard) return this.parseKeyboardElement(element);
    if (element.getUsagePage() === UsagePage.button) {
      this.#buttons.push(element);
      return true;
    }
    if (element.getUsagePage() !== UsagePage.genericDesktop) return false;
    if (element.getUsage() === Desktop.wheel) return this.parseScrollElement(element);
    if (element.getUsage() === Desktop.hatSwitch) this.#hat ??= element;
    else if (!this.#axes.has(element.getUsage())) this.#axes.set(element.getUsage(), element);
    return true;
  }

  /** Usages 0 to 3 are no keys: they say that nothing, or an error, is in this place. */
  parseKeyboardElement(element: IOHIDElement): boolean {
    if (element.getUsage() < Key.a) return false;
    this.#keys.push(element);
    return true;
  }

  parseLEDElement(element: IOHIDElement): boolean {
    if (element.getUsagePage() !== UsagePage.led) return false;
    this.#leds.push(element);
    return true;
  }

  parseScrollElement(element: IOHIDElement): boolean {
    this.#wheels.push(element);
    return true;
  }

  override handleReport(
    timestamp: number,
    report: Uint8Array,
    reportLength: number,
    type: number,
    reportID: number,
  ): void {
    super.handleReport(timestamp, report, reportLength, type, reportID);
    this.handleKeyboardReport(timestamp, reportID);
    if (this.#isGameController) this.handleGameControllerReport(timestamp, reportID);
    else if (this.#isPointer) {
      const x = this.#axes.get(Desktop.x) as IOHIDElement;
      if (x.getReportID() === reportID) {
        if ((x.getFlags() & FieldFlag.relative) !== 0) this.handleRelativePointerReport(timestamp, reportID);
        else this.handleAbsolutePointerReport(timestamp, reportID);
      }
    }
    this.handleScrollReport(timestamp, reportID);
  }

  /** One event for each key whose value is another than before. */
  handleKeyboardReport(timestamp: number, reportID: number): void {
    for (const key of this.#keys) {
      if (key.getReportID() !== reportID || key.getTimeStamp() !== timestamp || !hasChanged(key)) continue;
      this.dispatchKeyboardEvent(timestamp, key.getUsagePage(), key.getUsage(), key.getValue(), 0);
    }
  }

  handleRelativePointerReport(timestamp: number, reportID: number): void {
    const dx = this.#axes.get(Desktop.x)?.getValue() ?? 0;
    const dy = this.#axes.get(Desktop.y)?.getValue() ?? 0;
    if (
      dx === 0 &&
      dy === 0 &&
      !this.#buttons.some((button) => button.getReportID() === reportID && hasChanged(button))
    )
      return;
    this.dispatchRelativePointerEvent(timestamp, toFixed(dx), toFixed(dy), this.#buttonState(), 0);
  }

  handleAbsolutePointerReport(timestamp: number, reportID: number): void {
    const x = this.#axes.get(Desktop.x) as IOHIDElement;
    const y = this.#axes.get(Desktop.y) as IOHIDElement;
    const buttons = this.#buttons.filter((button) => button.getReportID() === reportID);
    if (![x, y, ...buttons].some(hasChanged)) return;
    const scaled = (element: IOHIDElement) => element.getScaledFixedValue(kIOHIDValueScaleTypeCalibrated);
    this.dispatchAbsolutePointerEvent(timestamp, scaled(x), scaled(y), this.#buttonState(), 0);
  }

  handleScrollReport(timestamp: number, reportID: number): void {
    for (const wheel of this.#wheels) {
      if (wheel.getReportID() !== reportID || wheel.getTimeStamp() !== timestamp || wheel.getValue() === 0)
        continue;
      this.dispatchRelativeScrollWheelEvent(timestamp, 0, toFixed(wheel.getValue()), 0, 0);
    }
  }

  /** Buttons 1 to 10 are A, B, X, Y, L1, R1, L2, R2 and the two sticks' own (Apple's order is unknown). */
  handleGameControllerReport(timestamp: number, reportID: number): void {
    const all = [...this.#buttons, ...this.#axes.values(), ...(this.#hat === null ? [] : [this.#hat])];
    if (!all.some((element) => element.getReportID() === reportID && hasChanged(element))) return;
    const on = (number: number) =>
      this.#buttons.some((one) => one.getUsage() === number && one.getValue() !== 0);
    const button = (number: number) => (on(number) ? fixedOne : 0);
    const axis = (usage: number) => {
      const element = this.#axes.get(usage);
      return element === undefined ? 0 : element.getScaledFixedValue(kIOHIDValueScaleTypeCalibrated);
    };
    const [up, down, left, right] = directionsOf(this.#hat);
    this.dispatchStandardGameControllerEvent(
      timestamp,
      up,
      down,
      left,
      right,
      button(3),
      button(4),
      button(1),
      button(2),
      button(5),
      button(6),
      button(7),
      button(8),
      axis(Desktop.x),
      axis(Desktop.y),
      axis(Desktop.z),
      axis(Desktop.rz),
      on(9),
      on(10),
      0,
    );
  }

  override async setLEDState(usagePage: number, usage: number, on: boolean): Promise<void> {
    if (usagePage !== UsagePage.led) {
      throw this.failure(IOReturns.kIOReturnUnsupported, "IOUserHIDEventDriver.setLEDState");
    }
    await this.setLED(usage, on);
  }

  /** kIOReturnNotFound when the device has no such LED; blocks, and rejects like commit. */
  async setLED(usage: number, on: boolean): Promise<void> {
    const led = this.#leds.find(
      (element) => element.getUsage() === usage && element.getType() === kIOHIDElementTypeOutput,
    );
    if (led === undefined) {
      throw this.failure(IOReturns.kIOReturnNotFound, "IOUserHIDEventDriver.setLED", `LED ${usage}`);
    }
    led.setValue(on ? 1 : 0);
    await led.commit(kIOHIDElementCommitDirectionOut);
  }

  #buttonState(): number {
    let bits = 0;
    for (const button of this.#buttons) {
      const number = button.getUsage();
      if (number >= 1 && number <= 32 && button.getValue() !== 0) bits |= 1 << (number - 1);
    }
    return bits >>> 0;
  }
}

function hasChanged(element: IOHIDElement): boolean {
  return element.getValue() !== element.getValue(kIOHIDValueOptionsFlagPrevious);
}

/** Up, down, left, right as IOFixed. A hat of 4 or 8 directions begins at up and goes clockwise. */
function directionsOf(hat: IOHIDElement | null): [number, number, number, number] {
  const value = hat?.getValue() ?? 0;
  if (hat === null || value < hat.getLogicalMin() || value > hat.getLogicalMax()) return [0, 0, 0, 0];
  const steps = hat.getLogicalMax() - hat.getLogicalMin() + 1;
  const degrees = ((value - hat.getLogicalMin()) * degreesOfCircle) / steps;
  const near = (direction: number) => {
    const apart = Math.abs(degrees - direction);
    return Math.min(apart, degreesOfCircle - apart) < 60 ? fixedOne : 0;
  };
  return [near(0), near(180), near(270), near(90)];
}
