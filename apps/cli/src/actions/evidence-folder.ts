// Files and folders as evidence: walked in order, bounded, never following a link, read in pieces.

import { createReadStream, lstatSync, readdirSync } from "node:fs";
import { basename, join } from "node:path";
import type { EvidenceSource } from "@drydock/doctor/facts/evidence-source";
import { UsageError } from "../terminal/usage-error.ts";

const mostFiles = 10_000;
const deepest = 16;
const pieceBytes = 1 << 20;

export interface EvidenceFolder {
  readonly sources: readonly EvidenceSource[];
  /** Each a line: what was left out, and why. */
  readonly skipped: readonly string[];
}

/** A folder's files by name below it; a single file by its own name. Throws UsageError for a path that is not there. */
export function evidenceOf(paths: readonly string[]): EvidenceFolder {
  const sources: EvidenceSource[] = [];
  const skipped: string[] = [];
  const visit = (path: string, name: string, depth: number): void => {
    if (sources.length >= mostFiles) return;
    const status = lstatSync(path);
    if (status.isSymbolicLink()) skipped.push(`${name} is a link and was not followed`);
    else if (status.isDirectory()) {
      if (depth > deepest) {
        skipped.push(`${name} lies too deep and was not read`);
        return;
      }
      for (const entry of readdirSync(path).sort())
        visit(join(path, entry), name === "" ? entry : `${name}/${entry}`, depth + 1);
    } else if (status.isFile())
      sources.push({ name, chunks: () => createReadStream(path, { highWaterMark: pieceBytes }) });
    else skipped.push(`${name} is neither a file nor a folder`);
  };
  for (const path of paths) {
    const status = lstatSync(path, { throwIfNoEntry: false });
    if (status === undefined) throw new UsageError(`there is no ${path}`);
    // The folder that was named is what "below" means, so its own name says nothing; of several each name does, and a
    // bundle's name says that it is one.
    const isPlain = status.isDirectory() && paths.length === 1 && !/\.(?:app|dext|kext|appex)\/?$/.test(path);
    visit(path, isPlain ? "" : basename(path), 0);
  }
  if (sources.length >= mostFiles) skipped.push(`more than ${mostFiles} files: the rest was not read`);
  return { sources, skipped };
}
