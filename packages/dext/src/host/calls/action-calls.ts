// OSAction: made by a dext for one of its methods, invoked by the host with what the callback's type says.

import { IOReturns } from "@drydock/core/base/io-return";
import { OSAction } from "@drydock/core/runtime/action";
import { IOService } from "@drydock/core/runtime/service";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import type { WasmValue } from "../engine.ts";
import { callsOf, plain, status, statusWaiting } from "./host-call.ts";

/** What follows the action, by callback, from the three numbers that the host's own actions carry. */
type CallbackValues = (
  a: number,
  b: number,
  c: number,
  cxx: CxxProcess,
  action: OSAction,
) => readonly WasmValue[];
const callbackValues: Record<string, CallbackValues> = {
  "IOUSBHostPipe.CompleteAsyncIO": (status_, count, time) => [status_ | 0, count, BigInt(Math.floor(time))],
  "IOUSBHostPipe.CompleteAsyncIsochIO": (status_) => [status_ | 0],
  "IOUSBHostPipe.CompleteAsyncIOBundled": bundledValues,
  "IOUSBHostDevice.CompleteAsyncDeviceRequest": (status_, count) => [status_ | 0, count],
  "IOTimerDispatchSource.TimerOccurred": (time) => [BigInt(Math.floor(time))],
  "IODataQueueDispatchSource.DataAvailable": () => [],
  "IODataQueueDispatchSource.DataServiced": () => [],
  "IOServiceNotificationDispatchSource.ServiceNotificationReady": () => [],
  "IOInterruptDispatchSource.InterruptOccurred": (count, time) => [BigInt(count), BigInt(Math.floor(time))],
};

/** Added by the calls that hand such actions to the host. */
export function addCallback(callback: string, values: CallbackValues): void {
  callbackValues[callback] = values;
}

/** What an action of a dext carries besides the host's. */
interface ActionState {
  readonly reference: number;
  readonly referenceBytes: number;
  /** Objects that requests under way hold, oldest first. */
  readonly held: number[];
  callback: string;
  /** The copied block of a cancel that has not run; 0: none. */
  cancelBlock: number;
  waits: { done: boolean; wake: (() => void) | null } | null;
  /** The arrays of a callback that has some; 0: none yet. */
  scratch: number;
}

const states = new WeakMap<OSAction, ActionState>();

/** Of a bundled pipe: what became of its transfers, by index of its ring. */
export interface BundleLedger {
  readonly address: number;
  bundledStatus(index: number): number;
  bundledByteCount(index: number): number;
}
/** One action may serve several pipes. */
const bundles = new WeakMap<OSAction, Map<number, BundleLedger>>();
/** kIOUSBHostPipeBundlingMax, in bytes of one array. */
const bundleArrayBytes = 64;

/** Told before the pipe completes bundles by this action. */
export function setBundle(action: OSAction, ledger: BundleLedger): void {
  const known = bundles.get(action) ?? new Map<number, BundleLedger>();
  bundles.set(action, known.set(ledger.address, ledger));
}

/** Byte counts and statuses go as arrays, which stay where they are until the next callback. */
function bundledValues(
  index: number,
  count: number,
  address: number,
  cxx: CxxProcess,
  action: OSAction,
): readonly WasmValue[] {
  const state = states.get(action) as ActionState;
  const ledger = bundles.get(action)?.get(address) as BundleLedger;
  if (state.scratch === 0) state.scratch = cxx.place(new Uint8Array(2 * bundleArrayBytes));
  for (let at = 0; at < count; at++) {
    cxx.memory.setU32(state.scratch + 4 * at, ledger.bundledByteCount(index + at));
    cxx.memory.setU32(state.scratch + bundleArrayBytes + 4 * at, ledger.bundledStatus(index + at) >>> 0);
  }
  return [index, count, state.scratch, count, state.scratch + bundleArrayBytes, count];
}
/** The dext's object that an action holds. */
const targets = new WeakMap<OSAction, number>();

/** A request under way holds its action and its buffer, as the kernel does. Ended by the callback. */
export function holdForAction(cxx: CxxProcess, action: OSAction, ...objects: readonly number[]): void {
  const held = states.get(action)?.held;
  if (held === undefined) return;
  for (const object of objects) cxx.retain(object);
  held.push(...objects, -1);
}

/** The request was refused: nothing will call back. */
export function dropForAction(cxx: CxxProcess, action: OSAction): void {
  const held = states.get(action)?.held;
  if (held === undefined) return;
  held.pop();
  while (held.length > 0 && held.at(-1) !== -1) cxx.release(held.pop() as number);
}

/** Addresses that an action holds: its target until it is cancelled, what its requests hold, the block of its cancel. */
export function heldByAction(action: OSAction): {
  readonly objects: readonly number[];
  readonly blocks: readonly number[];
} {
  const state = states.get(action);
  const target = targets.get(action);
  if (state === undefined || target === undefined) return { objects: [], blocks: [] };
  return {
    objects: [target, ...state.held],
    blocks: state.cancelBlock === 0 ? [] : [state.cancelBlock],
  };
}

function endHeld(cxx: CxxProcess, state: ActionState): void {
  for (let object = state.held.shift(); object !== undefined && object !== -1; object = state.held.shift())
    cxx.release(object);
}

export function createAction(
  cxx: CxxProcess,
  target: number,
  methodId: bigint,
  _callbackId: bigint,
  referenceBytes: number,
  typeName: string,
  action: number,
): number {
  if (cxx.mustFail("OSAction::Create")) return IOReturns.kIOReturnNoMemory | 0;
  const service = cxx.hostAs(target, IOService);
  const method = cxx.methodById(cxx.classNameOf(target), BigInt.asUintN(64, methodId));
  if (service === null || method === null) return IOReturns.kIOReturnBadArgument | 0;
  const { callback, thunk } = method;
  const methodName = method.name.slice(method.name.indexOf(".") + 1);
  const invoke = (made: OSAction, a: number, b: number, c: number): void | Promise<void> => {
    const state = states.get(made) as ActionState;
    const values = callbackValues[callback];
    if (values === undefined) {
      cxx.kernel.note(`nothing here calls ${callback} back`);
      return;
    }
    const address = cxx.addressOf(made);
    if (address === 0) return;
    cxx.retain(address);
    const given = values(a, b, c, cxx, made);
    // Of all callbacks this one has its action last (IOHIDFamily IOHIDInterface.iig).
    const isLast = callback === "IOHIDInterface.ReportAvailable";
    return cxx.run(thunk, target, ...(isLast ? [...given, address] : [address, ...given])).then(() => {
      endHeld(cxx, state);
      if (state.waits !== null) {
        state.waits.done = true;
        state.waits.wake?.();
      }
      cxx.release(address);
    });
  };
  const made =
    typeName === "OSAction"
      ? service.createUntypedAction(methodName, invoke)
      : service.createAction(methodName, invoke);
  // The action holds its target until it is cancelled or freed: an action that is kept and never cancelled keeps the driver.
  cxx.retain(target);
  const reference = referenceBytes === 0 ? 0 : cxx.place(new Uint8Array(referenceBytes));
  states.set(made, {
    reference,
    referenceBytes,
    held: [],
    callback,
    cancelBlock: 0,
    waits: null,
    scratch: 0,
  });
  const address = cxx.handOut(made, "OSAction", () => {
    if (reference !== 0) cxx.unplace(reference);
    const scratch = states.get(made)?.scratch ?? 0;
    if (scratch !== 0) cxx.unplace(scratch);
    if (made.isCancelled) return;
    service.release();
    cxx.release(target);
  });
  targets.set(made, target);
  cxx.memory.setU32(action, address);
  return 0;
}

const action = (cxx: CxxProcess, self: number): OSAction | null => cxx.hostAs(self, OSAction);

/** Runs a block of the dext's once, on the queue that the host chose, and gives it up. */
export function blockOnce(cxx: CxxProcess, block: number): () => void | Promise<void> {
  const kept = cxx.keepBlock(block);
  if (kept === null) return () => {};
  return async () => {
    await kept.run();
    kept.release();
  };
}

export const actionCalls: HostCalls = callsOf("OSAction", {
  GetReference: plain((cxx, self: number) => {
    const host = action(cxx, self);
    return host === null ? 0 : (states.get(host)?.reference ?? 0);
  }),
  Cancel: status((cxx, self: number, handler: number) => {
    const host = action(cxx, self);
    if (host === null) return IOReturns.kIOReturnBadArgument;
    const kept = cxx.keepBlock(handler);
    const state = states.get(host);
    if (state !== undefined && kept !== null) state.cancelBlock = kept.address;
    host.cancel((async () => {
      await kept?.run();
      kept?.release();
      if (state !== undefined) state.cancelBlock = 0;
      cxx.release(targets.get(host) ?? 0);
    }) as () => void);
    return undefined;
  }),
  SetAbortedHandler: status((cxx, self: number, handler: number) => {
    const host = action(cxx, self);
    if (host === null) return IOReturns.kIOReturnBadArgument;
    host.setAbortedHandler(blockOnce(cxx, handler) as () => void);
    return undefined;
  }),
  WillWait: status((cxx, self: number, token: number) => {
    const state = stateOf(cxx, self);
    if (state === null || state.waits !== null) return IOReturns.kIOReturnBusy;
    state.waits = { done: false, wake: null };
    cxx.memory.setU32(token, self);
    return undefined;
  }),
  Wait: statusWaiting(async (cxx, self: number, _token: number, options: bigint, deadline: bigint) => {
    const waits = stateOf(cxx, self)?.waits ?? null;
    if (waits === null) return IOReturns.kIOReturnBadArgument;
    const { scheduler } = cxx.kernel;
    if (waits.done) return undefined;
    return await scheduler.block<number>("OSAction::Wait", (completion) => {
      waits.wake = () => {
        if (!completion.isDone) completion.succeed(0);
      };
      if (options === 0n) return;
      const left = Math.max(0, Number(deadline) - scheduler.nowNs());
      scheduler.after(
        left,
        () => {
          if (!completion.isDone) completion.succeed(IOReturns.kIOReturnTimeout);
        },
        undefined,
      );
    });
  }),
  EndWait: status((cxx, self: number) => {
    const state = stateOf(cxx, self);
    if (state === null) return IOReturns.kIOReturnBadArgument;
    state.waits = null;
    return undefined;
  }),
  Aborted: plain(() => undefined),
});

function stateOf(cxx: CxxProcess, self: number): ActionState | null {
  const host = action(cxx, self);
  return host === null ? null : (states.get(host) ?? null);
}
