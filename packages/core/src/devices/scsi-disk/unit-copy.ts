// Third-party copy: blocks from one unit of a target to another without the initiator. SPC-4 r37 §6.4 and §6.24.

import { DecodeError } from "../../base/errors.ts";
import { ScsiOpcode } from "../../codec/scsi/commands.ts";
import { SenseCode, SenseKey } from "../../codec/scsi/sense.ts";
import {
  CopyDescriptor,
  type CopyHeader,
  type CopySegment,
  type CopyStatus,
  type CopyTarget,
  copyHeaderBytes,
  copyTargetBytes,
  decodeCopyHeader,
  decodeCopySegment,
  decodeCopyTarget,
  encodeCopyLimits,
  encodeCopyStatus,
  ListIdUsage,
} from "../../codec/scsi/third-party-copy.ts";
import type { ScsiTask } from "../../ports/scsi-target.ts";
import type { LogicalUnit } from "./logical-unit.ts";
import { MediumResult } from "./unit-medium.ts";

/** Most of each in a list, and most bytes in a segment. */
const targetMaximum = 4;
const segmentMaximum = 16;
const listMaximumBytes = 4096;
const segmentMaximumBytes = 64 << 20;
const pieceBytes = 1 << 20;
/** PERIPHERAL DEVICE TYPE of a direct access block device. */
const diskType = 0;

const limits = {
  targets: targetMaximum,
  segments: segmentMaximum,
  listBytes: listMaximumBytes,
  segmentBytes: segmentMaximumBytes,
};

interface Leg {
  readonly segment: CopySegment;
  readonly source: LogicalUnit;
  readonly destination: LogicalUnit;
  readonly bytes: number;
}

/** EXTENDED COPY(LID1): everything is judged before the first block moves. True: over. */
export function extendedCopy(unit: LogicalUnit, task: ScsiTask): boolean {
  if (task.transferBytes === 0) return true;
  const room = Math.min(task.dataBytes, task.transferBytes);
  const list = task.data.subarray(task.dataOffset, task.dataOffset + room);
  task.movedBytes = list.length;
  let header: CopyHeader;
  try {
    header = decodeCopyHeader(list);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return unit.badList(task, -1, SenseCode.parameterListLengthError);
  }
  const { idUsage, inlineBytes, listId } = header;
  const isKnownUsage = idUsage === ListIdUsage.hold || idUsage === ListIdUsage.holdNoMore;
  if (!isKnownUsage && (idUsage !== ListIdUsage.none || listId !== 0))
    return unit.badList(task, idUsage === ListIdUsage.none ? 0 : 1);
  if (inlineBytes > 0) return unit.badList(task, 12);
  if (header.targetBytes + header.segmentBytes > listMaximumBytes)
    return unit.badList(task, 2, SenseCode.parameterListLengthError);
  const legs = readLegs(unit, task, list, header);
  if (legs === null) return true;
  const status = carryOut(unit, task, legs);
  if (idUsage === ListIdUsage.hold || idUsage === ListIdUsage.holdNoMore)
    unit.copies.keep(task.initiator, listId, status);
  if (status.isFailed) return true;
  const [last] = legs.slice(-1);
  // What a write through would have to be, a copy has to be too.
  return last === undefined || last.destination.medium.isCaching || unit.flushStore(task, 0, null);
}

/** Null: the task has failed. */
function readLegs(unit: LogicalUnit, task: ScsiTask, list: Uint8Array, header: CopyHeader): Leg[] | null {
  const bad = (byte: number, code: number = SenseCode.invalidFieldInParameterList): null => {
    unit.badList(task, byte, code);
    return null;
  };
  const targetsEnd = copyHeaderBytes + header.targetBytes;
  if (header.targetBytes % copyTargetBytes !== 0) return bad(2, SenseCode.parameterListLengthError);
  if (header.targetBytes > targetMaximum * copyTargetBytes) return bad(2, SenseCode.tooManyTargetDescriptors);
  try {
    const targets: CopyTarget[] = [];
    for (let at = copyHeaderBytes; at < targetsEnd; at += copyTargetBytes) {
      if (list[at] !== CopyDescriptor.identification)
        return bad(at, SenseCode.unsupportedTargetDescriptorType);
      const target = decodeCopyTarget(list, at);
      // LU ID TYPE is for descriptors that name a unit by its number; this kind has none.
      if (target.deviceType !== diskType) return bad(at + 1);
      targets.push(target);
    }
    const found: { segment: CopySegment; at: number }[] = [];
    const end = targetsEnd + header.segmentBytes;
    for (let at = targetsEnd; at < end; ) {
      if (found.length >= segmentMaximum) return bad(8, SenseCode.tooManySegmentDescriptors);
      if (list[at] !== CopyDescriptor.blockToBlock)
        return bad(at, SenseCode.unsupportedSegmentDescriptorType);
      const { length, segment } = decodeCopySegment(list.subarray(0, end), at);
      found.push({ segment, at });
      at += length;
    }
    const legs: Leg[] = [];
    for (const { at, segment } of found) {
      const leg = legOf(unit, task, targets, segment, at);
      if (leg === null) return null;
      legs.push(leg);
    }
    return legs;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return bad(error.offset);
  }
}

/** A segment with its units; null: the task has failed. */
function legOf(
  unit: LogicalUnit,
  task: ScsiTask,
  targets: readonly CopyTarget[],
  segment: CopySegment,
  at: number,
): Leg | null {
  const unreachable = (byte: number): null => {
    unit.fail(task, SenseKey.copyAborted, SenseCode.copyTargetDeviceNotReachable, { listByte: byte });
    return null;
  };
  const [source, destination] = [targets[segment.source], targets[segment.destination]];
  if (source === undefined || source.isNull) return unreachable(at + 4);
  if (destination === undefined || destination.isNull) return unreachable(at + 6);
  const [from, to] = [unitOf(unit, source), unitOf(unit, destination)];
  if (from === null) return unreachable(at + 4);
  if (to === null) return unreachable(at + 6);
  const bad = (byte: number, code: number): null => {
    unit.fail(task, SenseKey.copyAborted, code, { listByte: byte });
    return null;
  };
  if (source.blockBytes !== from.medium.blockBytes || destination.blockBytes !== to.medium.blockBytes)
    return bad(at, SenseCode.invalidFieldInParameterList);
  const bytes = segment.blocks * (segment.isByDestination ? to : from).medium.blockBytes;
  const [taken, given] = [bytes / from.medium.blockBytes, bytes / to.medium.blockBytes];
  // Without PAD and CAT a segment is of whole blocks on both sides.
  if (!Number.isInteger(taken) || !Number.isInteger(given) || bytes > segmentMaximumBytes)
    return bad(at + 10, SenseCode.invalidFieldInParameterList);
  // No code is named for these two; libiscsi's suite wants none.
  if (segment.sourceLba + taken > from.medium.blockCount) return bad(at + 12, SenseCode.noAdditionalSense);
  if (segment.destinationLba + given > to.medium.blockCount) return bad(at + 20, SenseCode.noAdditionalSense);
  if (to.isWriteProtected) return bad(at + 6, SenseCode.writeProtected);
  return { segment, source: from, destination: to, bytes };
}

/** The unit of this target that has the designator; null: none has it. */
function unitOf(unit: LogicalUnit, wanted: CopyTarget): LogicalUnit | null {
  const has = (other: LogicalUnit) =>
    other.identity.designators.some(
      ({ codeSet, type, value }) =>
        codeSet === wanted.codeSet &&
        type === wanted.designatorType &&
        value.length === wanted.designator.length &&
        value.every((byte, index) => byte === wanted.designator[index]),
    );
  return unit.home.units().find(has) ?? null;
}

/** Reservations of others hold for a copy as for its initiator's own commands (§5.12.1). */
function isReserved(unit: LogicalUnit, initiator: number, opcode: number): boolean {
  return unit.reservations.isActive && unit.reservations.conflicts(initiator, Uint8Array.of(opcode));
}

/** Moves the blocks; where it fails the task has its sense. */
function carryOut(unit: LogicalUnit, task: ScsiTask, legs: readonly Leg[]): CopyStatus {
  let bytes = 0;
  let segments = 0;
  for (const leg of legs) {
    const { destination, source } = leg;
    const isHeld =
      isReserved(source, task.initiator, ScsiOpcode.read10) ||
      isReserved(destination, task.initiator, ScsiOpcode.write10);
    const isUnready = source.power.notReady !== 0 || destination.power.notReady !== 0;
    const failed = isHeld || isUnready || !moveBlocks(leg);
    if (failed) {
      // Segment number in INFORMATION (§6.4.3.4).
      unit.fail(task, SenseKey.copyAborted, SenseCode.thirdPartyDeviceFailure, { information: segments });
      return { isFailed: true, segments, bytes };
    }
    segments++;
    bytes += leg.bytes;
  }
  return { isFailed: false, segments, bytes };
}

/** By pieces; where source and destination overlap, from the end that is not overwritten. Holes stay holes. */
function moveBlocks({ bytes, destination, segment, source }: Leg): boolean {
  const from = source.medium;
  const to = destination.medium;
  const least = Math.max(from.blockBytes, to.blockBytes);
  const piece = pieceBytes - (pieceBytes % least);
  const buffer = new Uint8Array(Math.min(piece, bytes));
  const goesDown = source === destination && segment.destinationLba > segment.sourceLba;
  const count = Math.ceil(bytes / piece);
  for (let index = 0; index < count; index++) {
    const at = (goesDown ? count - 1 - index : index) * piece;
    const length = Math.min(piece, bytes - at);
    const readAt = segment.sourceLba + at / from.blockBytes;
    const writeAt = segment.destinationLba + at / to.blockBytes;
    const [taken, given] = [length / from.blockBytes, length / to.blockBytes];
    if (from.check(readAt, taken) !== MediumResult.ok) return false;
    const isHole = from.mappedRun(readAt, taken) <= -taken;
    let result: MediumResult;
    if (isHole && destination.options.isThin) result = to.unmap(writeAt, given);
    else {
      if (from.read(readAt, taken, buffer, 0) !== MediumResult.ok) return false;
      result = to.write(writeAt, given, buffer, 0, !to.isCaching);
    }
    if (result !== MediumResult.ok) return false;
  }
  return true;
}

/** RECEIVE COPY RESULTS of the first kind: status, and operating parameters. */
export function receiveCopyResults(unit: LogicalUnit, task: ScsiTask): true {
  const { cdb } = task;
  if ((cdb[1] & 0x1f) === 0x03) return unit.reply(task, encodeCopyLimits(limits));
  const status = unit.copies.take(task.initiator, cdb[2]);
  if (status === null) return unit.badCdb(task, 2);
  return unit.reply(task, encodeCopyStatus(status));
}
