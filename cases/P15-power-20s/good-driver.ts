// P15, right: the spindle is started without waiting for it, then the change is acknowledged; requests wait instead.

import { writeStartStopUnit } from "@drydock/core/codec/scsi/cdb";
import { newType00OutParameters } from "@drydock/core/families/scsi/io-user-scsi-peripheral-device-type00";
import { kSCSIServiceResponse_TASK_COMPLETE } from "@drydock/core/families/scsi/scsi-task";
import { kIOServicePowerCapabilityOn } from "@drydock/core/runtime/service";
import { PowerDriver, powerBundle } from "./power-driver.ts";

/** A unit attention may take the place of the first answers. */
const attempts = 3;
const timeoutMs = 5_000;

class P15Driver extends PowerDriver {
  override async setPowerState(powerFlags: number): Promise<void> {
    if (powerFlags === kIOServicePowerCapabilityOn) await this.#beginSpinUp();
    // Once, on every path: this call is the acknowledgement.
    await super.setPowerState(powerFlags);
  }

  /** START STOP UNIT with IMMED: the class driver then finds a unit that is "becoming ready" and does not wait. */
  async #beginSpinUp(): Promise<void> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const command = newType00OutParameters();
      command.fTimeoutDuration = timeoutMs;
      writeStartStopUnit(command.fCommandDescriptorBlock, { start: true, immediate: true });
      const answer = await this.userSendCDB(command);
      if (answer.fCompletionStatus === 0 && answer.fServiceResponse === kSCSIServiceResponse_TASK_COMPLETE)
        return;
    }
  }
}

export const goodPowerBundle = powerBundle("good", P15Driver);
