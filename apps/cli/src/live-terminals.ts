// The serial ports of a live machine as pseudo-terminals: opened when a port appears, hung up when it goes.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import { TerminalOutlet } from "@drydock/core/outlets/serial/terminal-outlet";
import type { Machine } from "@drydock/core/runtime/machine";
import { openPty, type Pty } from "@drydock/node/pty";

export const talk = (text: string): void => {
  process.stderr.write(`${text}\n`);
};

export class LiveTerminals {
  readonly #terminals = new Map<IOSerialBSDClient, Pty>();
  readonly #numbers = new Map<string, number>();
  readonly #link: string | undefined;
  readonly #isJson: boolean;

  /** `link` is a stable name for the first terminal; with `json` the first port is one document on stdout. */
  constructor(machine: Machine, options: { readonly link?: string; readonly json?: boolean }) {
    this.#link = options.link;
    this.#isJson = options.json === true;
    machine.onRegistered((service) => {
      if (service instanceof IOSerialBSDClient) this.#open(service);
    });
    machine.onGone((service) => {
      if (service instanceof IOSerialBSDClient) this.#terminals.get(service)?.hangUp();
    });
  }

  /** How many ports have appeared so far. */
  get count(): number {
    return this.#terminals.size;
  }

  close(): void {
    for (const pty of this.#terminals.values()) pty.hangUp();
  }

  #open(service: IOSerialBSDClient): void {
    const isFirst = this.#terminals.size === 0;
    // A device that comes back gets its old name back.
    const number = this.#numbers.get(service.name) ?? this.#numbers.size;
    this.#numbers.set(service.name, number);
    const link =
      this.#link === undefined
        ? `${join(tmpdir(), "drydock-tty")}${number}`
        : `${this.#link}${number === 0 ? "" : number}`;
    const pty = openPty({ link });
    this.#terminals.set(service, pty);
    new TerminalOutlet(service, pty, (text) => talk(`  ${text}`));
    talk(
      `\n  port      ${service.name}\n  terminal  ${pty.name}${pty.name === pty.path ? "" : `  (${pty.path})`}`,
    );
    talk(`  try       picocom -b 115200 ${pty.name}`);
    if (this.#isJson && isFirst) {
      process.stdout.write(
        `${JSON.stringify({ ports: [{ name: service.name, terminal: pty.path, link: pty.name }] })}\n`,
      );
    }
  }
}

/** The kernel's log of a live machine, as it grows. */
export function liveLog(
  machine: Machine,
  format: (row: ReturnType<Machine["log"]["show"]>[number]) => string,
): () => void {
  let shown = 0;
  return () => {
    const rows = machine.log.show({ info: true });
    for (const row of rows.slice(shown)) talk(`  ${format(row)}`);
    shown = rows.length;
  };
}

/** Ends with a code: after `seconds`, or at Ctrl-C. Answers how to end it from elsewhere, and how to disarm it. */
export function endings(
  seconds: number | undefined,
  stop: (code: "pass" | "interrupted") => void,
): { disarm(): void } {
  if (seconds !== undefined && !(seconds > 0))
    throw new RangeError("--for takes a number of seconds above 0");
  const interrupt = (): void => stop("interrupted");
  process.once("SIGINT", interrupt);
  process.once("SIGTERM", interrupt);
  const timer = seconds === undefined ? null : setTimeout(() => stop("pass"), seconds * 1000);
  return {
    disarm: () => {
      process.off("SIGINT", interrupt);
      process.off("SIGTERM", interrupt);
      if (timer !== null) clearTimeout(timer);
    },
  };
}
