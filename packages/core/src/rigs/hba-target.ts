// A target behind a host adapter's dext, as the SCSI target that an outlet serves: iSCSI on a LUN behind the HBA.

import { getU16be, getU32be } from "../base/bytes.ts";
import { IOReturns } from "../base/io-return.ts";
import { type CdbFields, newCdbFields, readCdb } from "../codec/scsi/cdb.ts";
import { LengthUnit, ScsiOpcode, ServiceAction } from "../codec/scsi/commands.ts";
import { SenseCode, SenseKey, writeFixedSense } from "../codec/scsi/sense.ts";
import type { IOSCSIParallelInterfaceDevice } from "../families/scsi/io-scsi-parallel-interface-device.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_TASK_COMPLETE,
  SCSITask,
  type ScsiTaskClient,
} from "../families/scsi/scsi-task.ts";
import {
  ScsiDirection,
  ScsiStatus,
  type ScsiTargetClient,
  type ScsiTargetPort,
  type ScsiTask,
} from "../ports/scsi-target.ts";
import { refuseTask } from "../ports/scsi-target-filter.ts";

/** What a controller carries (fCommandDescriptorBlock). */
const longestCdb = 16;
/** Before the controller is asked to give a command up. */
const timeoutMs = 30_000;
/** An adapter is one initiator: whoever comes through it holds what another one reserved. */
const reservationOpcodes: ReadonlySet<number> = new Set([
  ScsiOpcode.reserve6,
  ScsiOpcode.reserve10,
  ScsiOpcode.release6,
  ScsiOpcode.release10,
  ScsiOpcode.persistentReserveIn,
  ScsiOpcode.persistentReserveOut,
]);

interface Passed {
  readonly inner: SCSITask;
  outer: ScsiTask | null;
  isAborted: boolean;
}

/**
 * What initiators ask goes through the kernel's half of the adapter and its dext to the hardware, as the class driver's own
 * commands do. Units and names are the device's; reservations are refused with INVALID COMMAND OPERATION
 * CODE, 32-byte CDBs too. `blockBytes` of the unit says how much data a command in blocks has.
 */
export class HbaTarget implements ScsiTargetPort, ScsiTaskClient {
  readonly #device: IOSCSIParallelInterfaceDevice;
  readonly #blockBytes: number;
  readonly #fields: CdbFields = newCdbFields();
  readonly #spare: Passed[] = [];
  readonly #passed: Passed[] = [];
  readonly #known = new Set<number>();
  /** What an initiator has to hear that the device, which knows the adapter alone, cannot tell it. */
  readonly #attentions = new Map<number, SenseCode>();
  #client: ScsiTargetClient | null = null;

  constructor(device: IOSCSIParallelInterfaceDevice, blockBytes: number) {
    this.#device = device;
    this.#blockBytes = blockBytes;
  }

  connect(client: ScsiTargetClient): void {
    this.#client = client;
  }

  begin(task: ScsiTask): boolean {
    task.status = ScsiStatus.good;
    task.senseBytes = 0;
    task.movedBytes = 0;
    task.direction = ScsiDirection.none;
    task.transferBytes = 0;
    const { cdb } = task;
    const [opcode] = cdb;
    this.#known.add(task.initiator);
    if (this.#attentions.size > 0 && this.#hears(task, opcode)) return true;
    if (reservationOpcodes.has(opcode) || opcode === ScsiOpcode.variableLength)
      return refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
    const fields = this.#fields;
    // What is not known here goes as it is: the device has the word for it.
    if (!readCdb(cdb, task.cdbBytes, fields) || task.cdbBytes > longestCdb) return false;
    const bytes = dataBytesOf(fields, this.#blockBytes);
    task.direction = bytes === 0 ? ScsiDirection.none : bytes > 0 ? ScsiDirection.in : ScsiDirection.out;
    task.transferBytes = Math.abs(bytes);
    if (task.transferBytes <= this.#device.maximumTransferBytes) return false;
    if (fields.info?.unit === LengthUnit.bytes && task.direction === ScsiDirection.in) {
      // An allocation length is no promise: as much as the adapter moves.
      task.transferBytes = this.#device.maximumTransferBytes;
      return false;
    }
    return refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidFieldInCdb);
  }

  execute(task: ScsiTask): boolean {
    const passed = this.#spare.pop() ?? this.#newPassed();
    const { inner } = passed;
    passed.outer = task;
    passed.isAborted = false;
    inner.lun = task.lun;
    inner.cdb.fill(0);
    inner.cdb.set(task.cdb.subarray(0, Math.min(task.cdbBytes, longestCdb)));
    inner.cdbBytes = Math.min(task.cdbBytes, longestCdb);
    inner.timeoutMs = timeoutMs;
    const bytes = Math.min(task.transferBytes, task.dataBytes);
    if (bytes === 0) inner.noData();
    else {
      const isRead = task.direction === ScsiDirection.in;
      inner.direction = isRead
        ? kSCSIDataTransfer_FromTargetToInitiator
        : kSCSIDataTransfer_FromInitiatorToTarget;
      inner.data = task.data;
      inner.dataOffset = task.dataOffset;
      inner.dataBytes = bytes;
    }
    if (this.#device.sendCommand(inner) === IOReturns.kIOReturnSuccess) return false;
    passed.outer = null;
    this.#spare.push(passed);
    task.status = ScsiStatus.checkCondition;
    task.senseBytes = writeFixedSense(task.sense, { key: SenseKey.hardwareError, code: lostCode });
    return true;
  }

  /** From the controller: exactly one for each that was taken. */
  taskCompleted(inner: SCSITask): void {
    const passed = this.#passed[inner.number];
    const task = passed.outer;
    passed.outer = null;
    this.#spare.push(passed);
    if (task === null) return;
    const hasAnswered = inner.serviceResponse === kSCSIServiceResponse_TASK_COMPLETE;
    if (passed.isAborted) task.status = ScsiStatus.taskAborted;
    else if (hasAnswered) {
      task.status = inner.status as ScsiStatus;
      task.movedBytes = Math.min(inner.realizedBytes, answerBytesOf(task));
      task.senseBytes = inner.senseBytes;
      task.sense.set(inner.sense.subarray(0, inner.senseBytes));
      // What an allocation length left room for is not missing.
      if (task.direction === ScsiDirection.in && task.movedBytes < inner.dataBytes)
        task.transferBytes = task.movedBytes;
    } else {
      task.status = ScsiStatus.checkCondition;
      task.senseBytes = writeFixedSense(task.sense, { key: SenseKey.abortedCommand, code: lostCode });
    }
    inner.noData();
    this.#client?.finished(task);
  }

  abort(task: ScsiTask): void {
    const passed = this.#passed.find(({ outer }) => outer === task);
    if (passed === undefined) return;
    passed.isAborted = true;
    this.#device.abortCommand(passed.inner);
  }

  commandsCleared(_lun: number, initiator: number): void {
    this.#attentions.set(initiator, SenseCode.commandsCleared);
  }

  /** The device as a whole: an adapter's reset knows no units. */
  resetUnit(): void {
    this.#reset(SenseCode.busDeviceReset);
  }

  resetTarget(): void {
    this.#reset(SenseCode.scsiBusReset);
  }

  #reset(code: SenseCode): void {
    for (const initiator of this.#known) this.#attentions.set(initiator, code);
    // Whether it was taken shows in the tasks that end by it.
    this.#device.resetDevice().catch(() => {});
  }

  nexusLost(initiator: number): void {
    this.#known.delete(initiator);
    this.#attentions.delete(initiator);
    for (const { outer } of this.#passed)
      if (outer !== null && outer.initiator === initiator) this.abort(outer);
  }

  /** The power of what is behind the adapter is not the adapter's. */
  powerCycle(): void {}

  #newPassed(): Passed {
    const passed = { inner: new SCSITask(this, this.#passed.length), outer: null, isAborted: false };
    this.#passed.push(passed);
    return passed;
  }

  #hears(task: ScsiTask, opcode: number): boolean {
    const isDeaf =
      opcode === ScsiOpcode.inquiry || opcode === ScsiOpcode.reportLuns || opcode === ScsiOpcode.requestSense;
    const code = isDeaf ? undefined : this.#attentions.get(task.initiator);
    if (code === undefined) return false;
    this.#attentions.delete(task.initiator);
    return refuseTask(task, SenseKey.unitAttention, code);
  }
}

/** Whoever had it did not deliver it. */
const lostCode = SenseCode.internalTargetFailure;

/** Data of a command: positive to the initiator, negative from it. SBC-3 clause 5 for those with a size of their own. */
function dataBytesOf({ count, flags, info }: CdbFields, blockBytes: number): number {
  if (info === null) return 0;
  const sign = info.direction === "in" ? 1 : info.direction === "out" ? -1 : 0;
  if (info.unit === LengthUnit.bytes) return sign * count;
  if (info.unit === LengthUnit.blocks) return sign * count * blockBytes;
  const check = (flags >> 1) & 0x03;
  switch (info.opcode) {
    case ScsiOpcode.readCapacity10:
      return 8;
    case ScsiOpcode.formatUnit:
      // FMTDATA, and LONGLIST's header of eight bytes.
      return (flags & 0x10) === 0 ? 0 : (flags & 0x20) === 0 ? -4 : -8;
    case ScsiOpcode.compareAndWrite:
      return -2 * count * blockBytes;
    case ScsiOpcode.writeSame10:
      return -blockBytes;
    case ScsiOpcode.writeSame16:
      return (flags & 0x01) === 0 ? -blockBytes : 0;
    case ScsiOpcode.verify10:
    case ScsiOpcode.verify12:
    case ScsiOpcode.verify16:
      return check === 1 ? -count * blockBytes : check === 3 && count > 0 ? -blockBytes : 0;
    default:
      return 0;
  }
}

/**
 * How long an answer says that it is: some adapters count what was asked for, not what came (an MFI frame has no word for
 * it), and what lies behind the answer is not the device's. Infinite for answers without a length.
 */
function answerBytesOf(task: ScsiTask): number {
  if (task.direction !== ScsiDirection.in || task.dataBytes < 8 || task.status !== ScsiStatus.good)
    return Number.POSITIVE_INFINITY;
  const { cdb, data, dataOffset: at } = task;
  switch (cdb[0]) {
    case ScsiOpcode.inquiry:
      return (cdb[1] & 1) === 0 ? data[at + 4] + 5 : getU16be(data, at + 2) + 4;
    case ScsiOpcode.requestSense:
      return data[at + 7] + 8;
    case ScsiOpcode.modeSense6:
      return data[at] + 1;
    case ScsiOpcode.modeSense10:
      return getU16be(data, at) + 2;
    case ScsiOpcode.logSense:
      return getU16be(data, at + 2) + 4;
    case ScsiOpcode.reportLuns:
      return getU32be(data, at) + 8;
    case ScsiOpcode.maintenanceIn:
      return maintenanceBytes(task);
    case ScsiOpcode.serviceActionIn16:
      return (cdb[1] & 0x1f) === ServiceAction.readCapacity16 ? 32 : getU32be(data, at) + 4;
    case ScsiOpcode.receiveCopyResults:
      return getU32be(data, at) + 4;
    default:
      return Number.POSITIVE_INFINITY;
  }
}

/** REPORT SUPPORTED OPERATION CODES, all of them or one, and task management functions (SPC-4 §6.33 and §6.34). */
function maintenanceBytes({ cdb, data, dataOffset: at }: ScsiTask): number {
  if ((cdb[1] & 0x1f) === ServiceAction.reportSupportedTaskManagement) return (cdb[2] & 0x80) !== 0 ? 16 : 4;
  if ((cdb[2] & 0x07) === 0) return getU32be(data, at) + 4;
  const hasTimeouts = (data[at + 1] & 0x80) !== 0;
  return 4 + getU16be(data, at + 2) + (hasTimeouts ? 12 : 0);
}
