// The soak: virtual hours of work on any rig, with plug cycles, and the failing schedule shrunk (posts.md F03).

import { Random } from "../base/random.ts";
import type { BuiltRig, RigEntry } from "../rigs/catalogue.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { misuseMark } from "./scenario.ts";
import { type SoakAction, type SoakLoad, soakLoad, soakMix, soakPlaces } from "./soak-loads.ts";

/** What a soak is drawn from; with the seed it says everything. */
export interface SoakPlan {
  readonly seed: number;
  readonly hours: number;
  /** Actions in each virtual hour. */
  readonly perHour: number;
  /** A plug cycle in place of every so many actions; 0: none. */
  readonly plugEvery: number;
  /** The devices lose what they are given after so many virtual hours: the fault that a soak must find. */
  readonly loseWritesAfter?: number;
  /** Of the drawn actions only these, by their number from 0: what a shrunk schedule has left. */
  readonly only?: readonly number[];
}

export interface SoakOptions {
  readonly entry: RigEntry;
  readonly seed: number;
  readonly turn: HostTurn;
  readonly actions: readonly SoakAction[];
  readonly forgetsFromNs?: number;
  readonly onProgress?: (done: number) => void;
  /** Asked now and then: ends it before its time, without a problem. */
  readonly isStopped?: () => boolean;
}

export interface SoakResult {
  readonly done: number;
  readonly plugs: number;
  readonly virtualNs: number;
  readonly steps: number;
  /** What went wrong first; null: nothing. */
  readonly problem: string | null;
  readonly digest: string;
}

const startNs = 1e9;
/** How long a rig may take to come up, and to let go of what was pulled out. */
const settleNs = 60e9;
const progressEvery = 1000;
const misusesTold = 3;

/** The schedule of a plan, whole or with what `only` left of it. */
export function drawSoak(entry: RigEntry, plan: SoakPlan): SoakAction[] {
  const { hours, perHour, plugEvery, only } = plan;
  const random = new Random(plan.seed).fork("soak");
  const mix = soakMix(entry);
  const count = Math.round(hours * perHour);
  const spacingNs = 3600e9 / perHour;
  const actions = Array.from({ length: count }, (_, index): SoakAction => {
    const atNs = Math.round(
      startNs + index * spacingNs + random.below(Math.max(1, Math.floor(spacingNs / 2))),
    );
    const isPlug = plugEvery > 0 && index % plugEvery === plugEvery - 1;
    const kind = isPlug ? "plug" : mix[random.below(mix.length)];
    return { atNs, kind, place: random.below(soakPlaces), fill: 1 + random.below(255) };
  });
  return only === undefined ? actions : only.filter((at) => at < count).map((at) => actions[at]);
}

/** Options of a plan's soak. */
export function soakOptions(entry: RigEntry, plan: SoakPlan, turn: HostTurn): SoakOptions {
  const { seed, loseWritesAfter } = plan;
  return {
    entry,
    seed,
    turn,
    actions: drawSoak(entry, plan),
    ...(loseWritesAfter === undefined ? {} : { forgetsFromNs: loseWritesAfter * 3600e9 }),
  };
}

/** Plays a schedule on a fresh rig. Ends at the first problem. */
export async function soak(options: SoakOptions): Promise<SoakResult> {
  const { entry, seed, turn, forgetsFromNs } = options;
  const rig = entry.build({
    seed,
    turn,
    trace: false,
    // Odd seeds: queues as short as they may be; even ones: as the devices come.
    isTight: seed % 2 === 1,
    ...(forgetsFromNs === undefined ? {} : { forgetsFromNs }),
  });
  const player = new SoakPlayer(rig, options);
  await player.play();
  const { scheduler } = rig.machine;
  return {
    done: player.done,
    plugs: player.plugs,
    virtualNs: scheduler.nowNs(),
    steps: scheduler.steps,
    problem: player.problem,
    digest: rig.digest(),
  };
}

/** What must be the same each time the devices have come up, or have left, or a plug cycle leaks. */
interface Census {
  readonly mappings: number;
  readonly entries: number;
  readonly threads: number;
}

class SoakPlayer {
  done = 0;
  plugs = 0;
  problem: string | null = null;
  readonly #rig: BuiltRig;
  readonly #options: SoakOptions;
  readonly #load: SoakLoad;
  #isBusy = false;
  #first: Census | null = null;
  #without: Census | null = null;

  constructor(rig: BuiltRig, options: SoakOptions) {
    this.#rig = rig;
    this.#options = options;
    this.#load = soakLoad(options.entry, rig);
  }

  async play(): Promise<void> {
    const { actions, isStopped } = this.#options;
    await this.#comeUp();
    let at = 0;
    while (at < actions.length && this.problem === null && isStopped?.() !== true) {
      if (actions[at].kind !== "plug") at = await this.#work(at);
      else await this.#plug(actions[at++]);
    }
    if (this.problem === null) this.#look("at the end");
  }

  async #comeUp(): Promise<void> {
    const { scheduler } = this.#rig.machine;
    await scheduler.run(scheduler.nowNs() + settleNs, () => this.#load.isUp);
    if (!this.#load.isUp) {
      this.#fail(["the rig does not come up", ...this.#rig.failures()].join(": "));
      return;
    }
    // What comes up beside it takes its time, too.
    await scheduler.run(scheduler.nowNs() + startNs);
    this.#load.connect();
    this.#first ??= this.#census();
    this.#compare("when it is plugged in", this.#first);
  }

  /** Plays actions from `from` on until a plug cycle or the end, without a turn of the host between them. */
  async #work(from: number): Promise<number> {
    const { actions, onProgress, isStopped } = this.#options;
    const { scheduler } = this.#rig.machine;
    let at = from;
    let isStopping = false;
    const isOver = (): boolean =>
      this.problem !== null ||
      (!this.#isBusy && (isStopping || actions[at] === undefined || actions[at].kind === "plug"));
    const next = (): void => {
      if (isOver()) return;
      this.#isBusy = true;
      scheduler.after(Math.max(0, actions[at].atNs - scheduler.nowNs()), begin, actions[at]);
    };
    const begin = (action: SoakAction): void => this.#load.begin(action, ended);
    const ended = (problem: string | null): void => {
      this.#isBusy = false;
      if (problem !== null) {
        this.#fail(problem);
        return;
      }
      at++;
      this.done++;
      if (this.done % progressEvery === 0) {
        onProgress?.(this.done);
        isStopping = isStopped?.() === true;
      }
      next();
    };
    next();
    await scheduler.run(Number.POSITIVE_INFINITY, isOver);
    if (this.problem === null) this.#look("at work");
    if (!isOver()) this.#fail("an action never ended");
    return at;
  }

  /** Every device is pulled with work under way, and put in again. */
  async #plug(action: SoakAction): Promise<void> {
    const { entry } = this.#options;
    const { scheduler } = this.#rig.machine;
    await scheduler.run(Math.max(action.atNs, scheduler.nowNs()));
    this.#load.leaveWork(action);
    // Somewhere inside of that work.
    await scheduler.run(scheduler.nowNs() + action.fill * 1000);
    for (let connector = 1; connector <= entry.devices.length; connector++) this.#rig.unplug(connector);
    await scheduler.run(scheduler.nowNs() + settleNs);
    this.#look("after an unplug");
    const { mappings } = this.#census();
    if (mappings > 0) this.#fail(`${mappings} mappings are left after an unplug`);
    this.#without ??= this.#census();
    this.#compare("when it is unplugged", this.#without);
    if (this.problem !== null) return;
    for (let connector = 1; connector <= entry.devices.length; connector++) this.#rig.plug(connector);
    await this.#comeUp();
    this.plugs++;
    this.done++;
  }

  #census(): Census {
    const { machine, pci } = this.#rig;
    return {
      mappings: pci?.iommu.mappings.size ?? 0,
      entries: machine.registry.entries().length,
      // Queues get their threads at their first use: while the devices are there their number says nothing.
      threads:
        (pci?.bus.isOccupied(1) ?? this.#rig.usb?.bus.isOccupied(1)) ? 0 : machine.scheduler.liveThreads,
    };
  }

  #compare(when: string, first: Census): void {
    const now = this.#census();
    for (const what of ["mappings", "entries", "threads"] as const)
      if (now[what] !== first[what])
        this.#fail(
          `${now[what]} ${what} ${when} after ${this.plugs + 1} plug cycles, ${first[what]} at first`,
        );
  }

  #look(when: string): void {
    const { failure, crashes, misuses } = this.#rig.machine;
    if (failure !== null) this.#fail(`${when}: ${failure.text}`);
    else if (crashes.length > 0) this.#fail(`${when}: ${crashes[0].process} crashed: ${crashes[0].text}`);
    // Devices that lose what they are given on purpose know no better.
    else if (misuses.length > 0) this.#fail(`${when}: ${misuseMark}${misuses[0]}`);
  }

  /** What the devices say of their drivers is often why. */
  #fail(text: string): void {
    if (this.problem !== null) return;
    const said = this.#rig.machine.misuses.slice(0, misusesTold).map((misuse) => `${misuseMark}${misuse}`);
    this.problem = [text, ...said.filter((each) => !text.includes(each))].join("; ");
  }
}

/** The shortest part of a failing plan that still fails, by the numbers of its actions; found by leaving pieces out. */
export async function shrinkSoak(
  entry: RigEntry,
  plan: SoakPlan,
  turn: HostTurn,
  onTry?: (tries: number, left: number) => void,
): Promise<readonly number[]> {
  let tries = 0;
  const play = (only?: readonly number[]): Promise<SoakResult> => {
    onTry?.(++tries, only?.length ?? 0);
    return soak(soakOptions(entry, only === undefined ? plan : { ...plan, only }, turn));
  };
  const fails = async (only: readonly number[]): Promise<boolean> => (await play(only)).problem !== null;
  const all = plan.only ?? Array.from({ length: Math.round(plan.hours * plan.perHour) }, (_, index) => index);
  // What comes after the failure never mattered.
  let left = all.slice(0, (await play()).done + 1);
  let pieces = 2;
  while (left.length > 1 && pieces <= left.length) {
    const size = Math.ceil(left.length / pieces);
    let isShorter = false;
    // The failure is at the end: the beginning is what can most likely be left out.
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
  return result.problem === null ? `${line}; nothing lost, nothing leaked` : `${line}; ${result.problem}`;
}
