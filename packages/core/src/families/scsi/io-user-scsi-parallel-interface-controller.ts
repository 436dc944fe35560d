// IOUserSCSIParallelInterfaceController: a dext that is a SCSI host adapter (driverkit-families.md §5).

import { ContractViolation } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { Properties } from "../../platform/properties.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { IOMemoryDescriptor } from "../../runtime/memory.ts";
import { IOService } from "../../runtime/service.ts";

export const kMaxSenseBufferSize = 256;
export const kMaxBundledParallelTasks = 32;
export const kScsiUserParallelTaskCurrentVersion1 = 1;
export const kScsiUserParallelTaskResponseCurrentVersion1 = 1;
export const kSCSIParallelFeature_TotalFeatureCount = 5;
export const kDMAOutputSegmentHost32 = 0;
export const kDMAOutputSegmentBig32 = 1;
export const kDMAOutputSegmentLittle32 = 2;
export const kDMAOutputSegmentHost64 = 3;
export const kDMAOutputSegmentBig64 = 4;
export const kDMAOutputSegmentLittle64 = 5;

/** Keys of UserReportHBAConstraints; a system without one of the required ones panics. */
export const requiredConstraints = [
  "IOMaximumSegmentCountRead",
  "IOMaximumSegmentCountWrite",
  "IOMaximumSegmentByteCountRead",
  "IOMaximumSegmentByteCountWrite",
  "IOMinimumSegmentAlignmentByteCount",
  "IOMaximumSegmentAddressableBitCount",
  "HBA Data Alignment",
] as const;
export type HbaConstraints = Readonly<Partial<Record<string, number | boolean>>>;

/** One command for the hardware. The kernel's, and used again: a driver takes what it needs inside the call. */
export interface SCSIUserParallelTask {
  version: number;
  fTargetID: number;
  fSCSIParallelFeatureRequest: readonly number[];
  fSCSIParallelFeatureRequestCount: number;
  /** What UserMapHBAData answered for this task object. */
  fControllerTaskIdentifier: number;
  fRequestedTransferCount: number;
  /** For the hardware alone; 0 without data. One segment, mapped until the task is completed. */
  fBufferIOVMAddr: number;
  fTaskAttribute: number;
  fTaskTagIdentifier: number;
  /** Big-endian, as SAM has them: a single level is in byte 1. */
  readonly fLogicalUnitBytes: Uint8Array;
  readonly fCommandDescriptorBlock: Uint8Array;
  fCommandSize: number;
  fTransferDirection: number;
  /** 0: no limit. */
  fTimeoutInMilliSec: number;
}

export interface SCSIUserParallelResponse {
  /** Another version than the current one: the response is dropped, and the task hangs. */
  version: number;
  fTargetID: number;
  fSCSIParallelFeatureRequestResultCount: number;
  fControllerTaskIdentifier: number;
  fCompletionStatus: number;
  fServiceResponse: number;
  /** Bytes that really moved; left at 0 it is a transfer of nothing. */
  fBytesTransferred: number;
  fSenseLength: number;
  readonly fSenseBuffer: Uint8Array;
}

/** A response to fill in; drivers keep one and use it again. */
export function newParallelResponse(): SCSIUserParallelResponse {
  return {
    version: kScsiUserParallelTaskResponseCurrentVersion1,
    fTargetID: 0,
    fSCSIParallelFeatureRequestResultCount: 0,
    fControllerTaskIdentifier: 0,
    fCompletionStatus: 0,
    fServiceResponse: 0,
    fBytesTransferred: 0,
    fSenseLength: 0,
    fSenseBuffer: new Uint8Array(kMaxSenseBufferSize),
  };
}

/** What UserGetDMASpecification answers. */
export interface DmaSpecification {
  readonly maxTransferSize: number;
  readonly alignment: number;
  readonly numAddressBits: number;
  /** kDMAOutputSegment*. */
  readonly segmentType: number;
}

/** Commands and responses of bundled mode: slot n of one belongs to slot n of the other. */
export interface BundledBuffers {
  readonly requests: readonly SCSIUserParallelTask[];
  readonly responses: readonly SCSIUserParallelResponse[];
}

/** Told by the dext's half; the kernel's half implements it. */
export interface ParallelControllerKernel {
  completeTask(response: SCSIUserParallelResponse): void;
  completeBundle(indices: readonly number[], count: number): void;
  reportConstraints(constraints: HbaConstraints): void;
  createTarget(targetId: number, properties: Properties): Promise<void>;
  destroyTarget(targetId: number): void;
  isTargetPresent(targetId: number): boolean;
  dataBuffer(targetId: number, controllerTaskId: number): IOMemoryDescriptor | null;
  setTargetProperties(targetId: number, properties: Properties): void;
  mediaChanged(): void;
  stopped(): void;
}

/** Names of queues that a driver is expected to make before it calls super's Start (§5.5). */
export const auxiliaryQueueName = "AuxiliaryQueue";
export const interruptQueueName = "InterruptQueue";

/** Addresses of fixed size: the kernel takes OSData of exactly so many bytes. */
const dataKeys: Readonly<Record<string, number>> = {
  "Node World Wide Name": 8,
  "Port World Wide Name": 8,
  "Address Identifier": 3,
  AL_PA: 1,
  "SAS Address": 8,
};
const hbaKeys = [
  "Vendor Name",
  "Product Name",
  "Product Revision Level",
  "Port Description",
  "Port Speed",
  "Port Topology",
  "SCSI Parallel Signaling Type",
  "Fibre Channel Cabling Type",
  ...Object.keys(dataKeys),
];

/**
 * Subclasses drive the hardware. The kernel calls in the order of §5.4: UserInitializeController (constraints must be
 * reported before it returns), what the adapter is, UserMapHBAData for each task, the bundled buffers, UserStartController.
 * Every call of the kernel arrives on the default queue; completions may come from any.
 *
 * A `UserProcessParallelTask` that answers kSCSIServiceResponse_Request_In_Process is completed exactly once, by
 * `parallelTaskCompletion`; one that answers anything else never. In Stop a driver ends its hardware first, then calls
 * super's; it destroys no targets itself.
 */
export abstract class IOUserSCSIParallelInterfaceController extends IOService {
  static override readonly queueNames: Readonly<Record<string, string>> = {
    UserCreateTargetForID: auxiliaryQueueName,
  };
  /** Set by the kernel's half. */
  controllerKernel: ParallelControllerKernel | null = null;

  abstract userReportHBAHighestLogicalUnitNumber(): number;
  abstract userDoesHBASupportSCSIParallelFeature(feature: number): boolean;
  /** kIOReturn errors by rejection: the target is not created. */
  abstract userInitializeTargetForID(targetId: number): Promise<void>;
  abstract userDoesHBAPerformAutoSense(): boolean;
  abstract userDoesHBASupportMultiPathing(): boolean;
  /** Task management: each resolves with a SCSIServiceResponse (FUNCTION_COMPLETE or _REJECTED). */
  abstract userAbortTaskRequest(targetId: number, lun: number, taskId: number): Promise<number>;
  abstract userAbortTaskSetRequest(targetId: number, lun: number): Promise<number>;
  abstract userClearACARequest(targetId: number, lun: number): Promise<number>;
  abstract userClearTaskSetRequest(targetId: number, lun: number): Promise<number>;
  abstract userLogicalUnitResetRequest(targetId: number, lun: number): Promise<number>;
  abstract userTargetResetRequest(targetId: number): Promise<number>;
  abstract userReportInitiatorIdentifier(): number;
  abstract userReportHighestSupportedDeviceID(): number;
  /** 0: the driver does not load. */
  abstract userReportMaximumTaskCount(): number;
  /** False: the kernel creates targets 0 to the highest; true: the driver does. */
  abstract userDoesHBAPerformDeviceManagement(): boolean;
  abstract userInitializeController(): Promise<void>;
  abstract userStartController(): Promise<void>;
  /** A SCSIServiceResponse. Hot: a driver that answers with a promise holds the default queue until it settles. */
  abstract userProcessParallelTask(
    request: SCSIUserParallelTask,
    completion: OSAction | null,
  ): number | Promise<number>;
  abstract userGetDMASpecification(): DmaSpecification;
  /** Once for each task object; a different number each time, never 0. */
  abstract userMapHBAData(): number;

  /** Any error opts out of bundled mode: the base does. */
  userMapBundledParallelTaskCommandAndResponseBuffers(_buffers: BundledBuffers): IOReturn {
    return IOReturns.kIOReturnUnsupported;
  }

  /** Bundled mode alone: the slots are the driver's until it lists them in `bundledParallelTaskCompletion`. */
  userProcessBundledParallelTasks(_indices: readonly number[], _count: number): void {}

  // What the dext calls.

  /** Completes a task. An unknown one is ignored with a line in the log. */
  parallelTaskCompletion(response: SCSIUserParallelResponse): void {
    this.controllerKernel?.completeTask(response);
  }

  bundledParallelTaskCompletion(indices: readonly number[], count: number): void {
    if (count > kMaxBundledParallelTasks)
      throw new ContractViolation(
        "bundle-too-large",
        `${count} responses in one bundle; there are at most ${kMaxBundledParallelTasks}`,
      );
    this.controllerKernel?.completeBundle(indices, count);
  }

  /** Before UserInitializeController returns; see {@link requiredConstraints}. */
  userReportHBAConstraints(constraints: HbaConstraints): void {
    this.#kernelOf("UserReportHBAConstraints").reportConstraints(constraints);
  }

  /**
   * Resolves when the target exists. On the default queue it would wait for itself, because the probing arrives there: rule
   * `create-target-on-default-queue`. kIOReturnError: the id is the initiator's own, or exists already.
   */
  async userCreateTargetForID(targetId: number, properties: Properties = {}): Promise<void> {
    const kernel = this.#kernelOf("UserCreateTargetForID");
    const queue = this.queueForMethod("UserCreateTargetForID");
    if (this.defaultQueue.onQueue() || queue === this.defaultQueue)
      throw new ContractViolation(
        "create-target-on-default-queue",
        `UserCreateTargetForID(${targetId}) would wait on the default queue for calls that arrive there: make ${auxiliaryQueueName} and call it from a queue of your own`,
      );
    await queue.dispatchSync(() => kernel.createTarget(targetId, properties));
  }

  /** An unknown id is ignored. Not in Stop. */
  userDestroyTargetForID(targetId: number): void {
    this.controllerKernel?.destroyTarget(targetId);
  }

  userTargetPresentForID(targetId: number): boolean {
    return this.controllerKernel?.isTargetPresent(targetId) ?? false;
  }

  /** Inside UserProcessParallelTask alone. Slow. Null: no such task, or one without data. */
  userGetDataBuffer(targetId: number, controllerTaskId: number): IOMemoryDescriptor | null {
    return this.#kernelOf("UserGetDataBuffer").dataBuffer(targetId, controllerTaskId);
  }

  /** Into "Controller Characteristics". Unknown keys are logged; an address of the wrong size is kIOReturnBadArgument. */
  userSetHBAProperties(properties: Properties): void {
    for (const [key, value] of Object.entries(properties)) {
      if (!hbaKeys.includes(key)) this.log(`UserSetHBAProperties: unknown key ${key}`);
      const size = dataKeys[key];
      if (size !== undefined && !(value instanceof Uint8Array && value.length === size))
        throw this.failure(
          IOReturns.kIOReturnBadArgument,
          "UserSetHBAProperties",
          `${key}: data of ${size} bytes`,
        );
    }
    const known = this.properties["Controller Characteristics"];
    this.properties["Controller Characteristics"] = { ...(known as Properties | undefined), ...properties };
  }

  userSetTargetProperties(targetId: number, properties: Properties): void {
    this.#kernelOf("UserSetTargetProperties").setTargetProperties(targetId, properties);
  }

  userCallMediaParametersHaveChanged(): void {
    this.controllerKernel?.mediaChanged();
  }

  /** The kernel begins its sequence once Start has returned. */
  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    this.controllerKernel?.stopped();
    await super.stop(provider);
  }

  #kernelOf(call: string): ParallelControllerKernel {
    const kernel = this.controllerKernel;
    if (kernel === null) throw this.failure(IOReturns.kIOReturnNotReady, call);
    return kernel;
  }
}
