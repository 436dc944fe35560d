// The queue's contract on SQLite; PostgreSQL keeps it in the system tests (`npm run test:system -- campaign-queue`).

import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { StoreTrouble } from "@drydock/board/refusal";
import { SqliteConnection } from "../store/sqlite.ts";
import { silenceMs } from "./job-queue.ts";
import { jobQueueChecks } from "./job-queue-checks.ts";
import { openSqliteQueue } from "./sqlite-job-queue.ts";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-jobs-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

for (const [at, check] of jobQueueChecks.entries()) {
  test(`SQLite: ${check.name}`, async () => {
    const path = join(folder, `${at}.queue`);
    let now = 1_000_000;
    const [queue, other] = [path, path].map((each) => openSqliteQueue(each, { now: () => now }));
    const fallSilent = async () => {
      now += silenceMs;
    };
    await check.run({ queue, other, fallSilent });
    await queue.close();
    await other.close();
  });
}

test("a file that is no queue, or a newer one, is refused and left; a damaged one says so", async () => {
  const path = join(folder, "other.sqlite");
  const foreign = new SqliteConnection(path);
  foreign.exec("CREATE TABLE mine (text TEXT)");
  foreign.close();
  assert.throws(() => openSqliteQueue(path), /no queue of Drydock's. It was not touched/);
  const newer = join(folder, "newer.queue");
  await openSqliteQueue(newer).close();
  const raised = new SqliteConnection(newer);
  raised.exec("PRAGMA user_version = 99");
  raised.close();
  assert.throws(() => openSqliteQueue(newer), /newer Drydock \(schema 99; this one knows 1\)/);
  const torn = join(folder, "torn.queue");
  writeFileSync(torn, "SQLite format 3\0".padEnd(4096, "x"));
  assert.throws(
    () => openSqliteQueue(torn),
    (error) =>
      error instanceof StoreTrouble && error.kind === "damaged" && error.message.startsWith("The queue "),
  );
});
