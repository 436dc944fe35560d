// A SCSI target in front of another one: same type on both sides; everything passes unless a subclass steps in.

import { type SenseCode, type SenseKey, writeFixedSense } from "../codec/scsi/sense.ts";
import {
  ScsiDirection,
  ScsiStatus,
  type ScsiTargetClient,
  type ScsiTargetPort,
  type ScsiTask,
} from "./scsi-target.ts";

/** Ends a task at `begin` with CHECK CONDITION and fixed sense; answers true: over. */
export function refuseTask(task: ScsiTask, key: SenseKey, code: SenseCode | number): true {
  task.direction = ScsiDirection.none;
  task.transferBytes = 0;
  task.movedBytes = 0;
  task.status = ScsiStatus.checkCondition;
  task.senseBytes = writeFixedSense(task.sense, { key, code });
  return true;
}

/** What firmware, a bridge, a controller or a fault does to commands on their way. */
export class ScsiTargetFilter implements ScsiTargetPort {
  protected readonly target: ScsiTargetPort;
  protected client: ScsiTargetClient | null = null;

  constructor(target: ScsiTargetPort) {
    this.target = target;
  }

  connect(client: ScsiTargetClient): void {
    this.client = client;
    const { transportIdOf } = client;
    this.target.connect({
      finished: (task) => this.finished(task),
      ...(transportIdOf === undefined ? {} : { transportIdOf: transportIdOf.bind(client) }),
    });
  }

  begin(task: ScsiTask): boolean {
    return this.target.begin(task);
  }

  execute(task: ScsiTask): boolean {
    return this.target.execute(task);
  }

  abort(task: ScsiTask): void {
    this.target.abort(task);
  }

  commandsCleared(lun: number, initiator: number): void {
    this.target.commandsCleared(lun, initiator);
  }

  resetUnit(lun: number): void {
    this.target.resetUnit(lun);
  }

  resetTarget(): void {
    this.target.resetTarget();
  }

  nexusLost(initiator: number): void {
    this.target.nexusLost(initiator);
  }

  powerCycle(): void {
    this.target.powerCycle();
  }

  /** The target finished a task for which `execute` had answered false. */
  protected finished(task: ScsiTask): void {
    this.client?.finished(task);
  }
}
