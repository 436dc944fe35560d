// TCP and Unix sockets as the byte streams that core's protocol machines speak through.

import { connect, createServer, type Server, type Socket } from "node:net";
import type { ByteOwner, ByteStream, ByteStreamClient } from "@drydock/core/ports/byte-stream";
import { Admission, type Pace } from "./admission.ts";
import { StormWatch } from "./after-storm.ts";
import { InputTurns, newTurn } from "./input-turns.ts";
import { type StepTaker, stepsOf } from "./ordered-steps.ts";
import { readIntoBlock } from "./read-block.ts";
import { limitSendRoom, readySendRoom } from "./send-room.ts";
import { SocketPlace } from "./socket-place.ts";
import { systemWords } from "./system-words.ts";

/** Bytes that may wait in a socket before `write` answers false; less where many sockets share a listener. */
const highWater = 1 << 20;
const lowestHighWater = 64 * 1024;
/** What may wait in all sockets of a listener together. */
const listenerHighWater = 64 << 20;

/** More than so many at a listener are a crowd. */
const crowdedSockets = 32;

/** Encryption copies what it is given: no more than so much is given to it ahead. */
const encryptedAheadBytes = 64 * 1024;

/** How many sockets share what may wait, and whose input is heard when. */
export interface SocketShare {
  readonly count: number;
  readonly turns: InputTurns;
}
const alone: SocketShare = { count: 1, turns: new InputTurns() };
const keepAliveMs = 10_000;
/** All of these are accepted in one go: more are left to the system, which asks its clients to try again in a second. */
const backlog = 64;

/**
 * One socket, connected or connecting. All that is written in one turn leaves in one system call, neighbouring bytes
 * of one owner as one piece; Nagle's delay is off.
 */
export class SocketStream implements ByteStream {
  readonly #socket: Socket;
  readonly #share: SocketShare;
  readonly #steps: StepTaker | null;
  readonly #tell: (call: () => void) => void;
  #client: ByteStreamClient | null = null;
  #isClosed = false;
  #isScheduled = false;
  #isWaiting = false;
  #spans: Uint8Array[] = [];
  #owners: (ByteOwner | undefined)[] = [];
  #pendingBytes = 0;
  /** What is to be encrypted yet, in order. */
  readonly #plain: { span: Uint8Array; owner: ByteOwner | undefined }[] = [];
  #plainBytes = 0;
  readonly #isEncrypted: boolean;
  readonly #turn = newTurn();
  /** The client wants nothing now. */
  #isPaused = false;
  /** Nothing comes after what waits. */
  #isEnding = false;
  /** Why it ended, when it did not end by itself. */
  problem: string | null = null;

  /** With `steps`, everything the client hears comes as a step of that scheduler. */
  constructor(socket: Socket, steps: StepTaker | null = null, share: SocketShare = alone) {
    this.#share = share;
    this.#steps = steps;
    this.#socket = socket;
    this.#isEncrypted = (socket as Socket & { encrypted?: boolean }).encrypted === true;
    this.#tell = stepsOf(steps);
    socket.setNoDelay(true);
    // A peer whose machine has gone is noticed in the end.
    socket.setKeepAlive(true, keepAliveMs);
    socket.pause();
    socket.on("error", this.#failed);
    socket.on("close", this.#closed);
    socket.on("drain", this.#drained);
    // Half-open connections are of no use to any protocol here.
    socket.on("end", this.#ended);
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  connect(client: ByteStreamClient): void {
    this.#client = client;
    // What is encrypted comes from the one who decrypts it.
    const isBare = !this.#isEncrypted && readIntoBlock(this.#socket, this.#read);
    if (!isBare) this.#socket.on("data", this.#received);
    if (this.#isClosed) setImmediate(() => this.#tell(() => client.closed()));
    else this.#socket.resume();
  }

  write(bytes: Uint8Array, owner?: ByteOwner): boolean {
    if (this.#isClosed || this.#socket.destroyed || this.#socket.writableEnded) return true;
    const spans = this.#spans;
    const last = spans.length - 1;
    const tail = spans[last];
    if (
      tail !== undefined &&
      owner !== undefined &&
      this.#owners[last] === owner &&
      tail.buffer === bytes.buffer &&
      tail.byteOffset + tail.length === bytes.byteOffset
    ) {
      spans[last] = new Uint8Array(tail.buffer, tail.byteOffset, tail.length + bytes.length);
    } else {
      spans.push(bytes);
      this.#owners.push(owner);
    }
    this.#pendingBytes += bytes.length;
    if (!this.#isScheduled) {
      this.#isScheduled = true;
      process.nextTick(this.#flush);
    }
    const most = Math.max(lowestHighWater, Math.min(highWater, listenerHighWater / this.#share.count));
    if (this.#socket.writableLength + this.#pendingBytes + this.#plainBytes < most) return true;
    this.#isWaiting = true;
    return false;
  }

  pause(): void {
    this.#isPaused = true;
    this.#socket.pause();
  }

  resume(): void {
    this.#isPaused = false;
    if (this.#turn.hear === null) this.#socket.resume();
  }

  close(): void {
    if (this.#isClosed) return;
    this.#flush();
    this.#isEnding = true;
    if (this.#plainBytes === 0) this.#socket.end();
    this.#socket.resume();
    // A peer that never closes its side is not waited for.
    setTimeout(() => this.#socket.destroy(), 1000).unref();
  }

  /**
   * What the socket becomes, as encryption makes another one of it: what was written here has left, nothing is told any
   * more. It shares with the others of the listener what may wait.
   */
  replaced(by: (socket: Socket) => Socket): SocketStream {
    this.#flush();
    const socket = this.#socket;
    socket.off("data", this.#received);
    socket.off("close", this.#closed);
    socket.off("drain", this.#drained);
    socket.off("end", this.#ended);
    this.#share.turns.left(this.#turn);
    this.#client = null;
    this.#isClosed = true;
    return new SocketStream(by(socket), this.#steps, this.#share);
  }

  readonly #flush = (): void => {
    this.#isScheduled = false;
    const spans = this.#spans;
    if (spans.length === 0) return;
    const owners = this.#owners;
    const socket = this.#socket;
    this.#spans = [];
    this.#owners = [];
    this.#pendingBytes = 0;
    if (this.#isEncrypted) {
      for (let index = 0; index < spans.length; index++) {
        this.#plain.push({ span: spans[index], owner: owners[index] });
        this.#plainBytes += spans[index].length;
      }
      this.#encrypt();
      return;
    }
    if (spans.length > 1) socket.cork();
    // What leaves together is let go of together: one word per owner in a row.
    let owned = 0;
    for (let index = 0; index < spans.length; index++) {
      const owner = owners[index];
      const span = spans[index];
      if (owner === undefined) {
        socket.write(span);
        continue;
      }
      owned += span.length;
      if (owners[index + 1] === owner) socket.write(span);
      else {
        const count = owned;
        owned = 0;
        socket.write(span, () => this.#tell(() => owner.released(count)));
      }
    }
    if (spans.length > 1) socket.uncork();
    // A socket that took everything at once says no `drain`.
    if (this.#isWaiting && !socket.writableNeedDrain) setImmediate(this.#drained);
  };

  /** Piece by piece, so that a client that does not read has no more of it than that. */
  readonly #encrypt = (): void => {
    const socket = this.#socket;
    while (this.#plainBytes > 0 && socket.writableLength < encryptedAheadBytes && !socket.destroyed) {
      const first = this.#plain[0];
      const piece = first.span.subarray(0, encryptedAheadBytes);
      if (piece.length === first.span.length) this.#plain.shift();
      else first.span = first.span.subarray(piece.length);
      this.#plainBytes -= piece.length;
      const { owner } = first;
      socket.write(piece, () => {
        if (owner !== undefined) this.#tell(() => owner.released(piece.length));
        this.#encrypt();
      });
    }
    if (this.#plainBytes > 0) return;
    if (this.#isEnding) socket.end();
    else if (this.#isWaiting) setImmediate(this.#drained);
  };

  /** The block is filled again after this call: what is not heard within it is kept. */
  readonly #read = (count: number, block: Uint8Array): void => {
    const client = this.#client;
    if (client === null) return;
    const bytes = block.subarray(0, count);
    if (this.#steps === null && this.#share.turns.isCalm(this.#share.count)) {
      client.received(bytes);
      return;
    }
    let kept = bytes;
    let isHeard = false;
    this.#hear(() => {
      isHeard = true;
      this.#client?.received(kept);
    });
    if (!isHeard) kept = bytes.slice();
  };

  readonly #received = (bytes: Uint8Array): void => this.#hear(() => this.#client?.received(bytes));

  #hear(call: () => void): void {
    const { count, turns } = this.#share;
    const tell = () => this.#tell(call);
    if (turns.isCalm(count)) {
      tell();
      return;
    }
    // What is answered at once is part of what it costs.
    const hear = (): void => {
      tell();
      this.#flush();
      if (!this.#isPaused && !this.#isClosed) this.#socket.resume();
    };
    if (!turns.came(this.#turn, hear)) this.#socket.pause();
  }

  readonly #failed = (error: Error): void => {
    this.problem = systemWords(error);
  };

  readonly #closed = (): void => {
    this.#share.turns.left(this.#turn);
    this.#isClosed = true;
    this.#tell(() => this.#client?.closed());
  };

  readonly #drained = (): void => {
    if (!this.#isWaiting || this.#isClosed || this.#plainBytes > 0) return;
    this.#isWaiting = false;
    this.#tell(() => this.#client?.drained());
  };

  readonly #ended = (): void => {
    this.#socket.end();
  };
}

/** Connects to a server; errors show as `closed`, with the reason in `problem`. */
export function connectSocket(host: string, port: number, steps: StepTaker | null = null): SocketStream {
  return new SocketStream(connect({ host, port, noDelay: true }), steps);
}

/** The same for a Unix socket. */
export function connectUnixSocket(path: string, steps: StepTaker | null = null): SocketStream {
  return new SocketStream(connect({ path }), steps);
}

export interface ListenOptions {
  /** Loopback unless told otherwise. */
  readonly host?: string;
  /** 0 takes a free one. Needed unless `path` is given. */
  readonly port?: number;
  /** A Unix socket instead of a TCP port. */
  readonly path?: string;
  /** How fast a crowd comes in, where each of them costs more than a greeting. Default: a thousand a second. */
  readonly pace?: Pace;
  /** Who runs what comes in: the scheduler or clock of whatever is served. */
  readonly steps?: StepTaker;
}

export interface Listener {
  readonly host: string;
  readonly port: number;
  /** Stops listening and ends every connection. */
  close(): Promise<void>;
}

const ignore = (): void => {};

/** `HOST:PORT`, IPv6 in brackets; an IPv4 address that came in as IPv6 is one of IPv4 (RFC 4291 §2.5.5.2). */
function endOf(address = "", port = 0): string {
  const plain = address.replace(/^::ffff:(?=\d+\.)/i, "");
  return `${plain.includes(":") ? `[${plain}]` : plain}:${port}`;
}

/** Listens on a TCP port, or on a Unix socket (host and port are then empty and 0). Rejects when it is taken. */
export async function listen(
  options: ListenOptions,
  onStream: (stream: SocketStream, peer: string, cameTo: string) => void,
): Promise<Listener> {
  const host = options.host ?? "127.0.0.1";
  const { path } = options;
  const sockets = new Set<Socket>();
  const storm = new StormWatch();
  readySendRoom();
  const share: SocketShare = {
    turns: new InputTurns(),
    get count() {
      return sockets.size;
    },
  };
  let count = 0;
  const letIn = (socket: Socket): void => {
    socket.off("error", ignore);
    if (sockets.size > crowdedSockets) limitSendRoom(socket);
    const peer = path === undefined ? endOf(socket.remoteAddress, socket.remotePort) : `client ${++count}`;
    const cameTo = path === undefined ? endOf(socket.localAddress, socket.localPort) : path;
    onStream(new SocketStream(socket, options.steps ?? null, share), peer, cameTo);
  };
  const { pace } = options;
  const turnAway = (socket: Socket) => socket.destroy();
  const door = new Admission<Socket>({ letIn, turnAway, ...(pace === undefined ? {} : { pace }) });
  const server: Server = createServer({ noDelay: true, pauseOnConnect: true }, (socket) => {
    sockets.add(socket);
    storm.changed(sockets.size);
    // A reset while it waits is no event for anybody.
    socket.on("error", ignore);
    socket.once("close", () => {
      door.left(socket);
      sockets.delete(socket);
      storm.changed(sockets.size);
    });
    door.came(socket);
  });
  const place = path === undefined ? null : new SocketPlace(path);
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    const listening = () => {
      server.off("error", reject);
      resolve();
    };
    if (place === null) server.listen(options.port ?? 0, host, backlog, listening);
    else server.listen(place.born, backlog, listening);
  });
  try {
    place?.take();
  } catch (error) {
    server.close();
    throw error;
  }
  const close = () =>
    new Promise<void>((resolve) => {
      server.close(() => resolve());
      place?.leave();
      door.close();
      for (const socket of sockets) socket.destroy();
    });
  const address = server.address();
  if (typeof address === "string") return { host: "", port: 0, close };
  if (address === null) throw new Error("the server has no address");
  return { host, port: address.port, close };
}
