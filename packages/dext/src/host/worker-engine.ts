// Calls of a dext that wait, for engines without JSPI: each task that waits keeps a thread, over one shared memory.

import { messages } from "./code-channel.ts";
import { CodeThread } from "./code-thread.ts";
import type { DextImage } from "./dext-image.ts";
import {
  type Engine,
  type HostAnswer,
  type HostFunction,
  type HostFunctions,
  mustNotWait,
  stackBytes,
  TaskStacks,
  type WasmValue,
} from "./engine.ts";
import { giveMemoryBack, type MemoryKind, takeMemory } from "./memory-pool.ts";
import { type SharedModules, sharedModules } from "./shared-module.ts";
import { DextTrap } from "./trouble.ts";

/** Tasks that can wait at once. */
const threadsMost = 64;

interface Task {
  readonly id: number;
  readonly stack: number;
  readonly thread: CodeThread;
}

type Driven =
  | { readonly kind: "returned"; readonly value: WasmValue | undefined }
  | { readonly kind: "waits"; readonly answer: Promise<WasmValue | undefined> };

/** Threads of an engine that nobody has closed and nobody can reach. */
const forgotten = new FinalizationRegistry<readonly CodeThread[]>((threads) => {
  for (const thread of threads) thread.end();
});

const modulesOf = new WeakMap<DextImage, SharedModules>();

/**
 * The same turns as JspiEngine's, so the same order of everything. Only one thread runs at any time: the rig's waits while
 * code of the dext runs. What differs: a call costs two switches of threads, and at most 64 tasks wait at once.
 */
export class WorkerEngine implements Engine {
  readonly memory: WebAssembly.Memory;
  readonly #most: number;
  readonly #kind: MemoryKind;
  readonly #modules: SharedModules;
  readonly #functions: readonly (HostFunction | null)[];
  readonly #exports = new Map<string, number>();
  readonly #stacks = new TaskStacks(this);
  readonly #threads: CodeThread[] = [];
  /** Those that no task holds. */
  readonly #free: CodeThread[] = [];
  readonly #waiting = new Set<Task>();
  #mainTop = 0;
  #mainDepth = 0;
  #tasks = 0;
  #current: Task | null = null;
  #isClosed = false;

  /** `most`: tasks that can wait at once. WasmFormatError for a module whose memory threads cannot share. */
  constructor(image: DextImage, functions: HostFunctions, most = threadsMost) {
    this.#most = most;
    let modules = modulesOf.get(image);
    if (modules === undefined) {
      modules = sharedModules(image.bytes);
      modulesOf.set(image, modules);
    }
    this.#modules = modules;
    this.#kind = { ...modules.pages, shared: true };
    this.memory = takeMemory(this.#kind);
    this.#functions = image.imports.map(({ kind, module, name }) =>
      kind === "function" ? functions(module, name) : null,
    );
    for (const [number, { name }] of WebAssembly.Module.exports(modules.first).entries())
      this.#exports.set(name, number);
    forgotten.register(this, this.#threads, this);
  }

  get task(): number {
    return this.#current?.id ?? 0;
  }

  initialize(): void {
    this.#free.push(this.#addThread());
    this.#mainTop = this.#threads[0].channel.value() as number;
    if (this.#exports.has("_initialize")) this.callExport("_initialize", []);
  }

  callExport(name: string, values: readonly WasmValue[]): WasmValue | undefined {
    const number = this.#exports.get(name);
    if (number === undefined) throw new RangeError(`the dext's module does not export ${name}`);
    return this.#now(messages.callExport, number, values);
  }

  callNow(index: number, values: readonly WasmValue[]): WasmValue | undefined {
    return this.#now(messages.callTable, index, values);
  }

  #now(kind: number, number: number, values: readonly WasmValue[]): WasmValue | undefined {
    const isMain = this.#current === null;
    const thread = this.#current?.thread ?? this.#threads[0];
    // A first thread that a waiting task holds stands on that task's stack: the main one is free.
    const stack = isMain && this.#mainDepth === 0 ? this.#mainTop : 0;
    if (isMain) this.#mainDepth++;
    try {
      thread.call(kind, number, values, stack);
      const driven = this.#drive(thread, null);
      return driven.kind === "returned" ? driven.value : undefined;
    } finally {
      if (isMain) this.#mainDepth--;
    }
  }

  async run(index: number, values: readonly WasmValue[]): Promise<WasmValue | undefined> {
    const stack = this.#stacks.take();
    const thread = this.#takeThread();
    const task: Task = { id: ++this.#tasks, stack, thread };
    try {
      let driven = this.#turn(task, () => thread.call(messages.callTable, index, values, stack + stackBytes));
      while (driven.kind === "waits") {
        const { answer } = driven;
        this.#waiting.add(task);
        let goOn: () => void;
        try {
          const value = await answer;
          goOn = () => thread.answer(value);
        } catch (error) {
          goOn = () => thread.fail(error);
        }
        this.#waiting.delete(task);
        // It has been closed meanwhile: the code is gone, and nobody waits for it.
        if (this.#isClosed) return await new Promise<never>(() => {});
        driven = this.#turn(task, goOn);
      }
      return driven.value;
    } finally {
      if (!this.#isClosed) {
        this.#free.push(thread);
        this.#stacks.check(stack);
        this.#stacks.giveBack(stack);
      }
    }
  }

  captureStack(): string {
    const thread = this.#current?.thread ?? (this.#mainDepth > 0 ? this.#threads[0] : undefined);
    return thread === undefined ? "" : thread.stack();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    forgotten.unregister(this);
    // Code that waits is unwound; nothing of C++ catches.
    for (const { thread } of this.#waiting) {
      thread.fail(new Error("the process has ended"));
      thread.channel.wait();
    }
    this.#waiting.clear();
    for (const thread of this.#threads) thread.giveBack();
    this.#threads.length = 0;
    this.#free.length = 0;
    giveMemoryBack(this.#kind, this.memory);
  }

  /** The task has the way until it waits or ends. */
  #turn(task: Task, start: () => void): Driven {
    const outer = this.#current;
    this.#current = task;
    try {
      start();
      return this.#drive(task.thread, task);
    } finally {
      this.#current = outer;
    }
  }

  /** Serves the calls of a thread until its code returns, throws, or waits as a task may. */
  #drive(thread: CodeThread, task: Task | null): Driven {
    const { channel } = thread;
    for (;;) {
      channel.wait();
      const { kind } = channel;
      if (kind === messages.returned) return { kind: "returned", value: channel.value() };
      if (kind === messages.threw) throw thread.error();
      let answer: HostAnswer;
      try {
        const { blocks, call } = this.#functions[channel.number] as HostFunction;
        if (blocks) {
          if (task === null) throw new DextTrap(mustNotWait, []);
          this.#stacks.check(task.stack);
        }
        answer = call(...channel.values());
        if (blocks) return { kind: "waits", answer: Promise.resolve(answer) };
      } catch (error) {
        thread.fail(error);
        continue;
      }
      thread.answer(answer as WasmValue | undefined);
    }
  }

  #takeThread(): CodeThread {
    // What runs on the main stack is in a call of the host's: it stays the innermost of its thread.
    const at = this.#free.findLastIndex((each) => this.#mainDepth === 0 || each !== this.#threads[0]);
    return at < 0 ? this.#addThread() : this.#free.splice(at, 1)[0];
  }

  #addThread(): CodeThread {
    if (this.#threads.length >= this.#most)
      throw new DextTrap(
        `more than ${this.#most} calls wait at once, and without JSPI each of them needs a thread; Node 24.21 and later has JSPI`,
        [],
      );
    const thread = CodeThread.take();
    const { first, further } = this.#modules;
    const silent = [...this.#functions.entries()]
      .filter(([, found]) => found?.isSilent === true)
      .map(([number]) => number);
    const module = this.#threads.length === 0 ? first : further;
    thread.load({ module, memory: this.memory, silent });
    // Only what clears its memory runs while the first is loaded: no call of the host's comes of it.
    thread.channel.wait();
    if (thread.channel.kind === messages.threw) throw thread.error();
    this.#threads.push(thread);
    return thread;
  }
}
