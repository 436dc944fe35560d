// A thread beside the server that answers one question at a time: bounded in time, in memory, and in how many wait.

import { Worker } from "node:worker_threads";
import { BoardRefusal } from "@drydock/board/refusal";
import { trimMemory } from "@drydock/node/host/after-storm";

export interface TurnRules {
  /** For one answer; loading the thread's code is part of the first. */
  readonly longestMs: number;
  readonly mostWaiting: number;
  readonly memoryMb: number;
  /** What is told when more than that wait. */
  readonly crowded: { readonly code: string; readonly text: string };
}

/** What a thread answers. */
export type TurnAnswer<Value> = { readonly value: Value } | { readonly error: string };

const closing = () =>
  new BoardRefusal("too_many", "closing", "The board is closing: nothing of this was done.", null, 5);

/** A thread that has nothing to do for so long is ended: it holds as much memory as all the rest. */
const idleMs = 5000;

export class ThreadTurns<Ask, Value> {
  readonly #script: URL;
  readonly #rules: TurnRules;
  #worker: Worker | null = null;
  #queue: { ask: Ask; done: (answer: TurnAnswer<Value>) => void }[] = [];
  #current: { done: (answer: TurnAnswer<Value>) => void; timer: NodeJS.Timeout } | null = null;
  #isClosed = false;
  #idle: NodeJS.Timeout | null = null;

  constructor(script: URL, rules: TurnRules) {
    this.#script = script;
    this.#rules = rules;
  }

  /** Rejects with BoardRefusal when too many wait or the board closes, with Error when the thread broke off or took too long. */
  ask(ask: Ask): Promise<Value> {
    const { mostWaiting, crowded } = this.#rules;
    if (this.#isClosed) throw closing();
    if (this.#queue.length >= mostWaiting)
      throw new BoardRefusal("too_many", crowded.code, crowded.text, null, 5);
    return new Promise((resolve, reject) => {
      this.#queue.push({
        ask,
        done: (answer) => {
          if ("value" in answer) resolve(answer.value);
          else reject(this.#isClosed ? closing() : new Error(answer.error));
        },
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
    const { longestMs } = this.#rules;
    const timer = setTimeout(() => {
      void this.#worker?.terminate();
      this.#worker = null;
      this.#finish({ error: `it took longer than ${longestMs / 1000} s` });
    }, longestMs);
    this.#current = { done: job.done, timer };
    this.#worker.ref();
    this.#worker.postMessage(job.ask);
  }

  #start(): Worker {
    const worker = new Worker(this.#script, {
      resourceLimits: { maxOldGenerationSizeMb: this.#rules.memoryMb },
    });
    worker.on("message", (answer: TurnAnswer<Value>) => this.#finish(answer));
    const broken = (text: string) => {
      if (this.#worker !== worker) return;
      this.#worker = null;
      this.#finish({ error: text });
    };
    worker.on("error", (error) => broken(String(error)));
    worker.on("exit", (code) => broken(`the run's thread ended with ${code}`));
    return worker;
  }

  #finish(answer: TurnAnswer<Value>): void {
    const current = this.#current;
    if (current === null) return;
    clearTimeout(current.timer);
    this.#current = null;
    this.#worker?.unref();
    if (!this.#isClosed) this.#idle = setTimeout(() => void this.#rest(), idleMs).unref();
    current.done(answer);
    this.#next();
  }

  /** The next question starts a thread anew. */
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
