// Tries mutants one after another in a process that lives long, and keeps what is known from the last time.

import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { Mutant } from "./instrument.ts";
import type { Scope } from "./scope.ts";
import type { Answer, Order, SurveyedTest } from "./worker.ts";

export interface Verdict {
  readonly mutant: Mutant;
  /** `unseen`: no test enters it. `endless`: it made a test run or wait without end, which counts as killed. */
  readonly fate: "killed" | "endless" | "survived" | "unseen";
  readonly killer: string | null;
  /** Tests that enter it but were left out, as the tests before them had used up the time for one mutant. */
  readonly left: number;
}

export interface Trial {
  readonly verdicts: readonly Verdict[];
  /** Tests that fail, or cannot pass twice in one process, without any mutant: they judge nothing. */
  readonly unfit: readonly SurveyedTest[];
  readonly tests: number;
}

type AnswerTo<Kind extends Order["kind"]> = Extract<
  Answer,
  { kind: { load: "loaded"; survey: "surveyed"; run: "ran"; "at-load": "ran" }[Kind] }
>;

/** A mutant's tests take at most so long, by what they took without it. */
const budgetMs = 2000;
/** How much of the processor's time the survey of all tests may take, nearest first; and how long one test. */
const surveyMs = 60_000;
const slowMs = 30_000;
/** How many test files judge what happens as files load. */
const filesAtLoad = 4;
/** A loop that passes no mutated place: found by the processor's time where the system tells it, else by the clock. */
const hangCpuMs = 4000;
const hangMs = 60_000;

/** The processor's time that a process has used; null where no /proc tells it (in ticks of 10 ms, proc(5)). */
function cpuMs(pid: number | undefined): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, "latin1")
      .replace(/^.*\) /s, "")
      .split(" ");
    return 10 * (Number(fields[11]) + Number(fields[12]));
  } catch {
    return null;
  }
}

class Worker {
  readonly #child: ChildProcess;
  constructor(sandbox: string, compileCache: string) {
    this.#child = fork(fileURLToPath(new URL("./worker.ts", import.meta.url)), [], {
      cwd: sandbox,
      stdio: ["ignore", "ignore", "ignore", "ipc"],
      env: { ...process.env, NODE_COMPILE_CACHE: compileCache },
    });
  }

  /** Sends an order; null when the process died or gave no answer in time, and then it is gone. */
  async ask<Kind extends Order["kind"]>(
    order: Extract<Order, { kind: Kind }>,
    limitMs: number,
    limitCpuMs = Number.POSITIVE_INFINITY,
  ): Promise<AnswerTo<Kind> | null> {
    const stop = new AbortController();
    const alarm = setTimeout(() => stop.abort(), limitMs);
    const before = cpuMs(this.#child.pid) ?? 0;
    const meter = setInterval(() => {
      if ((cpuMs(this.#child.pid) ?? 0) - before > limitCpuMs) stop.abort();
    }, 250);
    const ends = { signal: stop.signal };
    try {
      const answer = once(this.#child, "message", ends).then(([message]) => message as AnswerTo<Kind>);
      const death = once(this.#child, "exit", ends).then(() => null);
      this.#child.send(order);
      return await Promise.race([answer, death]);
    } catch {
      this.end();
      return null;
    } finally {
      clearTimeout(alarm);
      clearInterval(meter);
      stop.abort();
    }
  }

  end(): void {
    this.#child.kill("SIGKILL");
  }
}

export interface TrialOptions {
  readonly sandbox: string;
  readonly compileCache: string;
  readonly scope: Scope;
  readonly mutants: readonly Mutant[];
  /** Fates of an earlier run that still hold. */
  known(mutant: Mutant): Verdict | null;
  onProgress(text: string): void;
}

export async function tryMutants(options: TrialOptions): Promise<Trial> {
  const { sandbox, compileCache, scope, onProgress } = options;
  const verdicts: Verdict[] = [];
  const open: Mutant[] = [];
  for (const mutant of options.mutants) {
    if (mutant.ignored !== null) continue;
    const verdict = options.known(mutant);
    if (verdict === null) open.push(mutant);
    else verdicts.push(verdict);
  }
  if (open.length === 0) return { verdicts, unfit: [], tests: 0 };

  const start = async (files: readonly string[]): Promise<Worker> => {
    const worker = new Worker(sandbox, compileCache);
    const loaded = await worker.ask<"load">({ kind: "load", sandbox, files }, 600_000);
    if (loaded === null) throw new Error("the tests do not load in the sandbox");
    if (loaded.failure !== null) onProgress(`a test file does not load: ${loaded.failure}`);
    return worker;
  };
  const wanted = new Set(open.map(({ file }) => file));
  const files = scope.tests.filter((test) => [...wanted].some((file) => scope.testsOf(file).includes(test)));
  onProgress(`${open.length} mutants to try; ${files.length} test files are surveyed`);
  let worker = await start(files);
  const surveyed = await worker.ask<"survey">({ kind: "survey", limitMs: surveyMs, slowMs }, 1_800_000);
  if (surveyed === null) throw new Error("the tests do not come to an end in the sandbox");
  const fit = surveyed.tests.filter(({ failure }) => failure === null);
  const unfit = surveyed.tests.filter(({ failure }) => failure !== null);
  const atLoad = new Set(surveyed.atLoad);
  const entering = new Map<string, { test: SurveyedTest; hits: number }[]>();
  for (const test of fit)
    for (const [id, hits] of Object.entries(test.entered)) {
      const list = entering.get(id) ?? [];
      list.push({ test, hits });
      entering.set(id, list);
    }
  onProgress(
    `${fit.length} tests are fit to judge, ${unfit.length} are not, ${surveyed.unasked.length} files were not asked`,
  );

  /** The cheapest of those that are near first, so that most mutants die within a millisecond. */
  const chosenFor = (mutant: Mutant) => {
    const rank = new Map(scope.testsOf(mutant.file).map((file, index) => [file, index]));
    const cost = ({ test }: { test: SurveyedTest }): number => test.ms + 2 * (rank.get(test.file) ?? 1000);
    const all = (entering.get(mutant.id) ?? []).toSorted((a, b) => cost(a) - cost(b));
    let spent = 0;
    const chosen = all.filter(({ test }, index) => {
      spent += test.ms;
      return index === 0 || spent <= budgetMs;
    });
    return { chosen, left: all.length - chosen.length };
  };

  const tookMs = Object.fromEntries(fit.map(({ file, name, ms }) => [`${file}: ${name}`, ms]));
  const fateOf = (mutant: Mutant, ran: AnswerTo<"run"> | null, left: number): Verdict => {
    if (ran === null) return { mutant, fate: "endless", killer: null, left: 0 };
    if (ran.how === null) return { mutant, fate: "survived", killer: null, left: left + ran.left };
    return { mutant, fate: ran.how === "failed" ? "killed" : "endless", killer: ran.killer, left: 0 };
  };

  /** What happens as files load is judged by loading them with the mutant, in a process of its own. */
  const tryAtLoad = async (mutant: Mutant): Promise<Verdict> => {
    const reaching = scope.testsOf(mutant.file);
    const near = reaching.slice(0, filesAtLoad);
    const fresh = new Worker(sandbox, compileCache);
    const ran = await fresh.ask<"at-load">(
      { kind: "at-load", sandbox, mutant: mutant.id, files: near, tookMs, budgetMs },
      hangMs,
      // Loading and the tests themselves, and then some.
      2 * hangCpuMs + 10 * budgetMs,
    );
    fresh.end();
    return fateOf(mutant, ran, reaching.length - near.length);
  };

  for (const [index, mutant] of open.entries()) {
    const { chosen, left } = chosenFor(mutant);
    const isAtLoad = atLoad.has(Number(mutant.id));
    let verdict: Verdict = { mutant, fate: "unseen", killer: null, left };
    if (chosen.length > 0) {
      const ran = await worker.ask<"run">(
        {
          kind: "run",
          mutant: mutant.id,
          tests: chosen.map(({ test }) => test.id),
          // By count of work: a hundred times what all its tests pass it together is an endless loop.
          hitLimit: 100 * (1 + chosen.reduce((sum, { hits }) => sum + hits, 0)),
          tookMs: chosen.map(({ test }) => test.ms),
        },
        10 * hangMs,
        hangCpuMs + 10 * chosen.reduce((sum, { test }) => sum + test.ms, 0),
      );
      if (ran === null) worker = await start(files);
      verdict = fateOf(mutant, ran, left);
    }
    const isOpen = verdict.fate === "unseen" || verdict.fate === "survived";
    if (isOpen && isAtLoad) verdict = await tryAtLoad(mutant);
    verdicts.push(verdict);
    if ((index + 1) % 100 === 0) onProgress(`${index + 1} of ${open.length} tried`);
  }
  worker.end();
  return { verdicts, unfit, tests: fit.length };
}
