// The process in which mutants live: loads tests once, runs them under one mutant after another.

import { registerHooks } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { type CollectedTest, collect } from "./collected-tests.ts";

/** Instrumented code counts here what it passes, and asks which mutant is active (instrument.ts writes that code). */
const mutants = {
  active: -1,
  passed: new Uint32Array(1 << 17),
  entered: 0,
  limit: Number.POSITIVE_INFINITY,
  enter(): true {
    if (++mutants.entered > mutants.limit) throw new Error("passed more often than any loop that ends");
    return true;
  },
};
(globalThis as Record<string, unknown>).__mutants = mutants;

export type Order =
  | { readonly kind: "load"; readonly sandbox: string; readonly files: readonly string[] }
  | {
      readonly kind: "survey";
      /** No test file is begun after so long. */
      readonly limitMs: number;
      /** Tests that take longer judge nothing. */
      readonly slowMs: number;
    }
  | {
      /** In a process that has loaded nothing: each file is loaded with the mutant active, then its tests run. */
      readonly kind: "at-load";
      readonly sandbox: string;
      readonly mutant: string;
      readonly files: readonly string[];
      /** By file and name, what each test that is fit to judge took without the mutant. */
      readonly tookMs: Readonly<Record<string, number>>;
      readonly budgetMs: number;
    }
  | {
      readonly kind: "run";
      readonly mutant: string;
      readonly tests: readonly string[];
      readonly hitLimit: number;
      /** What each took without the mutant; one that takes far longer is taken to wait for ever. */
      readonly tookMs: readonly number[];
    };

/** Orders that take one answer. */
type Load = Extract<Order, { kind: "load" }>;
type Survey = Extract<Order, { kind: "survey" }>;
type Run = Extract<Order, { kind: "run" }>;
type AtLoad = Extract<Order, { kind: "at-load" }>;

export interface SurveyedTest {
  readonly id: string;
  readonly file: string;
  readonly name: string;
  readonly ms: number;
  readonly failure: string | null;
  /** Mutants that it entered, with how often. */
  readonly entered: Readonly<Record<string, number>>;
}

export type Answer =
  | { readonly kind: "loaded"; readonly failure: string | null }
  | {
      readonly kind: "surveyed";
      readonly tests: readonly SurveyedTest[];
      readonly atLoad: readonly number[];
      readonly unasked: readonly string[];
    }
  | {
      readonly kind: "ran";
      readonly killer: string | null;
      readonly how: "failed" | "endless" | null;
      readonly left: number;
    };

const shim = new URL("./collected-tests.ts", import.meta.url).href;
registerHooks({
  resolve: (specifier, context, next) =>
    specifier === "node:test" && context.parentURL !== shim
      ? { url: shim, shortCircuit: true }
      : next(specifier, context),
});

let tests: readonly CollectedTest[] = [];
let stray: ((error: unknown) => void) | null = null;
// What a mutant throws from a timer or a promise that nobody waits for is the running test's failure.
process.on("uncaughtException", (error) => stray?.(error));
process.on("unhandledRejection", (error) => stray?.(error));

class Endless extends Error {}

/** Runs a test to its end, its failure, or the end of patience; answers the failure. */
async function attempt(test: CollectedTest, patienceMs: number): Promise<unknown> {
  let alarm: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      stray = reject;
      alarm = setTimeout(() => reject(new Endless("waits for ever")), patienceMs);
      test.run().then(resolve, reject);
    });
    return null;
  } catch (error) {
    return error ?? new Error("failed with nothing");
  } finally {
    clearTimeout(alarm);
    stray = null;
  }
}

const textOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).slice(0, 300);

async function load({ sandbox, files }: Load): Promise<Answer> {
  process.chdir(sandbox);
  const all: CollectedTest[] = [];
  let failure: string | null = null;
  for (const file of files) {
    try {
      all.push(...(await collect(file, () => import(pathToFileURL(join(sandbox, file)).href))));
    } catch (error) {
      failure ??= `${file}: ${textOf(error)}`;
    }
  }
  tests = all;
  return { kind: "loaded", failure };
}

/** Which mutants were passed since the last time, with how often. */
function takePassed(): Record<number, number> {
  const taken: Record<number, number> = {};
  for (const [id, count] of mutants.passed.entries()) if (count > 0) taken[id] = count;
  mutants.passed.fill(0);
  return taken;
}

async function survey({ limitMs, slowMs }: Survey): Promise<Answer> {
  const atLoad = Object.keys(takePassed()).map(Number);
  const surveyed: SurveyedTest[] = [];
  const unasked = new Set<string>();
  // By the processor's time: on a busy machine the clock says nothing about a test.
  const cpuMs = (): number => {
    const { user, system } = process.cpuUsage();
    return (user + system) / 1000;
  };
  const began = cpuMs();
  for (const test of tests) {
    if (cpuMs() - began > limitMs) {
      unasked.add(test.file);
      continue;
    }
    const begin = cpuMs();
    let failure = await attempt(test, slowMs);
    const ms = cpuMs() - begin;
    const entered = takePassed();
    // Whoever cannot pass twice in one process cannot tell a mutant from its own leavings.
    if (failure === null && ms < 100 && Object.keys(entered).length > 0)
      failure = await attempt(test, slowMs);
    takePassed();
    surveyed.push({
      id: test.id,
      file: test.file,
      name: test.name,
      ms,
      failure: failure === null ? null : textOf(failure),
      entered,
    });
  }
  return { kind: "surveyed", tests: surveyed, atLoad, unasked: [...unasked] };
}

export const patience = (ms: number): number => 2000 + 10 * ms;

/** What a test says of the active mutant; null when it passes as ever. */
async function judge(test: CollectedTest, tookMs: number): Promise<"failed" | "endless" | null> {
  mutants.entered = 0;
  const failure = await attempt(test, patience(tookMs));
  if (failure instanceof Endless || mutants.entered > mutants.limit) return "endless";
  return failure === null ? null : "failed";
}

const titleOf = ({ file, name }: { readonly file: string; readonly name: string }): string =>
  `${file}: ${name}`;

async function run(order: Run): Promise<Answer> {
  const byId = new Map(tests.map((test) => [test.id, test]));
  mutants.limit = order.hitLimit;
  mutants.active = Number(order.mutant);
  try {
    for (const [index, id] of order.tests.entries()) {
      const test = byId.get(id);
      const how = test === undefined ? null : await judge(test, order.tookMs[index]);
      if (test !== undefined && how !== null) return { kind: "ran", killer: titleOf(test), how, left: 0 };
    }
    return { kind: "ran", killer: null, how: null, left: 0 };
  } finally {
    mutants.active = -1;
  }
}

async function tryAtLoad({ sandbox, mutant, files, tookMs, budgetMs }: AtLoad): Promise<Answer> {
  process.chdir(sandbox);
  mutants.active = Number(mutant);
  mutants.limit = 1_000_000;
  let spentMs = 0;
  let left = 0;
  for (const file of files) {
    let found: readonly CollectedTest[];
    try {
      found = await collect(file, () => import(pathToFileURL(join(sandbox, file)).href));
    } catch (error) {
      return { kind: "ran", killer: `${file}: ${textOf(error)}`, how: "failed", left: 0 };
    }
    for (const test of found) {
      const took = tookMs[titleOf(test)];
      if (took === undefined) continue;
      spentMs += took;
      if (spentMs > budgetMs) {
        left++;
        continue;
      }
      const how = await judge(test, took);
      if (how !== null) return { kind: "ran", killer: titleOf(test), how, left: 0 };
    }
  }
  return { kind: "ran", killer: null, how: null, left };
}

function answer(order: Order): Promise<Answer> {
  if (order.kind === "load") return load(order);
  if (order.kind === "survey") return survey(order);
  return order.kind === "run" ? run(order) : tryAtLoad(order);
}

process.on("message", async (order: Order) => {
  process.send?.(await answer(order));
});
process.on("disconnect", () => process.exit(0));
