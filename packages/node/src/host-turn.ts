// A turn of Node's event loop: all promise continuations that are pending have run when it is over.

/** So many turns pass without the event loop; then sockets, terminals and timers get theirs. */
const turnsPerLoop = 32;
let turns = 0;

/**
 * This is the `HostTurn` that a Machine asks for. Node runs what `process.nextTick` was given when the queue of
 * microtasks is empty, so a tick that is asked for from inside a microtask comes after every continuation that is pending
 * and all that follow from it. It costs a third of a trip round the event loop (`setImmediate`: a system call
 * each), which comes every so often all the same, because ticks alone would keep sockets and terminals waiting.
 */
export function hostTurn(): Promise<void> {
  return new Promise(turns++ % turnsPerLoop === 0 ? throughTheLoop : throughTheTicks);
}

function throughTheLoop(resolve: () => void): void {
  setImmediate(resolve);
}

function throughTheTicks(resolve: () => void): void {
  queueMicrotask(() => process.nextTick(resolve));
}
