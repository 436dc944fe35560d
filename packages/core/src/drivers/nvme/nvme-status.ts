// What the system is told of an NVMe command's status (NVM Express 1.4 §4.6.1).

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { NvmeStatus } from "../../codec/nvme/commands.ts";

/** Of a status that is no success. */
export function returnOf(status: number): IOReturn {
  switch (status) {
    case NvmeStatus.lbaRange:
    case NvmeStatus.invalidField:
      return IOReturns.kIOReturnBadArgument;
    case NvmeStatus.abortRequested:
    case NvmeStatus.submissionQueueDeleted:
      return IOReturns.kIOReturnAborted;
    case NvmeStatus.unrecoveredRead:
    case NvmeStatus.writeFault:
      return IOReturns.kIOReturnBadMedia;
    case NvmeStatus.accessDenied:
      return IOReturns.kIOReturnNotWritable;
    case NvmeStatus.capacityExceeded:
      return IOReturns.kIOReturnNoSpace;
    default:
      return IOReturns.kIOReturnIOError;
  }
}
