// "Still true?": every case again on each new build and on demand, each run recorded.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import type { Board } from "@drydock/board/board";
import { BoardRefusal } from "@drydock/board/refusal";
import { type StillTrue, stillTrue } from "@drydock/board/still-true";
import { TraceHash } from "@drydock/core/base/hash";
import type { CaseRunner } from "./case-runner.ts";

const recordedSeed = 1;
const runsRead = 40;
/** Another server of the same board may have run one meanwhile: asked so often, and no oftener. */
const statesLiveMs = 10_000;

export class StillTrueRuns {
  readonly #board: Board;
  readonly #runner: CaseRunner;
  readonly #version: string;
  /** What runs of equal builds have in common: 16 hexadecimal digits. */
  readonly build: () => string;
  /** Of the casebook: known without reading it. */
  readonly ids: readonly string[];
  #states: ReadonlyMap<string, StillTrue> | null = null;
  /** Of the runs that the states were decided from, and when that was looked at last. */
  #newestRun = 0;
  #lookedAt = 0;
  #running: Promise<void> | null = null;

  constructor(
    board: Board,
    runner: CaseRunner,
    ids: readonly string[],
    version: string,
    build: () => string,
  ) {
    this.ids = ids;
    this.#board = board;
    this.#runner = runner;
    this.#version = version;
    this.build = build;
  }

  /** Of every case; from memory between runs. */
  async states(): Promise<ReadonlyMap<string, StillTrue>> {
    const now = this.#board.now();
    if (this.#states !== null && now - this.#lookedAt < statesLiveMs) return this.#states;
    const newest = Math.max(0, ...(await this.#board.store.latestRuns()).map(({ id }) => id));
    this.#lookedAt = now;
    if (this.#states !== null && newest === this.#newestRun) return this.#states;
    const states = new Map<string, StillTrue>();
    for (const id of this.ids) states.set(id, stillTrue(await this.#board.store.caseRuns(id, runsRead)));
    this.#newestRun = newest;
    this.#states = states;
    return states;
  }

  /**
   * Runs both sides of a case and records them. A run that breaks off is recorded as such; one that never began, because
   * too many wait or the board closes, is none: BoardRefusal. `job`: what one job recorded is recorded once.
   */
  async run(id: string, job: string | null = null): Promise<void> {
    for (const side of ["bad", "good"] as const) {
      const begun = performance.now();
      const outcome = await this.#runner
        .side(id, recordedSeed, side)
        .catch((error: unknown) => error as Error);
      if (outcome instanceof BoardRefusal) throw outcome;
      const isBroken = outcome instanceof Error;
      const at = this.#board.now();
      await this.#board.store.addCaseRun(
        {
          caseId: id,
          side,
          seed: recordedSeed,
          drydockVersion: this.#version,
          build: this.build(),
          verdict: isBroken ? "error" : outcome.succeeded ? "succeeded" : "failed",
          result: isBroken ? outcome.message.slice(0, 1000) : outcome.result,
          traceDigest: isBroken ? "" : outcome.digest,
          wallMs: Math.round(performance.now() - begun),
          at,
        },
        { key: job === null ? null : `${job} ${side}`, at },
      );
      this.#states = null;
    }
  }

  /** As a job: nothing is run that has been run on this build. */
  async runOnce(id: string, job: string): Promise<void> {
    if (!this.#has(id, await this.#current())) await this.run(id, job);
  }

  /** Cases whose newest run was of another build; all of them with `again`. One pass at a time. */
  runAll(again: boolean): Promise<void> {
    this.#running ??= this.#pass(again).finally(() => {
      this.#running = null;
    });
    return this.#running;
  }

  async #pass(again: boolean): Promise<void> {
    const current = await this.#current();
    for (const id of this.ids) if (again || !this.#has(id, current)) await this.run(id);
  }

  #has(id: string, current: ReadonlySet<string>): boolean {
    return current.has(`${id} bad`) && current.has(`${id} good`);
  }

  /** Case and side of newest runs that were of this build. */
  async #current(): Promise<ReadonlySet<string>> {
    const build = this.build();
    const runs = await this.#board.store.latestRuns();
    return new Set(runs.filter((run) => run.build === build).map((run) => `${run.caseId} ${run.side}`));
  }
}

/** Every case has a folder, and the casebook lists them all; its modules are read when one runs. */
export function caseIdsIn(root: string): string[] {
  return entriesOf(join(root, "cases")).flatMap((entry) => /^(P\d{2,3})-/.exec(entry.name)?.[1] ?? []);
}

/** What the casebook and everything below it consist of: runs of equal builds must be equal. */
export function buildOf(root: string, version: string): string {
  const packed = join(root, "build-digest.txt");
  if (existsSync(packed)) return readFileSync(packed, "utf8").trim();
  const hash = new TraceHash();
  hash.text(version);
  const visit = (folder: string): void => {
    let entries: ReturnType<typeof entriesOf>;
    try {
      entries = entriesOf(folder);
    } catch {
      return;
    }
    for (const entry of entries) {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) {
        if (entry.name !== "node_modules" && entry.name !== "test") visit(path);
      } else if (/\.(?:ts|js)$/.test(entry.name) && !/\.test\./.test(entry.name)) {
        hash.text(entry.name);
        hash.bytes(readFileSync(path));
      }
    }
  };
  for (const folder of ["packages/core/src", "cases"]) visit(join(root, folder));
  return hash.digest();
}

const entriesOf = (folder: string) =>
  readdirSync(folder, { withFileTypes: true }).sort((left, right) => (left.name < right.name ? -1 : 1));
