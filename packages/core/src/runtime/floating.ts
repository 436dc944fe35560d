// Errors that the runtime threw into driver code and that nobody awaited: who must hear of them.

import { ContractViolation } from "../base/errors.ts";
import { MemoryFault } from "./address-space.ts";
import { DispatchTrap } from "./dispatch-queue.ts";
import { ProcessKilled } from "./io-error.ts";
import type { Thread } from "./thread.ts";

/** Whose call each refusal answered. */
const callers = new WeakMap<object, Thread>();
/** The thread whose code ran last, for errors that were thrown where no thread is known. */
let latest: Thread | null = null;

/** The scheduler's: `error` is what a call of `thread` rejects with. */
export function refused(error: unknown, thread: Thread): void {
  if (typeof error === "object" && error !== null) callers.set(error, thread);
}

/** The scheduler's: the code of `thread` runs from here. */
export function entered(thread: Thread): void {
  latest = thread;
}

/**
 * A host calls it with the reason of each rejection that nobody handled (Node: `unhandledRejection`). True: it came out
 * of a machine, which has taken it (`Process.onFloating`), and the host's process goes on. In a dext a refused request that
 * nobody looks at is an ignored return value (law 7); a trap or a broken contract is what it is anywhere else. False: it
 * is somebody else's error.
 */
export function takeFloating(reason: unknown): boolean {
  if (typeof reason !== "object" || reason === null) return false;
  // Code of a process that is dead stopped where it stood.
  if (reason instanceof ProcessKilled) return true;
  const isFault =
    reason instanceof ContractViolation || reason instanceof DispatchTrap || reason instanceof MemoryFault;
  const thread = callers.get(reason) ?? (isFault ? latest : null);
  if (thread === null) return false;
  thread.process.onFloating(thread.process, thread, reason);
  return true;
}
