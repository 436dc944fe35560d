// An NBD server: offers disks by name to whoever connects.

import type { Clock } from "../../base/clock.ts";
import type { BlockPort } from "../../ports/block.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import { NbdExport, type NbdExportOptions } from "./nbd-export.ts";
import { NbdSession } from "./nbd-session.ts";

export interface NbdServerOptions {
  readonly clock: Clock;
  /**
   * `offer`: clients may encrypt, where the listener can. `require`: nothing but STARTTLS is answered before. Default
   * `none`.
   */
  readonly tls?: "none" | "offer" | "require";
  /** Connections at once. Default 64; each takes at most about 8 MiB. */
  readonly sessionMaximum?: number;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
}

const defaultSessionMaximum = 64;

/**
 * Give `attach` every disk that appears and `accept` every connection. Speaks the fixed newstyle handshake with LIST,
 * INFO, GO, EXPORT_NAME, ABORT, STARTTLS, structured replies and base:allocation; READ, WRITE, FLUSH, TRIM,
 * WRITE_ZEROES and BLOCK_STATUS with FUA, DF and NO_HOLE. CACHE, RESIZE, fast zeroes and extended headers are refused.
 */
export class NbdServer {
  readonly #options: NbdServerOptions;
  readonly #exports = new Map<string, NbdExport>();
  readonly #sessions = new Set<NbdSession>();

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
    const exported = new NbdExport(name, port, options, (self) => {
      if (this.#exports.get(name) === self) this.#exports.delete(name);
      this.#event(`${JSON.stringify(name)} left`);
    });
    this.#exports.set(name, exported);
    return exported;
  }

  /** Serves one connection until it closes. `secure` turns the stream into its encrypted form. */
  accept(stream: ByteStream, peer = "a client", secure: (() => ByteStream) | null = null): void {
    const most = this.#options.sessionMaximum ?? defaultSessionMaximum;
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
      onEvent: (text) => this.#event(`${peer}: ${text}`),
      onEnd: (self) => this.#sessions.delete(self),
    });
    this.#sessions.add(session);
  }

  /** Ends every connection; disks stay attached. */
  close(): void {
    for (const session of [...this.#sessions]) session.end("the server stops");
  }

  #event(text: string): void {
    this.#options.onEvent?.(text);
  }
}
