// kill -9 under writes, again and again on one board: no acknowledged act is lost, counters and index agree every time.

import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { backupBoard, restoreBoard } from "@drydock/node/store/board-database";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";

/** 1,000 of them: `npm run endurance -- board-kills`. */
const kills = Number(process.env.DRYDOCK_BOARD_KILLS ?? 12);

/** Runs the writer until it has told a drawn number of acts, then kills it at whatever it is doing. */
async function killedWriter(path: string, seed: number, acts: number): Promise<string[]> {
  const writer: ChildProcess = spawn(
    process.execPath,
    [join(import.meta.dirname, "kill-writer.ts"), path, String(seed)],
    { stdio: ["ignore", "pipe", "inherit"] },
  );
  let told = "";
  writer.stdout?.setEncoding("utf8");
  writer.stdout?.on("data", (piece: string) => {
    told += piece;
    if (told.split("\n").length > acts) writer.kill("SIGKILL");
  });
  const signal = await new Promise((resolve) => writer.once("close", (_code, name) => resolve(name)));
  assert.equal(signal, "SIGKILL", "the writer does nothing but write");
  return told.split("\n").slice(0, -1);
}

test(`${kills} times killed under writes`, { timeout: kills * 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-kill-"));
  const path = join(folder, "board.db");
  const random = new Random(9);
  let acts = 0;
  try {
    for (let seed = 1; seed <= kills; seed++) {
      const told = await killedWriter(path, seed, 3 + (random.next32() % 120));
      acts += told.length;
      const store = SqliteBoardStore.open(path);
      // Later edits of a post hide earlier ones: its revisions hold every text that it had.
      const texts = new Map<number, Set<string>>();
      const counts = new Map<number, { replies: number; views: number; isBoosted: boolean }>();
      const of = (id: number) => {
        const known = counts.get(id) ?? { replies: 0, views: 0, isBoosted: false };
        counts.set(id, known);
        return known;
      };
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
        } else if (act === "boost") of(id).isBoosted = true;
        else of(id).views++;
      }
      for (const [id, { replies, views, isBoosted }] of counts) {
        const post = await store.post(id);
        assert.ok((post?.replies ?? 0) >= replies, `post ${id}: ${post?.replies} replies of ${replies}`);
        assert.ok((post?.views ?? 0) >= views, `post ${id}: ${post?.views} views of ${views}`);
        if (isBoosted) assert.equal(post?.boosts, 1);
      }
      if (seed % 10 === 0 || seed <= 3 || seed === kills)
        assert.deepEqual((await store.check()).faults, [], `after kill ${seed}`);
      await store.close();
    }
    assert.ok(acts > kills * 10, `${acts} acts in all`);
  } finally {
    rmSync(folder, { recursive: true, force: true });
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
