// Campaigns from a trace: every rig, bofi's kinds of access, a planted bug of each kind, shrinking.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { type AccessFault, accessFaultKinds, accessKinds } from "../faults/access-faults.ts";
import { recordWorkload, runWithFaults, shrinkFaults, singleFaults } from "./access-campaign.ts";
import {
  CampaignBook,
  type CampaignReport,
  type CampaignResult,
  formatCampaign,
  ruleOf,
} from "./campaign-book.ts";
import { runCampaign } from "./campaign-shards.ts";
import { explorableOf, explorables } from "./explorables.ts";
import { formatFaultPlan, parseAccessFault, parseFaultPlan } from "./fault-plan.ts";
import { type JobHabit, jobRig } from "./test/job-engine.ts";
import { type SamplerHabit, samplerRig } from "./test/sampler.ts";

const turn = hostTurn;
/** DRYDOCK_CAMPAIGN_STRIDE: 1 for every single fault, as the endurance run has it. */
const stride = Number(process.env.DRYDOCK_CAMPAIGN_STRIDE ?? 23);
const pairs = Number(process.env.DRYDOCK_CAMPAIGN_PAIRS ?? 8);

const firstOf = ({ faults, problems, seed }: CampaignResult) => ({ rule: ruleOf(problems[0]), seed, faults });

const keepsContracts = ({ findings, fired, tried }: CampaignReport): void => {
  assert.deepEqual(findings, []);
  assert.ok(tried > 0);
  assert.equal(fired, tried, "every fault that was tried has struck");
};

for (const entry of explorables)
  test(`${entry.name}: faults all over its workload, and pairs: each strikes, and every contract is kept`, async () => {
    keepsContracts(await runCampaign(entry, { seed: 1, turn, stride, pairs }));
  });

test("bofi's kinds of access are all in one workload: registers and configuration both ways, DMA both ways, interrupts", async () => {
  const { rows } = await recordWorkload(explorableOf(jobRig(null)), 1, turn);
  const seen = new Set(rows.map(({ access }) => access));
  const onPci = accessKinds.filter((kind) => kind !== "transfer");
  assert.deepEqual(
    onPci.filter((kind) => !seen.has(kind)),
    [],
  );
  const usb = await recordWorkload(explorables[0], 1, turn);
  assert.deepEqual([...new Set(usb.rows.map(({ access }) => access))], ["transfer"]);
  // Each of them lost, late, wrong and doubled.
  const kinds = new Set(
    singleFaults({ rig: "", seed: 1, rows, outcome: "" }).map(({ access, fault }) => `${fault} ${access}`),
  );
  assert.equal(kinds.size, onPci.length * accessFaultKinds.length);
});

test("a right driver of the small engine: faults at every third access, and pairs", async () => {
  const report = await runCampaign(explorableOf(jobRig(null)), { seed: 1, turn, stride: 3, pairs: 20 });
  keepsContracts(report);
  assert.ok((report.outcomes.doubled ?? 0) > 0 && (report.outcomes["cut short"] ?? 0) > 0);
});

/** A habit, the faults that strike it, each of which must find it somewhere, and the rule that it breaks. */
const planted: readonly (readonly [habit: JobHabit, found: readonly string[], rule: RegExp])[] = [
  [
    "waits-for-ever",
    ["lost interrupt", "lost register-write", "lost dma-read", "wrong interrupt"],
    /waits for ever/,
  ],
  ["believes-numbers", ["wrong dma-write", "wrong dma-read"], /the driver crashed/],
  [
    "believes-interrupts",
    ["doubled interrupt", "late interrupt", "doubled register-write"],
    /the driver crashed/,
  ],
  ["believes-registers", ["lost register-read"], /the driver crashed/],
  ["trusts-the-page", ["wrong dma-write", "lost dma-write", "late dma-read"], /the driver crashed/],
  ["believes-configuration", ["lost config-read", "wrong config-read"], /the driver crashed/],
  ["insists-on-configuration", ["lost config-write", "wrong config-read"], /the driver crashed/],
  ["ends-twice", ["doubled register-write", "lost register-read"], /contract: completed-twice/],
];

/** The same on USB: what happens to a transfer, and whom it strikes. */
const plantedOnUsb: readonly (readonly [habit: SamplerHabit, found: readonly string[], rule: RegExp])[] = [
  ["has-no-timeout", ["lost transfer"], /waits for ever/],
  ["gives-up-badly", ["lost transfer", "late transfer"], /the driver crashed/],
  ["believes-lengths", ["wrong transfer"], /the driver crashed/],
  ["insists-on-order", ["doubled transfer"], /the driver crashed/],
];

const rigs = [
  ...planted.map(([habit, ...rest]) => [habit, jobRig(habit), ...rest] as const),
  ...plantedOnUsb.map(([habit, ...rest]) => [habit, samplerRig(habit), ...rest] as const),
];

for (const [habit, rig, found, rule] of rigs)
  test(`a planted bug is found: a driver that ${habit.replaceAll("-", " ")}`, async () => {
    const entry = explorableOf(rig);
    const workload = await recordWorkload(entry, 1, turn);
    const nameOf = ({ access, fault }: AccessFault): string => `${fault} ${access}`;
    const book = new CampaignBook();
    const hits = new Set<string>();
    for (const fault of singleFaults(workload)) {
      if (!found.includes(nameOf(fault))) continue;
      const result = await runWithFaults(entry, 1, turn, [fault]);
      book.add(result);
      if (result.problems.some((problem) => rule.test(ruleOf(problem)))) hits.add(nameOf(fault));
    }
    assert.deepEqual([...hits].sort(), [...found].sort());
    assert.equal(book.counts.fired, book.counts.tried);
    const shrunk = [];
    for (const first of book.found())
      shrunk.push({ faults: await shrinkFaults(entry, turn, first), places: [] });
    const report = book.report({ rig: "own", seed: 1, seeds: 0, accesses: {} }, shrunk);
    const finding = report.findings.find((each) => rule.test(each.rule));
    assert.match(formatCampaign(report), /runs with findings/);
    // What is printed, and written as a plan, shows it again.
    const plan = parseFaultPlan(formatFaultPlan({ rig: "own", seed: 1, faults: finding?.faults ?? [] }));
    const again = await runWithFaults(entry, plan.seed, turn, plan.faults);
    assert.ok(again.problems.some((problem) => rule.test(ruleOf(problem))));
  });

test("a right driver of the small sampler: every single fault at every transfer, and pairs", async () => {
  const report = await runCampaign(explorableOf(samplerRig(null)), { seed: 1, turn, pairs: 40 });
  keepsContracts(report);
  assert.ok((report.outcomes.sampled ?? 0) > 0 && (report.outcomes["not all"] ?? 0) > 0);
});

test("a pair that fails by one of its faults is shrunk to that one, and a late one to a shorter time", async () => {
  const entry = explorableOf(jobRig("believes-interrupts"));
  const harmless = parseAccessFault("doubled:config-read:5");
  const result = await runWithFaults(entry, 1, turn, [harmless, parseAccessFault("doubled:interrupt:2")]);
  assert.notDeepEqual(result.problems, []);
  assert.equal(result.isFired, true);
  assert.deepEqual(await shrinkFaults(entry, turn, firstOf(result)), [
    parseAccessFault("doubled:interrupt:2"),
  ]);
  assert.notDeepEqual(result.problems, []);
  // A millisecond is what the driver waits; a tenth of it is in time.
  const late = await runWithFaults(entry, 1, turn, [parseAccessFault("late:interrupt:3")]);
  const [shorter] = await shrinkFaults(entry, turn, firstOf(late));
  assert.equal(shorter.delayNs, 1_000_000);
});

test("the same faults are the same run; a fault of an access that never comes has not struck, and does not count", async () => {
  const entry = explorableOf(jobRig(null));
  const faults = [parseAccessFault("lost:interrupt:1")];
  const [one, other] = [
    await runWithFaults(entry, 1, turn, faults),
    await runWithFaults(entry, 1, turn, faults),
  ];
  assert.deepEqual(one, other);
  const none = await runWithFaults(entry, 1, turn, [parseAccessFault("lost:interrupt:4000")]);
  assert.equal(none.isFired, false);
  const book = new CampaignBook();
  book.add(none);
  assert.deepEqual(book.counts, { tried: 1, fired: 0, failed: 0 });
});

test("the book's shape for every kind: tried and fired are printed, and equal", async () => {
  const report = await runCampaign(explorableOf(jobRig(null)), { seed: 2, turn, stride: 11 });
  const text = formatCampaign(report);
  assert.match(
    text,
    new RegExp(`^${report.tried} faults tried, ${report.tried} fired, 0 runs with findings$`, "m"),
  );
});
