// What dext run and dext test begin with: the dext is compiled, and its thread does the job.

import { readFileSync } from "node:fs";
import type { RigEntry } from "@drydock/core/rigs/catalogue";
import type { CoveredFile } from "@drydock/dext/host/dext-coverage";
import type { DextSources } from "@drydock/dext/project/dext-sources";
import { coveragePage, coverageSum, coverageSumText, lcovText } from "@drydock/dext/run/coverage-report";
import type { OutputFile } from "../grammar/output-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import {
  type BuiltForCommand,
  buildDocument,
  buildForCommand,
  type DextPathOptions,
  sayBuild,
} from "./dext-build.ts";
import { debugJob } from "./dext-debug.ts";
import type { DextJob, DextThreadMessage } from "./dext-thread.ts";
import { DextThread } from "./dext-worker.ts";
import { wordOf } from "./rig-file.ts";

export interface DextJobOptions extends DextPathOptions {
  readonly rig?: RigEntry;
  readonly seed: number;
  /** Virtual seconds. */
  readonly for: number;
  /** Real seconds, see `DextThread`. */
  readonly patience: number;
  readonly noJspi: boolean;
  /** In this thread, with Node's inspector open. */
  readonly debug?: boolean;
  readonly json: boolean;
  /** What ran, as lcov's tracefile and as a page. */
  readonly coverage?: OutputFile;
  readonly coveragePage?: OutputFile;
  /** Others follow: a document takes one line. */
  readonly isOneOfMany?: boolean;
}

export type DextAnswer<K extends "run" | "test"> =
  | (Extract<DextThreadMessage, { readonly kind: K }> & Of)
  | ({ readonly kind: "ended"; readonly text: string } & Of);

/** What was compiled. */
interface Of {
  readonly name: string;
  readonly sources: DextSources;
}

/** An exit code, and it is said, when the dext cannot be compiled here. `most` counts the trials of a test. */
export async function doDextJob<K extends "run" | "test">(
  kind: K,
  options: DextJobOptions,
  io: CommandIo,
  most = 0,
): Promise<DextAnswer<K> | ExitCode> {
  const built = await buildForCommand({ ...options, counts: countsIn(options) }, io, false);
  if (built === null) return exitCodes.rigError;
  const thread = new DextThread();
  try {
    return await doBuiltJob(kind, built, thread, options, io, most);
  } finally {
    thread.end();
  }
}

/** As `doDextJob`, for a build that has been made and a thread that is there. */
export async function doBuiltJob<K extends "run" | "test">(
  kind: K,
  built: BuiltForCommand,
  thread: DextThread,
  options: DextJobOptions,
  io: CommandIo,
  most: number,
): Promise<DextAnswer<K> | ExitCode> {
  const { build, sources } = built;
  if (build.module === null) {
    if (options.json) io.document(buildDocument(built), options.isOneOfMany === true ? "line" : "pretty");
    else sayBuild(built, io);
    return exitCodes.finding;
  }
  const job: Omit<DextJob, "watch"> = {
    kind,
    module: build.module,
    info: sources.info,
    entitlements: sources.entitlements,
    rig: options.rig === undefined ? null : wordOf(options.rig),
    seed: options.seed,
    settleNs: options.for * 1e9,
    most,
    noJspi: options.noJspi,
    counted: countsIn(options)
      ? { folder: sources.folder, files: [...sources.interfaces, ...sources.sources] }
      : null,
  };
  const end =
    options.debug === true
      ? await debugJob(job)
      : await thread.run(job, kind === "test" ? (text) => io.progress(text) : () => {}, options.patience);
  if (end.kind !== "ended" && end.kind !== kind) throw new Error(`a ${kind} was answered by a ${end.kind}`);
  if (end.kind !== "ended" && end.covered !== null) writeCoverage(sources.name, end.covered, options, io);
  return { ...end, name: sources.name, sources } as DextAnswer<K>;
}

export function countsIn({ coverage, coveragePage }: DextJobOptions): boolean {
  return coverage !== undefined || coveragePage !== undefined;
}

/** What a run that had to be ended has counted is lost with its thread: nothing is written then. */
function writeCoverage(
  name: string,
  covered: readonly CoveredFile[],
  { coverage, coveragePage: page }: DextJobOptions,
  io: CommandIo,
): void {
  coverage?.write(Buffer.from(lcovText(covered)));
  page?.write(Buffer.from(coveragePage(name, covered, readIfThere)));
  io.say(coverageSumText(coverageSum(covered)));
}

function readIfThere(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}
