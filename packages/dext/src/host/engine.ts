// The way into a dext's code and back: tasks with stacks of their own, which may wait inside of a call.

import { DextTrap } from "./trouble.ts";

/** A value of WebAssembly's as JavaScript has it: 64 bits as a bigint. */
export type WasmValue = number | bigint;

/** What a host function answers; a promise suspends the task that called. */
export type HostAnswer = WasmValue | undefined | Promise<WasmValue | undefined>;

export interface HostFunction {
  /** It may answer with a promise. */
  readonly blocks: boolean;
  call(...values: WasmValue[]): HostAnswer;
}

/** Finds a host function by module and name; made once for each import of the dext. */
export type HostFunctions = (module: string, name: string) => HostFunction;

export interface Engine {
  readonly memory: WebAssembly.Memory;
  /** The task whose code runs now; 0: none. */
  readonly task: number;
  /** Calls an exported function that does not wait. */
  callExport(name: string, values: readonly WasmValue[]): WasmValue | undefined;
  /** Calls a function of the table that does not wait. */
  callNow(index: number, values: readonly WasmValue[]): WasmValue | undefined;
  /** Calls a function of the table as a task of its own, which may wait. */
  run(index: number, values: readonly WasmValue[]): Promise<WasmValue | undefined>;
  /** The stack of the code that calls the host right now, as the engine writes it. */
  captureStack(): string;
}

const pageBytes = 65536;
/** Of a task, and at its lower end what tells that it was too small. */
const stackBytes = 128 * 1024;
const stackMark = 0x57ac;
const stackMarkWords = 16;

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
  readonly #exports: Readonly<Record<string, unknown>>;
  readonly #table: WebAssembly.Table;
  readonly #pointer: WebAssembly.Global<"i32">;
  readonly #entered = new Map<number, (...values: WasmValue[]) => Promise<WasmValue | undefined>>();
  readonly #freeStacks: number[] = [];
  readonly #mainTop: number;
  #tasks = 0;
  #current: Task | null = null;
  /** Who waits for the running task to wait or to end. */
  readonly #turns: (() => void)[] = [];

  constructor(module: WebAssembly.Module, memoryBytes: number, functions: HostFunctions) {
    const pages = Math.ceil(memoryBytes / pageBytes);
    this.memory = new WebAssembly.Memory({ initial: pages, maximum: pages });
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const { kind, module: from, name } of WebAssembly.Module.imports(module)) {
      imports[from] ??= {};
      imports[from][name] =
        kind === "memory" ? this.memory : (this.#import(functions(from, name)) as WebAssembly.ImportValue);
    }
    const instance = new WebAssembly.Instance(module, imports);
    this.#exports = instance.exports;
    this.#table = instance.exports.__indirect_function_table as WebAssembly.Table;
    this.#pointer = instance.exports.__stack_pointer as WebAssembly.Global<"i32">;
    this.#mainTop = this.#pointer.value;
    (this.#exports._initialize as Exported | undefined)?.();
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
    if (this.#current === null) this.#pointer.value = this.#mainTop;
    const before = this.#pointer.value;
    const result = call(...values);
    this.#pointer.value = before;
    return result;
  }

  async run(index: number, values: readonly WasmValue[]): Promise<WasmValue | undefined> {
    let enter = this.#entered.get(index);
    if (enter === undefined) {
      enter = (jspi.promising as NonNullable<JspiNamespace["promising"]>)(this.#table.get(index));
      this.#entered.set(index, enter);
    }
    const outer = this.#current;
    const outerPointer = this.#pointer.value;
    const stack = this.#freeStacks.pop() ?? this.#makeStack();
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
      this.#checkStack(task);
      this.#freeStacks.push(stack);
    }
  }

  captureStack(): string {
    return captureStack();
  }

  #import({ blocks, call }: HostFunction): unknown {
    if (!blocks) return call;
    return new (jspi.Suspending as Suspending)((...values) => {
      const task = this.#current;
      if (task === null)
        throw new DextTrap(
          "a call that waits, from code that must not wait (init, free, a cancel of its own)",
          [],
        );
      task.pointer = this.#pointer.value;
      this.#checkStack(task);
      const answer = call(...values);
      return this.#goOn(task, answer);
    });
  }

  async #goOn(task: Task, answer: HostAnswer): Promise<WasmValue | undefined> {
    // The task waits from here: `run` or the next turn has given the way free.
    this.#leave(task);
    let value: WasmValue | undefined;
    try {
      value = await answer;
    } catch (error) {
      await this.#turn(task);
      throw error;
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

  #makeStack(): number {
    const at = this.callExport("drydock_raw_allocate", [stackBytes + 16]) as number;
    if (at === 0) throw new DextTrap("no memory is left for the stack of another task", []);
    const aligned = (at + 15) & ~15;
    const words = new Uint32Array(this.memory.buffer, aligned, stackMarkWords);
    words.fill(stackMark);
    return aligned;
  }

  #checkStack({ stack }: Task): void {
    const words = new Uint32Array(this.memory.buffer, stack, stackMarkWords);
    if (words.some((word) => word !== stackMark))
      throw new DextTrap(`a task needed more than ${stackBytes / 1024} KiB of stack`, []);
  }
}

export function captureStack(): string {
  const { stackTraceLimit } = Error;
  Error.stackTraceLimit = 64;
  const { stack } = new Error("stack");
  Error.stackTraceLimit = stackTraceLimit;
  return stack ?? "";
}
