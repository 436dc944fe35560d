// A rig of the lab in a thread of its own: what it does cannot hold up the server or another rig, and a loop is ended.

import { Worker } from "node:worker_threads";
import { plainState, type SharedState } from "@drydock/lab/session/messages";
import type { RigNews, WatcherPort } from "@drydock/lab/session/watchers";

/** What the thread is told. */
export type ToRigThread =
  | { readonly kind: "join"; readonly watcher: number }
  | { readonly kind: "take"; readonly watcher: number; readonly text: string }
  | { readonly kind: "leave"; readonly watcher: number }
  | { readonly kind: "ping" };

export type FromRigThread =
  | { readonly kind: "bytes"; readonly watcher: number; readonly frame: Uint8Array }
  | { readonly kind: "text"; readonly watcher: number; readonly text: string }
  | { readonly kind: "close"; readonly watcher: number; readonly code: number; readonly reason: string }
  | { readonly kind: "pong" };

/** `data` is handed to the thread as it is, with `firstRun`: another number at each start. */
export interface RigThreadOptions<Other> {
  /** What watchers call it. */
  readonly name: string;
  readonly summary: string;
  readonly data: object;
  /** Told what the thread says that is for no watcher. */
  readonly onOther?: (message: Other) => void;
  /** Told why it was ended, or ended by itself; not when it was closed. */
  readonly onLost?: (why: string) => void;
}

/** One watcher as the server sees it. */
export interface Seat {
  take(text: string): void;
  leave(): void;
}

/** Without an answer for so long a rig is ended. */
const patienceMs = 5000;
const askEveryMs = 1000;
/** For loading the rig's code and bringing it up, when the machine is busy. */
const startPatienceMs = 60_000;
const runsApart = 1000;

const seatKinds: readonly string[] = ["bytes", "text", "close", "pong"];

export class RigInThread<
  More extends { readonly kind: string } = never,
  Other extends { readonly kind: string } = never,
> {
  readonly name: string;
  readonly summary: string;
  readonly #script: URL;
  readonly #options: RigThreadOptions<Other>;
  readonly #patienceMs: number;
  readonly #seats = new Map<number, WatcherPort>();
  #worker: Worker | null = null;
  #isUp = false;
  #lastSeat = 0;
  #starts = 0;
  /** Milliseconds without an answer. */
  #silentMs = 0;
  #timer: NodeJS.Timeout | null = null;
  /** Why it ended; empty while it runs. */
  #ended = "";
  #isClosed = false;

  /** `script` answers `ToRigThread` in a worker thread. */
  constructor(script: URL, options: RigThreadOptions<Other>, patience = patienceMs) {
    this.#script = script;
    this.name = options.name;
    this.summary = options.summary;
    this.#options = options;
    this.#patienceMs = patience;
  }

  get count(): number {
    return this.#seats.size;
  }

  /** Somebody watches; the first one brings the rig up. */
  add(port: WatcherPort): Seat {
    const watcher = ++this.#lastSeat;
    this.#seats.set(watcher, port);
    this.begin();
    this.tell({ kind: "join", watcher });
    let isWatching = false;
    return {
      take: (text) => {
        if (this.#ended === "") return this.tell({ kind: "take", watcher, text });
        // Nobody is there who would look at it: this much of it is understood here.
        if (/"kind"\s*:\s*"act"/.test(text) && /"name"\s*:\s*"again"/.test(text)) return this.#startAgain();
        if (!isWatching) this.#tellEnded(port);
        isWatching = true;
      },
      leave: () => {
        this.#seats.delete(watcher);
        this.tell({ kind: "leave", watcher });
      },
    };
  }

  get isRunning(): boolean {
    return this.#worker !== null;
  }

  /** Brings it up before anybody watches. */
  begin(): void {
    if (this.#worker === null && this.#ended === "" && !this.#isClosed) this.#start();
  }

  tell(message: ToRigThread | More): void {
    this.#worker?.postMessage(message);
  }

  #start(): void {
    this.#ended = "";
    this.#isUp = false;
    this.#silentMs = 0;
    const worker = new Worker(this.#script, {
      workerData: {
        ...this.#options.data,
        firstRun: Date.now() + this.#starts++ * runsApart,
      },
      // A terminal's descriptors are made by the system's calls, not by Node's: `onLost` is where they are let go.
      trackUnmanagedFds: false,
      resourceLimits: { maxOldGenerationSizeMb: 1024 },
    });
    this.#worker = worker;
    worker.on("message", (message: FromRigThread | Other) => {
      if (this.#worker === worker) this.#take(message);
    });
    worker.on("error", (error) => this.#end(worker, `it ended: ${wordsOf(error)}`));
    worker.on("exit", () => this.#end(worker, "its thread ended"));
    this.#timer ??= setInterval(() => this.#ask(), askEveryMs);
  }

  #startAgain(): void {
    if (this.#isClosed || this.#worker !== null) return;
    this.#start();
    for (const watcher of this.#seats.keys()) {
      this.tell({ kind: "join", watcher });
      this.tell({ kind: "take", watcher, text: '{"kind":"watch","run":0,"row":1}' });
    }
  }

  #take(given: FromRigThread | Other): void {
    this.#silentMs = 0;
    this.#isUp = true;
    if (!seatKinds.includes(given.kind)) {
      this.#options.onOther?.(given as Other);
      return;
    }
    const message = given as FromRigThread;
    if (message.kind === "pong") return;
    const port = this.#seats.get(message.watcher);
    if (message.kind === "bytes") port?.sendBytes(message.frame);
    else if (message.kind === "text") port?.sendText(message.text);
    else port?.close(message.code, message.reason);
  }

  #ask(): void {
    const worker = this.#worker;
    if (worker === null) return;
    this.#silentMs += askEveryMs;
    const limit = this.#isUp ? this.#patienceMs : startPatienceMs;
    if (this.#silentMs > limit)
      this.#end(
        worker,
        `it did not answer for ${Math.round(limit / 1000)} s: its driver or a device of it goes round in a loop`,
      );
    else this.tell({ kind: "ping" });
  }

  #end(worker: Worker, why: string): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    void worker.terminate();
    if (this.#isClosed) return;
    this.#options.onLost?.(why);
    this.#ended = `${why}. Other rigs go on; "Begin again" starts it anew.`;
    for (const port of this.#seats.values()) this.#tellEnded(port);
  }

  #tellEnded(port: WatcherPort): void {
    const state: SharedState = {
      ...plainState,
      title: this.name,
      mode: "stopped",
      note: this.#ended,
      timeNs: 0,
      boxes: [],
      acts: ["again"],
      command: "npx drydock start",
    };
    const news: RigNews = { kind: "rig", run: 0, state };
    port.sendText(JSON.stringify(news));
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    await this.#worker?.terminate();
    this.#worker = null;
  }
}

/** Paths of this machine are nobody's business beyond it. */
const wordsOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error))
    .replaceAll(/(?:file:\/\/)?(?:[A-Za-z]:)?[\\/][^\s'"]*[\\/]/g, "")
    .slice(0, 300);
