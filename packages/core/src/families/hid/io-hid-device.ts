// IOHIDDevice: the driver's side of a HID device, and the numbers of HIDDriverKit. driverkit-families.md §2.1, §2.4.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { IOMemoryDescriptor } from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";

export const kIOHIDReportTypeInput = 0;
export const kIOHIDReportTypeOutput = 1;
export const kIOHIDReportTypeFeature = 2;

/** Set in `options` of handleReport: the report did not come from the interrupt pipe. */
export const kIOHIDReportOptionNotInterrupt = 0x100;
/** The low byte of `options` of getReport and setReport is the report id. */
export const reportIdMask = 0xff;

/** The kernel's half: who is told of reports. */
export interface HidKernelSide {
  reportArrived(timestamp: number, report: Uint8Array, length: number, type: number, options: number): void;
}

/**
 * A driver calls `handleReport` for what its device sends; the kernel calls `getReport` and `setReport` when a client
 * wants one. Runs on the service's default queue.
 */
export class IOHIDDevice extends IOService {
  #kernelSide: HidKernelSide | null = null;

  /** The kernel's side: called once by the interface that stands on this service. */
  attachKernelSide(side: HidKernelSide): void {
    this.#kernelSide = side;
  }

  /**
   * A report has come: `timestamp` in nanoseconds, the first `reportLength` bytes of `report`, id byte first when the
   * descriptor has ids. The bytes are copied before return. kIOReturnBadArgument when the length does not fit.
   * Before anybody listens reports go nowhere and that is a success.
   */
  handleReport(
    timestamp: number,
    report: IOMemoryDescriptor,
    reportLength: number,
    reportType = kIOHIDReportTypeInput,
    options = 0,
  ): IOReturn {
    if (reportLength < 0 || reportLength > report.length) return IOReturns.kIOReturnBadArgument;
    this.#kernelSide?.reportArrived(timestamp, report.bytes, reportLength, reportType, options);
    return IOReturns.kIOReturnSuccess;
  }

  /**
   * Fill `report` and call `completeReport(action, ...)` later; any other answer than kIOReturnSuccess refuses, and
   * then `action` is never completed. The report id is `options & 0xff`, `completionTimeout` in milliseconds.
   */
  getReport(
    _report: IOMemoryDescriptor,
    _reportType: number,
    _options: number,
    _completionTimeout: number,
    _action: OSAction,
  ): IOReturn {
    return IOReturns.kIOReturnUnsupported;
  }

  /** As getReport: send `report` to the device. */
  setReport(
    _report: IOMemoryDescriptor,
    _reportType: number,
    _options: number,
    _completionTimeout: number,
    _action: OSAction,
  ): IOReturn {
    return IOReturns.kIOReturnUnsupported;
  }

  /** Ends a getReport or setReport that was accepted: exactly once per action. */
  completeReport(action: OSAction, status: IOReturn, actualByteCount: number): void {
    action.invoke(status, actualByteCount, 0);
  }
}
