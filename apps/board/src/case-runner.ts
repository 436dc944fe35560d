// Cases run beside the server: in a thread of their own, bounded in time and in how many wait. Same seed, same report.

import { Worker } from "node:worker_threads";
import { BoardRefusal } from "@drydock/board/refusal";
import type { CaseReport } from "@drydock/cases/case-report";
import { trimMemory } from "@drydock/node/host/after-storm";

/** What the thread is asked, and what it answers. */
export type CaseAsk =
  | { readonly kind: "report"; readonly id: string; readonly seed: number }
  | { readonly kind: "side"; readonly id: string; readonly seed: number; readonly side: "bad" | "good" };
export interface SideOutcome {
  readonly succeeded: boolean;
  readonly result: string;
  readonly digest: string;
}
export type CaseAnswer = { readonly value: CaseReport | SideOutcome } | { readonly error: string };

const longestRunMs = 20_000;
const mostWaiting = 32;
const keptReports = 64;
/** A thread that has nothing to do for so long is ended: it holds as much memory as all the rest. */
const idleMs = 5000;

export class CaseRunner {
  #worker: Worker | null = null;
  #queue: { ask: CaseAsk; done: (answer: CaseAnswer) => void }[] = [];
  #current: { done: (answer: CaseAnswer) => void; timer: NodeJS.Timeout } | null = null;
  readonly #reports = new Map<string, CaseReport>();
  #isClosed = false;
  #idle: NodeJS.Timeout | null = null;

  /** Both sides on one seed. Rejects with BoardRefusal when too many wait, with Error when a run broke off. */
  async report(id: string, seed: number): Promise<CaseReport> {
    const key = `${id} ${seed}`;
    const known = this.#reports.get(key);
    if (known !== undefined) return known;
    const report = (await this.#ask({ kind: "report", id, seed })) as CaseReport;
    this.#reports.set(key, report);
    if (this.#reports.size > keptReports) this.#reports.delete(this.#reports.keys().next().value as string);
    return report;
  }

  async side(id: string, seed: number, side: "bad" | "good"): Promise<SideOutcome> {
    return (await this.#ask({ kind: "side", id, seed, side })) as SideOutcome;
  }

  #ask(ask: CaseAsk): Promise<CaseReport | SideOutcome> {
    if (this.#queue.length >= mostWaiting)
      throw new BoardRefusal(
        "too_many",
        "runs-many",
        "Too many runs are waiting. Try again in a few seconds.",
        null,
        5,
      );
    return new Promise((resolve, reject) => {
      this.#queue.push({
        ask,
        done: (answer) => ("value" in answer ? resolve(answer.value) : reject(new Error(answer.error))),
      });
      this.#next();
    });
  }

  #next(): void {
    if (this.#current !== null || this.#isClosed) return;
    const job = this.#queue.shift();
    if (job === undefined) return;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#worker ??= this.#start();
    const timer = setTimeout(() => {
      void this.#worker?.terminate();
      this.#worker = null;
      this.#finish({ error: `it took longer than ${longestRunMs / 1000} s` });
    }, longestRunMs);
    this.#current = { done: job.done, timer };
    this.#worker.ref();
    this.#worker.postMessage(job.ask);
  }

  #start(): Worker {
    const worker = new Worker(new URL("./case-thread.ts", import.meta.url), {
      resourceLimits: { maxOldGenerationSizeMb: 512 },
    });
    worker.on("message", (answer: CaseAnswer) => this.#finish(answer));
    const broken = (text: string) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#finish({ error: text });
    };
    worker.on("error", (error) => broken(String(error)));
    worker.on("exit", (code) => broken(`the run's thread ended with ${code}`));
    return worker;
  }

  #finish(answer: CaseAnswer): void {
    const current = this.#current;
    if (current === null) return;
    clearTimeout(current.timer);
    this.#current = null;
    this.#worker?.unref();
    if (!this.#isClosed) this.#idle = setTimeout(() => void this.#rest(), idleMs).unref();
    current.done(answer);
    this.#next();
  }

  /** The next run starts a thread anew. */
  async #rest(): Promise<void> {
    const worker = this.#worker;
    if (this.#current !== null || worker === null) return;
    this.#worker = null;
    await worker.terminate();
    trimMemory();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    const worker = this.#worker;
    this.#worker = null;
    if (this.#idle !== null) clearTimeout(this.#idle);
    this.#finish({ error: "the board is closing" });
    for (const job of this.#queue.splice(0)) job.done({ error: "the board is closing" });
    await worker?.terminate();
  }
}
