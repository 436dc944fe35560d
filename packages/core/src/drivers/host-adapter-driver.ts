// What the drivers of SCSI host adapters have in common: what such an adapter is, its one interrupt, task management.

import type { IOPCIDevice } from "../families/pci/io-pci-device.ts";
import {
  type DmaSpecification,
  type HbaConstraints,
  IOUserSCSIParallelInterfaceController,
  interruptQueueName,
  kDMAOutputSegmentLittle64,
  newParallelResponse,
  type SCSIUserParallelResponse,
} from "../families/scsi/io-user-scsi-parallel-interface-controller.ts";
import {
  kSCSIServiceResponse_FUNCTION_REJECTED,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_GOOD,
} from "../families/scsi/scsi-task.ts";
import type { OSAction } from "../runtime/action.ts";
import type { IODispatchQueue } from "../runtime/dispatch-queue.ts";
import {
  cancelAndWait,
  IOInterruptDispatchSource,
  kIOInterruptTypePCIMessagedX,
} from "../runtime/dispatch-source.ts";

export const adapterTransferMaximum = 1 << 20;

/** One segment of any address, four bytes aligned: what UserReportHBAConstraints must say. */
export const oneSegment: HbaConstraints = {
  IOMaximumSegmentCountRead: 1,
  IOMaximumSegmentCountWrite: 1,
  IOMaximumSegmentByteCountRead: adapterTransferMaximum,
  IOMaximumSegmentByteCountWrite: adapterTransferMaximum,
  IOMinimumSegmentAlignmentByteCount: 4,
  IOMaximumSegmentAddressableBitCount: 64,
  "HBA Data Alignment": 0xffff_fffc,
};

/** A task that has been handed over, as far as its end needs it. */
interface EndedTask {
  readonly taskId: number;
  readonly targetId: number;
}

export abstract class HostAdapterDriver extends IOUserSCSIParallelInterfaceController {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    InterruptOccurred: interruptQueueName,
  };
  /** The response that is filled in for each completion. */
  protected readonly response: SCSIUserParallelResponse = newParallelResponse();
  protected interruptQueue: IODispatchQueue | null = null;
  #interrupt: IOInterruptDispatchSource | null = null;
  #interruptAction: OSAction | null = null;
  #mapped = 0;

  override userReportHBAHighestLogicalUnitNumber(): number {
    return 0;
  }

  override userDoesHBASupportSCSIParallelFeature(_feature: number): boolean {
    return false;
  }

  override userDoesHBAPerformAutoSense(): boolean {
    return true;
  }

  override userDoesHBASupportMultiPathing(): boolean {
    return false;
  }

  override userGetDMASpecification(): DmaSpecification {
    return {
      maxTransferSize: adapterTransferMaximum,
      alignment: 4,
      numAddressBits: 64,
      segmentType: kDMAOutputSegmentLittle64,
    };
  }

  override userMapHBAData(): number {
    return ++this.#mapped;
  }

  override async userClearACARequest(): Promise<number> {
    return kSCSIServiceResponse_FUNCTION_REJECTED;
  }

  override userClearTaskSetRequest(targetId: number, lun: number): Promise<number> {
    return this.userAbortTaskSetRequest(targetId, lun);
  }

  override userLogicalUnitResetRequest(targetId: number, lun: number): Promise<number> {
    return this.userAbortTaskSetRequest(targetId, lun);
  }

  override userTargetResetRequest(targetId: number): Promise<number> {
    return this.userAbortTaskSetRequest(targetId, 0);
  }

  /** The first message, by the recorded index: the legacy line may come before it (posts.md P11). */
  protected makeInterrupt(device: IOPCIDevice, handler: () => void): void {
    let index = 0;
    while (
      ((device.interruptType(index) ?? kIOInterruptTypePCIMessagedX) & kIOInterruptTypePCIMessagedX) ===
      0
    )
      index++;
    const queue = this.interruptQueue as IODispatchQueue;
    const { status, source } = IOInterruptDispatchSource.create(device, index, queue);
    if (source === null) throw this.failure(status, "IOInterruptDispatchSource.create");
    this.#interrupt = source;
    this.#interruptAction = this.createAction("InterruptOccurred", handler);
    source.setHandler(this.#interruptAction);
    source.setEnable(true);
  }

  protected stopInterrupt(): void {
    this.#interrupt?.setEnable(false);
  }

  protected async cancelInterrupt(): Promise<void> {
    await cancelAndWait(this.kernel.scheduler, [this.#interrupt, this.#interruptAction]);
    this.#interrupt = null;
    this.#interruptAction = null;
    this.interruptQueue?.release();
    this.interruptQueue = null;
  }

  /** The response for a task's end: a status, or null for "not delivered". Nothing has moved, there is no sense yet. */
  protected responseFor({ taskId, targetId }: EndedTask, status: number | null): SCSIUserParallelResponse {
    const { response } = this;
    response.fTargetID = targetId;
    response.fControllerTaskIdentifier = taskId;
    response.fServiceResponse =
      status === null
        ? kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE
        : kSCSIServiceResponse_TASK_COMPLETE;
    response.fCompletionStatus = status ?? kSCSITaskStatus_GOOD;
    response.fBytesTransferred = 0;
    response.fSenseLength = 0;
    return response;
  }
}
