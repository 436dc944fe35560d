// A disk's logical unit: what may be done now, by whom, and when it is over. SAM-5 r21, SPC-4 r37, SBC-3 r36.

import { getU16be, getU32be } from "../../base/bytes.ts";
import type { Clock, Nanoseconds } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { type CdbFields, newCdbFields, readCdb, strayCdbByte } from "../../codec/scsi/cdb.ts";
import { LengthUnit, ScsiOpcode } from "../../codec/scsi/commands.ts";
import { SenseCode, SenseKey, writeDescriptorSense, writeFixedSense } from "../../codec/scsi/sense.ts";
import { StoreResult } from "../../ports/block-store.ts";
import { ScsiDirection, ScsiStatus, type ScsiTask } from "../../ports/scsi-target.ts";
import { HeldCopies } from "./held-copies.ts";
import { UnitAttentions } from "./unit-attentions.ts";
import { executeBlocks, prepareBlocks } from "./unit-blocks.ts";
import { executeControl } from "./unit-control.ts";
import { UnitIdentity } from "./unit-identity.ts";
import { MediumResult, UnitMedium } from "./unit-medium.ts";
import { UnitModes } from "./unit-modes.ts";
import type { ResolvedUnitOptions } from "./unit-options.ts";
import { PowerState, UnitPower } from "./unit-power.ts";
import { UnitReservations } from "./unit-reservations.ts";

/** What the target offers its units. */
export interface UnitHome {
  readonly clock: Clock;
  readonly random: Random;
  readonly luns: readonly number[];
  /** All of the target. */
  units(): readonly LogicalUnit[];
  finished(task: ScsiTask): void;
  transportIdOf(initiator: number): Uint8Array;
}

/** What sense data may add to key and code. */
export interface SenseExtra {
  readonly information?: number;
  readonly cdbByte?: number;
  readonly listByte?: number;
  readonly bit?: number;
  readonly progress?: number;
}

interface Waiting {
  readonly task: ScsiTask;
  /** -1: no clock, the store decides when. */
  timer: number;
  /** What is left to do, true when the task is over then; null: nothing but to report what is set already. */
  work: ((task: ScsiTask) => boolean) | null;
}

const nothing: SenseExtra = {};

export class LogicalUnit {
  readonly lun: number;
  readonly options: ResolvedUnitOptions;
  readonly home: UnitHome;
  readonly medium: UnitMedium;
  readonly modes: UnitModes;
  readonly identity: UnitIdentity;
  readonly power: UnitPower;
  readonly attentions = new UnitAttentions();
  readonly reservations: UnitReservations;
  /** Initiators that prevent the removal of the medium. */
  readonly preventing = new Set<number>();
  /** What became of copies (RECEIVE COPY RESULTS). */
  readonly copies = new HeldCopies();
  /** The CDB that is looked at. */
  readonly fields: CdbFields = newCdbFields();
  /** Data and echo buffers of WRITE BUFFER; null until used. */
  buffer: Uint8Array | null = null;
  /** Reservations are being kept: the next PERSISTENT RESERVE OUT has to wait. */
  isKeeping = false;
  #waiting: Waiting[] = [];
  #isPlain = true;
  readonly #maximumTransfer: number;
  readonly #accessNs: Nanoseconds;

  constructor(lun: number, options: ResolvedUnitOptions, home: UnitHome) {
    this.lun = lun;
    this.options = options;
    this.home = home;
    this.medium = new UnitMedium(options.store, options.blockBytes, options.blockCount, options.cacheBytes);
    this.modes = new UnitModes({
      writeCacheEnabled: options.writeCache,
      canChangeCache: options.canChangeCache,
    });
    this.identity = new UnitIdentity(options);
    this.power = new UnitPower(home.clock, options.spinUpNs, options.startsSpinning);
    this.power.hasMedium = !options.isEmpty;
    this.reservations = new UnitReservations({
      attentions: this.attentions,
      keeper: options.keeper,
      transportIdOf: (initiator) => home.transportIdOf(initiator),
      // Never -1, which would be everybody: who has not been heard of has no tasks.
      onPreempt: (initiator) => {
        if (initiator >= 0) this.abortAll(initiator);
      },
    });
    this.#maximumTransfer = this.identity.limits.maximumTransfer;
    this.#accessNs = options.accessNs;
    this.modesChanged();
  }

  get isWriteProtected(): boolean {
    return this.options.isWriteProtected || this.modes.softwareWriteProtect;
  }

  /** After anything that the fast path would have to know. */
  modesChanged(): void {
    this.medium.isCaching = this.modes.writeCacheEnabled;
    this.#isPlain = !this.isWriteProtected;
  }

  // Answers

  /** Sets CHECK CONDITION and answers true: over. */
  fail(task: ScsiTask, key: SenseKey, code: number, extra: SenseExtra = nothing): true {
    const { cdbByte, listByte } = extra;
    const byte = cdbByte ?? listByte;
    const sense = {
      key,
      code,
      information: extra.information ?? null,
      fieldPointer:
        byte === undefined ? null : { isCdb: cdbByte !== undefined, byte, bit: extra.bit ?? null },
      progress: extra.progress ?? null,
    };
    task.status = ScsiStatus.checkCondition;
    task.senseBytes = this.modes.descriptorSense
      ? writeDescriptorSense(task.sense, sense)
      : writeFixedSense(task.sense, sense);
    return true;
  }

  badCdb(task: ScsiTask, byte: number, bit?: number): true {
    const extra = bit === undefined ? { cdbByte: byte } : { cdbByte: byte, bit };
    return this.fail(task, SenseKey.illegalRequest, SenseCode.invalidFieldInCdb, extra);
  }

  badList(task: ScsiTask, byte: number, code: number = SenseCode.invalidFieldInParameterList): true {
    return this.fail(task, SenseKey.illegalRequest, code, byte < 0 ? nothing : { listByte: byte });
  }

  failMedium(task: ScsiTask, result: MediumResult): true {
    const information = this.medium.failedLba;
    if (result === MediumResult.readError)
      return this.fail(task, SenseKey.mediumError, SenseCode.unrecoveredReadError, { information });
    if (result === MediumResult.noSpace)
      return this.fail(task, SenseKey.dataProtect, SenseCode.spaceAllocationFailedWriteProtect, {
        information,
      });
    return this.fail(task, SenseKey.mediumError, SenseCode.writeError, { information });
  }

  /** Data of a command with an allocation length: as much as fits. */
  reply(task: ScsiTask, data: Uint8Array): true {
    task.transferBytes = Math.min(task.transferBytes, data.length);
    const count = Math.min(task.transferBytes, task.dataBytes);
    task.data.set(count === data.length ? data : data.subarray(0, count), task.dataOffset);
    task.movedBytes = count;
    return true;
  }

  // Commands

  begin(task: ScsiTask): boolean {
    task.status = ScsiStatus.good;
    task.senseBytes = 0;
    task.movedBytes = 0;
    task.direction = ScsiDirection.none;
    task.transferBytes = 0;
    const { cdb, initiator } = task;
    const opcode = cdb[0];
    if (
      (opcode === ScsiOpcode.read10 || opcode === ScsiOpcode.write10) &&
      this.#isPlain &&
      this.power.isReady &&
      (cdb[1] & 0xe5) === 0 &&
      cdb[6] === 0 &&
      cdb[9] === 0 &&
      task.cdbBytes >= 10 &&
      this.attentions.isQuietFor(initiator) &&
      !this.reservations.isActive
    ) {
      const lba = getU32be(cdb, 2);
      const blocks = getU16be(cdb, 7);
      if (
        lba < this.medium.blockCount &&
        lba + blocks <= this.medium.blockCount &&
        blocks <= this.#maximumTransfer
      ) {
        task.direction = opcode === ScsiOpcode.read10 ? ScsiDirection.in : ScsiDirection.out;
        task.transferBytes = blocks * this.medium.blockBytes;
        return false;
      }
    }
    return this.#beginSlowly(task, opcode);
  }

  #beginSlowly(task: ScsiTask, opcode: number): boolean {
    const { cdb, initiator } = task;
    this.attentions.meet(initiator);
    this.reservations.meet(initiator);
    const hearsAttention =
      opcode !== ScsiOpcode.inquiry && opcode !== ScsiOpcode.reportLuns && opcode !== ScsiOpcode.requestSense;
    if (hearsAttention) {
      const code = this.attentions.take(initiator);
      if (code !== 0) return this.fail(task, SenseKey.unitAttention, code);
    }
    if (this.reservations.isActive && this.reservations.conflicts(initiator, cdb)) {
      task.status = ScsiStatus.reservationConflict;
      return true;
    }
    const { fields } = this;
    const isKnown = readCdb(cdb, task.cdbBytes, fields);
    const { info } = fields;
    if (!this.identity.serves(opcode))
      return this.fail(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode, { cdbByte: 0 });
    if (info === null) return this.badCdb(task, opcode === ScsiOpcode.variableLength ? 8 : 1, 4);
    if (!isKnown) return this.badCdb(task, 0);
    const stray = strayCdbByte(cdb, info);
    if (stray >= 0) return this.badCdb(task, stray);
    if (info.direction !== "none" && info.unit === LengthUnit.bytes) {
      task.direction = info.direction === "in" ? ScsiDirection.in : ScsiDirection.out;
      task.transferBytes = fields.count;
      return false;
    }
    return prepareBlocks(this, task, fields);
  }

  /** NOT READY (or a wait for the spindle) for commands that touch the medium: true when it failed the task. */
  refuseUnready(task: ScsiTask): boolean {
    const code = this.power.notReady;
    if (code === 0) return false;
    return this.fail(
      task,
      SenseKey.notReady,
      code,
      code === SenseCode.becomingReady ? { progress: this.power.progress } : nothing,
    );
  }

  execute(task: ScsiTask): boolean {
    const opcode = task.cdb[0];
    if (
      (opcode === ScsiOpcode.read10 || opcode === ScsiOpcode.write10) &&
      this.#accessNs === 0 &&
      this.power.isReady
    ) {
      return this.readWrite(
        task,
        getU32be(task.cdb, 2),
        opcode === ScsiOpcode.read10,
        (task.cdb[1] & 0x08) !== 0,
      );
    }
    readCdb(task.cdb, task.cdbBytes, this.fields);
    const { info } = this.fields;
    if (info === null) return this.fail(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
    if (info.lbaAt < 0) return executeControl(this, task, this.fields);
    let delayNs = this.#accessNs;
    if (this.power.state === PowerState.standby) delayNs += this.power.start();
    if (delayNs === 0) return executeBlocks(this, task, this.fields);
    this.defer(task, delayNs, this.#lateBlocks);
    return false;
  }

  readonly #lateBlocks = (task: ScsiTask): boolean => {
    readCdb(task.cdb, task.cdbBytes, this.fields);
    return this.refuseUnready(task) || executeBlocks(this, task, this.fields);
  };

  /** READ and WRITE of every width; whole blocks as far as there is room or data. False: over when the store is flushed. */
  readWrite(task: ScsiTask, lba: number, isRead: boolean, isForced: boolean): boolean {
    const { medium } = this;
    const bytes = Math.min(task.transferBytes, task.dataBytes);
    const blocks = Math.floor(bytes / medium.blockBytes);
    if (blocks === 0 && bytes === 0) return true;
    if (isRead) {
      const result = medium.read(lba, blocks, task.data, task.dataOffset);
      task.movedBytes =
        result === MediumResult.ok
          ? blocks * medium.blockBytes
          : (medium.failedLba - lba) * medium.blockBytes;
      if (result !== MediumResult.ok) this.failMedium(task, result);
      else if (bytes > task.movedBytes) this.#readTail(task, lba + blocks, bytes - task.movedBytes);
      return true;
    }
    const result = medium.write(lba, blocks, task.data, task.dataOffset, isForced);
    task.movedBytes = blocks * medium.blockBytes;
    return this.finishWrite(task, result, lba, isForced);
  }

  /** The end of every command that wrote: a durable one is over when the store has kept it. True: over. */
  finishWrite(task: ScsiTask, result: MediumResult, lba: number, isForced: boolean): boolean {
    if (result !== MediumResult.ok) return this.failMedium(task, result);
    return (!isForced && this.medium.isCaching) || this.flushStore(task, lba, null);
  }

  /**
   * Flushes the store, then does `after`, when that went well; what failed is told about `lba`. True: over; false: the
   * task is reported when the host has answered, and nothing else waits for it.
   */
  flushStore(task: ScsiTask, lba: number, after: ((task: ScsiTask) => void) | null): boolean {
    const ended = (result: StoreResult): void => {
      const told = this.medium.told(result, lba);
      if (told !== MediumResult.ok) this.failMedium(task, told);
      else after?.(task);
    };
    const answered = this.#awaitHost<StoreResult>(task, ended);
    const result = this.medium.store.flush(answered.tell);
    if (result === StoreResult.later) return answered.wait();
    ended(result);
    return true;
  }

  /** PERSISTENT RESERVE OUT did something: over when it is kept as far as it has to be. True: over. */
  keepReservations(task: ScsiTask, keep: (done: (isKept: boolean) => void) => boolean): boolean {
    const answered = this.#awaitHost<boolean>(task, (isKept) => {
      if (!isKept) this.fail(task, SenseKey.hardwareError, SenseCode.internalTargetFailure);
    });
    const isOver = keep((isKept) => {
      this.isKeeping = false;
      answered.tell(isKept);
    });
    if (isOver) return true;
    this.isKeeping = true;
    return answered.wait();
  }

  /** A task whose end the host decides: `wait` parks it, `tell` ends it, unless it was aborted and so had its answer. */
  #awaitHost<T>(task: ScsiTask, ended: (answer: T) => void): { tell(answer: T): void; wait(): false } {
    const waiting: Waiting = { task, timer: -1, work: null };
    return {
      tell: (answer) => {
        if (waiting.work === abortedWork || !this.#waiting.includes(waiting)) return;
        ended(answer);
        this.#due(waiting);
      },
      wait: () => {
        this.#waiting.push(waiting);
        return false;
      },
    };
  }

  /** The initiator has room for a part of a block. */
  #readTail(task: ScsiTask, lba: number, bytes: number): void {
    const block = new Uint8Array(this.medium.blockBytes);
    const result = this.medium.read(lba, 1, block, 0);
    if (result !== MediumResult.ok) {
      this.failMedium(task, result);
      return;
    }
    task.data.set(block.subarray(0, bytes), task.dataOffset + task.movedBytes);
    task.movedBytes += bytes;
  }

  // Tasks that take time

  /** `work` runs after `delayNs`; when it answers true, the task is reported. */
  defer(task: ScsiTask, delayNs: Nanoseconds, work: ((task: ScsiTask) => boolean) | null): void {
    const waiting: Waiting = { task, timer: 0, work };
    waiting.timer = this.home.clock.after(delayNs, this.#due, waiting);
    this.#waiting.push(waiting);
  }

  readonly #due = (waiting: Waiting): void => {
    this.#waiting = this.#waiting.filter((entry) => entry !== waiting);
    if (waiting.work?.(waiting.task) ?? true) this.home.finished(waiting.task);
  };

  /** Aborted tasks end with TASK ABORTED, never within the call. */
  #abort(doomed: (waiting: Waiting) => boolean): void {
    for (const waiting of this.#waiting) {
      if (waiting.work === abortedWork || !doomed(waiting)) continue;
      if (waiting.timer >= 0) this.home.clock.cancel(waiting.timer);
      waiting.work = abortedWork;
      waiting.timer = this.home.clock.after(0, this.#due, waiting);
    }
  }

  abort(task: ScsiTask): void {
    this.#abort((waiting) => waiting.task === task);
  }

  /** Of one initiator, or of all. */
  abortAll(initiator = -1): void {
    this.#abort((waiting) => initiator < 0 || waiting.task.initiator === initiator);
  }

  // Events

  reset(code: number): void {
    this.abortAll();
    this.reservations.reset();
    this.preventing.clear();
    this.modes.restore();
    this.modesChanged();
    this.attentions.replaceAll(code);
  }

  nexusLost(initiator: number): void {
    this.abortAll(initiator);
    this.reservations.nexusLost(initiator);
    this.copies.forget(initiator);
    this.preventing.delete(initiator);
    this.attentions.raiseFor(initiator, SenseCode.itNexusLoss);
  }

  /** Answers the number of blocks whose newest contents were lost. */
  powerCycle(): number {
    this.abortAll();
    const lost = this.medium.cutPower(this.home.random);
    this.reservations.powerCycle();
    this.preventing.clear();
    this.modes.restore();
    this.modesChanged();
    this.buffer = null;
    this.power.powerOn();
    this.attentions.replaceAll(SenseCode.powerOn);
    return lost;
  }

  /** Somebody opens the drawer, or START STOP UNIT does. */
  eject(): void {
    this.power.hasMedium = false;
  }

  /** Everybody hears of it but the initiator that asked for it (-1: a hand did it). */
  load(initiator = -1): void {
    if (this.power.hasMedium) return;
    this.power.hasMedium = true;
    this.power.start();
    this.attentions.raise(SenseCode.notReadyToReady, initiator);
  }
}

function abortedWork(task: ScsiTask): boolean {
  task.status = ScsiStatus.taskAborted;
  task.senseBytes = 0;
  task.movedBytes = 0;
  return true;
}
