// The way into a dext's code and back: tasks with stacks of their own, which may wait inside of a call.

import { DextTrap } from "./trouble.ts";

/** A value of WebAssembly's as JavaScript has it: 64 bits as a bigint. */
export type WasmValue = number | bigint;

/** What a host function answers; a promise suspends the task that called. */
export type HostAnswer = WasmValue | undefined | Promise<WasmValue | undefined>;

export interface HostFunction {
  /** It may answer with a promise. */
  readonly blocks: boolean;
  /** Nothing comes of it: an engine may leave the call out. */
  readonly isSilent?: boolean;
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
  /** Runs the constructors of global objects: once, and before any other code. */
  initialize(): void;
  /** No code of it runs again. */
  close(): void;
}

/** Of a task, and at its lower end what tells that it was too small. */
export const stackBytes = 128 * 1024;
const stackMark = 0x57ac;
const stackMarkWords = 16;

/** Why a task cannot wait, for people. */
export const mustNotWait =
  "a call that waits, from code that must not wait (init, free, a cancel of its own)";

/** Stacks of tasks in the dext's memory: made when one is needed, and used again. */
export class TaskStacks {
  readonly #engine: Engine;
  readonly #free: number[] = [];

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Address of the lower end. */
  take(): number {
    return this.#free.pop() ?? this.#make();
  }

  giveBack(stack: number): void {
    this.#free.push(stack);
  }

  /** Throws DextTrap when a task has written below its stack. */
  check(stack: number): void {
    const words = new Uint32Array(this.#engine.memory.buffer, stack, stackMarkWords);
    if (words.some((word) => word !== stackMark))
      throw new DextTrap(`a task needed more than ${stackBytes / 1024} KiB of stack`, []);
  }

  #make(): number {
    const at = this.#engine.callExport("drydock_raw_allocate", [stackBytes + 16]) as number;
    if (at === 0) throw new DextTrap("no memory is left for the stack of another task", []);
    const aligned = (at + 15) & ~15;
    new Uint32Array(this.#engine.memory.buffer, aligned, stackMarkWords).fill(stackMark);
    return aligned;
  }
}
