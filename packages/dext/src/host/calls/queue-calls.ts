// IODispatchQueue and the sources that deliver to one.

import { ContractViolation } from "@drydock/core/base/errors";
import { IOReturns } from "@drydock/core/base/io-return";
import { OSAction } from "@drydock/core/runtime/action";
import { IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import {
  DispatchSource,
  type InterruptProvider,
  IOInterruptDispatchSource,
  IOTimerDispatchSource,
} from "@drydock/core/runtime/dispatch-source";
import type { CxxProcess, HostCalls } from "../cxx-process.ts";
import { DextTrap } from "../trouble.ts";
import { blockOnce } from "./action-calls.ts";
import { callsOf, plain, plainWaiting, status, statusWaiting } from "./host-call.ts";
import { service } from "./service-calls.ts";

export function queue(cxx: CxxProcess, self: number): IODispatchQueue {
  const host = cxx.hostAs(self, IODispatchQueue);
  if (host === null) throw new DextTrap("a call on a queue that the system did not make", cxx.here());
  return host;
}

/** Sources that hold a queue: as many references of the dext's object are theirs. */
const holders = new WeakMap<IODispatchQueue, Set<DispatchSource>>();

/** A source keeps its queue, as the dext's own count of it says: one release too many then frees it under the source. */
function hold(cxx: CxxProcess, host: DispatchSource, address: number): void {
  cxx.retain(address);
  const held = holders.get(host.queue) ?? new Set();
  holders.set(host.queue, held);
  held.add(host);
}

/** Told behind the cancel of a source. */
function letGo(cxx: CxxProcess, host: DispatchSource): void {
  if (holders.get(host.queue)?.delete(host) === true) cxx.release(cxx.addressKnown(host.queue));
}

/** The dext's last reference is gone, and with it those that sources still counted on. */
function queueFreed(cxx: CxxProcess, host: IODispatchQueue): void {
  try {
    for (let left = (holders.get(host)?.size ?? 0) + 1; left > 0; left--) host.release();
  } catch (error) {
    if (!(error instanceof ContractViolation)) throw error;
    const [where] = cxx.here();
    const detail = error.message.slice(error.rule.length + 2);
    throw where === undefined ? error : new ContractViolation(error.rule, `${detail}, in ${where}`);
  } finally {
    holders.delete(host);
  }
}

/** Events to sleep on, by their address in the dext. */
const events = new WeakMap<CxxProcess, Map<number, object>>();
function event(cxx: CxxProcess, address: number): object {
  const known = events.get(cxx) ?? new Map<number, object>();
  events.set(cxx, known);
  const found = known.get(address) ?? {};
  known.set(address, found);
  return found;
}

/** A C function with its context, run once. */
function functionOnce(cxx: CxxProcess, context: number, index: number): () => Promise<void> {
  return async () => void (await cxx.run(index, context));
}

const async_ = (cxx: CxxProcess, self: number, run: () => void | Promise<void>): undefined =>
  void queue(cxx, self).dispatchAsync(run);

/**
 * The queue of a synchronous dispatch. One that the caller holds below another runs the work at once (driverkit-core.md: the
 * chain decides): nothing hangs, and what the outer work had half done is seen by the inner. That is said, once a place.
 */
function entered(cxx: CxxProcess, self: number): IODispatchQueue {
  const host = queue(cxx, self);
  const chain = cxx.kernel.scheduler.current?.chain ?? [];
  const inner = chain.at(-1);
  if (inner === undefined || inner === host || !chain.includes(host)) return host;
  const text = `DispatchSync from queue ${inner.name} back to queue ${host.name}, which waits for it: the work runs at once, inside of what ${host.name} is doing; a queue that knows only its owner would wait for ever, in ${cxx.here()[0] ?? "the runtime"}`;
  const told = toldOf.get(cxx) ?? new Set<string>();
  toldOf.set(cxx, told);
  if (!told.has(text)) cxx.kernel.note(text);
  told.add(text);
  return host;
}

const toldOf = new WeakMap<CxxProcess, Set<string>>();

export const queueCalls: HostCalls = callsOf("IODispatchQueue", {
  Create: status((cxx, name: number, options: bigint, priority: bigint, made: number) => {
    const host = IODispatchQueue.create(
      cxx.process,
      cxx.memory.text(name, 255),
      Number(options),
      Number(priority),
      cxx.queueRules,
    );
    cxx.memory.setU32(
      made,
      cxx.handOut(host, "IODispatchQueue", () => queueFreed(cxx, host)),
    );
    return undefined;
  }, IOReturns.kIOReturnNoMemory),
  OnQueue: plain((cxx, self: number) => (queue(cxx, self).onQueue() ? 1 : 0)),
  GetName: plain((cxx, self: number) => cxx.place(new TextEncoder().encode(`${queue(cxx, self).name}\0`))),
  Cancel: status((cxx, self: number, handler: number) => {
    queue(cxx, self).cancel(blockOnce(cxx, handler) as () => void);
    return undefined;
  }),
  DispatchAsync: plain((cxx, self: number, block: number) => async_(cxx, self, blockOnce(cxx, block))),
  DispatchAsync_f: plain((cxx, self: number, context: number, index: number) =>
    async_(cxx, self, functionOnce(cxx, context, index)),
  ),
  DispatchConcurrent: plain((cxx, self: number, block: number) => async_(cxx, self, blockOnce(cxx, block))),
  DispatchConcurrent_f: plain((cxx, self: number, context: number, index: number) =>
    async_(cxx, self, functionOnce(cxx, context, index)),
  ),
  DispatchSync: plainWaiting(async (cxx, self: number, block: number) => {
    await entered(cxx, self).dispatchSync(blockOnce(cxx, block));
    return undefined;
  }),
  DispatchSync_f: plainWaiting(async (cxx, self: number, context: number, index: number) => {
    await entered(cxx, self).dispatchSync(functionOnce(cxx, context, index));
    return undefined;
  }),
  RunAction: plainWaiting(async (cxx, self: number, block: number) => {
    const kept = cxx.keepBlock(block);
    if (kept === null) return IOReturns.kIOReturnBadArgument | 0;
    const result = await entered(cxx, self).dispatchSync(() => kept.run());
    kept.release();
    return Number(result) | 0;
  }),
  Sleep: statusWaiting(async (cxx, self: number, at: number, timeout: bigint) =>
    queue(cxx, self).sleep(event(cxx, at), Number(timeout)),
  ),
  SleepWithTimeout: statusWaiting(async (cxx, self: number, at: number, timeout: bigint) =>
    queue(cxx, self).sleep(event(cxx, at), Number(timeout)),
  ),
  SleepWithDeadline: statusWaiting(
    async (cxx, self: number, at: number, _options: bigint, deadline: bigint) =>
      queue(cxx, self).sleepWithDeadline(event(cxx, at), Number(deadline)),
  ),
  Wakeup: status((cxx, self: number, at: number) => queue(cxx, self).wakeup(event(cxx, at))),
  WakeupWithOptions: status((cxx, self: number, at: number, options: bigint) =>
    queue(cxx, self).wakeup(event(cxx, at), Number(options)),
  ),
});

type Source = DispatchSource;
export function source(cxx: CxxProcess, self: number): Source {
  const host = cxx.hostOf(self);
  if (host instanceof DispatchSource) return host;
  throw new DextTrap(`a call on an ${cxx.classNameOf(self)} that has nothing behind it`, cxx.here());
}

/** The actions of a source's handlers are kept as long as it may call them, by what they hear of. */
const handlers = new WeakMap<Source, Map<string, number>>();
/** `set` hands the action to the source; `which` names the handler where a source has several. */
export function setHandler(
  cxx: CxxProcess,
  self: number,
  given: number,
  set: (action: OSAction) => number = (action) => source(cxx, self).setHandler(action),
  which = "",
): number | undefined {
  const host = source(cxx, self);
  const action = cxx.hostAs(given, OSAction);
  const kept = handlers.get(host) ?? new Map<string, number>();
  handlers.set(host, kept);
  const old = kept.get(which) ?? 0;
  if (given === 0) {
    kept.delete(which);
    cxx.release(old);
    return undefined;
  }
  if (action === null) return IOReturns.kIOReturnBadArgument;
  const code = set(action);
  if (code !== IOReturns.kIOReturnSuccess) return code;
  cxx.retain(given);
  kept.set(which, given);
  cxx.release(old);
  return undefined;
}

/** Told when the dext has given a source up: its handlers go, and it tells nobody any more. */
export function sourceFreed(cxx: CxxProcess, host: Source): () => void {
  return () => {
    for (const action of handlers.get(host)?.values() ?? []) cxx.release(action);
    handlers.delete(host);
    if (!host.isCancelled) host.cancel(() => letGo(cxx, host));
  };
}

const setEnable = status((cxx, self: number, enable: number, handler: number) =>
  source(cxx, self).setEnable(enable !== 0, handler ? (blockOnce(cxx, handler) as () => void) : null),
);

export const sourceCalls: HostCalls = {
  ...callsOf("IODispatchSource", {
    Cancel: status((cxx, self: number, handler: number) => {
      const host = source(cxx, self);
      const run = blockOnce(cxx, handler);
      host.cancel(() => {
        letGo(cxx, host);
        return run() as undefined;
      });
      return undefined;
    }),
    SetEnableWithCompletion: setEnable,
    SetEnable: setEnable,
    CheckForWork: status(() => undefined),
  }),
  ...callsOf("IOTimerDispatchSource", {
    Create: status((cxx, onQueue: number, made: number) => {
      const host = IOTimerDispatchSource.create(queue(cxx, onQueue));
      hold(cxx, host, onQueue);
      cxx.memory.setU32(made, cxx.handOut(host, "IOTimerDispatchSource", sourceFreed(cxx, host)));
      return undefined;
    }, IOReturns.kIOReturnNoMemory),
    SetHandler: status((cxx, self: number, action: number) => setHandler(cxx, self, action)),
    WakeAtTime: status((cxx, self: number, clock: bigint, deadline: bigint, leeway: bigint) => {
      const host = source(cxx, self);
      if (!(host instanceof IOTimerDispatchSource)) return IOReturns.kIOReturnBadArgument;
      return host.wakeAtTime(Number(clock), Number(BigInt.asUintN(64, deadline)), Number(leeway));
    }),
  }),
  ...callsOf("IOInterruptDispatchSource", {
    Create: status((cxx, provider: number, index: number, onQueue: number, made: number) => {
      const from = service(cxx, provider) as unknown as InterruptProvider;
      if (typeof from.registerInterrupt !== "function") return IOReturns.kIOReturnUnsupported;
      const { status: code, source: host } = IOInterruptDispatchSource.create(
        from,
        index & 0xffff,
        queue(cxx, onQueue),
      );
      if (host === null) return code;
      hold(cxx, host, onQueue);
      cxx.memory.setU32(made, cxx.handOut(host, "IOInterruptDispatchSource", sourceFreed(cxx, host)));
      return undefined;
    }),
    GetInterruptType: status((cxx, provider: number, index: number, type: number) => {
      const from = service(cxx, provider) as unknown as InterruptProvider;
      const found = typeof from.interruptType === "function" ? from.interruptType(index) : null;
      if (found === null) return IOReturns.kIOReturnNotFound;
      cxx.memory.setU64(type, BigInt(found));
      return undefined;
    }),
    SetHandler: status((cxx, self: number, action: number) => setHandler(cxx, self, action)),
    GetLastInterrupt: status((cxx, self: number, count: number, time: number) => {
      const host = source(cxx, self);
      if (!(host instanceof IOInterruptDispatchSource)) return IOReturns.kIOReturnBadArgument;
      const last = host.getLastInterrupt();
      cxx.memory.setU64(count, BigInt(last.count));
      cxx.memory.setU64(time, BigInt(last.timeNs));
      return undefined;
    }),
  }),
};
