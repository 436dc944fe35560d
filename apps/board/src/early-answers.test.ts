// Who is refused before he has sent all hears why; a body that never ends is let go.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import type { Context } from "hono";
import { bytesOf } from "./doors.ts";
import { type RunningBoard, startBoard } from "./server.ts";

let home: string;
let board: RunningBoard;
before(async () => {
  home = mkdtempSync(join(tmpdir(), "drydock-early-"));
  const many = { origin: null, listen: "127.0.0.1" };
  board = await startBoard({ home, version: "0.1.0", port: 0, many, onTrouble: () => {} });
});
after(async () => {
  await board.close();
  rmSync(home, { recursive: true, force: true });
});

const piece = Buffer.alloc(65_536, "a");
const mebibyte = 1024 * 1024;

/** Sends all of it before it listens, as a browser does; null: what was sent, without an end. Answers what it hears. */
function heard(head: readonly string[], bytes: number | null): Promise<string> {
  const socket = connect({ port: board.port, host: "127.0.0.1", allowHalfOpen: true });
  socket.write(`${[...head, `Host: ${new URL(board.url).host}`].join("\r\n")}\r\n\r\n`);
  const isChunked = head.some((line) => line.startsWith("Transfer-Encoding"));
  return new Promise((resolve) => {
    let text = "";
    let sent = 0;
    const listen = () => socket.on("data", (more) => (text += more)).once("end", () => socket.end());
    const send = () => {
      while (!socket.destroyed && (bytes === null || sent < bytes)) {
        sent += piece.length;
        const isRoom = isChunked ? socket.write(`10000\r\n${piece}\r\n`) : socket.write(piece);
        if (!isRoom) return void socket.once("drain", send);
      }
      if (isChunked) socket.write("0\r\n\r\n");
      listen();
    };
    socket.on("error", () => {});
    socket.once("close", () => resolve(text));
    send();
  });
}

const form = "Content-Type: application/x-www-form-urlencoded";
const files = "Content-Type: multipart/form-data; boundary=x";
const large = `Content-Length: ${12 * mebibyte}`;
for (const [what, head, status] of [
  ["a form that is too large", ["POST /login HTTP/1.1", form, large], 413],
  ["one that does not say how large", ["POST /login HTTP/1.1", form, "Transfer-Encoding: chunked"], 413],
  ["files of somebody who is not signed in", ["POST /evidence HTTP/1.1", files, large], 401],
  ["another site's page", ["POST /evidence HTTP/1.1", "Origin: http://example.org", files, large], 403],
  ["an address that is none", ["POST /nowhere HTTP/1.1", files, large], 404],
  ["a page with a body", ["GET /nowhere HTTP/1.1", large], 404],
] as const)
  test(`${what}, 12 MiB: the answer is heard, ${status}, and that it is the last one`, async () => {
    const text = await heard(head, 12 * mebibyte);
    assert.match(text, new RegExp(`^HTTP/1\\.1 ${status} `), text.slice(0, 200));
    assert.match(text, /\r\nconnection: close\r\n/i);
  });

test("a body that never ends is read to a bound, and let go; the next one is served", async () => {
  assert.doesNotMatch(
    await heard(["POST /login HTTP/1.1", form, "Transfer-Encoding: chunked"], null),
    / 200 /,
  );
  const next = await heard(["GET /t/drivers HTTP/1.1", "Connection: close"], 0);
  assert.match(next, /^HTTP\/1\.1 200 /);
});

test("a body that stops in its middle is refused with the reason, and the connection is left to say so", async () => {
  let isCancelled = false;
  const body = new ReadableStream<Uint8Array>({
    start: (controller) => controller.enqueue(Uint8Array.of(97)),
    cancel: () => {
      isCancelled = true;
    },
  });
  const raw = new Request("http://localhost/login", { method: "POST", body, duplex: "half" } as RequestInit);
  const asked = { req: { raw, header: () => undefined } } as unknown as Context;
  await assert.rejects(bytesOf(asked, 1000, 20), { code: "body-slow" });
  assert.equal(isCancelled, false);
});
