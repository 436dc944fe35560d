// What the page asks the worker of evidence, and the page's end of it.

import type { EntryView, TreeView } from "../session/registry-book.ts";
import type { RegistryView } from "../session/views.ts";

export type DeskAsk =
  | { readonly kind: "live"; readonly view: RegistryView }
  | { readonly kind: "dump"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: "show"; readonly what: string; readonly before: string | null }
  | { readonly kind: "entry"; readonly index: number }
  | { readonly kind: "find"; readonly words: string };

export interface DeskAnswer {
  readonly id: number;
  readonly value: unknown;
  /** Words for people; empty: it went well. */
  readonly error: string;
}

/** The worker, started when it is first asked. A question that it cannot answer rejects with words for people. */
export class EvidenceDesk {
  readonly #start: () => Worker;
  readonly #waiting = new Map<number, (answer: DeskAnswer) => void>();
  #worker: Worker | null = null;
  #lastId = 0;

  constructor(start: () => Worker) {
    this.#start = start;
  }

  async #ask<Value>(ask: DeskAsk): Promise<Value> {
    const worker = this.#use();
    const id = ++this.#lastId;
    const answer = await new Promise<DeskAnswer>((resolve) => {
      this.#waiting.set(id, resolve);
      worker.postMessage({ id, ask });
    });
    if (answer.error !== "") throw new Error(answer.error);
    return answer.value as Value;
  }

  #use(): Worker {
    if (this.#worker !== null) return this.#worker;
    const worker = this.#start();
    this.#worker = worker;
    worker.addEventListener("message", ({ data }: MessageEvent<DeskAnswer>) => {
      this.#waiting.get(data.id)?.(data);
      this.#waiting.delete(data.id);
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      this.#worker = null;
      const error = `The worker ended: ${event.message ?? "it did not start"}. Try again.`;
      for (const [id, take] of this.#waiting) take({ id, value: null, error });
      this.#waiting.clear();
    });
    return worker;
  }

  live(view: RegistryView): Promise<void> {
    return this.#ask({ kind: "live", view });
  }

  dump(
    name: string,
    bytes: Uint8Array,
  ): Promise<{ readonly entries: number; readonly problems: readonly string[] }> {
    return this.#ask({ kind: "dump", name, bytes });
  }

  show(what: string, before: string | null): Promise<TreeView> {
    return this.#ask({ kind: "show", what, before });
  }

  entry(index: number): Promise<EntryView | null> {
    return this.#ask({ kind: "entry", index });
  }

  find(words: string): Promise<readonly number[]> {
    return this.#ask({ kind: "find", words });
  }
}
