// A qtest client: requests in a row, answers in the same order, interrupts in between, and a QEMU that may die.

import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { decodeQtestLine } from "../../codec/qtest/qtest.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { LineStream } from "./line-stream.ts";

/** Told the answer: 64 bits in two halves. Not told when QEMU has died: `onDead` says that once for all. */
export type Answer = (low: number, high: number) => void;

/** QEMU answers at once; one that is silent for so long is as good as dead. */
const silenceNs = 10_000_000_000;

export class QtestClient {
  /** Set by who watches interrupts. */
  onInterrupt: ((line: number, isRaised: boolean) => void) | null = null;
  readonly #lines: LineStream;
  readonly #clock: Clock;
  readonly #waiting: { readonly request: string; readonly answer: Answer | null }[] = [];
  #head = 0;
  #deadReason: string | null = null;
  readonly #onDead: (reason: string) => void;
  #watch = 0;
  #answered = 0;
  readonly #rejects = new Set<(error: Error) => void>();

  constructor(stream: ByteStream, clock: Clock, onDead: (reason: string) => void) {
    this.#onDead = onDead;
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
    const before = this.#answered;
    this.#watch = this.#clock.after(
      silenceNs,
      () => {
        this.#watch = 0;
        if (this.#deadReason !== null || this.pending === 0) return;
        if (this.#answered === before)
          this.die(`QEMU has not answered "${this.#waiting[this.#head].request}" for ${silenceNs / 1e9} s`);
        else this.#setWatch();
      },
      undefined,
    );
  }
}
