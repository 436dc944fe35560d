// IODispatchQueue: serial queues with DriverKit's two ledgers, the chain and libdispatch's owner word.

import { ContractViolation } from "../base/errors.ts";
import { type IOReturn, IOReturns } from "../base/io-return.ts";
import { hex } from "../base/text.ts";
import { TimelineKind } from "../ports/recorder.ts";
import { ProcessKilled } from "./io-error.ts";
import type { Process } from "./process.ts";
import type { Completion } from "./scheduler.ts";
import type { Thread } from "./thread.ts";

/** Create options (driverkit-core.md §7.1). */
export const kIODispatchQueueReentrant = 0x1;
/** Accepted and remembered; its effect is documented nowhere, so nothing changes (fidelity: unknown). */
export const kIODispatchQueueMethodsNotSynchronized = 0x2;
/** WakeupWithOptions. */
export const kIODispatchQueueWakeupAll = 0x1;

/** At most this many distinct events may be slept on (posts.md T8). */
const sleepingEventsMaximum = 64;

/** What libdispatch prints when its owner word names the thread that wants in (posts.md T8). */
export const dispatchSyncTrapText =
  "BUG IN CLIENT OF LIBDISPATCH: dispatch_sync called on queue already owned by current thread";

/** The libdispatch trap: kills the process. `ownerWord` is what a crash report shows as "Abort Cause". */
export class DispatchTrap extends Error {
  override readonly name = "DispatchTrap";
  readonly ownerWord: number;
  readonly queueName: string;

  constructor(queueName: string, ownerWord: number) {
    super(dispatchSyncTrapText);
    this.queueName = queueName;
    this.ownerWord = ownerWord;
  }
}

type Block = () => void | Promise<void>;

/** One piece of queued work. `grant` items lend the queue to a blocked thread; the others run on the queue's own. */
type Item =
  | { readonly kind: "block"; readonly block: Block; readonly cause: number }
  | CallItem
  | { readonly kind: "grant"; readonly completion: Completion<void>; readonly cause: number };

/** Used again: data paths make one for each request. */
interface CallItem {
  readonly kind: "call";
  call: QueuedCall;
  a: number;
  b: number;
  c: number;
  cause: number;
}

/** A prepared callback with up to three numbers: how completions reach a driver without a closure each. */
export interface QueuedCall {
  /** Symbol for crash reports. */
  readonly symbol: string;
  /** A returned promise holds the queue until it settles. */
  run(a: number, b: number, c: number): void | Promise<void>;
}

const drainFrame = "libdispatch.dylib _dispatch_lane_serial_drain";

/** How often the word in a freed block that was given to somebody else names the thread that looks at it. */
const reusedWordChance = 1 / 4096;

/** What differs between systems and teaching modes. */
export interface DispatchRules {
  /** False: raw libdispatch, the chain is not consulted, so nesting traps (posts.md P11 AC1). */
  readonly chain: boolean;
  /** Stop at the first disagreement of the two ledgers (posts.md F04) rather than at the trap hours later. */
  readonly stopOnDisagreement: boolean;
}

export const dispatchRules: DispatchRules = { chain: true, stopOnDisagreement: true };

/**
 * A serial first-in-first-out queue of one process. Driver code calls it; `process` stands for the task that C++
 * code has implicitly. Everything here is called on a thread of that process, except the kernel's `enqueue*`.
 *
 * Fidelity: chain, owner word, reentrant queues, sleep and wakeup are established for the runtime generation of
 * macOS 15.0 to 15.3 and likely for others (posts.md T8).
 */
export class IODispatchQueue {
  readonly process: Process;
  readonly name: string;
  readonly options: number;
  readonly rules: DispatchRules;
  /** From `#head` to `#end` waits; places before are empty. An array that shrank would be made anew for each item. */
  readonly #items: (Item | null)[] = [];
  readonly #spare: CallItem[] = [];
  #hop = "";
  #hopCall = "";
  #head = 0;
  #end = 0;
  /** The queue's own thread, made when the first asynchronous work runs. */
  #worker: Thread | null = null;
  /** libdispatch's ledger: the owner's thread port, 0 when free. */
  #ownerWord = 0;
  #owner: Thread | null = null;
  #drainScheduled = false;
  #cancelHandler: (() => void) | null = null;
  #cancelled = false;
  #retainCount = 1;
  #freed = false;
  /** Sources that are not cancelled: they will come back to this queue. */
  #sources = 0;
  readonly #sleepers = new Map<object, Completion<IOReturn>[]>();

  private constructor(process: Process, name: string, options: number, rules: DispatchRules) {
    this.process = process;
    this.name = name;
    this.options = options;
    this.rules = rules;
  }

  /** Never fails. `options`: 0 or kIODispatchQueue*; `priority` is accepted and ignored, as the header says. */
  static create(
    process: Process,
    name: string,
    options = 0,
    _priority = 0,
    rules = dispatchRules,
  ): IODispatchQueue {
    return new IODispatchQueue(process, name, options, rules);
  }

  get isReentrant(): boolean {
    return (this.options & kIODispatchQueueReentrant) !== 0;
  }

  /** The raw state word, for reports. */
  get ownerWord(): number {
    return this.#ownerWord;
  }

  /** The thread that holds the queue now. */
  get owner(): Thread | null {
    return this.#owner;
  }

  /** True when the calling context runs on this queue, directly or through nested queues. Answered by the chain. */
  onQueue(): boolean {
    return this.#current()?.chain.includes(this) ?? false;
  }

  retain(): void {
    this.#retainCount++;
  }

  /** A source that delivers here is made, or its cancel handler has run. */
  countSource(change: 1 | -1): void {
    this.#sources += change;
  }

  /**
   * Gives up one reference. The last one frees the queue: its memory is reused, so its state word is whatever lies
   * there; here it is a word drawn from what a reused block would hold, the current thread's port among it.
   */
  release(): void {
    if (this.#retainCount === 0) {
      throw new ContractViolation(
        "queue-over-release",
        `queue ${this.name} was released more often than retained`,
      );
    }
    this.#retainCount--;
    if (this.#retainCount > 0) return;
    // The first moment at which the two ledgers disagree (posts.md F04): hours before the trap.
    if (this.#sources > 0 && this.rules.stopOnDisagreement) {
      throw new ContractViolation(
        "queue-freed-under-source",
        `queue ${this.name} was released for the last time with ${this.#sources} source(s) that still deliver to it`,
      );
    }
    this.#freed = true;
  }

  /** Its service has left the registry: its thread, which is idle, is not kept for it. */
  retire(): void {
    if (this.#worker !== null && this.#owner !== this.#worker)
      this.process.scheduler.forgetThread(this.#worker);
  }

  /** Runs `block` on the queue later. Never blocks. After `cancel` it is dropped. */
  dispatchAsync(block: Block): void {
    this.#assertUsable("dispatchAsync");
    this.#push({ kind: "block", block, cause: this.process.scheduler.cause });
  }

  /** The kernel's way in: a prepared callback with numbers. Dropped when the queue is cancelled or the process dead. */
  enqueueCall(call: QueuedCall, a: number, b: number, c: number): void {
    if (this.#freed || this.#cancelled || !this.process.isAlive) return;
    const { cause } = this.process.scheduler;
    const item = this.#spare.pop();
    if (item === undefined) {
      this.#push({ kind: "call", call, a, b, c, cause });
      return;
    }
    item.call = call;
    item.a = a;
    item.b = b;
    item.c = c;
    item.cause = cause;
    this.#push(item);
  }

  /**
   * Runs `work` on the queue and resolves with its result; the caller waits.
   *
   * Already on the queue (by the chain): runs inline, nothing traps. On a reentrant queue: a recursive lock.
   * Otherwise libdispatch's sync: waits its turn; when the owner word names the calling thread although the chain
   * does not, the process is killed with the libdispatch trap (rule `queue-ledgers-disagree` stops it earlier when
   * `stopOnDisagreement`).
   */
  async dispatchSync<T>(work: () => T | Promise<T>): Promise<T> {
    const thread = this.process.scheduler.requireCurrent("IODispatchQueue.dispatchSync");
    if (this.rules.chain && thread.chain.includes(this)) return await work();
    if (this.#freed) {
      this.#useAfterFree(thread);
      return await work();
    }
    if (this.isReentrant && this.#owner === thread) {
      return await work();
    }
    if (this.#ownerWord !== 0 && this.#ownerWord === (thread.port & 0xfffffffc)) {
      if (this.rules.stopOnDisagreement && this.rules.chain) {
        throw new ContractViolation(
          "queue-ledgers-disagree",
          `queue ${this.name}: the chain says ${thread} is not on it, the owner word 0x${hex(this.#ownerWord)} says it is`,
        );
      }
      throw new DispatchTrap(this.name, this.#ownerWord);
    }
    thread.stack.push("DriverKit IODispatchQueue::DispatchSync_f");
    await this.#acquire(thread);
    try {
      return await work();
    } finally {
      thread.stack.pop();
      if (this.process.isAlive) this.#relinquish(thread);
    }
  }

  /**
   * `dispatchSync` of a kernel-made thread onto a queue that nobody is on and that nothing waits for, without a promise.
   * False: nothing was done, the long way is needed (a busy, freed or cancelled queue, or rules that differ).
   */
  runAtOnce(thread: Thread, work: () => void | Promise<void>): boolean {
    const { scheduler } = this.process;
    if (this.#freed && !this.rules.stopOnDisagreement) {
      // The same draw as dispatchSync's: with these frames the process dies.
      scheduler.enterCallback(thread);
      if (this.#isSprung()) {
        this.process.onFault(this.process, thread, new DispatchTrap(this.name, thread.port & 0xfffffffc));
        return true;
      }
      const result = work();
      if (result instanceof Promise) scheduler.expectContinuations();
      return true;
    }
    const isFree = this.#owner === null && this.#head === this.#end && !this.#drainScheduled;
    if (!isFree || this.#freed || this.#cancelled || thread.chain.length > 0 || this.#ownerWord !== 0)
      return false;
    this.#own(thread);
    thread.stack.push("DriverKit IODispatchQueue::DispatchSync_f");
    scheduler.enterCallback(thread);
    const leave = (): void => {
      thread.stack.pop();
      if (this.process.isAlive && this.#owner === thread) this.#relinquish(thread);
    };
    const fault = (error: unknown): void => {
      this.process.onFault(this.process, thread, error);
      leave();
    };
    try {
      const result = work();
      if (result instanceof Promise) {
        scheduler.expectContinuations();
        result.then(leave, fault);
      } else leave();
    } catch (error) {
      fault(error);
    }
    return true;
  }

  /** `dispatchSync` that hands on a status. */
  runAction(action: () => IOReturn | Promise<IOReturn>): Promise<IOReturn> {
    return this.dispatchSync(action);
  }

  /**
   * Gives the queue up until `wakeup(event)` or until `timeoutNs` has passed (0: for ever), then takes it again.
   * kIOReturnSuccess; kIOReturnTimeout; kIOReturnNotReady on a queue without kIODispatchQueueReentrant, or when the
   * caller is not on the queue; kIOReturnNoSpace when 64 events are slept on.
   */
  async sleep(event: object, timeoutNs = 0): Promise<IOReturn> {
    const thread = this.process.scheduler.requireCurrent("IODispatchQueue.sleep");
    if (!this.isReentrant || !thread.chain.includes(this)) return IOReturns.kIOReturnNotReady;
    if (!this.#sleepers.has(event) && this.#sleepers.size >= sleepingEventsMaximum) {
      return IOReturns.kIOReturnNoSpace;
    }
    this.#relinquish(thread);
    const { scheduler } = this.process;
    const result = await scheduler.block<IOReturn>(`wakeup on queue ${this.name}`, (completion) => {
      const waiting = this.#sleepers.get(event) ?? [];
      waiting.push(completion);
      this.#sleepers.set(event, waiting);
      if (timeoutNs > 0) {
        scheduler.after(
          timeoutNs,
          () => {
            if (completion.isDone) return;
            this.#forgetSleeper(event, completion);
            completion.succeed(IOReturns.kIOReturnTimeout);
          },
          undefined,
        );
      }
    });
    await this.#acquire(thread);
    return result;
  }

  /** Synonym of `sleep`, with an absolute deadline in nanoseconds of uptime. */
  sleepWithDeadline(event: object, deadlineNs: number): Promise<IOReturn> {
    return this.sleep(event, Math.max(1, deadlineNs - this.process.scheduler.nowNs()));
  }

  /**
   * Wakes one sleeper on `event`, or all with kIODispatchQueueWakeupAll. kIOReturnNotReady on a queue without the
   * reentrant option; kIOReturnNotFound when nobody sleeps on the event.
   */
  wakeup(event: object, options = 0): IOReturn {
    if (!this.isReentrant) return IOReturns.kIOReturnNotReady;
    const waiting = this.#sleepers.get(event);
    if (waiting === undefined) return IOReturns.kIOReturnNotFound;
    const count = (options & kIODispatchQueueWakeupAll) !== 0 ? waiting.length : 1;
    for (let index = 0; index < count; index++) (waiting.shift() as Completion<IOReturn>).succeed(0);
    if (waiting.length === 0) this.#sleepers.delete(event);
    return IOReturns.kIOReturnSuccess;
  }

  /** No new work is taken; `handler` runs once nothing executes or will execute. A second call is a violation. */
  cancel(handler: () => void): void {
    if (this.#cancelled) throw new ContractViolation("queue-cancelled-twice", `queue ${this.name}`);
    this.#cancelled = true;
    this.#cancelHandler = handler;
    this.#schedule();
  }

  toString(): string {
    return `queue ${this.name} of ${this.process.name}`;
  }

  #current(): Thread | null {
    return this.process.scheduler.current;
  }

  #push(item: Item): void {
    if (this.#cancelled && item.kind !== "grant") return;
    this.#items[this.#end++] = item;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#drainScheduled || this.#owner !== null) return;
    this.#drainScheduled = true;
    this.process.scheduler.ready(drainQueue, this as IODispatchQueue);
  }

  /** One item per scheduler step, so that the seed chooses between queues at each. Called by the scheduler. */
  drain(): void {
    this.#drainScheduled = false;
    if (this.#owner !== null || !this.process.isAlive) return;
    if (this.#head === this.#end) {
      this.#finishCancel();
      return;
    }
    const item = this.#items[this.#head] as Item;
    this.#items[this.#head++] = null;
    if (this.#head === this.#end) {
      this.#head = 0;
      this.#end = 0;
    } else if (this.#head > 1024 && this.#head * 2 > this.#end) {
      this.#items.splice(0, this.#head);
      this.#end -= this.#head;
      this.#head = 0;
    }
    const { scheduler } = this.process;
    scheduler.cause = item.cause;
    if (item.kind === "grant") {
      this.#own(item.completion.thread);
      item.completion.succeed(undefined);
      return;
    }
    this.#worker ??= this.process.scheduler.newThread(this.process, `queue ${this.name}`);
    const thread = this.#worker;
    this.#own(thread);
    scheduler.enterCallback(thread);
    const { recorder } = scheduler;
    if (recorder !== null) {
      const what = item.kind === "call" ? item.call.symbol : "DispatchAsync";
      scheduler.cause = recorder.record(TimelineKind.hop, this.#hopText(what), this.process.pid);
    }
    try {
      let result: void | Promise<void>;
      if (item.kind === "call") {
        thread.beginStack(drainFrame, item.call.symbol);
        const { call, a, b, c } = item;
        this.#spare.push(item);
        result = call.run(a, b, c);
      } else {
        thread.beginStack(drainFrame, "DriverKit IODispatchQueue::DispatchAsync");
        result = item.block();
      }
      if (result instanceof Promise) {
        scheduler.expectContinuations();
        result.then(this.#settled, this.#faulted);
      } else this.#relinquish(thread);
    } catch (error) {
      this.#faulted(error);
    }
  }

  /** "queue io of Ftdi[412]: FtdiDriver::Received_Impl"; kept while the same call comes again. */
  #hopText(what: string): string {
    if (what !== this.#hopCall) {
      this.#hopCall = what;
      this.#hop = `queue ${this.name} of ${this.process.name}[${this.process.pid}]: ${what}`;
    }
    return this.#hop;
  }

  readonly #settled = (): void => {
    const thread = this.#worker as Thread;
    if (this.process.isAlive) this.#relinquish(thread);
  };

  readonly #faulted = (error: unknown): void => {
    const thread = this.#worker as Thread;
    this.process.onFault(this.process, thread, error);
    if (this.process.isAlive && this.#owner === thread) this.#relinquish(thread);
  };

  #own(thread: Thread): void {
    this.#owner = thread;
    this.#ownerWord = thread.port & 0xfffffffc;
    thread.chain.push(this);
  }

  #relinquish(thread: Thread): void {
    const { chain } = thread;
    if (chain[chain.length - 1] === this) chain.pop();
    else {
      const at = chain.lastIndexOf(this);
      if (at >= 0) chain.splice(at, 1);
    }
    this.#owner = null;
    this.#ownerWord = 0;
    if (this.#head < this.#end || this.#cancelHandler !== null) this.#schedule();
  }

  /** Waits for the queue's turn and takes it for `thread`. */
  #acquire(thread: Thread): Promise<void> {
    if (!thread.process.isAlive) throw new ProcessKilled(thread.process.name);
    return this.process.scheduler.block<void>(
      this.toString(),
      (completion) => {
        const { scheduler } = this.process;
        this.#push({ kind: "grant", completion, cause: scheduler.cause });
        scheduler.beginsWait(thread);
      },
      () => this.#owner,
    );
  }

  #forgetSleeper(event: object, completion: Completion<IOReturn>): void {
    const waiting = this.#sleepers.get(event);
    if (waiting === undefined) return;
    const at = waiting.indexOf(completion);
    if (at >= 0) waiting.splice(at, 1);
    if (waiting.length === 0) this.#sleepers.delete(event);
  }

  #finishCancel(): void {
    const handler = this.#cancelHandler;
    if (handler === null) return;
    this.#cancelHandler = null;
    handler();
  }

  #assertUsable(call: string): void {
    if (this.#freed)
      throw new ContractViolation("queue-use-after-release", `${call} on released queue ${this.name}`);
  }

  /**
   * A freed queue's memory has been reused. Mostly the word that now lies where the state was means nothing to libdispatch,
   * and the work runs; now and then it reads as "owned by you", and that is the trap.
   */
  #isSprung(): boolean {
    return this.process.scheduler.reusedMemory.chance(reusedWordChance);
  }

  #useAfterFree(thread: Thread): void {
    if (this.rules.stopOnDisagreement) {
      throw new ContractViolation(
        "queue-use-after-release",
        `dispatchSync on released queue ${this.name}: its state word is whatever now lies there`,
      );
    }
    if (this.#isSprung()) throw new DispatchTrap(this.name, thread.port & 0xfffffffc);
  }
}

function drainQueue(queue: IODispatchQueue): void {
  queue.drain();
}
