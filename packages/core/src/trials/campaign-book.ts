// What a campaign came to: pages of counts and findings, added up in the order of its runs, and the report.

import { type AccessFault, type AccessKind, describeFault } from "../faults/access-faults.ts";

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
  return problem.slice(0, problemMost).replace(/\d+/g, "N");
}

/** Characters of a problem that are kept. */
export const problemMost = 4000;

/** One run with faults. It counts when each of them has struck. */
export interface CampaignResult {
  readonly seed: number;
  readonly faults: readonly AccessFault[];
  readonly isFired: boolean;
  readonly outcome: string;
  readonly problems: readonly string[];
  /** Accesses of each kind when the last fault had struck, and at the end: between them lies what a second one may strike. */
  readonly atLast: Readonly<Record<AccessKind, number>> | null;
  readonly atEnd: Readonly<Record<AccessKind, number>>;
}

/** Runs of one kind: how many, in how many each fault struck, in how many something was found. */
export interface FaultCount {
  tried: number;
  fired: number;
  failed: number;
}

/** The first run that broke a rule, and how many did. */
export interface FirstFound {
  readonly rule: string;
  count: number;
  readonly seed: number;
  readonly faults: readonly AccessFault[];
  readonly problem: string;
}

/** What some runs came to: JSON, so that whoever made them can send it. */
export interface CampaignPage {
  /** By "lost register-write", or "pairs". */
  readonly faults: Readonly<Record<string, Readonly<FaultCount>>>;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly found: readonly Readonly<FirstFound>[];
}

/** Findings of one rule. */
export interface CampaignFinding {
  readonly rule: string;
  readonly count: number;
  /** Of the first that was found. */
  readonly seed: number;
  /** The first that was found, shrunk. */
  readonly faults: readonly AccessFault[];
  readonly places: readonly string[];
  readonly problem: string;
}

/** Runs that nobody could make: whoever tried ended with them. */
export interface LostRuns {
  /** "singles 41 to 80", "seeds 2001 to 4000". */
  readonly runs: string;
  readonly why: string;
}

/** What a campaign came to: a JSON document. The same for any number of workers, whatever happened to them. */
export interface CampaignReport {
  readonly rig: string;
  readonly seed: number;
  /** Seeds that were run, each with one fault; 0: the faults of one recorded workload. */
  readonly seeds: number;
  /** Accesses of the recorded run, by kind. */
  readonly accesses: Readonly<Partial<Record<AccessKind, number>>>;
  /** By "lost register-write": runs, and runs whose fault has struck. */
  readonly faults: Readonly<Record<string, Readonly<FaultCount>>>;
  readonly tried: number;
  readonly fired: number;
  readonly failed: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly findings: readonly CampaignFinding[];
  readonly lost: readonly LostRuns[];
}

/** Adds up runs as they come, or pages of them in the order of their runs. */
export class CampaignBook {
  readonly #faults = new Map<string, FaultCount>();
  readonly #outcomes = new Map<string, number>();
  readonly #found = new Map<string, FirstFound>();

  add(result: CampaignResult): void {
    const { faults, isFired, outcome, problems, seed } = result;
    const [first] = faults;
    const row = this.#row(
      first === undefined ? "undisturbed" : faults.length > 1 ? "pairs" : `${first.fault} ${first.access}`,
    );
    row.tried++;
    // A run counts only if each of its faults has struck.
    if (!isFired) return;
    row.fired++;
    this.#end(outcome, 1);
    if (problems.length === 0) return;
    row.failed++;
    for (const rule of new Set(problems.map(ruleOf))) {
      const problem = problems.find((each) => ruleOf(each) === rule) ?? problems[0];
      this.#find({ rule, count: 1, seed, faults, problem: problem.slice(0, problemMost) });
    }
  }

  addPage({ faults, found, outcomes }: CampaignPage): void {
    for (const [name, { failed, fired, tried }] of Object.entries(faults)) {
      const row = this.#row(name);
      row.tried += tried;
      row.fired += fired;
      row.failed += failed;
    }
    for (const [outcome, count] of Object.entries(outcomes)) this.#end(outcome, count);
    for (const first of found) this.#find({ ...first });
  }

  page(): CampaignPage {
    return {
      faults: Object.fromEntries(this.#faults),
      outcomes: Object.fromEntries(this.#outcomes),
      found: this.found(),
    };
  }

  /** The first of each rule, in the order in which they were found. */
  found(): readonly Readonly<FirstFound>[] {
    return [...this.#found.values()];
  }

  get counts(): Readonly<FaultCount> {
    const all: FaultCount = { tried: 0, fired: 0, failed: 0 };
    for (const { failed, fired, tried } of this.#faults.values()) {
      all.tried += tried;
      all.fired += fired;
      all.failed += failed;
    }
    return all;
  }

  #row(name: string): FaultCount {
    const row = this.#faults.get(name) ?? { tried: 0, fired: 0, failed: 0 };
    this.#faults.set(name, row);
    return row;
  }

  #end(outcome: string, count: number): void {
    this.#outcomes.set(outcome, (this.#outcomes.get(outcome) ?? 0) + count);
  }

  #find(first: FirstFound): void {
    const known = this.#found.get(first.rule);
    if (known === undefined) this.#found.set(first.rule, first);
    else known.count += first.count;
  }

  /** `shrunk`: for each rule, in the order of {@link found}. */
  report(
    of: Pick<CampaignReport, "rig" | "seed" | "seeds" | "accesses">,
    shrunk: readonly Pick<CampaignFinding, "faults" | "places">[],
    lost: readonly LostRuns[] = [],
  ): CampaignReport {
    const { accesses, rig, seed, seeds } = of;
    const findings = this.found().map(({ count, problem, rule, seed: firstSeed }, at) => ({
      rule,
      count,
      seed: firstSeed,
      faults: shrunk[at].faults,
      places: shrunk[at].places,
      problem,
    }));
    const { faults, outcomes } = this.page();
    return { rig, seed, seeds, accesses, faults, ...this.counts, outcomes, findings, lost };
  }
}

/** What to type for a finding. */
export function strikeOptions({ faults, seed }: Pick<CampaignFinding, "faults" | "seed">): string {
  return [`--seed ${seed}`, ...faults.map((fault) => `--strike ${describeFault(fault)}`)].join(" ");
}

/** A fault that did not strike is no proof of anything, and neither is a run that nobody could make. */
export const isClean = ({ failed, fired, lost, tried }: CampaignReport): boolean =>
  failed === 0 && tried === fired && lost.length === 0;

export function formatCampaign(report: CampaignReport): string {
  const { accesses, failed, fired, lost, outcomes, rig, seed, seeds, tried } = report;
  const recorded = Object.entries(accesses).map(([kind, count]) => `${count} ${kind}`);
  const lines = [
    seeds === 0
      ? `${rig}, seed ${seed}: recorded ${recorded.join(", ")}`
      : `${rig}, seeds ${seed} to ${seed + seeds - 1}, a fault in each`,
  ];
  for (const [name, row] of Object.entries(report.faults).sort(([one], [other]) => (one < other ? -1 : 1)))
    lines.push(
      `  ${name.padEnd(22)} ${String(row.tried).padStart(6)} tried ${String(row.fired).padStart(6)} fired${row.failed === 0 ? "" : ` ${row.failed} with findings`}`,
    );
  lines.push(`${tried} faults tried, ${fired} fired, ${failed} runs with findings`);
  for (const [outcome, count] of Object.entries(outcomes)) lines.push(`  ${count} x ${outcome}`);
  for (const { count, faults, places, problem, rule, seed: firstSeed } of report.findings) {
    lines.push(`${rule}: ${count} runs, the first${seeds === 0 ? "" : ` (seed ${firstSeed})`}: ${problem}`);
    for (const [at, fault] of faults.entries())
      lines.push(`  --strike ${describeFault(fault)}${places[at] === "" ? "" : `  (${places[at]})`}`);
  }
  for (const { runs, why } of lost) lines.push(`not run: ${runs}: ${why}`);
  if (isClean(report)) lines.push("every contract was kept");
  return `${lines.join("\n")}\n`;
}
