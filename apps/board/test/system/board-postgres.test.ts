// The board on Debian's PostgreSQL: its contract, two servers as one, a move from SQLite, a server that dies.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { boardContract } from "@drydock/board/board-contract";
import { StoreTrouble } from "@drydock/board/refusal";
import {
  type PostgresServer,
  startPostgres,
  testPassword,
  withoutPostgres,
} from "@drydock/node/checks/postgres-server";
import { doorTo, openPostgresBoard } from "@drydock/node/store/postgres-door";
import { exportTo, importFrom } from "../../src/board-files.ts";
import { openBoard } from "../../src/server.ts";
import { drydockCommand, serveBoard } from "../board-process.ts";
import { filesBelow } from "../files-below.ts";

const skip = withoutPostgres;
let server: PostgresServer;
let folder: string;
before(async () => {
  if (skip !== false) return;
  folder = mkdtempSync(join(tmpdir(), "drydock-board-postgres-"));
  server = await startPostgres();
});
after(async () => {
  if (skip !== false) return;
  await server.end();
  rmSync(folder, { recursive: true, force: true });
});

const json = { accept: "application/json", "content-type": "application/json" };
// biome-ignore lint/suspicious/noExplicitAny: documents of every shape
type Answer = { readonly status: number; readonly body: any };

async function ask(url: string, path: string, method = "GET", body?: unknown): Promise<Answer> {
  const init = body === undefined ? {} : { body: JSON.stringify(body) };
  const response = await fetch(url + path, { method, headers: json, ...init });
  return { status: response.status, body: await response.json() };
}

test("the whole contract over a socket, by the library pg", { skip }, async () => {
  const url = await server.database("contract");
  const door = await doorTo(url);
  const session = await door.session();
  for (const check of boardContract) {
    await session.script("DROP SCHEMA public CASCADE; CREATE SCHEMA public");
    const store = await openPostgresBoard(url);
    try {
      await check.run(store);
      assert.deepEqual((await store.check()).faults, [], check.name);
    } finally {
      await store.close();
    }
  }
  session.release(true);
  await door.close();
});

test("a board moves from SQLite by export and import, byte for byte; the password is printed nowhere", {
  skip,
}, async () => {
  const home = join(folder, "move");
  const url = await server.database("move");
  const open = await openBoard({ home, version: "0.1.0" });
  const { board } = open.site;
  const { id } = await board.addPost("drivers", {
    title: "Moves with 0xe00002c5",
    markdown: "A text\n\n    with code",
    tags: "usb, move",
  });
  const answer = await board.addReply(id, { markdown: "An answer" });
  await board.accept(id, answer.id);
  await board.boost(id, { os: "macOS 26" });
  await open.close();
  const [before, after] = [join(folder, "before"), join(folder, "after")];
  assert.ok((await exportTo({ home }, before)) > 40);
  const report = await importFrom({ home: null, database: url }, before);
  assert.deepEqual([report.added, report.refused], [21, []]);
  const exported = await drydockCommand(home, ["board", "export", after, "--database", url.href]);
  assert.equal(exported.code, 0, exported.printed);
  const [left, right] = [filesBelow(before), filesBelow(after)];
  assert.deepEqual([...right.keys()], [...left.keys()]);
  for (const [path, bytes] of left) assert.equal(right.get(path), bytes, path);
  const wrong = url.href.replace(testPassword, `${testPassword}x`);
  const refused = await drydockCommand(home, ["board", "export", join(folder, "never"), "--database", wrong]);
  assert.equal(refused.code, 3, refused.printed);
  assert.match(refused.printed, /refuses this user or password/);
  for (const { printed } of [exported, refused]) assert.ok(!printed.includes(testPassword), printed);
  await assert.rejects(openPostgresBoard(new URL(url.href.replace("/move", "/absent"))), (error) => {
    assert.ok(error instanceof StoreTrouble && !error.message.includes(testPassword));
    assert.match(error.message, /no database of the name in postgres:\/\/drydock@/);
    return true;
  });
});

test("two servers on one database, started at once, are one board; the database dies under them and comes back", {
  skip,
}, async () => {
  const database = (await server.database("shared")).href;
  const words = ["--port", "0", "--database", database];
  const [one, two] = await Promise.all([
    serveBoard(join(folder, "one"), words),
    serveBoard(join(folder, "two"), words),
  ]);
  try {
    const list = await ask(two.url, "/t/drivers.json");
    assert.equal(list.body.topic.posts, 20, "the project's posts came in once");
    // The same form at both, and writers at both at once.
    const same = { title: "The same form", markdown: "twice", key: "same-form-0001" };
    const both = await Promise.all([
      ask(one.url, "/t/drivers/posts", "POST", same),
      ask(two.url, "/t/drivers/posts", "POST", same),
    ]);
    assert.deepEqual(both.map(({ status }) => status).sort(), [200, 201]);
    const { id } = both[0].body;
    assert.equal(both[1].body.id, id);
    const replies = await Promise.all(
      Array.from({ length: 20 }, (_, index) =>
        ask(index % 2 === 0 ? one.url : two.url, `/p/${id}/replies`, "POST", { markdown: `answer ${index}` }),
      ),
    );
    assert.ok(replies.every(({ status }) => status === 201));
    for (const { url } of [one, two]) {
      const read = await ask(url, `/p/${id}.json`);
      assert.deepEqual([read.body.replies, read.body.answers.length], [20, 20]);
      const found = await ask(url, "/search?q=answer+17");
      assert.equal(found.body.rows[0]?.id, id);
    }

    await server.kill();
    const away = await ask(one.url, `/p/${id}/replies`, "POST", {
      markdown: "into nothing",
      key: "away-0001",
    });
    assert.equal(away.status, 503);
    assert.equal(away.body.code, "store-away");
    assert.match(away.body.detail, /postgres:\/\/drydock@127\.0\.0\.1:\d+\/shared does not answer/);
    await server.start();
    const again = await ask(one.url, `/p/${id}/replies`, "POST", {
      markdown: "into nothing",
      key: "away-0001",
    });
    assert.equal(again.status, 201, JSON.stringify(again.body));
    const afterwards = await ask(two.url, `/p/${id}.json`);
    assert.equal(afterwards.body.replies, 21, JSON.stringify(afterwards.body));
    const store = await openPostgresBoard(new URL(database));
    assert.deepEqual((await store.check()).faults, []);
    await store.close();
  } finally {
    await one.end();
    await two.end();
  }
  for (const { printed } of [one, two]) assert.ok(!printed().includes(testPassword), printed());
});

test("an act whose answer is lost says so, and the same act again happens once", { skip }, async () => {
  const url = await server.database("lost");
  const store = await openPostgresBoard(url);
  await store.setSetting("a", "kept");
  const waiting = store.alone(async () => {
    await server.kill();
    return await store.setSetting("a", "lost").then(
      () => null,
      (error: unknown) => error,
    );
  });
  const error = await waiting.catch((failure: unknown) => failure);
  assert.ok(error instanceof StoreTrouble && error.kind === "away", String(error));
  await server.start();
  assert.equal(await store.setting("a"), "kept");
  await store.close();
});
