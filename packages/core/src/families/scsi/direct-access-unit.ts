// The kernel's class driver for disks (peripheral device type 00): brings a unit up, reads, writes, flushes, powers.

import { putU16be, putU32be, putU64be } from "../../base/bytes.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import { millisecond, second } from "../../base/units.ts";
import {
  CdbFlag,
  narrowestWidth,
  writeReadWrite,
  writeSynchronizeCache,
  writeUnmap,
  writeWriteSame,
} from "../../codec/scsi/cdb.ts";
import { type DecodedSense, SenseKey } from "../../codec/scsi/sense.ts";
import { type BlockGeometry, BlockStatus } from "../../ports/block.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import { FlushLedger } from "../block/flush-ledger.ts";
import { type BlockStorageBackend, type IOMedia, mediaSlots } from "../block/io-media.ts";
import type { IOSCSIPeripheralDeviceNub } from "./io-scsi-peripheral-device-nub.ts";
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

const Kind = { none: 0, read: 1, write: 2, flush: 3, trim: 4, zeroes: 5 } as const;
type Kind = (typeof Kind)[keyof typeof Kind];

/** Sense codes (ASC in the high byte) that the driver acts on. */
const becomingReady = 0x0401;
const startNeeded = 0x0402;
const noMedium = 0x3a;
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
  #blockBytes = 512;
  #blockCount = 0;
  #zeroBlock: Uint8Array = new Uint8Array(0);
  /** Requests wait while the unit changes its power state. */
  #isHolding = false;
  readonly #held: number[] = [];
  #pending = 0;
  #isRevalidating = false;
  #onIdle: (() => void) | null = null;

  constructor(nub: IOSCSIPeripheralDeviceNub, scheduler: Scheduler, owner: UnitOwner) {
    this.nub = nub;
    this.commands = new UnitCommands(nub.protocol, nub.lun);
    this.#scheduler = scheduler;
    this.#owner = owner;
    for (let slot = 0; slot < mediaSlots; slot++) {
      const task = new SCSITask(this, slot);
      task.lun = nub.lun;
      this.#tasks.push(task);
    }
  }

  /** Ready, capacity, cache, limits, medium. Blocks a kernel thread. */
  async bringUp(): Promise<void> {
    this.state = "starting";
    if (!(await this.#waitReady())) return;
    const capacity = await this.commands.readCapacity();
    if (this.#isGone()) return;
    if (capacity === null) return this.#fail("not ready", "READ CAPACITY was refused");
    this.cache = await this.commands.writeCache();
    const limits = await this.commands.limits();
    if (this.#isGone()) return;
    this.#owner.note(
      `write cache ${this.cache.isEnabled ? "on" : "off"}: ${this.cache.reason}; ${capacity.blockCount} blocks of ${capacity.blockBytes}`,
    );
    this.#blockBytes = capacity.blockBytes;
    this.#blockCount = capacity.blockCount;
    this.#zeroBlock = new Uint8Array(capacity.blockBytes);
    const most = Math.floor(this.nub.protocol.maximumTransferBytes / capacity.blockBytes);
    const maximumBlocks =
      limits.maximumTransferBlocks > 0 ? Math.min(most, limits.maximumTransferBlocks) : most;
    const geometry: BlockGeometry = {
      blockBytes: capacity.blockBytes,
      blockCount: capacity.blockCount,
      maximumBlocks,
      isReadOnly: this.cache.isWriteProtected,
      hasWriteCache: this.cache.isEnabled,
      canTrim: capacity.isThin && limits.canUnmap && !this.cache.isWriteProtected,
      canWriteZeroes: limits.maximumWriteSameBlocks >= maximumBlocks && !this.cache.isWriteProtected,
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
    const isForcedByUnit = isForced && this.cache.hasForceUnitAccess;
    const flags = isForcedByUnit ? CdbFlag.forceUnitAccess : 0;
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
    const task = this.#begin(slot, Kind.flush);
    const counts = this.ledger.of("class driver");
    counts.requested++;
    if (!this.cache.isEnabled) {
      this.ledger.suppress("class driver", `write cache deemed off because ${this.cache.reason}`);
      this.#scheduler.ready(this.#finishOk, slot);
      return;
    }
    counts.converted++;
    this.#writeFlush(task);
    this.#send(task);
  }

  trim(slot: number, block: number, blocks: number): void {
    const task = this.#begin(slot, Kind.trim);
    // UNMAP parameter list with one descriptor: SBC-3 §5.28.
    const parameters = new Uint8Array(24);
    putU16be(parameters, 0, 22);
    putU16be(parameters, 2, 16);
    putU64be(parameters, 8, block);
    putU32be(parameters, 16, blocks);
    task.cdbBytes = writeUnmap(task.cdb, parameters.length);
    task.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    task.data = parameters;
    task.dataOffset = 0;
    task.dataBytes = parameters.length;
    this.#send(task);
  }

  writeZeroes(slot: number, block: number, blocks: number, mayTrim: boolean, isForced: boolean): void {
    const task = this.#begin(slot, Kind.zeroes);
    if (isForced && this.cache.isEnabled) this.#mustFlush[slot] = 1;
    task.cdbBytes = writeWriteSame(task.cdb, 16, block, blocks, { unmap: mayTrim });
    task.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    task.data = this.#zeroBlock;
    task.dataOffset = 0;
    task.dataBytes = this.#blockBytes;
    this.#send(task);
  }

  taskCompleted(task: SCSITask): void {
    const slot = task.number;
    if (task.serviceResponse === kSCSIServiceResponse_TASK_COMPLETE && task.status === kSCSITaskStatus_GOOD) {
      const isData = this.#kinds[slot] === Kind.read || this.#kinds[slot] === Kind.write;
      if (!isData || task.realizedBytes === task.dataBytes) {
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
    this.#pending++;
    const task = this.#tasks[slot];
    task.timeoutMs = readWriteTimeoutMs;
    return task;
  }

  #writeFlush(task: SCSITask): void {
    task.cdbBytes = writeSynchronizeCache(task.cdb, this.#blockCount > 0xffffffff ? 16 : 10);
    task.noData();
    task.timeoutMs = slowTimeoutMs;
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
  readonly #finishGone = (slot: number): void => this.#finish(slot, BlockStatus.gone);

  #good(task: SCSITask): void {
    const slot = task.number;
    if (this.#mustFlush[slot] === 1) {
      this.#mustFlush[slot] = 0;
      this.#kinds[slot] = Kind.flush;
      this.#writeFlush(task);
      this.#send(task);
      return;
    }
    this.#finish(slot, BlockStatus.ok);
  }

  #finish(slot: number, status: BlockStatus): void {
    this.#kinds[slot] = Kind.none;
    this.#pending--;
    this.#media[slot]?.finished(slot, status);
    if (this.#onIdle !== null && this.#pending === this.#held.length) {
      const idle = this.#onIdle;
      this.#onIdle = null;
      idle();
    }
  }

  #failed(task: SCSITask): void {
    if (this.#isGone()) {
      this.#finish(task.number, BlockStatus.gone);
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
        if (changedCodes.includes(sense.code)) this.#revalidate();
        this.#retry(task, BlockStatus.ioError);
        return;
      case SenseKey.notReady:
        if (sense.code === becomingReady) {
          this.#later(task, pollDelayNs);
          return;
        }
        this.#finish(task.number, BlockStatus.ioError);
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
        this.#finish(task.number, BlockStatus.ioError);
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
  #revalidate(): void {
    if (this.#isRevalidating) return;
    this.#isRevalidating = true;
    this.nub.process.spawn("revalidate disk", async () => {
      const capacity = await this.commands.readCapacity();
      const isSame =
        capacity !== null &&
        capacity.blockCount === this.#blockCount &&
        capacity.blockBytes === this.#blockBytes;
      if (!isSame && !this.#isGone() && this.state === "ready") {
        this.withdraw("starting");
        await this.bringUp();
      }
      this.#isRevalidating = false;
    });
  }
}
