// A qtest client: requests in a row, answers in the same order, interrupts in between, and a QEMU that may die.

import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeQtestLine } from "../../codec/qtest/qtest.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { LineStream } from "./line-stream.ts";

/** Told the answer: 64 bits in two halves. Not told when QEMU has died: `onDead` says that once for all. */
export type Answer = (low: number, high: number) => void;

/** QEMU answers at once; one that is silent for so long is as good as dead, whatever it does. */
const silenceNs = 10_000_000_000;
/** While something is unanswered it is looked at so often. */
const lookNs = 500_000_000;
/** One that sleeps with a request before it is named after so long: a disk may be slow. A stopped one after a second. */
const idleNs = 2_000_000_000;

/** What QEMU's process does, as the system tells; `unknown` where it does not. */
export type QemuCondition = "working" | "asleep" | "stopped" | "gone" | "unknown";

const conditionWords: Readonly<Record<"asleep" | "stopped" | "gone", string>> = {
  asleep: "its process sleeps and does nothing",
  stopped: "its process has been stopped by a signal",
  gone: "its process has ended",
};

export class QtestClient {
  /** Set by who watches interrupts. */
  onInterrupt: ((line: number, isRaised: boolean) => void) | null = null;
  readonly #lines: LineStream;
  readonly #clock: Clock;
  readonly #waiting: { readonly request: string; readonly answer: Answer | null }[] = [];
  #head = 0;
  #deadReason: string | null = null;
  readonly #onDead: (reason: string) => void;
  readonly #condition: () => QemuCondition;
  #watch = 0;
  #answered = 0;
  /** Looks since the last answer, and how many of them in a row found it doing nothing. */
  #looks = 0;
  #idleLooks = 0;
  #seen = 0;
  readonly #rejects = new Set<(error: Error) => void>();

  /** `condition` is asked while an answer is late; left out, only the time counts. */
  constructor(
    stream: ByteStream,
    clock: Clock,
    onDead: (reason: string) => void,
    condition: () => QemuCondition = () => "unknown",
  ) {
    this.#onDead = onDead;
    this.#condition = condition;
    this.#clock = clock;
    this.#lines = new LineStream(
      stream,
      {
        line: (text) => this.#line(text),
        closed: (reason) => this.die(`QEMU is gone: ${reason}`),
      },
      // What is sent at one instant leaves in one piece.
      (flush) => void clock.after(0, flush, undefined),
    );
  }

  get isDead(): boolean {
    return this.#deadReason !== null;
  }

  /** Why it died; null while it lives. */
  get deadReason(): string | null {
    return this.#deadReason;
  }

  /** Requests without an answer. */
  get pending(): number {
    return this.#waiting.length - this.#head;
  }

  send(request: string, answer: Answer | null = null): void {
    if (this.#deadReason !== null) return;
    this.#waiting.push({ request, answer });
    this.#lines.send(request);
    if (this.#watch === 0) this.#setWatch();
  }

  /** Promise form, for code outside the machine. Rejects when QEMU dies. */
  ask(request: string): Promise<{ low: number; high: number }> {
    return new Promise((resolve, reject) => {
      if (this.#deadReason !== null) {
        reject(new Error(this.#deadReason));
        return;
      }
      this.#rejects.add(reject);
      this.send(request, (low, high) => {
        this.#rejects.delete(reject);
        resolve({ low, high });
      });
    });
  }

  /** Ends everything: the process has gone, or said nonsense. */
  die(reason: string): void {
    if (this.#deadReason !== null) return;
    this.#deadReason = reason;
    this.#clock.cancel(this.#watch);
    this.#waiting.length = 0;
    this.#head = 0;
    for (const reject of this.#rejects) reject(new Error(reason));
    this.#rejects.clear();
    this.#lines.close();
    this.#onDead(reason);
  }

  #line(text: string): void {
    if (this.#deadReason !== null) return;
    try {
      const line = decodeQtestLine(text);
      if (line.kind === "irq") {
        this.onInterrupt?.(line.line, line.isRaised);
        return;
      }
      const waiting = this.#waiting[this.#head];
      if (waiting === undefined) {
        this.die("QEMU answered what nobody asked");
        return;
      }
      this.#head++;
      if (this.#head > 1024) {
        this.#waiting.splice(0, this.#head);
        this.#head = 0;
      }
      this.#answered++;
      if (line.kind === "fail") this.die(`QEMU refused "${waiting.request}": ${line.text}`);
      else waiting.answer?.(line.low, line.high);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.die(`QEMU's answer makes no sense: ${error.message}`);
    }
  }

  #setWatch(): void {
    this.#seen = this.#answered;
    this.#looks = 0;
    this.#idleLooks = 0;
    this.#watch = this.#clock.after(lookNs, look, this as QtestClient);
  }

  /** Called by the clock while requests wait. */
  look(): void {
    this.#watch = 0;
    if (this.#deadReason !== null || this.pending === 0) return;
    if (this.#answered !== this.#seen) {
      this.#setWatch();
      return;
    }
    this.#looks++;
    const condition = this.#condition();
    const isIdle = condition === "asleep" || condition === "stopped" || condition === "gone";
    this.#idleLooks = isIdle ? this.#idleLooks + 1 : 0;
    const silentNs = this.#looks * lookNs;
    if (isIdle && (condition !== "asleep" || this.#idleLooks * lookNs >= idleNs) && silentNs >= 2 * lookNs)
      this.#silent(silentNs, `: ${conditionWords[condition]}`);
    else if (silentNs >= silenceNs) this.#silent(silentNs, "");
    else this.#watch = this.#clock.after(lookNs, look, this as QtestClient);
  }

  #silent(ns: number, why: string): void {
    this.die(`QEMU has not answered "${this.#waiting[this.#head].request}" for ${ns / 1e9} s${why}`);
  }
}

function look(client: QtestClient): void {
  client.look();
}
