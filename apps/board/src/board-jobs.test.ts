// The board's own work: each piece once, whichever server is first; what was cut off is done by the next.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { type JobQueue, silenceMs } from "@drydock/node/jobs/job-queue";
import { openSqliteQueue } from "@drydock/node/jobs/sqlite-job-queue";
import { removeEvidence } from "@drydock/node/store/sql-evidence-store";
import { SqliteBoardStore } from "@drydock/node/store/sqlite-board-store";
import { SoonRun } from "../test/soon-run.ts";
import { BoardJobs } from "./board-jobs.ts";
import { CaseRunner } from "./case-runner.ts";
import { type OpenBoard, openBoard } from "./server.ts";

let home: string;
let now = Date.UTC(2026, 11, 1, 12);
before(() => {
  home = mkdtempSync(join(tmpdir(), "drydock-board-jobs-"));
});
after(() => rmSync(home, { recursive: true, force: true }));

/** Two openings of one board, each with its own look at one queue, as two servers have. */
async function twoServers(name: string, build = "b1", runner: () => CaseRunner = () => new SoonRun()) {
  const folder = join(home, name);
  const troubles: unknown[] = [];
  const begin = async () => {
    const open = await openBoard({
      home: folder,
      version: "0.1.0",
      now: () => now,
      cases: { runner: runner(), build },
      // None of the project's posts.
      seed: home,
    });
    const queue = (): JobQueue => openSqliteQueue(join(folder, "jobs.db"), { now: () => now });
    const { board, stillTrue } = open.site;
    const jobs = new BoardJobs({
      board,
      stillTrue,
      open: async () => queue(),
      onTrouble: (error) => troubles.push(error),
    });
    return { open, jobs, queue };
  };
  const [one, two] = [await begin(), await begin()];
  const close = async () => {
    for (const each of [one, two]) {
      await each.jobs.close();
      await each.open.close();
    }
  };
  return { one, two, troubles, close };
}

const sidesOf = async ({ site }: OpenBoard, id: string): Promise<string[]> =>
  (await site.board.store.caseRuns(id, 9)).map(({ side, build }) => `${build} ${side}`).sort();

test("two servers do each job once between them, and a quarter of an hour later the next", async () => {
  const { one, two, close } = await twoServers("once");
  const { ids } = one.open.site.stillTrue;
  const first = await Promise.all([one.jobs.round(), two.jobs.round()]);
  assert.equal(first[0] + first[1], ids.length + 1, "each case and the housekeeping");
  for (const id of ids) assert.deepEqual(await sidesOf(one.open, id), ["b1 bad", "b1 good"], id);
  assert.deepEqual([await one.jobs.round(), await two.jobs.round()], [0, 0], "nothing is due");
  now += 15 * 60_000;
  assert.equal((await one.jobs.round()) + (await two.jobs.round()), 1, "housekeeping alone");
  await close();
});

test("what another server has run is shown by this one soon after", async () => {
  const { one, two, close } = await twoServers("shown");
  assert.equal((await two.open.site.stillTrue.states()).get("P02")?.state, "never run");
  await one.jobs.round();
  now += 10_000;
  assert.equal((await two.open.site.stillTrue.states()).get("P02")?.state, "holds");
  await close();
});

test("a case whose server was killed between its sides is run by the next one, and nothing of it recorded twice", async () => {
  const { one, two, close } = await twoServers("cut");
  const { stillTrue, board } = one.open.site;
  // The first server: sent, took the first case, recorded a side, and is heard of no more.
  const queue = one.queue();
  const killed = new Error("killed");
  const dying = new BoardJobs({
    board,
    stillTrue: {
      ids: stillTrue.ids,
      build: stillTrue.build,
      runOnce: async (id, job) => {
        const { store } = board;
        await stillTrue.runOnce(id, job);
        // As if the second side had never come.
        if (store instanceof SqliteBoardStore)
          store.connection.write(() => {
            store.connection.run("DELETE FROM case_latest WHERE case_id = ? AND side = 'good'", id);
            store.connection.run("DELETE FROM case_run WHERE case_id = ? AND side = 'good'", id);
            store.connection.run("DELETE FROM act WHERE key = ?", `${job} good`);
          });
        return await new Promise<never>(() => {});
      },
    },
    open: async () => queue,
    onTrouble: () => {
      throw killed;
    },
  });
  void dying.round();
  while ((await sidesOf(one.open, stillTrue.ids[0])).length !== 1)
    await new Promise((resolve) => setTimeout(resolve, 5));
  await queue.close();
  await two.jobs.round();
  assert.deepEqual(await sidesOf(one.open, stillTrue.ids[0]), ["b1 bad"], "it may still live");
  now += silenceMs;
  assert.equal(await two.jobs.round(), 1);
  assert.deepEqual(await sidesOf(one.open, stillTrue.ids[0]), ["b1 bad", "b1 good"]);
  await close();
});

test("a case that three servers did not survive is told to whoever runs the board, once", async () => {
  const { one, two, troubles, close } = await twoServers("given-up");
  const queue = one.queue();
  await queue.send("board.cases.b1", []);
  const [first] = one.open.site.stillTrue.ids;
  for (let times = 0; times < 3; times++) {
    const dying = new BoardJobs({
      board: one.open.site.board,
      stillTrue: {
        ids: [first],
        build: () => "b1",
        runOnce: () => Promise.reject(new Error("it ran out of memory")),
      },
      open: async () => queue,
      onTrouble: () => {},
    });
    await dying.round();
  }
  for (let times = 0; times < 2; times++) await two.jobs.round();
  assert.deepEqual(troubles.map(String), [`Error: ${first} was not run on this build: it ran out of memory`]);
  assert.deepEqual(await sidesOf(one.open, first), []);
  await queue.close();
  await close();
});

test("a board that closes over a case does not say that the case cannot run", async () => {
  const { one, close } = await twoServers("closing", "b1", () => new CaseRunner());
  const refused = assert.rejects(one.open.site.stillTrue.run("P02"), { code: "closing" });
  await one.open.site.runner.close();
  await refused;
  assert.deepEqual(await sidesOf(one.open, "P02"), []);
  await close();
});

test("bytes whose deletion was cut off leave the files with the next housekeeping; old drafts go", async () => {
  const { one, close } = await twoServers("scrubbed");
  const { store, actor } = one.open.site.board;
  assert.ok(store instanceof SqliteBoardStore && actor !== null);
  const secret = "a secret of nobody else";
  const file = (text: string) => ({
    name: "a.log",
    bytes: new TextEncoder().encode(text),
    sha256: "ab",
    marks: 0,
    marked: "[]",
    notes: [],
  });
  const reading = { isKnown: true, cards: "[]", symptoms: [] };
  const [cut] = await store.evidence.addDrafts(actor.id, [file(secret)], reading, now);
  const [old] = await store.evidence.addDrafts(actor.id, [file("old")], reading, now - 86_400_001);
  const inFiles = () =>
    readdirSync(join(home, "scrubbed"))
      .filter((name) => name.startsWith("board.db"))
      .filter((name) => readFileSync(join(home, "scrubbed", name)).includes(secret));
  // Killed after the transaction, before the log of writes was cut.
  await store.database.write(removeEvidence(cut));
  assert.notDeepEqual(inFiles(), [], "the log holds it");
  await one.jobs.round();
  assert.deepEqual([inFiles(), await store.evidence.one(old)], [[], null]);
  await close();
});
