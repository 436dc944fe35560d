// Which tests do not always say the same: unit tests in drawn orders, system tests on one busy core; resumable.

import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";

export interface FlakyRun {
  readonly kind: "unit" | "system";
  /** Unit: the order's seed, for `npm run test:unit -- --seed`. System: which run it was. */
  readonly seed: number;
  readonly tests: number;
  /** Names of failed tests; what failed only because a test in it did is left out. */
  readonly failed: readonly string[];
  readonly seconds: number;
}

export interface FlakyBook {
  readonly commit: string;
  readonly runs: readonly FlakyRun[];
}

/** What a TAP record of `node --test` says: how many tests passed or failed, and the names of those that failed by themselves. */
export function readTap(tap: string): { readonly tests: number; readonly failed: readonly string[] } {
  let tests = 0;
  for (const [, count] of tap.matchAll(/^# tests (\d+)$/gm)) tests += Number(count);
  const failed: string[] = [];
  const lines = tap.split("\n");
  for (const [at, line] of lines.entries()) {
    const [, indent, name] = /^( *)not ok \d+ - (.*)$/.exec(line) ?? [];
    if (name === undefined) continue;
    const end = lines.indexOf(`${indent}  ...`, at);
    const about = lines.slice(at + 1, end < 0 ? at + 1 : end);
    if (!about.some((each) => /^ *failureType: 'subtestsFailed'$/.test(each))) failed.push(name);
  }
  return { tests, failed };
}

/** Lines of a record, and what must not be: a test that failed in some runs of its kind, or in all. */
export function judgeFlaky({ runs }: FlakyBook): { readonly lines: string[]; readonly problems: string[] } {
  const lines: string[] = [];
  const problems: string[] = [];
  for (const kind of ["unit", "system"] as const) {
    const own = runs.filter((run) => run.kind === kind);
    if (own.length === 0) {
      lines.push(`${kind}: no run`);
      continue;
    }
    const seconds = own.reduce((sum, run) => sum + run.seconds, 0);
    const counts = [...new Set(own.map(({ tests }) => tests))].sort((a, b) => a - b);
    lines.push(
      `${kind}: ${own.length} runs of ${counts.join(" or ")} tests, seeds ${own[0].seed} to ${own[own.length - 1].seed}, ${Math.round(seconds / own.length)} s each`,
    );
    if (counts.length > 1) problems.push(`${kind}: not every run had all tests: ${counts.join(", ")}`);
    const seeds = new Map<string, number[]>();
    for (const { failed, seed } of own)
      for (const name of new Set(failed)) seeds.set(name, [...(seeds.get(name) ?? []), seed]);
    for (const [name, which] of seeds)
      problems.push(
        which.length === own.length
          ? `${kind}: fails in every run: ${name}`
          : `${kind}: differs: ${name}: failed in ${which.length} of ${own.length}, seeds ${which.slice(0, 8).join(", ")}`,
      );
  }
  return { lines, problems };
}

export interface FlakyHunt {
  readonly root: string;
  /** Where the book is kept; a book of another commit begins anew. */
  readonly book: string;
  /** Of the tree as it is now: asked again after each run, as a tree that changes under its tests says nothing of them. */
  commit(): string;
  readonly units: number;
  readonly systems: number;
  onRun(run: FlakyRun): void;
}

/**
 * Runs what the book lacks of both kinds; the book is written after each run, so that an end at any time loses one run. Throws when
 * the tree has changed under a run.
 */
export function huntFlaky(hunt: FlakyHunt): FlakyBook {
  const commit = hunt.commit();
  let book = readBook(hunt.book, commit);
  const wanted = [
    ["unit", hunt.units],
    ["system", hunt.systems],
  ] as const;
  for (const [kind, count] of wanted)
    for (let seed = 1; seed <= count; seed++) {
      if (book.runs.some((run) => run.kind === kind && run.seed === seed)) continue;
      const run = kind === "unit" ? runShuffled(hunt.root, seed) : runLoaded(hunt.root, seed);
      if (hunt.commit() !== commit)
        throw new Error(`the tree changed under ${kind} run ${seed}: it is not recorded`);
      book = { commit, runs: [...book.runs, run] };
      mkdirSync(dirname(hunt.book), { recursive: true });
      writeFileSync(hunt.book, JSON.stringify(book, null, 1));
      hunt.onRun(run);
    }
  return book;
}

function readBook(path: string, commit: string): FlakyBook {
  if (!existsSync(path)) return { commit, runs: [] };
  const kept = JSON.parse(readFileSync(path, "utf8")) as FlakyBook;
  return kept.commit === commit ? kept : { commit, runs: [] };
}

function runTests(root: string, kind: FlakyRun["kind"], seed: number, before: readonly string[]): FlakyRun {
  const begun = performance.now();
  const more = kind === "unit" ? ["--seed", String(seed)] : [];
  const [program, ...rest] = [
    ...before,
    process.execPath,
    join(root, "house/run.mjs"),
    `test:${kind}`,
    ...more,
  ];
  const { error } = spawnSync(program, rest, { cwd: root, stdio: "ignore" });
  if (error !== undefined) throw error;
  const { tests, failed } = readTap(readFileSync(join(root, `build/${kind}-tests.tap`), "utf8"));
  return { kind, seed, tests, failed, seconds: Math.round((performance.now() - begun) / 1000) };
}

const runShuffled = (root: string, seed: number): FlakyRun => runTests(root, "unit", seed, []);

/** On the first core alone, with one process that never rests beside it. */
function runLoaded(root: string, seed: number): FlakyRun {
  const oneCore = ["taskset", "-c", "0"] as const;
  const load: ChildProcess = spawn(oneCore[0], [...oneCore.slice(1), process.execPath, "-e", "for(;;);"], {
    stdio: "ignore",
  });
  try {
    return runTests(root, "system", seed, oneCore);
  } finally {
    load.kill("SIGKILL");
  }
}
