// The serial ports of a live machine as pseudo-terminals: opened when a port appears, hung up when it goes.

import { tmpdir } from "node:os";
import { join } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import { TerminalOutlet } from "@drydock/core/outlets/serial/terminal-outlet";
import type { Machine } from "@drydock/core/runtime/machine";
import { openPty, type Pty } from "@drydock/node/pty";
import { systemWords } from "@drydock/node/system-words";
import { TerminalLinkTaken } from "@drydock/node/terminal-link";
import { holdUntilEnd } from "../grammar/held-claims.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { shellWord } from "../terminal/shell-word.ts";
import type { LiveRfc2217 } from "./live-rfc2217.ts";

/** Where a port is found. */
interface PortPlace {
  readonly name: string;
  terminal?: string;
  link?: string;
  rfc2217?: { readonly host: string; readonly port: number };
}

/** What a terminal is made of: who ends a thread that has one lets go of it. */
export interface TerminalMade {
  readonly path: string;
  readonly link: string | null;
  readonly descriptors: readonly number[];
}

/** Names that are tried in the temporary folder before a terminal goes without one. */
const mostNames = 1000;

export class LiveTerminals {
  readonly #terminals = new Map<IOSerialBSDClient, Pty | null>();
  /** By the name of the port. */
  readonly #links = new Map<string, string>();
  readonly #link: string | undefined;
  readonly #isJson: boolean;
  /** How many ports the document names. */
  readonly #expected: number;
  readonly #network: LiveRfc2217 | null;
  readonly #described: PortPlace[] = [];
  readonly #io: CommandIo;
  readonly #onTerminal: (made: TerminalMade, isThere: boolean) => void;

  /**
   * `link` is a stable name for the first terminal; with `json` the first ports (`expected`, default 1) are one document on
   * stdout. With a `network` each port is an RFC 2217 server too.
   */
  constructor(
    machine: Machine,
    options: {
      readonly link?: string;
      readonly json: boolean;
      readonly expected?: number;
      readonly network?: LiveRfc2217 | null;
      /** Told of each that is made, and of each that has been let go. */
      readonly onTerminal?: (made: TerminalMade, isThere: boolean) => void;
    },
    io: CommandIo,
  ) {
    this.#expected = options.expected ?? 1;
    this.#network = options.network ?? null;
    this.#onTerminal = options.onTerminal ?? (() => {});
    this.#link = options.link;
    this.#isJson = options.json;
    this.#io = io;
    // However the command ends: no link is left that leads nowhere.
    holdUntilEnd(() => this.close());
    machine.onRegistered((service) => {
      if (service instanceof IOSerialBSDClient) this.#open(service);
    });
    machine.onGone((service) => {
      if (!(service instanceof IOSerialBSDClient)) return;
      const pty = this.#terminals.get(service) ?? null;
      if (pty !== null) {
        pty.hangUp();
        this.#onTerminal(madeOf(pty), false);
      }
      this.#network?.gone(service);
    });
  }

  /** How many ports have appeared so far. */
  get count(): number {
    return this.#terminals.size;
  }

  close(): void {
    for (const pty of this.#terminals.values()) pty?.hangUp();
  }

  #open(service: IOSerialBSDClient): void {
    const io = this.#io;
    const place: PortPlace = { name: service.name };
    const number = this.#described.push(place);
    io.say(`\n  port      ${shown(service.name)}`);
    const pty = this.#openTerminal(service.name);
    this.#terminals.set(service, pty);
    if (pty !== null) {
      this.#onTerminal(madeOf(pty), true);
      new TerminalOutlet(service, pty, (text) => io.event(`  ${text}`));
      const path = pty.name === pty.path ? "" : `  (${pty.path})`;
      io.say(`  terminal  ${shown(pty.name)}${path}`);
      io.say(`  try       picocom -b 115200 ${shellWord(pty.name)}`);
      place.terminal = pty.path;
      place.link = pty.name;
    }
    if (this.#network === null) this.#describe(number);
    else void this.#offer(this.#network, service, place, number);
  }

  async #offer(
    network: LiveRfc2217,
    service: IOSerialBSDClient,
    place: PortPlace,
    number: number,
  ): Promise<void> {
    try {
      place.rfc2217 = await network.open(service);
      const { host, port } = place.rfc2217;
      this.#io.say(`  ${shown(service.name)} is rfc2217://${host}:${port}`);
    } catch (error) {
      this.#io.event(`drydock: ${error instanceof Error ? error.message : String(error)}`);
    }
    this.#describe(number);
  }

  #describe(number: number): void {
    if (!this.#isJson || number !== this.#expected) return;
    this.#io.document({ ports: this.#described.slice(0, number) }, "line");
  }

  /** Without pseudo-terminals the network is enough, if there is one. */
  #openTerminal(port: string): Pty | null {
    try {
      return this.#openPty(port);
    } catch (error) {
      if (this.#network === null) throw error;
      this.#io.event(`drydock: no terminal: ${error instanceof Error ? error.message : String(error)}`);
      return null;
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
        if (own === undefined && this.#link === undefined && error.cause === undefined) continue;
        const why = error.cause === undefined ? "" : `: ${systemWords(error.cause)}`;
        this.#io.event(`drydock: the terminal gets no link: ${shown(link)} ${error.message}${why}`);
        break;
      }
    }
    return openPty();
  }
}

const madeOf = (pty: Pty): TerminalMade => ({
  path: pty.path,
  link: pty.name === pty.path ? null : pty.name,
  descriptors: pty.descriptors,
});

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
