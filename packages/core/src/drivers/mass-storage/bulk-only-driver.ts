// The Bulk-Only driver: USB Mass Storage Class Bulk-Only Transport, revision 1.0, with its error recovery.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond } from "../../base/units.ts";
import {
  BulkOnlyRequest,
  BulkOnlyStatus,
  commandWrapperBytes,
  decodeStatusWrapper,
  isStatusWrapper,
  newStatusWrapper,
  putCommandWrapper,
  statusWrapperBytes,
} from "../../codec/mass-storage/bulk-only.ts";
import { writeRequestSense } from "../../codec/scsi/cdb.ts";
import { ScsiOpcode } from "../../codec/scsi/commands.ts";
import { IOSCSIProtocolServices, type UnitNaming } from "../../families/scsi/io-scsi-protocol-services.ts";
import {
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_CHECK_CONDITION,
  kSCSITaskStatus_GOOD,
  SCSITask,
} from "../../families/scsi/scsi-task.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { IOUSBHostPipe } from "../../families/usb/io-usb-host-pipe.ts";
import type { UsbReceiver } from "../../families/usb/usb-requests.ts";
import { IOError } from "../../runtime/io-error.ts";
import { kIOMemoryDirectionIn } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { rememberedDevice } from "./remembered-device.ts";
import { TaskQueue } from "./task-queue.ts";

const classRequestOut = 0x21;
const classRequestIn = 0xa1;
const requestTimeoutMs = 5000;
/** Fixed-format sense data: what every device understands. */
const senseBytes = 18;
const maximumTransferBytes = 1 << 20;
/** Consecutive failed recoveries before the port is reset. */
const recoveriesBeforeReset = 2;

const Stage = { idle: 0, command: 1, data: 2, status: 3, recovering: 4 } as const;
type Stage = (typeof Stage)[keyof typeof Stage];

/** What happened besides plain commands, for tests and reports. */
export interface BulkOnlyRecoveries {
  stallsCleared: number;
  resetRecoveries: number;
  portResets: number;
  phaseErrors: number;
  invalidStatus: number;
  timeouts: number;
}

/**
 * One command at a time: CBW, data, CSW, each sent when the one before it is over. No IN is queued ahead of the CBW's
 * completion: a device may answer one with a STALL (QEMU's does). CHECK CONDITION is followed by REQUEST SENSE, because
 * a CSW carries none.
 */
export class BulkOnlyDriver extends IOSCSIProtocolServices implements UsbReceiver {
  readonly recoveries: BulkOnlyRecoveries = {
    stallsCleared: 0,
    resetRecoveries: 0,
    portResets: 0,
    phaseErrors: 0,
    invalidStatus: 0,
    timeouts: 0,
  };
  protected usb!: IOUSBHostInterface;
  #in!: IOUSBHostPipe;
  #out!: IOUSBHostPipe;
  #maximumLun = 0;
  readonly #queue = new TaskQueue();
  readonly #wrapper = new Uint8Array(commandWrapperBytes);
  readonly #statusBytes = new Uint8Array(statusWrapperBytes);
  readonly #status = newStatusWrapper();
  /** The command under way; `#running` is what the device was sent: itself, or REQUEST SENSE for it. */
  #task: SCSITask | null = null;
  #running: SCSITask | null = null;
  readonly #senseTask: SCSITask;
  #tag = 0;
  #stage: Stage = Stage.idle;
  #moved = 0;
  #statusTries = 0;
  #deadlineNs = 0;
  /** When the watchdog looks next; infinity: it sleeps. */
  #barkAtNs = Number.POSITIVE_INFINITY;
  #barkTimer = 0;
  #isTimedOut = false;
  #isGone = false;
  /** The device does not answer, and resets did not help. */
  #isGivenUp = false;
  #failedRecoveries = 0;

  constructor(context: ConstructorParameters<typeof IOSCSIProtocolServices>[0]) {
    super(context);
    this.#senseTask = new SCSITask({ taskCompleted: () => {} }, 0);
    this.#senseTask.data = new Uint8Array(senseBytes);
  }

  override get unitNaming(): UnitNaming {
    return "IOSCSILogicalUnitNub";
  }

  override get maximumLun(): number {
    return this.#maximumLun;
  }

  override get maximumTransferBytes(): number {
    return maximumTransferBytes;
  }

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start");
    this.usb = provider;
    await provider.open(this);
    const { endpoints } = provider.setting;
    const find = (isIn: boolean) =>
      endpoints.find(
        ({ descriptor }) =>
          (descriptor.bmAttributes & 3) === 2 && ((descriptor.bEndpointAddress & 0x80) !== 0) === isIn,
      );
    const [bulkIn, bulkOut] = [find(true), find(false)];
    if (bulkIn === undefined || bulkOut === undefined)
      throw this.failure(IOReturns.kIOReturnNotFound, "start", "bulk pipes");
    this.#in = provider.copyPipe(bulkIn.descriptor.bEndpointAddress);
    this.#out = provider.copyPipe(bulkOut.descriptor.bEndpointAddress);
    this.memory = rememberedDevice(provider, this.kernel);
    this.#maximumLun = await this.#getMaxLun();
    this.memory.started();
    this.registerService();
  }

  override sendCommand(task: SCSITask): IOReturn {
    if (this.#isGone) return IOReturns.kIOReturnNoDevice;
    if (this.#isGivenUp) {
      this.kernel.scheduler.ready(failTask, task);
      return IOReturns.kIOReturnSuccess;
    }
    this.#queue.push(task);
    if (this.#stage === Stage.idle) this.#next();
    return IOReturns.kIOReturnSuccess;
  }

  override abortCommand(task: SCSITask): void {
    if (this.#task === task) this.#timeOut();
    else if (this.#queue.remove(task)) this.kernel.scheduler.ready(failTask, task);
  }

  override async resetDevice(): Promise<void> {
    await this.#resetRecovery();
  }

  /** Everything pending has come back from the bus; what waits here never got there. */
  override willTerminate(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.usb?.close(this);
    const task = this.#task;
    this.#task = null;
    this.#stage = Stage.idle;
    if (task !== null) this.kernel.scheduler.ready(failTask, task);
    for (let next = this.#queue.shift(); next !== null; next = this.#queue.shift())
      this.kernel.scheduler.ready(failTask, next);
  }

  usbCompleted(tag: number, status: IOReturn, actualBytes: number): void {
    // Stages of a command that was given up are history.
    if (this.#isGone || tag !== this.#tag * 4 + this.#stage) return;
    switch (this.#stage) {
      case Stage.command:
        this.#commandSent(status, actualBytes);
        return;
      case Stage.data:
        this.#dataMoved(status, actualBytes);
        return;
      case Stage.status:
        this.#statusCame(status, actualBytes);
        return;
      default:
    }
  }

  /** Realised byte count of a finished command. Overridden by those who get it wrong on purpose. */
  protected realized(_task: SCSITask, movedBytes: number): number {
    return movedBytes;
  }

  #next(): void {
    const task = this.#queue.shift();
    if (task === null) {
      this.#stage = Stage.idle;
      return;
    }
    this.#task = task;
    task.status = kSCSITaskStatus_GOOD;
    task.senseBytes = 0;
    task.realizedBytes = 0;
    task.hasTimedOut = false;
    this.#isTimedOut = false;
    this.#watch(task.timeoutMs);
    this.#begin(task);
  }

  #begin(task: SCSITask): void {
    this.#running = task;
    this.#tag = (this.#tag + 1) & 0x3fffff;
    this.#moved = 0;
    this.#statusTries = 0;
    const isIn = task.direction === kSCSIDataTransfer_FromTargetToInitiator;
    putCommandWrapper(this.#wrapper, this.#tag, task.dataBytes, isIn, task.lun, task.cdb, task.cdbBytes);
    this.#submit(Stage.command, this.#out, this.#wrapper, 0, commandWrapperBytes);
  }

  #submit(stage: Stage, pipe: IOUSBHostPipe, buffer: Uint8Array, offset: number, length: number): void {
    this.#stage = stage;
    const status = pipe.enqueue(buffer, offset, length, 0, 0, this, this.#tag * 4 + stage);
    if (status !== IOReturns.kIOReturnSuccess) this.#recover(`a transfer was refused`);
  }

  #commandSent(status: IOReturn, actualBytes: number): void {
    // A stalled CBW was not accepted: §6.6.1 leaves reset recovery only.
    if (status !== IOReturns.kIOReturnSuccess || actualBytes !== commandWrapperBytes) {
      this.#recover("the CBW was not taken");
      return;
    }
    const task = this.#running as SCSITask;
    if (task.dataBytes === 0) {
      this.#readStatus();
      return;
    }
    const pipe = task.direction === kSCSIDataTransfer_FromTargetToInitiator ? this.#in : this.#out;
    this.#submit(Stage.data, pipe, task.data, task.dataOffset, task.dataBytes);
  }

  #dataMoved(status: IOReturn, actualBytes: number): void {
    this.#moved = actualBytes;
    if (status === IOReturns.kIOReturnSuccess) {
      this.#readStatus();
      return;
    }
    if (status !== IOReturns.kUSBHostReturnPipeStalled) {
      this.#recover("the data stage failed");
      return;
    }
    // §6.7.2, §6.7.3: a stalled data stage is ended; the status is still to come.
    const task = this.#running as SCSITask;
    const pipe = task.direction === kSCSIDataTransfer_FromTargetToInitiator ? this.#in : this.#out;
    this.#clearThenReadStatus(pipe);
  }

  #readStatus(): void {
    this.#submit(Stage.status, this.#in, this.#statusBytes, 0, statusWrapperBytes);
  }

  #clearThenReadStatus(pipe: IOUSBHostPipe): void {
    this.#stage = Stage.recovering;
    const tag = this.#tag;
    this.#thread("clear stall", async () => {
      await pipe.clearStall(true);
      this.recoveries.stallsCleared++;
      if (!this.#isGone && this.#tag === tag && this.#stage === Stage.recovering) this.#readStatus();
    });
  }

  /** §6.3: valid, meaningful, or reset recovery. */
  #statusCame(status: IOReturn, actualBytes: number): void {
    if (
      status === IOReturns.kUSBHostReturnPipeStalled ||
      (status === IOReturns.kIOReturnSuccess && actualBytes === 0)
    ) {
      // §5.3.3: the first stall is cleared and the status read again.
      if (this.#statusTries++ > 0) {
        this.#recover("the CSW stalled twice");
        return;
      }
      if (actualBytes === 0 && status === IOReturns.kIOReturnSuccess) {
        this.#readStatus();
        return;
      }
      this.#clearThenReadStatus(this.#in);
      return;
    }
    if (status !== IOReturns.kIOReturnSuccess) {
      this.#recover("the CSW did not come");
      return;
    }
    const task = this.#running as SCSITask;
    if (!isStatusWrapper(this.#statusBytes, 0, actualBytes)) {
      this.recoveries.invalidStatus++;
      this.#recover("the CSW is not valid");
      return;
    }
    const csw = decodeStatusWrapper(this.#statusBytes, 0, actualBytes, this.#status);
    if (csw.tag !== this.#tag || csw.status > BulkOnlyStatus.phaseError) {
      this.recoveries.invalidStatus++;
      this.#recover("the CSW belongs to another command");
      return;
    }
    if (csw.status === BulkOnlyStatus.phaseError) {
      this.recoveries.phaseErrors++;
      // It disagrees, but it answers: no reason for a reset of the port.
      this.#failedRecoveries = 0;
      this.#recover("phase error");
      return;
    }
    if (csw.residue > task.dataBytes) {
      // §6.3.2: not meaningful.
      this.recoveries.invalidStatus++;
      this.#recover("the residue is more than was asked for");
      return;
    }
    this.#failedRecoveries = 0;
    if (csw.residue > 0 && !this.memory.residueLies && this.#isResidueFalse(csw.status)) {
      this.memory.residueLies = true;
      this.log(`${this.logName}: the residue of the device's CSWs is wrong: what moved on the bus counts`);
    }
    // What was padded does not count: the smaller of the two is what the device realised.
    const moved = this.memory.residueLies ? this.#moved : Math.min(this.#moved, task.dataBytes - csw.residue);
    if (task === this.#senseTask) {
      this.#senseCame(csw.status === BulkOnlyStatus.passed ? moved : 0);
      return;
    }
    task.realizedBytes = this.realized(task, moved);
    if (csw.status === BulkOnlyStatus.passed) {
      this.#complete(kSCSIServiceResponse_TASK_COMPLETE);
      return;
    }
    task.status = kSCSITaskStatus_CHECK_CONDITION;
    const sense = this.#senseTask;
    sense.lun = task.lun;
    sense.cdbBytes = writeRequestSense(sense.cdb, senseBytes);
    sense.direction = kSCSIDataTransfer_FromTargetToInitiator;
    sense.dataBytes = senseBytes;
    this.#begin(sense);
  }

  /**
   * Two answers are never padded, so that a residue beside all of their bytes is false: READ CAPACITY(10) has 8 bytes
   * (SBC-3 §5.15), and of standard INQUIRY data there are 36 at least (SPC-4 §6.4.2).
   */
  #isResidueFalse(status: number): boolean {
    const { cdb, dataBytes } = this.#running as SCSITask;
    if (status !== BulkOnlyStatus.passed || this.#moved !== dataBytes) return false;
    const isInquiry = cdb[0] === ScsiOpcode.inquiry && (cdb[1] & 1) === 0 && dataBytes <= 36;
    return isInquiry || (cdb[0] === ScsiOpcode.readCapacity10 && dataBytes === 8);
  }

  #senseCame(bytes: number): void {
    const task = this.#task as SCSITask;
    for (let index = 0; index < bytes; index++) task.sense[index] = this.#senseTask.data[index];
    task.senseBytes = bytes;
    this.#complete(kSCSIServiceResponse_TASK_COMPLETE);
  }

  /** Called from a completion, so the client may be told at once. */
  #complete(serviceResponse: number): void {
    const task = this.#task as SCSITask;
    this.#task = null;
    this.#running = null;
    task.serviceResponse = serviceResponse;
    this.#stage = Stage.recovering;
    task.client.taskCompleted(task);
    if (!this.#isGone && this.#stage === Stage.recovering) this.#next();
  }

  /** Fails the command and puts the device in order before the next one: §5.3.4. */
  #recover(_reason: string): void {
    this.#stage = Stage.recovering;
    // Whatever still comes for this command is stale.
    this.#tag = (this.#tag + 1) & 0x3fffff;
    this.#thread("reset recovery", async () => {
      let isSound = false;
      try {
        await this.#resetRecovery();
        isSound = true;
      } catch (error) {
        if (!(error instanceof IOError)) throw error;
      }
      if (this.#isGone) return;
      this.#failedRecoveries++;
      if (!isSound || this.#failedRecoveries > recoveriesBeforeReset) {
        this.#failedRecoveries = 0;
        if (this.memory.mayReset()) {
          this.recoveries.portResets++;
          // The device comes back as another one, and this driver with it: `willTerminate` answers for what waits.
          this.usb.copyDevice().reset();
          const task = this.#task;
          this.#task = null;
          if (task !== null) failTask(task);
          return;
        }
        this.#giveUp();
      }
      if (this.#task !== null) this.#complete(kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE);
    });
  }

  /** What waits fails now, what comes fails at once: until the device is unplugged. */
  #giveUp(): void {
    this.#isGivenUp = true;
    this.log(`${this.logName}: the device does not answer, and resets did not help: it is left alone`);
    for (let next = this.#queue.shift(); next !== null; next = this.#queue.shift())
      this.kernel.scheduler.ready(failTask, next);
  }

  /** §5.3.4: class request, then both halts. */
  async #resetRecovery(): Promise<void> {
    await this.#in.abort();
    await this.#out.abort();
    this.recoveries.resetRecoveries++;
    await this.usb.deviceRequest(
      classRequestOut,
      BulkOnlyRequest.reset,
      0,
      this.usb.number,
      0,
      null,
      requestTimeoutMs,
    );
    await this.#in.clearStall(true);
    await this.#out.clearStall(true);
  }

  /** Error recovery runs on a kernel thread; a device that fails in it is reset or gone. */
  #thread(name: string, body: () => Promise<void>): void {
    this.process.spawn(name, async () => {
      try {
        await body();
      } catch (error) {
        if (!(error instanceof IOError)) throw error;
        if (!this.#isGone && this.#task !== null) this.#recover(error.message);
      }
    });
  }

  /** One timer for all commands: it looks at the deadline of whichever is under way, and never later than that. */
  #watch(timeoutMs: number): void {
    const { scheduler } = this.kernel;
    this.#deadlineNs =
      timeoutMs === 0 ? Number.POSITIVE_INFINITY : scheduler.nowNs() + timeoutMs * millisecond;
    if (this.#deadlineNs >= this.#barkAtNs) return;
    if (this.#barkAtNs !== Number.POSITIVE_INFINITY) scheduler.cancel(this.#barkTimer);
    this.#armWatchdog(this.#deadlineNs);
  }

  #armWatchdog(atNs: number): void {
    const { scheduler } = this.kernel;
    this.#barkAtNs = atNs;
    this.#barkTimer = scheduler.after(atNs - scheduler.nowNs(), this.#bark, undefined);
  }

  readonly #bark = (): void => {
    this.#barkAtNs = Number.POSITIVE_INFINITY;
    if (this.#isGone || this.#task === null || this.#deadlineNs === Number.POSITIVE_INFINITY) return;
    if (this.#deadlineNs > this.kernel.scheduler.nowNs()) this.#armWatchdog(this.#deadlineNs);
    else this.#timeOut();
  };

  #timeOut(): void {
    if (this.#isTimedOut || this.#stage === Stage.idle) return;
    this.#isTimedOut = true;
    if (this.#task !== null) this.#task.hasTimedOut = true;
    this.recoveries.timeouts++;
    this.#recover("the command took too long");
  }

  /** §3.2: a device with one unit may stall. */
  async #getMaxLun(): Promise<number> {
    const buffer = this.usb.createIOBuffer(kIOMemoryDirectionIn, 1);
    try {
      const count = await this.usb.deviceRequest(
        classRequestIn,
        BulkOnlyRequest.getMaxLun,
        0,
        this.usb.number,
        1,
        buffer,
        requestTimeoutMs,
      );
      return count === 1 ? Math.min(15, buffer.bytes[0]) : 0;
    } catch (error) {
      if (!(error instanceof IOError) || error.code !== IOReturns.kUSBHostReturnPipeStalled) throw error;
      return 0;
    } finally {
      buffer.release();
    }
  }
}

function failTask(task: SCSITask): void {
  task.serviceResponse = kSCSIServiceResponse_SERVICE_DELIVERY_OR_TARGET_FAILURE;
  task.realizedBytes = 0;
  task.client.taskCompleted(task);
}
