// A dext's thread from outside: started, listened to, and ended when it says nothing for too long.

import { Worker } from "node:worker_threads";
import { watchedConstructors, watchedInit } from "@drydock/dext/host/cxx-process";
import type { DextJob, DextThreadMessage } from "./dext-thread.ts";

const memoryMegabytes = 1024;

export type DextEnd =
  | Extract<DextThreadMessage, { readonly kind: "run" | "test" }>
  | { readonly kind: "ended"; readonly text: string };

/**
 * `patience`: real seconds for which one function of the dext may run without a call of the host's or an end: it does not come
 * back then. Never rejects for what the dext does: an endless loop, or memory without end, is an end with its name.
 */
export function inThread(
  job: Omit<DextJob, "watch">,
  onProgress: (text: string) => void,
  patience: number,
): Promise<DextEnd> {
  const watch = new Int32Array(new SharedArrayBuffer(8));
  const names = watchedNames();
  const worker = new Worker(new URL("./dext-thread.ts", import.meta.url), {
    workerData: { ...job, watch } satisfies DextJob,
    resourceLimits: { maxOldGenerationSizeMb: memoryMegabytes },
    env: process.env,
  });
  return new Promise((resolve) => {
    const unwatch = watchForLoops(watch, names, patience, (text) => end({ kind: "ended", text }));
    const end = (result: DextEnd): void => {
      unwatch();
      void worker.terminate();
      resolve(result);
    };
    worker.on("message", (message: DextThreadMessage) => {
      if (message.kind === "functions") for (const [index, name] of message.names) names.set(index, name);
      else if (message.kind === "progress") onProgress(message.text);
      else end(message);
    });
    worker.once("error", (error: unknown) =>
      end({ kind: "ended", text: error instanceof Error ? error.message : String(error) }),
    );
    worker.once("exit", (code) => end({ kind: "ended", text: `the dext's thread ended with ${code}` }));
  });
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
