// IOUserHIDDevice: a HID device made by a driver. It says what it is, then its interface is published.

import { DecodeError } from "../../base/errors.ts";
import { IOReturns } from "../../base/io-return.ts";
import {
  maximumReportBytes,
  parseReportDescriptor,
  type ReportDescriptor,
} from "../../codec/hid-report/report-descriptor.ts";
import { hidUsageProperties } from "../../platform/hid-nub.ts";
import type { Properties } from "../../platform/properties.ts";
import type { IOService } from "../../runtime/service.ts";
import { IOHIDDevice } from "./io-hid-device.ts";
import { elementMaximum, elementsNeeded } from "./io-hid-element.ts";

/**
 * Override `handleStart`, `newDeviceDescription` and `newReportDescriptor`, which `start` calls once each, in this
 * order, on the default queue. `start` rejects with kIOReturnError when `handleStart` answers false, and with
 * kIOReturnUnsupported for a report descriptor that cannot be parsed; else it registers the service.
 */
export class IOUserHIDDevice extends IOHIDDevice {
  #layout: ReportDescriptor | null = null;

  /** What the report descriptor says; there after `start`. */
  get reportLayout(): ReportDescriptor {
    return this.#layout as ReportDescriptor;
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    const call = "IOUserHIDDevice.start";
    if (!(await this.handleStart(provider)))
      throw this.failure(IOReturns.kIOReturnError, call, "handleStart");
    const description = await this.newDeviceDescription();
    const bytes = await this.newReportDescriptor();
    const layout = this.#parse(bytes);
    this.#layout = layout;
    this.setProperties({
      ...description,
      ReportDescriptor: bytes,
      MaxInputReportSize: maximumReportBytes(layout, "input"),
      MaxOutputReportSize: maximumReportBytes(layout, "output"),
      MaxFeatureReportSize: maximumReportBytes(layout, "feature"),
      ...hidUsageProperties(layout.collections),
    });
    this.registerService();
  }

  /** Open the hardware; false refuses the provider. */
  async handleStart(_provider: IOService): Promise<boolean> {
    return true;
  }

  /** VendorID, ProductID, Transport and the like (driverkit-families.md §2.1). */
  async newDeviceDescription(): Promise<Properties> {
    return {};
  }

  async newReportDescriptor(): Promise<Uint8Array> {
    return new Uint8Array(0);
  }

  #parse(bytes: Uint8Array): ReportDescriptor {
    const call = "IOUserHIDDevice.start";
    try {
      const layout = parseReportDescriptor(bytes);
      const needed = elementsNeeded(layout);
      if (needed > elementMaximum)
        throw this.failure(
          IOReturns.kIOReturnUnsupported,
          call,
          `${needed} elements are more than ${elementMaximum}`,
        );
      return layout;
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      throw this.failure(IOReturns.kIOReturnUnsupported, call, error.message);
    }
  }
}
