// The board with 100,000 posts and 400,000 replies: its queries, its pages, a bare handler beside it.

import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { defaultOrder } from "@drydock/board/listing";
import { parseSearch } from "@drydock/board/search-query";
import { symptomsIn } from "@drydock/board/symptoms";
import { databasePath, openBoard } from "@drydock/board-server/server";
import { Random } from "@drydock/core/base/random";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";
import { serve } from "@hono/node-server";
import { Hono } from "hono";
import type { BenchTable } from "./run.ts";

const posts = 100_000;
const replies = 400_000;
const rounds = 5;
const connections = 16;
const secondsOfLoad = 3;

/** Words of the field, drawn so that some stand everywhere and most are rare. */
function words(random: Random, count: number): string {
  let text = "driver device";
  for (let index = 0; index < count; index++)
    text += ` ${random.next32() % 3 === 0 ? "usb" : "w"}${random.next32() % 20_000}`;
  return text;
}

async function fill(path: string): Promise<number> {
  const begun = performance.now();
  const store = SqliteBoardStore.open(path);
  // What is measured is read back later; nothing here must survive a power cut.
  store.connection.exec("PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 20000");
  const random = new Random(1);
  const { connection } = store;
  const topic = await store.putTopic(
    {
      slug: "drivers",
      name: "Drivers",
      description: "",
      documentationUrl: "/docs",
      documentationName: "Docs",
    },
    1,
  );
  const author = await store.person("writer", "Writer", "writer", 1);
  // Thousands of acts in one transaction: filling is not what is measured.
  Object.assign(connection, { write: <T>(act: () => T): T => act() });
  connection.exec("BEGIN");
  const breathe = (index: number) => {
    if (index % 5000 === 4999) connection.exec("COMMIT; BEGIN");
  };
  for (let index = 0; index < posts; index++) {
    breathe(index);
    const text = `${words(random, 60)} ${index % 5000 === 0 ? "0xe00002e9" : ""}`;
    await store.addPost(
      {
        topicId: topic.id,
        authorId: author.id,
        kind: "question",
        title: words(random, 5),
        markdown: text,
        plain: text,
        tags: [`tag${index % 50}`],
        symptoms: symptomsIn(text),
        at: 1_700_000_000_000 + index * 1000,
        source: "own",
      },
      { key: null, at: 1 },
    );
  }
  for (let index = 0; index < replies; index++) {
    breathe(index);
    const text = words(random, 20);
    await store.addReply(
      {
        // One thread of 50, the others drawn.
        postId: index < 50 ? 77_777 : 1 + (random.next32() % posts),
        parentId: null,
        authorId: author.id,
        kind: "answer",
        markdown: text,
        plain: text,
        symptoms: [],
        at: 1_800_000_000_000 + index * 1000,
        source: "own",
      },
      { key: null, at: 1 },
    );
  }
  connection.exec("COMMIT; PRAGMA wal_checkpoint(TRUNCATE)");
  await store.close();
  return (performance.now() - begun) / 1000;
}

/** Microseconds of each call: half of them are at most the first, 99 of 100 at most the second. */
async function timed(times: number, act: (index: number) => Promise<unknown>): Promise<[number, number]> {
  const taken: number[] = [];
  for (let index = 0; index < times; index++) {
    const begun = performance.now();
    await act(index);
    taken.push((performance.now() - begun) * 1000);
  }
  taken.sort((left, right) => left - right);
  return [taken[Math.floor(times / 2)], taken[Math.floor(times * 0.99)]];
}

interface Load {
  readonly perSecond: number;
  readonly firstByteP95Ms: number;
}

/** A thread of its own asks over 16 connections for so long. */
function load(url: string): Promise<Load> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("./page-load.ts", import.meta.url), {
      workerData: { url, connections, seconds: secondsOfLoad },
    });
    worker.once("message", resolve);
    worker.once("error", reject);
  });
}

export async function bench(): Promise<BenchTable[]> {
  const home = mkdtempSync(join(tmpdir(), "drydock-board-bench-"));
  const rows = new Map<string, number[]>();
  const note = (name: string, value: number) => rows.set(name, [...(rows.get(name) ?? []), value]);
  const served = new Map<string, number[]>();
  const noteServed = (name: string, value: number) => served.set(name, [...(served.get(name) ?? []), value]);
  try {
    const fillSeconds = await fill(databasePath(home));
    let port = 0;
    const open = await openBoard({ home, version: "0.1.0", hosts: () => new Set([`localhost:${port}`]) });
    const { store } = open.site.board;
    const topicId = (await store.topic("drivers"))?.id ?? 0;
    const random = new Random(2);
    const deep = { key: 1_700_000_000_000 + 50_000_000, id: 50_000 };
    const ask = (q: string) => ({
      ...parseSearch(q),
      topicId: null,
      tag: null,
      state: null,
      hasAnswer: false,
      hasCase: false,
      os: null,
      after: null,
      limit: 21,
    });
    const measure = async (name: string, times: number, act: (index: number) => Promise<unknown>) => {
      const [half, most] = await timed(times, act);
      note(`${name}, median`, half);
      note(`${name}, 99th percentile`, most);
    };
    const bare = new Hono();
    bare.get("/", (c) => c.html("<!doctype html><title>bare</title>"));
    const servers = [
      serve({ fetch: open.app.fetch, port: 0, hostname: "127.0.0.1" }),
      serve({ fetch: bare.fetch, port: 0, hostname: "127.0.0.1" }),
    ];
    await Promise.all(
      servers.map((server) =>
        server.listening ? null : new Promise((resolve) => server.once("listening", resolve)),
      ),
    );
    const portOf = (index: number) => (servers[index].address() as { port: number }).port;
    port = portOf(0);
    for (let round = 0; round < rounds; round++) {
      await measure("list of 20 by activity", 500, () => store.list(topicId, defaultOrder));
      await measure("list of 20 by replies", 500, () =>
        store.list(topicId, { ...defaultOrder, sort: "replies" }),
      );
      await measure("the same, half way down, by key", 500, () =>
        store.list(topicId, { ...defaultOrder, sort: "created", after: deep }),
      );
      await measure("a post and its 50 replies", 500, async () => [
        await store.post(77_777),
        await store.replies(77_777),
      ]);
      await measure("search: a code on 20 posts", 200, () => store.search(ask("0xe00002e9")));
      await measure("search: two rare words", 200, () =>
        store.search(ask(`usb${random.next32() % 20_000} w${random.next32() % 20_000}`)),
      );
      await measure("search: two words that stand in every post", 20, () =>
        store.search(ask("driver device")),
      );
      await measure("a reply, kept across a power cut", 100, (index) =>
        store.addReply(
          {
            postId: 1 + (index % posts),
            parentId: null,
            authorId: 1,
            kind: "answer",
            markdown: "x",
            plain: "x",
            symptoms: [],
            at: 1,
            source: "own",
          },
          { key: null, at: 1 },
        ),
      );
      for (const [name, url] of [
        ["bare handler of the same server", `http://localhost:${portOf(1)}/`],
        ["list page of 20", `http://localhost:${port}/t/drivers`],
        ["thread of 50 replies", `http://localhost:${port}/p/77777`],
      ] as const) {
        const { perSecond, firstByteP95Ms } = await load(url);
        noteServed(`${name}, pages/s`, perSecond);
        noteServed(`${name}, first byte, 95th percentile, ms`, firstByteP95Ms);
      }
    }
    for (const server of servers) server.close();
    await open.close();
    const tableOf = (title: string, unit: string, from: Map<string, number[]>, text: string): BenchTable => ({
      title,
      unit,
      rows: [...from].map(([name, values]) => ({ name, rounds: values })),
      note: text,
    });
    return [
      tableOf(
        "board: queries of 100,000 posts and 400,000 replies",
        "us",
        rows,
        `Filled in ${Math.round(fillSeconds)} s. SQLite of Node, one process; a search ranks at most the 2,000 newest matches of a word. The reply waits for the disk (synchronous = FULL).`,
      ),
      tableOf(
        "board: pages over loopback, 16 connections",
        "pages/s or ms",
        served,
        "The asking thread shares the machine's cores with the server. Compare the board's pages with the bare handler of the same server in the same round. Aim: 1,500 list pages/s on a core, first byte within 20 ms at the 95th percentile. A list page costs about ten bare answers: two queries with their joins, and the rendering of 20 rows. Words that stand in every post are looked for as they stand first; only where that finds less than is ranked, words that begin with them are united, which costs all places of all of them.",
      ),
    ];
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}
