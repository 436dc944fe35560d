// The storage drivers against a device whose answers are wrong on purpose, and what no driver may do (F25).

import { Random } from "../base/random.ts";
import { second } from "../base/units.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { MutatingUsbPort } from "../faults/usb-mutations.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import { defaultStorageRig, type StorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { problemsAfterUnplug } from "./scenario.ts";
import { storageEnd } from "./storage-campaign.ts";

export interface StorageFuzzOptions extends Pick<StorageRigOptions, "device" | "policy" | "bundles"> {
  readonly seed: number;
  readonly turn: HostTurn;
  /** Changed answers after which the life ends. Default 400. */
  readonly answers?: number;
}

export interface StorageFuzzLife {
  /** Answers that were changed. */
  readonly mutations: number;
  /** Times that a disk came up, and requests of its user that ended well. */
  readonly disks: number;
  readonly good: number;
  /** Panics, broken rules, hangs, doubled or lost completions: empty for good drivers. */
  readonly problems: readonly string[];
}

const appearNs = 20 * second;
const settleNs = 600 * second;
/** Scheduler steps per changed answer that no good driver needs. */
const stepsPerAnswer = 2_000;
const depth = 8;
/** Requests to one disk before the cable is pulled. */
const burst = 300;
const cyclesMaximum = 200;

/**
 * One life: a device is plugged in, comes up, is read and written, leaves and comes again, until enough answers were
 * changed. In half of the lives the changes begin with the first descriptor, in the others once a disk is there. What is
 * read may be wrong; nothing else may.
 */
export async function fuzzStorageLife(options: StorageFuzzOptions): Promise<StorageFuzzLife> {
  const { answers = 400, bundles, device, policy, seed, turn } = options;
  const random = new Random(seed).fork("storage fuzz");
  const probability = random.between(2, 40) / 100;
  const fromTheStart = random.chance(0.5);
  const ports: MutatingUsbPort[] = [];
  const rig = defaultStorageRig(seed, turn, {
    ...(device === undefined ? {} : { device }),
    ...(policy === undefined ? {} : { policy }),
    ...(bundles === undefined ? {} : { bundles }),
    timing: "none",
    trace: false,
    middleware: (port) => {
      const mutating = new MutatingUsbPort(port, {
        random: random.fork(`port ${ports.length}`),
        probability,
      });
      mutating.isActive = fromTheStart;
      ports.push(mutating);
      return mutating;
    },
  });
  const { scheduler } = rig.machine;
  const problems: string[] = [];
  const stepLimit = answers * stepsPerAnswer;
  scheduler.onStep = (step) => {
    if (step <= stepLimit || scheduler.isStopped) return;
    problems.push(`still running after ${stepLimit} steps`);
    scheduler.stop();
  };
  const mutations = () => ports.reduce((sum, port) => sum + port.mutations, 0);
  let disks = 0;
  let good = 0;
  for (let cycle = 0; cycle < cyclesMaximum && mutations() < answers && !scheduler.isStopped; cycle++) {
    await scheduler.run(scheduler.nowNs() + appearNs, () => rig.media.length > 0);
    for (const port of ports) port.isActive = true;
    const [media] = rig.media;
    if (media !== undefined && !scheduler.isStopped) {
      disks++;
      good += await use(rig, media, random, problems);
      if (media.isGone) continue;
    }
    rig.usb.bus.unplug(1);
    await scheduler.run(scheduler.nowNs() + second);
    if (!scheduler.isStopped) rig.usb.bus.plugIn(rig.device, 1);
  }
  if (!scheduler.isStopped || rig.machine.failure !== null)
    problems.push(...(await problemsAfterUnplug(storageEnd(rig))));
  return { mutations: mutations(), disks, good, problems };
}

/** Reads, writes and flushes of one block, `depth` at once; answers how many ended well. */
async function use(rig: StorageRig, media: IOMedia, random: Random, problems: string[]): Promise<number> {
  const { scheduler } = rig.machine;
  const { blockBytes, blockCount } = media.geometry;
  const buffers = Array.from({ length: depth }, () => new Uint8Array(blockBytes));
  const isPending = new Uint8Array(depth);
  let left = burst;
  let pending = 0;
  let good = 0;
  const submit = (slot: number): void => {
    if (left <= 0) return;
    left--;
    const block = random.below(blockCount);
    const kind = random.below(8);
    const submitted =
      kind === 0
        ? media.flush(slot)
        : kind < 4
          ? media.write(slot, block, 1, buffers[slot], 0, kind === 1)
          : media.read(slot, block, 1, buffers[slot], 0);
    if (submitted !== BlockSubmit.accepted) return;
    isPending[slot] = 1;
    pending++;
  };
  media.connect({
    completed: (slot, status) => {
      if (isPending[slot] === 0) problems.push(`slot ${slot} completed without a request`);
      isPending[slot] = 0;
      pending--;
      if (status === BlockStatus.ok) good++;
      submit(slot);
    },
    detached: () => {
      if (pending > 0) problems.push("detached with requests under way");
    },
  });
  for (let slot = 0; slot < depth; slot++) submit(slot);
  await scheduler.run(scheduler.nowNs() + settleNs * burst, () => pending === 0);
  if (pending > 0 && !scheduler.isStopped) problems.push(`${pending} requests never completed`);
  return good;
}

export interface StorageFuzzReport {
  readonly answers: number;
  readonly lives: number;
  readonly disks: number;
  readonly good: number;
  /** Each with the seed of its life. */
  readonly problems: readonly string[];
}

/** The transports in turn: Bulk-Only, UAS without streams, UAS with streams. */
const variants: readonly Pick<StorageFuzzOptions, "device" | "policy">[] = [
  { policy: "bulk-only" },
  { policy: "uas" },
  { device: { speed: UsbSpeed.super }, policy: "uas" },
];

/** What the life of a seed runs on. */
function fuzzVariant(seed: number): Pick<StorageFuzzOptions, "device" | "policy"> {
  return variants[seed % variants.length];
}

/** Lives from `seed` on until `answers` were changed, or until ten lives had problems. */
export async function fuzzStorage(options: {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly answers: number;
  readonly onLife?: (answers: number) => void;
}): Promise<StorageFuzzReport> {
  const problems: string[] = [];
  let [answers, lives, disks, good] = [0, 0, 0, 0];
  while (answers < options.answers && problems.length < 10) {
    const seed = options.seed + lives;
    const life = await fuzzStorageLife({ seed, turn: options.turn, ...fuzzVariant(seed) });
    lives++;
    answers += life.mutations;
    disks += life.disks;
    good += life.good;
    if (life.problems.length > 0) problems.push(`seed ${seed}: ${[...new Set(life.problems)].join("; ")}`);
    options.onLife?.(answers);
  }
  return { answers, lives, disks, good, problems };
}
