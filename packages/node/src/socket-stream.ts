// TCP sockets as the byte streams that core's protocol machines speak through.

import { connect, createServer, type Server, type Socket } from "node:net";
import type { ByteStream, ByteStreamClient } from "@drydock/core/ports/byte-stream";

/** Bytes that may wait in a socket before `write` answers false. */
const highWater = 1 << 20;
const keepAliveMs = 10_000;

/** Who runs what a socket has to tell: a scheduler, whose steps it becomes. */
export interface StepTaker {
  ready<T>(run: (argument: T) => void, argument: T): void;
}

/** Calls in order, as steps of a scheduler, which would choose any order by itself. */
class OrderedSteps {
  readonly #taker: StepTaker;
  readonly #calls: (() => void)[] = [];
  #isAsked = false;

  constructor(taker: StepTaker) {
    this.#taker = taker;
  }

  readonly run = (call: () => void): void => {
    this.#calls.push(call);
    if (this.#isAsked) return;
    this.#isAsked = true;
    this.#taker.ready(this.#drain, undefined);
  };

  readonly #drain = (): void => {
    this.#isAsked = false;
    for (const call of this.#calls.splice(0)) call();
  };
}

const atOnce = (call: () => void): void => call();

/** One socket, connected or connecting. Small writes of one turn leave in one packet; Nagle's delay is off. */
export class SocketStream implements ByteStream {
  readonly #socket: Socket;
  readonly #tell: (call: () => void) => void;
  #client: ByteStreamClient | null = null;
  #isClosed = false;
  #isCorked = false;
  #isWaiting = false;
  /** Why it ended, when it did not end by itself. */
  problem: string | null = null;

  /** With `steps`, everything the client hears comes as a step of that scheduler. */
  constructor(socket: Socket, steps: StepTaker | null = null) {
    this.#socket = socket;
    this.#tell = steps === null ? atOnce : new OrderedSteps(steps).run;
    socket.setNoDelay(true);
    // A peer whose machine has gone is noticed in the end.
    socket.setKeepAlive(true, keepAliveMs);
    socket.pause();
    socket.on("error", (error) => {
      this.problem = error.message;
    });
    socket.on("close", () => {
      this.#isClosed = true;
      this.#tell(() => this.#client?.closed());
    });
    socket.on("drain", () => {
      if (!this.#isWaiting) return;
      this.#isWaiting = false;
      this.#tell(() => this.#client?.drained());
    });
    // Half-open connections are of no use to any protocol here.
    socket.on("end", () => socket.end());
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  connect(client: ByteStreamClient): void {
    this.#client = client;
    this.#socket.on("data", (bytes) => this.#tell(() => client.received(bytes as Uint8Array)));
    if (this.#isClosed) setImmediate(() => this.#tell(() => client.closed()));
    else this.#socket.resume();
  }

  write(bytes: Uint8Array): boolean {
    if (this.#isClosed || this.#socket.destroyed || this.#socket.writableEnded) return true;
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#socket.cork();
      process.nextTick(this.#uncork);
    }
    this.#socket.write(bytes);
    if (this.#socket.writableLength < highWater) return true;
    this.#isWaiting = true;
    return false;
  }

  pause(): void {
    this.#socket.pause();
  }

  resume(): void {
    this.#socket.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#socket.end();
    this.#socket.resume();
    // A peer that never closes its side is not waited for.
    setTimeout(() => this.#socket.destroy(), 1000).unref();
  }

  readonly #uncork = (): void => {
    this.#isCorked = false;
    this.#socket.uncork();
  };
}

/** Connects to a server; errors show as `closed`, with the reason in `problem`. */
export function connectSocket(host: string, port: number, steps: StepTaker | null = null): SocketStream {
  return new SocketStream(connect({ host, port, noDelay: true }), steps);
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

/** Listens on `host`, loopback unless told otherwise; `port` 0 takes a free one. Rejects when the port is taken. */
export async function listen(
  options: { readonly host?: string; readonly port: number; readonly steps?: StepTaker },
  onStream: (stream: SocketStream, peer: string) => void,
): Promise<Listener> {
  const host = options.host ?? "127.0.0.1";
  const sockets = new Set<Socket>();
  const server: Server = createServer({ noDelay: true }, (socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    onStream(new SocketStream(socket, options.steps ?? null), `${socket.remoteAddress}:${socket.remotePort}`);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(options.port, host, () => {
      server.off("error", reject);
      resolve();
    });
  });
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("the server has no address");
  return {
    host,
    port: address.port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      }),
  };
}
