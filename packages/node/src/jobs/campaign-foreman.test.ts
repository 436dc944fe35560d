// Campaigns over a queue: workers of any number that end at any moment, hostile shards, other code, the same report.

import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { StoreTrouble } from "@drydock/board/refusal";
import { Random } from "@drydock/core/base/random";
import { CampaignBook, type CampaignReport, formatCampaign } from "@drydock/core/trials/campaign-book";
import { type CampaignPlan, ShardRunner } from "@drydock/core/trials/campaign-shards";
import { explorables } from "@drydock/core/trials/explorables";
import { hostTurn } from "../host/host-turn.ts";
import {
  campaignReport,
  campaignStatus,
  dropCampaign,
  findCampaign,
  readCampaigns,
  submitCampaign,
  takeShard,
} from "./campaign-foreman.ts";
import { type CampaignSeat, workOnCampaigns } from "./campaign-work.ts";
import { type JobQueue, silenceMs } from "./job-queue.ts";
import { openSqliteQueue } from "./sqlite-job-queue.ts";

const folder = mkdtempSync(join(tmpdir(), "drydock-foreman-"));
after(() => rmSync(folder, { recursive: true, force: true }));

const entry = explorables[0];
const plan: CampaignPlan = { rig: entry.name, seed: 1, seeds: 0, pairs: 6, most: 60 };
const runner = new ShardRunner(entry, plan, hostTurn);
const code = { version: "0.1.0", digest: "d" };
const digests = new Set(["d"]);

let queues = 0;
let now = 1e6;
const freshQueue = (): JobQueue =>
  openSqliteQueue(join(folder, String(++queues)), { now: () => now, isTemporary: true });

const submit = (queue: JobQueue, id = "one", of = plan) =>
  submitCampaign(queue, new ShardRunner(entry, of, hostTurn), {
    id,
    plan: of,
    code,
    post: "",
    submittedAt: 5,
  });

const seat: CampaignSeat = { run: (_campaign, shard) => runner.run(shard), end: async () => {} };

async function reportOf(queue: JobQueue, id = "one"): Promise<CampaignReport> {
  const note = await findCampaign(queue, id);
  assert.ok(note?.isDone);
  return campaignReport(queue, note);
}

const isDone =
  (queue: JobQueue, id = "one") =>
  async () =>
    (await findCampaign(queue, id))?.isDone === true;

async function byOne(queue: JobQueue): Promise<string> {
  await submit(queue);
  await workOnCampaigns({
    queue,
    digests,
    seats: [seat],
    isStopped: () => false,
    isOver: isDone(queue),
    idleMostMs: 10,
  });
  return formatCampaign(await reportOf(queue));
}

let once: Promise<string> | null = null;
const wanted = (): Promise<string> => {
  once ??= byOne(freshQueue());
  return once;
};

test("workers that end in each phase of their work, at random: the same report, byte for byte", async () => {
  const report = await wanted();
  assert.match(report, /^66 faults tried, 66 fired, 0 runs with findings$/m);
  for (let seed = 1; seed <= 3; seed++) {
    const random = new Random(seed);
    const queue = freshQueue();
    await submit(queue);
    for (let turns = 0; !(await isDone(queue)()); turns++) {
      assert.ok(turns < 400, `seed ${seed}: it does not come to an end`);
      const taken = await takeShard(queue, digests);
      if (taken === null) {
        now += silenceMs;
        continue;
      }
      const fate = random.below(5);
      // Ended before it ran, ended before it answered, or after: only what is answered counts, and it counts once.
      if (fate === 0 && taken.job.attempt < 3) continue;
      const answer = await runner.run(taken.shard);
      if (fate === 1 && taken.job.attempt < 3) continue;
      if (fate === 2) now += silenceMs;
      assert.equal(await queue.finish(taken.job, JSON.stringify(answer)), true);
      assert.equal(await queue.finish(taken.job, JSON.stringify(answer)), false);
    }
    assert.equal(formatCampaign(await reportOf(queue)), report, `seed ${seed}`);
    await queue.close();
  }
});

test("a phase that begins twice at once, by two who end in between, begins once", async () => {
  const queue = freshQueue();
  await submit(queue);
  for (
    let taken = await takeShard(queue, digests);
    taken?.shard.phase === "singles";
    taken = await takeShard(queue, digests)
  )
    await queue.finish(taken.job, JSON.stringify(await runner.run(taken.shard)));
  // The last take has begun the pairs and taken one; somebody who read the note before does it all again.
  const { kept } = await readCampaigns(queue);
  assert.deepEqual(
    kept[0].note.phases.map(({ phase, runs }) => [phase, runs]),
    [
      ["singles", 60],
      ["pairs", 6],
    ],
  );
  now += silenceMs;
  await workOnCampaigns({
    queue,
    digests,
    seats: [seat, seat],
    isStopped: () => false,
    isOver: isDone(queue),
    idleMostMs: 10,
  });
  assert.equal(formatCampaign(await reportOf(queue)), await wanted());
});

test("shards that nobody survives are given up after three, named, and the rest stands", async () => {
  const queue = freshQueue();
  await submit(queue);
  let deaths = 0;
  const mortal: CampaignSeat = {
    async run(_campaign, shard) {
      if (shard.phase === "singles" && shard.from === 40) {
        deaths++;
        throw new Error("the thread ended");
      }
      return runner.run(shard);
    },
    end: async () => {},
  };
  const said: string[] = [];
  await workOnCampaigns({
    queue,
    digests,
    seats: [mortal],
    isStopped: () => false,
    isOver: isDone(queue),
    idleMostMs: 10,
    say: (text) => said.push(text),
  });
  const { lost, tried } = await reportOf(queue);
  assert.deepEqual(
    [deaths, tried >= 40, lost],
    [3, true, [{ runs: "singles 41 to 60", why: "the thread ended" }]],
  );
  assert.match(said[0], /^serial, singles, attempt 1: the thread ended$/);
  // Nobody said anything: whoever had it was ended.
  const silent = freshQueue();
  await submit(silent, "two", { ...plan, pairs: 0, most: 40 });
  for (let attempt = 1; attempt <= 3; attempt++) {
    assert.equal((await takeShard(silent, digests))?.job.attempt, attempt);
    now += silenceMs;
  }
  assert.equal(await takeShard(silent, digests), null);
  const report = await reportOf(silent, "two");
  assert.deepEqual(report.lost, [{ runs: "singles 1 to 40", why: "it ended 3 workers" }]);
});

test("a seat that takes too long is ended, and its shard is another's", async () => {
  const queue = freshQueue();
  await submit(queue);
  let stuck = 1;
  const ends: (() => void)[] = [];
  const slow: CampaignSeat = {
    run: (_campaign, shard) =>
      stuck-- > 0
        ? new Promise((_, reject) => ends.push(() => reject(new Error("ended"))))
        : runner.run(shard),
    async end() {
      for (const end of ends) end();
    },
  };
  const said: string[] = [];
  await workOnCampaigns({
    queue,
    digests,
    seats: [slow],
    isStopped: () => false,
    isOver: isDone(queue),
    idleMostMs: 10,
    shardMs: 300,
    say: (text) => said.push(text),
  });
  assert.deepEqual(said, ["serial, singles, attempt 1: it took longer than 0.3 s"]);
  assert.equal(formatCampaign(await reportOf(queue)), await wanted());
});

test("a queue that goes away in mid-work is waited for, and nothing that was made is lost", async () => {
  const real = freshQueue();
  await submit(real);
  const random = new Random(3);
  // Now and then the server is away, before or after it did what was asked.
  const shaky = new Proxy(real, {
    get(target, key) {
      const value: unknown = Reflect.get(target, key);
      if (typeof value !== "function") return value;
      return async (...values: unknown[]) => {
        const fate = random.below(16);
        if (fate === 0) throw new StoreTrouble("away", "The queue does not answer.");
        const answer: unknown = await value.apply(target, values);
        if (fate === 1) throw new StoreTrouble("away", "The queue does not answer.");
        return answer;
      };
    },
  });
  const said: string[] = [];
  await workOnCampaigns({
    queue: shaky,
    digests,
    seats: [seat, seat],
    isStopped: () => {
      // What was taken when the answer was lost is nobody's until it has been silent for too long.
      now += silenceMs / 4;
      return false;
    },
    isOver: isDone(real),
    idleMostMs: 10,
    awayLeastMs: 1,
    say: (text) => said.push(text),
  });
  assert.ok(
    said.includes("The queue does not answer. Waiting for it.") && said.includes("the queue is back"),
  );
  const report = formatCampaign(await reportOf(real));
  // A shard may have been given up: three times its taker never heard of it. Then that is what the report says.
  if (!report.includes("not run:")) assert.equal(report, await wanted());
  else assert.match(report, /^not run: \w+ \d+ to \d+: it ended 3 workers$/m);
});

test("a worker without a campaign's code leaves it to others; notes of another format are left and named", async () => {
  const queue = freshQueue();
  await submit(queue);
  assert.equal(await takeShard(queue, new Set(["another"])), null);
  await queue.note("campaign/new", null, '{"format":9}');
  await queue.note("campaign/torn", null, "{");
  const { kept, unread } = await readCampaigns(queue);
  assert.deepEqual([kept.length, unread.map(({ key }) => key)], [1, ["campaign/new", "campaign/torn"]]);
  assert.notEqual(await takeShard(queue, digests), null);
});

test("a hostile shard or answer is refused by name, and ends nobody", async () => {
  const queue = freshQueue();
  const note = await submit(queue, "one", { ...plan, pairs: 0, most: 40 });
  const [job] = [await queue.take(["campaign.one.singles"])];
  assert.ok(job);
  await queue.finish(job, '{"page":{"faults":{},"outcomes":{},"found":[]},"firsts":[{}]}');
  await queue.send("campaign.one.singles", [
    { id: "11111111-1111-8111-8111-111111111111", data: { phase: "singles", from: 0, to: 1e15 } },
  ]);
  for (let attempt = 0; attempt < 3; attempt++) await takeShard(queue, digests);
  const { lost } = await campaignReport(queue, note);
  assert.match(lost[0].why, /^its answer is no answer: first 1 has no "faults"$/);
  assert.deepEqual(new CampaignBook().counts, { tried: 0, fired: 0, failed: 0 });
});

test("a campaign that is dropped is gone with everything; how far one is, is told by its phase", async () => {
  const queue = freshQueue();
  const note = await submit(queue);
  const status = await campaignStatus(queue, note);
  assert.deepEqual([status.phase, status.ended, status.shards], ["singles", 0, 2]);
  assert.equal(await dropCampaign(queue, "one"), true);
  assert.equal(await dropCampaign(queue, "one"), false);
  assert.deepEqual(await queue.notes(""), []);
  assert.equal(await queue.take(["campaign.one.singles"]), null);
});
