// A turn of Node's event loop: all promise continuations that are pending have run when it is over.

/**
 * Node drains microtasks between macrotasks, so the callback of a fresh setImmediate runs after every continuation
 * and all that followed from it. This is the `HostTurn` that a Machine asks for.
 */
export function hostTurn(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
