// A turn of Node's event loop: all promise continuations that are pending have run when it is over.

import { AsyncLocalStorage } from "node:async_hooks";
import { keepCallers, takeFloating } from "@drydock/core/runtime/floating";
import type { Process } from "@drydock/core/runtime/process";

/**
 * This is the `HostTurn` that a Machine asks for. Node runs what `process.nextTick` was given when the queue of
 * microtasks is empty, so a tick that is asked for from inside a microtask comes after every continuation that is pending
 * and all that follow from it. It costs a third of a trip round the event loop (`setImmediate`: a system call
 * each), which the scheduler asks for every so often (`isWhole`), because ticks alone would keep sockets and terminals
 * waiting, and because Node looks for rejections that nobody handled only when nothing else is pending.
 */
export function hostTurn(isWhole = true): Promise<void> {
  if (!isWatching) watchErrors();
  return new Promise(isWhole ? throughTheLoop : throughTheTicks);
}

let isWatching = false;

/**
 * Errors that nobody took are offered to the machines first: a driver's slip is the machine's to report, and must not end
 * this process. Node asks all listeners of these events, a test runner's too, so they are taken before that; whatever is
 * no machine's goes on as ever. Whose code threw is known by asynchronous context: Node raises both events in the context
 * in which the promise, the timer or the microtask was made.
 */
function watchErrors(): void {
  isWatching = true;
  const running = new AsyncLocalStorage<Process | null>();
  keepCallers({
    place: (process) => running.enterWith(process),
    placed: () => running.getStore() ?? null,
  });
  const emit = process.emit as (event: string | symbol, ...values: unknown[]) => boolean;
  const filtered = function (this: NodeJS.Process, event: string | symbol, ...values: unknown[]): boolean {
    const isError = event === "unhandledRejection" || event === "uncaughtException";
    if (isError && takeFloating(values[0])) return true;
    return emit.call(this, event, ...values);
  };
  process.emit = filtered as typeof process.emit;
}

function throughTheLoop(resolve: () => void): void {
  setImmediate(resolve);
}

function throughTheTicks(resolve: () => void): void {
  queueMicrotask(() => process.nextTick(resolve));
}
