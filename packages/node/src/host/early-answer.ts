// An answer before the request's end: it is the connection's last, and the rest is read and thrown away, within bounds.

import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";

export interface LingerRules {
  /** Nothing came for so long: whoever sends has stopped. */
  readonly silentMs: number;
  readonly longestMs: number;
  readonly mostBytes: number;
}

/** A form of 32 MiB over a slow line has its answer; what never ends is cut off. */
const usual: LingerRules = { silentMs: 2000, longestMs: 30_000, mostBytes: 64 * 1024 * 1024 };

const hasBody = ({ headers }: IncomingMessage): boolean =>
  headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;

/** What has not come when its answer begins is never a next request's: RFC 9112 §9.6, "close". */
export function closeAfterEarlyAnswer(request: IncomingMessage, response: ServerResponse): void {
  if (!hasBody(request)) return;
  const writeHead = response.writeHead.bind(response) as (...values: unknown[]) => ServerResponse;
  response.writeHead = (...values: unknown[]) => {
    if (!request.complete) response.shouldKeepAlive = false;
    return writeHead(...values);
  };
}

/**
 * A socket that closes over bytes it has not read is reset, and takes its last answer back (RFC 9112 §9.6): half of it closes first.
 * `requestOf`: the one that was answered last.
 */
export function lingerOver(
  socket: Socket,
  requestOf: () => IncomingMessage | null,
  { silentMs, longestMs, mostBytes }: LingerRules = usual,
): void {
  const destroySoon = socket.destroySoon.bind(socket);
  socket.destroySoon = () => {
    const request = requestOf();
    if (request === null || request.complete || request.destroyed) return destroySoon();
    socket.end();
    const end = () => socket.destroy();
    const silent = setTimeout(end, silentMs);
    const longest = setTimeout(end, longestMs);
    let bytes = 0;
    // Whoever read it, and stopped, would make it wait.
    request.removeAllListeners("data");
    request.removeAllListeners("readable");
    request.on("data", (piece: Uint8Array) => {
      bytes += piece.length;
      if (bytes > mostBytes) end();
      else silent.refresh();
    });
    request.once("end", destroySoon);
    request.resume();
    socket.once("close", () => {
      clearTimeout(silent);
      clearTimeout(longest);
    });
  };
}
