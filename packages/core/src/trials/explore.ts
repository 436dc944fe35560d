// The explorer: a rig's scenario with the cable pulled at every step, stopped and gone on with (F01).

import { type RigEntry, rigCatalogue } from "../rigs/catalogue.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { runHidScenario } from "./hid-campaign.ts";
import { runNvmeScenario } from "./nvme-campaign.ts";
import { runScenario, type ScenarioResult } from "./scenario.ts";
import { runSerialScenario } from "./serial-campaign.ts";
import { runStorageScenario } from "./storage-campaign.ts";

/** A rig that can be explored: by name, with what its scenario does. */
export interface Explorable {
  readonly name: string;
  readonly summary: string;
  run(seed: number, turn: HostTurn, unplugAtStep: number): Promise<ScenarioResult>;
}

/** Scenarios that use what comes up; every other rig of the catalogue comes up and is pulled. */
const scenarios: readonly Explorable[] = [
  {
    name: "serial",
    summary: "open a port, send, hear the echo",
    run: (seed, turn, unplugAtStep) => runSerialScenario({ seed, turn, unplugAtStep, device: "ftdi" }),
  },
  {
    name: "hid",
    summary: "a keyboard is used",
    run: (seed, turn, unplugAtStep) => runHidScenario({ seed, turn, unplugAtStep, device: "keyboard" }),
  },
  {
    name: "storage",
    summary: "a USB disk: write, flush, read back",
    run: (seed, turn, unplugAtStep) => runStorageScenario({ seed, turn, unplugAtStep }),
  },
  {
    name: "nvme",
    summary: "a disk behind PCI: write, flush, read back",
    run: (seed, turn, unplugAtStep) => runNvmeScenario({ seed, turn, unplugAtStep }),
  },
];

/** Nothing of a device may be there any more when its cable is out. */
const deviceEntries = /^IO(USBHost|PCIDevice|Media|SCSI|HID|Serial|UserSerial|UserUSB|UserBlock)/;
/** How long a rig has to come up, virtual nanoseconds. */
const comeUpNs = 3e9;

function comesUp(entry: RigEntry): Explorable {
  return {
    name: entry.name,
    summary: `${entry.summary}: comes up`,
    run: (seed, turn, unplugAtStep) => {
      const rig = entry.build({ seed, turn });
      const { scheduler } = rig.machine;
      return runScenario(
        {
          rig,
          stepLimit: 1_000_000,
          mustLeave: deviceEntries,
          play: async () => {
            await scheduler.run(scheduler.nowNs() + comeUpNs);
            return rig.ports.length + rig.media.length + rig.inputCount > 0 ? "came up" : "not up";
          },
          unplug: () => {
            for (let connector = 1; connector <= entry.devices.length; connector++) rig.unplug(connector);
          },
          digest: () => rig.digest(),
        },
        unplugAtStep,
      );
    },
  };
}

export const explorables: readonly Explorable[] = [
  ...scenarios,
  ...rigCatalogue.filter(({ name }) => !scenarios.some((known) => known.name === name)).map(comesUp),
];

const format = "drydock explore";
const version = 1;
/** Kept in full; the rest is counted. */
const failuresMaximum = 1000;

/** Where an exploration stands: a JSON document, good for going on with. */
export interface ExploreState {
  readonly format: string;
  readonly version: number;
  readonly rig: string;
  readonly seed: number;
  /** Steps of the undisturbed run, and its digest: another program's state has another one. */
  readonly steps: number;
  readonly digest: string;
  /** The next step to try. */
  readonly next: number;
  readonly outcomes: Readonly<Record<string, number>>;
  readonly failed: number;
  readonly failures: readonly { readonly step: number; readonly problems: readonly string[] }[];
}

/** Why a state is not taken; null: it is one of ours and of this version. */
export function refuseState(value: unknown, rig: string, seed: number): string | null {
  if (typeof value !== "object" || value === null) return "it is no state of an exploration";
  const state = value as Partial<ExploreState>;
  if (state.format !== format) return "it is no state of an exploration";
  if (typeof state.version !== "number" || state.version > version)
    return `it was written by a newer version (${String(state.version)}, this one knows ${version}); begin anew, or use that version`;
  if (state.rig !== rig || state.seed !== seed)
    return `it belongs to rig ${String(state.rig)} with seed ${String(state.seed)}`;
  const isWhole =
    Number.isSafeInteger(state.steps) &&
    Number.isSafeInteger(state.next) &&
    typeof state.digest === "string" &&
    Array.isArray(state.failures) &&
    typeof state.outcomes === "object";
  return isWhole ? null : "parts of it are missing";
}

export interface ExploreOptions {
  readonly entry: Explorable;
  readonly seed: number;
  readonly turn: HostTurn;
  /** From an earlier run; `refuseState` has let it pass. */
  readonly state?: ExploreState;
  /** Steps tried this time at most. */
  readonly most?: number;
  readonly onProgress?: (state: ExploreState) => void;
  /** Asked after each step. */
  readonly isStopped?: () => boolean;
}

/** Tries step after step. Throws RangeError when the scenario is not the state's any more: the program has changed. */
export async function explore(options: ExploreOptions): Promise<ExploreState> {
  const { entry, seed, turn } = options;
  const undisturbed = await entry.run(seed, turn, 0);
  let state: ExploreState = options.state ?? {
    format,
    version,
    rig: entry.name,
    seed,
    steps: undisturbed.steps,
    digest: undisturbed.digest,
    next: 1,
    outcomes: {},
    failed: 0,
    failures: [],
  };
  if (state.digest !== undisturbed.digest)
    throw new RangeError("the scenario runs otherwise than when this state was written; begin anew");
  const last = Math.min(state.steps, state.next - 1 + (options.most ?? state.steps));
  while (state.next <= last && options.isStopped?.() !== true) {
    const step = state.next;
    const result = await entry.run(seed, turn, step);
    const hasFailed = result.problems.length > 0;
    state = {
      ...state,
      next: step + 1,
      outcomes: { ...state.outcomes, [result.outcome]: (state.outcomes[result.outcome] ?? 0) + 1 },
      failed: state.failed + (hasFailed ? 1 : 0),
      failures:
        hasFailed && state.failures.length < failuresMaximum
          ? [...state.failures, { step, problems: result.problems }]
          : state.failures,
    };
    options.onProgress?.(state);
  }
  return state;
}

export function isExplored(state: ExploreState): boolean {
  return state.next > state.steps;
}

/** For people: what was found, and the line that shows the first finding again. */
export function formatExploration(state: ExploreState): string {
  const explored = state.next - 1;
  const lines = [
    `${state.rig}, seed ${state.seed}: ${explored} of ${state.steps} steps explored`,
    ...Object.entries(state.outcomes).map(([outcome, count]) => `  ${count} x ${outcome}`),
  ];
  if (state.failed === 0) lines.push("nothing was left behind, nothing panicked");
  for (const { step, problems } of state.failures.slice(0, 10))
    lines.push(`step ${step}: ${problems.join("; ")}`);
  if (state.failed > 10) lines.push(`and ${state.failed - 10} more`);
  const [first] = state.failures;
  if (first !== undefined)
    lines.push(`again: drydock explore ${state.rig} --seed ${state.seed} --at ${first.step}`);
  return `${lines.join("\n")}\n`;
}
