// P09, wrong in two ways that look the same: no length in the CDB; and a direction of "none".

import { putU32be } from "@drydock/core/base/bytes";
import type { SCSIType00OutParameters } from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIDataTransfer_NoDataTransfer,
} from "@drydock/core/families/scsi/scsi-task";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "@drydock/core/runtime/memory";
import { imageLengthAt } from "./firmware.ts";
import { UpdaterDriver, updaterBundle } from "./updater-driver.ts";

/** The post's own: everything right, but only the transport is told how much data there is. */
class P09SilentDriver extends UpdaterDriver {
  protected override fill(command: SCSIType00OutParameters, isOut: boolean): void {
    command.fBufferDirection = isOut ? kIOMemoryDirectionOut : kIOMemoryDirectionIn;
    command.fDataTransferDirection = isOut
      ? kSCSIDataTransfer_FromInitiatorToTarget
      : kSCSIDataTransfer_FromTargetToInitiator;
  }
}

/** The length is in the CDB; the host is told that there is no data. */
class P09NoDirectionDriver extends UpdaterDriver {
  protected override fill(command: SCSIType00OutParameters, isOut: boolean, lengthBytes: number): void {
    putU32be(command.fCommandDescriptorBlock, imageLengthAt, lengthBytes);
    command.fBufferDirection = isOut ? kIOMemoryDirectionOut : kIOMemoryDirectionIn;
    command.fDataTransferDirection = kSCSIDataTransfer_NoDataTransfer;
  }
}

export const silentUpdaterBundle = updaterBundle("silent", P09SilentDriver);
export const noDirectionBundle = updaterBundle("no-direction", P09NoDirectionDriver);
