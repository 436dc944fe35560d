// A turn of Node's event loop: all promise continuations that are pending have run when it is over.

import { takeFloating } from "@drydock/core/runtime/floating";

/** So many turns pass without the event loop; then sockets, terminals and timers get theirs. */
const turnsPerLoop = 32;
let turns = 0;

/**
 * This is the `HostTurn` that a Machine asks for. Node runs what `process.nextTick` was given when the queue of
 * microtasks is empty, so a tick that is asked for from inside a microtask comes after every continuation that is pending
 * and all that follow from it. It costs a third of a trip round the event loop (`setImmediate`: a system call
 * each), which comes every so often all the same, because ticks alone would keep sockets and terminals waiting.
 */
export function hostTurn(isWhole = false): Promise<void> {
  if (!isWatching) watchRejections();
  return new Promise(isWhole || turns++ % turnsPerLoop === 0 ? throughTheLoop : throughTheTicks);
}

let isWatching = false;

/**
 * Rejections that nobody handled are offered to the machines first: a driver's un-awaited call is the machine's to report,
 * and must not end this process. Node asks all listeners of `unhandledRejection`, a test runner's too, so the event is
 * taken before them; whatever is no machine's goes on as ever. Node looks for such rejections when it has run a callback
 * of the event loop: before the turn ends that passes through it (`isWhole`).
 */
function watchRejections(): void {
  isWatching = true;
  const emit = process.emit as (event: string | symbol, ...values: unknown[]) => boolean;
  const filtered = function (this: NodeJS.Process, event: string | symbol, ...values: unknown[]): boolean {
    if (event === "unhandledRejection" && takeFloating(values[0])) return true;
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
