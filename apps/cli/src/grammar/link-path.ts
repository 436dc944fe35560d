// Judges the place for a terminal's link before the terminal is there.

import { statSync } from "node:fs";
import { dirname } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { systemSentence } from "@drydock/node/system-words";
import { whyNoTerminalLink } from "@drydock/node/terminal-link";
import { UsageError } from "../terminal/usage-error.ts";

/** Throws UsageError for a place that is somebody's, or that cannot be. */
export function judgeLinkPath(path: string): void {
  let why: string | null;
  try {
    why = whyNoTerminalLink(path);
  } catch (error) {
    throw new UsageError(`cannot be made: ${systemSentence(error, path)}`);
  }
  if (why !== null)
    throw new UsageError(`cannot be made: ${shown(path)} ${why}; name another path, or remove it first`);
  if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
    throw new UsageError(`cannot be made: there is no folder ${shown(dirname(path))}; make it first`);
}
