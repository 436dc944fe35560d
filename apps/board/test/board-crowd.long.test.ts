// A thousand slow and hostile connections at a board, and a flood of readers: an honest reader and a writer are served.

import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { Worker } from "node:worker_threads";
import { startPostgres, withoutPostgres } from "@drydock/node/checks/postgres-server";
import { serveBoard } from "./board-process.ts";

/** 1,000: `npm run endurance -- board-crowd`, which writes down how long reader and writer waited. */
const crowd = Number(process.env.DRYDOCK_BOARD_CROWD ?? 200);
const [reads, writes] = [300, 60];
/** Of a flood: requests a second (board.md §8), over so many connections, for so many seconds. */
const flood = { perSecond: 5000, connections: 32, seconds: crowd < 1000 ? 1 : 10 };

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

/** Says an answer of its own, `count` times; sorted milliseconds until each was acknowledged. */
const answersKept = (url: string, count: number, what: string) =>
  timed(count, (at) =>
    fetch(`${url}/p/2/replies`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ markdown: `answer ${at}`, key: `${what}-${at}` }),
    }),
  );

const p95 = (sorted: readonly number[]) => sorted[Math.floor(sorted.length * 0.95)].toFixed(1);

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
      answersKept(board.url, writes, `crowd-${where}`),
    ]);
    clearInterval(drip);
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

interface Flood {
  /** Asked for so far; and answered whole. */
  readonly asked: number;
  readonly answered: number;
  end(): Promise<void>;
}

/** Readers in a thread of their own, who ask at their pace whether or not they were answered. */
async function startFlood(url: string): Promise<Flood> {
  const counts = new Int32Array(new SharedArrayBuffer(8));
  const worker = new Worker(new URL("./reader-flood.ts", import.meta.url), {
    workerData: { url, ...flood, counts },
  });
  await once(worker, "message");
  return {
    get asked() {
      return Atomics.load(counts, 0);
    },
    get answered() {
      return Atomics.load(counts, 1);
    },
    end: async () => {
      await worker.terminate();
    },
  };
}

async function flooded(t: TestContext, where: string, words: readonly string[]): Promise<void> {
  const home = mkdtempSync(join(tmpdir(), "drydock-flood-"));
  const board = await serveBoard(home, ["--port", "0", ...words]);
  const readers = await startFlood(board.url);
  try {
    const begun = performance.now();
    const taken: number[] = [];
    while (performance.now() - begun < flood.seconds * 1000)
      taken.push(...(await answersKept(board.url, 5, `flood-${where}-${taken.length}`)));
    const seconds = (performance.now() - begun) / 1000;
    const { asked, answered } = readers;
    t.diagnostic(
      `${where}: a flood, ${Math.round(asked / seconds)} reads a second asked for, ${Math.round(answered / seconds)} answered; ${taken.length} of ${taken.length} answers kept one after another, 95 of 100 in ${p95(taken.sort((left, right) => left - right))} ms`,
    );
    assert.ok(answered > 0, "readers were answered as well");
    const post = await (await fetch(`${board.url}/p/2.json`)).json();
    assert.equal(
      post.answers.filter((each: { source: string }) => each.source === "own").length,
      taken.length,
    );
  } finally {
    await readers.end();
    await board.end();
    rmSync(home, { recursive: true, force: true });
  }
}

for (const [what, act] of [
  [`${crowd} slow and hostile connections, a reader and a writer`, crowded],
  [`${flood.perSecond} reads a second asked for, and a writer`, flooded],
] as const) {
  test(`SQLite: ${what}`, { timeout: 600_000 }, (t) => act(t, "SQLite", []));

  test(`PostgreSQL: ${what}`, { timeout: 600_000, skip: withoutPostgres }, async (t) => {
    const server = await startPostgres();
    try {
      await act(t, "PostgreSQL", ["--database", (await server.database("crowd")).href]);
    } finally {
      await server.end();
    }
  });
}
