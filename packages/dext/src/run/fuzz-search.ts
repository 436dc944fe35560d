// Fuzzing of a dext: inputs made from what reached new code before, faults shrunk, each with the line that replays it.

import { Random } from "@drydock/core/base/random";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { DextDescription, DextOptions, LoadedDext } from "../host/dext-bundle.ts";
import type { DextImage } from "../host/dext-image.ts";
import { correct } from "./dext-run.ts";
import {
  changedAnswer,
  changedCall,
  type FuzzCall,
  type FuzzCase,
  type FuzzFeed,
  type FuzzInput,
  newAnswer,
  newCall,
  number,
} from "./fuzz-input.ts";
import { type Feed, runSession } from "./fuzz-session.ts";
import { shrinkCase, signatureOf } from "./fuzz-shrink.ts";

export interface FuzzOptions {
  readonly description: DextDescription;
  readonly feed: FuzzFeed;
  readonly seed: number;
  /** Inputs in all. */
  readonly inputs: number;
  readonly turn: HostTurn;
  readonly load?: DextOptions;
  /** Different faults after which it ends. Default 10. */
  readonly findingsMost?: number;
  readonly onProgress?: (inputs: number, report: FuzzReport) => void;
}

export interface FuzzFinding {
  readonly what: string;
  /** Shrunk; `caseText` says it. */
  readonly shrunk: FuzzCase;
  /** How many inputs the session had had, and after how many in all it was found. */
  readonly inputsBefore: number;
  readonly foundAfter: number;
  /** The same came again in so many other sessions. */
  again: number;
}

export interface FuzzReport {
  readonly feed: FuzzFeed;
  readonly seed: number;
  inputs: number;
  sessions: number;
  /** Blocks of the dext's own code, and how many were entered. */
  readonly blocks: number;
  blocksRun: number;
  /** Inputs that reached something new and are kept. */
  kept: number;
  readonly findings: FuzzFinding[];
  /** Why nothing could be fed; null: it could. */
  idle: string | null;
}

/** Inputs of the first sessions, then of every further one: what only a fresh machine does wrong wants many beginnings. */
const firstSessions: readonly number[] = [8, 8, 16, 16, 32, 32, 64, 64, 128, 256];
const sessionInputs = 1000;
const fromKept = 0.65;
/** How often a refusal of a dispatch table is heeded: the rest looks at what others do with wrong counts. */
const heedsTable = 0.9;
/** Sessions in a row that took nothing. */
const idleMost = 3;

/** Which blocks ran, and roughly how often at once; all sessions share it. */
class BlockWatch {
  readonly #first: number;
  readonly #count: number;
  readonly #seen: Uint8Array;
  readonly #before = new WeakMap<object, Uint32Array>();

  constructor(image: DextImage) {
    const counters = image.blocks.map(({ counter }) => counter);
    this.#first = counters.length === 0 ? 0 : Math.min(...counters);
    this.#count = counters.length === 0 ? 0 : (Math.max(...counters) - this.#first) / 4 + 1;
    this.#seen = new Uint8Array(this.#count);
  }

  get run(): number {
    return this.#seen.filter((bucket) => bucket > 0).length;
  }

  /** Whether something ran since the last look that never ran before, or twice as often. */
  look(dext: LoadedDext): boolean {
    let isNew = false;
    for (const cxx of dext.processes) {
      const now = new Uint32Array(cxx.engine.memory.buffer, this.#first, this.#count);
      let before = this.#before.get(cxx);
      if (before === undefined) {
        before = new Uint32Array(this.#count);
        this.#before.set(cxx, before);
      }
      for (let index = 0; index < this.#count; index++) {
        const times = now[index] - before[index];
        if (times === 0) continue;
        before[index] = now[index];
        const bucket = 32 - Math.clz32(times);
        if (bucket <= this.#seen[index]) continue;
        this.#seen[index] = bucket;
        isNew = true;
      }
    }
    return isNew;
  }
}

/** The same options find the same. Never throws for what the dext does. */
export async function fuzzDext(options: FuzzOptions): Promise<FuzzReport> {
  const { description, feed, findingsMost = 10, load, seed, turn } = options;
  const blocks = new BlockWatch(description.image);
  const report: FuzzReport = {
    feed,
    seed,
    inputs: 0,
    sessions: 0,
    blocks: description.image.blocks.length,
    blocksRun: 0,
    kept: 0,
    findings: [],
    idle: null,
  };
  const kept: FuzzInput[] = [];
  const known = new Map<string, FuzzFinding>();
  const chance = new Random(seed).fork(`fuzz ${feed}`);
  for (let idle = 0; report.inputs < options.inputs && known.size < findingsMost; ) {
    const session = {
      description,
      feed,
      seed: chance.next32(),
      turn,
      load: { ...load, tracesMemory: false },
    };
    const fed: FuzzInput[] = [];
    const most = firstSessions[report.sessions] ?? sessionInputs;
    let next: FuzzInput | null = null;
    const source: Feed = {
      next: () => {
        if (fed.length >= most || report.inputs + fed.length >= options.inputs) return null;
        const input = next ?? nextInput(chance, feed, kept);
        next = null;
        fed.push(input);
        return input;
      },
      fed: (input, dext, said) => {
        if (blocks.look(dext)) kept.push(input);
        else if (input.kind === "call" && chance.chance(heedsTable)) next = mendedCall(input, said, chance);
      },
    };
    const end = await runSession(session, source);
    report.sessions++;
    report.inputs += fed.length;
    report.blocksRun = blocks.run;
    report.kept = kept.length;
    idle = fed.length === 0 ? idle + 1 : 0;
    if (idle === idleMost) {
      report.idle = whyIdle(feed, end);
      break;
    }
    for (const what of end.findings) {
      const signature = signatureOf(what);
      const finding = known.get(signature);
      if (finding !== undefined) {
        finding.again++;
        continue;
      }
      const found: FuzzCase = { feed, seed: session.seed, inputs: fed };
      const shrunk = await shrinkCase(found, signature, {
        ...session,
        load: { ...load, tracesMemory: true, tracesObjects: true },
      });
      const made: FuzzFinding = {
        what: shrunk.what ?? what,
        shrunk: shrunk.case,
        inputsBefore: fed.length,
        foundAfter: report.inputs,
        again: 0,
      };
      known.set(signature, made);
      report.findings.push(made);
    }
    options.onProgress?.(report.inputs, report);
  }
  return report;
}

/** As a dispatch table has asked for; null: it has said nothing. */
function mendedCall(call: FuzzCall, said: string, random: Random): FuzzCall | null {
  const attempt = {
    scalars: call.scalars.length,
    bytes: call.bytes.length,
    outScalars: call.outScalars,
    outBytes: call.outBytes,
    hasCompletion: call.isAsync,
  };
  if (!correct(attempt, said)) return null;
  const { scalars, bytes } = changedCall(random, call);
  return {
    ...call,
    scalars: Array.from({ length: Math.min(16, attempt.scalars) }, (_, at) => scalars[at] ?? number(random)),
    bytes: attempt.bytes === call.bytes.length ? call.bytes : sized(bytes, attempt.bytes),
    outScalars: attempt.outScalars,
    outBytes: attempt.outBytes,
    isAsync: attempt.hasCompletion,
  };
}

function sized(bytes: Uint8Array, length: number): Uint8Array {
  const made = new Uint8Array(length);
  made.set(bytes.subarray(0, length));
  return made;
}

function whyIdle(feed: FuzzFeed, end: { readonly isStarted: boolean; readonly clients: number }): string {
  if (!end.isStarted) return "the dext does not start on the device that is made for it";
  return feed === "calls"
    ? "no service of the dext lets an application open a user client"
    : "the driver asks its device for nothing";
}

function nextInput(random: Random, feed: FuzzFeed, kept: readonly FuzzInput[]): FuzzInput {
  const from = kept.length > 0 && random.chance(fromKept) ? kept[random.below(kept.length)] : null;
  if (feed === "calls") return from?.kind === "call" ? changedCall(random, from) : newCall(random);
  return from === null || from.kind === "call" ? newAnswer(random) : changedAnswer(random, from);
}

/** What comes of one line: the findings of its run. */
export async function replayCase(
  { feed, inputs, seed }: FuzzCase,
  { description, load, turn }: Pick<FuzzOptions, "description" | "load" | "turn">,
): Promise<readonly string[]> {
  let at = 0;
  const session = { description, feed, seed, turn, ...(load === undefined ? {} : { load }) };
  const end = await runSession(session, { next: () => inputs[at++] ?? null, fed: () => {} });
  return end.findings;
}
