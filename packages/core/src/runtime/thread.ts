// A thread of a simulated process: which queues it runs on, what it waits for, and its call stack for reports.

import type { IODispatchQueue } from "./dispatch-queue.ts";
import type { Process } from "./process.ts";

/** Why a thread does not run. Shown when a run ends in a deadlock. */
export interface Wait {
  /** For example "IOUSBHostInterface.deviceRequest" or "queue Default of FtdiDriver". */
  readonly what: string;
  /** The thread that would have to act first, where one is known. */
  readonly heldBy: () => Thread | null;
  /** True when the world outside may end the wait (a person, a socket): never a deadlock. */
  readonly external: boolean;
}

export const nobody = (): Thread | null => null;

/**
 * One flow of control. Driver code has no threads of its own in JavaScript, so the runtime keeps the context: the
 * scheduler sets `current` before it runs or resumes driver code.
 */
export class Thread {
  readonly id: number;
  readonly name: string;
  readonly process: Process;
  /** Mach thread port as libdispatch's owner word would hold it: low two bits clear. */
  readonly port: number;
  /** Queues this context is already running on, innermost last: the runtime's own ledger (posts.md T8). */
  readonly chain: IODispatchQueue[] = [];
  /** Symbols, outermost first, for crash reports. */
  readonly stack: string[] = [];
  wait: Wait | null = null;
  /** The timeline's row of `wait`, 0 while none was written. */
  waitRow = 0;

  constructor(id: number, name: string, process: Process) {
    this.id = id;
    this.name = name;
    this.process = process;
    this.port = 0x1000 + id * 0x100 + 0x3c;
  }

  /** The outermost frames of what runs next; whatever stood there before is forgotten. Kept in place: data paths come by. */
  beginStack(outermost: string, next: string | null = null): void {
    const { stack } = this;
    stack[0] = outermost;
    if (next !== null) stack[1] = next;
    const count = next === null ? 1 : 2;
    if (stack.length > count) stack.length = count;
  }

  /** Its lane of a timeline: the queue's own where it is a queue's worker, as the rows of what runs there have it. */
  get lane(): string {
    const { name, process } = this;
    return `${name.startsWith("queue ") ? "" : "thread "}${name} of ${process.name}[${process.pid}]`;
  }

  toString(): string {
    return `${this.process.name}[${this.process.pid}] ${this.name}`;
  }
}
