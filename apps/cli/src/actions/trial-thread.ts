// The thread, or process, of explore, campaign and soak: parts of an exploration, runs with faults, seeds of a soak.

import { findRig, type RigEntry } from "@drydock/core/rigs/catalogue";
import {
  type CampaignPlan,
  type Shard,
  type ShardAnswer,
  ShardRunner,
} from "@drydock/core/trials/campaign-shards";
import type { ExploreTrial, TrialResult } from "@drydock/core/trials/explore";
import { runTrial } from "@drydock/core/trials/explore";
import type { SoakPlan } from "@drydock/core/trials/soak";
import { drawSoak, shrinkSoak, soak, soakOptions } from "@drydock/core/trials/soak";
import type { SoakEntry } from "@drydock/core/trials/soak-book";
import { hostTurn } from "@drydock/node/host-turn";
import { answerJobs } from "@drydock/node/workers/job-thread";
import { findExplorable } from "./explorable-list.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";

export type TrialJob =
  | {
      readonly kind: "explore";
      readonly rig: string;
      readonly seed: number;
      readonly trials: readonly ExploreTrial[];
    }
  | { readonly kind: "soak"; readonly rig: string; readonly plan: SoakPlan }
  | { readonly kind: "shard"; readonly rig: string; readonly plan: CampaignPlan; readonly shard: Shard };

/** One seed, and what is left of a failing schedule. */
export async function soakSeed(
  entry: RigEntry,
  plan: SoakPlan,
  say: (text: string) => void = () => {},
  isStopped: () => boolean = () => false,
): Promise<SoakEntry> {
  const { seed } = plan;
  const options = soakOptions(entry, plan, hostTurn);
  const onProgress = (done: number) => say(`seed ${seed}: ${done} of ${options.actions.length} actions`);
  const result = await soak({ ...options, onProgress, isStopped });
  if (result.problem === null) return { seed, result, only: null, actions: null };
  const only = await shrinkSoak(entry, plan, hostTurn, (tries, left) =>
    say(`seed ${seed}: shrinking, try ${tries}, ${left} actions`),
  );
  return { seed, result, only, actions: drawSoak(entry, { ...plan, only }) };
}

async function rigOf(word: string): Promise<RigEntry> {
  return isRigFile(word) ? loadRigFile(word) : (findRig(word) as RigEntry);
}

/** The campaign of the shard before: its workload is recorded once. */
let campaign: { readonly key: string; readonly runner: ShardRunner } | null = null;

answerJobs<TrialJob, TrialResult[] | SoakEntry | ShardAnswer>(async (job) => {
  if (job.kind === "soak") return soakSeed(await rigOf(job.rig), job.plan);
  const entry = await findExplorable(job.rig);
  if (job.kind === "shard") {
    const key = JSON.stringify([job.rig, job.plan]);
    if (campaign?.key !== key) campaign = { key, runner: new ShardRunner(entry, job.plan, hostTurn) };
    return campaign.runner.run(job.shard);
  }
  const results: TrialResult[] = [];
  for (const trial of job.trials) results.push(await runTrial(entry, job.seed, hostTurn, trial));
  return results;
});
