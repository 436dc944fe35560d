// A worker of campaigns: takes a shard, makes its runs, answers, and waits out a queue that is away.

import { setTimeout } from "node:timers/promises";
import { StoreTrouble } from "@drydock/board/refusal";
import type { Shard, ShardAnswer } from "@drydock/core/trials/campaign-shards";
import { type CampaignNote, type TakenShard, takeShard } from "./campaign-foreman.ts";
import { Beats } from "./job-beats.ts";
import type { JobQueue } from "./job-queue.ts";

/** Whoever makes runs: a process, or this one. Throws when the runs cannot be made. */
export interface CampaignSeat {
  run(campaign: CampaignNote, shard: Shard): Promise<ShardAnswer>;
  /** Ends what is under way. */
  end(): Promise<void>;
}

export interface WorkOptions {
  readonly queue: JobQueue;
  /** Of the code that the seats have. */
  readonly digests: ReadonlySet<string>;
  readonly seats: readonly CampaignSeat[];
  /** No more is taken; what is under way is finished. */
  readonly isStopped: () => boolean;
  /** Nothing is left to take, for anybody: true ends the work. */
  readonly isOver?: () => Promise<boolean>;
  /** A shard was answered. */
  readonly onShard?: (campaign: CampaignNote) => void;
  /** Something for the person who watches: the queue is away, a shard could not be made. */
  readonly say?: (text: string) => void;
  /** How long an idle seat sleeps at most, milliseconds. */
  readonly idleMostMs?: number;
  /** How long a queue that is away is left alone the first time, milliseconds; then twice as long, up to ten seconds. */
  readonly awayLeastMs?: number;
  /** How long a shard may take, milliseconds; then its seat is ended. Default an hour. */
  readonly shardMs?: number;
}

const idleLeastMs = 10;
const awayMostMs = 10_000;

/** Resolves when the work is over or it was stopped. Rejects with a StoreTrouble that does not pass. */
export async function workOnCampaigns(options: WorkOptions): Promise<void> {
  const trouble = new Troubles(options.say ?? (() => {}), options.awayLeastMs ?? 250);
  await Promise.all(options.seats.map((seat) => workOnSeat(seat, options, trouble)));
}

async function workOnSeat(seat: CampaignSeat, options: WorkOptions, trouble: Troubles): Promise<void> {
  const { digests, idleMostMs = 1000, isOver, isStopped, queue } = options;
  let idle = idleLeastMs;
  while (!isStopped()) {
    const taken = await trouble.outlast(() => takeShard(queue, digests), isStopped);
    if (taken === undefined) return;
    if (taken === null) {
      if (isOver !== undefined && (await trouble.outlast(isOver, isStopped)) === true) return;
      await setTimeout(idle);
      idle = Math.min(idle * 2, idleMostMs);
      continue;
    }
    idle = idleLeastMs;
    await makeShard(taken, seat, options, trouble);
  }
}

async function makeShard(
  { campaign, job, shard }: TakenShard,
  seat: CampaignSeat,
  { onShard, queue, say, shardMs = 3_600_000 }: WorkOptions,
  trouble: Troubles,
): Promise<void> {
  const beats = new Beats(queue, job);
  const patience = new AbortController();
  let isTooLong = false;
  void setTimeout(shardMs, undefined, { signal: patience.signal, ref: false }).then(
    () => {
      isTooLong = true;
      return seat.end();
    },
    () => {},
  );
  try {
    const answer = await seat.run(campaign, shard);
    // What was made is not thrown away because the queue is away for a while.
    await trouble.outlast(
      () => queue.finish(job, JSON.stringify(answer)),
      () => false,
    );
    onShard?.(campaign);
  } catch (error) {
    if (error instanceof StoreTrouble) throw error;
    const why = isTooLong
      ? `it took longer than ${shardMs / 1000} s`
      : error instanceof Error
        ? error.message
        : String(error);
    say?.(`${campaign.plan.rig}, ${shard.phase}, attempt ${job.attempt}: ${why}`);
    await trouble.outlast(
      () => queue.fail(job, why.slice(0, 1000)),
      () => false,
    );
  } finally {
    patience.abort();
    beats.end();
  }
}

/** Asks again while the trouble passes, and says so once. */
class Troubles {
  readonly #say: (text: string) => void;
  readonly #leastMs: number;
  #isTold = false;

  constructor(say: (text: string) => void, leastMs: number) {
    this.#say = say;
    this.#leastMs = leastMs;
  }

  /** Undefined: it was stopped meanwhile. */
  async outlast<T>(act: () => Promise<T>, isStopped: () => boolean): Promise<T | undefined> {
    for (let wait = this.#leastMs; ; wait = Math.min(wait * 2, awayMostMs)) {
      try {
        const answer = await act();
        if (this.#isTold) this.#say("the queue is back");
        this.#isTold = false;
        return answer;
      } catch (error) {
        if (!(error instanceof StoreTrouble) || !passing.has(error.kind)) throw error;
        if (!this.#isTold) this.#say(`${error.message} Waiting for it.`);
        this.#isTold = true;
        if (isStopped()) return undefined;
        await setTimeout(wait);
      }
    }
  }
}

const passing: ReadonlySet<StoreTrouble["kind"]> = new Set(["away", "full", "locked"]);
