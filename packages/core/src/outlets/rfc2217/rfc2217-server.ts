// Offers a serial port to RFC 2217 clients over byte streams: one at a time, as a port has one user.

import type { Clock } from "../../base/clock.ts";
import { encodeUtf8 } from "../../base/text.ts";
import { second } from "../../base/units.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import type { SerialPort } from "../../ports/serial.ts";
import { Rfc2217Session } from "./rfc2217-session.ts";
import { WaitingClient } from "./waiting-client.ts";

export interface Rfc2217ServerOptions {
  readonly clock: Clock;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
}

/** So long a newcomer may think of something to say, where nobody has said anything yet. */
const waitingNs = 1 * second;
/** So many newcomers wait at once; beyond these the oldest is turned away. */
const waitingMaximum = 256;
const taken = "another client has it";

/**
 * Give `accept` every connection. Several ports are several servers. A client that has said nothing yet has the port until
 * another one says something: who only holds a connection keeps nobody out.
 */
export class Rfc2217Server {
  readonly #port: SerialPort;
  readonly #clock: Clock;
  readonly #onEvent: (text: string) => void;
  #session: Rfc2217Session | null = null;
  /** By newcomer, how it is called. */
  readonly #waiting = new Map<WaitingClient, string>();

  constructor(port: SerialPort, options: Rfc2217ServerOptions) {
    this.#port = port;
    this.#clock = options.clock;
    this.#onEvent = options.onEvent ?? (() => {});
  }

  get isInUse(): boolean {
    return this.#session !== null;
  }

  /** Serves one connection until it closes; while somebody uses the port, others are told so in words. */
  accept(stream: ByteStream, peer = "a client"): void {
    const holder = this.#session;
    if (holder === null) {
      const refusal = this.#open(stream, peer);
      if (refusal === null) return;
      stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
      this.#refuse(stream, peer, refusal);
    } else if (holder.hasSpoken) {
      stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
      this.#refuse(stream, peer, taken);
    } else this.#let(stream, peer);
  }

  /** Ends the connection, if there is one. */
  close(): void {
    for (const [client, peer] of this.#waiting) this.#refuse(client, peer, "the port closes");
    this.#waiting.clear();
    this.#session?.end();
  }

  /** Null when it has the port; else why not. */
  #open(stream: ByteStream, peer: string): string | null {
    const session = Rfc2217Session.open(this.#port, stream, {
      clock: this.#clock,
      onEvent: (text) => this.#onEvent(`${peer} ${text}`),
      onEnd: () => {
        this.#session = null;
      },
    });
    if (typeof session === "string") return session;
    this.#session = session;
    this.#onEvent(`${peer} opened ${this.#port.name}`);
    return null;
  }

  #let(stream: ByteStream, peer: string): void {
    const [oldest] = this.#waiting;
    if (this.#waiting.size >= waitingMaximum && oldest !== undefined) this.#turnAway(oldest[0]);
    const client = new WaitingClient(
      stream,
      (self) => this.#takeOver(self),
      (self) => this.#waiting.delete(self),
    );
    this.#waiting.set(client, peer);
    this.#clock.after(waitingNs, this.#turnAway, client);
  }

  readonly #turnAway = (client: WaitingClient): void => {
    const peer = this.#waiting.get(client);
    if (peer === undefined) return;
    this.#waiting.delete(client);
    this.#refuse(client, peer, taken);
  };

  /** It was first to say something, unless somebody was quicker. */
  #takeOver(client: WaitingClient): void {
    const peer = this.#waiting.get(client);
    if (peer === undefined) return;
    this.#waiting.delete(client);
    if (this.#session?.hasSpoken === true) {
      this.#refuse(client, peer, taken);
      return;
    }
    this.#session?.end("had said nothing, and makes room for one that does");
    const refusal = this.#open(client, peer);
    if (refusal === null) client.handOver();
    else this.#refuse(client, peer, refusal);
  }

  #refuse(stream: ByteStream, peer: string, reason: string): void {
    this.#onEvent(`${peer} was turned away: ${reason}`);
    stream.write(encodeUtf8(`${this.#port.name}: ${reason}\r\n`));
    stream.close();
  }
}
