// The commands with which a class driver gets to know a disk: blocking, on a kernel thread, each with its limits.

import { getU32be, getU64be } from "../../base/bytes.ts";
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
import { DeviceSpecific, ModePage } from "../../codec/scsi/mode-pages.ts";
import { type DecodedSense, decodeSense, senseText } from "../../codec/scsi/sense.ts";
import type { IOSCSIProtocolServices } from "./io-scsi-protocol-services.ts";
import {
  kSCSIDataTransfer_FromInitiatorToTarget,
  kSCSIDataTransfer_FromTargetToInitiator,
  kSCSIServiceResponse_TASK_COMPLETE,
  type SCSITask,
} from "./scsi-task.ts";

const shortTimeoutMs = 10_000;
/** Spin-up and flushes may take long: the class driver answers 100 s to power management (posts.md P15). */
export const slowTimeoutMs = 100_000;
/** Unit attentions and odd refusals are asked again so often. */
const attempts = 5;

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
  if (task.serviceResponse !== kSCSIServiceResponse_TASK_COMPLETE)
    return "the transport could not deliver it";
  const sense = senseOf(task);
  return sense === null ? `status 0x${task.status.toString(16)} without sense` : senseText(sense);
}

export interface MediumCapacity {
  readonly blockCount: number;
  readonly blockBytes: number;
  readonly isThin: boolean;
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
  readonly canUnmap: boolean;
  readonly maximumWriteSameBlocks: number;
}

/** Sends commands to one unit. Every method blocks the calling kernel thread. */
export class UnitCommands {
  readonly protocol: IOSCSIProtocolServices;
  readonly lun: number;

  constructor(protocol: IOSCSIProtocolServices, lun: number) {
    this.protocol = protocol;
    this.lun = lun;
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
   * READ CAPACITY(10), and (16) for what it cannot say. Zeros in the answer are a disk of 0 bytes (posts.md T9). Null:
   * refused.
   */
  async readCapacity(): Promise<MediumCapacity | null> {
    const short = await this.#read(8, "READ CAPACITY(10)", (cdb) => writeReadCapacity10(cdb));
    if (short === null || short.length < 8) return null;
    const said = decodeReadCapacity10(short);
    if (getU32be(short, 0) === 0 && said.blockBytes === 0)
      return { blockCount: 0, blockBytes: 512, isThin: false };
    // Thin provisioning is told by the long form only; it is asked where it may exist, and need not be there.
    const long = await this.#read(32, "READ CAPACITY(16)", (cdb) => writeReadCapacity16(cdb, 32));
    if (long !== null && long.length >= 12) {
      try {
        const { blockCount, blockBytes, isThin } = decodeReadCapacity16(long);
        return { blockCount, blockBytes, isThin };
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
      }
    }
    if (said.blockCount === null) return null;
    return { blockCount: said.blockCount, blockBytes: said.blockBytes, isThin: false };
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
    const isWriteProtected = (header[2] & DeviceSpecific.writeProtect) !== 0;
    const hasForceUnitAccess = (header[2] & DeviceSpecific.dpoFua) !== 0;
    const whole = await this.#modeSense(header[0] + 1);
    if (typeof whole === "string")
      return off(`MODE SENSE(6) for page 08h ${whole}`, isWriteProtected, hasForceUnitAccess);
    const at = 4 + header[3];
    if (at + 3 > whole.length || (whole[at] & 0x3f) !== ModePage.caching)
      return off("MODE SENSE(6) answered another page than 08h", isWriteProtected, hasForceUnitAccess);
    if ((whole[at + 2] & 0x04) !== 0)
      return { isEnabled: true, reason: "page 08h says WCE", isWriteProtected, hasForceUnitAccess };
    if (!(await this.#enableWriteCache(whole.subarray(at))))
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

  /** VPD pages B0h and B2h, where page 00h lists them. */
  async limits(): Promise<UnitLimits> {
    const none: UnitLimits = { maximumTransferBlocks: 0, canUnmap: false, maximumWriteSameBlocks: 0 };
    const pages = await this.#vitalPage(0x00, 64);
    if (pages === null || pages.length < 4) return none;
    const listed = pages.subarray(4, 4 + Math.min(pages.length - 4, (pages[2] << 8) | pages[3]));
    const limits = listed.includes(0xb0) ? await this.#vitalPage(0xb0, 64) : null;
    const provisioning = listed.includes(0xb2) ? await this.#vitalPage(0xb2, 64) : null;
    const has = limits !== null && limits.length >= 44;
    return {
      maximumTransferBlocks: has ? getU32be(limits, 8) : 0,
      canUnmap: has && getU32be(limits, 20) > 0 && provisioning !== null && (provisioning[5] & 0x80) !== 0,
      maximumWriteSameBlocks: has ? getU64be(limits, 36) : 0,
    };
  }

  #task(timeoutMs: number): SCSITask {
    const task = this.protocol.newTask();
    task.lun = this.lun;
    task.timeoutMs = timeoutMs;
    return task;
  }

  /** An IN command; null when it was refused or the unit is gone. Unit attentions are heard and asked past. */
  async #read(bytes: number, name: string, write: (cdb: Uint8Array) => number): Promise<Uint8Array | null> {
    for (let attempt = 0; attempt < attempts; attempt++) {
      const task = this.#task(shortTimeoutMs);
      task.cdbBytes = write(task.cdb);
      task.direction = kSCSIDataTransfer_FromTargetToInitiator;
      task.data = new Uint8Array(bytes);
      task.dataBytes = bytes;
      await this.protocol.perform(task, name);
      if (task.isGood) return task.data.subarray(0, Math.min(bytes, task.realizedBytes));
      if (this.protocol.isInactive) return null;
      const sense = senseOf(task);
      // ILLEGAL REQUEST stays one.
      if (sense !== null && sense.key === 0x05) return null;
    }
    return null;
  }

  #vitalPage(page: number, bytes: number): Promise<Uint8Array | null> {
    return this.#read(bytes, `INQUIRY page ${page.toString(16)}h`, (cdb) => writeInquiry(cdb, page, bytes));
  }

  /** The data, or in words why it does not count. */
  async #modeSense(bytes: number): Promise<Uint8Array | string> {
    let problem = "failed";
    for (let attempt = 0; attempt < attempts; attempt++) {
      const task = this.#task(shortTimeoutMs);
      task.cdbBytes = writeModeSense6(task.cdb, { page: ModePage.caching, allocationBytes: bytes });
      task.direction = kSCSIDataTransfer_FromTargetToInitiator;
      task.data = new Uint8Array(bytes);
      task.dataBytes = bytes;
      await this.protocol.perform(task, "MODE SENSE(6)");
      if (task.isGood) {
        const missing = bytes - task.realizedBytes;
        if (missing === 0) return task.data;
        return missing > 0
          ? `was short by ${missing === 1 ? "one byte" : `${missing} bytes`} (realised ${task.realizedBytes}, requested ${bytes})`
          : `delivered more than was asked for (realised ${task.realizedBytes}, requested ${bytes})`;
      }
      problem = `failed: ${failureText(task)}`;
      if (this.protocol.isInactive) break;
      if (senseOf(task)?.key === 0x05) break;
    }
    return problem;
  }

  async #enableWriteCache(page: Uint8Array): Promise<boolean> {
    const length = Math.min(page.length, 2 + page[1]);
    const parameters = new Uint8Array(4 + length);
    parameters.set(page.subarray(0, length), 4);
    // PS is reserved in MODE SELECT (SPC-4 §7.5.7).
    parameters[4] &= 0x3f;
    parameters[6] |= 0x04;
    const task = this.#task(shortTimeoutMs);
    task.cdbBytes = writeModeSelect(task.cdb, parameters.length, false);
    task.direction = kSCSIDataTransfer_FromInitiatorToTarget;
    task.data = parameters;
    task.dataBytes = parameters.length;
    await this.protocol.perform(task, "MODE SELECT(6)");
    return task.isGood;
  }
}
