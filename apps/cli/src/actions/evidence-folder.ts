// Files and folders as evidence: walked in order, bounded, read in pieces; one bad name is one line, not the end.

import { Buffer } from "node:buffer";
import {
  accessSync,
  constants,
  createReadStream,
  lstatSync,
  readdirSync,
  type Stats,
  statSync,
} from "node:fs";
import { basename } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import type { EvidenceSource } from "@drydock/doctor/facts/evidence-source";
import { systemSentence, systemWords } from "@drydock/node/system-words";
import { isStandardInput, sayThatItWaits } from "../grammar/input-paths.ts";
import { UsageError } from "../terminal/usage-error.ts";

const mostFiles = 10_000;
const deepest = 16;
const pieceBytes = 1 << 20;
/** What says of itself that it is empty may have something all the same. */
const leastPieceBytes = 4096;
/** What comes through a pipe is held in memory: it can be read once only, and evidence is asked for again. */
const mostPipeBytes = 512 << 20;
/** Lines about what was not read; the rest is counted. */
const mostSkipped = 50;
const longestName = 4096;

/** What was left out: the name as it may be shown, and why, as the second half of a sentence. */
export interface SkippedEvidence {
  readonly name: string;
  readonly why: string;
}

export interface EvidenceFolder {
  readonly sources: readonly EvidenceSource[];
  readonly skipped: readonly SkippedEvidence[];
}

/** The lines that say what was left out. With `isRedacted` no line has a name. */
export function skippedLines(skipped: readonly SkippedEvidence[], isRedacted = false): string[] {
  const lines = isRedacted
    ? [...Map.groupBy(skipped, ({ why }) => why)].map(([why, { length }]) =>
        length === 1 ? `a file ${why}` : `${length} files: each ${why}`,
      )
    : skipped.slice(0, mostSkipped).map(({ name, why }) => `${name} ${why}`);
  if (!isRedacted && skipped.length > mostSkipped)
    lines.push(`${skipped.length - mostSkipped} more were not read`);
  return lines;
}

/**
 * A folder's files by name below it; a single file by its own name; `-` is standard input. A link that a person names is
 * followed, one that lies below is not. Throws UsageError for a named path that cannot be read.
 */
export function evidenceOf(paths: readonly string[]): EvidenceFolder {
  const sources: EvidenceSource[] = [];
  const skipped: SkippedEvidence[] = [];
  const skip = (name: string, why: string): void => void skipped.push({ name, why });
  let isFull = false;

  /** `path` in the file system's own bytes: a name need not be UTF-8. */
  const visit = (path: Buffer, name: string, depth: number, status: Stats): void => {
    if (status.isDirectory() && depth > 0 && /(?:^|\/)\.git$/.test(name)) {
      skip(name, "is a repository's own folder and was not read");
    } else if (status.isDirectory()) {
      if (depth > deepest) {
        skip(name, "lies too deep and was not read");
        return;
      }
      for (const entry of readdirSync(path, { encoding: "buffer" }).sort(Buffer.compare)) {
        const inner = Buffer.concat([path, Buffer.from("/"), entry]);
        const innerName = `${name === "" ? "" : `${name}/`}${nameOf(entry)}`;
        below(inner, innerName, depth + 1);
      }
    } else if (status.isFile()) {
      if (sources.length >= mostFiles) {
        isFull = true;
        return;
      }
      accessSync(path, constants.R_OK);
      sources.push({ name, chunks: () => piecesOf(path, status.size) });
    } else skip(name, "is neither a file nor a folder and was not read");
  };

  /** What lies in a folder: whatever is wrong with it is one line. */
  const below = (path: Buffer, name: string, depth: number): void => {
    try {
      const status = lstatSync(path);
      if (status.isSymbolicLink()) skip(name, "is a link and was not followed");
      else visit(path, name, depth, status);
    } catch (error) {
      skip(name, `was not read: ${systemWords(error)}`);
    }
  };

  for (const path of paths) {
    if (isStandardInput(path)) {
      sources.push({ name: "standard input", chunks: onceOnly(() => process.stdin, "standard input") });
      continue;
    }
    let status: Stats;
    try {
      status = statSync(path);
      // The folder that was named is what "below" means, so its own name says nothing; of several each name does.
      // Of one folder everything lies below it, so its name says nothing; a bundle's name says that it is one.
      const isPlain =
        status.isDirectory() && paths.length === 1 && !/\.(?:app|dext|kext|appex)\/?$/.test(path);
      const name = isPlain ? "" : nameOf(Buffer.from(basename(path)));
      sayThatItWaits(path);
      if (status.isFIFO() || status.isCharacterDevice() || status.isSocket())
        sources.push({ name, chunks: onceOnly(() => createReadStream(path), name) });
      else visit(Buffer.from(path), name, 0, status);
    } catch (error) {
      throw new UsageError(systemSentence(error, path));
    }
  }
  if (isFull) skip("the rest", `was not read: there are more than ${mostFiles} files`);
  return { sources, skipped };
}

/** UTF-8 where it is, else the bytes that are none as `\xff`; and nothing that commands a terminal. */
function nameOf(bytes: Buffer): string {
  const text = bytes.toString("utf8");
  if (Buffer.from(text).equals(bytes)) return shown(text, longestName);
  return shown(
    [...bytes].map((byte) => (byte < 0x80 ? String.fromCharCode(byte) : `\\x${byte.toString(16)}`)).join(""),
    longestName,
  );
}

/** What the system says while it is read ends the file, with its words. Of a thousand small files none needs a large buffer. */
async function* piecesOf(path: Buffer, sizeBytes: number): AsyncGenerator<Uint8Array> {
  try {
    yield* createReadStream(path, {
      highWaterMark: Math.min(pieceBytes, Math.max(leastPieceBytes, sizeBytes + 1)),
    });
  } catch (error) {
    throw new Error(systemWords(error));
  }
}

function onceOnly(
  open: () => AsyncIterable<Uint8Array | string>,
  name: string,
): () => AsyncGenerator<Uint8Array> {
  let held: Uint8Array[] | null = null;
  return async function* () {
    if (held === null) {
      held = [];
      let bytes = 0;
      try {
        for await (const piece of open()) {
          const part = typeof piece === "string" ? Buffer.from(piece) : piece;
          bytes += part.length;
          if (bytes > mostPipeBytes) break;
          held.push(part);
        }
      } catch (error) {
        throw new Error(systemWords(error));
      }
      if (bytes > mostPipeBytes)
        throw new Error(`${name} has more than ${mostPipeBytes >> 20} MiB; put it into a file and name that`);
    }
    yield* held;
  };
}
