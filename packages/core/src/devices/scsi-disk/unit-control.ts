// Commands that name no blocks: who it is, how it is set, who holds it, whether it turns. SPC-4 r37 clause 6.

import { getU16be } from "../../base/bytes.ts";
import type { CdbFields } from "../../codec/scsi/cdb.ts";
import { type ScsiCommandInfo, ScsiOpcode, ServiceAction } from "../../codec/scsi/commands.ts";
import { encodeReadCapacity10, encodeReadCapacity16, encodeReportLuns } from "../../codec/scsi/inquiry.ts";
import { decodeUnmapList } from "../../codec/scsi/provisioning.ts";
import { decodeReserveOut, reserveOutBytes } from "../../codec/scsi/reservations.ts";
import { SenseCode, SenseKey, writeDescriptorSense, writeFixedSense } from "../../codec/scsi/sense.ts";
import {
  encodeAllCommands,
  encodeOneCommand,
  encodeTaskManagement,
} from "../../codec/scsi/supported-commands.ts";
import { ScsiStatus, type ScsiTask } from "../../ports/scsi-target.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import { extendedCopy, receiveCopyResults } from "./unit-copy.ts";
import { MediumResult } from "./unit-medium.ts";
import { PowerState } from "./unit-power.ts";

const bufferBytes = 65536;
const echoBytes = 4096;
/** Overwriting with other bytes than zeros fills the store: only disks up to this size do it. */
const overwriteMaximumBytes = 1 << 30;

/** True: over. `fields` holds the task's CDB. */
export function executeControl(unit: LogicalUnit, task: ScsiTask, fields: CdbFields): boolean {
  const { cdb } = task;
  switch (cdb[0]) {
    case ScsiOpcode.testUnitReady:
      unit.refuseUnready(task);
      return true;
    case ScsiOpcode.requestSense:
      return requestSense(unit, task);
    case ScsiOpcode.inquiry:
      return inquiry(unit, task);
    case ScsiOpcode.reportLuns:
      return reportLuns(unit, task);
    case ScsiOpcode.readCapacity10:
      if (unit.refuseUnready(task)) return true;
      return unit.reply(task, encodeReadCapacity10(unit.medium.blockCount, unit.medium.blockBytes));
    case ScsiOpcode.serviceActionIn16:
      if (unit.refuseUnready(task)) return true;
      return unit.reply(
        task,
        encodeReadCapacity16({
          blockCount: unit.medium.blockCount,
          blockBytes: unit.medium.blockBytes,
          physicalExponent: unit.options.physicalExponent,
          lowestAligned: 0,
          isThin: unit.options.isThin,
          readsZeros: unit.options.isThin,
        }),
      );
    case ScsiOpcode.modeSense6:
    case ScsiOpcode.modeSense10:
      return modeSense(unit, task, cdb[0] === ScsiOpcode.modeSense10);
    case ScsiOpcode.modeSelect6:
    case ScsiOpcode.modeSelect10:
      return modeSelect(unit, task, cdb[0] === ScsiOpcode.modeSelect10);
    case ScsiOpcode.logSense: {
      if ((cdb[1] & 0x01) !== 0) return unit.badCdb(task, 1, 0);
      const page = cdb[3] === 0 ? unit.identity.log(cdb[2] & 0x3f, unit.power.starts) : null;
      return page === null ? unit.badCdb(task, 2, 5) : unit.reply(task, page);
    }
    case ScsiOpcode.startStopUnit:
      return startStop(unit, task);
    case ScsiOpcode.preventAllowMediumRemoval:
      if ((cdb[4] & 0x02) !== 0) return unit.badCdb(task, 4, 1);
      if ((cdb[4] & 0x01) !== 0) unit.preventing.add(task.initiator);
      else unit.preventing.delete(task.initiator);
      return true;
    case ScsiOpcode.sendDiagnostic:
      return sendDiagnostic(unit, task);
    case ScsiOpcode.reserve6:
    case ScsiOpcode.reserve10:
      if (!unit.reservations.reserveLegacy(task.initiator)) task.status = ScsiStatus.reservationConflict;
      return true;
    case ScsiOpcode.release6:
    case ScsiOpcode.release10:
      if (!unit.reservations.releaseLegacy(task.initiator)) task.status = ScsiStatus.reservationConflict;
      return true;
    case ScsiOpcode.persistentReserveIn: {
      const data = unit.reservations.readIn(cdb[1] & 0x1f);
      return data === null ? unit.badCdb(task, 1, 4) : unit.reply(task, data);
    }
    case ScsiOpcode.persistentReserveOut:
      return reserveOut(unit, task);
    case ScsiOpcode.maintenanceIn:
      return (fields.info as ScsiCommandInfo).serviceAction === ServiceAction.reportSupportedTaskManagement
        ? unit.reply(task, encodeTaskManagement((cdb[2] & 0x80) !== 0))
        : reportCommands(unit, task);
    case ScsiOpcode.readDefectData10:
    case ScsiOpcode.readDefectData12:
      return readDefects(unit, task);
    case ScsiOpcode.unmap:
      return unmap(unit, task);
    case ScsiOpcode.formatUnit:
      return format(unit, task);
    case ScsiOpcode.sanitize:
      return sanitize(unit, task);
    case ScsiOpcode.extendedCopy:
      return extendedCopy(unit, task);
    case ScsiOpcode.receiveCopyResults:
      return receiveCopyResults(unit, task);
    case ScsiOpcode.readBuffer:
      return readBuffer(unit, task);
    case ScsiOpcode.writeBuffer:
      return writeBuffer(unit, task);
    default:
      return unit.fail(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode, { cdbByte: 0 });
  }
}

/** Pending attentions first, then what TEST UNIT READY would say (SPC-4 §6.39). */
function requestSense(unit: LogicalUnit, task: ScsiTask): true {
  const attention = unit.attentions.take(task.initiator);
  const state = unit.power.notReady;
  const standby =
    unit.power.state === PowerState.standby ? SenseCode.standbyByCommand : SenseCode.noAdditionalSense;
  const key = attention !== 0 ? SenseKey.unitAttention : state !== 0 ? SenseKey.notReady : SenseKey.noSense;
  const code = attention !== 0 ? attention : state !== 0 ? state : standby;
  const progress = attention === 0 && state === SenseCode.becomingReady ? unit.power.progress : null;
  const sense = { key, code, progress };
  const bytes = new Uint8Array(64);
  const length = (task.cdb[1] & 1) !== 0 ? writeDescriptorSense(bytes, sense) : writeFixedSense(bytes, sense);
  return unit.reply(task, bytes.subarray(0, length));
}

function inquiry(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  if ((cdb[1] & 1) === 0) {
    if (cdb[2] !== 0) return unit.badCdb(task, 2);
    return unit.reply(task, unit.identity.standardInquiry());
  }
  const page = unit.identity.vpd(cdb[2]);
  return page === null ? unit.badCdb(task, 2) : unit.reply(task, page);
}

function reportLuns(unit: LogicalUnit, task: ScsiTask): true {
  const select = task.cdb[2];
  if (select > 2) return unit.badCdb(task, 2);
  if (task.transferBytes < 16) return unit.badCdb(task, 6);
  // 1 asks for well known units alone: there are none.
  return unit.reply(task, encodeReportLuns(select === 1 ? [] : unit.home.luns));
}

function modeSense(unit: LogicalUnit, task: ScsiTask, isTen: boolean): true {
  const { cdb } = task;
  const control = cdb[2] >> 6;
  const data = unit.modes.sense(
    { page: cdb[2] & 0x3f, subpage: cdb[3], control, isTen, isLong: (cdb[1] & 0x10) !== 0 },
    unit.isWriteProtected,
    (cdb[1] & 0x08) !== 0 ? null : unit.medium,
  );
  return data === null ? unit.badCdb(task, 2, 5) : unit.reply(task, data);
}

function modeSelect(unit: LogicalUnit, task: ScsiTask, isTen: boolean): boolean {
  const { cdb } = task;
  if ((cdb[1] & 0x10) === 0) return unit.badCdb(task, 1, 4);
  const list = listOf(task);
  task.movedBytes = list.length;
  const { refusal, changed } = unit.modes.select(list, isTen, (cdb[1] & 1) !== 0, unit.medium);
  if (refusal !== null) return unit.badList(task, refusal.byte, refusal.code);
  if (!changed) return true;
  const wasCaching = unit.medium.isCaching;
  unit.modesChanged();
  unit.attentions.raise(SenseCode.modeParametersChanged, task.initiator);
  // Switching the write cache off empties it (SBC-3 §6.4.5).
  return !wasCaching || unit.medium.isCaching || flushAll(unit, task, null);
}

/** What ends with everything on the medium: a flush that failed fails the command, and `after` is not done. */
function flushAll(unit: LogicalUnit, task: ScsiTask, after: (() => void) | null): boolean {
  unit.medium.destage(0, 0);
  return unit.flushStore(task, 0, after);
}

function listOf(task: ScsiTask): Uint8Array {
  const length = Math.min(task.dataBytes, task.transferBytes);
  return task.data.subarray(task.dataOffset, task.dataOffset + length);
}

function startStop(unit: LogicalUnit, task: ScsiTask): boolean {
  const { cdb } = task;
  const { power } = unit;
  const condition = cdb[4] >> 4;
  const isStart = (cdb[4] & 0x01) !== 0;
  if (condition !== 0) {
    // START and LOEJ are ignored (SBC-3 table 82). Active, idle, standby, LU control, force idle and standby.
    if (condition === 1 || condition === 2) return started(unit, task);
    if (condition === 3 || condition === 0xb) return flushAll(unit, task, () => power.standby());
    return condition === 7 || condition === 0xa ? true : unit.badCdb(task, 4, 7);
  }
  if ((cdb[4] & 0x02) !== 0) {
    if (!unit.options.isRemovable) return unit.badCdb(task, 4, 1);
    // A locked drive moves nothing in or out.
    if (unit.preventing.size > 0)
      return unit.fail(task, SenseKey.illegalRequest, SenseCode.mediumRemovalPrevented);
    if (!isStart) return flushAll(unit, task, () => unit.eject());
    unit.load(task.initiator);
    return true;
  }
  if (isStart) return started(unit, task);
  const flushNs = Math.ceil((unit.medium.owedBytes / 1048576) * unit.options.flushNsPerMebibyte);
  const stop = (stopped: ScsiTask) => {
    if ((stopped.cdb[4] & 0x04) === 0) return flushAll(unit, stopped, () => power.stop());
    power.stop();
    return true;
  };
  if (flushNs === 0 || (cdb[1] & 1) !== 0) return stop(task);
  unit.defer(task, flushNs, stop);
  return false;
}

/** Over at once with IMMED or when it turns already; otherwise when it turns. */
function started(unit: LogicalUnit, task: ScsiTask): boolean {
  if (!unit.power.hasMedium) return unit.refuseUnready(task);
  const waitNs = unit.power.start();
  if (waitNs === 0 || (task.cdb[1] & 1) !== 0) return true;
  unit.defer(task, waitNs, null);
  return false;
}

/** The default self-test passes; nothing else is served. */
function sendDiagnostic(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  if ((cdb[1] & 0xe0) !== 0) return unit.badCdb(task, 1, 7);
  return getU16be(cdb, 3) === 0 || unit.badCdb(task, 3);
}

function reserveOut(unit: LogicalUnit, task: ScsiTask): boolean {
  const { cdb } = task;
  if (task.transferBytes !== reserveOutBytes)
    return unit.fail(task, SenseKey.illegalRequest, SenseCode.parameterListLengthError, { cdbByte: 5 });
  if (task.dataBytes < reserveOutBytes) return unit.badList(task, -1, SenseCode.parameterListLengthError);
  task.movedBytes = reserveOutBytes;
  const list = decodeReserveOut(task.data, task.dataOffset);
  const { reservations } = unit;
  // What one of them changed is being kept: the next one begins with what comes of that.
  if (unit.isKeeping) {
    task.status = ScsiStatus.busy;
    return true;
  }
  const before = reservations.snapshot();
  const persistedBefore = reservations.persists;
  const result = reservations.out(task.initiator, cdb[1] & 0x1f, cdb[2] & 0x0f, cdb[2] >> 4, list);
  if (result === "conflict") task.status = ScsiStatus.reservationConflict;
  else if (result === SenseCode.invalidFieldInCdb) return unit.badCdb(task, 2);
  else if (result !== "done") return unit.badList(task, -1, result);
  else return unit.keepReservations(task, (done) => reservations.keep(before, persistedBefore, done));
  return true;
}

function reportCommands(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  const withTimeouts = (cdb[2] & 0x80) !== 0;
  const options = cdb[2] & 0x07;
  if (options === 0) return unit.reply(task, encodeAllCommands(unit.identity.commands, withTimeouts));
  if (options > 3) return unit.badCdb(task, 2, 2);
  const opcode = cdb[3];
  const action = getU16be(cdb, 4);
  const served = unit.identity.commands.filter((info) => info.opcode === opcode);
  const hasActions = served.some((info) => info.serviceAction >= 0);
  // 001b is for opcodes without service actions, 010b for those with them, 011b for either (SPC-4 table 239).
  if (options === 1 && hasActions) return unit.badCdb(task, 2, 2);
  if (options === 2 && served.length > 0 && !hasActions) return unit.badCdb(task, 2, 2);
  const info = served.find((entry) => !hasActions || entry.serviceAction === action) ?? null;
  const isWrongAction = options === 3 && !hasActions && action !== 0;
  return unit.reply(task, encodeOneCommand(isWrongAction ? null : info, withTimeouts));
}

/** Both lists are empty; the address format is as asked for (SBC-3 §5.18). */
function readDefects(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  const isTwelve = cdb[0] === ScsiOpcode.readDefectData12;
  const data = new Uint8Array(isTwelve ? 8 : 4);
  data[1] = isTwelve ? cdb[1] & 0x1f : cdb[2] & 0x1f;
  return unit.reply(task, data);
}

function writeProtected(unit: LogicalUnit, task: ScsiTask): boolean {
  if (!unit.isWriteProtected) return false;
  const code = unit.options.isWriteProtected
    ? SenseCode.hardwareWriteProtected
    : SenseCode.softwareWriteProtected;
  return unit.fail(task, SenseKey.dataProtect, code);
}

function unmap(unit: LogicalUnit, task: ScsiTask): boolean {
  if (unit.refuseUnready(task) || writeProtected(unit, task)) return true;
  if (task.transferBytes === 0) return true;
  const list = listOf(task);
  task.movedBytes = list.length;
  if (list.length < 8) return unit.badList(task, -1, SenseCode.parameterListLengthError);
  const ranges = decodeUnmapList(list);
  const { limits } = unit.identity;
  if (ranges.length > limits.maximumUnmapDescriptors) return unit.badList(task, 2);
  for (const [index, { lba, blocks }] of ranges.entries())
    if (lba + blocks > unit.medium.blockCount || (blocks > 0 && lba >= unit.medium.blockCount))
      return unit.fail(task, SenseKey.illegalRequest, SenseCode.logicalBlockAddressOutOfRange, {
        listByte: 8 + 16 * index,
      });
  for (const { lba, blocks } of ranges) {
    const result = unit.medium.unmap(lba, blocks);
    if (result !== MediumResult.ok) return unit.failMedium(task, result);
  }
  return unit.finishWrite(task, MediumResult.ok, 0, false);
}

/** Everything is unmapped; defect lists and other formats are refused. */
function format(unit: LogicalUnit, task: ScsiTask): boolean {
  if (!unit.power.hasMedium && unit.refuseUnready(task)) return true;
  if (writeProtected(unit, task)) return true;
  const list = listOf(task);
  task.movedBytes = list.length;
  if (list.length < task.transferBytes) return unit.badList(task, -1, SenseCode.parameterListLengthError);
  const isLong = task.transferBytes === 8;
  const defectBytes = isLong ? list.subarray(4, 8) : list.subarray(2, 4);
  if (defectBytes.some((byte) => byte !== 0)) return unit.badList(task, isLong ? 4 : 2);
  return unit.finishWrite(task, unit.medium.unmap(0, unit.medium.blockCount), 0, true);
}

/** SANITIZE (SBC-3 §5.24): done before status, so it never shows as in progress. */
function sanitize(unit: LogicalUnit, task: ScsiTask): boolean {
  const { cdb } = task;
  const action = cdb[1] & 0x1f;
  const { medium } = unit;
  if (unit.refuseUnready(task)) return true;
  if (action === 0x1f) return task.transferBytes === 0 || unit.badCdb(task, 7);
  if (writeProtected(unit, task)) return true;
  const list = listOf(task);
  task.movedBytes = list.length;
  if (action !== 0x01) {
    if (task.transferBytes !== 0) return unit.badCdb(task, 7);
    return unit.finishWrite(task, medium.unmap(0, medium.blockCount), 0, true);
  }
  if (task.transferBytes < 5 || task.transferBytes > 4 + medium.blockBytes) return unit.badCdb(task, 7);
  if (list.length < task.transferBytes) return unit.badList(task, -1, SenseCode.parameterListLengthError);
  const patternBytes = getU16be(list, 2);
  if ((list[0] & 0x1f) === 0) return unit.badList(task, 0);
  if (patternBytes === 0 || patternBytes > medium.blockBytes || patternBytes + 4 > list.length)
    return unit.badList(task, 2);
  const isZero = list.subarray(4, 4 + patternBytes).every((byte) => byte === 0);
  if (!isZero && medium.blockBytes * medium.blockCount > overwriteMaximumBytes) return unit.badList(task, 4);
  const block = new Uint8Array(medium.blockBytes);
  for (let at = 0; at < block.length; at++) block[at] = list[4 + (at % patternBytes)];
  const result = isZero
    ? medium.unmap(0, medium.blockCount)
    : medium.writeSame(0, medium.blockCount, block, 0);
  medium.destage(0, 0);
  return unit.finishWrite(task, result, 0, true);
}

/** Modes: 02h data, 03h descriptor, 0Ah echo, 0Bh echo descriptor (SPC-4 §6.17). */
function readBuffer(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  const mode = cdb[1] & 0x1f;
  const offset = (cdb[3] << 16) | getU16be(cdb, 4);
  if (mode === 0x03)
    return unit.reply(task, Uint8Array.of(0, (bufferBytes >> 16) & 0xff, (bufferBytes >> 8) & 0xff, 0));
  if (mode === 0x0b) return unit.reply(task, Uint8Array.of(0, 0, echoBytes >> 8, 0));
  if (mode !== 0x02 && mode !== 0x0a) return unit.badCdb(task, 1, 4);
  const length = mode === 0x02 ? bufferBytes : echoBytes;
  if (cdb[2] !== 0) return unit.badCdb(task, 2);
  if (offset > length) return unit.badCdb(task, 3);
  const start = mode === 0x02 ? 0 : bufferBytes;
  const held = unit.buffer ?? new Uint8Array(bufferBytes + echoBytes);
  return unit.reply(task, held.subarray(start + offset, start + length));
}

/** Modes: 02h data, 0Ah echo. Microcode is refused: this disk has none (SPC-4 §6.49). */
function writeBuffer(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  const mode = cdb[1] & 0x1f;
  if (mode !== 0x02 && mode !== 0x0a) return unit.badCdb(task, 1, 4);
  if (cdb[2] !== 0) return unit.badCdb(task, 2);
  const offset = (cdb[3] << 16) | getU16be(cdb, 4);
  const length = mode === 0x02 ? bufferBytes : echoBytes;
  if (offset + task.transferBytes > length) return unit.badCdb(task, 6);
  unit.buffer ??= new Uint8Array(bufferBytes + echoBytes);
  const list = listOf(task);
  task.movedBytes = list.length;
  unit.buffer.set(list, (mode === 0x02 ? 0 : bufferBytes) + offset);
  return true;
}
