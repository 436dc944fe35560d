// The thread in which a dext of somebody's runs: it can be ended from outside, whatever the dext does.

import { parentPort } from "node:worker_threads";
import type { Properties } from "@drydock/core/platform/properties";
import { findRig } from "@drydock/core/rigs/catalogue";
import { type DextDescription, type DextOptions, LoadedDext } from "@drydock/dext/host/dext-bundle";
import { type CoveredFile, DextCoverage } from "@drydock/dext/host/dext-coverage";
import { DextImage } from "@drydock/dext/host/dext-image";
import { askedRig, catalogueRig } from "@drydock/dext/run/dext-rig";
import { type DextRunResult, runDext, tryUserClients } from "@drydock/dext/run/dext-run";
import { type TrialReport, tryDext } from "@drydock/dext/run/dext-trials";
import { caseText, type FuzzFeed, readCase } from "@drydock/dext/run/fuzz-input";
import { type FuzzReport, fuzzDext, replayCase } from "@drydock/dext/run/fuzz-search";
import { type PortUse, useSerialPorts } from "@drydock/dext/run/serial-use";
import { hostTurn } from "@drydock/node/host-turn";
import { isRigFile, loadRigFile } from "./rig-file.ts";

export interface DextJob {
  readonly kind: "run" | "test" | "fuzz";
  readonly module: Uint8Array<ArrayBuffer>;
  readonly info: Properties;
  readonly entitlements: Properties;
  readonly rig: string | null;
  readonly seed: number;
  readonly settleNs: number;
  readonly most: number;
  readonly noJspi: boolean;
  /** Of a build that counts: whose lines are told; null: none. */
  readonly counted: { readonly folder: string; readonly files: readonly string[] } | null;
  /** Of a fuzz: what is fed, how much of each, or the line that is replayed. */
  readonly fuzz?: {
    readonly feeds: readonly FuzzFeed[];
    readonly inputs: number;
    readonly replay: string | null;
  };
  /** Which function of the dext runs now, for whoever has to end it. */
  readonly watch: Int32Array<SharedArrayBuffer>;
}

export type DextThreadMessage =
  | { readonly kind: "functions"; readonly names: readonly (readonly [number, string])[] }
  | { readonly kind: "progress"; readonly text: string }
  | {
      readonly kind: "run";
      readonly result: DextRunResult;
      readonly devices: readonly string[];
      readonly ports: readonly PortUse[];
      readonly covered: readonly CoveredFile[] | null;
    }
  | { readonly kind: "fuzz"; readonly reports: readonly ToldFuzz[]; readonly replayed: readonly string[] }
  | {
      readonly kind: "test";
      readonly report: TrialReport;
      readonly devices: readonly string[];
      readonly covered: readonly CoveredFile[] | null;
    };

/** A report whose findings carry their lines. */
export interface ToldFuzz extends Omit<FuzzReport, "findings"> {
  readonly findings: readonly { readonly what: string; readonly line: string; readonly again: number }[];
}

type Tell = (message: DextThreadMessage) => void;

function suspended({ noJspi }: DextJob): Pick<DextOptions, "suspends"> {
  return noJspi ? { suspends: "threads" } : {};
}

function isCounted({ counted }: DextJob, path: string): boolean {
  return counted !== null && (counted.files.includes(path) || path.startsWith(`${counted.folder}/`));
}

/** Does a job in the thread that calls it, and tells what comes of it. `stop`: called when all is loaded and nothing has run. */
export async function doJob(job: DextJob, tell: Tell, stop: () => void = () => {}): Promise<void> {
  const description = { image: new DextImage(job.module), info: job.info, entitlements: job.entitlements };
  const entry = job.rig === null ? null : isRigFile(job.rig) ? await loadRigFile(job.rig) : findRig(job.rig);
  if (job.fuzz !== undefined) return fuzz(job, job.fuzz, description, tell);
  if (entry === null && job.rig !== null) throw new RangeError(`there is no rig ${job.rig}`);
  let devices: readonly string[] = [];
  const makeRig: Parameters<typeof runDext>[1] = (dext) => {
    tell({ kind: "functions", names: dext.functionNames });
    const options = { seed: job.seed, turn: hostTurn };
    const rig = entry === null ? askedRig(dext.bundle, options) : catalogueRig(entry, dext.bundle, options);
    ({ devices } = rig);
    stop();
    return rig;
  };
  const identifier = String(job.info.CFBundleIdentifier ?? "");
  const coverage = job.counted === null ? null : new DextCoverage(description.image);
  const options = {
    settleNs: job.settleNs,
    watch: job.watch,
    tracesObjects: true,
    ...suspended(job),
    ...(coverage === null ? {} : { coverage }),
  };
  const covered = () => coverage?.files((path) => isCounted(job, path)) ?? null;
  if (job.kind === "run") {
    let ports: readonly PortUse[] = [];
    const result = await runDext(description, makeRig, {
      ...options,
      use: async (rig) => {
        ports = await useSerialPorts(rig);
      },
    });
    tell({ kind: "run", result, devices, ports, covered: covered() });
  } else {
    const report = await tryDext(description, makeRig, {
      ...options,
      most: job.most,
      use: async (rig) => {
        await tryUserClients(rig, identifier);
        await useSerialPorts(rig);
      },
      onRun: (what, done, all) => tell({ kind: "progress", text: `${what}: ${done} of ${all}` }),
    });
    tell({ kind: "test", report, devices, covered: covered() });
  }
}

async function fuzz(
  { noJspi, seed, watch }: DextJob,
  { feeds, inputs, replay }: NonNullable<DextJob["fuzz"]>,
  description: DextDescription,
  tell: Tell,
): Promise<void> {
  tell({ kind: "functions", names: new LoadedDext(description).functionNames });
  const load = { watch, ...(noJspi ? { suspends: "threads" as const } : {}) };
  const options = { description, load, turn: hostTurn };
  if (replay !== null) {
    tell({ kind: "fuzz", reports: [], replayed: await replayCase(readCase(replay), options) });
    return;
  }
  const reports: ToldFuzz[] = [];
  for (const feed of feeds) {
    const onProgress = (fed: number) => tell({ kind: "progress", text: `${fed} of ${inputs} ${feed}` });
    const report = await fuzzDext({ ...options, feed, inputs, seed, onProgress });
    const findings = report.findings.map(({ again, shrunk, what }) => ({
      again,
      what,
      line: caseText(shrunk),
    }));
    reports.push({ ...report, findings });
  }
  tell({ kind: "fuzz", reports, replayed: [] });
}

const port = parentPort;
port?.on("message", (job: DextJob) => void doJob(job, (message) => port.postMessage(message)));
