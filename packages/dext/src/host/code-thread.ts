// A thread that runs a dext's code, from outside. Whoever gave it the turn waits meanwhile.

import { MessageChannel, type MessagePort, Worker } from "node:worker_threads";
import { CodeChannel, channelMemory, messages, turns } from "./code-channel.ts";
import type { WasmValue } from "./engine.ts";
import type { CodeThreadData, CodeToLoad } from "./worker-thread.ts";

/** Threads that nobody uses and that are kept for the next engine: starting one takes 20 to 40 ms. */
const keptMost = 6;
const kept: CodeThread[] = [];

export class CodeThread {
  readonly channel: CodeChannel;
  readonly #port: MessagePort;
  readonly #worker: Worker;
  /** What the host threw in the call that this thread made last. */
  thrown: unknown = null;

  private constructor() {
    const channel = channelMemory();
    this.channel = new CodeChannel(channel, turns.host);
    const { port1, port2 } = new MessageChannel();
    this.#port = port1;
    port1.unref();
    this.#worker = new Worker(new URL("./worker-thread.ts", import.meta.url), {
      workerData: { channel, port: port2 } satisfies CodeThreadData,
      transferList: [port2],
      env: {},
    });
    // It never ends by itself, and it keeps nobody from ending.
    this.#worker.unref();
  }

  static take(): CodeThread {
    return kept.pop() ?? new CodeThread();
  }

  /** What it was loaded with is let go. No code may be under way on it. */
  giveBack(): void {
    this.thrown = null;
    if (kept.length >= keptMost) {
      this.end();
      return;
    }
    this.channel.send(messages.unload);
    this.channel.wait();
    kept.push(this);
  }

  /** Whatever runs on it. */
  end(): void {
    void this.#worker.terminate();
    this.#port.close();
  }

  load(code: CodeToLoad): void {
    this.#port.postMessage(code);
    this.channel.send(messages.load);
  }

  /** `stack`: where the stack pointer shall stand; 0: where it is. */
  call(kind: number, number: number, values: readonly WasmValue[], stack: number): void {
    this.channel.send(kind, number, values, stack);
  }

  answer(value: WasmValue | undefined): void {
    this.channel.send(messages.answer, 0, [value]);
  }

  fail(error: unknown): void {
    this.thrown = error;
    this.channel.send(messages.fail);
  }

  /** Of the code that waits for the host on this thread. */
  stack(): string {
    this.channel.send(messages.stack);
    this.channel.wait();
    return this.channel.text();
  }

  /** What came through the code: what the host threw, or the code's own trap with its stack. */
  error(): unknown {
    const text = this.channel.text();
    if (text === "") return this.thrown;
    const { message, name, stack } = JSON.parse(text) as { message: string; name: string; stack: string };
    const made =
      name === "RuntimeError"
        ? new WebAssembly.RuntimeError(message)
        : name === "RangeError"
          ? new RangeError(message)
          : new Error(message);
    made.stack = stack;
    return made;
  }
}
