// A disk with firmware that misbehaves: refuses, falls silent, or answers nonsense. Same type in, same type out.

import type { Clock } from "../../base/clock.ts";
import { ScsiStatus, type ScsiTargetPort, type ScsiTask } from "../../ports/scsi-target.ts";
import { ScsiTargetFilter } from "../../ports/scsi-target-filter.ts";

/** What one quirk does to commands. All of it is looked at for every command, in the order of the quirks. */
export interface QuirkBehaviour {
  /** True: the command was ended here, with status and sense (ports/scsi-target-filter.ts, refuseTask). */
  refuses?(task: ScsiTask): boolean;
  /** True: it never ends by itself; ABORT TASK and resets end it. */
  hangs?(task: ScsiTask): boolean;
  /** Changes what the disk has answered. */
  answers?(task: ScsiTask): void;
}

export class QuirkyTarget extends ScsiTargetFilter {
  readonly #clock: Clock;
  readonly #behaviours: readonly QuirkBehaviour[];
  readonly #silent = new Set<ScsiTask>();

  constructor(target: ScsiTargetPort, clock: Clock, behaviours: readonly QuirkBehaviour[]) {
    super(target);
    this.#clock = clock;
    this.#behaviours = behaviours;
  }

  override begin(task: ScsiTask): boolean {
    if (super.begin(task)) return true;
    return this.#behaviours.some((behaviour) => behaviour.refuses?.(task) === true);
  }

  override execute(task: ScsiTask): boolean {
    if (this.#behaviours.some((behaviour) => behaviour.hangs?.(task) === true)) {
      this.#silent.add(task);
      return false;
    }
    if (!super.execute(task)) return false;
    this.#answered(task);
    return true;
  }

  override abort(task: ScsiTask): void {
    if (this.#silent.delete(task)) this.#end(task);
    else super.abort(task);
  }

  override resetUnit(lun: number): void {
    this.#endAll((task) => task.lun === lun);
    super.resetUnit(lun);
  }

  override resetTarget(): void {
    this.#endAll(() => true);
    super.resetTarget();
  }

  override nexusLost(initiator: number): void {
    this.#endAll((task) => task.initiator === initiator);
    super.nexusLost(initiator);
  }

  override powerCycle(): void {
    this.#endAll(() => true);
    super.powerCycle();
  }

  protected override finished(task: ScsiTask): void {
    this.#answered(task);
    super.finished(task);
  }

  #answered(task: ScsiTask): void {
    if (task.status !== ScsiStatus.good) return;
    for (const behaviour of this.#behaviours) behaviour.answers?.(task);
  }

  #endAll(isMeant: (task: ScsiTask) => boolean): void {
    for (const task of [...this.#silent])
      if (isMeant(task)) {
        this.#silent.delete(task);
        this.#end(task);
      }
  }

  /** Aborted, and never told within the call. */
  #end(task: ScsiTask): void {
    task.status = ScsiStatus.taskAborted;
    task.senseBytes = 0;
    task.movedBytes = 0;
    this.#clock.after(0, (ended) => this.client?.finished(ended), task);
  }
}
