// Commands that name logical blocks: checked when they begin, done when their data is there. SBC-3 r36 clause 5.

import type { CdbFields } from "../../codec/scsi/cdb.ts";
import { type ScsiCommandInfo, ScsiOpcode, ServiceAction } from "../../codec/scsi/commands.ts";
import { encodeLbaStatus, type LbaStatus } from "../../codec/scsi/provisioning.ts";
import { SenseCode, SenseKey } from "../../codec/scsi/sense.ts";
import { ScsiDirection, ScsiStatus, type ScsiTask } from "../../ports/scsi-target.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import { MediumResult } from "./unit-medium.ts";

/** Longest stretch that one GET LBA STATUS descriptor covers, so that its work is bounded. */
const longestRunBlocks = 0xffffffff;

/** What the commands of every width have in common. */
const Kind = {
  other: 0,
  read: 1,
  write: 2,
  verify: 3,
  writeVerify: 4,
  prefetch: 5,
  synchronize: 6,
  writeSame: 7,
  compareAndWrite: 8,
  orWrite: 9,
  atomic: 10,
  lbaStatus: 11,
} as const;
type Kind = (typeof Kind)[keyof typeof Kind];

function kindOf(info: ScsiCommandInfo): Kind {
  switch (info.opcode) {
    case ScsiOpcode.read6:
    case ScsiOpcode.read10:
    case ScsiOpcode.read12:
    case ScsiOpcode.read16:
      return Kind.read;
    case ScsiOpcode.write6:
    case ScsiOpcode.write10:
    case ScsiOpcode.write12:
    case ScsiOpcode.write16:
      return Kind.write;
    case ScsiOpcode.verify10:
    case ScsiOpcode.verify12:
    case ScsiOpcode.verify16:
      return Kind.verify;
    case ScsiOpcode.writeAndVerify10:
    case ScsiOpcode.writeAndVerify12:
    case ScsiOpcode.writeAndVerify16:
      return Kind.writeVerify;
    case ScsiOpcode.prefetch10:
    case ScsiOpcode.prefetch16:
      return Kind.prefetch;
    case ScsiOpcode.synchronizeCache10:
    case ScsiOpcode.synchronizeCache16:
      return Kind.synchronize;
    case ScsiOpcode.writeSame10:
    case ScsiOpcode.writeSame16:
      return Kind.writeSame;
    case ScsiOpcode.compareAndWrite:
      return Kind.compareAndWrite;
    case ScsiOpcode.orWrite16:
      return Kind.orWrite;
    case ScsiOpcode.writeAtomic16:
      return Kind.atomic;
    case ScsiOpcode.serviceActionIn16:
      return info.serviceAction === ServiceAction.getLbaStatus ? Kind.lbaStatus : Kind.other;
    case ScsiOpcode.variableLength:
      if (info.serviceAction === ServiceAction.read32) return Kind.read;
      if (info.serviceAction === ServiceAction.write32) return Kind.write;
      if (info.serviceAction === ServiceAction.verify32) return Kind.verify;
      return info.serviceAction === ServiceAction.writeSame32 ? Kind.writeSame : Kind.writeVerify;
    default:
      return Kind.other;
  }
}

function isWriting(kind: Kind): boolean {
  return (
    kind === Kind.write ||
    kind === Kind.writeVerify ||
    kind === Kind.writeSame ||
    kind === Kind.compareAndWrite ||
    kind === Kind.orWrite ||
    kind === Kind.atomic
  );
}

/** BYTCHK of VERIFY: 0 the medium alone, 1 all blocks, 3 one block. */
function byteCheck(fields: CdbFields): number {
  return (fields.flags >> 1) & 3;
}

/** The rest of `begin`: direction and length of commands whose data is counted in blocks or has a size of its own. */
export function prepareBlocks(unit: LogicalUnit, task: ScsiTask, fields: CdbFields): boolean {
  const info = fields.info as ScsiCommandInfo;
  if (info.lbaAt < 0) {
    if (info.opcode === ScsiOpcode.readCapacity10) {
      task.direction = ScsiDirection.in;
      task.transferBytes = 8;
    } else if (info.opcode === ScsiOpcode.formatUnit && (fields.flags & 0x10) !== 0) {
      // FMTDATA: a header of 4 bytes, or 8 with LONGLIST; defect lists are refused.
      task.direction = ScsiDirection.out;
      task.transferBytes = (fields.flags & 0x20) !== 0 ? 8 : 4;
    }
    return false;
  }
  if (unit.refuseUnready(task)) return true;
  const { lba, count } = fields;
  const { blockCount, blockBytes } = unit.medium;
  const kind = kindOf(info);
  if (isWriting(kind) && unit.isWriteProtected) {
    const code = unit.options.isWriteProtected
      ? SenseCode.hardwareWriteProtected
      : SenseCode.softwareWriteProtected;
    return unit.fail(task, SenseKey.dataProtect, code);
  }
  if (lba >= blockCount || lba + count > blockCount)
    return unit.fail(task, SenseKey.illegalRequest, SenseCode.logicalBlockAddressOutOfRange, {
      cdbByte: info.lbaAt,
    });
  const { limits } = unit.identity;
  let direction: ScsiDirection = ScsiDirection.none;
  let blocks = count;
  let maximum = limits.maximumTransfer;
  switch (kind) {
    case Kind.read:
      direction = ScsiDirection.in;
      break;
    case Kind.writeVerify:
      if (byteCheck(fields) > 1) return unit.badCdb(task, flagsAt(info), 2);
      direction = ScsiDirection.out;
      break;
    case Kind.write:
    case Kind.orWrite:
      direction = ScsiDirection.out;
      break;
    case Kind.atomic:
      if (task.cdb[10] !== 0 || task.cdb[11] !== 0) return unit.badCdb(task, 10);
      direction = ScsiDirection.out;
      maximum = limits.maximumAtomic;
      break;
    case Kind.verify: {
      const check = byteCheck(fields);
      if (check === 2) return unit.badCdb(task, flagsAt(info), 2);
      if (check === 0) {
        blocks = 0;
        maximum = count;
      } else {
        direction = ScsiDirection.out;
        if (check === 3 && count > 0) blocks = 1;
      }
      break;
    }
    case Kind.writeSame: {
      const isUnmapping = (fields.flags & 0x08) !== 0;
      if (isUnmapping && !unit.options.isThin) return unit.badCdb(task, flagsAt(info), 3);
      if (count === 0 && limits.writeSameNonZero) return unit.badCdb(task, info.lengthAt);
      maximum = limits.maximumWriteSame;
      if (sameBlocks(unit, lba, count) > maximum) return unit.badCdb(task, info.lengthAt);
      const hasData = info.opcode === ScsiOpcode.writeSame10 || (fields.flags & 0x01) === 0;
      blocks = hasData ? 1 : 0;
      if (hasData) direction = ScsiDirection.out;
      break;
    }
    case Kind.compareAndWrite:
      direction = ScsiDirection.out;
      blocks = 2 * count;
      maximum = limits.maximumCompareAndWrite;
      break;
    default:
      blocks = 0;
      maximum = count;
  }
  if (count > maximum) return unit.badCdb(task, info.lengthAt);
  task.transferBytes = blocks * blockBytes;
  task.direction = task.transferBytes === 0 ? ScsiDirection.none : direction;
  return false;
}

/** Blocks that WRITE SAME writes: 0 stands for all from `lba` on. */
function sameBlocks(unit: LogicalUnit, lba: number, count: number): number {
  return count === 0 ? unit.medium.blockCount - lba : count;
}

function flagsAt(info: ScsiCommandInfo): number {
  return info.cdbBytes === 32 ? 10 : 1;
}

/** True: over. `fields` holds the task's CDB. */
export function executeBlocks(unit: LogicalUnit, task: ScsiTask, fields: CdbFields): boolean {
  const info = fields.info as ScsiCommandInfo;
  const kind = kindOf(info);
  const { lba, count } = fields;
  const isForced = (fields.flags & 0x08) !== 0;
  switch (kind) {
    case Kind.read:
      return unit.readWrite(task, lba, true, false);
    case Kind.write:
      return unit.readWrite(task, lba, false, isForced);
    case Kind.atomic:
      // All or nothing: less data than announced is refused rather than written in part.
      if (task.dataBytes < task.transferBytes) return unit.badCdb(task, info.lengthAt);
      return unit.readWrite(task, lba, false, isForced);
    case Kind.writeVerify:
      // Verified means on the medium.
      return unit.readWrite(task, lba, false, true);
    case Kind.verify:
      return verify(unit, task, lba, count, byteCheck(fields));
    case Kind.prefetch:
      // The cache takes what it is told to fetch (SBC-3 §5.8).
      task.status = ScsiStatus.conditionMet;
      return true;
    case Kind.synchronize:
      return synchronize(unit, task, lba, count, (fields.flags & 0x02) !== 0);
    case Kind.writeSame:
      return writeSame(unit, task, fields, info);
    case Kind.compareAndWrite:
      return compareAndWrite(unit, task, lba, count, isForced);
    case Kind.orWrite:
      return orWrite(unit, task, lba, isForced);
    case Kind.lbaStatus:
      return lbaStatus(unit, task, lba);
    default:
      return unit.fail(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
  }
}

function verify(unit: LogicalUnit, task: ScsiTask, lba: number, count: number, check: number): true {
  const { medium } = unit;
  if (check === 0) {
    const result = medium.check(lba, count);
    return result === MediumResult.ok || unit.failMedium(task, result);
  }
  const isOne = check === 3;
  const blocks = isOne ? count : Math.floor(Math.min(task.dataBytes, task.transferBytes) / medium.blockBytes);
  if (isOne && task.dataBytes < task.transferBytes) return unit.badCdb(task, 1);
  task.movedBytes = isOne ? task.transferBytes : blocks * medium.blockBytes;
  const differs = medium.compare(lba, blocks, task.data, task.dataOffset, isOne);
  if (differs === -2) return unit.failMedium(task, MediumResult.readError);
  if (differs < 0) return true;
  return unit.fail(task, SenseKey.miscompare, SenseCode.miscompareDuringVerify, { information: differs });
}

function synchronize(
  unit: LogicalUnit,
  task: ScsiTask,
  lba: number,
  count: number,
  isImmediate: boolean,
): boolean {
  const { medium, options } = unit;
  const delayNs = Math.ceil((medium.owedBytes / 1048576) * options.flushNsPerMebibyte);
  const flush = (done: ScsiTask) => {
    medium.destage(lba, count);
    return unit.flushStore(done, lba, null);
  };
  if (isImmediate) {
    // Status now, the work later; nothing vouches for the data until then. A store that fails fails the next flush too.
    const work = () => {
      medium.destage(lba, count);
      medium.store.flush(() => {});
    };
    if (delayNs === 0) work();
    else unit.home.clock.after(delayNs, work, undefined);
    return true;
  }
  if (delayNs === 0) return flush(task);
  unit.defer(task, delayNs, flush);
  return false;
}

function isZero(data: Uint8Array, offset: number, length: number): boolean {
  for (let at = offset; at < offset + length; at++) if (data[at] !== 0) return false;
  return true;
}

function writeSame(unit: LogicalUnit, task: ScsiTask, fields: CdbFields, info: ScsiCommandInfo): boolean {
  const { medium } = unit;
  const { lba } = fields;
  const count = sameBlocks(unit, lba, fields.count);
  const isUnmapping = (fields.flags & 0x08) !== 0;
  const { blockBytes } = medium;
  let block: Uint8Array = zeroBlock;
  let offset = 0;
  if (task.transferBytes > 0) {
    if (task.dataBytes < blockBytes) return unit.badCdb(task, info.lengthAt);
    block = task.data;
    offset = task.dataOffset;
    task.movedBytes = blockBytes;
  }
  // Only zeros can be had by unmapping; other data is written (SBC-3 §5.43 with LBPRZ 1).
  const result =
    isUnmapping && isZero(block, offset, blockBytes)
      ? medium.unmap(lba, count)
      : medium.writeSame(lba, count, block, offset);
  return unit.finishWrite(task, result, lba, false);
}

const zeroBlock = new Uint8Array(4096);

function compareAndWrite(
  unit: LogicalUnit,
  task: ScsiTask,
  lba: number,
  count: number,
  isForced: boolean,
): boolean {
  const { medium } = unit;
  if (count === 0) return true;
  if (task.dataBytes < task.transferBytes) return unit.badCdb(task, 13);
  const half = count * medium.blockBytes;
  task.movedBytes = 2 * half;
  const differs = medium.compare(lba, count, task.data, task.dataOffset, false);
  if (differs === -2) return unit.failMedium(task, MediumResult.readError);
  if (differs >= 0)
    return unit.fail(task, SenseKey.miscompare, SenseCode.miscompareDuringVerify, { information: differs });
  const result = medium.write(lba, count, task.data, task.dataOffset + half, isForced);
  return unit.finishWrite(task, result, lba, isForced);
}

function orWrite(unit: LogicalUnit, task: ScsiTask, lba: number, isForced: boolean): boolean {
  const { medium } = unit;
  const blocks = Math.floor(Math.min(task.dataBytes, task.transferBytes) / medium.blockBytes);
  const length = blocks * medium.blockBytes;
  const merged = new Uint8Array(length);
  const read = medium.read(lba, blocks, merged, 0);
  if (read !== MediumResult.ok) return unit.failMedium(task, read);
  for (let at = 0; at < length; at++) merged[at] |= task.data[task.dataOffset + at];
  task.movedBytes = length;
  const result = medium.write(lba, blocks, merged, 0, isForced);
  return unit.finishWrite(task, result, lba, isForced);
}

function lbaStatus(unit: LogicalUnit, task: ScsiTask, from: number): true {
  if (unit.refuseUnready(task)) return true;
  const { medium } = unit;
  if (from >= medium.blockCount)
    return unit.fail(task, SenseKey.illegalRequest, SenseCode.logicalBlockAddressOutOfRange, { cdbByte: 2 });
  const room = Math.max(1, Math.min(64, Math.floor((task.transferBytes - 8) / 16)));
  const extents: LbaStatus[] = [];
  let lba = from;
  while (extents.length < room && lba < medium.blockCount) {
    const run = medium.mappedRun(lba, Math.min(longestRunBlocks, medium.blockCount - lba));
    const blocks = Math.abs(run);
    extents.push({ lba, blocks, status: run > 0 ? 0 : 1 });
    lba += blocks;
  }
  return unit.reply(task, encodeLbaStatus(extents));
}
