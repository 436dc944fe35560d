// QMP, QEMU's control protocol: commands and events as lines of JSON.

import type { Clock } from "../../base/clock.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { LineStream } from "./line-stream.ts";

export interface QmpEvent {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

interface Waiting {
  readonly command: string;
  readonly resolve: (value: unknown) => void;
  readonly reject: (error: Error) => void;
}

/** Speaks as soon as the greeting has come; commands given before wait for it. */
export class QmpClient {
  readonly events: QmpEvent[] = [];
  readonly #lines: LineStream;
  readonly #waiting: Waiting[] = [];
  readonly #queue: string[] = [];
  #isReady = false;
  #deadReason: string | null = null;

  constructor(stream: ByteStream, clock: Clock) {
    this.#lines = new LineStream(
      stream,
      { line: (text) => this.#line(text), closed: (reason) => this.#die(`QMP: ${reason}`) },
      (flush) => void clock.after(0, flush, undefined),
    );
  }

  /** The command's return value. Rejects with QEMU's own words, or when QEMU is gone. */
  execute(command: string, args: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#deadReason !== null) {
        reject(new Error(this.#deadReason));
        return;
      }
      this.#waiting.push({ command, resolve, reject });
      const line = JSON.stringify({ execute: command, arguments: args });
      if (this.#isReady) this.#lines.send(line);
      else this.#queue.push(line);
    });
  }

  /** The human monitor's commands, for what QMP lacks: AER injection, qemu-io. */
  async human(command: string): Promise<string> {
    return String(await this.execute("human-monitor-command", { "command-line": command }));
  }

  #line(text: string): void {
    let message: unknown;
    try {
      message = JSON.parse(text);
    } catch {
      this.#die("QMP: a line that is not JSON");
      return;
    }
    if (typeof message !== "object" || message === null) return;
    const fields = message as Record<string, unknown>;
    if ("QMP" in fields) {
      this.#lines.send('{"execute":"qmp_capabilities"}');
      this.#waiting.unshift({ command: "qmp_capabilities", resolve: () => this.#ready(), reject: () => {} });
      return;
    }
    if (typeof fields.event === "string") {
      const data = (fields.data ?? {}) as Record<string, unknown>;
      const event = { name: fields.event, data };
      this.events.push(event);
      if (this.events.length > 1000) this.events.shift();
      return;
    }
    const waiting = this.#waiting.shift();
    if (waiting === undefined) return;
    if ("return" in fields) waiting.resolve(fields.return);
    else {
      const error = fields.error as { desc?: string } | undefined;
      waiting.reject(new Error(`QMP ${waiting.command}: ${error?.desc ?? "refused"}`));
    }
  }

  #ready(): void {
    this.#isReady = true;
    for (const line of this.#queue.splice(0)) this.#lines.send(line);
  }

  #die(reason: string): void {
    if (this.#deadReason !== null) return;
    this.#deadReason = reason;
    for (const { reject } of this.#waiting.splice(0)) reject(new Error(reason));
  }
}
