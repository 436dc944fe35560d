// The scheduler: virtual time, seeded choice among runnable work, and promise continuations before time moves.

import type { Clock, Nanoseconds, TimerHandle } from "../base/clock.ts";
import { ContractViolation } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { type Recorder, TimelineKind, waitWords } from "../ports/recorder.ts";
import { entered, placeCaller, refused } from "./floating.ts";
import { ProcessKilled } from "./io-error.ts";
import type { Process } from "./process.ts";
import { nobody, Thread, type Wait } from "./thread.ts";

/**
 * Resolves when every promise continuation that is pending now, and all that follow from them, have run. Only the
 * host can know that (a turn of its event loop), so it is an argument like time and chance. `isWhole`: by the end of this
 * turn the host should have found out which errors nobody awaited (floating.ts), and its sockets and timers had theirs.
 * The scheduler asks for a whole turn at places that the seed decides, so that what is found is found there again.
 */
export type HostTurn = (isWhole?: boolean) => Promise<void>;

/** So many turns pass before the host is asked for a whole one. */
const turnsPerLook = 32;

/** One thread in a deadlock: who, waiting for what, held by whom. */
export interface WaitReport {
  readonly thread: string;
  readonly waitsFor: string;
  readonly heldBy: string | null;
}

export interface RunOutcome {
  /**
   * `idle`: nothing left to do. `time`: the limit was reached. `deadlock`: nothing left to do but somebody waits.
   * `stopped`: a panic or a broken contract stopped the machine. `done`: what was waited for has happened.
   */
  readonly reason: "idle" | "time" | "deadlock" | "stopped" | "done";
  readonly waits: readonly WaitReport[];
}

/** A blocked call. The framework completes it exactly once; the thread goes on when the scheduler picks it. */
export class Completion<T> {
  readonly thread: Thread;
  readonly #scheduler: Scheduler;
  readonly #resolve: (value: T) => void;
  readonly #reject: (error: unknown) => void;
  #done = false;
  #value: T | null = null;
  #error: unknown = null;

  constructor(
    scheduler: Scheduler,
    thread: Thread,
    resolve: (value: T) => void,
    reject: (error: unknown) => void,
  ) {
    this.#scheduler = scheduler;
    this.thread = thread;
    this.#resolve = resolve;
    this.#reject = reject;
  }

  get isDone(): boolean {
    return this.#done;
  }

  succeed(value: T): void {
    this.#finish(value, null);
  }

  fail(error: unknown): void {
    this.#finish(null, error);
  }

  /** Called by the scheduler when it has picked this thread. */
  resume(): void {
    if (!this.thread.process.isAlive) return;
    this.thread.wait = null;
    if (this.thread.waitRow > 0) this.#scheduler.endsWait(this.thread);
    this.#scheduler.enter(this.thread);
    if (this.#error !== null) {
      this.#scheduler.refuse(this.#error, this.thread);
      this.#reject(this.#error);
    } else this.#resolve(this.#value as T);
  }

  #finish(value: T | null, error: unknown): void {
    if (this.#done)
      throw new ContractViolation("completed-twice", `${this.thread.wait?.what ?? "a call"} ended twice`);
    this.#done = true;
    this.#value = value;
    this.#error = error;
    this.#scheduler.ready(resumeCompletion, this as Completion<unknown>);
  }
}

function resumeCompletion(completion: Completion<unknown>): void {
  completion.resume();
}

/**
 * Owns time and order. Work is either runnable now or due at an instant; all work of one instant is runnable
 * together, and the seed picks which goes first. Each pick is one step: the unit in which unplug campaigns count.
 */
export class Scheduler implements Clock {
  readonly #clock = new VirtualClock();
  readonly #random: Random;
  readonly #turn: HostTurn;
  readonly #runs: ((argument: unknown) => void)[] = [];
  readonly #arguments: unknown[] = [];
  readonly #causes: number[] = [];
  readonly #threads = new Set<Thread>();
  #steps = 0;
  #threadCount = 0;
  #continuations = false;
  /** Something was refused since the last whole turn. */
  #hasRefused = false;
  /** Turns since the last whole one. */
  #turns = 0;
  /** Errors that nobody awaited, until the next look. */
  readonly #floating: { readonly thread: Thread; readonly error: unknown }[] = [];
  /** Whose code the host was last told of; undefined: nobody knows. */
  #placed: Process | null | undefined;
  #running = false;
  #stopped = false;
  #current: Thread | null = null;
  /** Where queues and the kernel say what happened; null: nowhere. */
  recorder: Recorder | null = null;
  /** Called before each step with its number; may make work runnable or stop the machine. */
  onStep: ((step: number) => void) | null = null;
  /** Takes what kernel work threw: a broken contract found outside any thread. Unset: it is thrown at the runner. */
  onFault: ((error: unknown) => void) | null = null;
  /** Told when the world outside made work runnable while nobody was running the scheduler. */
  onWork: (() => void) | null = null;

  readonly #collect = (handle: TimerHandle): void => {
    this.ready(this.#runTaken, handle);
  };
  readonly #runTaken = (handle: TimerHandle): void => this.#clock.runTaken(handle);

  /** What freed memory holds when it is looked at again: chance of its own. */
  readonly reusedMemory: Random;

  constructor(random: Random, turn: HostTurn) {
    this.reusedMemory = random.fork("reused memory");
    this.#random = random;
    this.#turn = turn;
  }

  nowNs(): Nanoseconds {
    return this.#clock.nowNs();
  }

  /** See Clock. Work that was made runnable runs with the cause of that moment, as timers do. */
  get cause(): number {
    return this.#clock.cause;
  }

  set cause(sequence: number) {
    this.#clock.cause = sequence;
  }

  after<T>(delayNs: Nanoseconds, run: (argument: T) => void, argument: T): TimerHandle {
    const handle = this.#clock.after(delayNs, run, argument);
    if (!this.#running) this.onWork?.();
    return handle;
  }

  /** See Clock. */
  mayBeLate(handle: TimerHandle, byNs: Nanoseconds): void {
    this.#clock.mayBeLate(handle, byNs);
  }

  cancel(handle: TimerHandle): void {
    this.#clock.cancel(handle);
  }

  /** Steps taken so far. */
  get steps(): number {
    return this.#steps;
  }

  get isStopped(): boolean {
    return this.#stopped;
  }

  /** When the next work is due: now, an instant, or Infinity. For the real clock's runner. */
  nextTimeNs(): Nanoseconds {
    return this.#runs.length > 0 ? this.nowNs() : this.#clock.nextTimeNs();
  }

  /** Until when the real clock's runner may sleep: later than what is due next where that may be late. */
  wakeTimeNs(): Nanoseconds {
    return this.#runs.length > 0 ? this.nowNs() : this.#clock.wakeTimeNs();
  }

  /**
   * Time stands at `timeNs`, or at the next call that is due before it; nothing runs. For the real clock's runner, so
   * that what comes from outside is not dated back to the last event.
   */
  catchUp(timeNs: Nanoseconds): void {
    this.#clock.advanceTo(timeNs);
  }

  /** The thread whose code is running, null in kernel callbacks and outside. */
  get current(): Thread | null {
    return this.#current;
  }

  /** The running thread; a framework call made from nowhere is a mistake of the caller. */
  requireCurrent(call: string): Thread {
    const thread = this.#current;
    if (thread === null) {
      throw new ContractViolation(
        "no-thread",
        `${call} was called outside any thread of the machine; call it from a driver, or inside machine.perform()`,
      );
    }
    if (!thread.process.isAlive) throw new ProcessKilled(`${thread.process.name} is dead`);
    return thread;
  }

  /** Says whose code runs next. Promises resolved from here belong to this thread until the step ends. */
  enter(thread: Thread | null): void {
    this.#current = thread;
    this.#continuations = true;
    if (thread !== null) entered(thread);
  }

  /** Like `enter`, where code of the thread's process begins and does not go on after an await. */
  begin(thread: Thread): void {
    this.#place(thread);
    this.enter(thread);
  }

  #place(thread: Thread): void {
    const { process } = thread;
    process.latestThread = thread;
    const whose = process.kind === "kernel" ? null : process;
    if (whose === this.#placed) return;
    this.#placed = whose;
    placeCaller(whose);
  }

  /** floating.ts: nobody awaited `error` in code of `thread`. The process hears of it at the end of a whole turn. */
  float(thread: Thread, error: unknown): void {
    this.#floating.push({ thread, error });
    if (!this.#running) this.#lookAtFloating();
  }

  #lookAtFloating(): boolean {
    const found = this.#floating.splice(0);
    for (const { thread, error } of found) thread.process.onFloating(thread.process, thread, error);
    return found.length > 0;
  }

  /** Continuations run; true when the turn was a whole one and somebody had not awaited an error. */
  async #takeTurn(isLast = false): Promise<boolean> {
    const isWhole = isLast || this.#hasRefused || ++this.#turns >= turnsPerLook;
    if (isWhole) {
      this.#hasRefused = false;
      this.#turns = 0;
    }
    await this.#turn(isWhole);
    return isWhole && this.#lookAtFloating();
  }

  /** Driver code on `thread` (the running one, when left out) is about to see `error`, or to ignore it. */
  refuse(error: unknown, thread = this.#current): void {
    if (thread === null) return;
    this.#hasRefused = true;
    refused(error, thread);
  }

  /** Like `enter` for code that returns no promise: no host turn is needed after it. */
  enterCallback(thread: Thread): void {
    this.#current = thread;
    this.#place(thread);
  }

  /** A promise was handed to driver code: its continuations must run before the next step. */
  expectContinuations(): void {
    this.#continuations = true;
  }

  /** Makes work runnable now. Order among runnable work is the seed's. */
  ready<T>(run: (argument: T) => void, argument: T): void {
    if (this.#stopped) return;
    this.#runs.push(run as (argument: unknown) => void);
    this.#arguments.push(argument);
    this.#causes.push(this.#clock.cause);
    if (!this.#running) this.onWork?.();
  }

  newThread(process: Process, name: string): Thread {
    const thread = new Thread(++this.#threadCount, name, process);
    this.#threads.add(thread);
    return thread;
  }

  /** Threads that exist now, of every process. */
  get liveThreads(): number {
    return this.#threads.size;
  }

  forgetThread(thread: Thread): void {
    this.#threads.delete(thread);
  }

  /** A process has ended: nothing of it runs again. */
  forgetThreadsOf(process: Process): void {
    for (const thread of this.#threads) if (thread.process === process) this.#threads.delete(thread);
  }

  /**
   * Blocks the running thread. `begin` starts the operation and completes it later, never inside itself.
   * The promise belongs to the thread: awaiting it elsewhere would run code under the wrong name.
   */
  block<T>(
    what: string,
    begin: (completion: Completion<T>) => void,
    heldBy: () => Thread | null = nobody,
    external = false,
  ): Promise<T> {
    const thread = this.requireCurrent(what);
    this.#continuations = true;
    return new Promise<T>((resolve, reject) => {
      const completion = new Completion<T>(this, thread, resolve, reject);
      thread.wait = { what, heldBy, external };
      begin(completion);
    });
  }

  /** For the timeline: the blocked `thread` waits for what somebody holds, if somebody does. */
  beginsWait(thread: Thread): void {
    if (this.recorder === null) return;
    const holder = thread.wait?.heldBy() ?? null;
    if (holder === null) return;
    const by = holder === thread ? "itself" : holder.lane;
    const text = `${thread.lane}${waitWords.begin}${thread.wait?.what}, held by ${by}`;
    thread.waitRow = this.recorder.record(TimelineKind.wait, text);
  }

  /** The end of such a wait. */
  endsWait(thread: Thread): void {
    this.recorder?.record(TimelineKind.wait, `${thread.lane}${waitWords.end}`, thread.waitRow);
    thread.waitRow = 0;
  }

  /** Blocks the running thread for `delayNs`. */
  sleep(delayNs: Nanoseconds): Promise<void> {
    return this.block<void>("sleep", (completion) => {
      this.after(delayNs, succeedVoid, completion);
    });
  }

  /** No more work runs: a panic, or a broken contract. What was runnable is forgotten. */
  stop(): void {
    this.#stopped = true;
    this.#runs.length = 0;
    this.#arguments.length = 0;
    this.#causes.length = 0;
  }

  /**
   * Runs until nothing is left to do, until `limitNs` (inclusive; time then stands there), or until `isDone`, which is
   * asked after each step: a device with a heartbeat never leaves nothing to do.
   */
  async run(
    limitNs: Nanoseconds = Number.POSITIVE_INFINITY,
    isDone: (() => boolean) | null = null,
  ): Promise<RunOutcome> {
    if (this.#running) throw new ContractViolation("run-inside-run", "the scheduler is already running");
    this.#running = true;
    try {
      // Whoever calls has a place of its own in the host's memory.
      this.#placed = undefined;
      await this.#takeTurn();
      this.#continuations = false;
      this.#current = null;
      this.#clock.cause = 0;
      do while (await this.#runSteps(limitNs, Number.POSITIVE_INFINITY, isDone));
      while (this.#turns > 0 && (await this.#takeTurn(true)));
      if (this.#stopped) return { reason: "stopped", waits: [] };
      if (isDone?.()) return { reason: "done", waits: [] };
      if (limitNs !== Number.POSITIVE_INFINITY) this.#clock.advanceTo(limitNs);
      if (this.#clock.pending > 0) return { reason: "time", waits: [] };
      const waits = this.waits();
      return { reason: waits.length > 0 ? "deadlock" : "idle", waits };
    } finally {
      this.#running = false;
    }
  }

  /**
   * Takes the steps that are due by `limitNs` at once, as long as they are callbacks: what a live machine does with input
   * while it waits, without a turn of the host. False: driver code holds a promise now, or `most` steps were taken and there may
   * be more; a run has to go on from there.
   */
  runCallbacks(limitNs: Nanoseconds, most: number = Number.POSITIVE_INFINITY): boolean {
    if (this.#running) throw new ContractViolation("run-inside-run", "the scheduler is already running");
    this.#running = true;
    this.#placed = undefined;
    let taken = 0;
    try {
      while (!this.#stopped && this.#takeStep(limitNs)) {
        // The thread stays current until its continuations have run: the next run begins with their turn.
        if (this.#continuations) return false;
        this.#current = null;
        this.#clock.cause = 0;
        if (++taken === most) return false;
      }
      return true;
    } finally {
      // The caller's own code goes on from here.
      if (this.#placed !== undefined && this.#placed !== null) placeCaller(null);
      this.#running = false;
    }
  }

  /** Takes one step. False when there was none to take. */
  async step(): Promise<boolean> {
    if (this.#running) throw new ContractViolation("run-inside-run", "the scheduler is already running");
    this.#running = true;
    try {
      // From here on nothing runs in the caller's own turn: what is placed stays here.
      await undefined;
      this.#placed = undefined;
      return await this.#runSteps(Number.POSITIVE_INFINITY, 1, null);
    } finally {
      this.#running = false;
    }
  }

  /** Threads that cannot go on by themselves, for a deadlock's name. */
  waits(): WaitReport[] {
    const reports: WaitReport[] = [];
    for (const thread of this.#threads) {
      const wait: Wait | null = thread.wait;
      if (wait === null || wait.external || !thread.process.isAlive) continue;
      reports.push({
        thread: thread.toString(),
        waitsFor: wait.what,
        heldBy: wait.heldBy()?.toString() ?? null,
      });
    }
    return reports;
  }

  /** Up to `most` steps; true when it took any. Awaits only where driver code holds a promise. */
  async #runSteps(limitNs: Nanoseconds, most: number, isDone: (() => boolean) | null): Promise<boolean> {
    let taken = 0;
    while (taken < most && !this.#stopped) {
      if (isDone?.()) return false;
      if (!this.#takeStep(limitNs)) break;
      taken++;
      if (this.#continuations) {
        this.#continuations = false;
        await this.#takeTurn();
        this.#continuations = false;
      }
      this.#current = null;
      this.#clock.cause = 0;
    }
    return taken > 0;
  }

  /** The short way to the one call that is due: nothing is to be chosen. */
  #stepAlone(limitNs: Nanoseconds): void {
    this.#steps++;
    try {
      this.#clock.step(limitNs);
    } catch (error) {
      if (this.onFault === null) throw error;
      this.onFault(error);
    }
  }

  /** Picks and runs one piece of work; false when none is due. The caller sees to continuations. */
  #takeStep(limitNs: Nanoseconds): boolean {
    const runs = this.#runs;
    const values = this.#arguments;
    let count = runs.length;
    if (count === 0) {
      if (this.onStep === null && this.#clock.isNextAlone(limitNs)) {
        this.#stepAlone(limitNs);
        return true;
      }
      this.#clock.takeNextInstant(limitNs, this.#collect);
      count = runs.length;
      if (count === 0) return false;
    }
    this.#steps++;
    if (this.onStep !== null) {
      this.onStep(this.#steps);
      count = runs.length;
      if (count === 0) return true;
    }
    const last = count - 1;
    let run = runs.pop() as (argument: unknown) => void;
    let argument = values.pop();
    const causes = this.#causes;
    let cause = causes.pop() as number;
    if (last > 0) {
      const index = this.#random.below(count);
      if (index !== last) {
        const chosen = runs[index];
        const chosenArgument = values[index];
        const chosenCause = causes[index];
        runs[index] = run;
        values[index] = argument;
        causes[index] = cause;
        run = chosen;
        argument = chosenArgument;
        cause = chosenCause;
      }
    }
    this.#clock.cause = cause;
    try {
      run(argument);
    } catch (error) {
      if (this.onFault === null) throw error;
      this.onFault(error);
    }
    return true;
  }
}

function succeedVoid(completion: Completion<void>): void {
  completion.succeed(undefined);
}
