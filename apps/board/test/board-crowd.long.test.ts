// A thousand slow and hostile connections at a board at once: an honest reader and a writer are served.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { startPostgres, withoutPostgres } from "@drydock/node/checks/postgres-server";
import { serveBoard } from "./board-process.ts";

/** 1,000: `npm run endurance -- board-crowd`, which writes down how long reader and writer waited. */
const crowd = Number(process.env.DRYDOCK_BOARD_CROWD ?? 200);
const [reads, writes] = [300, 60];

const heads: readonly ((host: string) => string)[] = [
  () => "",
  (host) => `GET /t/drivers HTTP/1.1\r\nHost: ${host}\r\n`,
  (host) =>
    `POST /t/drivers/posts HTTP/1.1\r\nHost: ${host}\r\nContent-Type: application/json\r\nContent-Length: 400000\r\n\r\n{"title":"`,
  // Asks, and never reads.
  (host) => `GET /t/drivers HTTP/1.1\r\nHost: ${host}\r\n\r\n`.repeat(40),
];

async function timed(count: number, act: (at: number) => Promise<Response>): Promise<number[]> {
  const taken: number[] = [];
  for (let at = 0; at < count; at++) {
    const begun = performance.now();
    const answer = await act(at);
    assert.ok(answer.ok, `${answer.status}`);
    await answer.arrayBuffer();
    taken.push(performance.now() - begun);
  }
  return taken.sort((left, right) => left - right);
}

async function crowded(t: TestContext, where: string, words: readonly string[]): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "drydock-crowd-"));
  const board = await serveBoard(home, ["--port", "0", ...words]);
  const { host, port } = new URL(board.url);
  const sockets: Socket[] = [];
  try {
    for (let at = 0; at < crowd; at++) {
      const socket = connect(Number(port), "127.0.0.1");
      socket.on("error", () => {});
      socket.pause();
      socket.write(heads[at % heads.length](host));
      sockets.push(socket);
    }
    // Half of them say a byte now and then, as somebody does who means to stay.
    const drip = setInterval(() => {
      for (const [at, socket] of sockets.entries()) if (at % 4 === 1 || at % 4 === 2) socket.write("x");
    }, 1000);
    const [read, written] = await Promise.all([
      timed(reads, () => fetch(`${board.url}/t/drivers`)),
      timed(writes, (at) =>
        fetch(`${board.url}/p/2/replies`, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ markdown: `answer ${at}`, key: `crowd-${where}-${at}` }),
        }),
      ),
    ]);
    clearInterval(drip);
    const p95 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.95)].toFixed(1);
    t.diagnostic(
      `${where}: ${crowd} connections; ${reads} of ${reads} reads, half under ${read[reads / 2].toFixed(1)} ms, 95 of 100 under ${p95(read)} ms; ${writes} of ${writes} answers kept, 95 of 100 in ${p95(written)} ms`,
    );
    const post = await (await fetch(`${board.url}/p/2.json`)).json();
    assert.equal(post.answers.filter((each: { source: string }) => each.source === "own").length, writes);
  } finally {
    for (const socket of sockets) socket.destroy();
    await board.end();
    rmSync(home, { recursive: true, force: true });
  }
}

test(`SQLite: ${crowd} slow and hostile connections, a reader and a writer`, { timeout: 600_000 }, (t) =>
  crowded(t, "SQLite", []),
);

test(`PostgreSQL: ${crowd} slow and hostile connections, a reader and a writer`, {
  timeout: 600_000,
  skip: withoutPostgres,
}, async (t) => {
  const server = await startPostgres();
  try {
    await crowded(t, "PostgreSQL", ["--database", (await server.database("crowd")).href]);
  } finally {
    await server.end();
  }
});
