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
import { ToldActs } from "./kill-acts.ts";

/** 1,000 of them: `npm run endurance -- board-kills`. */
const kills = Number(process.env.DRYDOCK_BOARD_KILLS ?? 12);

/** Runs the writer until it has told a drawn number of acts, then kills at whatever is being done. Answers what was told. */
async function killedWriter(place: string, seed: number, acts: number): Promise<string[]> {
  const writer: ChildProcess = spawn(
    process.execPath,
    [join(import.meta.dirname, "kill-writer.ts"), place, String(seed)],
    { stdio: ["ignore", "pipe", "ignore"] },
  );
  const ended = new Promise<void>((resolve) => writer.once("close", () => resolve()));
  let told = "";
  let isKilled = false;
  writer.stdout?.setEncoding("utf8");
  writer.stdout?.on("data", (piece: string) => {
    told += piece;
    if (isKilled || told.split("\n").length <= acts) return;
    isKilled = true;
    writer.kill("SIGKILL");
  });
  await ended;
  assert.ok(isKilled, "the writer does nothing but write");
  return told.split("\n").slice(0, -1);
}

const isChecked = (kill: number, of: number) => kill % 10 === 0 || kill <= 3 || kill === of;

test(`${kills} times killed under writes`, { timeout: kills * 60_000 }, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-kill-"));
  const path = join(folder, "board.db");
  const random = new Random(9);
  let acts = 0;
  try {
    for (let seed = 1; seed <= kills; seed++) {
      const told = await killedWriter(path, seed, 3 + (random.next32() % 120));
      acts += told.length;
      const acknowledged = new ToldActs();
      acknowledged.add(...told);
      const store = SqliteBoardStore.open(path);
      await acknowledged.mustBeThere(store);
      if (isChecked(seed, kills)) assert.deepEqual((await store.check()).faults, [], `after kill ${seed}`);
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
