// The PostgreSQL store keeps the same contract as SQLite's: proven here on PostgreSQL in WebAssembly, without a server.

import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { boardContract } from "@drydock/board/board-contract";
import { boardStoreChecks } from "@drydock/board/board-store-checks";
import { StoreTrouble } from "@drydock/board/refusal";
import { PGlite } from "@electric-sql/pglite";
import { databaseUrl, shownDatabase } from "./database-url.ts";
import { PostgresDatabase, type PostgresDoor } from "./postgres.ts";
import { postgresSteps } from "./postgres-schema.ts";
import { inPostgresWords } from "./postgres-words.ts";
import { SqlBoardStore } from "./sql-board-store.ts";
import type { Row } from "./sql-talk.ts";

let engine: PGlite;
before(async () => {
  engine = await PGlite.create();
});
after(() => engine.close());

/** pglite has one session: a transaction has it alone, and whoever comes meanwhile waits. */
function doorOf(database: PGlite): PostgresDoor {
  let free: Promise<void> = Promise.resolve();
  return {
    name: "postgres://here/test",
    async session() {
      let release: (() => void) | null = null;
      const enter = async () => {
        if (release !== null) return;
        const before = free;
        free = new Promise((resolve) => {
          release = resolve;
        });
        await before;
      };
      const leave = () => {
        release?.();
        release = null;
      };
      let isOpen = false;
      const inside = async <T>(act: () => Promise<T>): Promise<T> => {
        await enter();
        try {
          return await act();
        } finally {
          if (!isOpen) leave();
        }
      };
      return {
        query: (sql, values) =>
          inside(async () => {
            const { rows, affectedRows } = await database.query<Row>(sql, [...values]);
            return { rows, changes: affectedRows ?? 0 };
          }),
        script: (sql) => {
          if (sql.startsWith("BEGIN")) isOpen = true;
          if (/^(?:COMMIT|ROLLBACK)$/.test(sql)) isOpen = false;
          return inside(async () => {
            const answers = await database.exec(sql);
            return (answers.findLast(({ rows }) => rows.length > 0)?.rows ?? []) as Row[];
          });
        },
        release: leave,
      };
    },
    close: async () => {},
  };
}

async function emptyBoard(): Promise<{ store: SqlBoardStore; database: PostgresDatabase }> {
  await engine.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
  const database = await PostgresDatabase.open(doorOf(engine));
  return { store: new SqlBoardStore(database), database };
}

for (const check of boardContract)
  test(`PostgreSQL: ${check.name}`, async () => {
    const { store } = await emptyBoard();
    await check.run(store);
    assert.deepEqual((await store.check()).faults, []);
  });

test("a board that is there is opened again; a newer one and somebody else's tables are refused and left", async () => {
  const { store } = await emptyBoard();
  await boardStoreChecks[0].run(store);
  const again = new SqlBoardStore(await PostgresDatabase.open(doorOf(engine)));
  assert.equal((await again.postByFolder("P02-x"))?.title, "A title");
  await engine.exec(`UPDATE board_schema SET version = ${postgresSteps.length + 1}`);
  await assert.rejects(PostgresDatabase.open(doorOf(engine)), /newer Drydock/);
  // A server that is still there when another one takes the database up writes nothing more.
  await assert.rejects(
    again.setSetting("a", "b"),
    (error) => error instanceof StoreTrouble && error.kind === "newer_schema",
  );
  await engine.exec(`UPDATE board_schema SET version = ${postgresSteps.length}`);
  assert.equal(await again.setting("a"), null);
  await engine.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public; CREATE TABLE theirs (a int)");
  await assert.rejects(PostgresDatabase.open(doorOf(engine)), /no board of Drydock's/);
  const { rows } = await engine.query<{ n: number }>(
    "SELECT count(*)::int AS n FROM pg_class WHERE relnamespace = 'public'::regnamespace",
  );
  assert.equal(rows[0].n, 1, "nothing was made beside their table");
});

test("a database of every earlier version is taken up with its rows, while a server of that version still reads", async () => {
  for (let version = 1; version < postgresSteps.length; version++) {
    await engine.exec("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    await engine.exec(
      `CREATE TABLE board_schema (version INTEGER NOT NULL); INSERT INTO board_schema VALUES (${version})`,
    );
    for (const step of postgresSteps.slice(0, version)) await engine.exec(step);
    await engine.exec(`INSERT INTO topic (slug, name, description, documentation_url, documentation_name, position)
      VALUES ('old', 'Old', '', '/', '', 1)`);
    const store = new SqlBoardStore(await PostgresDatabase.open(doorOf(engine)));
    assert.equal((await store.topic("old"))?.name, "Old", `version ${version}`);
    const author = await store.person("writer", "Writer", "writer", 1);
    assert.equal(
      await store.moderation.setRole(author.id, "engineer", { actorId: author.id, reason: "r", at: 2 }),
      true,
    );
    assert.deepEqual((await store.check()).faults, []);
    // What an older server reads is still there, under the same names.
    const { rows } = await engine.query<{ slug: string }>("SELECT slug, posts FROM topic");
    assert.equal(rows[0].slug, "old");
  }
});

test("an act that fails half way leaves nothing; the next one is taken", async () => {
  const { store, database } = await emptyBoard();
  await assert.rejects(
    database.write(
      (function* () {
        yield {
          sql: "INSERT INTO setting (name, value) VALUES (?, ?)",
          values: ["a", "half"],
          wants: "changes",
        };
        throw new Error("stop");
      })(),
    ),
    /stop/,
  );
  assert.equal(await store.setting("a"), null);
  await store.setSetting("a", "whole");
  assert.equal(await store.setting("a"), "whole");
});

test("the same words are found as in SQLite, marks and cases of letters included", async () => {
  const { store } = await emptyBoard();
  const author = await store.person("writer", "Writer", "writer", 1);
  const topic = await store.putTopic(
    { slug: "t", name: "T", description: "", documentationUrl: "/", documentationName: "" },
    1,
  );
  const plain = `Größe of IOUSBHostPipe is it's file_name.c:12 \\ 'quoted' ${"many ".repeat(17_000)}end`;
  const { id } = await store.addPost(
    {
      topicId: topic.id,
      authorId: author.id,
      kind: "question",
      title: "Über alles",
      markdown: plain,
      plain,
      tags: [],
      symptoms: [],
      at: 1,
      source: "own",
    },
    { key: null, at: 1 },
  );
  const ask = {
    symptoms: [],
    topicId: null,
    tag: null,
    state: null,
    hasAnswer: false,
    hasCase: false,
    os: null,
    after: null,
    limit: 5,
  };
  for (const word of ["uber", "über", "größe", "iousbhostpipe", "iousb", "file_name", "quoted", "end"])
    assert.deepEqual(
      (await store.search({ ...ask, words: [word] })).map((hit) => hit.id),
      [id],
      word,
    );
  for (const word of ["name", "'", "a:b", "!"])
    assert.deepEqual((await store.search({ ...ask, words: [word] })).length, 0, word);
  assert.deepEqual((await store.check()).faults, []);
});

test("a statement in PostgreSQL's words", () => {
  assert.equal(
    inPostgresWords(
      "SELECT a FROM x CROSS JOIN post p CROSS JOIN body b ON b.id = p.body_id WHERE a = ? AND b = ?",
    ),
    "SELECT a FROM x CROSS JOIN post p JOIN body b ON b.id = p.body_id WHERE a = $1 AND b = $2",
  );
  assert.equal(inPostgresWords("SET at = max(at, ?)"), "SET at = greatest(at, $1)");
});

test("an address of a database is read, and shown without its password", () => {
  const url = databaseUrl("postgres://drydock:s3cr%40t@db.example:5433/board?sslmode=require");
  assert.equal(shownDatabase(url), "postgres://drydock@db.example:5433/board");
  for (const wrong of [
    "",
    "s3cret",
    "mysql://u:s3cret@h/d",
    "postgres://u:s3cret@h",
    "postgres://u:s3cret@[h/d",
  ])
    assert.throws(
      () => databaseUrl(wrong),
      (error) => error instanceof RangeError && !error.message.includes("s3cret"),
    );
});
