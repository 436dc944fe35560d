// The process that runs clients' command lines in turn: it may read, and neither write nor start.

import { type ChildProcess, fork } from "node:child_process";
import { getCompileCacheDir } from "node:module";
import { fileURLToPath } from "node:url";
import type { ExitCode } from "../terminal/exit-codes.ts";

export interface ReaderLine {
  readonly words: readonly string[];
  /** The user's own code may be loaded: the process is one of its own, and may do what the user may. */
  readonly loadsCode: boolean;
}

/** What a command line came to. */
export interface ReaderAnswer {
  readonly code: ExitCode;
  readonly printed: string;
  readonly said: string;
}

/** To the process; it answers each with a ReaderAnswer. */
export interface ToReader {
  readonly words: readonly string[];
  readonly mayLoadCode: boolean;
}

/** A line that came to no answer: it took too long, was no longer wanted, or ended its process. */
export class ReaderError extends Error {
  override readonly name = "ReaderError";
}

const mostWaiting = 64;

export class Reader {
  readonly #script: string;
  readonly #folder: string;
  readonly #patienceMs: number;
  #child: ChildProcess | null = null;
  #last: Promise<unknown> = Promise.resolve();
  #waiting = 0;
  #isClosed = false;
  /** Ends what runs now. */
  #stop: ((why: string) => void) | null = null;

  /** `script`: the process's own; `folder`: where it works; after `patienceMs` a line is ended. */
  constructor(options: { readonly script: URL; readonly folder: string; readonly patienceMs: number }) {
    this.#script = fileURLToPath(options.script);
    this.#folder = options.folder;
    this.#patienceMs = options.patienceMs;
  }

  /** Waits for its turn. Rejects with ReaderError. */
  async run(line: ReaderLine, signal: AbortSignal): Promise<ReaderAnswer> {
    if (this.#waiting >= mostWaiting) throw new ReaderError(`busy: ${mostWaiting} others wait; ask again`);
    this.#waiting++;
    const before = this.#last;
    const answer = before.then(() => this.#runNow(line, signal));
    this.#last = answer.catch(() => {});
    try {
      return await answer;
    } finally {
      this.#waiting--;
    }
  }

  close(): void {
    this.#isClosed = true;
    this.#stop?.("the server ends");
    this.#child?.kill("SIGKILL");
    this.#child = null;
  }

  #runNow({ loadsCode, words }: ReaderLine, signal: AbortSignal): Promise<ReaderAnswer> {
    if (signal.aborted || this.#isClosed) return Promise.reject(new ReaderError("not wanted any more"));
    if (!loadsCode) this.#child ??= this.#start(readOnly);
    const child = loadsCode || this.#child === null ? this.#start([]) : this.#child;
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", aborted);
        child.off("message", answered);
        child.off("exit", ended);
        child.off("error", ended);
        this.#stop = null;
        if (loadsCode) child.kill("SIGKILL");
      };
      const fail = (why: string): void => {
        settle();
        child.kill("SIGKILL");
        if (this.#child === child) this.#child = null;
        reject(new ReaderError(why));
      };
      const answered = (answer: unknown): void => {
        settle();
        resolve(answer as ReaderAnswer);
      };
      const ended = (): void =>
        fail("the process that ran it ended: it needs more memory than there is, or is our fault");
      const aborted = (): void => fail("not wanted any more");
      const timer = setTimeout(
        () => fail(`took longer than ${this.#patienceMs / 1000} seconds and was ended`),
        this.#patienceMs,
      );
      this.#stop = fail;
      signal.addEventListener("abort", aborted);
      child.on("message", answered);
      child.on("exit", ended);
      child.on("error", ended);
      child.send({ words, mayLoadCode: loadsCode } satisfies ToReader);
    });
  }

  #start(execArgv: readonly string[]): ChildProcess {
    const cache = getCompileCacheDir();
    return fork(this.#script, {
      cwd: this.#folder,
      execArgv: [...execArgv],
      env: {
        ...process.env,
        ...(cache === undefined ? {} : { NODE_COMPILE_CACHE: cache }),
        // The client's word is none of the user's code's business.
        DRYDOCK_MCP_SECRET: undefined,
      },
      // Its output is nobody's: standard output is the client's wire.
      stdio: ["ignore", "ignore", "inherit", "ipc"],
    });
  }
}

/** Node itself refuses to write, to start a process or a thread, and to load native code. */
const readOnly = ["--permission", "--allow-fs-read=*"];
