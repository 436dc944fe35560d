// What the campaign commands share: the plan of their options, seats for runs, the report in each of its forms.

import { availableParallelism } from "node:os";
import { type CampaignReport, formatCampaign } from "@drydock/core/trials/campaign-book";
import type { CampaignPlan, ShardAnswer, ShardRunner } from "@drydock/core/trials/campaign-shards";
import { campaignAddress } from "@drydock/lab/session/shown-campaign";
import { type CampaignNote, submitCampaign } from "@drydock/node/jobs/campaign-foreman";
import type { CampaignSeat } from "@drydock/node/jobs/campaign-work";
import type { JobQueue } from "@drydock/node/jobs/job-queue";
import { ProcessSeat } from "@drydock/node/workers/process-seat";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { drydockVersion } from "../terminal/version.ts";
import { campaignJunit } from "./campaign-junit.ts";
import { campaignPage } from "./campaign-page.ts";
import type { TrialJob } from "./trial-thread.ts";

/** What is to be run. */
export interface CampaignWish {
  readonly seed: number;
  readonly seeds: number;
  readonly pairs: number;
  readonly most?: number;
}

/** Where its report goes. */
export interface CampaignForms {
  readonly json: boolean;
  readonly html?: OutputFile;
  readonly junit?: OutputFile;
}

/** `rig`: as reports call it. */
export function planOfCampaign(rig: string, { most, pairs, seed, seeds }: CampaignWish): CampaignPlan {
  return { rig, seed, seeds, pairs: seeds > 0 ? 0 : pairs, most: most ?? null };
}

/** The code of this process: nobody else has the queue. */
export const ownDigests: ReadonlySet<string> = new Set(["here"]);

export function submitOwn(queue: JobQueue, runner: ShardRunner, plan: CampaignPlan): Promise<CampaignNote> {
  const code = { version: drydockVersion, digest: [...ownDigests][0] };
  return submitCampaign(queue, runner, { id: "here", plan, code, post: "", submittedAt: 0 });
}

export function seatHere(runner: ShardRunner): CampaignSeat {
  return { run: (_campaign, shard) => runner.run(shard), end: async () => {} };
}

/** `wordOf`: what brings a campaign's rig up here. */
export function processSeats(
  workers: number | undefined,
  wordOf: (campaign: CampaignNote) => string,
): readonly CampaignSeat[] {
  const place = new URL("./trial-thread.ts", import.meta.url);
  return Array.from({ length: workers ?? availableParallelism() }, () => {
    const seat = new ProcessSeat<TrialJob, ShardAnswer>(place);
    return {
      run: (campaign, shard) =>
        seat.ask({ kind: "shard", rig: wordOf(campaign), plan: campaign.plan, shard }),
      end: () => seat.end(),
    };
  });
}

export function showReport(
  report: CampaignReport,
  { html, json, junit }: CampaignForms,
  io: CommandIo,
): void {
  html?.write(Buffer.from(campaignPage(report)));
  junit?.write(Buffer.from(campaignJunit(report)));
  if (json)
    io.document({
      ...report,
      findings: report.findings.map((each) => ({ ...each, lab: campaignAddress(report.rig, each) })),
    });
  else io.print(formatCampaign(report));
}
