// Errors in driver code that nobody awaited: whose they are, and who must hear of them.

import { ContractViolation } from "../base/errors.ts";
import { MemoryFault } from "./address-space.ts";
import { DispatchTrap } from "./dispatch-queue.ts";
import { ProcessKilled } from "./io-error.ts";
import type { Process } from "./process.ts";
import type { Thread } from "./thread.ts";

/**
 * Where a host remembers whose code runs, across awaits too (Node: asynchronous context). What is placed while a promise
 * is made belongs to all that follows from it.
 */
export interface CallerPlace {
  place(process: Process | null): void;
  /** What was placed when the code that is running now was begun. */
  placed(): Process | null;
}

/** Whose call each refusal answered. */
const callers = new WeakMap<object, Thread>();
/** The thread whose code ran last, for errors that were thrown where no thread is known. */
let latest: Thread | null = null;
let place: CallerPlace | null = null;

/** The scheduler's: `error` is what a call of `thread` rejects with. */
export function refused(error: unknown, thread: Thread): void {
  if (typeof error === "object" && error !== null) callers.set(error, thread);
}

/** The scheduler's: the code of `thread` runs from here. */
export function entered(thread: Thread): void {
  latest = thread;
}

/** The host's, once, before a machine runs. Without it only errors that the runtime itself threw have an owner. */
export function keepCallers(keeper: CallerPlace): void {
  place = keeper;
}

/** The scheduler's: what begins now is code of `process`; null: the kernel's, and everybody else's. */
export function placeCaller(process: Process | null): void {
  place?.place(process);
}

/**
 * A host calls it with each error that nobody took (Node: `unhandledRejection`, and `uncaughtException` for what a driver
 * gave to a timer). True: it came out of a machine's process, and the machine has taken it (`Process.onFloating`), at its
 * next look (`Scheduler.float`); the host's process goes on. In a dext a refused request that nobody looks at is an
 * ignored return value (law 7); an exception of the driver's own ends the dext, as one that was awaited does. False: it is
 * somebody else's error.
 */
export function takeFloating(reason: unknown): boolean {
  // Code of a process that is dead stopped where it stood.
  if (reason instanceof ProcessKilled) return true;
  const isFault =
    reason instanceof ContractViolation || reason instanceof DispatchTrap || reason instanceof MemoryFault;
  const isObject = typeof reason === "object" && reason !== null;
  const thread =
    (isObject ? callers.get(reason) : undefined) ??
    place?.placed()?.latestThread ??
    (isFault ? latest : null);
  if (thread === null || thread === undefined) return false;
  thread.process.scheduler.float(thread, reason);
  return true;
}
