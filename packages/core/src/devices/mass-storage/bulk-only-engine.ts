// The Bulk-Only Transport, device's side: USB Mass Storage Class Bulk-Only Transport, revision 1.0.

import { DecodeError } from "../../base/errors.ts";
import {
  BulkOnlyStatus,
  decodeCommandWrapper,
  newCommandWrapper,
  putStatusWrapper,
  statusWrapperBytes,
} from "../../codec/mass-storage/bulk-only.ts";
import { ScsiDirection, ScsiStatus, ScsiTask, scsiSenseMaximum } from "../../ports/scsi-target.ts";
import { UsbNak, UsbStall } from "../../ports/usb-device.ts";
import { type EngineDevice, roomFor, type TransportEngine } from "./engine.ts";

const requestSense = 0x03;

const Phase = { command: 0, dataOut: 1, executing: 2, dataIn: 3, status: 4, wedged: 5 } as const;
type Phase = (typeof Phase)[keyof typeof Phase];

/** Counted for tests, cases and the lab. */
export interface BulkOnlyCounts {
  commands: number;
  phaseErrors: number;
  /** CBWs that were not valid or not meaningful. */
  badWrappers: number;
  resets: number;
}

/**
 * One command at a time. An IN that comes before there is data or status is answered with NAK. What is short ends in a
 * short packet where the bytes allow it, and in a STALL of the pipe where they do not (§6.7.2, §6.7.3); a bad CBW halts
 * both pipes until reset recovery (§6.6.1).
 */
export class BulkOnlyEngine implements TransportEngine {
  readonly counts: BulkOnlyCounts = { commands: 0, phaseErrors: 0, badWrappers: 0, resets: 0 };
  readonly #residueLies: boolean;
  readonly #tagLies: boolean;
  readonly #device: EngineDevice;
  readonly #in: number;
  readonly #out: number;
  readonly #wrapper = newCommandWrapper();
  #task = new ScsiTask();
  #phase: Phase = Phase.command;
  #staging: Uint8Array = new Uint8Array(0);
  /** Bytes that this command will move over the bus, and how many have moved. */
  #planned = 0;
  #moved = 0;
  #isInData = false;
  /** The data stage is over for the device while the host expects more: the pipe stalls once. */
  #mustStall = false;
  #status: BulkOnlyStatus = BulkOnlyStatus.passed;
  /** What the target used of OUT data, or delivered for IN: the rest is residue. */
  #realized = 0;
  /** Sense of the last command that failed: a CSW has no room for it, so it waits for REQUEST SENSE. */
  readonly #sense = new Uint8Array(scsiSenseMaximum);
  #senseBytes = 0;
  #senseLun = 0;
  /** Pipes that a reset recovery has still to clear. */
  readonly #uncleared = new Set<number>();

  constructor(
    device: EngineDevice,
    bulkIn: number,
    bulkOut: number,
    lies: { readonly residueLies?: boolean; readonly tagLies?: boolean } = {},
  ) {
    this.#residueLies = lies.residueLies === true;
    this.#tagLies = lies.tagLies === true;
    this.#device = device;
    this.#in = bulkIn;
    this.#out = bulkOut;
  }

  reset(): void {
    this.#uncleared.clear();
    if (this.#phase === Phase.executing) {
      // The target still has it: it ends later, unheard.
      this.#device.target.abort(this.#task);
      this.#task = new ScsiTask();
      this.#staging = new Uint8Array(0);
    }
    this.#phase = Phase.command;
    this.#mustStall = false;
    this.#senseBytes = 0;
  }

  /** Bulk-Only Mass Storage Reset (§3.1): ready for a CBW; halts and toggles stay as they are. */
  resetRequest(): void {
    this.counts.resets++;
    this.reset();
    this.#uncleared.add(this.#in);
    this.#uncleared.add(this.#out);
    this.#device.target.resetTarget();
  }

  haltCleared(endpoint: number): void {
    this.#uncleared.delete(endpoint);
    if (this.#phase === Phase.wedged) this.#device.halt(endpoint);
  }

  out(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    switch (this.#phase) {
      case Phase.command:
        return this.#command(buffer, offset, length);
      case Phase.dataOut:
        return this.#take(buffer, offset, length);
      case Phase.executing:
      case Phase.status:
        return this.#mustStall && !this.#isInData ? this.#stall(this.#out) : UsbNak;
      default:
        return UsbNak;
    }
  }

  in(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (this.#phase === Phase.dataIn) return this.#give(buffer, offset, length);
    if (this.#phase !== Phase.status) return UsbNak;
    if (this.#mustStall && this.#isInData) return this.#stall(this.#in);
    // More than was asked for is babble: the carrier sees the count and nothing is written.
    if (length < statusWrapperBytes) return statusWrapperBytes;
    const { dataBytes, tag } = this.#wrapper;
    const residue = this.#residueLies ? dataBytes : dataBytes - Math.min(this.#realized, dataBytes);
    putStatusWrapper(buffer, offset, this.#tagLies ? ~tag >>> 0 : tag, residue, this.#status);
    this.#mustStall = false;
    this.#phase = Phase.command;
    this.#device.ready(this.#out);
    return statusWrapperBytes;
  }

  finished(task: ScsiTask): void {
    if (task === this.#task && this.#phase === Phase.executing) this.#executed();
  }

  #stall(endpoint: number): number {
    this.#mustStall = false;
    this.#device.halt(endpoint);
    return UsbStall;
  }

  /** §5.3.1: the packet is acknowledged; a bad one is answered by stalling both pipes afterwards. */
  #command(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#uncleared.size > 0)
      this.#device.misused(
        "a command after the reset request, and the halts of both pipes were not cleared (Bulk-Only Transport 1.0 §5.3.4: reset recovery)",
      );
    this.#uncleared.clear();
    const wrapper = this.#wrapper;
    try {
      decodeCommandWrapper(buffer, offset, length, wrapper);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.counts.badWrappers++;
      this.#phase = Phase.wedged;
      this.#device.halt(this.#in);
      this.#device.halt(this.#out);
      return length;
    }
    this.counts.commands++;
    this.#begin();
    return length;
  }

  #begin(): void {
    const wrapper = this.#wrapper;
    const task = this.#task;
    task.initiator = 0;
    task.lun = wrapper.lun;
    task.tag = wrapper.tag;
    task.cdb.set(wrapper.cdb);
    task.cdb.fill(0, wrapper.cdb.length);
    task.cdbBytes = wrapper.cdbBytes;
    // Firmware that sizes a transfer by the CBW looks here (posts.md P09); others do not.
    task.dataBytes = wrapper.dataBytes;
    this.#moved = 0;
    this.#planned = 0;
    this.#realized = 0;
    this.#status = BulkOnlyStatus.passed;
    this.#isInData = wrapper.isIn;
    this.#mustStall = false;
    if (task.cdb[0] === requestSense && this.#senseBytes > 0 && task.lun === this.#senseLun && wrapper.isIn) {
      this.#tellSense();
      return;
    }
    this.#senseBytes = 0;
    if (this.#device.target.begin(task)) {
      this.#over();
      return;
    }
    const expected = wrapper.dataBytes;
    const needed = task.direction === ScsiDirection.none ? 0 : task.transferBytes;
    const isIn = task.direction === ScsiDirection.in;
    if (needed > 0) {
      // Cases 2, 3 (host expects nothing), 8 and 10 (the other way): §6.7.
      if (expected === 0 || isIn !== wrapper.isIn) {
        this.#phaseError();
        return;
      }
      // Case 13: the device wants more than the host will send.
      if (!isIn && needed > expected) {
        this.#phaseError();
        return;
      }
    }
    this.#planned = Math.min(needed, expected);
    this.#staging = roomFor(this.#staging, this.#planned);
    task.data = this.#staging;
    task.dataOffset = 0;
    task.dataBytes = this.#planned;
    if (this.#planned > 0 && !isIn) {
      this.#phase = Phase.dataOut;
      this.#device.ready(this.#out);
      return;
    }
    // Case 7: sends what the host has room for, then says that there was more.
    if (isIn && needed > expected) this.#status = BulkOnlyStatus.phaseError;
    this.#execute();
  }

  #execute(): void {
    this.#phase = Phase.executing;
    // Cases 9 and 11: the host sends more than is wanted.
    this.#mustStall = this.#wrapper.dataBytes > this.#planned && !this.#isInData;
    if (this.#device.target.execute(this.#task)) this.#executed();
  }

  /** Status and data are there. */
  #executed(): void {
    const task = this.#task;
    this.#keepSense();
    if (task.status !== ScsiStatus.good && task.status !== ScsiStatus.conditionMet) {
      this.#status = BulkOnlyStatus.failed;
    }
    if (this.#status === BulkOnlyStatus.phaseError) this.counts.phaseErrors++;
    this.#realized = task.movedBytes;
    if (!this.#isInData || this.#wrapper.dataBytes === 0) {
      this.#enterStatus();
      return;
    }
    this.#planned = Math.min(task.movedBytes, this.#wrapper.dataBytes);
    if (this.#planned === 0) {
      this.#mustStall = true;
      this.#enterStatus();
      return;
    }
    this.#phase = Phase.dataIn;
    this.#device.ready(this.#in);
  }

  /** The bridge answers for the target, which told its sense with the status. */
  #tellSense(): void {
    const { cdb } = this.#task;
    this.#planned = Math.min(this.#senseBytes, cdb[4], this.#wrapper.dataBytes);
    this.#staging = roomFor(this.#staging, this.#planned);
    this.#staging.set(this.#sense.subarray(0, this.#planned));
    this.#senseBytes = 0;
    this.#realized = this.#planned;
    if (this.#planned === 0) {
      this.#mustStall = this.#wrapper.dataBytes > 0;
      this.#enterStatus();
      return;
    }
    this.#phase = Phase.dataIn;
    this.#device.ready(this.#in);
  }

  #keepSense(): void {
    const { lun, sense, senseBytes, status } = this.#task;
    if (status !== ScsiStatus.checkCondition) return;
    this.#senseLun = lun;
    this.#senseBytes = senseBytes;
    this.#sense.set(sense.subarray(0, senseBytes));
  }

  /** Refused before any data: what the host expects to move is stalled (cases 4 and 9). */
  #over(): void {
    this.#keepSense();
    const { status } = this.#task;
    this.#status =
      status === ScsiStatus.good || status === ScsiStatus.conditionMet
        ? BulkOnlyStatus.passed
        : BulkOnlyStatus.failed;
    this.#mustStall = this.#wrapper.dataBytes > 0;
    this.#enterStatus();
  }

  #phaseError(): void {
    this.counts.phaseErrors++;
    this.#status = BulkOnlyStatus.phaseError;
    this.#mustStall = this.#wrapper.dataBytes > 0;
    this.#enterStatus();
  }

  #enterStatus(): void {
    this.#phase = Phase.status;
    this.#device.ready(this.#in);
    if (this.#mustStall && !this.#isInData) this.#device.ready(this.#out);
  }

  #take(buffer: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#planned - this.#moved);
    this.#staging.set(
      offset === 0 && count === buffer.length ? buffer : buffer.subarray(offset, offset + count),
      this.#moved,
    );
    this.#moved += count;
    if (this.#moved === this.#planned) this.#execute();
    return count;
  }

  #give(buffer: Uint8Array, offset: number, length: number): number {
    const count = Math.min(length, this.#planned - this.#moved);
    buffer.set(this.#staging.subarray(this.#moved, this.#moved + count), offset);
    this.#moved += count;
    if (this.#moved === this.#planned) {
      this.#phase = Phase.status;
      const isShort = this.#planned % this.#device.packetBytes !== 0;
      // Case 5: a short packet says enough; whole packets are followed by a STALL.
      this.#mustStall = this.#planned < this.#wrapper.dataBytes && !isShort;
    }
    return count;
  }
}
