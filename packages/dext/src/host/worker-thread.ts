// The program of a thread that runs a dext's code for an engine without JSPI: it does one thing at a time, and waits.

import { type MessagePort, receiveMessageOnPort, workerData } from "node:worker_threads";
import { captureStack } from "./capture-stack.ts";
import { CodeChannel, messages, turns } from "./code-channel.ts";
import type { WasmValue } from "./engine.ts";

export interface CodeThreadData {
  readonly channel: SharedArrayBuffer;
  readonly port: MessagePort;
}

/** What comes through the port before `messages.load`. */
export interface CodeToLoad {
  readonly module: WebAssembly.Module;
  readonly memory: WebAssembly.Memory;
  /** Numbers of imports of which nothing comes. */
  readonly silent: readonly number[];
}

type Exported = (...values: WasmValue[]) => WasmValue | undefined;

/** Comes through the dext's code from a call in which the host threw: the host knows what. */
class HostThrew extends Error {}

interface Loaded {
  readonly exports: readonly unknown[];
  readonly table: WebAssembly.Table;
  readonly pointer: WebAssembly.Global<"i32">;
}

class CodeThread {
  readonly #channel: CodeChannel;
  readonly #port: MessagePort;
  #loaded: Loaded | null = null;

  constructor({ channel, port }: CodeThreadData) {
    this.#channel = new CodeChannel(channel, turns.code);
    this.#port = port;
  }

  run(): never {
    for (;;) {
      this.#channel.wait();
      this.#serve();
    }
  }

  /** Does what the host has sent, if it is something to do; false: it is the answer to a call. */
  #serve(): boolean {
    const { kind, number, stack } = this.#channel;
    if (kind === messages.answer || kind === messages.fail) return false;
    if (kind === messages.stack) this.#channel.send(messages.returned, 0, [], 0, captureStack());
    else if (kind === messages.unload) {
      this.#loaded = null;
      this.#channel.send(messages.returned);
    } else this.#answer(() => this.#call(kind, number, stack));
    return true;
  }

  #call(kind: number, number: number, stack: number): WasmValue | undefined {
    if (kind === messages.load) {
      return this.#load((receiveMessageOnPort(this.#port) as { message: CodeToLoad }).message);
    }
    const { exports, pointer, table } = this.#loaded as Loaded;
    const found = kind === messages.callExport ? exports[number] : table.get(number);
    const values = this.#channel.values();
    const before = pointer.value;
    if (stack !== 0) pointer.value = stack;
    try {
      return (found as Exported)(...values);
    } finally {
      pointer.value = before;
    }
  }

  #answer(run: () => WasmValue | undefined): void {
    let value: WasmValue | undefined;
    try {
      value = run();
    } catch (error) {
      const told =
        error instanceof HostThrew
          ? ""
          : JSON.stringify(
              error instanceof Error
                ? { name: error.name, message: error.message, stack: error.stack ?? "" }
                : { name: "Error", message: String(error), stack: "" },
            );
      this.#channel.send(messages.threw, 0, [], 0, told);
      return;
    }
    this.#channel.send(messages.returned, 0, [value]);
  }

  /** Where the stack of the instance begins. */
  #load({ memory, module, silent }: CodeToLoad): number {
    const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
    for (const [number, { kind, module: from, name }] of WebAssembly.Module.imports(module).entries()) {
      imports[from] ??= {};
      if (kind === "memory") imports[from][name] = memory;
      else if (silent.includes(number)) imports[from][name] = () => undefined;
      else imports[from][name] = (...values: WasmValue[]) => this.#callHost(number, values);
    }
    const { exports } = new WebAssembly.Instance(module, imports);
    this.#loaded = {
      exports: WebAssembly.Module.exports(module).map(({ name }) => exports[name]),
      table: exports.__indirect_function_table as WebAssembly.Table,
      pointer: exports.__stack_pointer as WebAssembly.Global<"i32">,
    };
    return this.#loaded.pointer.value;
  }

  /** The host may call back in before it answers. */
  #callHost(number: number, values: readonly WasmValue[]): WasmValue | undefined {
    this.#channel.send(messages.hostCall, number, values);
    for (;;) {
      this.#channel.wait();
      if (this.#serve()) continue;
      if (this.#channel.kind === messages.fail) throw new HostThrew();
      return this.#channel.value();
    }
  }
}

new CodeThread(workerData as CodeThreadData).run();
