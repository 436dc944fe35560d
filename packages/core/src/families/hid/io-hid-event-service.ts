// IOHIDEventService and IOUserHIDEventService: a driver that turns reports into events. driverkit-families.md §2.3.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { maximumReportBytes } from "../../codec/hid-report/report-descriptor.ts";
import type { HidEvent } from "../../ports/hid.ts";
import type { OSAction } from "../../runtime/action.ts";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionIn } from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";
import type { IOHIDElement } from "./io-hid-element.ts";
import { IOHIDInterface } from "./io-hid-interface.ts";

/** 16.16. */
export type IOFixed = number;
const fromFixed = (value: IOFixed): number => value / 65_536;

/** Buffers for reports on their way; Apple's number is unknown. */
const poolBuffers = 8;

/**
 * `dispatch...` hand an event to the system; called on the service's own threads. All answer kIOReturnSuccess, or
 * kIOReturnNotReady before the service is registered. Times are nanoseconds, positions and distances IOFixed.
 * `options`, `repeat` and `accelerate` belong to the system above and change nothing here.
 */
export class IOHIDEventService extends IOService {
  #deliver: ((event: HidEvent) => void) | null = null;

  /** The kernel's side: called once, when the service has registered. */
  attachKernelSide(deliver: (event: HidEvent) => void): void {
    this.#deliver = deliver;
  }

  dispatchKeyboardEvent(
    timeStamp: number,
    usagePage: number,
    usage: number,
    value: number,
    _options: number,
    _repeat = true,
  ): IOReturn {
    return this.#dispatch({ kind: "key", timeNs: timeStamp, usagePage, usage, isDown: value !== 0 });
  }

  /** `buttonState`: bit 0 is button 1. */
  dispatchRelativePointerEvent(
    timeStamp: number,
    dx: IOFixed,
    dy: IOFixed,
    buttonState: number,
    _options: number,
    _accelerate = true,
  ): IOReturn {
    return this.#dispatch({
      kind: "relative-pointer",
      timeNs: timeStamp,
      dx: fromFixed(dx),
      dy: fromFixed(dy),
      buttons: buttonState,
    });
  }

  /** `x` and `y` are 0 to 1 of the device's range (likely). */
  dispatchAbsolutePointerEvent(
    timeStamp: number,
    x: IOFixed,
    y: IOFixed,
    buttonState: number,
    _options: number,
    _accelerate = true,
  ): IOReturn {
    return this.#dispatch({
      kind: "absolute-pointer",
      timeNs: timeStamp,
      x: fromFixed(x),
      y: fromFixed(y),
      buttons: buttonState,
    });
  }

  dispatchRelativeScrollWheelEvent(
    timeStamp: number,
    dx: IOFixed,
    dy: IOFixed,
    dz: IOFixed,
    _options: number,
    _accelerate = true,
  ): IOReturn {
    return this.#dispatch({
      kind: "scroll",
      timeNs: timeStamp,
      dx: fromFixed(dx),
      dy: fromFixed(dy),
      dz: fromFixed(dz),
    });
  }

  /** The system wants an LED of `usagePage` on or off. kIOReturnUnsupported unless overridden. */
  async setLEDState(_usagePage: number, usage: number, _on: boolean): Promise<void> {
    throw this.failure(IOReturns.kIOReturnUnsupported, "IOHIDEventService.setLEDState", `usage ${usage}`);
  }

  protected dispatchToKernel(event: HidEvent): IOReturn {
    return this.#dispatch(event);
  }

  #dispatch(event: HidEvent): IOReturn {
    if (this.#deliver === null) return IOReturns.kIOReturnNotReady;
    this.#deliver(event);
    return IOReturns.kIOReturnSuccess;
  }
}

/**
 * Opens the IOHIDInterface it is started on, gives it a pool of buffers and calls `handleReport` for each report, on
 * the default queue. `start` rejects with kIOReturnUnsupported on another provider and with kIOReturnError when
 * `handleStart` answers false. A subclass calls `registerService` when it is ready.
 */
export class IOUserHIDEventService extends IOHIDEventService {
  #interface: IOHIDInterface | null = null;
  #action: OSAction | null = null;
  readonly #buffers: IOBufferMemoryDescriptor[] = [];

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const call = "IOUserHIDEventService.start";
    if (!(provider instanceof IOHIDInterface)) throw this.failure(IOReturns.kIOReturnUnsupported, call);
    this.#interface = provider;
    if (!(await this.handleStart(provider)))
      throw this.failure(IOReturns.kIOReturnError, call, "handleStart");
    const action = this.createAction("reportAvailable", (own, timestamp, number) => {
      const delivery = this.#interface?.takeDelivery(number) ?? null;
      if (delivery === null) return;
      const { report, reportID, reportLength, type } = delivery;
      return this.reportAvailable(
        timestamp,
        reportID,
        reportLength,
        type,
        report as IOBufferMemoryDescriptor,
        own,
      );
    });
    this.#action = action;
    provider.open(this, 0, action);
    if (!this.createReportPool()) throw this.failure(IOReturns.kIOReturnNoMemory, call, "report pool");
  }

  /** Look at the elements; false refuses the device. */
  async handleStart(_provider: IOService): Promise<boolean> {
    return true;
  }

  /** Buffers of the largest input report. False when there is no memory. */
  createReportPool(): boolean {
    const capacity = Math.max(1, maximumReportBytes(this.hidInterface.layout, "input"));
    for (let count = 0; count < poolBuffers; count++) {
      const made = IOBufferMemoryDescriptor.create(this.process.memory, kIOMemoryDirectionIn, capacity, 0);
      if (made.value === null) return false;
      this.#buffers.push(made.value);
      this.hidInterface.addReportToPool(made.value);
    }
    return true;
  }

  getElements(): readonly IOHIDElement[] {
    return this.hidInterface.getElements();
  }

  conformsTo(usagePage: number, usage: number): boolean {
    return this.getElements().some((element) => element.conformsTo(usagePage, usage));
  }

  /** A report has come; its buffer goes back to the pool afterwards. */
  reportAvailable(
    timestamp: number,
    reportID: number,
    reportLength: number,
    type: number,
    report: IOBufferMemoryDescriptor,
    _action: OSAction,
  ): void | Promise<void> {
    const handling = this.handleReport(timestamp, report.bytes, reportLength, type, reportID);
    if (handling !== undefined) return handling.then(() => void this.hidInterface.addReportToPool(report));
    this.hidInterface.addReportToPool(report);
  }

  /** The bytes are valid until it has returned, or its promise is fulfilled. */
  handleReport(
    timestamp: number,
    report: Uint8Array,
    reportLength: number,
    type: number,
    reportID: number,
  ): void | Promise<void> {
    this.hidInterface.processReport(timestamp, report, reportLength, type, reportID);
  }

  /** Directions and buttons 0 to 1, sticks -1 to 1, as IOFixed. */
  dispatchStandardGameControllerEvent(
    timeStamp: number,
    dpadUp: IOFixed,
    dpadDown: IOFixed,
    dpadLeft: IOFixed,
    dpadRight: IOFixed,
    faceX: IOFixed,
    faceY: IOFixed,
    faceA: IOFixed,
    faceB: IOFixed,
    shoulderL1: IOFixed,
    shoulderR1: IOFixed,
    shoulderL2: IOFixed,
    shoulderR2: IOFixed,
    joystickX: IOFixed,
    joystickY: IOFixed,
    joystickZ: IOFixed,
    joystickRz: IOFixed,
    thumbstickButtonLeft: boolean,
    thumbstickButtonRight: boolean,
    _options: number,
  ): IOReturn {
    const of = fromFixed;
    return this.dispatchToKernel({
      kind: "game-controller",
      timeNs: timeStamp,
      dpad: { up: of(dpadUp), down: of(dpadDown), left: of(dpadLeft), right: of(dpadRight) },
      face: { x: of(faceX), y: of(faceY), a: of(faceA), b: of(faceB) },
      shoulder: { l1: of(shoulderL1), r1: of(shoulderR1), l2: of(shoulderL2), r2: of(shoulderR2) },
      joystick: { x: of(joystickX), y: of(joystickY), z: of(joystickZ), rz: of(joystickRz) },
      thumbstickLeft: thumbstickButtonLeft,
      thumbstickRight: thumbstickButtonRight,
    });
  }

  protected get hidInterface(): IOHIDInterface {
    return this.#interface as IOHIDInterface;
  }

  /** No more reports, then the buffers, then the superclass. */
  override async stop(provider: IOService): Promise<void> {
    const finish = () => {
      this.#interface?.close(this);
      for (const buffer of this.#buffers) buffer.release();
      return super.stop(provider);
    };
    const action = this.#action;
    if (action === null) await finish();
    else action.cancel(() => this.defaultQueue.dispatchAsync(finish));
  }
}
