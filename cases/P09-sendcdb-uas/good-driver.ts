// P09, right: the length is in the CDB, and both directions say the same.

import { putU32be } from "@drydock/core/base/bytes";
import type { SCSIType00OutParameters } from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
} from "@drydock/core/families/scsi/scsi-task";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "@drydock/core/runtime/memory";
import { imageLengthAt } from "./firmware.ts";
import { UpdaterDriver, updaterBundle } from "./updater-driver.ts";

class P09Driver extends UpdaterDriver {
  protected override fill(command: SCSIType00OutParameters, isOut: boolean, lengthBytes: number): void {
    putU32be(command.fCommandDescriptorBlock, imageLengthAt, lengthBytes);
    command.fBufferDirection = isOut ? kIOMemoryDirectionOut : kIOMemoryDirectionIn;
    command.fDataTransferDirection = isOut
      ? kSCSIDataTransfer_FromInitiatorToTarget
      : kSCSIDataTransfer_FromTargetToInitiator;
  }
}

export const goodUpdaterBundle = updaterBundle("good", P09Driver);
