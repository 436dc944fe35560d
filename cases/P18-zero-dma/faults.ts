// P18: six causes of one symptom. Each is a driver of the same controller that differs in one habit.

import { MfiAddressSpace, SgeFormat } from "@drydock/core/codec/mfi/mfi";
import { MegaRaidDriver, type RaidHabits } from "@drydock/core/drivers/megaraid/megaraid-driver";
import type {
  SCSIUserParallelResponse,
  SCSIUserParallelTask,
} from "@drydock/core/families/scsi/io-user-scsi-parallel-interface-controller";
import { kSCSIServiceResponse_TASK_COMPLETE } from "@drydock/core/families/scsi/scsi-task";
import type { OSAction } from "@drydock/core/runtime/action";
import type { IOMemoryDescriptor } from "@drydock/core/runtime/memory";
import type { ServiceClass } from "@drydock/core/runtime/service";
import { byteWords, type DextLedger, firstBytes, inquiry } from "./ledger-bench.ts";

/** In the order of the post's table of candidates. */
export const zeroDmaFaults = [
  "looks-early",
  "counts-nothing",
  "completes-early",
  "local-address",
  "swapped-address",
  "other-buffer",
] as const;
export type ZeroDmaFault = (typeof zeroDmaFaults)[number];

const swap = (address: number): number =>
  ((address & 0xff) * 2 ** 24 +
    ((address >>> 8) & 0xff) * 2 ** 16 +
    ((address >>> 16) & 0xff) * 2 ** 8 +
    (address >>> 24)) >>>
  0;
/** `fault` null: the good driver, which looks at nothing and leaves the data to whoever asked for it. */
export function zeroDmaDriver(fault: ZeroDmaFault | null, ledger: DextLedger): ServiceClass {
  return class P18Driver extends MegaRaidDriver {
    protected override readonly habits: RaidHabits = {
      sgeFormat: SgeFormat.ieee,
      addressSpace: fault === "local-address" ? MfiAddressSpace.controller : MfiAddressSpace.system,
    };
    readonly #early = new Set<number>();
    #view: IOMemoryDescriptor | null = null;
    #inquiryId = 0;
    #isTold = false;

    override userProcessParallelTask(request: SCSIUserParallelTask, completion: OSAction | null): number {
      const isFirst =
        this.#inquiryId === 0 &&
        request.fCommandDescriptorBlock[0] === inquiry &&
        request.fRequestedTransferCount === firstBytes;
      const { fControllerTaskIdentifier: taskId, fTargetID: targetId } = request;
      if (isFirst) {
        this.#inquiryId = taskId;
        this.#view = this.userGetDataBuffer(targetId, taskId);
        this.log(
          `P18 INQUIRY: fRequestedTransferCount ${firstBytes}, fBufferIOVMAddr 0x${request.fBufferIOVMAddr.toString(16)}`,
        );
        ledger.entry = { address: this.dataAddress(request), isLocal: fault === "local-address" };
      }
      const answer = super.userProcessParallelTask(request, completion);
      if (fault !== "completes-early" || answer !== 0) return answer;
      // "The firmware has it, so it is done": the mapping ends under the hardware.
      this.#early.add(taskId);
      const { response } = this;
      response.fTargetID = targetId;
      response.fControllerTaskIdentifier = taskId;
      response.fServiceResponse = kSCSIServiceResponse_TASK_COMPLETE;
      response.fCompletionStatus = 0;
      response.fBytesTransferred = request.fRequestedTransferCount;
      response.fSenseLength = 0;
      if (isFirst) this.#tell(response);
      super.parallelTaskCompletion(response);
      return answer;
    }

    override parallelTaskCompletion(response: SCSIUserParallelResponse): void {
      if (this.#early.delete(response.fControllerTaskIdentifier)) return;
      if (response.fControllerTaskIdentifier === this.#inquiryId && !this.#isTold) this.#tell(response);
      super.parallelTaskCompletion(response);
    }

    protected override dataAddress(request: SCSIUserParallelTask): number {
      return fault === "swapped-address" ? swap(request.fBufferIOVMAddr) : request.fBufferIOVMAddr;
    }

    protected override bytesTransferred(requested: number): number {
      return fault === "counts-nothing" ? 0 : requested;
    }

    /** The poster's line: what the hardware said, and what the driver saw. */
    #tell(response: SCSIUserParallelResponse): void {
      this.#isTold = true;
      this.log("P18 completion: firmware reports 6 bytes, ReplyStatus 0, SCSIStatus 0");
      if (fault === null) {
        ledger.look = { what: "nothing", isCompleted: false, bytes: [] };
        return;
      }
      const seen = new Array<number>(firstBytes).fill(0);
      // One of them copies as many bytes as it is about to report: none.
      const count = fault === "counts-nothing" ? response.fBytesTransferred : firstBytes;
      if (fault !== "other-buffer") for (let at = 0; at < count; at++) seen[at] = this.#view?.bytes[at] ?? 0;
      ledger.look = {
        what: fault === "other-buffer" ? "another buffer" : "the task's buffer",
        isCompleted: false,
        bytes: seen,
      };
      this.log(`P18 data in the dext: ${byteWords(seen)}`);
    }
  };
}
