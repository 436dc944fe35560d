// A campaign in parts that any worker can make: its phases, the runs of a shard, and what came of them.

import { Random } from "../base/random.ts";
import { fields, list, oneOf, text, whole } from "../base/strict-json.ts";
import { type AccessFault, type AccessKind, accessFaultKinds, accessKinds } from "../faults/access-faults.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import {
  drawPairs,
  type FirstRun,
  placeOfFault,
  recordWorkload,
  runWithFaults,
  shrinkFaults,
  singleFaults,
  type Workload,
} from "./access-campaign.ts";
import {
  CampaignBook,
  type CampaignPage,
  type CampaignReport,
  type FirstFound,
  problemMost,
} from "./campaign-book.ts";
import type { Explorable } from "./explorables.ts";
import { readFault } from "./fault-plan.ts";

/** What is asked for. */
export interface CampaignPlan {
  /** As a report calls it. */
  readonly rig: string;
  readonly seed: number;
  /** So many seeds from `seed` on, a fault in each; 0: every fault of one recorded workload, and pairs. */
  readonly seeds: number;
  readonly pairs: number;
  /** So many single faults, evenly over the workload; null: all. */
  readonly most: number | null;
}

export const campaignPhases = ["singles", "pairs", "seeds", "shrink"] as const;
export type CampaignPhase = (typeof campaignPhases)[number];

export type Shard =
  /** Single faults by their place in {@link chosenSingles}, `to` not among them. */
  | { readonly phase: "singles"; readonly from: number; readonly to: number }
  | { readonly phase: "pairs"; readonly runs: readonly (readonly AccessFault[])[] }
  /** Seeds, `to` not among them. */
  | { readonly phase: "seeds"; readonly from: number; readonly to: number }
  | { readonly phase: "shrink"; readonly first: Pick<FirstFound, "rule" | "seed" | "faults"> };

export interface Shrunk {
  readonly faults: readonly AccessFault[];
  readonly places: readonly string[];
}

/** What came of a shard: JSON, the same from whoever made it. */
export type ShardAnswer =
  | { readonly page: CampaignPage; readonly firsts: readonly FirstRun[] }
  | { readonly shrunk: Shrunk };

/** A second's work or so. */
const runsPerShard = 40;
const seedsPerShard = 2000;
const mostRuns = 1e9;

/** The phases that a campaign goes through, in their order. */
export const phasesOf = ({ pairs, seeds }: CampaignPlan): readonly CampaignPhase[] =>
  seeds > 0 ? ["seeds", "shrink"] : pairs > 0 ? ["singles", "pairs", "shrink"] : ["singles", "shrink"];

export function accessesOf({ rows }: Workload): Partial<Record<AccessKind, number>> {
  const accesses: Partial<Record<AccessKind, number>> = {};
  for (const { access } of rows) accesses[access] = (accesses[access] ?? 0) + 1;
  return accesses;
}

export function chosenSingles(workload: Workload, most: number | null): readonly AccessFault[] {
  const all = singleFaults(workload);
  if (most === null || most >= all.length) return all;
  return Array.from({ length: most }, (_, at) => all[Math.floor((at * all.length) / most)]);
}

/** What a campaign begins with. */
export function firstShards(plan: CampaignPlan, workload: Workload): Shard[] {
  if (plan.seeds > 0)
    return spans(plan.seeds, seedsPerShard).map(([from, to]) => ({
      phase: "seeds",
      from: plan.seed + from,
      to: plan.seed + to,
    }));
  const singles = chosenSingles(workload, plan.most).length;
  return spans(singles, runsPerShard).map(([from, to]) => ({ phase: "singles", from, to }));
}

export function pairShards({ pairs, seed }: CampaignPlan, firsts: readonly FirstRun[]): Shard[] {
  const drawn = drawPairs(firsts, pairs, new Random(seed).fork("pairs"));
  return spans(drawn.length, runsPerShard).map(([from, to]) => ({
    phase: "pairs",
    runs: drawn.slice(from, to),
  }));
}

export function shrinkShards(book: CampaignBook): Shard[] {
  return book.found().map(({ faults, rule, seed }) => ({ phase: "shrink", first: { faults, rule, seed } }));
}

function spans(total: number, size: number): [number, number][] {
  return Array.from({ length: Math.ceil(total / size) }, (_, at) => [
    at * size,
    Math.min(total, (at + 1) * size),
  ]);
}

/** Runs in a phase's shards, together. */
export function runsOf(shards: readonly Shard[]): number {
  return shards.reduce((sum, shard) => {
    if (shard.phase === "shrink") return sum + 1;
    return sum + (shard.phase === "pairs" ? shard.runs.length : shard.to - shard.from);
  }, 0);
}

/** How a report calls the runs of a phase's shard; `at` counts the shards from 0, `runs` are all of the phase. */
export function nameOfShard({ seed }: CampaignPlan, phase: CampaignPhase, at: number, runs: number): string {
  const size = phase === "seeds" ? seedsPerShard : phase === "shrink" ? 1 : runsPerShard;
  const first = at * size + (phase === "seeds" ? seed : 1);
  return `${phase} ${first} to ${first + Math.min(size, runs - at * size) - 1}`;
}

/** Makes shards of one campaign; the workload is recorded once. */
export class ShardRunner {
  readonly #entry: Explorable;
  readonly #plan: CampaignPlan;
  readonly #turn: HostTurn;
  #workload: Promise<Workload> | null = null;
  #singles: readonly AccessFault[] | null = null;

  constructor(entry: Explorable, plan: CampaignPlan, turn: HostTurn) {
    this.#entry = entry;
    this.#plan = plan;
    this.#turn = turn;
  }

  /** RangeError: the undisturbed run has problems. */
  workload(): Promise<Workload> {
    this.#workload ??= recordWorkload(this.#entry, this.#plan.seed, this.#turn);
    return this.#workload;
  }

  async run(shard: Shard): Promise<ShardAnswer> {
    const workload = await this.workload();
    if (shard.phase === "shrink") {
      const faults = await shrinkFaults(this.#entry, this.#turn, shard.first);
      const recorded =
        shard.first.seed === this.#plan.seed
          ? workload
          : await recordWorkload(this.#entry, shard.first.seed, this.#turn).catch(() => null);
      const places = faults.map((fault) => (recorded === null ? "" : placeOfFault(recorded, fault)));
      return { shrunk: { faults, places } };
    }
    const book = new CampaignBook();
    const firsts: FirstRun[] = [];
    if (shard.phase === "seeds") {
      for (let seed = shard.from; seed < shard.to; seed++) book.add(await this.#drawn(seed));
      return { page: book.page(), firsts };
    }
    this.#singles ??= chosenSingles(workload, this.#plan.most);
    if (shard.phase === "singles" && shard.to > this.#singles.length)
      throw new RangeError(`the workload has ${this.#singles.length} faults, and no number ${shard.to}`);
    const runs =
      shard.phase === "pairs"
        ? shard.runs
        : this.#singles.slice(shard.from, shard.to).map((fault) => [fault]);
    for (const faults of runs) {
      const result = await runWithFaults(this.#entry, this.#plan.seed, this.#turn, faults);
      book.add(result);
      const { atEnd, atLast, isFired } = result;
      if (shard.phase === "singles") firsts.push({ faults, isFired, atLast, atEnd });
    }
    return { page: book.page(), firsts };
  }

  /** One seed with a fault that it draws. Another seed's run may be shorter: a number beyond it is drawn again from its own. */
  async #drawn(seed: number) {
    const random = new Random(seed).fork("drawn fault");
    const workload = await this.workload();
    this.#singles ??= chosenSingles(workload, this.#plan.most);
    const draw = (from: readonly AccessFault[]) => from[random.below(from.length)];
    const result = await runWithFaults(this.#entry, seed, this.#turn, [draw(this.#singles)]);
    // Without a struck fault it was an undisturbed run, and what it found stands for itself.
    if (result.isFired || result.problems.length > 0)
      return result.isFired ? result : { ...result, faults: [], isFired: true };
    const own = singleFaults(await recordWorkload(this.#entry, seed, this.#turn));
    return own.length === 0 ? result : runWithFaults(this.#entry, seed, this.#turn, [draw(own)]);
  }
}

/** A whole campaign in this thread; `stride`: every so manieth single fault. */
export async function runCampaign(
  entry: Explorable,
  options: {
    readonly seed: number;
    readonly turn: HostTurn;
    readonly stride?: number;
    readonly pairs?: number;
  },
): Promise<CampaignReport> {
  const { pairs = 0, seed, stride = 1, turn } = options;
  const workload = await recordWorkload(entry, seed, turn);
  const most = Math.ceil(singleFaults(workload).length / stride);
  const plan: CampaignPlan = { rig: entry.name, seed, seeds: 0, pairs, most };
  const runner = new ShardRunner(entry, plan, turn);
  const book = new CampaignBook();
  const firsts: FirstRun[] = [];
  const shrunk: Shrunk[] = [];
  const make = async (shards: readonly Shard[]): Promise<void> => {
    for (const shard of shards) {
      const answer = await runner.run(shard);
      if ("shrunk" in answer) shrunk.push(answer.shrunk);
      else {
        book.addPage(answer.page);
        for (const first of answer.firsts) firsts.push(first);
      }
    }
  };
  await make(firstShards(plan, workload));
  await make(pairShards(plan, firsts));
  await make(shrinkShards(book));
  return book.report({ rig: entry.name, seed, seeds: 0, accesses: accessesOf(workload) }, shrunk);
}

const nameMost = 200;

/** Strictly; RangeError. */
export function parseCampaignPlan(value: unknown): CampaignPlan {
  const plan = fields(value, "the campaign", ["rig", "seed", "seeds", "pairs", "most"]);
  return {
    rig: text(plan.rig, '"rig"', nameMost),
    seed: whole(plan.seed, '"seed"', 0, Number.MAX_SAFE_INTEGER - mostRuns),
    seeds: whole(plan.seeds, '"seeds"', 0, mostRuns),
    pairs: whole(plan.pairs, '"pairs"', 0, 1_000_000),
    most: plan.most === null ? null : whole(plan.most, '"most"', 1, mostRuns),
  };
}

/** Strictly; RangeError. A shard is no bigger than those that are made here, whoever wrote it. */
export function parseShard(value: unknown): Shard {
  const { phase } = fields(
    value,
    "the shard",
    ["phase", "from", "to", "runs", "first"],
    ["from", "to", "runs", "first"],
  );
  const kind = oneOf(phase, '"phase"', campaignPhases);
  if (kind === "pairs") {
    const { runs } = fields(value, "the shard", ["phase", "runs"]);
    return { phase: kind, runs: list(runs, "run", runsPerShard, readFaults) };
  }
  if (kind === "shrink") {
    const { first } = fields(value, "the shard", ["phase", "first"]);
    const { faults, rule, seed } = fields(first, "the finding", ["rule", "seed", "faults"]);
    return {
      phase: kind,
      first: {
        rule: text(rule, '"rule"', problemMost),
        seed: whole(seed, '"seed"', 0, Number.MAX_SAFE_INTEGER),
        faults: readFaults(faults, "fault"),
      },
    };
  }
  const span = fields(value, "the shard", ["phase", "from", "to"]);
  const from = whole(span.from, '"from"', 0, Number.MAX_SAFE_INTEGER);
  const most = from + (kind === "seeds" ? seedsPerShard : runsPerShard);
  return { phase: kind, from, to: whole(span.to, '"to"', from + 1, most) };
}

const readFaults = (value: unknown, what: string): AccessFault[] => list(value, what, 16, readFault);

/** Strictly; RangeError. */
export function parseShardAnswer(value: unknown): ShardAnswer {
  if (typeof value === "object" && value !== null && "shrunk" in value) {
    const { shrunk } = fields(value, "the answer", ["shrunk"]);
    const { faults, places } = fields(shrunk, "what was shrunk", ["faults", "places"]);
    const read = readFaults(faults, "fault");
    const words = list(places, "place", read.length, (place, what) => text(place, what, problemMost));
    if (words.length !== read.length) throw new RangeError('"places" are not as many as "faults"');
    return { shrunk: { faults: read, places: words } };
  }
  const { firsts, page } = fields(value, "the answer", ["page", "firsts"]);
  const { faults, found, outcomes } = fields(page, "the page", ["faults", "outcomes", "found"]);
  return {
    page: {
      faults: Object.fromEntries(
        entries(faults, '"faults"').map(([name, row]) => {
          if (!faultNames.has(name)) throw new RangeError(`"${name}" is no kind of fault`);
          const { failed, fired, tried } = fields(row, name, ["tried", "fired", "failed"]);
          return [
            name,
            {
              tried: whole(tried, '"tried"', 0, seedsPerShard),
              fired: whole(fired, '"fired"', 0, seedsPerShard),
              failed: whole(failed, '"failed"', 0, seedsPerShard),
            },
          ];
        }),
      ),
      outcomes: Object.fromEntries(
        entries(outcomes, '"outcomes"').map(([name, count]) => [
          text(name, "an outcome", problemMost),
          whole(count, `"${name}"`, 0, seedsPerShard),
        ]),
      ),
      found: list(found, "finding", seedsPerShard, (each, what) => {
        const first = fields(each, what, ["rule", "count", "seed", "faults", "problem"]);
        return {
          rule: text(first.rule, '"rule"', problemMost),
          count: whole(first.count, '"count"', 1, seedsPerShard),
          seed: whole(first.seed, '"seed"', 0, Number.MAX_SAFE_INTEGER),
          faults: readFaults(first.faults, "fault"),
          problem: text(first.problem, '"problem"', problemMost),
        };
      }),
    },
    firsts: list(firsts, "first", runsPerShard, (each, what) => {
      const run = fields(each, what, ["faults", "isFired", "atLast", "atEnd"]);
      if (typeof run.isFired !== "boolean") throw new RangeError(`"isFired" of ${what} is no boolean`);
      return {
        faults: readFaults(run.faults, "fault"),
        isFired: run.isFired,
        atLast: run.atLast === null ? null : readCounts(run.atLast, `"atLast" of ${what}`),
        atEnd: readCounts(run.atEnd, `"atEnd" of ${what}`),
      };
    }),
  };
}

const faultNames = new Set([
  "pairs",
  "undisturbed",
  ...accessFaultKinds.flatMap((fault) => accessKinds.map((access) => `${fault} ${access}`)),
]);

function entries(value: unknown, what: string): [string, unknown][] {
  if (typeof value !== "object" || value === null || Array.isArray(value))
    throw new RangeError(`${what} is no object`);
  const all = Object.entries(value);
  if (all.length > seedsPerShard) throw new RangeError(`${what} has more than ${seedsPerShard} entries`);
  return all;
}

function readCounts(value: unknown, what: string): Record<AccessKind, number> {
  const counts = fields(value, what, accessKinds);
  const read = accessKinds.map((kind) => [kind, whole(counts[kind], `${kind} in ${what}`, 0, mostRuns)]);
  return Object.fromEntries(read) as Record<AccessKind, number>;
}
