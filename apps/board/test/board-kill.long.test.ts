// kill -9 under writes, again and again on one board: no acknowledged act is lost, counters and index agree every time.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { BoardStore } from "@drydock/board/board-store";
import { Random } from "@drydock/core/base/random";
import { startPostgres, withoutPostgres } from "@drydock/node/checks/postgres-server";
import { backupBoard, restoreBoard } from "@drydock/node/store/board-database";
import { openPostgresBoard } from "@drydock/node/store/postgres-door";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";

/** 1,000 of them: `npm run endurance -- board-kills`. */
const kills = Number(process.env.DRYDOCK_BOARD_KILLS ?? 12);

/** On PostgreSQL: `npm run endurance -- board-kills-postgres`. */
const postgresKills = Number(process.env.DRYDOCK_BOARD_POSTGRES_KILLS ?? 4);

/** Runs the writer until it has told a drawn number of acts, then kills at whatever is being done. Answers what was told. */
async function killedWriter(
  place: string,
  seed: number,
  acts: number,
  kill: (writer: ChildProcess) => Promise<void>,
): Promise<string[]> {
  const writer: ChildProcess = spawn(
    process.execPath,
    [join(import.meta.dirname, "kill-writer.ts"), place, String(seed)],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const ended = new Promise<void>((resolve) => writer.once("close", () => resolve()));
  let told = "";
  let killing: Promise<void> | null = null;
  writer.stdout?.setEncoding("utf8");
  writer.stdout?.on("data", (piece: string) => {
    told += piece;
    if (told.split("\n").length > acts) killing ??= kill(writer);
  });
  await ended;
  assert.ok(killing !== null, "the writer does nothing but write");
  await killing;
  return told.split("\n").slice(0, -1);
}

const killWriter = async (writer: ChildProcess): Promise<void> => {
  writer.kill("SIGKILL");
};

/** Every act that was told is there, and counters are no less than what was told of them. */
async function mustBeThere(store: BoardStore, told: readonly string[]): Promise<void> {
  // Later edits of a post hide earlier ones: its revisions hold every text that it had.
  const texts = new Map<number, Set<string>>();
  const counts = new Map<number, { replies: number; views: number; isBoosted: boolean }>();
  const of = (id: number) => {
    const known = counts.get(id) ?? { replies: 0, views: 0, isBoosted: false };
    counts.set(id, known);
    return known;
  };
  const log = new Set(
    (await store.moderation.log({ subject: null, before: null, limit: 500 })).map(({ reason }) => reason),
  );
  for (const line of told) {
    const [act, number, ...words] = line.split(" ");
    const [id, text] = [Number(number), words.join(" ")];
    if (act === "post" || act === "edit") {
      if (!texts.has(id))
        texts.set(id, new Set((await store.revisions("post", id)).map(({ markdown }) => markdown)));
      assert.ok(texts.get(id)?.has(text), `lost: ${line}`);
    } else if (act === "reply") {
      const reply = await store.reply(id);
      assert.equal(reply?.markdown, text, `lost: ${line}`);
      of(reply?.postId ?? 0).replies++;
    } else if (act === "lock") assert.ok(log.has(text), `lost: ${line}`);
    else if (act === "boost") of(id).isBoosted = true;
    else of(id).views++;
  }
  for (const [id, { replies, views, isBoosted }] of counts) {
    const post = await store.post(id);
    assert.ok((post?.replies ?? 0) >= replies, `post ${id}: ${post?.replies} replies of ${replies}`);
    assert.ok((post?.views ?? 0) >= views, `post ${id}: ${post?.views} views of ${views}`);
    if (isBoosted) assert.equal(post?.boosts, 1);
  }
}

const isChecked = (kill: number, of: number) => kill % 10 === 0 || kill <= 3 || kill === of;

test(`${kills} times killed under writes`, { timeout: kills * 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-kill-"));
  const path = join(folder, "board.db");
  const random = new Random(9);
  let acts = 0;
  try {
    for (let seed = 1; seed <= kills; seed++) {
      const told = await killedWriter(path, seed, 3 + (random.next32() % 120), killWriter);
      acts += told.length;
      const store = SqliteBoardStore.open(path);
      await mustBeThere(store, told);
      if (isChecked(seed, kills)) assert.deepEqual((await store.check()).faults, [], `after kill ${seed}`);
      await store.close();
    }
    assert.ok(acts > kills * 10, `${acts} acts in all`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

test(`PostgreSQL: ${postgresKills} times killed under writes, the writer and the server in turn`, {
  timeout: 120_000 + postgresKills * 60_000,
  skip: withoutPostgres,
}, async () => {
  const server = await startPostgres();
  const random = new Random(10);
  try {
    const url = await server.database("kills");
    for (let seed = 1; seed <= postgresKills; seed++) {
      const isServer = seed % 2 === 0;
      const told = await killedWriter(url.href, seed, 3 + (random.next32() % 20), async (writer) => {
        if (isServer) await server.kill();
        writer.kill("SIGKILL");
      });
      if (isServer) await server.start();
      const store = await openPostgresBoard(url);
      await mustBeThere(store, told);
      if (isChecked(seed, postgresKills))
        assert.deepEqual((await store.check()).faults, [], `after kill ${seed}`);
      await store.close();
    }
  } finally {
    await server.end();
  }
});

test("a backup taken while another process writes restores to a sound board with what was told before it", {
  timeout: 120_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-backup-"));
  const path = join(folder, "board.db");
  try {
    const writer = spawn(process.execPath, [join(import.meta.dirname, "kill-writer.ts"), path, "77"], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    let told = "";
    writer.stdout.setEncoding("utf8");
    await new Promise<void>((resolve) => {
      writer.stdout.on("data", (piece: string) => {
        told += piece;
        if (told.split("\n").length > 150) resolve();
      });
    });
    const before = told.split("\n").slice(0, -1);
    backupBoard(path, join(folder, "copy.db"));
    const ended = new Promise((resolve) => writer.once("close", resolve));
    writer.kill("SIGKILL");
    await ended;
    restoreBoard(path, join(folder, "copy.db"));
    const store = SqliteBoardStore.open(path);
    assert.deepEqual((await store.check()).faults, []);
    for (const line of before) {
      const [act, id, ...words] = line.split(" ");
      if (act === "reply") assert.equal((await store.reply(Number(id)))?.markdown, words.join(" "));
      if (act === "post")
        assert.ok(
          (await store.revisions("post", Number(id))).some(({ markdown }) => markdown === words.join(" ")),
        );
    }
    await store.close();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
