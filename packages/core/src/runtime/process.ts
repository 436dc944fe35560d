// A simulated process: the kernel, a driver extension's server, or an application.

import type { IOReturn } from "../base/io-return.ts";
import type { Properties } from "../platform/properties.ts";
import type { HostMemory } from "../ports/dma.ts";
import { AddressSpace } from "./address-space.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Thread } from "./thread.ts";

export type ProcessKind = "kernel" | "dext" | "app";

export interface ProcessDescription {
  readonly kind: ProcessKind;
  readonly name: string;
  readonly bundleIdentifier: string;
  readonly teamIdentifier: string;
  readonly entitlements: Properties;
  /** Path shown in reports. */
  readonly path: string;
  /** True when the process runs as root. */
  readonly isAdministrator?: boolean;
}

/** A call into a process that has not been answered yet: it must be answered even when the process dies. */
export interface PendingCall {
  serverDied(code: IOReturn): void;
}

/**
 * What threads, memory and entitlements belong to. Driver code sees its own process as `this.process`; the kernel's
 * process hosts the nubs. A dead process runs nothing more; calls made to it end with MIG_SERVER_DIED.
 */
export class Process {
  readonly pid: number;
  readonly kind: ProcessKind;
  readonly name: string;
  readonly bundleIdentifier: string;
  readonly teamIdentifier: string;
  readonly entitlements: Properties;
  readonly path: string;
  readonly isAdministrator: boolean;
  readonly scheduler: Scheduler;
  readonly memory: AddressSpace;
  readonly pendingCalls = new Set<PendingCall>();
  /** Handles a fault of this process's own code: crash, evidence, relaunch. Set by the machine. */
  readonly onFault: (process: Process, thread: Thread, error: unknown) => void;
  /** Hears of errors that nobody in this process awaited (see floating.ts). Set by the machine. */
  readonly onFloating: (process: Process, thread: Thread, error: unknown) => void;
  /** The thread of it that ran last. */
  latestThread: Thread | null = null;
  #alive = true;

  constructor(
    pid: number,
    description: ProcessDescription,
    scheduler: Scheduler,
    onFault: (process: Process, thread: Thread, error: unknown) => void,
    onFloating: (process: Process, thread: Thread, error: unknown) => void = onFault,
    hostMemory: HostMemory | null = null,
  ) {
    this.pid = pid;
    this.kind = description.kind;
    this.name = description.name;
    this.bundleIdentifier = description.bundleIdentifier;
    this.teamIdentifier = description.teamIdentifier;
    this.entitlements = description.entitlements;
    this.path = description.path;
    this.isAdministrator = description.isAdministrator ?? false;
    this.scheduler = scheduler;
    this.memory = new AddressSpace(description.name, hostMemory);
    this.onFault = onFault;
    this.onFloating = onFloating;
  }

  get isAlive(): boolean {
    return this.#alive;
  }

  /** Runs `body` as a thread of this process. What it throws is a fault of the process. */
  spawn(name: string, body: () => void | Promise<void>): Thread {
    const thread = this.scheduler.newThread(this, name);
    this.scheduler.ready(() => runBody(thread, body), undefined);
    return thread;
  }

  /** Ends the process: nothing of it runs again, and whoever waits for an answer from it gets `code`. */
  end(code: IOReturn): void {
    if (!this.#alive) return;
    this.#alive = false;
    const calls = [...this.pendingCalls];
    this.pendingCalls.clear();
    for (const call of calls) call.serverDied(code);
    this.scheduler.forgetThreadsOf(this);
  }
}

function runBody(thread: Thread, body: () => void | Promise<void>): void {
  const { process } = thread;
  if (!process.isAlive) return;
  process.scheduler.begin(thread);
  const finish = () => process.scheduler.forgetThread(thread);
  const fault = (error: unknown) => {
    finish();
    process.onFault(process, thread, error);
  };
  try {
    const result = body();
    if (result instanceof Promise) result.then(finish, fault);
    else finish();
  } catch (error) {
    fault(error);
  }
}
