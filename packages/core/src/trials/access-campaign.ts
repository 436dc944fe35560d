// Campaigns from a trace: a workload is recorded once, then each access is lost, late, wrong, doubled.

import { Random } from "../base/random.ts";
import {
  type AccessFault,
  type AccessKind,
  type AccessRow,
  accessFaultKinds,
  accessKinds,
  describeFault,
} from "../faults/access-faults.ts";
import { CountedRun } from "../faults/counted-run.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { Explorable } from "./explorables.ts";
import type { ScenarioPlan } from "./scenario.ts";

/** What is late arrives while the cable is still in. */
const plan: ScenarioPlan = { settleNs: 20e6 };

/** The undisturbed run: every access that can be struck. */
export interface Workload {
  readonly rig: string;
  readonly seed: number;
  readonly rows: readonly AccessRow[];
  readonly outcome: string;
}

/** One run with faults. It counts when each of them has struck. */
export interface CampaignResult {
  readonly faults: readonly AccessFault[];
  readonly isFired: boolean;
  readonly outcome: string;
  readonly problems: readonly string[];
  /** Accesses of each kind when the last fault had struck, and at the end: between them lies what a second one may strike. */
  readonly atLast: Readonly<Record<AccessKind, number>> | null;
  readonly atEnd: Readonly<Record<AccessKind, number>>;
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
): Promise<CampaignResult> {
  const access = new CountedRun(faults);
  const { outcome, problems } = await entry.run(seed, turn, plan, access);
  return {
    faults,
    isFired: access.isEveryFired,
    outcome,
    problems,
    atLast: access.countsAtLast,
    atEnd: { ...access.counts },
  };
}

/**
 * A second fault for a run that had one: any access that came after it, of any kind that its bus has. Null: nothing came. A wrong
 * or doubled transfer may have no data to strike, so that a second transfer is lost or late.
 */
export function secondFault(first: CampaignResult, random: Random): AccessFault | null {
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

/** The fewest faults, and the shortest delays, that still fail by the same rule. */
export async function shrinkFaults(
  entry: Explorable,
  seed: number,
  turn: HostTurn,
  result: CampaignResult,
): Promise<readonly AccessFault[]> {
  if (result.problems.length === 0) return result.faults;
  const rule = ruleOf(result.problems[0]);
  const fails = async (faults: readonly AccessFault[]): Promise<boolean> => {
    const { isFired, problems } = await runWithFaults(entry, seed, turn, faults);
    return isFired && problems.some((problem) => ruleOf(problem) === rule);
  };
  let { faults } = result;
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

/** Which rule a problem breaks, whatever it was this time: findings are counted by it. */
export function ruleOf(problem: string): string {
  const rules: readonly (readonly [RegExp, string])[] = [
    [/^violation: ([a-z-]+):/, "contract: $1"],
    [/^panic: /, "the machine panicked"],
    [/crashed: /, "the driver crashed"],
    [/waits for .* for ever$/, "somebody waits for ever"],
    [/never completed$/, "an accepted request never completed"],
    [/^the use never ends/, "somebody waits for ever"],
    [/^still running after/, "it never comes to rest"],
    [/mappings are left/, "a mapping stays"],
    [/is still there after the unplug$/, "a registry entry stays"],
    [/read back wrong data$/, "wrong data were taken for right"],
    [/of the tone was not what was heard$/, "wrong data were taken for right"],
    [/^teardown: /, "memory was given back while the device could write"],
    [/completed without a request$/, "a request completed twice"],
    [/^detached /, "detached with work under way"],
    [/heard \d+ times/, "an end was told more or less than once"],
    [/second after it was stopped$/, "a stop never ended"],
  ];
  for (const [pattern, rule] of rules) {
    const match = pattern.exec(problem);
    if (match !== null) return rule.replace("$1", match[1] ?? "");
  }
  return problem.replace(/\d+/g, "N");
}

/** Findings of one rule. */
export interface CampaignFinding {
  readonly rule: string;
  readonly count: number;
  /** The first that was found, shrunk. */
  readonly faults: readonly AccessFault[];
  readonly places: readonly string[];
  readonly problem: string;
}

/** What a campaign came to: a JSON document. */
export interface CampaignReport {
  readonly rig: string;
  readonly seed: number;
  /** Accesses of the recorded run, by kind. */
  readonly accesses: Readonly<Partial<Record<AccessKind, number>>>;
  /** By "lost register-write": runs, and runs whose fault has struck. */
  readonly faults: Readonly<Record<string, { tried: number; fired: number; failed: number }>>;
  readonly tried: number;
  readonly fired: number;
  readonly failed: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly CampaignFinding[];
}

/** Adds runs up as they come. */
export class CampaignBook {
  readonly #workload: Workload;
  readonly #faults: Record<string, { tried: number; fired: number; failed: number }> = {};
  readonly #outcomes: Record<string, number> = {};
  /** By rule: how often, and the first. */
  readonly #found = new Map<string, { count: number; first: CampaignResult; problem: string }>();
  tried = 0;
  fired = 0;
  failed = 0;

  constructor(workload: Workload) {
    this.#workload = workload;
  }

  add(result: CampaignResult): void {
    const { faults, isFired, outcome, problems } = result;
    const name = faults.length > 1 ? "pairs" : `${faults[0].fault} ${faults[0].access}`;
    this.#faults[name] ??= { tried: 0, fired: 0, failed: 0 };
    const row = this.#faults[name];
    row.tried++;
    this.tried++;
    // A run counts only if each of its faults has struck.
    if (!isFired) return;
    row.fired++;
    this.fired++;
    this.#outcomes[outcome] = (this.#outcomes[outcome] ?? 0) + 1;
    if (problems.length === 0) return;
    row.failed++;
    this.failed++;
    for (const rule of new Set(problems.map(ruleOf))) {
      const found = this.#found.get(rule);
      if (found !== undefined) found.count++;
      else {
        const problem = problems.find((each) => ruleOf(each) === rule) ?? problems[0];
        this.#found.set(rule, { count: 1, first: { ...result, problems: [problem] }, problem });
      }
    }
  }

  /** What was found, each rule's first one shrunk by `shrink`. */
  async report(shrink: (result: CampaignResult) => Promise<readonly AccessFault[]>): Promise<CampaignReport> {
    const accesses: Partial<Record<AccessKind, number>> = {};
    for (const { access } of this.#workload.rows) accesses[access] = (accesses[access] ?? 0) + 1;
    const findings: CampaignFinding[] = [];
    for (const [rule, { count, first, problem }] of this.#found) {
      const faults = await shrink(first);
      const places = faults.map((fault) => placeOfFault(this.#workload, fault));
      findings.push({ rule, count, faults, places, problem });
    }
    const { rig, seed } = this.#workload;
    return {
      rig,
      seed,
      accesses,
      faults: this.#faults,
      tried: this.tried,
      fired: this.fired,
      failed: this.failed,
      outcomes: this.#outcomes,
      findings,
    };
  }
}

/** A whole campaign in this thread: every `stride`-th single fault, then so many pairs. */
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
  const book = new CampaignBook(workload);
  const singles = singleFaults(workload).filter((_, at) => at % stride === 0);
  const firsts: CampaignResult[] = [];
  for (const fault of singles) {
    const result = await runWithFaults(entry, seed, turn, [fault]);
    book.add(result);
    firsts.push(result);
  }
  const random = new Random(seed).fork("pairs");
  for (const faults of drawPairs(firsts, pairs, random))
    book.add(await runWithFaults(entry, seed, turn, faults));
  return book.report((result) => shrinkFaults(entry, seed, turn, result));
}

/** Pairs: a first fault that struck, and an access that came after it in that very run, so that the second strikes as well. */
export function drawPairs(firsts: readonly CampaignResult[], pairs: number, random: Random): AccessFault[][] {
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

export function formatCampaign(report: CampaignReport): string {
  const { accesses, failed, fired, outcomes, rig, seed, tried } = report;
  const recorded = Object.entries(accesses).map(([kind, count]) => `${count} ${kind}`);
  const lines = [`${rig}, seed ${seed}: recorded ${recorded.join(", ")}`];
  for (const [name, row] of Object.entries(report.faults).sort(([one], [other]) => (one < other ? -1 : 1)))
    lines.push(
      `  ${name.padEnd(22)} ${String(row.tried).padStart(6)} tried ${String(row.fired).padStart(6)} fired${row.failed === 0 ? "" : ` ${row.failed} with findings`}`,
    );
  lines.push(`${tried} faults tried, ${fired} fired, ${failed} runs with findings`);
  for (const [outcome, count] of Object.entries(outcomes)) lines.push(`  ${count} x ${outcome}`);
  for (const { count, faults, places, problem, rule } of report.findings) {
    lines.push(`${rule}: ${count} runs, the first: ${problem}`);
    for (const [at, fault] of faults.entries())
      lines.push(`  --strike ${describeFault(fault)}${places[at] === "" ? "" : `  (${places[at]})`}`);
  }
  if (report.findings.length === 0 && tried === fired) lines.push("every contract was kept");
  return `${lines.join("\n")}\n`;
}
