// The soak: virtual hours of NVMe I/O with plug cycles, and the failing schedule shrunk (posts.md F03).

import { Random } from "../base/random.ts";
import type { NvmeMischief } from "../devices/nvme/nvme-mischief.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import { defaultNvmeRig, type NvmeRig } from "../rigs/nvme-rig.ts";
import { pciDigest } from "../rigs/pci-rig.ts";
import type { HostTurn } from "../runtime/scheduler.ts";

/** One thing that happens, at its own virtual time. */
export interface SoakAction {
  readonly atNs: number;
  readonly kind: "write" | "read" | "flush" | "plug";
  readonly block: number;
  /** What a write fills its blocks with. */
  readonly fill: number;
}

export interface SoakOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly actions: readonly SoakAction[];
  /** The device loses every write that begins after this time: the fault that a soak must find. */
  readonly losesWritesAfterNs?: number;
  readonly mischief?: readonly NvmeMischief[];
  readonly onProgress?: (done: number) => void;
}

export interface SoakResult {
  readonly done: number;
  readonly plugs: number;
  readonly interrupts: number;
  readonly virtualNs: number;
  readonly steps: number;
  /** What went wrong first; null: nothing. */
  readonly problem: string | null;
  readonly digest: string;
}

const blocksEach = 8;
const areas = 64;
const startNs = 1e9;

/** A schedule from a seed: `perHour` requests in every virtual hour, and a plug cycle every `plugEvery` of them (0: none). */
export function drawSoak(seed: number, hours: number, perHour: number, plugEvery = 0): SoakAction[] {
  const random = new Random(seed).fork("soak");
  const count = Math.round(hours * perHour);
  const spacingNs = 3600e9 / perHour;
  return Array.from({ length: count }, (_, index) => {
    const atNs = Math.round(startNs + index * spacingNs + random.below(Math.floor(spacingNs / 2)));
    const kind =
      plugEvery > 0 && index % plugEvery === plugEvery - 1
        ? "plug"
        : random.chance(0.5)
          ? "write"
          : random.chance(0.9)
            ? "read"
            : "flush";
    return { atNs, kind, block: random.below(areas) * blocksEach, fill: 1 + random.below(255) };
  });
}

/** Plays a schedule on a fresh rig. Ends at the first problem. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const rig = defaultNvmeRig(options.seed, options.turn, {
    trace: false,
    device: { ...(options.mischief === undefined ? {} : { mischief: options.mischief }) },
  });
  const player = new SoakPlayer(rig, options);
  await player.play();
  const { machine } = rig;
  return {
    done: player.done,
    plugs: player.plugs,
    interrupts: player.interrupts,
    virtualNs: machine.scheduler.nowNs(),
    steps: machine.scheduler.steps,
    problem: player.problem,
    digest: pciDigest(rig),
  };
}

class SoakPlayer {
  done = 0;
  plugs = 0;
  problem: string | null = null;
  interrupts = 0;
  readonly #rig: NvmeRig;
  readonly #options: SoakOptions;
  readonly #held = new Uint8Array(areas);
  readonly #buffer: Uint8Array;
  #media: IOMedia | null = null;
  #current: SoakAction | null = null;
  #mappings = 0;

  constructor(rig: NvmeRig, options: SoakOptions) {
    this.#rig = rig;
    this.#options = options;
    this.#buffer = new Uint8Array(blocksEach * 512);
  }

  async play(): Promise<void> {
    const { actions } = this.#options;
    const { scheduler } = this.#rig.machine;
    await this.#open();
    let at = 0;
    while (at < actions.length && this.problem === null) {
      if (actions[at].kind === "plug") {
        await scheduler.run(Math.max(actions[at].atNs, scheduler.nowNs()));
        await this.#plug();
        at++;
        continue;
      }
      // A run of requests needs no turn of the host between them.
      at = await this.#requests(at);
    }
    if (this.problem === null) this.#look("at the end");
  }

  async #open(): Promise<void> {
    this.#media = await this.#rig.openMedia();
    const { losesWritesAfterNs } = this.#options;
    const [disk] = this.#rig.device.disks;
    if (losesWritesAfterNs !== undefined) {
      const { scheduler } = this.#rig.machine;
      const write = disk.write.bind(disk);
      disk.write = (...args: Parameters<typeof write>) => {
        if (scheduler.nowNs() < losesWritesAfterNs) write(...args);
      };
    }
    this.#connect();
    this.#mappings = this.#rig.pci.iommu.mappings.size;
  }

  #connect(): void {
    this.#media?.connect({
      completed: (_slot, status) => this.#completed(status),
      detached: () => {},
    });
  }

  /** Plays requests from `from` on until a plug cycle or the end; answers where it stopped. */
  async #requests(from: number): Promise<number> {
    const { actions } = this.#options;
    const { scheduler } = this.#rig.machine;
    let at = from;
    const next = (): void => {
      const action = actions[at];
      if (action === undefined || action.kind === "plug" || this.problem !== null) return;
      scheduler.after(Math.max(0, action.atNs - scheduler.nowNs()), begin, action);
    };
    const begin = (action: SoakAction): void => {
      this.#current = action;
      this.#begin(action);
    };
    this.#onDone = () => {
      at++;
      this.done++;
      if (this.done % 1000 === 0) this.#options.onProgress?.(this.done);
      next();
    };
    next();
    const isOver = (): boolean =>
      this.problem !== null ||
      (this.#current === null && (actions[at] === undefined || actions[at].kind === "plug"));
    await scheduler.run(Number.POSITIVE_INFINITY, isOver);
    const { failure } = this.#rig.machine;
    if (failure !== null && this.problem === null) this.problem = failure.text;
    if (!isOver() && this.problem === null) this.problem = "a request never completed";
    return at;
  }

  #onDone: () => void = () => {};

  #begin(action: SoakAction): void {
    const media = this.#media as IOMedia;
    const area = action.block / blocksEach;
    let submitted: BlockSubmit;
    if (action.kind === "write") {
      this.#buffer.fill(action.fill);
      this.#held[area] = action.fill;
      submitted = media.write(0, action.block, blocksEach, this.#buffer, 0, false);
    } else if (action.kind === "read") {
      this.#buffer.fill(0xee);
      submitted = media.read(0, action.block, blocksEach, this.#buffer, 0);
    } else submitted = media.flush(0);
    if (submitted !== BlockSubmit.accepted) this.#fail(`${action.kind} was refused`);
  }

  #completed(status: BlockStatus): void {
    const action = this.#current;
    if (action === null) return;
    this.#current = null;
    this.interrupts++;
    if (status !== BlockStatus.ok)
      this.#fail(`${action.kind} of block ${action.block} ended with status ${status}`);
    else if (action.kind === "read") {
      const held = this.#held[action.block / blocksEach];
      if (held !== 0 && this.#buffer.some((byte) => byte !== held))
        this.#fail(
          `block ${action.block} reads 0x${this.#buffer[0].toString(16)}, 0x${held.toString(16)} was written`,
        );
    }
    this.#onDone();
  }

  async #plug(): Promise<void> {
    const { machine, pci, device } = this.#rig;
    const { scheduler } = machine;
    // Pulled with a request under way; what was not flushed may be gone, so the books begin anew.
    this.#current = null;
    this.#media?.write(0, 0, blocksEach, this.#buffer, 0, false);
    pci.bus.unplug(1);
    await scheduler.run(
      scheduler.nowNs() + 30e9,
      () => this.#rig.media.length === 0 && this.#rig.driver === null,
    );
    if (pci.iommu.mappings.size > 0)
      this.#fail(`${pci.iommu.mappings.size} mappings are left after an unplug`);
    this.#look("after an unplug");
    this.#held.fill(0);
    this.plugs++;
    this.done++;
    if (this.problem !== null) return;
    pci.bus.plugIn(device, 1);
    this.#media = await this.#rig.openMedia();
    this.#connect();
    if (pci.iommu.mappings.size !== this.#mappings)
      this.#fail(
        `${pci.iommu.mappings.size} mappings after plug cycle ${this.plugs}, ${this.#mappings} at first`,
      );
  }

  #look(when: string): void {
    const { failure, crashes } = this.#rig.machine;
    if (failure !== null) this.#fail(`${when}: ${failure.text}`);
    else if (crashes.length > 0) this.#fail(`${when}: ${crashes[0].process} crashed: ${crashes[0].text}`);
  }

  #fail(text: string): void {
    this.problem ??= text;
  }
}

/** The shortest part of a failing schedule that still fails the same way, found by leaving pieces out. */
export async function shrinkSoak(
  options: SoakOptions,
  onTry?: (tries: number, left: number) => void,
): Promise<readonly SoakAction[]> {
  let left = options.actions;
  let tries = 0;
  const fails = async (actions: readonly SoakAction[]): Promise<boolean> => {
    onTry?.(++tries, left.length);
    return (await soak({ ...options, actions, onProgress: () => {} })).problem !== null;
  };
  // What comes after the failure never mattered.
  const first = await soak(options);
  left = left.slice(0, first.done + 1);
  let pieces = 2;
  while (left.length > 1 && pieces <= left.length) {
    const size = Math.ceil(left.length / pieces);
    let isShorter = false;
    for (let start = 0; start < left.length; start += size) {
      const without = [...left.slice(0, start), ...left.slice(start + size)];
      if (without.length === 0 || !(await fails(without))) continue;
      left = without;
      pieces = Math.max(2, pieces - 1);
      isShorter = true;
      break;
    }
    if (!isShorter) {
      if (size === 1) break;
      pieces = Math.min(left.length, pieces * 2);
    }
  }
  return left;
}

export function formatSoak(result: SoakResult): string {
  const hours = (result.virtualNs / 3600e9).toFixed(2);
  const line = `${hours} virtual hours: ${result.done} actions, ${result.plugs} plug cycles, ${result.steps} steps`;
  return result.problem === null ? `${line}; nothing lost, nothing leaked\n` : `${line}; ${result.problem}\n`;
}
