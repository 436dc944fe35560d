// Commands that wait for a transport to have room: first in, first out, without allocation once it has grown.

import type { SCSITask } from "../../families/scsi/scsi-task.ts";

export class TaskQueue {
  #tasks: (SCSITask | null)[] = new Array<SCSITask | null>(64).fill(null);
  #head = 0;
  #count = 0;

  get count(): number {
    return this.#count;
  }

  push(task: SCSITask): void {
    if (this.#count === this.#tasks.length) this.#grow();
    this.#tasks[(this.#head + this.#count) & (this.#tasks.length - 1)] = task;
    this.#count++;
  }

  shift(): SCSITask | null {
    if (this.#count === 0) return null;
    const task = this.#tasks[this.#head];
    this.#tasks[this.#head] = null;
    this.#head = (this.#head + 1) & (this.#tasks.length - 1);
    this.#count--;
    return task;
  }

  /** Takes one task out of the middle. False when it is not waiting here. */
  remove(task: SCSITask): boolean {
    const rest: SCSITask[] = [];
    let isFound = false;
    for (let next = this.shift(); next !== null; next = this.shift()) {
      if (next === task) isFound = true;
      else rest.push(next);
    }
    for (const entry of rest) this.push(entry);
    return isFound;
  }

  #grow(): void {
    const grown = new Array<SCSITask | null>(this.#tasks.length * 2).fill(null);
    for (let index = 0; index < this.#count; index++)
      grown[index] = this.#tasks[(this.#head + index) & (this.#tasks.length - 1)];
    this.#tasks = grown;
    this.#head = 0;
  }
}
