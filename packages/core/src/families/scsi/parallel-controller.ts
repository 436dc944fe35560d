// The kernel's half of a host adapter's dext: start sequence, targets, tasks with prepared memory, one completion each.

import { ContractViolation } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond, second } from "../../base/units.ts";
import type { Properties } from "../../platform/properties.ts";
import { DmaDirection, type DmaLimits, type DmaMapping } from "../../ports/dma.ts";
import type { QueuedCall } from "../../runtime/dispatch-queue.ts";
import type { DmaProvider } from "../../runtime/dma-command.ts";
import { dmaProviderOf } from "../../runtime/dma-provider.ts";
import type { Machine } from "../../runtime/machine.ts";
import { IOMemoryDescriptor } from "../../runtime/memory.ts";
import { callService } from "../../runtime/service-call.ts";
import {
  IOSCSIParallelInterfaceDevice,
  type ParallelTargetOwner,
} from "./io-scsi-parallel-interface-device.ts";
import {
  type BundledBuffers,
  type HbaConstraints,
  type IOUserSCSIParallelInterfaceController,
  kMaxBundledParallelTasks,
  kSCSIParallelFeature_TotalFeatureCount,
  kScsiUserParallelTaskCurrentVersion1,
  kScsiUserParallelTaskResponseCurrentVersion1,
  newParallelResponse,
  type ParallelControllerKernel,
  requiredConstraints,
  type SCSIUserParallelResponse,
  type SCSIUserParallelTask,
} from "./io-user-scsi-parallel-interface-controller.ts";
import {
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_FUNCTION_COMPLETE,
  kSCSIServiceResponse_Request_In_Process,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_BUSY,
  kSCSITaskStatus_TASK_SET_FULL,
  type SCSITask,
} from "./scsi-task.ts";

/** A full task set is tried again so often, each time another command of the controller has completed. */
const fullRetries = 3;
/** Timeouts are looked for this often while tasks are out. */
const watchNs = 250 * millisecond;
/** How long an abort may take before the task is given up without it. */
const abortNs = 5 * second;
const readDirection = kSCSIDataTransfer_FromTargetToInitiator;

/** One task object: its id is the dext's. */
interface Slot {
  readonly index: number;
  readonly id: number;
  readonly request: SCSIUserParallelTask;
  task: SCSITask | null;
  target: IOSCSIParallelInterfaceDevice | null;
  mapping: DmaMapping | null;
  deadlineNs: number;
  retries: number;
  isAborting: boolean;
  /** It has reached the dext. */
  isOut: boolean;
  /** Commands that were in it before: the same task may come again to the same slot. */
  uses: number;
}

/** What the controller made of flushes: the last row of the flush ledger (posts.md F15). */
export interface ControllerFlushes {
  requested: number;
  completed: number;
  failed: number;
  /** Answered inside the call that brought it: no hardware can have been asked. */
  completedEarly: number;
}

/** "controller: requested 3, completed 3, of these 1 inside the call that brought it". */
export function describeControllerFlushes(flushes: ControllerFlushes): string {
  const { completed, completedEarly, failed, requested } = flushes;
  const early =
    completedEarly === 0
      ? ""
      : `, completed early ${completedEarly} (reason: answered inside the call that brought them, so no hardware was asked)`;
  return `controller: requested ${requested}, completed ${completed}, failed ${failed}${early}`;
}

/** A task as a ledger sees it; the request and the response are the kernel's and the dext's, and used again. */
export interface ParallelTaskEvent {
  readonly kind: "handed over" | "completed";
  readonly task: SCSITask;
  readonly request: SCSIUserParallelTask;
  readonly mapping: DmaMapping | null;
  readonly response: SCSIUserParallelResponse | null;
}

/** `failure` says why the start sequence ended early, for the log and for whoever asks why there is no disk. */
export class ParallelController implements ParallelControllerKernel, ParallelTargetOwner {
  readonly service: IOUserSCSIParallelInterfaceController;
  readonly targets = new Map<number, IOSCSIParallelInterfaceDevice>();
  readonly flushes: ControllerFlushes = { requested: 0, completed: 0, failed: 0, completedEarly: 0 };
  /** Completions that nobody waited for. */
  strays = 0;
  /** Why the start sequence ended early; null: it did not. */
  failure: string | null = null;
  highestLun = 0;
  maximumTransferBytes = 0;
  readonly #machine: Machine;
  readonly #dma: DmaProvider | null;
  #constraints: HbaConstraints | null = null;
  #isInitializing = false;
  #limits: DmaLimits = { addressBits: 32, alignmentBytes: 4 };
  #initiator = -1;
  #slots: Slot[] = [];
  readonly #byId = new Map<number, Slot>();
  readonly #free: Slot[] = [];
  #waiting: { target: IOSCSIParallelInterfaceDevice; task: SCSITask }[] = [];
  #waitingHead = 0;
  readonly #full: Slot[] = [];
  /** Answers on their way up, and the place for the next ones while they are told. */
  #finished: (SCSITask | null)[] = [];
  #finishedCount = 0;
  #told: (SCSITask | null)[] = [];
  #isFinishing = false;
  #isWatching = false;
  #isEnded = false;
  /** The slot whose UserProcessParallelTask is running. */
  #handing: Slot | null = null;
  /** Told of each task that is handed over and of each that is completed: for ledgers. */
  onTask: ((event: ParallelTaskEvent) => void) | null = null;
  #bundled: BundledBuffers | null = null;
  readonly #bundle: number[] = [];
  readonly #submitCall: QueuedCall;
  readonly #bundleCall: QueuedCall;

  constructor(machine: Machine, service: IOUserSCSIParallelInterfaceController) {
    this.#machine = machine;
    this.service = service;
    this.#dma = dmaProviderOf(service);
    service.controllerKernel = this;
    const { className } = service;
    this.#submitCall = {
      symbol: `${className}::UserProcessParallelTask_Impl`,
      run: (index: number) => this.#handOver(this.#slots[index]),
    };
    this.#bundleCall = {
      symbol: `${className}::UserProcessBundledParallelTasks_Impl`,
      run: () => this.#handBundle(),
    };
  }

  get physicalInterconnect(): string {
    const named = this.service.properties["Physical Interconnect"];
    return typeof named === "string" ? named : "SCSI Parallel Interface";
  }

  /** The sequence of §5.4, from UserInitializeController on. Blocks a kernel thread. */
  async start(): Promise<void> {
    const { service } = this;
    service.properties["Controller Characteristics"] ??= {};
    this.#isInitializing = true;
    const initialized = await this.#call("UserInitializeController", () =>
      service.userInitializeController(),
    );
    this.#isInitializing = false;
    if (initialized !== null) return this.#fail(initialized);
    const missing = requiredConstraints.filter((key) => typeof this.#constraints?.[key] !== "number");
    if (missing.length > 0) {
      this.#machine.panic(
        `IOUserSCSIParallelInterfaceController: required HBA constraints are missing: ${missing.join(", ")}`,
        service,
      );
      return;
    }
    let taskCount = 0;
    let highestTarget = 0;
    let isManaged = false;
    const asked = await this.#call("UserReportInitiatorIdentifier", async () => {
      this.#initiator = service.userReportInitiatorIdentifier();
      highestTarget = service.userReportHighestSupportedDeviceID();
      taskCount = service.userReportMaximumTaskCount();
      this.highestLun = service.userReportHBAHighestLogicalUnitNumber();
      isManaged = service.userDoesHBAPerformDeviceManagement();
    });
    if (asked !== null) return this.#fail(asked);
    if (!(taskCount > 0))
      return this.#fail("UserReportMaximumTaskCount answered 0: the driver does not load");
    const mapped = await this.#call("UserMapHBAData", async () => this.#makeSlots(taskCount));
    if (mapped !== null) return this.#fail(mapped);
    const buffers: BundledBuffers = {
      requests: this.#slots.map(({ request }) => request),
      responses: this.#slots.map(newParallelResponse),
    };
    await this.#call("UserMapBundledParallelTaskCommandAndResponseBuffers", async () => {
      const status = service.userMapBundledParallelTaskCommandAndResponseBuffers(buffers);
      if (status === IOReturns.kIOReturnSuccess) this.#bundled = buffers;
    });
    const started = await this.#call("UserStartController", () => service.userStartController());
    if (started !== null) return this.#fail(started);
    service.properties["HBA Performs Device Management"] = isManaged;
    if (isManaged) return;
    for (let id = 0; id <= highestTarget && !this.#isEnded; id++)
      if (id !== this.#initiator && !this.targets.has(id)) await this.createTarget(id, {}).catch(() => {});
  }

  reportConstraints(constraints: HbaConstraints): void {
    if (!this.#isInitializing)
      throw new ContractViolation(
        "constraints-too-late",
        "UserReportHBAConstraints comes before UserInitializeController returns: tasks are made from it then",
      );
    this.#constraints = constraints;
    for (const [key, value] of Object.entries(constraints))
      if (value !== undefined) this.service.properties[key] = value;
  }

  async createTarget(targetId: number, properties: Properties): Promise<void> {
    if (targetId === this.#initiator || this.targets.has(targetId) || this.#isEnded)
      throw this.service.failure(IOReturns.kIOReturnError, "UserCreateTargetForID", `target ${targetId}`);
    const { service } = this;
    const target = this.#machine.publish(
      {
        kernelClass: "IOSCSIParallelInterfaceDevice",
        classChain: ["IOSCSIParallelInterfaceDevice", "IOSCSIProtocolServices", "IOService"],
        provider: service,
        properties: {
          "SCSI Target Identifier": targetId,
          "Protocol Characteristics": {
            "Physical Interconnect": this.physicalInterconnect,
            "Physical Interconnect Location":
              service.properties["Physical Interconnect Location"] ?? "Internal/External",
            ...properties,
          },
        },
      },
      (context) => new IOSCSIParallelInterfaceDevice(context, this, targetId),
    );
    target.location = String(targetId);
    this.targets.set(targetId, target);
    const refused = await this.#call("UserInitializeTargetForID", () =>
      service.userInitializeTargetForID(targetId),
    );
    if (refused !== null || this.#isEnded) {
      this.destroyTarget(targetId);
      throw service.failure(
        IOReturns.kIOReturnError,
        "UserInitializeTargetForID",
        refused ?? "it has stopped",
      );
    }
    target.registerService();
  }

  destroyTarget(targetId: number): void {
    const target = this.targets.get(targetId);
    if (target === undefined) return;
    this.targets.delete(targetId);
    for (const slot of this.#slots) if (slot.target === target) this.#deliverFailure(slot);
    this.#machine.terminate(target);
  }

  isTargetPresent(targetId: number): boolean {
    return this.targets.has(targetId);
  }

  setTargetProperties(targetId: number, properties: Properties): void {
    this.targets.get(targetId)?.addProtocolCharacteristics(properties);
  }

  dataBuffer(targetId: number, controllerTaskId: number): IOMemoryDescriptor | null {
    const slot = this.#byId.get(controllerTaskId);
    const task = slot?.task ?? null;
    if (
      slot !== this.#handing ||
      task === null ||
      slot?.target?.targetId !== targetId ||
      task.dataBytes === 0
    )
      return null;
    const direction = task.direction === readDirection ? DmaDirection.deviceWrites : DmaDirection.deviceReads;
    // The client's own memory: a bounced copy shows in it only at completion (posts.md T6).
    const bytes = task.data.subarray(task.dataOffset, task.dataOffset + task.dataBytes);
    return IOMemoryDescriptor.over(this.service.process.memory, direction, bytes);
  }

  mediaChanged(): void {
    this.#machine.log.kernel("IOSCSIParallelFamily: media parameters have changed");
  }

  /** The dext stops, or has gone: nothing is taken any more, everything ends as "device not present". */
  stopped(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    for (const slot of this.#slots) this.#deliverFailure(slot);
    for (const { task } of this.#waiting.splice(0).slice(this.#waitingHead)) this.#failTask(task);
    this.#waitingHead = 0;
    this.#full.length = 0;
  }

  send(target: IOSCSIParallelInterfaceDevice, task: SCSITask): IOReturn {
    if (this.#isEnded || !this.targets.has(target.targetId) || !this.service.process.isAlive)
      return IOReturns.kIOReturnNoDevice;
    if (isFlush(task)) this.flushes.requested++;
    const slot = this.#free.pop();
    if (slot === undefined) this.#waiting.push({ target, task });
    else this.#begin(slot, target, task);
    return IOReturns.kIOReturnSuccess;
  }

  abort(task: SCSITask): void {
    const slot = this.#slots.find((candidate) => candidate.task === task);
    if (slot !== undefined) this.#abortSlot(slot);
  }

  async resetTarget(targetId: number): Promise<void> {
    const { service } = this;
    let response = 0;
    const refused = await this.#call("UserTargetResetRequest", async () => {
      response = await service.userTargetResetRequest(targetId);
    });
    if (refused !== null || response !== kSCSIServiceResponse_FUNCTION_COMPLETE)
      throw service.failure(IOReturns.kIOReturnIOError, "UserTargetResetRequest", refused ?? "rejected");
  }

  completeTask(response: SCSIUserParallelResponse): void {
    // Another version: dropped without a word; the task hangs until its timeout.
    if (response.version !== kScsiUserParallelTaskResponseCurrentVersion1) return;
    const slot = this.#byId.get(response.fControllerTaskIdentifier);
    const { task } = slot ?? { task: null };
    if (slot === undefined || task === null || !slot.isOut || slot.target?.targetId !== response.fTargetID) {
      this.strays++;
      this.#machine.log.kernel(
        `IOSCSIParallelFamily: completion of task ${response.fControllerTaskIdentifier} for target ${response.fTargetID} finds no client`,
      );
      return;
    }
    const isTaskComplete = response.fServiceResponse === kSCSIServiceResponse_TASK_COMPLETE;
    if (isTaskComplete && response.fCompletionStatus === kSCSITaskStatus_TASK_SET_FULL) {
      if (slot.retries < fullRetries && this.#outstanding() > 1) {
        slot.retries++;
        slot.isOut = false;
        this.#full.push(slot);
        return;
      }
      this.#complete(slot, task, response, kSCSITaskStatus_BUSY);
    } else this.#complete(slot, task, response, response.fCompletionStatus);
    if (this.#full.length > 0) for (const again of this.#full.splice(0)) this.#submit(again);
  }

  completeBundle(indices: readonly number[], count: number): void {
    const bundled = this.#bundled;
    if (bundled === null) return;
    for (let at = 0; at < count; at++) {
      const response = bundled.responses[indices[at]];
      if (response !== undefined) this.completeTask(response);
    }
  }

  #complete(slot: Slot, task: SCSITask, response: SCSIUserParallelResponse, status: number): void {
    task.serviceResponse = response.fServiceResponse;
    task.status = status;
    task.realizedBytes = Math.min(response.fBytesTransferred, task.dataBytes + 1);
    const senseBytes = Math.min(response.fSenseLength, task.sense.length);
    task.senseBytes = senseBytes;
    for (let at = 0; at < senseBytes; at++) task.sense[at] = response.fSenseBuffer[at];
    if (isFlush(task)) {
      if (this.#handing === slot) this.flushes.completedEarly++;
      if (task.isGood) this.flushes.completed++;
      else this.flushes.failed++;
    }
    const { mapping, request } = slot;
    this.#release(slot);
    this.onTask?.({ kind: "completed", task, request, mapping, response });
    this.#tell(task);
  }

  /** What has no hardware any more ends as not delivered. */
  #deliverFailure(slot: Slot): void {
    const { task } = slot;
    if (task === null) return;
    const at = this.#full.indexOf(slot);
    if (at >= 0) this.#full.splice(at, 1);
    this.#release(slot);
    this.#failTask(task);
  }

  #failTask(task: SCSITask): void {
    task.serviceResponse = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
    task.realizedBytes = 0;
    task.senseBytes = 0;
    this.#tell(task);
  }

  /** On a step of its own: never inside the call that sent it, nor inside the dext's. */
  #tell(task: SCSITask): void {
    this.#finished[this.#finishedCount++] = task;
    if (this.#isFinishing) return;
    this.#isFinishing = true;
    this.#machine.scheduler.ready(drainFinished, this as ParallelController);
  }

  /** Called by the scheduler. */
  drainFinished(): void {
    this.#isFinishing = false;
    const tasks = this.#finished;
    const count = this.#finishedCount;
    this.#finished = this.#told;
    this.#told = tasks;
    this.#finishedCount = 0;
    for (let at = 0; at < count; at++) {
      const task = tasks[at] as SCSITask;
      tasks[at] = null;
      task.client.taskCompleted(task);
    }
  }

  #begin(slot: Slot, target: IOSCSIParallelInterfaceDevice, task: SCSITask): void {
    slot.task = task;
    slot.target = target;
    slot.retries = 0;
    slot.isAborting = false;
    slot.isOut = false;
    task.hasTimedOut = false;
    const { scheduler } = this.#machine;
    slot.deadlineNs =
      task.timeoutMs === 0 ? Number.POSITIVE_INFINITY : scheduler.nowNs() + task.timeoutMs * millisecond;
    if (!this.#isWatching) {
      this.#isWatching = true;
      scheduler.after(watchNs, watch, this as ParallelController);
    }
    this.#submit(slot);
  }

  #submit(slot: Slot): void {
    const queue = this.service.defaultQueue;
    if (this.#bundled === null) {
      queue.enqueueCall(this.#submitCall, slot.index, 0, 0);
      return;
    }
    this.#bundle.push(slot.index);
    if (this.#bundle.length === 1) queue.enqueueCall(this.#bundleCall, 0, 0, 0);
  }

  /** On the dext's queue: prepares the memory and calls the dext. */
  #handOver(slot: Slot): void | Promise<void> {
    const { task } = slot;
    if (task === null || this.#isEnded || !this.#prepare(slot, task)) return;
    slot.isOut = true;
    this.#handing = slot;
    this.onTask?.({
      kind: "handed over",
      task,
      request: slot.request,
      mapping: slot.mapping,
      response: null,
    });
    const response = this.service.userProcessParallelTask(slot.request, null);
    if (typeof response === "number") this.#handedOver(slot, task, response);
    else return response.then((answer) => this.#handedOver(slot, task, answer));
  }

  #handedOver(slot: Slot, task: SCSITask, response: number): void {
    this.#handing = null;
    if (response !== kSCSIServiceResponse_Request_In_Process && slot.task === task)
      this.#deliverFailure(slot);
  }

  #handBundle(): void {
    const indices: number[] = [];
    for (const index of this.#bundle.splice(0, kMaxBundledParallelTasks)) {
      const slot = this.#slots[index];
      const { task } = slot;
      if (task === null || this.#isEnded || !this.#prepare(slot, task)) continue;
      slot.isOut = true;
      indices.push(index);
    }
    if (this.#bundle.length > 0) this.service.defaultQueue.enqueueCall(this.#bundleCall, 0, 0, 0);
    if (indices.length > 0) this.service.userProcessBundledParallelTasks(indices, indices.length);
  }

  /** False: the buffer could not be set; the command is over and never reaches the dext. */
  #prepare(slot: Slot, task: SCSITask): boolean {
    const { request } = slot;
    let address = 0;
    if (task.dataBytes > 0) {
      if (slot.mapping === null) {
        const { data, dataOffset, dataBytes } = task;
        const isWhole = dataOffset === 0 && dataBytes === data.length;
        const isRead = task.direction === readDirection;
        const mapping = this.#dma?.dmaPort.map(
          isWhole ? data : data.subarray(dataOffset, dataOffset + dataBytes),
          isRead ? DmaDirection.deviceWrites : DmaDirection.deviceReads,
          isRead ? "task read" : "task write",
          this.#limits,
        );
        if (mapping === undefined || typeof mapping === "number" || mapping.segmentCount !== 1) {
          if (typeof mapping === "object") this.#dma?.dmaPort.unmap(mapping);
          this.#deliverFailure(slot);
          return false;
        }
        slot.mapping = mapping;
      }
      address = slot.mapping.firstAddress;
    }
    request.fTargetID = (slot.target as IOSCSIParallelInterfaceDevice).targetId;
    request.fRequestedTransferCount = task.dataBytes;
    request.fBufferIOVMAddr = address;
    request.fLogicalUnitBytes[1] = task.lun;
    request.fCommandSize = task.cdbBytes;
    request.fTransferDirection = task.direction;
    request.fTimeoutInMilliSec = task.timeoutMs;
    for (let at = 0; at < 16; at++)
      request.fCommandDescriptorBlock[at] = at < task.cdbBytes ? task.cdb[at] : 0;
    return true;
  }

  /** The mapping ends: from here on the hardware reaches nothing of it, and a bounced copy is carried back. */
  #release(slot: Slot): void {
    if (slot.mapping !== null) this.#dma?.dmaPort.unmap(slot.mapping);
    slot.mapping = null;
    slot.uses++;
    slot.task = null;
    slot.target = null;
    slot.isOut = false;
    const next = this.#isEnded ? undefined : this.#waiting[this.#waitingHead];
    if (next === undefined) {
      this.#free.push(slot);
      return;
    }
    this.#waitingHead++;
    if (this.#waitingHead === this.#waiting.length) {
      this.#waiting = [];
      this.#waitingHead = 0;
    }
    this.#begin(slot, next.target, next.task);
  }

  #outstanding(): number {
    return this.#slots.length - this.#free.length;
  }

  /** Called by the clock while tasks are out. */
  watch(): void {
    const { scheduler } = this.#machine;
    if (this.#isEnded || this.#outstanding() === 0) {
      this.#isWatching = false;
      return;
    }
    scheduler.after(watchNs, watch, this as ParallelController);
    const now = scheduler.nowNs();
    for (const slot of this.#slots) if (slot.task !== null && now >= slot.deadlineNs) this.#abortSlot(slot);
  }

  /**
   * A task that takes too long: the dext is asked to abort it, so that its memory is not taken from under the hardware, and
   * then it ends as timed out. Whether Apple's twin asks is unverified; that it ends it is established.
   */
  #abortSlot(slot: Slot): void {
    const { service } = this;
    const { task, target } = slot;
    if (task === null || target === null || slot.isAborting) return;
    slot.isAborting = true;
    const { uses } = slot;
    const over = (): void => {
      if (slot.uses !== uses) return;
      task.hasTimedOut = true;
      this.#deliverFailure(slot);
    };
    this.#machine.scheduler.after(abortNs, over, undefined);
    this.#machine.kernelProcess.spawn("task timed out", async () => {
      const { lun } = task;
      await this.#call("UserAbortTaskRequest", async () => {
        await service.userAbortTaskRequest(target.targetId, lun, slot.id);
      });
      over();
    });
  }

  #makeSlots(count: number): void {
    const { service } = this;
    const specification = service.userGetDMASpecification();
    const constraints = this.#constraints ?? {};
    const number = (key: string): number => Number(constraints[key] ?? 0);
    const bits = Math.min(specification.numAddressBits, number("IOMaximumSegmentAddressableBitCount"));
    this.#limits = {
      addressBits: Math.min(bits, 53),
      alignmentBytes: Math.max(1, specification.alignment, number("IOMinimumSegmentAlignmentByteCount")),
    };
    const segments = Math.min(
      number("IOMaximumSegmentCountRead") * number("IOMaximumSegmentByteCountRead"),
      number("IOMaximumSegmentCountWrite") * number("IOMaximumSegmentByteCountWrite"),
    );
    this.maximumTransferBytes = Math.min(specification.maxTransferSize, segments);
    for (let index = 0; index < count; index++) {
      const id = service.userMapHBAData();
      if (id === 0 || this.#byId.has(id))
        throw new ContractViolation(
          "task-id-not-unique",
          `UserMapHBAData answered ${id} ${id === 0 ? "" : "twice"}: the first command would complete, and no other`,
        );
      const slot: Slot = {
        index,
        id,
        request: newRequest(id),
        task: null,
        target: null,
        mapping: null,
        deadlineNs: 0,
        retries: 0,
        isAborting: false,
        isOut: false,
        uses: 0,
      };
      this.#slots.push(slot);
      this.#byId.set(id, slot);
    }
    for (const slot of [...this.#slots].reverse()) this.#free.push(slot);
  }

  /** A call into the dext from a kernel thread; null: it went well, else why not. */
  async #call(method: string, body: () => Promise<void>): Promise<string | null> {
    const { scheduler } = this.#machine;
    const delay = this.#machine.messageDelayNs();
    const { status, why } = await callService(scheduler, this.service, method, delay, body);
    if (status === IOReturns.kIOReturnSuccess) return null;
    return `${method} failed with 0x${(status >>> 0).toString(16)}${why === "" ? "" : `: ${why}`}`;
  }

  /** Any failure undoes the steps before it and fails the start. */
  #fail(why: string): void {
    this.failure = why;
    this.#machine.log.kernel(`IOSCSIParallelFamily: ${this.service.logName}: ${why}`);
    this.#machine.terminate(this.service);
  }
}

function newRequest(id: number): SCSIUserParallelTask {
  return {
    version: kScsiUserParallelTaskCurrentVersion1,
    fTargetID: 0,
    fSCSIParallelFeatureRequest: new Array<number>(kSCSIParallelFeature_TotalFeatureCount).fill(0),
    fSCSIParallelFeatureRequestCount: kSCSIParallelFeature_TotalFeatureCount,
    fControllerTaskIdentifier: id,
    fRequestedTransferCount: 0,
    fBufferIOVMAddr: 0,
    fTaskAttribute: 0,
    fTaskTagIdentifier: 0,
    fLogicalUnitBytes: new Uint8Array(8),
    fCommandDescriptorBlock: new Uint8Array(16),
    fCommandSize: 0,
    fTransferDirection: 0,
    fTimeoutInMilliSec: 0,
  };
}

function isFlush(task: SCSITask): boolean {
  return task.cdb[0] === 0x35 || task.cdb[0] === 0x91;
}

function watch(controller: ParallelController): void {
  controller.watch();
}

function drainFinished(controller: ParallelController): void {
  controller.drainFinished();
}
