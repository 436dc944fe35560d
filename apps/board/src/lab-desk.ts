// The rigs of this server as the lab watches them: tokens for one connection each, sockets let in or refused.

import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { startedName } from "@drydock/lab/session/opened-names";
import { type WatchedRig, type WatcherPort, Watchers } from "@drydock/lab/session/watchers";
import { WebSocketServer } from "ws";
import type { Seat } from "./rig-in-thread.ts";

export const labSocketPath = "/lab/socket";
const protocol = "drydock-lab";
const tokenLivesMs = 30_000;
const mostTokens = 1000;
const mostWatchers = 64;
/** Batches go out so often at most. */
const batchMs = 16;
const mostMessageBytes = 8192;

/** A rig that can be watched, wherever it runs. */
export interface ShownRig {
  /** One line for the list of rigs. */
  readonly summary: string;
  readonly count: number;
  add(port: WatcherPort): Seat;
  close(): Promise<void>;
}

export class LabDesk {
  readonly #hosts: () => ReadonlySet<string>;
  readonly #now: () => number;
  /** Token to the time at which it ends. */
  readonly #tokens = new Map<string, number>();
  readonly #sockets = new WebSocketServer({
    noServer: true,
    maxPayload: mostMessageBytes,
    perMessageDeflate: false,
    handleProtocols: () => protocol,
  });
  /** By the name under which the lab opens it. */
  readonly #rigs = new Map<string, ShownRig>();

  /** `now`: milliseconds, for how long a token lives. */
  constructor(hosts: () => ReadonlySet<string>, now: () => number = () => performance.now()) {
    this.#hosts = hosts;
    this.#now = now;
  }

  /** From now on this rig of this process is what is watched as the server's own. */
  show(rig: WatchedRig): void {
    this.offer(startedName, rigHere(rig));
  }

  /** Shows one more rig under a name of its own. */
  offer(name: string, rig: ShownRig): void {
    this.#rigs.set(name, rig);
  }

  get rigs(): readonly { readonly name: string; readonly summary: string }[] {
    return [...this.#rigs].map(([name, { summary }]) => ({ name, summary }));
  }

  get watcherCount(): number {
    return [...this.#rigs.values()].reduce((sum, { count }) => sum + count, 0);
  }

  /** For one connection, soon. Null: no rig is shown here. */
  newToken(): string | null {
    if (this.#rigs.size === 0) return null;
    const now = this.#now();
    for (const [token, ends] of this.#tokens)
      if (ends <= now || this.#tokens.size >= mostTokens) this.#tokens.delete(token);
    const token = randomBytes(24).toString("base64url");
    this.#tokens.set(token, now + tokenLivesMs);
    return token;
  }

  /** Of the server's `upgrade` event. */
  upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    const refusal = this.#refusalOf(request);
    if (refusal !== null) {
      socket.on("error", () => {});
      socket.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, socket, head, (web) => {
      const seat = this.#rigOf(request.url)?.add({
        sendBytes: (frame) => web.send(frame),
        sendText: (text) => web.send(text),
        close: (code, reason) => web.close(code, reason),
      });
      if (seat === undefined) return web.close();
      web.on("message", (data, isBinary) => seat.take(isBinary ? "" : String(data)));
      // What a client breaks ends its own connection only.
      web.on("error", () => web.terminate());
      web.on("close", () => seat.leave());
    });
  }

  #rigOf(url: string | undefined): ShownRig | undefined {
    return url?.startsWith(`${labSocketPath}/`) === true
      ? this.#rigs.get(url.slice(labSocketPath.length + 1))
      : undefined;
  }

  #refusalOf({ headers, url }: IncomingMessage): string | null {
    const hosts = this.#hosts();
    if (!hosts.has((headers.host ?? "").toLowerCase())) return "421 Misdirected Request";
    const { origin } = headers;
    if (origin !== undefined && ![...hosts].some((host) => origin.toLowerCase() === `http://${host}`))
      return "403 Forbidden";
    if (this.#rigOf(url) === undefined) return "404 Not Found";
    const [name, token = ""] = (headers["sec-websocket-protocol"] ?? "")
      .split(",")
      .map((word) => word.trim());
    const ends = this.#tokens.get(token);
    // Good once, whatever comes of it.
    this.#tokens.delete(token);
    if (name !== protocol || ends === undefined || ends <= this.#now()) return "401 Unauthorized";
    return this.watcherCount >= mostWatchers ? "503 Service Unavailable" : null;
  }

  async close(): Promise<void> {
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
    await Promise.all([...this.#rigs.values()].map((rig) => rig.close()));
  }
}

/** A rig of this process: served while somebody watches. */
function rigHere(rig: WatchedRig): ShownRig {
  const watchers = new Watchers(rig);
  let timer: NodeJS.Timeout | null = null;
  const rest = async (): Promise<void> => {
    if (timer !== null) clearInterval(timer);
    timer = null;
  };
  return {
    summary: rig.state().title,
    get count() {
      return watchers.count;
    },
    add: (port) => {
      const watcher = watchers.add(port);
      timer ??= setInterval(() => watchers.serve(), batchMs);
      return {
        take: (text) => watcher.take(text),
        leave: () => {
          watchers.remove(watcher);
          if (watchers.count === 0) void rest();
        },
      };
    },
    close: rest,
  };
}
