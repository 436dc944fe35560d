// Campaigns from a trace: a workload is recorded once, then each access is lost, late, wrong, doubled.

import { Random } from "../base/random.ts";
import { type AccessFault, type AccessRow, accessFaultKinds, accessKinds } from "../faults/access-faults.ts";
import { CountedRun } from "../faults/counted-run.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { type CampaignResult, type FirstFound, ruleOf } from "./campaign-book.ts";
import type { Explorable } from "./explorables.ts";
import { misuseMark, type ScenarioPlan } from "./scenario.ts";

/** What is late arrives while the cable is still in. */
const plan: ScenarioPlan = { settleNs: 20e6 };

/** The undisturbed run: every access that can be struck. */
export interface Workload {
  readonly rig: string;
  readonly seed: number;
  readonly rows: readonly AccessRow[];
  readonly outcome: string;
}

/** Runs without a fault. RangeError when that has problems of its own: then nothing that follows would mean anything. */
export async function recordWorkload(entry: Explorable, seed: number, turn: HostTurn): Promise<Workload> {
  const access = new CountedRun([], true);
  const { outcome, problems } = await entry.run(seed, turn, plan, access);
  if (problems.length > 0)
    throw new RangeError(`${entry.name} has problems without any fault: ${problems[0]}`);
  const rows = access.rows ?? [];
  markRepeatable(rows);
  return { rig: entry.name, seed, rows, outcome };
}

/** A double of what came in at an endpoint is told only where another transfer follows there. */
function markRepeatable(rows: readonly AccessRow[]): void {
  const later = new Set<string>();
  for (const row of [...rows].reverse()) {
    const endpoint = /^endpoint 0x([89a-f][0-9a-f])/.exec(row.where)?.[1];
    if (endpoint === undefined) continue;
    row.isRepeatable = later.has(endpoint);
    later.add(endpoint);
  }
}

/** Every single fault of a workload, in the order of its accesses. */
export function singleFaults({ rows, seed }: Workload): AccessFault[] {
  const random = new Random(seed).fork("wrong bits");
  return rows.flatMap(({ access, bytes, isDone, isRepeatable, number }) =>
    accessFaultKinds.flatMap((fault): AccessFault[] => {
      const hasData = bytes > 0;
      if (!isDone || (fault === "wrong" && !hasData)) return [];
      if (fault === "doubled" && access === "transfer" && !(hasData && isRepeatable)) return [];
      return [{ fault, access, number, ...(fault === "wrong" ? { bit: random.below(bytes * 8) } : {}) }];
    }),
  );
}

/** What a fault strikes, in words; empty where the recording has no such access. */
export function placeOfFault({ rows }: Workload, { access, number }: AccessFault): string {
  return rows.find((row) => row.access === access && row.number === number)?.where ?? "";
}

export async function runWithFaults(
  entry: Explorable,
  seed: number,
  turn: HostTurn,
  faults: readonly AccessFault[],
  access = new CountedRun(faults),
): Promise<CampaignResult> {
  // What a driver does about a struck transfer is its own; a register or DMA that was struck is what the device itself sees wrong.
  const mayBlame = faults.every(({ access: kind }) => kind === "transfer");
  const { outcome, problems } = await entry.run(seed, turn, plan, access);
  return {
    seed,
    faults,
    isFired: access.isEveryFired,
    outcome,
    problems: problems.filter((problem) => mayBlame || !problem.startsWith(misuseMark)),
    atLast: access.countsAtLast,
    atEnd: { ...access.counts },
  };
}

/**
 * A second fault for a run that had one: any access that came after it, of any kind that its bus has. Null: nothing came. A wrong
 * or doubled transfer may have no data to strike, so that a second transfer is lost or late.
 */
export function secondFault(first: FirstRun, random: Random): AccessFault | null {
  const { atEnd, atLast } = first;
  if (atLast === null) return null;
  const kinds = accessKinds.filter((kind) => atEnd[kind] > atLast[kind]);
  if (kinds.length === 0) return null;
  const access = kinds[random.below(kinds.length)];
  const number = atLast[access] + 1 + random.below(atEnd[access] - atLast[access]);
  if (access === "transfer") return { fault: "lost", access, number };
  const fault = accessFaultKinds[random.below(accessFaultKinds.length)];
  return { fault, access, number, ...(fault === "wrong" ? { bit: random.below(64) } : {}) };
}

/** The fewest faults, and the shortest delays, that still break this rule. */
export async function shrinkFaults(
  entry: Explorable,
  turn: HostTurn,
  { rule, seed, faults: given }: Pick<FirstFound, "rule" | "seed" | "faults">,
): Promise<readonly AccessFault[]> {
  const fails = async (faults: readonly AccessFault[]): Promise<boolean> => {
    const { isFired, problems } = await runWithFaults(entry, seed, turn, faults);
    return isFired && problems.some((problem) => ruleOf(problem) === rule);
  };
  let faults = given;
  for (let at = 0; at < faults.length && faults.length > 1; ) {
    const without = faults.filter((_, index) => index !== at);
    if (await fails(without)) faults = without;
    else at++;
  }
  for (const [at, fault] of faults.entries()) {
    if (fault.fault !== "late") continue;
    for (let delayNs = 1_000_000; delayNs >= 1000; delayNs /= 10) {
      const shorter = faults.map((each, index) => (index === at ? { ...each, delayNs } : each));
      if (!(await fails(shorter))) break;
      faults = shorter;
    }
  }
  return faults;
}

/** A run's accesses, as much of it as a pair is drawn from. */
export type FirstRun = Pick<CampaignResult, "faults" | "isFired" | "atLast" | "atEnd">;

/** Pairs: a first fault that struck, and an access that came after it in that very run, so that the second strikes as well. */
export function drawPairs(firsts: readonly FirstRun[], pairs: number, random: Random): AccessFault[][] {
  const drawn: AccessFault[][] = [];
  const fruitful = firsts.filter(
    ({ atEnd, atLast, isFired }) =>
      isFired && atLast !== null && accessKinds.some((kind) => atEnd[kind] > atLast[kind]),
  );
  if (fruitful.length === 0) return drawn;
  for (let count = 0; count < pairs; count++) {
    const first = fruitful[random.below(fruitful.length)];
    const second = secondFault(first, random);
    if (second !== null) drawn.push([...first.faults, second]);
  }
  return drawn;
}
