// Calls of a dext that the engine itself suspends (JSPI): everything in the thread of the rig.

import { captureStack } from "./capture-stack.ts";
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
import { giveMemoryBack, type MemoryKind, pagesOf, takeMemory } from "./memory-pool.ts";
import { DextTrap } from "./trouble.ts";

interface Suspending {
  new (call: (...values: WasmValue[]) => unknown): WebAssembly.ImportValue;
}
interface JspiNamespace {
  readonly Suspending?: Suspending;
  readonly promising?: (call: unknown) => (...values: WasmValue[]) => Promise<WasmValue | undefined>;
}
const jspi = WebAssembly as unknown as JspiNamespace;

/** Whether this engine can suspend a call of WebAssembly (JSPI). */
export const hasJspi = typeof jspi.Suspending === "function" && typeof jspi.promising === "function";

type Exported = (...values: WasmValue[]) => WasmValue | undefined;

interface Task {
  readonly id: number;
  readonly stack: number;
  /** Where its stack pointer stands while it waits. */
  pointer: number;
}

/** Runs in the thread of the rig. Tasks take turns: one goes on only when no other is between two waits. */
export class JspiEngine implements Engine {
  readonly memory: WebAssembly.Memory;
  readonly #kind: MemoryKind;
  readonly #exports: Readonly<Record<string, unknown>>;
  readonly #table: WebAssembly.Table;
  readonly #pointer: WebAssembly.Global<"i32">;
  readonly #entered = new Map<number, (...values: WasmValue[]) => Promise<WasmValue | undefined>>();
  readonly #stacks = new TaskStacks(this);
  readonly #mainTop: number;
  /** Calls on the main stack that are under way, one inside of another. */
  #mainDepth = 0;
  #tasks = 0;
  #waiting = 0;
  #isClosed = false;
  #current: Task | null = null;
  /** Who waits for the running task to wait or to end. */
  readonly #turns: (() => void)[] = [];

  constructor({ imports: wanted, module }: DextImage, memoryBytes: number, functions: HostFunctions) {
    const pages = pagesOf(memoryBytes);
    this.#kind = { initial: pages, maximum: pages, shared: false };
    this.memory = takeMemory(this.#kind);
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { kind, module: from, name } of wanted) {
      imports[from] ??= {};
      imports[from][name] =
        kind === "memory" ? this.memory : (this.#import(functions(from, name)) as WebAssembly.ImportValue);
    }
    const instance = new WebAssembly.Instance(module, imports);
    this.#exports = instance.exports;
    this.#table = instance.exports.__indirect_function_table as WebAssembly.Table;
    this.#pointer = instance.exports.__stack_pointer as WebAssembly.Global<"i32">;
    this.#mainTop = this.#pointer.value;
  }

  initialize(): void {
    (this.#exports._initialize as Exported | undefined)?.();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    // What still waits would go on in it.
    if (this.#waiting === 0) giveMemoryBack(this.#kind, this.memory);
  }

  get task(): number {
    return this.#current?.id ?? 0;
  }

  callExport(name: string, values: readonly WasmValue[]): WasmValue | undefined {
    const found = this.#exports[name] as Exported | undefined;
    if (found === undefined) throw new RangeError(`the dext's module does not export ${name}`);
    return this.#now(found, values);
  }

  callNow(index: number, values: readonly WasmValue[]): WasmValue | undefined {
    return this.#now(this.#table.get(index) as Exported, values);
  }

  #now(call: Exported, values: readonly WasmValue[]): WasmValue | undefined {
    const isMain = this.#current === null;
    if (isMain && this.#mainDepth === 0) this.#pointer.value = this.#mainTop;
    const before = this.#pointer.value;
    if (isMain) this.#mainDepth++;
    try {
      return call(...values);
    } finally {
      if (isMain) this.#mainDepth--;
      this.#pointer.value = before;
    }
  }

  async run(index: number, values: readonly WasmValue[]): Promise<WasmValue | undefined> {
    let enter = this.#entered.get(index);
    if (enter === undefined) {
      enter = (jspi.promising as NonNullable<JspiNamespace["promising"]>)(this.#table.get(index));
      this.#entered.set(index, enter);
    }
    const outer = this.#current;
    const outerPointer = this.#pointer.value;
    const stack = this.#stacks.take();
    const task: Task = { id: ++this.#tasks, stack, pointer: stack + stackBytes };
    this.#pointer.value = task.pointer;
    this.#current = task;
    let result: Promise<WasmValue | undefined>;
    try {
      result = enter(...values);
    } finally {
      // It waits, or it is through: who called goes on.
      this.#current = outer;
      this.#pointer.value = outerPointer;
    }
    try {
      return await result;
    } finally {
      this.#leave(task);
      this.#stacks.check(task.stack);
      this.#stacks.giveBack(stack);
    }
  }

  captureStack(): string {
    return captureStack();
  }

  #import({ blocks, call, isSilent }: HostFunction): unknown {
    if (isSilent === true) return () => undefined;
    if (!blocks) return call;
    return new (jspi.Suspending as Suspending)((...values) => {
      const task = this.#current;
      if (task === null) throw new DextTrap(mustNotWait, []);
      task.pointer = this.#pointer.value;
      this.#stacks.check(task.stack);
      const answer = call(...values);
      return this.#goOn(task, answer);
    });
  }

  async #goOn(task: Task, answer: HostAnswer): Promise<WasmValue | undefined> {
    // The task waits from here: `run` or the next turn has given the way free.
    this.#leave(task);
    this.#waiting++;
    let value: WasmValue | undefined;
    try {
      value = await answer;
    } catch (error) {
      await this.#turn(task);
      throw error;
    } finally {
      this.#waiting--;
    }
    await this.#turn(task);
    return value;
  }

  async #turn(task: Task): Promise<void> {
    while (this.#current !== null) await new Promise<void>((resolve) => this.#turns.push(resolve));
    this.#current = task;
    this.#pointer.value = task.pointer;
  }

  #leave(task: Task): void {
    if (this.#current !== task) return;
    this.#current = null;
    this.#turns.shift()?.();
  }
}
