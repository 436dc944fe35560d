// What a SCSI controller's dext is to the runtime: answers that are asked for once, and tasks that may wait.

import { IOReturns } from "@drydock/core/base/io-return";
import {
  type DmaSpecification,
  IOUserSCSIParallelInterfaceController,
  kSCSIParallelFeature_TotalFeatureCount,
  type SCSIUserParallelTask,
} from "@drydock/core/families/scsi/io-user-scsi-parallel-interface-controller";
import type { OSAction } from "@drydock/core/runtime/action";

interface Answers {
  readonly highestLun: number;
  readonly initiator: number;
  readonly highestTarget: number;
  readonly taskCount: number;
  readonly managesDevices: boolean;
  readonly hasAutoSense: boolean;
  readonly isMultiPath: boolean;
  readonly features: readonly boolean[];
  readonly dma: DmaSpecification;
  readonly taskIds: number[];
}

/**
 * Every question of the kernel's that a driver in TypeScript answers at once is a call into WebAssembly here, which may wait: all are
 * asked in the order of driverkit-families.md §5.4, right behind UserInitializeController. Methods without a body in the dext's
 * class are pure virtual for Apple's compiler; here the run says so when they are asked.
 */
export class DextScsiController extends IOUserSCSIParallelInterfaceController {
  #answers: Answers | null = null;

  #missing(call: string): never {
    throw this.failure(
      IOReturns.kIOReturnUnsupported,
      call,
      "pure virtual: the dext's class has no body for it",
    );
  }

  get #known(): Answers {
    return this.#answers ?? this.#missing("UserInitializeController");
  }

  // Bodies of the dext's, by the hooks of scsi-controller-calls.ts.

  async initializeController(): Promise<void> {
    this.#missing("UserInitializeController");
  }
  async askNumber(call: string): Promise<number> {
    this.#missing(call);
  }
  async askHighestLun(): Promise<number> {
    return this.askNumber("UserReportHBAHighestLogicalUnitNumber");
  }
  async askInitiator(): Promise<number> {
    return this.askNumber("UserReportInitiatorIdentifier");
  }
  async askHighestTarget(): Promise<number> {
    return this.askNumber("UserReportHighestSupportedDeviceID");
  }
  async askTaskCount(): Promise<number> {
    return this.askNumber("UserReportMaximumTaskCount");
  }
  async askTaskId(): Promise<number> {
    return this.askNumber("UserMapHBAData");
  }
  async askDeviceManagement(): Promise<number> {
    return this.askNumber("UserDoesHBAPerformDeviceManagement");
  }
  async askAutoSense(): Promise<number> {
    return this.askNumber("UserDoesHBAPerformAutoSense");
  }
  async askMultiPathing(): Promise<number> {
    return this.askNumber("UserDoesHBASupportMultiPathing");
  }
  async askFeature(_feature: number): Promise<number> {
    return this.askNumber("UserDoesHBASupportSCSIParallelFeature");
  }
  async askDma(): Promise<DmaSpecification> {
    return this.#missing("UserGetDMASpecification");
  }

  override async userInitializeController(): Promise<void> {
    await this.initializeController();
    const initiator = await this.askInitiator();
    const highestTarget = await this.askHighestTarget();
    const taskCount = await this.askTaskCount();
    const highestLun = await this.askHighestLun();
    const managesDevices = (await this.askDeviceManagement()) !== 0;
    const hasAutoSense = (await this.askAutoSense()) !== 0;
    const isMultiPath = (await this.askMultiPathing()) !== 0;
    const features: boolean[] = [];
    for (let feature = 0; feature < kSCSIParallelFeature_TotalFeatureCount; feature++)
      features.push((await this.askFeature(feature)) !== 0);
    const dma = await this.askDma();
    const taskIds: number[] = [];
    for (let task = 0; task < taskCount; task++) taskIds.push(await this.askTaskId());
    this.#answers = {
      highestLun,
      initiator,
      highestTarget,
      taskCount,
      managesDevices,
      hasAutoSense,
      isMultiPath,
      features,
      dma,
      taskIds,
    };
  }

  override userReportHBAHighestLogicalUnitNumber(): number {
    return this.#known.highestLun;
  }
  override userReportInitiatorIdentifier(): number {
    return this.#known.initiator;
  }
  override userReportHighestSupportedDeviceID(): number {
    return this.#known.highestTarget;
  }
  override userReportMaximumTaskCount(): number {
    return this.#known.taskCount;
  }
  override userDoesHBAPerformDeviceManagement(): boolean {
    return this.#known.managesDevices;
  }
  override userDoesHBAPerformAutoSense(): boolean {
    return this.#known.hasAutoSense;
  }
  override userDoesHBASupportMultiPathing(): boolean {
    return this.#known.isMultiPath;
  }
  override userDoesHBASupportSCSIParallelFeature(feature: number): boolean {
    return this.#known.features[feature] ?? false;
  }
  override userGetDMASpecification(): DmaSpecification {
    return this.#known.dma;
  }
  /** One for each task object, in the order in which the dext gave them. */
  override userMapHBAData(): number {
    return this.#known.taskIds.shift() ?? 0;
  }

  override async userStartController(): Promise<void> {
    this.#missing("UserStartController");
  }
  override async userInitializeTargetForID(_targetId: number): Promise<void> {
    this.#missing("UserInitializeTargetForID");
  }
  override userProcessParallelTask(
    _request: SCSIUserParallelTask,
    _completion: OSAction | null,
  ): number | Promise<number> {
    return this.#missing("UserProcessParallelTask");
  }
  override async userAbortTaskRequest(_targetId: number, _lun: number, _taskId: number): Promise<number> {
    return this.#missing("UserAbortTaskRequest");
  }
  override async userAbortTaskSetRequest(_targetId: number, _lun: number): Promise<number> {
    return this.#missing("UserAbortTaskSetRequest");
  }
  override async userClearACARequest(_targetId: number, _lun: number): Promise<number> {
    return this.#missing("UserClearACARequest");
  }
  override async userClearTaskSetRequest(_targetId: number, _lun: number): Promise<number> {
    return this.#missing("UserClearTaskSetRequest");
  }
  override async userLogicalUnitResetRequest(_targetId: number, _lun: number): Promise<number> {
    return this.#missing("UserLogicalUnitResetRequest");
  }
  override async userTargetResetRequest(_targetId: number): Promise<number> {
    return this.#missing("UserTargetResetRequest");
  }
}
