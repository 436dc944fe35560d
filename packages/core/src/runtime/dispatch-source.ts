// Dispatch sources: timers and interrupts that run an action on a queue.

import type { Nanoseconds, TimerHandle } from "../base/clock.ts";
import { ContractViolation } from "../base/errors.ts";
import { type IOReturn, IOReturns } from "../base/io-return.ts";
import type { OSAction } from "./action.ts";
import type { IODispatchQueue } from "./dispatch-queue.ts";
import type { Scheduler } from "./scheduler.ts";
import type { Thread } from "./thread.ts";

/** Clocks of wakeAtTime that count nanoseconds; the mach ones count ticks, which here are nanoseconds too. */
export const kIOTimerClockUptimeRaw = 0x88;
export const kIOTimerClockMonotonicRaw = 0x84;
export const kIOTimerClockMachAbsoluteTime = 0xc8;
export const kIOTimerClockMachContinuousTime = 0xc4;

/** Interrupt types, bits (posts.md T8). */
export const kIOInterruptTypeEdge = 0x0;
export const kIOInterruptTypeLevel = 0x1;
export const kIOInterruptTypePCIMessaged = 0x00010000;
export const kIOInterruptTypePCIMessagedX = 0x00020000;

/** What sources share: enable, cancel, and their order. */
export abstract class DispatchSource {
  readonly queue: IODispatchQueue;
  protected action: OSAction | null = null;
  protected enabled = false;
  #cancelled = false;

  constructor(queue: IODispatchQueue) {
    this.queue = queue;
    queue.retain();
    queue.countSource(1);
  }

  get isCancelled(): boolean {
    return this.#cancelled;
  }

  /** The action whose target is told. kIOReturnUnsupported after cancel. */
  setHandler(action: OSAction): IOReturn {
    if (this.#cancelled) return IOReturns.kIOReturnUnsupported;
    this.action = action;
    return IOReturns.kIOReturnSuccess;
  }

  /** Sources start disabled. To the state it is already in: success, no effect, handler not called. */
  setEnable(enable: boolean, completed: (() => void) | null = null): IOReturn {
    if (this.#cancelled) return IOReturns.kIOReturnUnsupported;
    if (this.enabled === enable) return IOReturns.kIOReturnSuccess;
    this.enabled = enable;
    this.enableChanged(enable);
    if (completed !== null) this.queue.dispatchAsync(completed);
    return IOReturns.kIOReturnSuccess;
  }

  /** Nothing is delivered after `handler` has run on the queue; only then release. Twice is a violation. */
  cancel(handler: () => void): void {
    if (this.#cancelled) throw new ContractViolation("source-cancelled-twice", `source on ${this.queue}`);
    this.#cancelled = true;
    this.enabled = false;
    this.cancelled();
    this.queue.dispatchAsync(() => {
      this.queue.countSource(-1);
      this.queue.release();
      handler();
    });
  }

  protected abstract enableChanged(enable: boolean): void;
  protected abstract cancelled(): void;
}

/**
 * IOTimerDispatchSource: one shot; a second wakeAtTime replaces the pending one (driverkit-core.md §8.3). The
 * handler's numbers are the time of the firing and two zeros.
 */
export class IOTimerDispatchSource extends DispatchSource {
  #timer: TimerHandle = 0;
  #deadlineNs: Nanoseconds | null = null;

  /** Never fails. */
  static create(queue: IODispatchQueue): IOTimerDispatchSource {
    return new IOTimerDispatchSource(queue);
  }

  /** `deadlineNs` is absolute. kIOReturnBadArgument for an unknown clock, kIOReturnUnsupported after cancel. */
  wakeAtTime(clock: number, deadlineNs: Nanoseconds, _leewayNs = 0): IOReturn {
    if (this.isCancelled) return IOReturns.kIOReturnUnsupported;
    const known =
      clock === kIOTimerClockUptimeRaw ||
      clock === kIOTimerClockMonotonicRaw ||
      clock === kIOTimerClockMachAbsoluteTime ||
      clock === kIOTimerClockMachContinuousTime;
    if (!known || !(deadlineNs >= 0)) return IOReturns.kIOReturnBadArgument;
    this.#deadlineNs = deadlineNs;
    this.#arm();
    return IOReturns.kIOReturnSuccess;
  }

  protected override enableChanged(enable: boolean): void {
    if (enable) this.#arm();
    else this.#disarm();
  }

  protected override cancelled(): void {
    this.#disarm();
    this.#deadlineNs = null;
  }

  #arm(): void {
    this.#disarm();
    if (!this.enabled || this.#deadlineNs === null) return;
    const { scheduler } = this.queue.process;
    this.#timer = scheduler.after(Math.max(0, this.#deadlineNs - scheduler.nowNs()), fireTimer, this);
  }

  #disarm(): void {
    this.queue.process.scheduler.cancel(this.#timer);
    this.#timer = 0;
  }

  /** Called when the deadline is reached. */
  fire(): void {
    this.#timer = 0;
    this.#deadlineNs = null;
    if (this.enabled && this.queue.process.isAlive) {
      this.action?.invoke(this.queue.process.scheduler.nowNs(), 0, 0);
    }
  }
}

function fireTimer(source: IOTimerDispatchSource): void {
  source.fire();
}

/** What an interrupt source needs of its provider: the nub of a bus that has interrupt lines or messages. */
export interface InterruptProvider {
  /** Type bits of the specifier at `index`, null when there is none (GetInterruptType fails). */
  interruptType(index: number): number | null;
  /** kIOReturnNoResources when the index is registered already. `handler` is called at interrupt time. */
  registerInterrupt(index: number, handler: (timeNs: Nanoseconds) => void): IOReturn;
  unregisterInterrupt(index: number): void;
}

/**
 * IOInterruptDispatchSource: one interrupt index, one waiting thread, a pending counter that folds a storm into one
 * callback with count > 1 (posts.md T8). Delivery is asynchronous when the queue is busy at that moment, else the
 * source's own thread enters the queue by dispatchSync. The handler's numbers are count, time and 0.
 */
export class IOInterruptDispatchSource extends DispatchSource {
  readonly index: number;
  /** How often each form of delivery was taken, for benches (posts.md P11 AC5). */
  syncDeliveries = 0;
  asyncDeliveries = 0;
  readonly #provider: InterruptProvider;
  #thread: Thread | null = null;
  #pending = 0;
  #lastTimeNs: Nanoseconds = 0;

  private constructor(provider: InterruptProvider, index: number, queue: IODispatchQueue) {
    super(queue);
    this.#provider = provider;
    this.index = index;
  }

  /** A status instead of a source: kIOReturnNoResources (registered twice), kIOReturnBadArgument (no such index). */
  static create(
    provider: InterruptProvider,
    index: number,
    queue: IODispatchQueue,
  ): { status: IOReturn; source: IOInterruptDispatchSource | null } {
    if (provider.interruptType(index) === null)
      return { status: IOReturns.kIOReturnBadArgument, source: null };
    const source = new IOInterruptDispatchSource(provider, index, queue);
    const status = provider.registerInterrupt(index, source.#interrupt);
    if (status !== IOReturns.kIOReturnSuccess) return { status, source: null };
    return { status, source };
  }

  /** Interrupts counted and not yet delivered, and the time of the last one. */
  getLastInterrupt(): { count: number; timeNs: Nanoseconds } {
    return { count: this.#pending, timeNs: this.#lastTimeNs };
  }

  readonly #interrupt = (timeNs: Nanoseconds): void => {
    if (!this.enabled || this.isCancelled) return;
    this.#lastTimeNs = timeNs;
    this.#pending++;
    if (this.#pending === 1)
      this.queue.process.scheduler.ready(deliverInterrupts, this as IOInterruptDispatchSource);
  };

  /** Called on the source's thread after a wake-up that found the counter at zero. */
  deliver(): void {
    const { process } = this.queue;
    if (!process.isAlive || this.isCancelled) return;
    if (this.queue.owner !== null) {
      this.asyncDeliveries++;
      this.queue.dispatchAsync(this.#run);
      return;
    }
    this.#thread ??= process.scheduler.newThread(process, `interrupt ${this.index}`);
    const thread = this.#thread;
    thread.beginStack("DriverKit IOInterruptDispatchSourceThread");
    this.syncDeliveries++;
    // The usual case: nobody is on the queue, nothing waits; the thread enters it without a promise.
    if (this.queue.runAtOnce(thread, this.#run)) return;
    process.scheduler.begin(thread);
    this.queue.dispatchSync(this.#run).catch((error: unknown) => process.onFault(process, thread, error));
  }

  readonly #run = (): void | Promise<void> => {
    if (!this.enabled || this.isCancelled || this.action === null) return;
    const count = this.#pending;
    this.#pending = 0;
    if (count === 0) return;
    // The handler's frame, for whoever looks at this thread while it runs: crash reports, registers read.
    const stack = this.queue.process.scheduler.current?.stack;
    stack?.push(this.action.symbol);
    const result = this.action.runInline(count, this.#lastTimeNs, 0);
    if (!(result instanceof Promise)) stack?.pop();
    else return result.then(() => void stack?.pop());
  };

  protected override enableChanged(_enable: boolean): void {}

  protected override cancelled(): void {
    this.#provider.unregisterInterrupt(this.index);
  }
}

function deliverInterrupts(source: IOInterruptDispatchSource): void {
  source.deliver();
}

/** Cancels one after the other and waits for the handler of each: a driver's way out. Blocks the calling thread. */
export async function cancelAndWait(
  scheduler: Pick<Scheduler, "block">,
  sources: Iterable<{ cancel(handler: () => void): void } | null>,
): Promise<void> {
  for (const source of sources) {
    if (source === null) continue;
    await scheduler.block<void>("a cancel handler", (done) => source.cancel(() => done.succeed(undefined)));
  }
}
