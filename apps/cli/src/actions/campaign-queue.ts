// drydock campaign submit, work, status and report: a campaign that any number of machines can share.

import { randomBytes } from "node:crypto";
import { setTimeout } from "node:timers/promises";
import { StoreTrouble } from "@drydock/board/refusal";
import { shown } from "@drydock/core/base/shown-text";
import { isClean } from "@drydock/core/trials/campaign-book";
import { ShardRunner } from "@drydock/core/trials/campaign-shards";
import { hostTurn } from "@drydock/node/host-turn";
import {
  type CampaignNote,
  type CampaignStatus,
  campaignReport,
  campaignStatus,
  dropCampaign,
  findCampaign,
  readCampaigns,
  submitCampaign,
} from "@drydock/node/jobs/campaign-foreman";
import { workOnCampaigns } from "@drydock/node/jobs/campaign-work";
import type { JobQueue } from "@drydock/node/jobs/job-queue";
import { openJobQueue } from "@drydock/node/jobs/open-job-queue";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { drydockVersion } from "../terminal/version.ts";
import { campaignDigest } from "./campaign-code.ts";
import {
  type CampaignForms,
  type CampaignWish,
  planOfCampaign,
  processSeats,
  showReport,
} from "./campaign-parts.ts";
import { everyExplorable, findExplorable } from "./explorable-list.ts";
import { isRigFile, loadRigFile } from "./rig-file.ts";

interface QueueOption {
  readonly queue?: string;
}

/** The queue of --queue or DRYDOCK_QUEUE, for as long as `act` needs it. */
async function withQueue(
  { queue: named }: QueueOption,
  can: { readonly make: boolean; readonly supervise: boolean },
  act: (queue: JobQueue) => Promise<ExitCode>,
): Promise<ExitCode> {
  const place = named ?? process.env.DRYDOCK_QUEUE ?? "";
  if (place === "")
    throw new UsageError(
      "needs a queue: --queue FILE, or DRYDOCK_QUEUE with a file or postgres://user@host:5432/name",
    );
  let queue: JobQueue;
  try {
    queue = await openJobQueue({ place, canMake: can.make, isSupervised: can.supervise });
  } catch (error) {
    if (error instanceof RangeError)
      throw new UsageError(named === undefined ? `DRYDOCK_QUEUE: ${error.message}` : error.message);
    if (error instanceof StoreTrouble) throw new UsageError(error.message);
    throw error;
  }
  try {
    return await act(queue);
  } catch (error) {
    if (error instanceof StoreTrouble) throw new UsageError(error.message);
    throw error;
  } finally {
    await queue.close();
  }
}

export interface SubmitOptions extends CampaignWish, QueueOption {
  readonly rig: string;
  readonly post?: string;
  readonly json: boolean;
}

export async function submit(options: SubmitOptions, io: CommandIo): Promise<ExitCode> {
  const { json, post = "", rig } = options;
  const named = isRigFile(rig) ? (await loadRigFile(rig)).name : rig;
  const plan = planOfCampaign(named, options);
  const runner = new ShardRunner(await findExplorable(rig), plan, hostTurn);
  return withQueue(options, { make: true, supervise: false }, async (queue) => {
    try {
      const note = await submitCampaign(queue, runner, {
        id: randomBytes(5).toString("hex"),
        plan,
        code: { version: drydockVersion, digest: campaignDigest(rig) },
        post: post.toUpperCase(),
        submittedAt: Math.floor(Date.now() / 1000),
      });
      const [{ runs, shards }] = note.phases;
      if (json) io.document({ id: note.id, rig: named, runs, shards, queue: queue.name });
      else io.print(`${note.id}\n`);
      io.say(
        `drydock: ${runs} runs in ${shards} parts wait in ${shown(queue.name)}; drydock campaign work makes them`,
      );
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(error.message);
      throw error;
    }
    return exitCodes.pass;
  });
}

export interface WorkRigOptions extends QueueOption {
  readonly rig: readonly string[];
  readonly workers?: number;
  readonly untilDone: boolean;
  readonly json: boolean;
}

export async function work(options: WorkRigOptions, io: CommandIo): Promise<ExitCode> {
  const { json, rig, untilDone, workers } = options;
  // What a queue names is never loaded: only these files are, and what comes with Drydock.
  const words = new Map<string, (campaign: CampaignNote) => string>();
  const known = new Set(everyExplorable.map(({ name }) => name));
  words.set(campaignDigest(""), ({ plan }) => {
    if (!known.has(plan.rig)) throw new RangeError(`there is no rig "${plan.rig}"`);
    return plan.rig;
  });
  for (const word of rig) {
    await loadRigFile(word);
    words.set(campaignDigest(word), () => word);
  }
  const digests = new Set(words.keys());
  let stops = 0;
  const stop = (): void => {
    stops++;
    if (stops > 1) process.exit(exitCodes.interrupted);
    io.say("drydock: finishing the parts under way; once more ends at once");
  };
  process.on("SIGINT", stop).on("SIGTERM", stop);
  const seats = processSeats(workers, (campaign) => words.get(campaign.code.digest)?.(campaign) ?? "");
  try {
    return await withQueue(options, { make: false, supervise: true }, async (queue) => {
      io.say(`drydock: ${seats.length} workers at ${shown(queue.name)}`);
      await sayOthers(queue, digests, io);
      let made = 0;
      await workOnCampaigns({
        queue,
        digests,
        seats,
        isStopped: () => stops > 0,
        ...(untilDone ? { isOver: () => isEverythingDone(queue, digests) } : {}),
        onShard: ({ id, plan }) =>
          io.progress(`${++made} parts made, the last for ${shown(plan.rig)} (${id})`),
        say: (text) => io.event(`drydock: ${text}`),
      });
      if (json) io.document({ queue: queue.name, made });
      else io.say(`drydock: ${made} parts made`);
      return stops > 0 ? exitCodes.interrupted : exitCodes.pass;
    });
  } finally {
    process.off("SIGINT", stop).off("SIGTERM", stop);
    await Promise.all(seats.map((seat) => seat.end()));
  }
}

async function isEverythingDone(queue: JobQueue, digests: ReadonlySet<string>): Promise<boolean> {
  const { kept } = await readCampaigns(queue);
  return kept.every(({ note }) => note.isDone || !digests.has(note.code.digest));
}

/** Campaigns that this worker leaves to others, and why. */
async function sayOthers(queue: JobQueue, digests: ReadonlySet<string>, io: CommandIo): Promise<void> {
  const { kept, unread } = await readCampaigns(queue);
  for (const { note } of kept)
    if (!note.isDone && !digests.has(note.code.digest))
      io.event(
        `drydock: left to others: ${note.id}, of ${note.plan.rig}: made of other files than those here (Drydock ${note.code.version}); give its rig file with --rig, or use the same Drydock`,
      );
  for (const { key, why } of unread) io.event(`drydock: left to others: ${key}: ${why}`);
}

export async function status(
  options: QueueOption & { readonly campaign?: string; readonly json: boolean },
  io: CommandIo,
): Promise<ExitCode> {
  const { campaign, json } = options;
  return withQueue(options, { make: false, supervise: false }, async (queue) => {
    const { kept, unread } = await readCampaigns(queue);
    const chosen = campaign === undefined ? kept : kept.filter(({ note }) => note.id === campaign);
    if (campaign !== undefined && chosen.length === 0) throw noCampaign(campaign, queue);
    const rows: CampaignStatus[] = [];
    for (const { note } of chosen) rows.push(await campaignStatus(queue, note));
    if (json) io.document({ queue: queue.name, campaigns: rows, unread });
    else {
      for (const row of rows) io.print(`${statusLine(row)}\n`);
      if (rows.length === 0) io.print("no campaign\n");
    }
    for (const { key, why } of unread) io.event(`drydock: not read: ${key}: ${why}`);
    return exitCodes.pass;
  });
}

function statusLine({ ended, id, phase, post, rig, seed, seeds, shards }: CampaignStatus): string {
  const what = seeds === 0 ? `seed ${seed}` : `seeds ${seed} to ${seed + seeds - 1}`;
  const how = phase === "done" ? "done" : `${phase}: ${ended} of ${shards} parts`;
  return `${id}  ${shown(rig)}, ${what}${post === "" ? "" : `, for ${shown(post)}`}  ${how}`;
}

const noCampaign = (id: string, queue: JobQueue): UsageError =>
  new UsageError(
    `there is no campaign "${shown(id)}" in ${shown(queue.name)}; drydock campaign status names them`,
  );

export interface ReportOptions extends CampaignForms, QueueOption {
  readonly campaign: string;
  readonly wait: boolean;
  readonly drop: boolean;
}

const waitStepMs = 500;

export async function report(options: ReportOptions, io: CommandIo): Promise<ExitCode> {
  const { campaign: id, drop, wait } = options;
  return withQueue(options, { make: false, supervise: false }, async (queue) => {
    for (;;) {
      const note = await findCampaign(queue, id);
      if (note === null) throw noCampaign(id, queue);
      if (note.isDone) {
        const found = await campaignReport(queue, note);
        showReport(found, options, io);
        if (drop && !(await dropCampaign(queue, id))) throw new Error(`${id} was changed meanwhile`);
        return isClean(found) ? exitCodes.pass : exitCodes.finding;
      }
      const now = await campaignStatus(queue, note);
      if (!wait)
        throw new UsageError(
          `${id} is not done: ${statusLine(now)}; --wait waits for it, drydock campaign work makes it`,
        );
      io.progress(statusLine(now));
      await setTimeout(waitStepMs);
    }
  });
}
