// Campaigns of a queue beside the case that they are for: looked at now and then, never waited for twice.

import { isClean } from "@drydock/core/trials/campaign-book";
import { campaignAddress } from "@drydock/lab/session/shown-campaign";
import {
  type CampaignNote,
  campaignReport,
  campaignStatus,
  readCampaigns,
} from "@drydock/node/jobs/campaign-foreman";
import type { JobQueue } from "@drydock/node/jobs/job-queue";
import { openJobQueue } from "@drydock/node/jobs/open-job-queue";

/** One campaign as a page has it. */
export interface CampaignLine {
  readonly id: string;
  readonly text: string;
  /** Null: it is under way, or nothing is known of it. */
  readonly isClean: boolean | null;
  /** First runs with a finding, each by its rule, as the lab has them. */
  readonly runs?: readonly { readonly rule: string; readonly href: string }[];
}

const looksEveryMs = 5000;
const shownMost = 20;
const runsMost = 5;

export class CampaignDesk {
  readonly #place: string;
  readonly #now: () => number;
  readonly #onTrouble: (error: unknown) => void;
  #queue: JobQueue | null = null;
  #looked: Promise<ReadonlyMap<string, readonly CampaignLine[]>> | null = null;
  #lookedAt = Number.NEGATIVE_INFINITY;
  readonly #done = new Map<string, CampaignLine>();

  /** `place`: as `drydock campaign` takes it. It is opened when a page first asks. */
  constructor(place: string, now: () => number, onTrouble: (error: unknown) => void) {
    this.#place = place;
    this.#now = now;
    this.#onTrouble = onTrouble;
  }

  /** Of a case, the newest first. A queue that is away is one line that says so. */
  async of(post: string): Promise<readonly CampaignLine[]> {
    const now = this.#now();
    if (this.#looked === null || now - this.#lookedAt >= looksEveryMs) {
      this.#lookedAt = now;
      this.#looked = this.#look().catch((error: unknown) => {
        this.#onTrouble(error);
        return new Map([["", [{ id: "", text: "The queue of campaigns does not answer.", isClean: null }]]]);
      });
    }
    const lines = await this.#looked;
    return lines.get(post) ?? lines.get("") ?? [];
  }

  async #look(): Promise<ReadonlyMap<string, readonly CampaignLine[]>> {
    this.#queue ??= await openJobQueue({ place: this.#place, canMake: false, isSupervised: false });
    const lines = new Map<string, CampaignLine[]>();
    const { kept } = await readCampaigns(this.#queue);
    for (const { note } of [...kept].reverse()) {
      if (note.post === "") continue;
      const own = lines.get(note.post) ?? [];
      lines.set(note.post, own);
      if (own.length < shownMost) own.push(await this.#lineOf(this.#queue, note));
    }
    return lines;
  }

  async #lineOf(queue: JobQueue, note: CampaignNote): Promise<CampaignLine> {
    const { id, isDone, plan } = note;
    const known = this.#done.get(id);
    if (known !== undefined) return known;
    const { seed, seeds } = plan;
    const what = `${plan.rig}, ${seeds === 0 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`}`;
    if (!isDone) {
      const { ended, phase, shards } = await campaignStatus(queue, note);
      return { id, text: `${what}: ${phase}, ${ended} of ${shards} parts`, isClean: null };
    }
    const report = await campaignReport(queue, note);
    const line = {
      id,
      text: `${what}: ${isClean(report) ? `${report.tried} runs, every contract was kept` : `${report.failed} of ${report.tried} runs with findings${report.lost.length === 0 ? "" : ", some were not run"}`}`,
      isClean: isClean(report),
      runs: report.findings.slice(0, runsMost).flatMap((finding) => {
        const address = campaignAddress(report.rig, finding);
        return address === null ? [] : [{ rule: finding.rule, href: `/lab${address}` }];
      }),
    };
    this.#done.set(id, line);
    return line;
  }

  async close(): Promise<void> {
    await this.#queue?.close();
    this.#queue = null;
  }
}
