// One connection of an NBD server: its stream, and the phase it is in.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { second } from "../../base/units.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import type { BlockPool } from "../byte-arena.ts";
import type { NbdExport } from "./nbd-export.ts";
import { type NbdChoice, NbdNegotiation } from "./nbd-negotiation.ts";
import { NbdTransmission } from "./nbd-transmission.ts";

/** A client that has chosen nothing by then holds a place that others may want: as long as QEMU waits. */
const handshakeNs = 10 * second;

export interface NbdSessionOptions {
  readonly clock: Clock;
  readonly exports: ReadonlyMap<string, NbdExport>;
  readonly tls: "none" | "offer" | "require";
  /** Turns the connection into an encrypted one; null where that cannot be done. */
  readonly secure: (() => ByteStream) | null;
  readonly pool: BlockPool;
  readonly onEvent: (text: string) => void;
  /** It has chosen an export: no longer one of those that may be let go for others. */
  readonly onOpened: (session: NbdSession) => void;
  readonly onEnd: (session: NbdSession) => void;
}

export class NbdSession {
  readonly #options: NbdSessionOptions;
  #stream: ByteStream;
  #negotiation: NbdNegotiation;
  #transmission: NbdTransmission | null = null;
  #timer: TimerHandle;
  #isSecure = false;
  #isOver = false;
  /** Since when the client does not read its answers; -1: it does. */
  #fullSinceNs = -1;

  constructor(stream: ByteStream, options: NbdSessionOptions) {
    this.#options = options;
    this.#stream = stream;
    this.#negotiation = new NbdNegotiation(this.#negotiationOptions());
    this.#timer = options.clock.after(handshakeNs, () => this.end("chose no export in time"), undefined);
    stream.connect(this.#clientOf(stream));
    this.#negotiation.greet();
  }

  get fullSinceNs(): number {
    return this.#fullSinceNs;
  }

  /** Closes the connection and says why; what was answered before is still delivered. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#options.onEvent(reason);
    this.#finish();
    this.#stream.close();
  }

  /** A stream that was replaced by its encrypted form has nothing to say any more. */
  #clientOf(stream: ByteStream): ByteStreamClient {
    return {
      received: (bytes) => {
        if (stream !== this.#stream || this.#isOver) return;
        if (this.#transmission !== null) this.#transmission.received(bytes);
        else this.#negotiation.received(bytes);
      },
      drained: () => {
        if (stream === this.#stream) this.#transmission?.drained();
      },
      closed: () => {
        if (stream !== this.#stream) return;
        if (this.#isOver) {
          this.#transmission?.gone();
          return;
        }
        if (this.#transmission !== null) this.#options.onEvent("went away without saying so");
        this.#finish();
        this.#transmission?.gone();
      },
    };
  }

  #negotiationOptions() {
    const { exports, secure, tls } = this.#options;
    return {
      exports,
      tls: secure === null && tls === "offer" ? ("none" as const) : tls,
      isSecure: this.#isSecure,
      write: (bytes: Uint8Array) => {
        this.#stream.write(bytes);
      },
      onSecure: () => this.#secure(),
      onChosen: (choice: NbdChoice) => this.#begin(choice),
      onEnd: (reason: string) => this.end(reason),
    };
  }

  #secure(): void {
    const { secure } = this.#options;
    if (secure === null) {
      this.end("TLS is required, but this connection cannot be encrypted");
      return;
    }
    const { clientFlags } = this.#negotiation;
    const stream = secure();
    this.#stream = stream;
    this.#isSecure = true;
    this.#negotiation = NbdNegotiation.secured(this.#negotiationOptions(), clientFlags);
    stream.connect(this.#clientOf(stream));
  }

  #begin(choice: NbdChoice): void {
    const { clock, onEvent } = this.#options;
    clock.cancel(this.#timer);
    this.#options.onOpened(this);
    onEvent(`opened ${JSON.stringify(choice.exported.name)}${this.#isSecure ? " over TLS" : ""}`);
    const transmission = new NbdTransmission({
      stream: this.#stream,
      exported: choice.exported,
      isStructured: choice.isStructured,
      hasAllocation: choice.hasAllocation,
      pool: this.#options.pool,
      onFull: (isFull) => {
        this.#fullSinceNs = isFull ? clock.nowNs() : -1;
      },
      onEnd: (reason) => this.end(reason),
    });
    this.#transmission = transmission;
    if (choice.rest.length > 0) transmission.received(choice.rest);
  }

  #finish(): void {
    this.#isOver = true;
    this.#options.clock.cancel(this.#timer);
    this.#transmission?.over();
    this.#options.onEnd(this);
  }
}
