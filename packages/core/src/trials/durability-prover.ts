// The durability prover (posts.md F14): a power cut at every step of a workload, and what was promised must be there.

import { Random } from "../base/random.ts";
import { type BlockPort, BlockStatus, BlockSubmit } from "../ports/block.ts";
import type { Timeline } from "../trace/timeline.ts";
import { JournalWorkload, type LostSector, workloadBlocks } from "./journal-workload.ts";

/** A disk with everything that stands on it, brought up and at rest. Made anew for each cut, the same for each seed. */
export interface DurabilityBench {
  readonly port: BlockPort;
  /** Takes steps until `isDone`, which is asked before each, or until nothing is left to do. */
  run(isDone: () => boolean): Promise<void>;
  /** Cuts the power where things stand, brings the disk back, and answers a port to read it by. */
  cutPower(): Promise<BlockPort>;
  /** Everything that passed, of a bench that records it. */
  readonly timeline?: Timeline;
  /** What became of flushes on their way down (posts.md F15); null where nobody keeps a ledger. */
  ledger(): FlushStory | null;
}

export interface FlushStory {
  /** The uppermost layer that swallowed a flush; null when all went down. */
  readonly guilty: string | null;
  readonly lines: readonly string[];
}

export interface DurabilityOptions {
  readonly makeBench: (seed: number) => Promise<DurabilityBench>;
  /** The first seed; the following ones are used until there were `cuts`. */
  readonly seed: number;
  readonly cuts: number;
  /** Transactions of the workload. Default 8. */
  readonly transactions?: number;
  readonly onProgress?: (cuts: number) => void;
}

/** One lost promise, with all that is needed to see it again. */
export interface DurabilityLoss extends LostSector {
  readonly seed: number;
  readonly step: number;
  /** Transactions that were acknowledged, and those that a mount found. */
  readonly acknowledged: number;
  readonly recovered: number;
  readonly ledger: FlushStory | null;
}

export interface DurabilityReport {
  readonly cuts: number;
  readonly seeds: number;
  /** Steps of each seed's workload: each was cut at, but for the last seed's when the cuts ran out. */
  readonly steps: readonly number[];
  /** Promises that were put to the test, summed over all cuts. */
  readonly flushes: number;
  readonly transactions: number;
  /** The first that was found; the prover stops there. */
  readonly loss: DurabilityLoss | null;
}

/** Throws when the workload does not even come to its end without a cut. */
export async function proveDurability(options: DurabilityOptions): Promise<DurabilityReport> {
  const steps: number[] = [];
  let cuts = 0;
  let flushes = 0;
  let transactions = 0;
  for (let seed = options.seed; cuts < options.cuts; seed++) {
    const total = await countSteps(options, seed);
    steps.push(total);
    for (let step = 0; step <= total && cuts < options.cuts; step++) {
      const { loss, workload } = await cutAt(options, seed, step);
      cuts++;
      flushes += workload.flushes;
      transactions += workload.acknowledged;
      if (loss !== null) return { cuts, seeds: steps.length, steps, flushes, transactions, loss };
      options.onProgress?.(cuts);
    }
  }
  return { cuts, seeds: steps.length, steps, flushes, transactions, loss: null };
}

function newWorkload(options: DurabilityOptions, bench: DurabilityBench, seed: number): JournalWorkload {
  return new JournalWorkload(bench.port, new Random(seed).fork("workload"), options.transactions ?? 8);
}

async function countSteps(options: DurabilityOptions, seed: number): Promise<number> {
  const bench = await options.makeBench(seed);
  const workload = newWorkload(options, bench, seed);
  let taken = -1;
  workload.start();
  await bench.run(() => {
    taken++;
    return workload.isDone;
  });
  if (workload.failure !== null) throw new Error(`the workload failed without a cut: ${workload.failure}`);
  if (!workload.isDone) throw new Error("the workload did not come to its end: a request never completed");
  return taken;
}

async function cutAt(
  options: DurabilityOptions,
  seed: number,
  step: number,
): Promise<{ loss: DurabilityLoss | null; workload: JournalWorkload }> {
  const bench = await options.makeBench(seed);
  const workload = newWorkload(options, bench, seed);
  let taken = 0;
  workload.start();
  await bench.run(() => taken++ >= step || workload.isDone);
  const { acknowledged } = workload;
  const story = bench.ledger();
  const port = await bench.cutPower();
  const image = await readBack(port, bench);
  const { blockBytes } = port.geometry;
  const read = (sector: number) => image.subarray(sector * blockBytes, (sector + 1) * blockBytes);
  const lost = workload.firstLoss(read);
  const recovered = workload.recover(read);
  if (lost === null && recovered >= acknowledged) return { loss: null, workload };
  // A mount that finds too little has lost a sector that was promised; should the books not know which, say so.
  const sector = lost ?? { sector: -1, promised: 0, found: 0, promise: "the journal as a whole" };
  return { loss: { ...sector, seed, step, acknowledged, recovered, ledger: story }, workload };
}

/** All that the workload may have touched, in requests that any disk takes. */
async function readBack(port: BlockPort, bench: DurabilityBench): Promise<Uint8Array> {
  const { blockBytes, maximumBlocks } = port.geometry;
  const image = new Uint8Array(workloadBlocks * blockBytes);
  let pending = 0;
  let problem: string | null = null;
  port.connect({
    completed: (_slot, status) => {
      pending--;
      if (status !== BlockStatus.ok) problem ??= `reading back ended with status ${status}`;
    },
    detached: () => {
      problem ??= "the disk left while it was read back";
    },
  });
  for (let block = 0; block < workloadBlocks; ) {
    const blocks = Math.min(maximumBlocks, workloadBlocks - block);
    const submitted = port.read(0, block, blocks, image, block * blockBytes);
    if (submitted !== BlockSubmit.accepted) throw new Error(`reading back was refused with ${submitted}`);
    pending++;
    await bench.run(() => pending === 0);
    if (problem !== null || pending > 0) throw new Error(problem ?? "reading back never completed");
    block += blocks;
  }
  return image;
}

/** The report for people: one line when all was kept, else where to look. */
export function formatDurability(report: DurabilityReport): string {
  const { cuts, flushes, loss, seeds, steps, transactions } = report;
  const head = `${cuts} power cuts over ${seeds} seed${seeds === 1 ? "" : "s"} (${steps[0]} steps and more each), ${flushes} acknowledged flushes and ${transactions} transactions put to the test`;
  if (loss === null) return `${head}: none was lost\n`;
  const found = loss.found === 0 ? "nothing of the workload" : `write ${loss.found}`;
  const lines = [
    `${head}: one was lost`,
    `  sector    ${loss.sector}: write ${loss.promised} was promised durable by ${loss.promise}, after the cut it held ${found}`,
    `  cut       seed ${loss.seed}, step ${loss.step}`,
    `  journal   ${loss.acknowledged} transactions acknowledged, ${loss.recovered} recovered`,
  ];
  if (loss.ledger === null) lines.push("  layer     unknown: nobody on this disk's way keeps a flush ledger");
  else {
    lines.push(`  layer     ${loss.ledger.guilty ?? "below the host: every flush went down to the target"}`);
    for (const line of loss.ledger.lines) lines.push(`            ${line}`);
  }
  return `${lines.join("\n")}\n`;
}
