// A dext's thread from outside: started, listened to, and ended when it says nothing for too long.

import { Worker } from "node:worker_threads";
import { watchedConstructors, watchedInit } from "@drydock/dext/host/cxx-process";
import type { DextJob, DextThreadMessage } from "./dext-thread.ts";

const memoryMegabytes = 1024;

export type DextEnd =
  | Extract<DextThreadMessage, { readonly kind: "run" | "test" | "fuzz" }>
  | { readonly kind: "ended"; readonly text: string };

/** A thread for one job after the other: what it has loaded stays. It is made anew after a dext that had to be ended. */
export class DextThread {
  #worker: Worker | null = null;

  /**
   * `patience`: real seconds for which one function of the dext may run without a call of the host's or an end: it does not come
   * back then. Never rejects for what the dext does: an endless loop, or memory without end, is an end with its name.
   */
  run(job: Omit<DextJob, "watch">, onProgress: (text: string) => void, patience: number): Promise<DextEnd> {
    const watch = new Int32Array(new SharedArrayBuffer(8));
    const names = watchedNames();
    this.#worker ??= new Worker(new URL("./dext-thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
      env: process.env,
    });
    const worker = this.#worker;
    return new Promise((resolve) => {
      const unwatch = watchForLoops(watch, names, patience, (text) => failed(text));
      const end = (result: DextEnd): void => {
        unwatch();
        worker.removeAllListeners("message");
        worker.removeAllListeners("error");
        worker.removeAllListeners("exit");
        resolve(result);
      };
      const failed = (text: string): void => {
        this.end();
        end({ kind: "ended", text });
      };
      worker.on("message", (message: DextThreadMessage) => {
        if (message.kind === "functions") for (const [index, name] of message.names) names.set(index, name);
        else if (message.kind === "progress") onProgress(message.text);
        else end(message);
      });
      worker.once("error", (error: unknown) => failed(whyEnded(error)));
      worker.once("exit", (code) => failed(`the dext's thread ended with ${code}`));
      worker.postMessage({ ...job, watch } satisfies DextJob);
    });
  }

  end(): void {
    const worker = this.#worker;
    this.#worker = null;
    // What it says while it ends is nobody's.
    worker?.once("error", () => {});
    void worker?.terminate();
  }
}

function whyEnded(error: unknown): string {
  if ((error as { code?: unknown }).code === "ERR_WORKER_OUT_OF_MEMORY")
    return `memory without end: what the dext has the system keep (dispatched work, objects, logs) needs more than ${memoryMegabytes} MiB`;
  return error instanceof Error ? error.message : String(error);
}

/** Functions by what a dext's `watch` calls them: those that are no functions of its table; the others are to be added. */
export function watchedNames(): Map<number, string> {
  return new Map([
    [watchedConstructors, "a constructor of its global objects"],
    [watchedInit, "an init"],
  ]);
}

/** `onLoop` is told of a function that has not come back for `patience` real seconds. Answers how to stop looking. */
export function watchForLoops(
  watch: Int32Array<SharedArrayBuffer>,
  names: ReadonlyMap<number, string>,
  patience: number,
  onLoop: (text: string) => void,
): () => void {
  let entries = -1;
  const look = setInterval(() => {
    // Calls into the dext go on as long as it comes back from them.
    const now = Atomics.load(watch, 1);
    if (now !== entries) {
      entries = now;
      return;
    }
    const index = Atomics.load(watch, 0);
    if (index === 0) return;
    const where = names.get(index) ?? `function ${index} of its table`;
    onLoop(`endless loop: ${where} has not come back for ${patience} seconds`);
  }, patience * 1000);
  return () => clearInterval(look);
}
