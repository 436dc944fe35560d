// A client's end of a TCP connection: bytes as promises; and what each protocol's client has to say.

import { connect, type Socket } from "node:net";
import { connect as encrypted } from "node:tls";

const patienceMs = 30_000;

/** Bytes of a socket as promises; rejects when it ends or takes too long. */
export class Wire {
  #socket: Socket;
  /** A port of this machine, or the path of a Unix socket. */
  readonly place: number | string;
  #held: Buffer = Buffer.alloc(0);
  #look: () => void = () => {};
  #isOver = false;

  constructor(place: number | string) {
    this.place = place;
    this.#socket =
      typeof place === "number" ? connect({ host: "127.0.0.1", port: place, noDelay: true }) : connect(place);
    this.#listen();
  }

  get socket(): Socket {
    return this.#socket;
  }

  /** From here on all is TLS; whose certificate it is, is not asked. */
  encrypt(): void {
    this.#socket.removeAllListeners("data");
    this.#socket = encrypted({ socket: this.#socket, rejectUnauthorized: false });
    this.#listen();
  }

  #listen(): void {
    this.#socket.on("data", (bytes: Buffer) => {
      this.#held = this.#held.length === 0 ? bytes : Buffer.concat([this.#held, bytes]);
      this.#look();
    });
    this.#socket.on("error", () => {});
    this.#socket.on("close", () => {
      this.#isOver = true;
      this.#look();
    });
  }

  take(count: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("no answer")), patienceMs);
      this.#look = () => {
        if (this.#held.length >= count) {
          clearTimeout(timer);
          const bytes = this.#held.subarray(0, count);
          this.#held = this.#held.subarray(count);
          resolve(bytes);
        } else if (this.#isOver) {
          clearTimeout(timer);
          reject(new Error("closed"));
        }
      };
      this.#look();
    });
  }

  say(bytes: Buffer): void {
    this.#socket.write(bytes);
  }
}

/** A client that has what it came for. */
export interface Session {
  /** Asks for a little, and has it. */
  ask(): Promise<void>;
  close(): void;
}

/** One protocol, as its clients speak it: with a codec of its own, so that ours is not tested with itself. */
export interface Peer {
  /** What serves it, without `--json` and where. */
  readonly command: readonly string[];
  /** Where it is to be; `home` is a folder for it alone. Left out: any free port. */
  where?(home: string): readonly string[];
  /** Where it listens, from the first line that the command prints. */
  placeOf(document: Record<string, unknown>): number | string;
  /** What is behind the door is for one client: while somebody has it, others are turned away. */
  readonly isForOne: boolean;
  /** Half of what is to be said, where it is not the first half of the opening. */
  falter?(wire: Wire): Promise<void>;
  /** What a client says before anything is answered; half of it is an attack. */
  opening(name: string): Buffer;
  open(wire: Wire, name: string): Promise<Session>;
  /** A short visit of one that comes during an attack; left out: opens, asks and closes. */
  visit?(wire: Wire): Promise<void>;
  /** Goes as far as it must and asks for much; nothing of it is read. */
  gorge(wire: Wire, name: string): Promise<void>;
  /** It has work of its own after its start; what is measured begins when that is done. */
  readonly worksAtFirst?: boolean;
  /** Attacks that have what they came for by the rules of the protocol: with those, nobody else can have it. */
  readonly lawful: readonly string[];
}
