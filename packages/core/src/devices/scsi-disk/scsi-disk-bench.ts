// One initiator at a disk, for tests: builds tasks, runs them to their end on a virtual clock.

import { Random } from "../../base/random.ts";
import { VirtualClock } from "../../base/virtual-clock.ts";
import { writeTestUnitReady } from "../../codec/scsi/cdb.ts";
import { decodeSense } from "../../codec/scsi/sense.ts";
import { ScsiDirection, ScsiStatus, ScsiTask } from "../../ports/scsi-target.ts";
import { ScsiDiskDevice } from "./scsi-disk-device.ts";
import type { ScsiUnitOptions } from "./unit-options.ts";

export interface Answer {
  readonly status: number;
  /** `5/24/00`, or "" without sense. */
  readonly sense: string;
  readonly senseBytes: Uint8Array;
  readonly data: Uint8Array;
  readonly movedBytes: number;
  readonly task: ScsiTask;
}

export class ScsiDiskBench {
  readonly clock = new VirtualClock();
  readonly device: ScsiDiskDevice;
  readonly finished: ScsiTask[] = [];

  constructor(units: readonly ScsiUnitOptions[] = [{ blockCount: 2048 }], seed = 1) {
    this.device = new ScsiDiskDevice({ clock: this.clock, random: new Random(seed), units });
    this.device.connect({ finished: (task) => this.finished.push(task) });
  }

  task(cdb: Uint8Array, initiator = 0, lun = 0): ScsiTask {
    const task = new ScsiTask();
    task.cdb.set(cdb);
    task.cdbBytes = cdb.length;
    task.initiator = initiator;
    task.lun = lun;
    return task;
  }

  /** Begins and executes; `room` limits what the initiator expects. Time moves only when the command takes time. */
  run(
    cdb: Uint8Array | ((cdb: Uint8Array) => number),
    options: { data?: Uint8Array; initiator?: number; lun?: number; room?: number } = {},
  ): Answer {
    const bytes = new Uint8Array(32);
    const written = typeof cdb === "function" ? bytes.subarray(0, cdb(bytes)) : cdb;
    const task = this.task(written, options.initiator, options.lun);
    if (!this.device.begin(task)) {
      const wanted = Math.min(task.transferBytes, options.room ?? Number.POSITIVE_INFINITY);
      if (task.direction === ScsiDirection.out) {
        task.data = options.data ?? new Uint8Array(wanted);
        task.dataBytes = Math.min(wanted, task.data.length);
      } else {
        task.data = new Uint8Array(wanted);
        task.dataBytes = wanted;
      }
      if (!this.device.execute(task)) while (!this.finished.includes(task) && this.clock.step());
    }
    return this.answer(task);
  }

  answer(task: ScsiTask): Answer {
    const senseBytes = task.sense.slice(0, task.senseBytes);
    let sense = "";
    if (task.status === ScsiStatus.checkCondition) {
      const { key, code } = decodeSense(senseBytes);
      const digits = code.toString(16).padStart(4, "0");
      sense = `${key.toString(16)}/${digits.slice(0, 2)}/${digits.slice(2)}`;
    }
    const data =
      task.direction === ScsiDirection.in ? task.data.slice(0, task.movedBytes) : new Uint8Array(0);
    return { status: task.status, sense, senseBytes, data, movedBytes: task.movedBytes, task };
  }

  /** Takes the power-on attention away. */
  ready(initiator = 0, lun = 0): this {
    while (this.run(writeTestUnitReady, { initiator, lun }).sense.startsWith("6/"));
    return this;
  }
}
