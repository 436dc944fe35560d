// The USB Attached SCSI driver: T10 UAS-3; streams at SuperSpeed, READY units below it, task management.

import { DecodeError } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { hex } from "../../base/text.ts";
import { millisecond, second } from "../../base/units.ts";
import {
  attachedScsiProtocol,
  commandIuBytes,
  decodeStatusIu,
  IuId,
  newStatusIu,
  PipeUsage,
  pipeUsageOf,
  putCommandIu,
  putTaskManagementIu,
  ResponseCode,
  statusIuMaximum,
  TaskAttribute,
  TaskFunction,
} from "../../codec/mass-storage/attached-scsi.ts";
import { directionIn } from "../../codec/usb/setup.ts";
import { IOSCSIProtocolServices, type UnitNaming } from "../../families/scsi/io-scsi-protocol-services.ts";
import {
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIDataTransfer_NoDataTransfer,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_GOOD,
  type SCSITask,
  scsiTaskSenseMaximum,
} from "../../families/scsi/scsi-task.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { IOUSBHostPipe } from "../../families/usb/io-usb-host-pipe.ts";
import type { UsbReceiver } from "../../families/usb/usb-requests.ts";
import { IOError } from "../../runtime/io-error.ts";
import type { IOService, ServiceContext } from "../../runtime/service.ts";
import { rememberedDevice } from "./remembered-device.ts";
import { TaskQueue } from "./task-queue.ts";

const maximumTransferBytes = 1 << 20;
/** Commands at once: no more than a controller has room for with three transfers each. */
const depthMaximum = 32;
const managementTimeoutNs = 5 * second;
/** How often the watchdog looks at the deadlines while commands are under way. */
const watchdogNs = 1 * second;

/** Transfers by kind, in the low bits of a receiver's tag. */
const Kind = { command: 0, data: 1, status: 2, management: 3 } as const;
const pending = { command: 1, data: 2, status: 4 } as const;

/** Everything about one command under way. */
class Slot {
  readonly tag: number;
  task: SCSITask | null = null;
  /** Bits of `pending`: transfers that the bus still has. */
  pending = 0;
  /** The device ended the command. */
  isEnded = false;
  isFailed = false;
  moved = 0;
  deadlineNs = Number.POSITIVE_INFINITY;
  readonly commandBytes = new Uint8Array(commandIuBytes + 16);
  readonly statusBytes = new Uint8Array(statusIuMaximum);

  constructor(tag: number) {
    this.tag = tag;
  }
}

/** What happened besides plain commands, for tests and reports. */
export interface AttachedScsiRecoveries {
  tasksAborted: number;
  unitResets: number;
  portResets: number;
  stallsCleared: number;
  timeouts: number;
  /** Data transfers that the device never asked for, or cut short, and that were taken back. */
  dataTakenBack: number;
  strayUnits: number;
}

/**
 * Tags 1 to depth name commands, and with streams their streams; one more is kept for task management. With streams,
 * data and status are queued when the command unit has gone out; without, data moves when the device says READY, and
 * one read of the status pipe is always under way.
 */
export class AttachedScsiDriver extends IOSCSIProtocolServices implements UsbReceiver {
  readonly recoveries: AttachedScsiRecoveries = {
    tasksAborted: 0,
    unitResets: 0,
    portResets: 0,
    stallsCleared: 0,
    timeouts: 0,
    dataTakenBack: 0,
    strayUnits: 0,
  };
  protected usb!: IOUSBHostInterface;
  #command!: IOUSBHostPipe;
  #status!: IOUSBHostPipe;
  #dataIn!: IOUSBHostPipe;
  #dataOut!: IOUSBHostPipe;
  #hasStreams = false;
  readonly #slots: Slot[] = [];
  readonly #free: number[] = [];
  readonly #queue = new TaskQueue();
  readonly #unit = newStatusIu();
  /** Without streams: the one read of the status pipe. */
  readonly #sharedStatus = new Uint8Array(statusIuMaximum);
  readonly #managementBytes = new Uint8Array(16);
  readonly #managementStatus = new Uint8Array(statusIuMaximum);
  #managementTag = 0;
  /** Told of the response code of the task management function under way; null: none came. */
  #onResponse: ((code: number | null) => void) | null = null;
  #isRecovering = false;
  #hasWatchdog = false;
  #isGone = false;
  /** The device does not answer, and resets did not help. */
  #isGivenUp = false;

  constructor(context: ServiceContext) {
    super(context);
  }

  override get unitNaming(): UnitNaming {
    return "IOSCSIHierarchicalLogicalUnit";
  }

  override get maximumLun(): number {
    return 0;
  }

  override get maximumTransferBytes(): number {
    return maximumTransferBytes;
  }

  /** Commands at once. */
  get depth(): number {
    return this.#slots.length;
  }

  get hasStreams(): boolean {
    return this.#hasStreams;
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start");
    this.usb = provider;
    await provider.open(this);
    const alternate = findAlternate(provider);
    if (alternate === null)
      throw this.failure(IOReturns.kIOReturnNotFound, "start", "no UAS alternate setting");
    const before = provider.setting.descriptor.bAlternateSetting;
    if (before !== alternate) await provider.selectAlternateSetting(alternate);
    this.memory = rememberedDevice(provider, this.kernel);
    try {
      this.#command = this.#pipe(PipeUsage.command);
      this.#status = this.#pipe(PipeUsage.status);
      this.#dataIn = this.#pipe(PipeUsage.dataIn);
      this.#dataOut = this.#pipe(PipeUsage.dataOut);
    } catch (error) {
      // Whoever is asked next finds the setting that it was matched by.
      if (before !== alternate) await provider.selectAlternateSetting(before);
      throw error;
    }
    // Not before: a start that fails is no sign of life, and resets before it still count.
    this.memory.started();
    const streams = Math.min(this.#status.streamCount, this.#dataIn.streamCount, this.#dataOut.streamCount);
    this.#hasStreams = streams > 0;
    if (this.#hasStreams)
      for (const pipe of [this.#status, this.#dataIn, this.#dataOut]) pipe.enableStreams();
    // The highest stream is kept for task management.
    const depth = this.#hasStreams ? Math.max(1, Math.min(depthMaximum, streams - 1)) : depthMaximum;
    this.#managementTag = depth + 1;
    for (let index = 0; index < depth; index++) {
      this.#slots.push(new Slot(index + 1));
      this.#free.push(depth - 1 - index);
    }
    if (!this.#hasStreams) this.#readSharedStatus();
    this.registerService();
  }

  override sendCommand(task: SCSITask): IOReturn {
    if (this.#isGone) return IOReturns.kIOReturnNoDevice;
    if (this.#isGivenUp) {
      this.kernel.scheduler.ready(failTask, task);
      return IOReturns.kIOReturnSuccess;
    }
    const index = this.#isRecovering || this.#queue.count > 0 ? undefined : this.#free.pop();
    if (index === undefined) this.#queue.push(task);
    else this.#begin(index, task);
    return IOReturns.kIOReturnSuccess;
  }

  override abortCommand(task: SCSITask): void {
    const index = this.#slots.findIndex((slot) => slot.task === task);
    if (index >= 0) this.#recover([index]);
    else if (this.#queue.remove(task)) this.kernel.scheduler.ready(failTask, task);
  }

  override async resetDevice(): Promise<void> {
    const code = await this.#manage(TaskFunction.logicalUnitReset, 0, 0);
    if (code !== ResponseCode.complete) this.usb.copyDevice().reset();
  }

  override willTerminate(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.usb?.close(this);
    this.#onResponse?.(null);
    this.#failAll();
  }

  usbCompleted(tag: number, status: IOReturn, actualBytes: number): void {
    if (this.#isGone) return;
    const kind = tag & 3;
    const index = tag >> 2;
    if (kind === Kind.management) {
      this.#managementCompleted(index, status, actualBytes);
      return;
    }
    if (index === this.#slots.length) {
      this.#sharedStatusCame(status, actualBytes);
      return;
    }
    const slot = this.#slots[index];
    if (kind === Kind.command) {
      slot.pending &= ~pending.command;
      if (status !== IOReturns.kIOReturnSuccess) this.#trouble(slot, status);
      else if (this.#hasStreams && !slot.isFailed) this.#commandSent(index, slot);
    } else if (kind === Kind.data) {
      slot.pending &= ~pending.data;
      slot.moved = actualBytes;
      // Taken back after the device had ended the command: what moved counts.
      if (status !== IOReturns.kIOReturnSuccess && !slot.isEnded) this.#trouble(slot, status);
    } else {
      slot.pending &= ~pending.status;
      if (status !== IOReturns.kIOReturnSuccess) this.#trouble(slot, status);
      else this.#unitCame(slot.statusBytes, actualBytes);
    }
    this.#settle(index, slot);
  }

  /** What the host queues as data stage for a command; overridden by those who get it wrong on purpose. */
  protected queuesData(task: SCSITask): boolean {
    return task.direction !== kSCSIDataTransfer_NoDataTransfer && task.dataBytes > 0;
  }

  #begin(index: number, task: SCSITask): void {
    const slot = this.#slots[index];
    slot.task = task;
    slot.isEnded = false;
    slot.isFailed = false;
    slot.moved = 0;
    task.status = kSCSITaskStatus_GOOD;
    task.senseBytes = 0;
    task.realizedBytes = 0;
    task.hasTimedOut = false;
    slot.deadlineNs =
      task.timeoutMs === 0
        ? Number.POSITIVE_INFINITY
        : this.kernel.scheduler.nowNs() + task.timeoutMs * millisecond;
    this.#watch();
    const length = putCommandIu(
      slot.commandBytes,
      slot.tag,
      TaskAttribute.simple,
      task.lun,
      task.cdb,
      task.cdbBytes,
    );
    this.#submit(slot, index, Kind.command, pending.command, this.#command, slot.commandBytes, 0, length, 0);
  }

  #submit(
    slot: Slot,
    index: number,
    kind: number,
    bit: number,
    pipe: IOUSBHostPipe,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): void {
    const status = pipe.enqueue(buffer, offset, length, stream, 0, this, index * 4 + kind);
    if (status === IOReturns.kIOReturnSuccess) slot.pending |= bit;
    else this.#trouble(slot, status);
  }

  #commandSent(index: number, slot: Slot): void {
    this.#queueData(index, slot);
    this.#submit(
      slot,
      index,
      Kind.status,
      pending.status,
      this.#status,
      slot.statusBytes,
      0,
      statusIuMaximum,
      slot.tag,
    );
  }

  #queueData(index: number, slot: Slot): void {
    const task = slot.task as SCSITask;
    if (!this.queuesData(task)) return;
    const isIn = task.direction === kSCSIDataTransfer_FromTargetToInitiator;
    this.#submit(
      slot,
      index,
      Kind.data,
      pending.data,
      isIn ? this.#dataIn : this.#dataOut,
      task.data,
      task.dataOffset,
      task.dataBytes,
      this.#hasStreams ? slot.tag : 0,
    );
  }

  /** Whatever came on the status pipe, for whichever command. */
  #unitCame(bytes: Uint8Array, length: number): void {
    const unit = this.#unit;
    try {
      decodeStatusIu(bytes, 0, length, unit);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.recoveries.strayUnits++;
      this.#recover([]);
      return;
    }
    if (unit.tag === this.#managementTag && this.#onResponse !== null && unit.id === IuId.response) {
      this.#onResponse(unit.status);
      return;
    }
    const index = unit.tag - 1;
    const slot = this.#slots[index];
    if (slot === undefined || slot.task === null || slot.isEnded) {
      this.recoveries.strayUnits++;
      return;
    }
    const { task } = slot;
    if (unit.id === IuId.readReady || unit.id === IuId.writeReady) {
      // Said before the device heard that its command is over: there will be no data phase.
      if (this.#isRecovering) {
        this.recoveries.strayUnits++;
        return;
      }
      const isIn = task.direction === kSCSIDataTransfer_FromTargetToInitiator;
      // The device wants a data phase that the host knows nothing of, or the other way round.
      if (!this.queuesData(task) || isIn !== (unit.id === IuId.readReady)) this.#recover([index]);
      else if ((slot.pending & pending.data) === 0) this.#queueData(index, slot);
      return;
    }
    slot.isEnded = true;
    if (unit.id === IuId.response) {
      // Invalid unit, overlapped tag, wrong unit: UAS-3 table 18.
      slot.isFailed = true;
    } else {
      task.status = unit.status;
      task.senseBytes = Math.min(unit.senseBytes, scsiTaskSenseMaximum);
      for (let at = 0; at < task.senseBytes; at++) task.sense[at] = bytes[unit.senseAt + at];
    }
    // Whatever the device did not take or give is not coming any more.
    if ((slot.pending & pending.data) !== 0) {
      this.recoveries.dataTakenBack++;
      const isIn = task.direction === kSCSIDataTransfer_FromTargetToInitiator;
      (isIn ? this.#dataIn : this.#dataOut).abortOne(this, index * 4 + Kind.data);
    }
    if (!this.#hasStreams) this.#settle(index, slot);
  }

  /** Ends a command when the device has ended it and the bus has given everything back. */
  #settle(index: number, slot: Slot): void {
    const { task } = slot;
    if (task === null || !slot.isEnded || slot.pending !== 0 || this.#isRecovering) return;
    slot.task = null;
    task.serviceResponse = slot.isFailed
      ? kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE
      : kSCSIServiceResponse_TASK_COMPLETE;
    task.realizedBytes = slot.moved;
    this.#free.push(index);
    task.client.taskCompleted(task);
    this.#pump();
  }

  #pump(): void {
    while (this.#queue.count > 0 && !this.#isRecovering && !this.#isGone) {
      const index = this.#free.pop();
      if (index === undefined) return;
      this.#begin(index, this.#queue.shift() as SCSITask);
    }
  }

  #readSharedStatus(): void {
    const status = this.#status.enqueue(
      this.#sharedStatus,
      0,
      statusIuMaximum,
      0,
      0,
      this,
      this.#slots.length * 4 + Kind.status,
    );
    if (status !== IOReturns.kIOReturnSuccess && !this.#isGone) this.#recover([]);
  }

  #sharedStatusCame(status: IOReturn, actualBytes: number): void {
    if (status === IOReturns.kIOReturnSuccess) {
      this.#unitCame(this.#sharedStatus, actualBytes);
      if (!this.#isGone && !this.#isRecovering) this.#readSharedStatus();
    } else if (!this.#isRecovering && status !== IOReturns.kIOReturnAborted) this.#recover([]);
  }

  #trouble(slot: Slot, status: IOReturn): void {
    slot.isFailed = true;
    if (status !== IOReturns.kIOReturnAborted || !this.#isRecovering) this.#recover([slot.tag - 1]);
  }

  // ---- recovery

  /**
   * Puts device and pipes in order: `late` are commands to abort alone, when nothing else is wrong. Commands wait
   * meanwhile. What cannot be cured by task management is cured by a port reset.
   */
  #recover(late: readonly number[]): void {
    if (this.#isRecovering || this.#isGone) return;
    this.#isRecovering = true;
    this.process.spawn("UAS recovery", async () => {
      let isSound = false;
      try {
        isSound = await this.#putInOrder(late);
      } catch (error) {
        if (!(error instanceof IOError)) throw error;
      }
      if (this.#isGone) return;
      if (!isSound && this.memory.mayReset()) {
        this.recoveries.portResets++;
        this.usb.copyDevice().reset();
        // The device comes back as another one: `willTerminate` answers for the commands.
        return;
      }
      if (!isSound) {
        this.#giveUp();
        return;
      }
      this.#isRecovering = false;
      if (!this.#hasStreams) this.#readSharedStatus();
      for (const [index, slot] of this.#slots.entries()) {
        if (slot.task === null) continue;
        if (slot.isFailed) slot.isEnded = true;
        this.#settle(index, slot);
      }
      this.#pump();
    });
  }

  /** Everything fails now, and what comes fails at once: until the device is unplugged. */
  #giveUp(): void {
    this.#isGivenUp = true;
    this.log(`${this.logName}: the device does not answer, and resets did not help: it is left alone`);
    this.#failAll();
  }

  #failAll(): void {
    for (const slot of this.#slots) {
      const { task } = slot;
      slot.task = null;
      if (task !== null) this.kernel.scheduler.ready(failTask, task);
    }
    for (let next = this.#queue.shift(); next !== null; next = this.#queue.shift())
      this.kernel.scheduler.ready(failTask, next);
  }

  /** True when the device answered task management; every command then has ended or was aborted. */
  async #putInOrder(late: readonly number[]): Promise<boolean> {
    const running = this.#slots.filter((slot) => slot.task !== null);
    const pipes = [this.#command, this.#status, this.#dataIn, this.#dataOut];
    // SAM-5 §5.5: all commands of a unit that is reset are gone; so are their transfers.
    for (const pipe of pipes) await pipe.abort();
    for (let waited = 0; running.some((slot) => slot.pending !== 0); waited++) {
      if (waited > 1000 || this.#isGone) return false;
      await this.kernel.scheduler.sleep(1 * millisecond);
    }
    for (const pipe of pipes) {
      await pipe.clearStall(true);
      this.recoveries.stallsCleared++;
    }
    const only = late.length === 1 && running.length === 1 ? this.#slots[late[0]] : null;
    if (only?.task != null) {
      const code = await this.#manage(TaskFunction.abortTask, only.tag, only.task.lun);
      if (code === ResponseCode.complete) {
        this.recoveries.tasksAborted++;
        only.isFailed = true;
        return true;
      }
    }
    const units = new Set(running.map((slot) => slot.task?.lun ?? 0));
    if (units.size === 0) units.add(0);
    for (const lun of units) {
      const code = await this.#manage(TaskFunction.logicalUnitReset, 0, lun);
      if (code !== ResponseCode.complete) return false;
      this.recoveries.unitResets++;
    }
    for (const slot of running) slot.isFailed = true;
    return true;
  }

  /** Sends a task management function and waits for its response code; null when none came in time. */
  async #manage(taskFunction: number, managedTag: number, lun: number): Promise<number | null> {
    const { scheduler } = this.kernel;
    const length = putTaskManagementIu(
      this.#managementBytes,
      this.#managementTag,
      taskFunction,
      managedTag,
      lun,
    );
    return await scheduler.block<number | null>("a task management response", (completion) => {
      const timer = scheduler.after(managementTimeoutNs, () => this.#onResponse?.(null), undefined);
      this.#onResponse = (code) => {
        this.#onResponse = null;
        scheduler.cancel(timer);
        completion.succeed(code);
      };
      const stream = this.#hasStreams ? this.#managementTag : 0;
      const isRead = this.#status.enqueue(
        this.#managementStatus,
        0,
        statusIuMaximum,
        stream,
        0,
        this,
        (1 << 2) | Kind.management,
      );
      const isSent = this.#command.enqueue(
        this.#managementBytes,
        0,
        length,
        0,
        0,
        this,
        (0 << 2) | Kind.management,
      );
      if (isRead !== IOReturns.kIOReturnSuccess || isSent !== IOReturns.kIOReturnSuccess)
        this.#onResponse(null);
    });
  }

  /** `index` 0: the unit went out. 1: its response came. */
  #managementCompleted(index: number, status: IOReturn, actualBytes: number): void {
    if (this.#onResponse === null) return;
    if (status !== IOReturns.kIOReturnSuccess) {
      this.#onResponse(null);
      return;
    }
    if (index !== 1) return;
    this.#unitCame(this.#managementStatus, actualBytes);
    // Without streams something else may come first: read on.
    if (this.#onResponse === null) return;
    const stream = this.#hasStreams ? this.#managementTag : 0;
    const read = this.#status.enqueue(
      this.#managementStatus,
      0,
      statusIuMaximum,
      stream,
      0,
      this,
      (1 << 2) | Kind.management,
    );
    if (read !== IOReturns.kIOReturnSuccess) this.#onResponse(null);
  }

  /** One timer for all commands. */
  #watch(): void {
    if (this.#hasWatchdog) return;
    this.#hasWatchdog = true;
    this.kernel.scheduler.after(watchdogNs, this.#bark, undefined);
  }

  readonly #bark = (): void => {
    this.#hasWatchdog = false;
    if (this.#isGone) return;
    const now = this.kernel.scheduler.nowNs();
    const late: number[] = [];
    let isBusy = false;
    for (const [index, slot] of this.#slots.entries()) {
      if (slot.task === null) continue;
      isBusy = true;
      if (now >= slot.deadlineNs) late.push(index);
    }
    if (late.length > 0 && !this.#isRecovering) {
      this.recoveries.timeouts += late.length;
      for (const index of late) (this.#slots[index].task as SCSITask).hasTimedOut = true;
      this.#recover(late);
    }
    if (isBusy) this.#watch();
  };

  /** The pipe with a usage, by the descriptor behind its endpoint. */
  #pipe(usage: number): IOUSBHostPipe {
    const endpoint = this.usb.setting.endpoints.find(({ extra }) =>
      extra.some(({ bytes }) => pipeUsageOf(bytes) === usage),
    );
    if (endpoint === undefined)
      throw this.failure(IOReturns.kIOReturnNotFound, "start", `no endpoint has pipe usage ${usage}`);
    // Status and Data-in come from the device, Command and Data-out go to it (UAS-3 §5.3.3): a read that is sent out would
    // complete at once, with the host's own zeros for a status, again and again.
    const { bEndpointAddress } = endpoint.descriptor;
    const mustBeIn = usage === PipeUsage.status || usage === PipeUsage.dataIn;
    if (((bEndpointAddress & directionIn) !== 0) !== mustBeIn)
      throw this.failure(
        IOReturns.kIOReturnUnsupported,
        "start",
        `pipe usage ${usage} is on endpoint 0x${hex(bEndpointAddress, 2)}, which runs the other way`,
      );
    return this.usb.copyPipe(endpoint.descriptor.bEndpointAddress);
  }
}

/** bAlternateSetting of an interface's UAS setting; null when it has none. */
export function findAlternate(usb: IOUSBHostInterface): number | null {
  const entry = usb.copyConfigurationDescriptor().interfaces.find(({ number }) => number === usb.number);
  const setting = entry?.settings.find(
    ({ descriptor }) => descriptor.bInterfaceProtocol === attachedScsiProtocol,
  );
  return setting?.descriptor.bAlternateSetting ?? null;
}

function failTask(task: SCSITask): void {
  task.serviceResponse = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
  task.realizedBytes = 0;
  task.client.taskCompleted(task);
}
