// Offers a serial port to RFC 2217 clients over byte streams: one at a time, as a port has one user.

import type { Clock } from "../../base/clock.ts";
import { encodeUtf8 } from "../../base/text.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import type { SerialPort } from "../../ports/serial.ts";
import { Rfc2217Session } from "./rfc2217-session.ts";

export interface Rfc2217ServerOptions {
  readonly clock: Clock;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
}

/** Give `accept` every connection. Several ports are several servers. */
export class Rfc2217Server {
  readonly #port: SerialPort;
  readonly #clock: Clock;
  readonly #onEvent: (text: string) => void;
  #session: Rfc2217Session | null = null;

  constructor(port: SerialPort, options: Rfc2217ServerOptions) {
    this.#port = port;
    this.#clock = options.clock;
    this.#onEvent = options.onEvent ?? (() => {});
  }

  get isInUse(): boolean {
    return this.#session !== null;
  }

  /** Serves one connection until it closes; a second one is told in words that somebody has the port. */
  accept(stream: ByteStream, peer = "a client"): void {
    const refusal = this.#session === null ? null : "another client has it";
    const session: Rfc2217Session | string =
      refusal ??
      Rfc2217Session.open(this.#port, stream, {
        clock: this.#clock,
        onEvent: (text) => this.#onEvent(`${peer} ${text}`),
        onEnd: () => {
          this.#session = null;
        },
      });
    if (typeof session !== "string") {
      this.#session = session;
      this.#onEvent(`${peer} opened ${this.#port.name}`);
      return;
    }
    this.#onEvent(`${peer} was turned away: ${session}`);
    stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
    stream.write(encodeUtf8(`${this.#port.name}: ${session}\r\n`));
    stream.close();
  }

  /** Ends the connection, if there is one. */
  close(): void {
    this.#session?.end();
  }
}
