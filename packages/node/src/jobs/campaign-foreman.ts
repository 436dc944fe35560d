// Moves campaigns through their phases over a queue of jobs, whoever does the work, and adds up what came of it.

import { fields, list, oneOf, text, whole } from "@drydock/core/base/strict-json";
import { type AccessKind, accessKinds } from "@drydock/core/faults/access-faults";
import { CampaignBook, type CampaignReport, type LostRuns } from "@drydock/core/trials/campaign-book";
import {
  accessesOf,
  type CampaignPhase,
  type CampaignPlan,
  campaignPhases,
  firstShards,
  nameOfShard,
  pairShards,
  parseCampaignPlan,
  parseShard,
  parseShardAnswer,
  phasesOf,
  runsOf,
  type Shard,
  type ShardAnswer,
  type ShardRunner,
  type Shrunk,
  shrinkShards,
} from "@drydock/core/trials/campaign-shards";
import { attemptsMost, type JobQueue, jobIdOf, type TakenJob } from "./job-queue.ts";

/** What a worker must have to make a campaign's runs: the same code, byte for byte. */
export interface CampaignCode {
  /** Drydock's version, for people. */
  readonly version: string;
  /** Over every file that a run is made of. */
  readonly digest: string;
}

/** A campaign as the queue keeps it. */
export interface CampaignNote {
  readonly id: string;
  readonly plan: CampaignPlan;
  readonly code: CampaignCode;
  readonly accesses: Readonly<Partial<Record<AccessKind, number>>>;
  /** A post of the board that it belongs to, "P11"; empty: none. */
  readonly post: string;
  /** Seconds since 1970, by the clock of whoever submitted it. */
  readonly submittedAt: number;
  /** The phases that have begun, in their order: shards, and the runs in them. */
  readonly phases: readonly {
    readonly phase: CampaignPhase;
    readonly shards: number;
    readonly runs: number;
  }[];
  readonly isDone: boolean;
}

const format = 1;
const keyPrefix = "campaign/";
const shardsMost = 1_000_000;

interface KeptNote {
  readonly key: string;
  readonly text: string;
  readonly note: CampaignNote;
}

/** A shard in somebody's hands. */
export interface TakenShard {
  readonly campaign: CampaignNote;
  readonly job: TakenJob;
  readonly shard: Shard;
}

/** How far a campaign is. */
export interface CampaignStatus {
  readonly id: string;
  readonly rig: string;
  readonly seed: number;
  readonly seeds: number;
  readonly code: CampaignCode;
  readonly post: string;
  readonly submittedAt: number;
  readonly phase: CampaignPhase | "done";
  /** Of the phase. */
  readonly shards: number;
  readonly ended: number;
}

/** What cannot be read says so, and is left alone. */
export interface UnreadNote {
  readonly key: string;
  readonly why: string;
}

/** Kept campaigns, oldest first, and those of another Drydock. */
export async function readCampaigns(
  queue: JobQueue,
): Promise<{ readonly kept: readonly KeptNote[]; readonly unread: readonly UnreadNote[] }> {
  const kept: KeptNote[] = [];
  const unread: UnreadNote[] = [];
  for (const { key, text: kind } of await queue.notes(keyPrefix)) {
    try {
      kept.push({ key, text: kind, note: parseNote(JSON.parse(kind)) });
    } catch (error) {
      unread.push({ key, why: error instanceof Error ? error.message : String(error) });
    }
  }
  kept.sort((one, other) => one.note.submittedAt - other.note.submittedAt || (one.key < other.key ? -1 : 1));
  return { kept, unread };
}

function parseNote(value: unknown): CampaignNote {
  const note = fields(value, "the campaign", [
    "format",
    "id",
    "plan",
    "code",
    "accesses",
    "post",
    "submittedAt",
    "phases",
    "isDone",
  ]);
  if (note.format !== format)
    throw new RangeError(`its format is ${String(note.format)}, and this Drydock knows ${format}`);
  const code = fields(note.code, '"code"', ["version", "digest"]);
  const accesses = fields(note.accesses, '"accesses"', accessKinds, accessKinds);
  return {
    id: text(note.id, '"id"', 40),
    plan: parseCampaignPlan(note.plan),
    code: { version: text(code.version, '"version"', 100), digest: text(code.digest, '"digest"', 100) },
    accesses: Object.fromEntries(
      Object.entries(accesses).map(([kind, count]) => [kind, whole(count, kind, 0, Number.MAX_SAFE_INTEGER)]),
    ),
    post: text(note.post, '"post"', 40),
    submittedAt: whole(note.submittedAt, '"submittedAt"', 0, Number.MAX_SAFE_INTEGER),
    phases: list(note.phases, "phase", campaignPhases.length, (each, what) => {
      const { phase, runs, shards } = fields(each, what, ["phase", "shards", "runs"]);
      return {
        phase: oneOf(phase, what, campaignPhases),
        shards: whole(shards, '"shards"', 0, shardsMost),
        runs: whole(runs, '"runs"', 0, Number.MAX_SAFE_INTEGER),
      };
    }),
    isDone: note.isDone === true,
  };
}

const queueOf = (id: string, phase: CampaignPhase): string => `campaign.${id}.${phase}`;

/** The same shard is the same job, whoever sends it. */
const shardJob = (id: string, phase: CampaignPhase, at: number): string => jobIdOf(`${id} ${phase} ${at}`);

/** Sends a campaign's first shards. RangeError: the undisturbed run has problems. */
export async function submitCampaign(
  queue: JobQueue,
  runner: ShardRunner,
  of: Pick<CampaignNote, "id" | "plan" | "code" | "post" | "submittedAt">,
): Promise<CampaignNote> {
  const workload = await runner.workload();
  const [phase] = phasesOf(of.plan);
  const shards = firstShards(of.plan, workload);
  const note: CampaignNote = {
    ...of,
    accesses: accessesOf(workload),
    phases: [{ phase, shards: shards.length, runs: runsOf(shards) }],
    isDone: false,
  };
  await sendShards(queue, of.id, phase, shards);
  await queue.note(keyPrefix + of.id, null, textOf(note));
  return note;
}

const textOf = (note: CampaignNote): string => JSON.stringify({ format, ...note });

async function sendShards(
  queue: JobQueue,
  id: string,
  phase: CampaignPhase,
  shards: readonly Shard[],
): Promise<void> {
  await queue.send(
    queueOf(id, phase),
    shards.map((data, at) => ({ id: shardJob(id, phase, at), data })),
  );
}

/** A shard of a campaign that this code can make; null: none waits. Campaigns whose phase has ended are moved on meanwhile. */
export async function takeShard(queue: JobQueue, digests: ReadonlySet<string>): Promise<TakenShard | null> {
  for (;;) {
    const { kept } = await readCampaigns(queue);
    const open = kept.filter(({ note }) => !note.isDone && digests.has(note.code.digest));
    const byQueue = new Map(open.map((each) => [queueOf(each.note.id, phaseOf(each.note)), each]));
    const job = await queue.take([...byQueue.keys()]);
    const campaign = job === null ? undefined : byQueue.get(job.queue)?.note;
    if (job !== null && campaign !== undefined) {
      let shard: Shard;
      try {
        shard = parseShard(job.data);
        if (shard.phase !== phaseOf(campaign)) throw new RangeError(`it is of the phase ${shard.phase}`);
      } catch (error) {
        // Somebody else wrote it: nobody will be able to make it.
        await queue.fail(job, `no shard: ${error instanceof Error ? error.message : String(error)}`);
        continue;
      }
      return { campaign, job, shard };
    }
    let hasMoved = false;
    for (const each of open) hasMoved = (await moveOn(queue, each)) || hasMoved;
    if (!hasMoved) return null;
  }
}

const phaseOf = ({ phases }: CampaignNote): CampaignPhase => phases[phases.length - 1].phase;

/** Begins the next phase where every shard of this one has ended. True: something has changed. */
async function moveOn(queue: JobQueue, { key, note, text: before }: KeptNote): Promise<boolean> {
  const { phase, shards } = note.phases[note.phases.length - 1];
  if ((await queue.endedCount(queueOf(note.id, phase))) < shards) return false;
  const order = phasesOf(note.plan);
  let next: CampaignNote = { ...note, isDone: true };
  const following = order[order.indexOf(phase) + 1];
  if (following !== undefined) {
    const { book, firsts } = await addUp(queue, note);
    const made = following === "pairs" ? pairShards(note.plan, firsts) : shrinkShards(book);
    // First the jobs, then the note: whoever is ended between the two did nothing that another does not do again.
    await sendShards(queue, note.id, following, made);
    next = {
      ...note,
      phases: [...note.phases, { phase: following, shards: made.length, runs: runsOf(made) }],
    };
  }
  return await queue.note(key, before, textOf(next));
}

type Answers = {
  readonly book: CampaignBook;
  readonly firsts: Extract<ShardAnswer, { firsts: unknown }>["firsts"];
  readonly shrunk: ReadonlyMap<number, Shrunk>;
  readonly lost: readonly LostRuns[];
};

/** Everything that has ended, in the order of the runs. */
async function addUp(queue: JobQueue, { id, phases, plan }: CampaignNote): Promise<Answers> {
  const book = new CampaignBook();
  const firsts: Answers["firsts"][number][] = [];
  const shrunk = new Map<number, Shrunk>();
  const lost: LostRuns[] = [];
  for (const { phase, runs, shards } of phases) {
    const ids = Array.from({ length: shards }, (_, at) => shardJob(id, phase, at));
    const places = new Map(ids.map((each, at) => [each, at]));
    for (const ended of await queue.ended(queueOf(id, phase), ids)) {
      const at = places.get(ended.id) ?? 0;
      const answer = readAnswer(ended.answer, ended.why);
      if (typeof answer === "string") lost.push({ runs: nameOfShard(plan, phase, at, runs), why: answer });
      else if ("shrunk" in answer) shrunk.set(at, answer.shrunk);
      else {
        book.addPage(answer.page);
        for (const first of answer.firsts) firsts.push(first);
      }
    }
  }
  return { book, firsts, shrunk, lost };
}

function readAnswer(answer: string | null, why: string): ShardAnswer | string {
  if (answer === null) return why === "" ? `it ended ${attemptsMost} workers` : why;
  try {
    return parseShardAnswer(JSON.parse(answer));
  } catch (error) {
    return `its answer is no answer: ${error instanceof Error ? error.message : String(error)}`;
  }
}

/** One that is kept, by its id; null: there is none. */
export async function findCampaign(queue: JobQueue, id: string): Promise<CampaignNote | null> {
  const { kept } = await readCampaigns(queue);
  return kept.find(({ note }) => note.id === id)?.note ?? null;
}

/** Of a campaign that is done, the same whoever made it; of another, as far as it is. */
export async function campaignReport(queue: JobQueue, note: CampaignNote): Promise<CampaignReport> {
  const { book, lost, shrunk } = await addUp(queue, note);
  const { rig, seed, seeds } = note.plan;
  // What nobody could shrink, or has not yet, stands as it was found.
  const asFound = book
    .found()
    .map(({ faults }, at) => shrunk.get(at) ?? { faults, places: faults.map(() => "") });
  return book.report({ rig, seed, seeds, accesses: note.accesses }, asFound, lost);
}

export async function campaignStatus(queue: JobQueue, note: CampaignNote): Promise<CampaignStatus> {
  const { code, id, isDone, phases, plan, post, submittedAt } = note;
  const { phase, shards } = phases[phases.length - 1];
  const { rig, seed, seeds } = plan;
  return {
    id,
    rig,
    seed,
    seeds,
    code,
    post,
    submittedAt,
    phase: isDone ? "done" : phase,
    shards,
    ended: await queue.endedCount(queueOf(id, phase)),
  };
}

/** The campaign leaves the queue, with what came of it. False: somebody moved it on meanwhile. */
export async function dropCampaign(queue: JobQueue, id: string): Promise<boolean> {
  const { kept } = await readCampaigns(queue);
  const found = kept.find(({ note }) => note.id === id);
  if (found === undefined || !(await queue.note(found.key, found.text, null))) return false;
  for (const { phase } of found.note.phases) await queue.drop(queueOf(id, phase));
  return true;
}
