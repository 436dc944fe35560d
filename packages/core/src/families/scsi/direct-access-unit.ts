// The kernel's class driver for disks (peripheral device type 00): brings a unit up, reads, writes, flushes, powers.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond, second } from "../../base/units.ts";
import {
  CdbFlag,
  narrowestWidth,
  writeGetLbaStatus,
  writeReadWrite,
  writeSynchronizeCache,
  writeUnmap,
  writeWriteSame,
} from "../../codec/scsi/cdb.ts";
import { encodeUnmapList } from "../../codec/scsi/provisioning.ts";
import { type DecodedSense, SenseKey } from "../../codec/scsi/sense.ts";
import { type BlockGeometry, type BlockRuns, BlockStatus, blockRunMaximum } from "../../ports/block.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import { FlushLedger } from "../block/flush-ledger.ts";
import { type BlockStorageBackend, type IOMedia, mediaSlots } from "../block/io-media.ts";
import { readRuns } from "./allocation-runs.ts";
import type { IOSCSIPeripheralDeviceNub } from "./io-scsi-peripheral-device-nub.ts";
import { type OptionalForm, OptionalForms } from "./optional-forms.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_TASK_COMPLETE,
  kSCSITaskStatus_BUSY,
  kSCSITaskStatus_CHECK_CONDITION,
  kSCSITaskStatus_GOOD,
  kSCSITaskStatus_TASK_SET_FULL,
  SCSITask,
  type ScsiTaskClient,
} from "./scsi-task.ts";
import { failureText, senseOf, slowTimeoutMs, UnitCommands, type WriteCacheBelief } from "./unit-commands.ts";

const readWriteTimeoutMs = 30_000;
/** Tries of a command that failed for a reason that may pass. */
const retryMaximum = 5;
const busyDelayNs = 100 * millisecond;
const pollDelayNs = 500 * millisecond;
/** A unit may be "becoming ready" for so long before requests to it fail. */
const becomingReadyNs = 120 * second;
/** How often a removable unit is asked for its medium: about once a second on every host; macOS' figure is likely. */
const mediumLookNs = 1 * second;

const Kind = { none: 0, read: 1, write: 2, flush: 3, trim: 4, zeroes: 5, allocation: 6 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** Zeros that are written, where no form of WRITE SAME is left, come from here. */
const zeroBytes = 65536;

/** Sense codes (ASC in the high byte) that the driver acts on. */
const becomingReady = 0x0401;
const startNeeded = 0x0402;
const noMedium = 0x3a;
const mediumMayHaveChanged = 0x2800;
/** Unit attentions after which everything is read anew (posts.md DR08-1). */
const changedCodes: readonly number[] = [0x2800, 0x2a09, 0x2a01, 0x3f03, 0x3f0e];

/** Where a unit stands, in the words of its log lines. */
export type UnitState = "starting" | "ready" | "no medium" | "not ready" | "suspended" | "gone";

/** One command of a power transition, for the rehearsal (posts.md F13). */
export interface PowerStep {
  readonly transition: "down" | "up";
  readonly command: string;
  readonly tookNs: number;
  readonly result: string;
}

/** What the owner of a unit does for it. */
export interface UnitOwner {
  /** A medium is known: publish it. */
  publishMedia(geometry: BlockGeometry, backend: BlockStorageBackend, ledger: FlushLedger): IOMedia;
  withdrawMedia(media: IOMedia): void;
  note(text: string): void;
}

/**
 * The kernel half of every disk's class driver, in-kernel or with a dext on top. Control work runs as promises on kernel
 * threads; the data path is callbacks only and allocates nothing. Behaviour follows the public ancestor (posts.md T9);
 * what that does not settle is marked in the page.
 */
export class DirectAccessUnit implements ScsiTaskClient, BlockStorageBackend {
  readonly nub: IOSCSIPeripheralDeviceNub;
  readonly commands: UnitCommands;
  readonly ledger = new FlushLedger();
  readonly powerSteps: PowerStep[] = [];
  state: UnitState = "starting";
  /** The last failure that changed the state, in words. */
  stateReason = "";
  media: IOMedia | null = null;
  cache: WriteCacheBelief = {
    isEnabled: false,
    reason: "not asked yet",
    isWriteProtected: false,
    hasForceUnitAccess: false,
  };
  /** Requests that came back from the unit for another try. */
  retries = 0;
  readonly #scheduler: Scheduler;
  readonly #owner: UnitOwner;
  readonly #tasks: SCSITask[] = [];
  /** Whose request a slot holds: a withdrawn medium still gets its answers. */
  readonly #media: (IOMedia | null)[] = new Array<IOMedia | null>(mediaSlots).fill(null);
  readonly #kinds = new Uint8Array(mediaSlots);
  readonly #tries = new Uint8Array(mediaSlots);
  /** A flush must follow before the request is done: forced writes on a unit without FUA. */
  readonly #mustFlush = new Uint8Array(mediaSlots);
  readonly #deadlinesNs = new Float64Array(mediaSlots);
  /** Trims and zeros go out in commands as long as the form takes: from which block on, and how many are left. */
  readonly #cursors = new Float64Array(mediaSlots);
  readonly #lefts = new Float64Array(mediaSlots);
  readonly #sent = new Float64Array(mediaSlots);
  readonly #mayTrim = new Uint8Array(mediaSlots);
  /** The form under way; null: nothing that could be refused. */
  readonly #forms: (OptionalForm | null)[] = new Array<OptionalForm | null>(mediaSlots).fill(null);
  readonly #optional: OptionalForms;
  /** Where an answer about holes goes. */
  readonly #runs: (BlockRuns | null)[] = new Array<BlockRuns | null>(mediaSlots).fill(null);
  /** Holes exist, and read as zeros (LBPME and LBPRZ). */
  #hasHoles = false;
  #isUnflushable = false;
  #blockBytes = 512;
  #blockCount = 0;
  #zeros: Uint8Array = new Uint8Array(0);
  /** Requests wait while the unit changes its power state. */
  #isHolding = false;
  readonly #held: number[] = [];
  #pending = 0;
  #isRevalidating = false;
  #isWatching = false;
  #onIdle: (() => void) | null = null;

  constructor(nub: IOSCSIPeripheralDeviceNub, scheduler: Scheduler, owner: UnitOwner) {
    this.nub = nub;
    this.commands = new UnitCommands(nub.protocol, nub.lun, (text) => owner.note(text));
    this.#optional = new OptionalForms(nub.protocol.memory);
    this.#scheduler = scheduler;
    this.#owner = owner;
    for (let slot = 0; slot < mediaSlots; slot++) {
      const task = new SCSITask(this, slot);
      task.lun = nub.lun;
      this.#tasks.push(task);
    }
  }

  /**
   * Ready, capacity, cache, limits, medium; and from then on a removable unit is asked for its medium, so that a card that
   * is put in later, or taken out, is noticed. Blocks a kernel thread.
   */
  async bringUp(): Promise<void> {
    await this.#bringUpOnce();
    if (this.#isWatching || !this.nub.properties["Removable Media"] || this.#isGone()) return;
    this.#isWatching = true;
    this.nub.process.spawn("watch the medium", () => this.#watchMedium());
  }

  async #watchMedium(): Promise<void> {
    for (;;) {
      await this.#scheduler.sleep(mediumLookNs);
      if (this.#isGone()) return;
      // A unit that is stopped for sleep, or is being asked already, is left alone.
      if (this.#isHolding || this.#isRevalidating || this.state === "suspended") continue;
      if (this.state !== "ready" && this.state !== "no medium") continue;
      const task = await this.commands.testUnitReady();
      if (this.#isGone()) return;
      const sense = task.isGood ? null : senseOf(task);
      if (this.state === "no medium") {
        if (task.isGood || sense?.key === SenseKey.unitAttention) await this.#bringUpOnce();
      } else if (sense !== null && sense.code >> 8 === noMedium) this.#mediumLeft(failureText(task));
      else if (sense?.code === mediumMayHaveChanged) await this.#replaceMedium();
    }
  }

  /** Whoever has it open is told; a card that comes next is another medium. */
  #mediumLeft(reason: string): void {
    if (this.state !== "ready") return;
    this.withdraw("no medium");
    this.#fail("no medium", reason);
  }

  async #replaceMedium(): Promise<void> {
    this.withdraw("starting");
    await this.#bringUpOnce();
  }

  async #bringUpOnce(): Promise<void> {
    this.state = "starting";
    if (!(await this.#waitReady())) return;
    const capacity = await this.commands.readCapacity();
    if (this.#isGone()) return;
    if (typeof capacity === "string") return this.#fail("not ready", capacity);
    this.cache = await this.commands.writeCache();
    const limits = await this.commands.limits();
    if (this.#isGone()) return;
    this.#owner.note(
      `write cache ${this.cache.isEnabled ? "on" : "off"}: ${this.cache.reason}; ${capacity.blockCount} blocks of ${capacity.blockBytes}`,
    );
    this.#blockBytes = capacity.blockBytes;
    this.#blockCount = capacity.blockCount;
    this.#zeros = new Uint8Array(Math.max(zeroBytes, capacity.blockBytes));
    this.#optional.limits = limits;
    this.#hasHoles = capacity.isThin && capacity.readsZeros;
    const most = Math.floor(this.nub.protocol.maximumTransferBytes / capacity.blockBytes);
    const maximumBlocks =
      limits.maximumTransferBlocks > 0 ? Math.min(most, limits.maximumTransferBlocks) : most;
    const geometry: BlockGeometry = {
      blockBytes: capacity.blockBytes,
      blockCount: capacity.blockCount,
      maximumBlocks,
      isReadOnly: this.cache.isWriteProtected,
      hasWriteCache: this.cache.isEnabled,
      canTrim:
        capacity.isThin && (limits.canUnmap || limits.canUnmapBySame16) && !this.cache.isWriteProtected,
      // Where no form of WRITE SAME is served, zeros are written.
      canWriteZeroes: !this.cache.isWriteProtected,
    };
    this.state = "ready";
    this.stateReason = "";
    // A disk of 0 bytes is a disk without anything to read.
    if (capacity.blockCount === 0) return this.#fail("not ready", "the capacity is 0 blocks");
    await this.#drained();
    if (this.#isGone()) return;
    this.media = this.#owner.publishMedia(geometry, this, this.ledger);
  }

  /** Takes the medium away; whoever has it open is told. */
  withdraw(state: UnitState): void {
    this.state = state;
    const { media } = this;
    this.media = null;
    if (media !== null) this.#owner.withdrawMedia(media);
  }

  // ---- data path

  read(slot: number, block: number, blocks: number, buffer: Uint8Array, offset: number): void {
    const task = this.#begin(slot, Kind.read);
    task.cdbBytes = writeReadWrite(task.cdb, "read", narrowestWidth(block, blocks), block, blocks);
    task.direction = kSCSIDataTransfer_FromTargetToInitiator;
    task.data = buffer;
    task.dataOffset = offset;
    task.dataBytes = blocks * this.#blockBytes;
    this.#send(task);
  }

  write(
    slot: number,
    block: number,
    blocks: number,
    buffer: Uint8Array,
    offset: number,
    isForced: boolean,
  ): void {
    const task = this.#begin(slot, Kind.write);
    const isForcedByUnit = isForced && this.cache.hasForceUnitAccess && this.#optional.isLeft("FUA");
    const flags = isForcedByUnit ? CdbFlag.forceUnitAccess : 0;
    if (isForcedByUnit) this.#forms[slot] = "FUA";
    if (isForced && !isForcedByUnit && this.cache.isEnabled) this.#mustFlush[slot] = 1;
    task.cdbBytes = writeReadWrite(task.cdb, "write", narrowestWidth(block, blocks), block, blocks, flags);
    task.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    task.data = buffer;
    task.dataOffset = offset;
    task.dataBytes = blocks * this.#blockBytes;
    this.#send(task);
  }

  /** posts.md T9: sent only when the cache is believed on; otherwise it is success without any command. */
  flush(slot: number): void {
    this.#begin(slot, Kind.flush);
    const counts = this.ledger.of("class driver");
    counts.requested++;
    if (!this.cache.isEnabled) {
      this.ledger.suppress("class driver", `write cache deemed off because ${this.cache.reason}`);
      this.#scheduler.ready(this.#finishOk, slot);
      return;
    }
    counts.converted++;
    this.#sendFlush(slot);
  }

  /** UNMAP, or what else unmaps here; a unit that refuses all of it answers `unsupported`. */
  trim(slot: number, block: number, blocks: number): void {
    this.#begin(slot, Kind.trim);
    this.#cursors[slot] = block;
    this.#lefts[slot] = blocks;
    this.#sendRange(slot);
  }

  /** WRITE SAME where the unit has it, else blocks of zeros: the same for whoever asked. */
  writeZeroes(slot: number, block: number, blocks: number, mayTrim: boolean, isForced: boolean): void {
    this.#begin(slot, Kind.zeroes);
    if (isForced && this.cache.isEnabled) this.#mustFlush[slot] = 1;
    this.#cursors[slot] = block;
    this.#lefts[slot] = blocks;
    this.#mayTrim[slot] = mayTrim ? 1 : 0;
    this.#sendRange(slot);
  }

  /** GET LBA STATUS where blocks can be unmapped; else, and where it is refused, everything is data. */
  allocation(slot: number, block: number, blocks: number, runs: BlockRuns): void {
    const task = this.#begin(slot, Kind.allocation);
    runs.allData(blocks);
    if (!this.#hasHoles || !this.#optional.isLeft("GET LBA STATUS")) {
      this.#scheduler.ready(this.#finishOk, slot);
      return;
    }
    this.#runs[slot] = runs;
    this.#cursors[slot] = block;
    this.#lefts[slot] = blocks;
    this.#forms[slot] = "GET LBA STATUS";
    task.data = new Uint8Array(8 + 16 * blockRunMaximum);
    task.dataOffset = 0;
    task.dataBytes = task.data.length;
    task.direction = kSCSIDataTransfer_FromTargetToInitiator;
    task.cdbBytes = writeGetLbaStatus(task.cdb, block, task.dataBytes);
    this.#send(task);
  }

  taskCompleted(task: SCSITask): void {
    const slot = task.number;
    if (task.serviceResponse === kSCSIServiceResponse_TASK_COMPLETE && task.status === kSCSITaskStatus_GOOD) {
      const isData = this.#kinds[slot] === Kind.read || this.#kinds[slot] === Kind.write;
      if (!isData || task.realizedBytes === task.dataBytes) {
        if (isData) this.nub.protocol.memory.worked();
        this.#good(task);
        return;
      }
      // Less than requested is an underrun, more an error of the transport (posts.md T9).
      this.#retry(task, BlockStatus.ioError);
      return;
    }
    this.#failed(task);
  }

  // ---- power

  /** Down: flush what the cache is believed to hold, then stop. Blocks a kernel thread. */
  async powerDown(): Promise<void> {
    this.#isHolding = true;
    await this.#drained();
    if (this.cache.isEnabled)
      await this.#step("down", "SYNCHRONIZE CACHE", () => this.commands.synchronizeCache());
    await this.#step("down", "START STOP UNIT (stop)", () => this.commands.startStop(false));
  }

  /**
   * Up: starts the unit and waits for it, unless somebody has started it already (NOT READY, becoming ready): then
   * requests wait for it by themselves. Which of the two Apple's driver does is not known (page: own design).
   */
  async powerUp(): Promise<void> {
    for (let attempt = 0; attempt < retryMaximum && !this.#isGone(); attempt++) {
      const task = await this.#step("up", "TEST UNIT READY", () => this.commands.testUnitReady());
      const sense = senseOf(task);
      if (task.isGood || sense === null || sense.code === becomingReady) break;
      if (sense.key === SenseKey.unitAttention) continue;
      if (sense.code !== startNeeded) break;
      await this.#step("up", "START STOP UNIT (start)", () => this.commands.startStop(true));
      break;
    }
    this.#release();
  }

  // ---- inside

  async #step(transition: "down" | "up", command: string, run: () => Promise<SCSITask>): Promise<SCSITask> {
    const started = this.#scheduler.nowNs();
    const task = await run();
    this.powerSteps.push({
      transition,
      command,
      tookNs: this.#scheduler.nowNs() - started,
      result: task.isGood ? "GOOD" : failureText(task),
    });
    return task;
  }

  async #drained(): Promise<void> {
    if (this.#pending === this.#held.length) return;
    await this.#scheduler.block<void>("requests of the disk", (completion) => {
      this.#onIdle = () => completion.succeed(undefined);
    });
  }

  /** The device left: what waits for power is let go, to find out. */
  terminated(): void {
    this.state = "gone";
    this.#release();
  }

  #release(): void {
    this.#isHolding = false;
    for (const slot of this.#held.splice(0)) this.#send(this.#tasks[slot]);
  }

  #isGone(): boolean {
    if (!this.nub.isInactive && !this.nub.protocol.isInactive) return false;
    this.state = "gone";
    return true;
  }

  #fail(state: UnitState, reason: string): void {
    this.state = state;
    this.stateReason = reason;
    this.#owner.note(`unit ${this.nub.lun} is ${state}: ${reason}`);
  }

  /** TEST UNIT READY until it is GOOD; a unit that wants starting is started. */
  async #waitReady(): Promise<boolean> {
    const deadline = this.#scheduler.nowNs() + becomingReadyNs;
    let attention = 0;
    let starts = 0;
    for (;;) {
      const task = await this.commands.testUnitReady();
      if (this.#isGone()) return false;
      if (task.isGood) return true;
      const sense = senseOf(task);
      const isPatient = this.#scheduler.nowNs() < deadline && ++attention < 1000;
      if (!isPatient) {
        this.#fail("not ready", failureText(task));
        return false;
      }
      if (sense === null || sense.key === SenseKey.noSense) await this.#scheduler.sleep(busyDelayNs);
      else if (sense.key === SenseKey.unitAttention) continue;
      else if (sense.code >> 8 === noMedium) {
        this.#fail("no medium", failureText(task));
        return false;
      } else if (sense.code === startNeeded && starts++ < retryMaximum) await this.commands.startStop(true);
      else if (sense.key === SenseKey.notReady && sense.code !== startNeeded)
        await this.#scheduler.sleep(pollDelayNs);
      else {
        this.#fail("not ready", failureText(task));
        return false;
      }
    }
  }

  #begin(slot: number, kind: Kind): SCSITask {
    this.#media[slot] = this.media;
    this.#kinds[slot] = kind;
    this.#tries[slot] = 0;
    this.#mustFlush[slot] = 0;
    this.#deadlinesNs[slot] = 0;
    this.#forms[slot] = null;
    this.#pending++;
    const task = this.#tasks[slot];
    task.timeoutMs = readWriteTimeoutMs;
    return task;
  }

  /** SYNCHRONIZE CACHE in the form that is left; where none is, the cache itself has to go. */
  #sendFlush(slot: number): void {
    const task = this.#tasks[slot];
    const isLong = this.#blockCount > 0xffffffff || !this.#optional.isLeft("SYNCHRONIZE CACHE(10)");
    if (isLong && !this.#optional.isLeft("SYNCHRONIZE CACHE(16)")) {
      this.#scheduler.ready(this.#finishUnsupported, slot);
      return;
    }
    this.#forms[slot] = isLong ? "SYNCHRONIZE CACHE(16)" : "SYNCHRONIZE CACHE(10)";
    task.cdbBytes = writeSynchronizeCache(task.cdb, isLong ? 16 : 10);
    task.noData();
    task.timeoutMs = slowTimeoutMs;
    this.#send(task);
  }

  /** The next command of a trim or of zeros. */
  #sendRange(slot: number): void {
    const task = this.#tasks[slot];
    const block = this.#cursors[slot];
    const left = this.#lefts[slot];
    const isTrim = this.#kinds[slot] === Kind.trim;
    const step = isTrim
      ? this.#optional.trimStep(block, left)
      : this.#optional.zeroStep(block, left, this.#mayTrim[slot] === 1);
    if (step === null && isTrim) {
      this.#scheduler.ready(this.#finishUnsupported, slot);
      return;
    }
    const blocks = step?.blocks ?? Math.min(left, Math.floor(this.#zeros.length / this.#blockBytes));
    this.#forms[slot] = step?.form ?? null;
    this.#sent[slot] = blocks;
    task.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    task.dataOffset = 0;
    if (step?.form === "UNMAP") {
      task.data = encodeUnmapList([{ lba: block, blocks }]);
      task.dataBytes = task.data.length;
      task.cdbBytes = writeUnmap(task.cdb, task.data.length);
    } else if (step !== null) {
      const width = step.form.startsWith("WRITE SAME(16)") ? 16 : 10;
      task.data = this.#zeros;
      task.dataBytes = this.#blockBytes;
      task.cdbBytes = writeWriteSame(task.cdb, width, block, blocks, { unmap: step.form.endsWith("UNMAP") });
    } else {
      task.data = this.#zeros;
      task.dataBytes = blocks * this.#blockBytes;
      task.cdbBytes = writeReadWrite(task.cdb, "write", narrowestWidth(block, blocks), block, blocks);
    }
    this.#send(task);
  }

  /** A form that is optional was refused: it is given up, and the request goes on another way. False: it was none. */
  #isRefusal(task: SCSITask, sense: DecodedSense): boolean {
    const form = this.#forms[task.number];
    if (form === null || !OptionalForms.isRefusal(sense)) return false;
    if (this.#optional.refuse(form))
      this.#owner.note(`unit ${this.nub.lun} refuses ${form} (${failureText(task)}): it is not asked again`);
    this.#goOnWithout(form, task);
    return true;
  }

  /** The same for one that was never answered. A flush has nothing that could take its place: it is tried again. */
  #isSilence(task: SCSITask): boolean {
    const form = this.#forms[task.number];
    if (!task.hasTimedOut || form === null || form.startsWith("SYNCHRONIZE")) return false;
    if (this.#optional.fellSilent(form))
      this.#owner.note(
        `unit ${this.nub.lun} did not answer ${form} within ${task.timeoutMs / 1000} s: it is not asked again`,
      );
    return true;
  }

  #goOnWithout(form: OptionalForm, task: SCSITask): void {
    const slot = task.number;
    this.#forms[slot] = null;
    if (form === "FUA") {
      // The same without it; a cache makes a flush necessary then.
      task.cdb[1] &= ~CdbFlag.forceUnitAccess;
      if (this.cache.isEnabled) this.#mustFlush[slot] = 1;
      this.#send(task);
    } else if (form === "GET LBA STATUS") {
      this.#runs[slot] = null;
      this.#finish(slot, BlockStatus.ok);
    } else if (form === "SYNCHRONIZE CACHE(10)") this.#sendFlush(slot);
    else if (form === "SYNCHRONIZE CACHE(16)") this.#withoutCache(slot);
    else this.#sendRange(slot);
  }

  /**
   * A unit that says that it caches writes, and refuses every form of SYNCHRONIZE CACHE: the cache is switched off, which
   * empties it (SBC-3 §6.4.5); where that is refused too, flushes end as unsupported, because nothing can vouch for them.
   */
  #withoutCache(slot: number): void {
    this.nub.process.spawn("write cache off", async () => {
      const isOff = !this.cache.isEnabled || (await this.commands.disableWriteCache());
      if (isOff && this.cache.isEnabled) {
        this.cache = {
          ...this.cache,
          isEnabled: false,
          reason: "it cannot be flushed, so it was switched off",
        };
        this.#owner.note(`unit ${this.nub.lun}: the write cache was switched off, as it cannot be flushed`);
      } else if (!isOff && !this.#isUnflushable) {
        this.#isUnflushable = true;
        this.#owner.note(
          `unit ${this.nub.lun} caches writes, and can neither be flushed nor kept from it: flushes end as unsupported`,
        );
      }
      this.#finish(slot, isOff ? BlockStatus.ok : BlockStatus.unsupported);
    });
  }

  #send(task: SCSITask): void {
    if (this.#isHolding) {
      this.#held.push(task.number);
      return;
    }
    const status: IOReturn = this.nub.protocol.sendCommand(task);
    if (status !== IOReturns.kIOReturnSuccess) this.#scheduler.ready(this.#finishGone, task.number);
  }

  readonly #resend = (slot: number): void => this.#send(this.#tasks[slot]);
  readonly #finishOk = (slot: number): void => this.#finish(slot, BlockStatus.ok);
  readonly #finishUnsupported = (slot: number): void => this.#finish(slot, BlockStatus.unsupported);
  readonly #finishGone = (slot: number): void => this.#finish(slot, BlockStatus.gone);

  #good(task: SCSITask): void {
    const slot = task.number;
    const kind = this.#kinds[slot];
    if (kind === Kind.allocation) {
      const runs = this.#runs[slot];
      if (runs !== null)
        readRuns(task.data.subarray(0, task.realizedBytes), this.#cursors[slot], this.#lefts[slot], runs);
      this.#runs[slot] = null;
    }
    if (kind === Kind.trim || kind === Kind.zeroes) {
      this.#cursors[slot] += this.#sent[slot];
      this.#lefts[slot] -= this.#sent[slot];
      this.#tries[slot] = 0;
      if (this.#lefts[slot] > 0) {
        this.#sendRange(slot);
        return;
      }
    }
    if (this.#mustFlush[slot] === 1) {
      this.#mustFlush[slot] = 0;
      this.#kinds[slot] = Kind.flush;
      this.#sendFlush(slot);
      return;
    }
    this.#finish(slot, BlockStatus.ok);
  }

  #finish(slot: number, status: BlockStatus): void {
    this.#kinds[slot] = Kind.none;
    this.#pending--;
    // The buffer is its owner's again: a slot that may rest for long keeps nobody's memory.
    this.#tasks[slot].noData();
    this.#media[slot]?.finished(slot, status);
    if (this.#onIdle !== null && this.#pending === this.#held.length) {
      const idle = this.#onIdle;
      this.#onIdle = null;
      idle();
    }
  }

  #failed(task: SCSITask): void {
    const isSilence = this.#isSilence(task);
    if (this.#isGone()) {
      this.#finish(task.number, BlockStatus.gone);
      return;
    }
    if (isSilence) {
      this.#goOnWithout(this.#forms[task.number] as OptionalForm, task);
      return;
    }
    if (task.serviceResponse !== kSCSIServiceResponse_TASK_COMPLETE) {
      this.#retry(task, BlockStatus.ioError);
      return;
    }
    if (task.status === kSCSITaskStatus_BUSY || task.status === kSCSITaskStatus_TASK_SET_FULL) {
      this.#later(task, busyDelayNs);
      return;
    }
    const sense = task.status === kSCSITaskStatus_CHECK_CONDITION ? senseOf(task) : null;
    if (sense === null) {
      this.#retry(task, BlockStatus.ioError);
      return;
    }
    this.#sensed(task, sense);
  }

  #sensed(task: SCSITask, sense: DecodedSense): void {
    switch (sense.key) {
      case SenseKey.noSense:
      case SenseKey.recoveredError:
        task.realizedBytes === task.dataBytes ? this.#good(task) : this.#retry(task, BlockStatus.ioError);
        return;
      case SenseKey.unitAttention:
        if (changedCodes.includes(sense.code)) this.#revalidate(sense.code);
        this.#retry(task, BlockStatus.ioError);
        return;
      case SenseKey.notReady:
        if (sense.code === becomingReady) {
          this.#later(task, pollDelayNs);
          return;
        }
        this.#finish(task.number, BlockStatus.ioError);
        if (sense.code >> 8 === noMedium && this.nub.properties["Removable Media"] === true)
          this.#mediumLeft(failureText(task));
        return;
      case SenseKey.mediumError:
        this.#finish(task.number, BlockStatus.mediumError);
        return;
      case SenseKey.dataProtect:
        this.#finish(
          task.number,
          // 27h/07h: SPACE ALLOCATION FAILED WRITE PROTECT of thin units (SBC-3 §4.7.3.6).
          sense.code === 0x2707 ? BlockStatus.noSpace : BlockStatus.writeProtected,
        );
        return;
      case SenseKey.abortedCommand:
      case SenseKey.hardwareError:
        this.#retry(task, BlockStatus.ioError);
        return;
      default:
        if (!this.#isRefusal(task, sense)) this.#finish(task.number, BlockStatus.ioError);
        return;
    }
  }

  #retry(task: SCSITask, status: BlockStatus): void {
    const slot = task.number;
    if (this.#isGone()) {
      this.#finish(slot, BlockStatus.gone);
      return;
    }
    if (++this.#tries[slot] >= retryMaximum) {
      this.#finish(slot, status);
      return;
    }
    this.retries++;
    this.#send(task);
  }

  /** Waits for a unit that is busy or becoming ready, as long as that may take. */
  #later(task: SCSITask, delayNs: number): void {
    const slot = task.number;
    const now = this.#scheduler.nowNs();
    if (this.#deadlinesNs[slot] === 0) this.#deadlinesNs[slot] = now + becomingReadyNs;
    if (now >= this.#deadlinesNs[slot]) {
      this.#finish(slot, BlockStatus.ioError);
      return;
    }
    this.retries++;
    this.#scheduler.after(delayNs, this.#resend, slot);
  }

  /** The unit says that it is not what it was: ask again, and publish another medium if it is another one. */
  #revalidate(code: number): void {
    if (this.#isRevalidating) return;
    this.#isRevalidating = true;
    this.nub.process.spawn("revalidate disk", async () => {
      const capacity = await this.commands.readCapacity();
      const isSame =
        typeof capacity !== "string" &&
        capacity.blockCount === this.#blockCount &&
        capacity.blockBytes === this.#blockBytes;
      // A card of the same size is another card.
      const mayBeAnother = code === mediumMayHaveChanged && this.nub.properties["Removable Media"] === true;
      if ((!isSame || mayBeAnother) && !this.#isGone() && this.state === "ready") await this.#replaceMedium();
      this.#isRevalidating = false;
    });
  }
}
