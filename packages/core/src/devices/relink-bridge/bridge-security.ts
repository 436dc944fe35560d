// What the bridge does with commands: a lock, what the host is shown, and a relink that may go several ways.

import type { Clock, Nanoseconds } from "../../base/clock.ts";
import { second } from "../../base/units.ts";
import {
  BridgeOpcode,
  bridgeLengthAt,
  encodeBridgeState,
  RelinkPhase,
  unlockCodeBytes,
} from "../../codec/mass-storage/relink-bridge.ts";
import { ScsiOpcode, ServiceAction } from "../../codec/scsi/commands.ts";
import { SenseCode, SenseKey } from "../../codec/scsi/sense.ts";
import { ScsiDirection, ScsiStatus, type ScsiTargetPort, type ScsiTask } from "../../ports/scsi-target.ts";
import { refuseTask, ScsiTargetFilter } from "../../ports/scsi-target-filter.ts";

/** The possibilities of posts.md P08; what a real bridge does is its maker's secret. */
export interface RelinkBehaviour {
  /** How the relink shows: the link drops, a unit attention, or not before the host resets the port. */
  readonly relink: "disconnect" | "attention" | "on reset";
  /** When: some time after the command's status, before it (which then never comes), or once no command came for a while. */
  readonly drop: "after status" | "before status" | "when idle";
  /** Whether the unlock outlives the relink. */
  readonly unlock: "survives" | "is lost";
  /** READ CAPACITY after a relink; stale: the locked drive's 0 until a reset or START UNIT. */
  readonly capacity: "fresh" | "stale";
  /** The drive after the relink. */
  readonly ready: "at once" | "becoming ready" | "start needed";
}

export const friendlyBridge: RelinkBehaviour = {
  relink: "disconnect",
  drop: "after status",
  unlock: "survives",
  capacity: "fresh",
  ready: "at once",
};

export interface BridgeSecurityOptions {
  readonly clock: Clock;
  readonly target: ScsiTargetPort;
  readonly behaviour: RelinkBehaviour;
  readonly unlockCode: Uint8Array;
  /** Told what happens inside: a trace's remarks. */
  readonly onNote?: (text: string) => void;
}

/** From the relink command to the drop; a host that gives up on the command earlier begins its recovery too early. */
export const relinkDelayNs = 2 * second;
const idleNs = 1 * second;
/** A relink that found no quiet moment is forgotten. */
const idleWindowNs = 20 * second;
const becomingReadyNs = 5 * second;

/** Commands that a locked drive answers. */
const openOpcodes: readonly number[] = [
  ScsiOpcode.testUnitReady,
  ScsiOpcode.requestSense,
  ScsiOpcode.inquiry,
  ScsiOpcode.modeSense6,
  ScsiOpcode.modeSense10,
  ScsiOpcode.startStopUnit,
  ScsiOpcode.reportLuns,
];
/** Commands that hear no unit attention and no NOT READY: SPC-4 §5.14, §6.6. */
const plainOpcodes: readonly number[] = [ScsiOpcode.inquiry, ScsiOpcode.reportLuns, ScsiOpcode.requestSense];

export class BridgeSecurity extends ScsiTargetFilter {
  /** Lets the link drop and come back; set by the device that has one. */
  dropLink: () => void = () => {};
  isLocked = true;
  isHidden = true;
  phase: RelinkPhase = RelinkPhase.none;
  /** Recovery of the host hit a relink under way: the bridge answers NOT READY until the port is reset. */
  isHalfDone = false;
  /** Relinks that were carried out. */
  relinks = 0;
  readonly behaviour: RelinkBehaviour;
  readonly #clock: Clock;
  readonly #code: Uint8Array;
  readonly #note: (text: string) => void;
  /** The relink command whose status has not been given. */
  #owed: ScsiTask | null = null;
  #timer = 0;
  #lastCommandNs: Nanoseconds = 0;
  #acceptedNs: Nanoseconds = 0;
  #attention = 0;
  #isStale = false;
  #readyAtNs: Nanoseconds = 0;
  #needsStart = false;

  constructor(options: BridgeSecurityOptions) {
    super(options.target);
    this.behaviour = options.behaviour;
    this.#clock = options.clock;
    this.#code = options.unlockCode;
    this.#note = options.onNote ?? (() => {});
  }

  override begin(task: ScsiTask): boolean {
    this.#lastCommandNs = this.#clock.nowNs();
    const opcode = task.cdb[0];
    if (!plainOpcodes.includes(opcode)) {
      if (this.isHalfDone) return refuseTask(task, SenseKey.notReady, SenseCode.notReadyCauseNotReportable);
      if (this.#attention !== 0) {
        const code = this.#attention;
        this.#attention = 0;
        return refuseTask(task, SenseKey.unitAttention, code);
      }
    }
    switch (opcode) {
      case BridgeOpcode.unlock:
        return this.#data(task, ScsiDirection.out, task.cdb[bridgeLengthAt]);
      case BridgeOpcode.query:
        return this.#data(task, ScsiDirection.in, task.cdb[bridgeLengthAt]);
      case BridgeOpcode.relink:
        return this.#data(task, ScsiDirection.none, 0);
      default:
        return this.#beginDisk(task, opcode);
    }
  }

  override execute(task: ScsiTask): boolean {
    const opcode = task.cdb[0];
    switch (opcode) {
      case BridgeOpcode.unlock:
        return this.#unlock(task);
      case BridgeOpcode.query:
        return reply(task, encodeBridgeState(this));
      case BridgeOpcode.relink:
        return this.#accept(task);
      default:
        if (this.#showsNothing && isReadCapacity(task)) return reply(task, new Uint8Array(32));
        return super.execute(task);
    }
  }

  override abort(task: ScsiTask): void {
    if (task === this.#owed) this.#disturb();
    else super.abort(task);
  }

  override resetUnit(lun: number): void {
    this.#disturb();
    this.#isStale = false;
    super.resetUnit(lun);
  }

  override resetTarget(): void {
    this.#disturb();
    this.#isStale = false;
    super.resetTarget();
  }

  override powerCycle(): void {
    this.#stop();
    this.isLocked = true;
    this.isHidden = true;
    super.powerCycle();
  }

  /** The port was reset: firmware starts anew and shows the drive as it is. */
  busReset(): void {
    this.#stop();
    this.#isStale = false;
    if (this.isHidden && !this.isLocked) this.#show("the port was reset");
  }

  get #showsNothing(): boolean {
    return this.isHidden || this.#isStale;
  }

  #data(task: ScsiTask, direction: ScsiDirection, bytes: number): false {
    task.status = ScsiStatus.good;
    task.senseBytes = 0;
    task.movedBytes = 0;
    task.direction = direction;
    task.transferBytes = bytes;
    return false;
  }

  #beginDisk(task: ScsiTask, opcode: number): boolean {
    if (opcode === ScsiOpcode.startStopUnit && (task.cdb[4] & 1) !== 0) {
      this.#needsStart = false;
      this.#isStale = false;
    }
    if (!plainOpcodes.includes(opcode) && opcode !== ScsiOpcode.startStopUnit && !this.isHidden) {
      if (this.#needsStart) return refuseTask(task, SenseKey.notReady, SenseCode.initializingCommandRequired);
      if (this.#clock.nowNs() < this.#readyAtNs)
        return refuseTask(task, SenseKey.notReady, SenseCode.becomingReady);
    }
    if (this.#showsNothing && isReadCapacity(task)) {
      const allocated = task.cdb[0] === ScsiOpcode.readCapacity10 ? 8 : Math.min(32, task.cdb[13]);
      return this.#data(task, ScsiDirection.in, allocated);
    }
    if (this.isHidden && !openOpcodes.includes(opcode))
      return refuseTask(task, SenseKey.dataProtect, SenseCode.logicalUnitAccessNotAuthorized);
    return super.begin(task);
  }

  #unlock(task: ScsiTask): true {
    const given = task.data.subarray(task.dataOffset, task.dataOffset + task.dataBytes);
    task.movedBytes = given.length;
    const isRight = given.length === unlockCodeBytes && given.every((byte, at) => byte === this.#code[at]);
    if (!isRight) return refuseTask(task, SenseKey.dataProtect, SenseCode.logicalUnitAccessNotAuthorized);
    this.isLocked = false;
    this.#note("bridge: unlocked");
    return true;
  }

  #accept(task: ScsiTask): boolean {
    const { drop } = this.behaviour;
    this.#stop();
    this.phase = RelinkPhase.pending;
    this.#acceptedNs = this.#clock.nowNs();
    if (drop === "when idle") {
      this.#timer = this.#clock.after(idleNs, this.#lookIdle, undefined);
      return true;
    }
    this.#timer = this.#clock.after(relinkDelayNs, this.#due, undefined);
    if (drop === "after status") return true;
    this.#owed = task;
    return false;
  }

  readonly #lookIdle = (): void => {
    const now = this.#clock.nowNs();
    const quietNs = now - this.#lastCommandNs;
    if (quietNs >= idleNs) {
      this.#due();
      return;
    }
    if (now - this.#acceptedNs >= idleWindowNs) {
      this.phase = RelinkPhase.forgotten;
      this.#note("bridge: the relink was forgotten, because the host never left the link idle");
      return;
    }
    this.#timer = this.#clock.after(idleNs - quietNs, this.#lookIdle, undefined);
  };

  readonly #due = (): void => {
    this.#timer = 0;
    const { relink, unlock } = this.behaviour;
    if (relink === "on reset") {
      this.phase = RelinkPhase.waitsForReset;
      this.#note("bridge: the relink waits for a reset of the port");
      this.#settleOwed(ScsiStatus.good);
      return;
    }
    if (unlock === "is lost") this.isLocked = true;
    this.#show(relink === "disconnect" ? "the link drops" : "unit attention, the link stays");
    if (relink === "attention") {
      this.#attention = SenseCode.notReadyToReady;
      this.#settleOwed(ScsiStatus.good);
      return;
    }
    this.dropLink();
    // Nobody hears it: the carrier forgot its tasks with the link.
    this.#settleOwed(ScsiStatus.taskAborted);
  };

  #show(how: string): void {
    const { capacity, ready, unlock } = this.behaviour;
    if (unlock === "is lost") this.isLocked = true;
    this.phase = RelinkPhase.none;
    this.isHalfDone = false;
    this.relinks++;
    this.isHidden = this.isLocked;
    this.#note(
      `bridge: relink carried out, ${how}; the drive is ${this.isLocked ? "locked again: the unlock did not survive" : "unlocked"}`,
    );
    if (this.isHidden) return;
    this.#isStale = capacity === "stale";
    this.#readyAtNs = ready === "becoming ready" ? this.#clock.nowNs() + becomingReadyNs : 0;
    this.#needsStart = ready === "start needed";
  }

  /** Error recovery of the host while the relink command has no status yet. */
  #disturb(): void {
    if (this.#owed === null) return;
    this.#stop();
    this.isHalfDone = true;
    this.#note(
      "bridge: the host's error recovery hit the relink: half done, not ready until the port is reset",
    );
  }

  #stop(): void {
    this.#clock.cancel(this.#timer);
    this.#timer = 0;
    this.phase = RelinkPhase.none;
    this.isHalfDone = false;
    this.#settleOwed(ScsiStatus.taskAborted);
  }

  #settleOwed(status: ScsiStatus): void {
    const task = this.#owed;
    if (task === null) return;
    this.#owed = null;
    task.status = status;
    task.senseBytes = 0;
    task.movedBytes = 0;
    this.#clock.after(0, this.#tell, task);
  }

  readonly #tell = (task: ScsiTask): void => this.finished(task);
}

function isReadCapacity(task: ScsiTask): boolean {
  const { cdb } = task;
  return (
    cdb[0] === ScsiOpcode.readCapacity10 ||
    (cdb[0] === ScsiOpcode.serviceActionIn16 && (cdb[1] & 0x1f) === ServiceAction.readCapacity16)
  );
}

function reply(task: ScsiTask, data: Uint8Array): true {
  const count = Math.min(data.length, task.transferBytes, task.dataBytes);
  task.data.set(data.subarray(0, count), task.dataOffset);
  task.movedBytes = count;
  return true;
}
