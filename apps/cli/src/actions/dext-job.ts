// What dext run and dext test begin with: the dext is compiled, and its thread does the job.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import {
  type BuiltForCommand,
  buildDocument,
  buildForCommand,
  type DextPathOptions,
  sayBuild,
} from "./dext-build.ts";
import type { DextThreadMessage } from "./dext-thread.ts";
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
  readonly json: boolean;
  /** Others follow: a document takes one line. */
  readonly isOneOfMany?: boolean;
}

export type DextAnswer<K extends "run" | "test"> =
  | (Extract<DextThreadMessage, { readonly kind: K }> & { readonly name: string })
  | { readonly kind: "ended"; readonly name: string; readonly text: string };

/** An exit code, and it is said, when the dext cannot be compiled here. `most` counts the trials of a test. */
export async function doDextJob<K extends "run" | "test">(
  kind: K,
  options: DextJobOptions,
  io: CommandIo,
  most = 0,
): Promise<DextAnswer<K> | ExitCode> {
  const built = await buildForCommand(options, io, false);
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
  const end = await thread.run(
    {
      kind,
      module: build.module,
      info: sources.info,
      entitlements: sources.entitlements,
      rig: options.rig === undefined ? null : wordOf(options.rig),
      seed: options.seed,
      settleNs: options.for * 1e9,
      most,
      noJspi: options.noJspi,
    },
    kind === "test" ? (text) => io.progress(text) : () => {},
    options.patience,
  );
  if (end.kind !== "ended" && end.kind !== kind) throw new Error(`a ${kind} was answered by a ${end.kind}`);
  return { ...end, name: sources.name } as DextAnswer<K>;
}
