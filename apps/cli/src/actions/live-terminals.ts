// The serial ports of a live machine as pseudo-terminals: opened when a port appears, hung up when it goes.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import { TerminalOutlet } from "@drydock/core/outlets/serial/terminal-outlet";
import type { Machine } from "@drydock/core/runtime/machine";
import { openPty, type Pty } from "@drydock/node/pty";
import { TerminalLinkTaken } from "@drydock/node/terminal-link";
import type { CommandIo } from "../terminal/command-io.ts";
import { shellWord } from "../terminal/shell-word.ts";
import { systemWords } from "../terminal/system-words.ts";

/** Names that are tried in the temporary folder before a terminal goes without one. */
const mostNames = 1000;

export class LiveTerminals {
  readonly #terminals = new Map<IOSerialBSDClient, Pty>();
  /** By the name of the port. */
  readonly #links = new Map<string, string>();
  readonly #link: string | undefined;
  readonly #isJson: boolean;
  readonly #io: CommandIo;

  /** `link` is a stable name for the first terminal; with `json` the first port is one document on stdout. */
  constructor(machine: Machine, options: { readonly link?: string; readonly json: boolean }, io: CommandIo) {
    this.#link = options.link;
    this.#isJson = options.json;
    this.#io = io;
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
    const pty = this.#openPty(service.name);
    this.#terminals.set(service, pty);
    const io = this.#io;
    new TerminalOutlet(service, pty, (text) => io.event(`  ${text}`));
    const path = pty.name === pty.path ? "" : `  (${pty.path})`;
    io.say(`\n  port      ${shown(service.name)}\n  terminal  ${shown(pty.name)}${path}`);
    io.say(`  try       picocom -b 115200 ${shellWord(pty.name)}`);
    if (this.#isJson && isFirst) {
      io.document({ ports: [{ name: service.name, terminal: pty.path, link: pty.name }] }, "line");
    }
  }

  /** With the name that the port had before, or the next one that is free. */
  #openPty(port: string): Pty {
    const own = this.#links.get(port);
    for (let number = this.#links.size; number < mostNames; number++) {
      const link =
        own ??
        (this.#link === undefined
          ? `${join(tmpdir(), "drydock-tty")}${number}`
          : `${this.#link}${number === 0 ? "" : number}`);
      try {
        const pty = openPty({ link });
        this.#links.set(port, link);
        return pty;
      } catch (error) {
        if (!(error instanceof TerminalLinkTaken)) throw error;
        // A name that nobody asked for is as good as the next one.
        if (own === undefined && this.#link === undefined) continue;
        const why = error.cause === undefined ? "" : `: ${systemWords(error.cause)}`;
        this.#io.event(`drydock: the terminal gets no link: ${shown(link)} ${error.message}${why}`);
        break;
      }
    }
    return openPty();
  }
}

/** The kernel's log of a live machine, as it grows. */
export function liveLog(
  machine: Machine,
  io: CommandIo,
  format: (row: ReturnType<Machine["log"]["show"]>[number]) => string,
): () => void {
  let told = 0;
  return () => {
    const rows = machine.log.show({ info: true });
    for (const row of rows.slice(told)) io.event(`  ${format(row)}`);
    told = rows.length;
  };
}
