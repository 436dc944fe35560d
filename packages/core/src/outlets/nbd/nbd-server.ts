// An NBD server: offers disks by name to whoever connects.

import type { Clock } from "../../base/clock.ts";
import { millisecond, second } from "../../base/units.ts";
import type { BlockPort } from "../../ports/block.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { BlockPool } from "../byte-arena.ts";
import { NbdExport, type NbdExportOptions } from "./nbd-export.ts";
import { NbdSession } from "./nbd-session.ts";
import { nbdArenaBlockBytes } from "./nbd-transmission.ts";

export interface NbdServerOptions {
  readonly clock: Clock;
  /**
   * `offer`: clients may encrypt, where the listener can. `require`: nothing but STARTTLS is answered before. Default
   * `none`.
   */
  readonly tls?: "none" | "offer" | "require";
  /** Connections at once. Default 4096: memory is bounded for all of them together. */
  readonly sessionMaximum?: number;
  /** Of these, so many may be in their handshake. Default 1024; beyond that the oldest of them is let go. */
  readonly handshakeMaximum?: number;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
}

const defaultSessionMaximum = 4096;
const defaultHandshakeMaximum = 1024;
/** Blocks of a mebibyte for payloads and replies of all connections, and how many are kept for later. */
const blockMaximum = 32;
const blocksKept = 8;
/** Who has not read its answers for so long is let go when others wait for its memory. */
const stuckNs = 1 * second;
/** How often that is looked at while somebody waits, and how many go each time: what they leave is work for others. */
const reliefNs = 50 * millisecond;
const reliefMaximum = 2;

/**
 * Give `attach` every disk that appears and `accept` every connection. Speaks the fixed newstyle handshake with LIST,
 * INFO, GO, EXPORT_NAME, ABORT, STARTTLS, structured replies and base:allocation; READ, WRITE, FLUSH, TRIM,
 * WRITE_ZEROES and BLOCK_STATUS with FUA, DF and NO_HOLE. CACHE, RESIZE, fast zeroes and extended headers are refused.
 */
export class NbdServer {
  readonly #options: NbdServerOptions;
  readonly #exports = new Map<string, NbdExport>();
  readonly #sessions = new Set<NbdSession>();
  /** Those that have chosen no export yet, in the order they came. */
  readonly #handshaking = new Set<NbdSession>();
  readonly #pool = new BlockPool(nbdArenaBlockBytes, blockMaximum, blocksKept, () => this.#relieve());
  #isRelieving = false;

  constructor(options: NbdServerOptions) {
    this.#options = options;
  }

  /** Disks that can be opened now, by name, in the order they came. */
  get exports(): ReadonlyMap<string, NbdExport> {
    return this.#exports;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Offers a disk until it leaves. Throws RangeError when a disk of this name is offered already. */
  attach(name: string, port: BlockPort, options: NbdExportOptions = {}): NbdExport {
    if (this.#exports.has(name))
      throw new RangeError(`a disk is exported as ${JSON.stringify(name)} already`);
    const exported = new NbdExport(name, port, options, this.#options.clock, (self) => {
      if (this.#exports.get(name) === self) this.#exports.delete(name);
      this.#event(`${JSON.stringify(name)} left`);
    });
    this.#exports.set(name, exported);
    return exported;
  }

  /** Serves one connection until it closes. `secure` turns the stream into its encrypted form. */
  accept(stream: ByteStream, peer = "a client", secure: (() => ByteStream) | null = null): void {
    const most = this.#options.sessionMaximum ?? defaultSessionMaximum;
    const mostSilent = this.#options.handshakeMaximum ?? defaultHandshakeMaximum;
    // Places are for sessions: who has not got as far makes room for who comes now.
    if (this.#sessions.size >= most || this.#handshaking.size >= mostSilent) {
      const [oldest] = this.#handshaking;
      oldest?.end("was let go for a newer connection: it had opened nothing yet");
    }
    if (this.#sessions.size >= most) {
      this.#event(`${peer} was turned away: ${most} connections are open`);
      stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
      stream.close();
      return;
    }
    const session = new NbdSession(stream, {
      clock: this.#options.clock,
      exports: this.#exports,
      tls: this.#options.tls ?? "none",
      secure,
      pool: this.#pool,
      onOpened: (self) => this.#handshaking.delete(self),
      onEvent: (text) => this.#event(`${peer}: ${text}`),
      onEnd: (self) => {
        this.#sessions.delete(self);
        this.#handshaking.delete(self);
      },
    });
    this.#sessions.add(session);
    this.#handshaking.add(session);
  }

  /** Ends every connection; disks stay attached. */
  close(): void {
    for (const session of [...this.#sessions]) session.end("the server stops");
  }

  /** Somebody waits for memory: whoever sits on it, and does not read what it asked for, is let go. */
  #relieve(): void {
    if (this.#isRelieving) return;
    this.#isRelieving = true;
    this.#options.clock.after(reliefNs, this.#lookForStuck, undefined);
  }

  readonly #lookForStuck = (): void => {
    this.#isRelieving = false;
    if (!this.#pool.isShort) return;
    const longAgoNs = this.#options.clock.nowNs() - stuckNs;
    let left = reliefMaximum;
    for (const session of this.#sessions)
      if (session.fullSinceNs >= 0 && session.fullSinceNs <= longAgoNs && left-- > 0)
        session.end("was let go: it does not read its answers, and others wait");
    if (this.#pool.isShort) this.#relieve();
  };

  #event(text: string): void {
    this.#options.onEvent?.(text);
  }
}
