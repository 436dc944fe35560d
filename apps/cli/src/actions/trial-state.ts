// The state of a long trial, as it lies in a file from an earlier run.

import { readFileSync, statSync } from "node:fs";
import type { OutputFile } from "../grammar/output-paths.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** A state larger than this is none of ours. */
const stateMaximum = 64 << 20;

/** Undefined: there is none yet. `refuse` says why a value is not taken. */
export function earlierState<State>(
  file: OutputFile | undefined,
  refuse: (value: unknown) => string | null,
): State | undefined {
  if (file === undefined) return undefined;
  const { size } = statSync(file.path);
  if (size === 0) return undefined;
  if (size > stateMaximum) throw new UsageError(`--state is larger than any state: ${size} bytes`);
  let value: unknown;
  try {
    value = JSON.parse(readFileSync(file.path, "utf8"));
  } catch {
    throw new UsageError("--state was cut short; remove the file to begin anew");
  }
  const why = refuse(value);
  if (why !== null) throw new UsageError(`--state cannot be gone on with: ${why}`);
  return value as State;
}

export function writeState(file: OutputFile | undefined, state: unknown): void {
  file?.write(Buffer.from(`${JSON.stringify(state)}\n`));
}
