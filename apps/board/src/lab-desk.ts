// The rig of this server as the lab watches it: tokens for one connection each, sockets let in or refused.

import { randomBytes } from "node:crypto";
import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import { type WatchedRig, Watchers } from "@drydock/lab/session/watchers";
import { WebSocketServer } from "ws";

export const labSocketPath = "/lab/socket";
const protocol = "drydock-lab";
const tokenLivesMs = 30_000;
const mostTokens = 1000;
const mostWatchers = 64;
/** Batches go out so often at most. */
const batchMs = 16;
const mostMessageBytes = 8192;

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
  #watchers: Watchers | null = null;
  #timer: NodeJS.Timeout | null = null;

  /** `now`: milliseconds, for how long a token lives. */
  constructor(hosts: () => ReadonlySet<string>, now: () => number = () => performance.now()) {
    this.#hosts = hosts;
    this.#now = now;
  }

  /** From now on this rig is what is watched. */
  show(rig: WatchedRig): void {
    this.#watchers = new Watchers(rig);
  }

  get watcherCount(): number {
    return this.#watchers?.count ?? 0;
  }

  /** For one connection, soon. Null: no rig is shown here. */
  newToken(): string | null {
    if (this.#watchers === null) return null;
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
      const watchers = this.#watchers;
      if (watchers === null) return web.close();
      const watcher = watchers.add({
        sendBytes: (frame) => web.send(frame),
        sendText: (text) => web.send(text),
        close: (code, reason) => web.close(code, reason),
      });
      web.on("message", (data, isBinary) => watcher.take(isBinary ? "" : String(data)));
      // What a client breaks ends its own connection only.
      web.on("error", () => web.terminate());
      web.on("close", () => {
        watchers.remove(watcher);
        if (watchers.count === 0) this.#rest();
      });
      this.#timer ??= setInterval(() => watchers.serve(), batchMs);
    });
  }

  #refusalOf({ headers, url }: IncomingMessage): string | null {
    const hosts = this.#hosts();
    if (!hosts.has((headers.host ?? "").toLowerCase())) return "421 Misdirected Request";
    const { origin } = headers;
    if (origin !== undefined && ![...hosts].some((host) => origin.toLowerCase() === `http://${host}`))
      return "403 Forbidden";
    if (url !== labSocketPath) return "404 Not Found";
    const [name, token = ""] = (headers["sec-websocket-protocol"] ?? "")
      .split(",")
      .map((word) => word.trim());
    const ends = this.#tokens.get(token);
    // Good once, whatever comes of it.
    this.#tokens.delete(token);
    if (name !== protocol || ends === undefined || ends <= this.#now()) return "401 Unauthorized";
    return this.watcherCount >= mostWatchers ? "503 Service Unavailable" : null;
  }

  #rest(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  close(): void {
    this.#rest();
    for (const client of this.#sockets.clients) client.terminate();
    this.#sockets.close();
  }
}
