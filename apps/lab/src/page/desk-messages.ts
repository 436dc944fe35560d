// What the page asks the worker of evidence, and the page's end of it.

import type { EntryView, TreeView } from "../session/registry-book.ts";
import type { RegistryView } from "../session/views.ts";
import type { PageWorker } from "./kept-lab.ts";

export type DeskAsk =
  | { readonly kind: "live"; readonly view: RegistryView }
  | { readonly kind: "dump"; readonly name: string; readonly bytes: Uint8Array }
  | { readonly kind: "show"; readonly what: string; readonly before: string | null }
  | { readonly kind: "entry"; readonly index: number }
  | { readonly kind: "find"; readonly words: string }
  /** Files that are looked at from now on, all of them; `grammar` and `runtime` bring the reader of C++ source. */
  | {
      readonly kind: "files";
      readonly files: readonly { readonly name: string; readonly bytes: Uint8Array }[];
      readonly wasm: { readonly runtime: Uint8Array; readonly grammar: Uint8Array } | null;
    }
  | { readonly kind: "diagnose"; readonly isRedacted: boolean; readonly today: string }
  | { readonly kind: "lines"; readonly file: string; readonly line: number; readonly isRedacted: boolean }
  | { readonly kind: "redact" }
  | { readonly kind: "report"; readonly form: ReportForm };

export type ReportForm = "html" | "json" | "text" | "markdown";

/** Where something was seen, for a button that opens it. */
export interface SeenPlace {
  readonly file: string;
  /** 0 in a binary file. */
  readonly line: number;
  /** "crash.ips:12", "capture.pcapng at 0x40". */
  readonly name: string;
  readonly text: string;
}

export interface AnswerCard {
  readonly rule: string;
  readonly title: string;
  readonly severity: "error" | "warning" | "note";
  readonly score: number;
  readonly claim: string;
  readonly why: string;
  readonly fix: readonly string[];
  readonly who: string;
  readonly because: readonly SeenPlace[];
  readonly missing: readonly string[];
  /** How sure the knowledge itself is, and where it is from. */
  readonly knowledge: string;
}

export interface DiagnosisView {
  readonly answers: readonly AnswerCard[];
  readonly hints: readonly AnswerCard[];
  readonly missing: readonly string[];
  readonly readings: readonly string[];
  /** Histories of extensions that the lines tell, a sentence each. */
  readonly lives: readonly string[];
  readonly files: readonly {
    readonly name: string;
    readonly kinds: string;
    readonly sizeBytes: number;
    readonly problems: readonly string[];
  }[];
}

export interface FileLines {
  readonly file: string;
  /** Of `lines[0]`. */
  readonly first: number;
  readonly lines: readonly string[];
  readonly count: number;
}

/** What would be given away: lines in which something was replaced, cut into what stays and what was put in. */
export interface RedactedView {
  readonly secrets: number;
  readonly files: readonly {
    readonly name: string;
    readonly notes: readonly string[];
    readonly text: string;
    readonly lines: readonly {
      readonly line: number;
      readonly parts: readonly { readonly text: string; readonly isMark: boolean }[];
    }[];
    /** Lines with marks beyond those that are told. */
    readonly more: number;
  }[];
}

export interface DeskAnswer {
  readonly id: number;
  readonly value: unknown;
  /** Words for people; empty: it went well. */
  readonly error: string;
}

/** The worker, started when it is first asked. A question that it cannot answer rejects with words for people. */
export class EvidenceDesk {
  readonly #start: () => PageWorker;
  readonly #waiting = new Map<number, (answer: DeskAnswer) => void>();
  #worker: PageWorker | null = null;
  #lastId = 0;

  constructor(start: () => PageWorker) {
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

  #use(): PageWorker {
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

  files(
    files: readonly { readonly name: string; readonly bytes: Uint8Array }[],
    wasm: { readonly runtime: Uint8Array; readonly grammar: Uint8Array } | null,
  ): Promise<void> {
    return this.#ask({ kind: "files", files, wasm });
  }

  /** `today`: ISO 8601. */
  diagnose(isRedacted: boolean, today: string): Promise<DiagnosisView> {
    return this.#ask({ kind: "diagnose", isRedacted, today });
  }

  lines(file: string, line: number, isRedacted: boolean): Promise<FileLines> {
    return this.#ask({ kind: "lines", file, line, isRedacted });
  }

  redact(): Promise<RedactedView> {
    return this.#ask({ kind: "redact" });
  }

  report(form: ReportForm): Promise<string> {
    return this.#ask({ kind: "report", form });
  }

  find(words: string): Promise<readonly number[]> {
    return this.#ask({ kind: "find", words });
  }
}
