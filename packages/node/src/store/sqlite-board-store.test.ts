// The SQLite store keeps the board's contract, in memory and in a file; old files are taken up, foreign ones refused.

import assert from "node:assert/strict";
import { existsSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { boardContract } from "@drydock/board/board-contract";
import { boardStoreChecks } from "@drydock/board/board-store-checks";
import { StoreTrouble } from "@drydock/board/refusal";
import { backupBoard, openBoardDatabase, restoreBoard } from "./board-database.ts";
import { boardSchemaVersion } from "./board-schema.ts";
import { SqliteBoardStore } from "./sqlite-board-store.ts";

function inFolder(act: (folder: string) => Promise<void> | void) {
  return async () => {
    const folder = mkdtempSync(join(tmpdir(), "drydock-board-"));
    try {
      await act(folder);
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  };
}

for (const check of boardContract) {
  test(`SQLite in memory: ${check.name}`, async () => {
    const store = SqliteBoardStore.open(":memory:");
    try {
      await check.run(store);
      assert.deepEqual((await store.check()).faults, []);
    } finally {
      await store.close();
    }
  });
}

test("no query of the contract scans a table that grows with what people write", async () => {
  const store = SqliteBoardStore.open(":memory:");
  const { connection } = store;
  const seen = new Set<string>();
  connection.onQuery = (sql) => seen.add(sql);
  for (const check of boardContract) {
    // Each check begins with an empty board, as it expects.
    const own = SqliteBoardStore.open(":memory:");
    own.connection.onQuery = connection.onQuery;
    const { check: count } = own;
    // Counting everything again reads everything: that is its work.
    own.check = async () => {
      own.connection.onQuery = null;
      const found = await count.call(own);
      own.connection.onQuery = connection.onQuery;
      return found;
    };
    await check.run(own);
    await own.close();
  }
  connection.onQuery = null;
  assert.ok(seen.size > 80, `${seen.size} queries`);
  // Topics, cases, days, and the rows that were given are few, whatever is posted; `j` is a list of at most 100 ids.
  const few = /^SCAN (?:topic|sqlite_sequence|case_latest|l|j|g|key_of_day)\b/;
  for (const sql of seen)
    for (const { detail } of connection.db.prepare(`EXPLAIN QUERY PLAN ${sql}`).all())
      if (/^SCAN/.test(String(detail)) && !/VIRTUAL TABLE INDEX|CONSTANT ROW/.test(String(detail)))
        assert.match(String(detail), few, `${detail} in ${sql}`);
  await store.close();
});

test(
  "a file keeps the whole contract's rows for the next opener",
  inFolder(async (folder) => {
    const path = join(folder, "board.db");
    const store = SqliteBoardStore.open(path);
    await boardStoreChecks[0].run(store);
    await store.close();
    const again = SqliteBoardStore.open(path);
    assert.equal((await again.postByFolder("P02-x"))?.title, "A title");
    assert.deepEqual((await again.check()).faults, []);
    await again.close();
  }),
);

test(
  "every earlier version is backed up, taken up, and keeps its rows",
  inFolder(async (folder) => {
    assert.ok(boardSchemaVersion > 1, "there is an earlier version");
    for (let version = 1; version < boardSchemaVersion; version++) {
      const path = join(folder, `v${version}.db`);
      const old = openBoardDatabase(path, version);
      old.run("INSERT INTO person (handle, shown_name, role, created_at) VALUES ('old', 'Old', 'owner', 1)");
      old.run("INSERT INTO setting (name, value) VALUES ('mark', ?)", `of ${version}`);
      old.close();
      const store = SqliteBoardStore.open(path);
      assert.equal(Number(store.connection.pragma("user_version")), boardSchemaVersion);
      assert.equal(await store.setting("mark"), `of ${version}`);
      assert.equal((await store.person("old", "x", "reader", 9)).shownName, "Old");
      assert.deepEqual((await store.check()).faults, []);
      await store.close();
      const backup = new DatabaseSync(`${path}.v${version}`, { readOnly: true });
      assert.equal(
        backup.prepare("PRAGMA user_version").get()?.user_version,
        version,
        "the backup is the old one",
      );
      backup.close();
    }
  }),
);

function refusal(kind: StoreTrouble["kind"], words: RegExp) {
  return (error: unknown) => {
    assert.ok(error instanceof StoreTrouble, String(error));
    assert.equal(error.kind, kind);
    assert.match(error.message, words);
    return true;
  };
}

test(
  "a newer file, a foreign database, a damaged and a truncated file are refused, named, and left as they are",
  inFolder(async (folder) => {
    const newer = join(folder, "newer.db");
    const connection = openBoardDatabase(newer);
    connection.exec(`PRAGMA user_version = ${boardSchemaVersion + 1}`);
    connection.close();
    assert.throws(() => SqliteBoardStore.open(newer), refusal("newer_schema", /newer Drydock/));

    const foreign = join(folder, "foreign.db");
    const other = new DatabaseSync(foreign);
    other.exec("CREATE TABLE theirs (a)");
    other.close();
    assert.throws(() => SqliteBoardStore.open(foreign), refusal("damaged", /not a board of Drydock's/));

    const text = join(folder, "text.db");
    writeFileSync(text, "this is not a database, but long enough to look at".repeat(100));
    assert.throws(() => SqliteBoardStore.open(text), refusal("damaged", /damaged/));

    const cut = join(folder, "cut.db");
    const store = SqliteBoardStore.open(cut);
    await boardStoreChecks[0].run(store);
    store.connection.exec("PRAGMA wal_checkpoint(TRUNCATE)");
    await store.close();
    truncateSync(cut, 40_000);
    assert.throws(() => SqliteBoardStore.open(cut), refusal("damaged", /board restore FILE/));
  }),
);

test(
  "a backup taken while others write is whole; a restore keeps what was there beside it",
  inFolder(async (folder) => {
    const path = join(folder, "board.db");
    const backup = join(folder, "copies", "one.db");
    const store = SqliteBoardStore.open(path);
    await boardStoreChecks[0].run(store);
    await store.setSetting("mark", "before");
    store.connection.exec("BEGIN IMMEDIATE");
    store.connection.run("UPDATE setting SET value = 'half' WHERE name = 'mark'");
    backupBoard(path, backup);
    store.connection.exec("COMMIT");
    await store.close();
    const aside = restoreBoard(path, backup);
    assert.ok(aside !== null && existsSync(aside));
    const restored = SqliteBoardStore.open(path);
    assert.equal(await restored.setting("mark"), "before", "the backup has the last whole act");
    assert.deepEqual((await restored.check()).faults, []);
    await restored.close();
    writeFileSync(join(folder, "not.db"), "no");
    assert.throws(
      () => restoreBoard(path, join(folder, "not.db")),
      refusal("damaged", /damaged|not a board/),
    );
  }),
);

test(
  "a database held by another program is named, and nothing of the act is kept",
  inFolder(async (folder) => {
    const path = join(folder, "board.db");
    const store = SqliteBoardStore.open(path);
    const holder = new DatabaseSync(path);
    holder.exec("BEGIN EXCLUSIVE");
    store.connection.exec("PRAGMA busy_timeout = 10");
    await assert.rejects(store.setSetting("a", "b"), refusal("locked", /another program/));
    holder.exec("ROLLBACK");
    holder.close();
    assert.equal(await store.setting("a"), null);
    await store.close();
  }),
);

test("a full disk: the act is refused whole, earlier ones stay", async () => {
  const store = SqliteBoardStore.open(":memory:");
  const pages = Number(store.connection.pragma("page_count"));
  await store.setSetting("a", "kept");
  store.connection.exec(`PRAGMA max_page_count = ${pages + 2}`);
  await assert.rejects(store.setSetting("b", "x".repeat(100_000)), refusal("full", /disk is full/));
  store.connection.exec("PRAGMA max_page_count = 100000");
  assert.equal(await store.setting("a"), "kept");
  assert.equal(await store.setting("b"), null);
  assert.deepEqual((await store.check()).faults, []);
  await store.close();
});
