// Campaigns in parts: whoever makes them adds up to the same; what others wrote is read strictly.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { recordWorkload } from "./access-campaign.ts";
import { CampaignBook, formatCampaign, isClean, strikeOptions } from "./campaign-book.ts";
import {
  type CampaignPlan,
  firstShards,
  nameOfShard,
  parseCampaignPlan,
  parseShard,
  parseShardAnswer,
  runCampaign,
  runsOf,
  ShardRunner,
} from "./campaign-shards.ts";
import { explorableOf } from "./explorables.ts";
import { jobRig } from "./test/job-engine.ts";

const turn = hostTurn;
const plan: CampaignPlan = { rig: "job", seed: 1, seeds: 0, pairs: 0, most: null };

test("shards cover every run once; each answer survives the wire; pages add up to the book of single runs", async () => {
  const entry = explorableOf(jobRig("waits-for-ever"));
  const workload = await recordWorkload(entry, 1, turn);
  const most = 90;
  const small = { ...plan, most };
  const shards = firstShards(small, workload);
  assert.equal(runsOf(shards), most);
  assert.equal(nameOfShard(small, "singles", shards.length - 1, most), "singles 81 to 90");
  const whole = new CampaignBook();
  // Made from the last to the first, by two who know nothing of each other.
  const runners = [new ShardRunner(entry, small, turn), new ShardRunner(entry, small, turn)];
  const answers = new Map<number, string>();
  for (let at = shards.length - 1; at >= 0; at--)
    answers.set(
      at,
      JSON.stringify(await runners[at % 2].run(parseShard(JSON.parse(JSON.stringify(shards[at]))))),
    );
  for (let at = 0; at < shards.length; at++) {
    const answer = parseShardAnswer(JSON.parse(answers.get(at) ?? ""));
    assert.ok("page" in answer);
    assert.equal(answer.firsts.length, Math.min(40, most - at * 40));
    whole.addPage(answer.page);
  }
  const stride = Math.ceil(
    firstShards(plan, workload).reduce((sum, shard) => sum + runsOf([shard]), 0) / most,
  );
  assert.ok(stride >= 1);
  assert.deepEqual(whole.counts.tried, most);
  assert.ok(whole.found().length > 0);
  const again = new CampaignBook();
  for (let at = 0; at < shards.length; at++) {
    const answer = await new ShardRunner(entry, small, turn).run(shards[at]);
    if ("page" in answer) again.addPage(answer.page);
  }
  assert.deepEqual(whole.page(), again.page());
});

test("seeds: a fault in each, drawn from the seed alone; a finding names its seed, and the line that shows it again", async () => {
  const entry = explorableOf(jobRig("waits-for-ever"));
  const seeds: CampaignPlan = { ...plan, seed: 50, seeds: 120 };
  const [shard] = firstShards(seeds, await recordWorkload(entry, 50, turn));
  assert.deepEqual(shard, { phase: "seeds", from: 50, to: 170 });
  const one = await new ShardRunner(entry, seeds, turn).run(shard);
  const parts = new CampaignBook();
  const runner = new ShardRunner(entry, seeds, turn);
  for (const [from, to] of [
    [50, 51],
    [51, 100],
    [100, 170],
  ]) {
    const answer = await runner.run({ phase: "seeds", from, to });
    if ("page" in answer) parts.addPage(answer.page);
  }
  assert.ok("page" in one);
  assert.deepEqual(one.page, parts.page());
  assert.deepEqual([parts.counts.tried, parts.counts.fired], [120, 120]);
  const [first] = parts.found();
  assert.ok(first.seed >= 50 && first.seed < 170);
  const shrunk = await runner.run({ phase: "shrink", first });
  assert.ok("shrunk" in shrunk);
  const report = parts.report({ rig: "job", seed: 50, seeds: 120, accesses: {} }, [
    shrunk.shrunk,
    ...parts
      .found()
      .slice(1)
      .map(({ faults }) => ({ faults, places: faults.map(() => "") })),
  ]);
  assert.equal(isClean(report), false);
  assert.match(formatCampaign(report), /^job, seeds 50 to 169, a fault in each\n/);
  assert.match(
    strikeOptions(report.findings[0]),
    new RegExp(`^--seed ${first.seed} --strike \\w+:[\\w-]+:\\d+$`),
  );
});

test("runs that nobody could make are named, and the campaign is not clean", async () => {
  const report = await runCampaign(explorableOf(jobRig(null)), { seed: 1, turn, stride: 40, pairs: 2 });
  assert.equal(isClean(report), true);
  const lost = { ...report, lost: [{ runs: "singles 41 to 80", why: "it ended 3 workers" }] };
  assert.equal(isClean(lost), false);
  assert.match(formatCampaign(lost), /^not run: singles 41 to 80: it ended 3 workers$/m);
  assert.doesNotMatch(formatCampaign(lost), /every contract was kept/);
});

test("a shard, an answer or a plan that somebody else wrote: each wrong field is named, nothing is guessed", async () => {
  const page = { faults: {}, outcomes: {}, found: [] };
  const wrong: readonly [(value: unknown) => unknown, unknown, RegExp][] = [
    [parseShard, null, /the shard is no object/],
    [parseShard, { phase: "everything" }, /"phase" is none of singles, pairs, seeds, shrink/],
    [parseShard, { phase: "singles", from: 0, to: 41 }, /"to" is no whole number from 1 to 40/],
    [parseShard, { phase: "singles", from: 0.5, to: 1 }, /"from" is no whole number/],
    [parseShard, { phase: "seeds", from: 5, to: 1e12 }, /"to" is no whole number from 6 to 2005/],
    [parseShard, { phase: "singles", from: 0, to: 1, rig: "/etc/evil.ts" }, /"rig", which nobody knows/],
    [parseShard, { phase: "pairs", runs: Array(41).fill([]) }, /no list of at most 40/],
    [
      parseShard,
      { phase: "pairs", runs: [[{ fault: "lost", access: "thing", number: 1 }]] },
      /"access" of run 1 1 is none/,
    ],
    [
      parseShard,
      { phase: "shrink", first: { rule: "x", seed: -1, faults: [] } },
      /"seed" is no whole number/,
    ],
    [parseShardAnswer, { page, firsts: {} }, /first is no list/],
    [
      parseShardAnswer,
      { page: { ...page, faults: { __proto__: null, hacked: {} } }, firsts: [] },
      /"hacked" is no kind of fault/,
    ],
    [
      parseShardAnswer,
      { page: { ...page, faults: { pairs: { tried: 1e9, fired: 0, failed: 0 } } }, firsts: [] },
      /"tried" is no whole number from 0 to 2000/,
    ],
    [parseShardAnswer, { page: { ...page, outcomes: { up: -1 } }, firsts: [] }, /"up" is no whole number/],
    [parseShardAnswer, { shrunk: { faults: [], places: ["x"] } }, /place is no list of at most 0/],
    [parseCampaignPlan, { ...plan, seeds: 1e12 }, /"seeds" is no whole number/],
    [parseCampaignPlan, { ...plan, most: 0 }, /"most" is no whole number/],
    [parseCampaignPlan, { ...plan, rig: "x".repeat(201) }, /"rig" is no text of at most 200/],
  ];
  for (const [parse, value, message] of wrong)
    assert.throws(
      () => parse(value),
      (error) => error instanceof RangeError && message.test(error.message),
      String(message),
    );
  assert.deepEqual(parseCampaignPlan(JSON.parse(JSON.stringify(plan))), plan);
  const runner = new ShardRunner(explorableOf(jobRig(null)), { ...plan, most: 10 }, turn);
  await assert.rejects(runner.run({ phase: "singles", from: 0, to: 40 }), /has 10 faults, and no number 40/);
});
