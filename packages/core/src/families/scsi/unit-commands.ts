// The commands with which a class driver gets to know a disk: blocking, on a kernel thread, each with its limits.

import { DecodeError } from "../../base/errors.ts";
import {
  writeInquiry,
  writeModeSelect,
  writeModeSense6,
  writeReadCapacity10,
  writeReadCapacity16,
  writeStartStopUnit,
  writeSynchronizeCache,
  writeTestUnitReady,
} from "../../codec/scsi/cdb.ts";
import { decodeReadCapacity10, decodeReadCapacity16 } from "../../codec/scsi/inquiry.ts";
import { ModePage } from "../../codec/scsi/mode-pages.ts";
import { type DecodedSense, decodeSense, senseText } from "../../codec/scsi/sense.ts";
import { type CachingPageView, ModeDataView, VitalPageView } from "../../codec/scsi/unit-views.ts";
import { VpdPage } from "../../codec/scsi/vpd.ts";
import type { IOSCSIProtocolServices } from "./io-scsi-protocol-services.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_TASK_COMPLETE,
  type SCSITask,
} from "./scsi-task.ts";

const absentPage = new VitalPageView(new Uint8Array(0));
const vitalName = "INQUIRY page ";
const shortTimeoutMs = 10_000;
/** Spin-up and flushes may take long: the class driver answers 100 s to power management (posts.md P15). */
export const slowTimeoutMs = 100_000;
/** Unit attentions and odd refusals are asked again so often. */
const attempts = 5;
/** Lengths of a logical block that any disk has. */
const blockLengths: readonly number[] = [512, 1024, 2048, 4096];
/** Fewest blocks of a MAXIMUM TRANSFER LENGTH that is believed: BlockGeometry promises as many. */
const fewestTransferBlocks = 16;

/** Sense of a task that ended with CHECK CONDITION; null where there is none that can be read. */
export function senseOf(task: SCSITask): DecodedSense | null {
  if (task.senseBytes === 0) return null;
  try {
    return decodeSense(task.sense.subarray(0, task.senseBytes));
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return null;
  }
}

/** One line for people: why a task failed. */
export function failureText(task: SCSITask): string {
  if (task.hasTimedOut) return `no answer within ${task.timeoutMs / 1000} s`;
  if (task.serviceResponse !== kSCSIServiceResponse_TASK_COMPLETE)
    return "the transport could not deliver it";
  const sense = senseOf(task);
  return sense === null ? `status 0x${task.status.toString(16)} without sense` : senseText(sense);
}

export interface MediumCapacity {
  readonly blockCount: number;
  readonly blockBytes: number;
  readonly isThin: boolean;
  /** Unmapped blocks read as zeros. */
  readonly readsZeros: boolean;
}

/** READ CAPACITY(16) where it makes sense; a bridge may answer zeros, or memory that nobody filled, with good status. */
function sensibleCapacity(answer: Uint8Array): MediumCapacity | null {
  if (answer.length < 12) return null;
  try {
    const { blockCount, blockBytes, isThin, readsZeros } = decodeReadCapacity16(answer);
    const isSound = blockLengths.includes(blockBytes) && Number.isSafeInteger(blockCount * blockBytes);
    return isSound ? { blockCount, blockBytes, isThin, readsZeros } : null;
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    return null;
  }
}

/** What the class driver believes about the write cache, and by what it was convinced. */
export interface WriteCacheBelief {
  readonly isEnabled: boolean;
  readonly reason: string;
  readonly isWriteProtected: boolean;
  readonly hasForceUnitAccess: boolean;
}

/** Limits from the VPD pages; zeros where the unit has none. */
export interface UnitLimits {
  readonly maximumTransferBlocks: number;
  /** Most blocks in one UNMAP; 0: the unit says nothing of it, and is not asked to. */
  readonly maximumUnmapBlocks: number;
  readonly maximumWriteSameBlocks: number;
  /** LBPU, LBPWS, LBPWS10 of page B2h: which forms unmap (SBC-3 §6.6.4). */
  readonly canUnmap: boolean;
  readonly canUnmapBySame16: boolean;
  readonly canUnmapBySame10: boolean;
}

export const noLimits: UnitLimits = {
  maximumTransferBlocks: 0,
  maximumUnmapBlocks: 0,
  maximumWriteSameBlocks: 0,
  canUnmap: false,
  canUnmapBySame16: false,
  canUnmapBySame10: false,
};

/** Sends commands to one unit. Every method blocks the calling kernel thread. */
export class UnitCommands {
  readonly protocol: IOSCSIProtocolServices;
  readonly lun: number;
  readonly #note: (text: string) => void;

  constructor(protocol: IOSCSIProtocolServices, lun: number, note: (text: string) => void) {
    this.protocol = protocol;
    this.lun = lun;
    this.#note = note;
  }

  async testUnitReady(): Promise<SCSITask> {
    const task = this.#task(shortTimeoutMs);
    task.cdbBytes = writeTestUnitReady(task.cdb);
    await this.protocol.perform(task, "TEST UNIT READY");
    return task;
  }

  async startStop(start: boolean, immediate = false): Promise<SCSITask> {
    const task = this.#task(slowTimeoutMs);
    task.cdbBytes = writeStartStopUnit(task.cdb, { start, immediate });
    await this.protocol.perform(task, "START STOP UNIT");
    return task;
  }

  async synchronizeCache(): Promise<SCSITask> {
    const task = this.#task(slowTimeoutMs);
    task.cdbBytes = writeSynchronizeCache(task.cdb, 10);
    await this.protocol.perform(task, "SYNCHRONIZE CACHE");
    return task;
  }

  /**
   * READ CAPACITY(10), and (16) for what it cannot say. Zeros in the answer are a disk of 0 bytes (posts.md T9). A string
   * says why what the unit answered is no medium.
   */
  async readCapacity(): Promise<MediumCapacity | string> {
    const short = await this.#read(8, "READ CAPACITY(10)", (cdb) => writeReadCapacity10(cdb));
    if (short === null || short.length < 8) return "READ CAPACITY was refused";
    const said = decodeReadCapacity10(short);
    if (said.blockCount === 1 && said.blockBytes === 0)
      return { blockCount: 0, blockBytes: 512, isThin: false, readsZeros: false };
    // Thin provisioning is told by the long form only; it is asked where it may exist, and need not be there.
    const answer = await this.#read(32, "READ CAPACITY(16)", (cdb) => writeReadCapacity16(cdb, 32));
    const long = answer === null ? null : sensibleCapacity(answer);
    const { blockCount, blockBytes } = said;
    const isSound = blockLengths.includes(blockBytes);
    if (long === null) {
      if (!isSound) return `blocks of ${blockBytes} bytes are not supported`;
      return blockCount === null
        ? "the disk is too large for READ CAPACITY(10), and READ CAPACITY(16) gave no capacity"
        : { blockCount, blockBytes, isThin: false, readsZeros: false };
    }
    // Below 2^32 blocks both forms say the same. A short one that is the long one's low half is a bridge that cuts off.
    const agrees =
      !isSound ||
      blockCount === null ||
      (blockBytes === long.blockBytes &&
        (long.blockCount - blockCount) % 0x100000000 === 0 &&
        long.blockCount >= blockCount);
    if (agrees) return long;
    this.#note(
      `unit ${this.lun} contradicts itself: READ CAPACITY(10) says ${blockCount} blocks of ${blockBytes}, (16) ${long.blockCount} of ${long.blockBytes}; the smaller disk counts`,
    );
    const isShortSmaller = (blockCount as number) * blockBytes < long.blockCount * long.blockBytes;
    return isShortSmaller
      ? { blockCount: blockCount as number, blockBytes, isThin: false, readsZeros: false }
      : long;
  }

  /**
   * The caching page, header first and then all of it. An answer counts only when the realised count is the requested
   * one and the page code is right; a cache that is off is asked to be on (posts.md T9).
   */
  async writeCache(): Promise<WriteCacheBelief> {
    const off = (reason: string, isWriteProtected = false, hasForceUnitAccess = false): WriteCacheBelief => ({
      isEnabled: false,
      reason,
      isWriteProtected,
      hasForceUnitAccess,
    });
    const header = await this.#modeSense(4);
    if (typeof header === "string") return off(`MODE SENSE(6) for page 08h ${header}`);
    const { hasForceUnitAccess, isWriteProtected, wholeBytes } = new ModeDataView(header);
    const whole = await this.#modeSense(wholeBytes);
    if (typeof whole === "string")
      return off(`MODE SENSE(6) for page 08h ${whole}`, isWriteProtected, hasForceUnitAccess);
    const page = new ModeDataView(whole).cachingPage;
    if (page === null)
      return off("MODE SENSE(6) answered another page than 08h", isWriteProtected, hasForceUnitAccess);
    if (page.isWriteCacheEnabled)
      return { isEnabled: true, reason: "page 08h says WCE", isWriteProtected, hasForceUnitAccess };
    if (!(await this.#selectWriteCache(page, true)))
      return off(
        "page 08h says WCE 0, and MODE SELECT did not change it",
        isWriteProtected,
        hasForceUnitAccess,
      );
    return {
      isEnabled: true,
      reason: "MODE SELECT switched WCE on",
      isWriteProtected,
      hasForceUnitAccess,
    };
  }

  /** VPD pages B0h and B2h, where page 00h lists them. After the first page that does not come no other is asked for. */
  async limits(): Promise<UnitLimits> {
    const { listed } = await this.#vitalPage(VpdPage.supportedPages, 64);
    const asked = (page: number) => (listed.includes(page) ? this.#vitalPage(page, 64) : absentPage);
    const limits = await asked(VpdPage.blockLimits);
    const provisioning = await asked(VpdPage.logicalBlockProvisioning);
    const most = limits.maximumTransferBlocks;
    if (most > 0 && most < fewestTransferBlocks)
      this.#note(`unit ${this.lun} says that it takes ${most} blocks at once: not believed`);
    const { canUnmap, canUnmapBySame10, canUnmapBySame16 } = provisioning;
    const { maximumUnmapBlocks, maximumWriteSameBlocks } = limits;
    return {
      maximumTransferBlocks: most < fewestTransferBlocks ? 0 : most,
      maximumUnmapBlocks,
      maximumWriteSameBlocks,
      canUnmap: maximumUnmapBlocks > 0 && canUnmap,
      canUnmapBySame16,
      canUnmapBySame10,
    };
  }

  /** MODE SELECT with WCE 0 in the caching page: for a unit that caches and cannot be flushed. False: it did not. */
  async disableWriteCache(): Promise<boolean> {
    const header = await this.#modeSense(4);
    if (typeof header === "string") return false;
    const whole = await this.#modeSense(new ModeDataView(header).wholeBytes);
    const page = typeof whole === "string" ? null : new ModeDataView(whole).cachingPage;
    return page !== null && (await this.#selectWriteCache(page, false));
  }

  #task(timeoutMs: number): SCSITask {
    const task = this.protocol.newTask();
    task.lun = this.lun;
    task.timeoutMs = timeoutMs;
    return task;
  }

  /** An IN command that never came is not asked again, also not after the reset that it may have led to. */
  #isSilent(task: SCSITask, name: string): boolean {
    if (!task.hasTimedOut) return false;
    this.protocol.memory.silent.add(name);
    this.#note(
      `unit ${this.lun} did not answer ${name} within ${task.timeoutMs / 1000} s: it is not asked again`,
    );
    return true;
  }

  /** An IN command; null when it was refused or the unit is gone. Unit attentions are heard and asked past. */
  async #read(bytes: number, name: string, write: (cdb: Uint8Array) => number): Promise<Uint8Array | null> {
    if (this.protocol.memory.silent.has(name)) return null;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const task = this.#task(shortTimeoutMs);
      task.cdbBytes = write(task.cdb);
      task.direction = kSCSIDataTransfer_FromTargetToInitiator;
      task.data = new Uint8Array(bytes);
      task.dataBytes = bytes;
      await this.protocol.perform(task, name);
      if (task.isGood) return task.data.subarray(0, Math.min(bytes, task.realizedBytes));
      if (this.#isSilent(task, name) || this.protocol.isInactive) return null;
      const sense = senseOf(task);
      // ILLEGAL REQUEST stays one.
      if (sense !== null && sense.key === 0x05) return null;
    }
    return null;
  }

  /** Absent also for a unit that does not look at EVPD and answers something else. */
  async #vitalPage(page: number, bytes: number): Promise<VitalPageView> {
    for (const name of this.protocol.memory.silent) if (name.startsWith(vitalName)) return absentPage;
    const name = `${vitalName}${page.toString(16).padStart(2, "0")}h`;
    const answer = await this.#read(bytes, name, (cdb) => writeInquiry(cdb, page, bytes));
    return answer !== null && answer.length >= 4 && answer[1] === page
      ? new VitalPageView(answer)
      : absentPage;
  }

  /** The data, or in words why it does not count. */
  async #modeSense(bytes: number): Promise<Uint8Array | string> {
    const name = "MODE SENSE(6)";
    let problem = "was never answered";
    if (this.protocol.memory.silent.has(name)) return problem;
    for (let attempt = 0; attempt < attempts; attempt++) {
      const task = this.#task(shortTimeoutMs);
      task.cdbBytes = writeModeSense6(task.cdb, { page: ModePage.caching, allocationBytes: bytes });
      task.direction = kSCSIDataTransfer_FromTargetToInitiator;
      task.data = new Uint8Array(bytes);
      task.dataBytes = bytes;
      await this.protocol.perform(task, name);
      if (task.isGood) {
        const missing = bytes - task.realizedBytes;
        if (missing === 0) return task.data;
        return missing > 0
          ? `was short by ${missing === 1 ? "one byte" : `${missing} bytes`} (realised ${task.realizedBytes}, requested ${bytes})`
          : `delivered more than was asked for (realised ${task.realizedBytes}, requested ${bytes})`;
      }
      problem = `failed: ${failureText(task)}`;
      if (this.#isSilent(task, name) || this.protocol.isInactive) break;
      if (senseOf(task)?.key === 0x05) break;
    }
    return problem;
  }

  async #selectWriteCache(page: CachingPageView, isEnabled: boolean): Promise<boolean> {
    const name = "MODE SELECT(6)";
    if (this.protocol.memory.silent.has(name)) return false;
    const parameters = page.withWriteCache(isEnabled);
    const task = this.#task(shortTimeoutMs);
    task.cdbBytes = writeModeSelect(task.cdb, parameters.length, false);
    task.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    task.data = parameters;
    task.dataBytes = parameters.length;
    await this.protocol.perform(task, name);
    this.#isSilent(task, name);
    return task.isGood;
  }
}
