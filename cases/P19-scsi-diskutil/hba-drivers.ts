// P19 inside a host adapter's dext: one byte short, no long CDBs, or a flush that asks nobody.

import { megaRaidBundle } from "@drydock/core/drivers/megaraid/megaraid-bundle";
import { MegaRaidDriver } from "@drydock/core/drivers/megaraid/megaraid-driver";
import type {
  SCSIUserParallelResponse,
  SCSIUserParallelTask,
} from "@drydock/core/families/scsi/io-user-scsi-parallel-interface-controller";
import { kSCSIServiceResponse_TASK_COMPLETE } from "@drydock/core/families/scsi/scsi-task";
import type { OSAction } from "@drydock/core/runtime/action";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";

/** What the bad drivers leave out. */
export const hbaOmissions = ["byte-count", "long-commands", "flush"] as const;
export type HbaOmission = (typeof hbaOmissions)[number];

const modeSense6 = 0x1a;
const checkCondition = 2;
/** READ(16), WRITE(16), SYNCHRONIZE CACHE(16): what blocks beyond 2^32 need. */
const longOpcodes: readonly number[] = [0x88, 0x8a, 0x91];
const synchronizeOpcodes: readonly number[] = [0x35, 0x91];
/** Fixed sense: illegal request, invalid command operation code. */
const invalidOpcode = [0x70, 0, 0x05, 0, 0, 0, 0, 10, 0, 0, 0, 0, 0x20, 0, 0, 0, 0, 0];

/** Null: the good driver. `interconnect`: what disk tools show as the protocol. */
export function hbaBundle(omission: HbaOmission | null, interconnect?: string): DriverBundle {
  class P19Driver extends MegaRaidDriver {
    /** Opcodes by task: the response does not say what it answers. */
    readonly #opcodes = new Map<number, number>();

    override userProcessParallelTask(request: SCSIUserParallelTask, completion: OSAction | null): number {
      const { fControllerTaskIdentifier: taskId } = request;
      const opcode = request.fCommandDescriptorBlock[0];
      this.#opcodes.set(taskId, opcode);
      // "Our firmware has no such command": refused, and never sent.
      if (omission === "long-commands" && longOpcodes.includes(opcode))
        return this.#answer(request, checkCondition);
      // "The array has a battery": good without a command.
      if (omission === "flush" && synchronizeOpcodes.includes(opcode)) return this.#answer(request, 0);
      return super.userProcessParallelTask(request, completion);
    }

    override parallelTaskCompletion(response: SCSIUserParallelResponse): void {
      const opcode = this.#opcodes.get(response.fControllerTaskIdentifier);
      if (omission === "byte-count" && opcode === modeSense6 && response.fBytesTransferred > 4)
        response.fBytesTransferred--;
      super.parallelTaskCompletion(response);
    }

    #answer(request: SCSIUserParallelTask, status: number): number {
      const { response } = this;
      response.fTargetID = request.fTargetID;
      response.fControllerTaskIdentifier = request.fControllerTaskIdentifier;
      response.fServiceResponse = kSCSIServiceResponse_TASK_COMPLETE;
      response.fCompletionStatus = status;
      response.fBytesTransferred = 0;
      response.fSenseLength = status === checkCondition ? invalidOpcode.length : 0;
      response.fSenseBuffer.set(invalidOpcode);
      super.parallelTaskCompletion(response);
      return 0;
    }
  }
  return megaRaidBundle(P19Driver, {
    className: "P19Driver",
    ...(interconnect === undefined ? {} : { interconnect }),
  });
}
