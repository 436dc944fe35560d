// P06, right: the class is declared in an .iig file, and says what it is when the family asks.

import { compileReportDescriptor } from "@drydock/core/codec/hid-report/report-compiler";
import { Desktop, UsagePage, usage } from "@drydock/core/codec/hid-report/usages";
import { IOUserHIDDevice } from "@drydock/core/families/hid/io-user-hid-device";
import type { Properties } from "@drydock/core/platform/properties";
import { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "@drydock/core/runtime/memory";
import type { IOService } from "@drydock/core/runtime/service";
import { gamepadImplementation, gamepadInterface } from "@drydock/doctor/source/post-samples";
import { gamepadBundle } from "./gamepad-driver.ts";

export const goodSources = [
  { name: "VirtualGamepad.iig", text: gamepadInterface },
  { name: "VirtualGamepad.cpp", text: gamepadImplementation },
];

export const buttonCount = 8;
/** Of both axes, in each direction. */
export const axisMaximum = 127;
const reportBytes = 3;

/** Two axes of a byte each, then a byte of buttons. */
const reportDescriptor = compileReportDescriptor([
  {
    collection: "application",
    usage: usage(UsagePage.genericDesktop, Desktop.gamePad),
    items: [
      {
        kind: "input",
        size: 8,
        count: 2,
        usages: [usage(UsagePage.genericDesktop, Desktop.x), usage(UsagePage.genericDesktop, Desktop.y)],
        logical: [-axisMaximum, axisMaximum],
        flags: ["variable"],
      },
      {
        kind: "input",
        size: 1,
        count: buttonCount,
        usageRange: [usage(UsagePage.button, 1), usage(UsagePage.button, buttonCount)],
        flags: ["variable"],
      },
    ],
  },
]);

/** The same driver as VirtualGamepad.iig and VirtualGamepad.cpp, in TypeScript. */
export class VirtualGamepad extends IOUserHIDDevice {
  #report: IOBufferMemoryDescriptor | null = null;

  override async handleStart(provider: IOService): Promise<boolean> {
    const { status, value } = IOBufferMemoryDescriptor.create(
      this.process.memory,
      kIOMemoryDirectionOutIn,
      reportBytes,
      0,
    );
    this.#report = value;
    return status === 0 && (await super.handleStart(provider));
  }

  override async newDeviceDescription(): Promise<Properties> {
    return {
      RegisterService: true,
      VendorID: 0x1209,
      ProductID: 6,
      Transport: "Virtual",
      Product: "Virtual gamepad",
    };
  }

  override async newReportDescriptor(): Promise<Uint8Array> {
    return reportDescriptor;
  }

  /** A report as hardware would send it. Axes from -127 to 127; bit 0 of `buttons` is button 1. */
  post(timeNs: number, x: number, y: number, buttons: number): number {
    const report = this.#report as IOBufferMemoryDescriptor;
    report.bytes.set([x & 0xff, y & 0xff, buttons]);
    return this.handleReport(timeNs, report, reportBytes);
  }
}

export const goodGamepadBundle = gamepadBundle({ VirtualGamepad });
