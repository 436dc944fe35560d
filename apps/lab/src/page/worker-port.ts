// The way to the session in a worker: the smallest worker that has what is opened, ended when it does not answer.

import type { FromSession, ToSession } from "../session/messages.ts";
import { deviceName, isEnded, isServerName } from "../session/opened-names.ts";
import type { SessionPort } from "./session-link.ts";

/** Scripts of the workers, by what they have: serial rigs and the server's; every rig; the casebook; the visitor's devices. */
export const workerNames = [
  "lab-worker.js",
  "lab-rig-worker.js",
  "lab-case-worker.js",
  "lab-device-worker.js",
] as const;

/** Rigs that the first worker has. A test holds them against the catalogue. */
export const lightRigs: readonly string[] = ["serial", "modem", "quad", "desk"];

export const workerOf = (what: string): number =>
  what === deviceName ? 3 : isEnded(what) ? 2 : lightRigs.includes(what) || isServerName(what) ? 0 : 1;

const askEveryMs = 1000;
/** Asked so often without an answer, a worker goes round in a loop. */
const mostUnanswered = 5;
/** Writing a file of a million rows takes its time. */
const mostWhileWriting = 60;

/** The part of a Worker that is used here. */
export interface WorkerLike {
  postMessage(message: ToSession): void;
  terminate(): void;
  addEventListener(kind: "message", take: (event: { readonly data: FromSession }) => void): void;
  addEventListener(kind: "error", take: (event: { readonly message?: string }) => void): void;
}

/** What asks again and again, until told to stop: `setInterval`, or a test's hand. */
export type Repeat = (act: () => void, everyMs: number) => () => void;

const byClock: Repeat = (act, everyMs) => {
  const timer = setInterval(act, everyMs);
  return () => clearInterval(timer);
};

export class WorkerPort implements SessionPort {
  readonly #start: (index: number) => WorkerLike;
  readonly #repeat: Repeat;
  #worker: WorkerLike | null = null;
  #index = -1;
  #take: (message: FromSession) => void = () => {};
  /** Questions without an answer; none is counted before the worker has said its first word. */
  #unanswered = 0;
  #hasSpoken = false;
  #isWriting = false;
  #stopAsking: () => void = () => {};

  constructor(start: (index: number) => WorkerLike, repeat: Repeat = byClock) {
    this.#start = start;
    this.#repeat = repeat;
  }

  onMessage(take: (message: FromSession) => void): void {
    this.#take = take;
  }

  send(message: ToSession): void {
    if (message.kind === "open") this.#use(workerOf(message.opening.what));
    if (message.kind === "file") this.#isWriting = true;
    if (this.#worker === null) this.#say("Nothing runs here any more: open a rig or a case.");
    else this.#worker.postMessage(message);
  }

  #use(index: number): void {
    if (this.#worker !== null && this.#index === index) return;
    this.#end();
    const worker = this.#start(index);
    this.#worker = worker;
    this.#index = index;
    this.#unanswered = 0;
    this.#hasSpoken = false;
    worker.addEventListener("message", ({ data }) => {
      if (this.#worker !== worker) return;
      this.#unanswered = 0;
      this.#hasSpoken = true;
      if (data.kind === "file") this.#isWriting = false;
      this.#take(data);
    });
    worker.addEventListener("error", ({ message = "it did not start" }) => {
      if (this.#worker !== worker) return;
      this.#end();
      this.#say(`The worker ended: ${message}. Open it again, or another rig.`);
    });
    this.#stopAsking = this.#repeat(() => this.#ask(), askEveryMs);
  }

  #ask(): void {
    if (this.#worker === null) return;
    const most = this.#isWriting ? mostWhileWriting : mostUnanswered;
    if (this.#hasSpoken && this.#unanswered >= most) {
      this.#end();
      this.#say(
        `It did not answer for ${most} s and was ended: its driver or a device of it goes round in a loop. Open it again, or another rig.`,
      );
      return;
    }
    this.#unanswered++;
    this.#worker.postMessage({ kind: "ping" });
  }

  #end(): void {
    this.#stopAsking();
    this.#worker?.terminate();
    this.#worker = null;
    this.#isWriting = false;
  }

  #say(text: string): void {
    this.#take({ kind: "said", text, isRefusal: true });
  }
}
