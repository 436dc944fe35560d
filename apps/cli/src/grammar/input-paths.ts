// Paths that a command reads: they must be there before anything runs; `-` is standard input.

import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readFileSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { systemSentence } from "@drydock/node/system-words";
import { UsageError } from "../terminal/usage-error.ts";
import type { Kind, Mistake, SamplePlace } from "./option-kind.ts";

/** A file that a person named, or standard input. */
export interface InputFile {
  /** As it was typed. */
  readonly path: string;
  /** What it is called in sentences; gated. */
  readonly label: string;
  /** All of it. Throws UsageError when it cannot be read any more. */
  bytes(): Buffer;
}

export const isStandardInput = (path: string): boolean => path === "-";

/** A pipe that was named is waited for until somebody writes: that is said. A shell's own pipes have their writers. */
export function sayThatItWaits(path: string): void {
  if (/^\/(?:dev\/fd|proc)\//.test(path) || statSync(path, { throwIfNoEntry: false })?.isFIFO() !== true)
    return;
  process.stderr.write(
    `drydock: ${shown(path)} is a pipe: waiting for what is written into it; Ctrl-C ends\n`,
  );
}

/** Reads it all; `-` is standard input. Throws UsageError. */
export function readInput(path: string): Buffer {
  if (!isStandardInput(path)) sayThatItWaits(path);
  try {
    return readFileSync(isStandardInput(path) ? 0 : path);
  } catch (error) {
    throw new UsageError(systemSentence(error, isStandardInput(path) ? "standard input" : path));
  }
}

/** Throws UsageError unless the path leads to something that this user may read; links are followed. */
export function mustBeReadable(path: string): "file" | "folder" | "other" {
  if (path === "") throw new UsageError('needs a path, not ""');
  try {
    const status = statSync(path);
    accessSync(path, constants.R_OK);
    return status.isFile() ? "file" : status.isDirectory() ? "folder" : "other";
  } catch (error) {
    const link = lstatSync(path, { throwIfNoEntry: false });
    if (link?.isSymbolicLink() === true && (error as NodeJS.ErrnoException).code === "ENOENT")
      throw new UsageError(`cannot be read: ${shown(path)} is a link that leads nowhere`);
    throw new UsageError(`cannot be read: ${systemSentence(error, path)}`);
  }
}

const absent = ({ folder }: SamplePlace): Mistake[] => [
  { why: "absent", text: join(folder, "not-there") },
  { why: "absent", text: join(folder, "not-there", "at-all") },
  { why: "wrong type", text: "" },
];

let samples = 0;

/** A file (or a pipe), never a folder. `content` is what a test writes into a sample. */
export function inputFile(parts: {
  readonly placeholder?: string;
  readonly takes: string;
  readonly content: string | Uint8Array;
  /** Throws UsageError, with the second half of a sentence, for what it cannot be. Not asked about standard input. */
  check?(bytes: () => Buffer): void;
}): Kind<InputFile> {
  return {
    placeholder: parts.placeholder ?? "file",
    takes: `${parts.takes}; - is standard input`,
    isPath: true,
    read: (path) => {
      if (isStandardInput(path)) return { path, label: "standard input", bytes: () => readInput(path) };
      if (mustBeReadable(path) === "folder") throw new UsageError(`needs a file; ${shown(path)} is a folder`);
      // A permission that the system grants only to some is seen when it is opened.
      try {
        if (statSync(path).isFile()) closeSync(openSync(path, "r"));
      } catch (error) {
        throw new UsageError(`cannot be read: ${systemSentence(error, path)}`);
      }
      const bytes = (): Buffer => readInput(path);
      parts.check?.(bytes);
      return { path, label: shown(path), bytes };
    },
    sample: ({ folder }) => {
      const path = join(folder, `sample-${++samples}`);
      writeFileSync(path, parts.content);
      return path;
    },
    mistakes: (place) => [...absent(place), { why: "a folder", text: place.folder }],
  };
}

/** A file or a folder: evidence. */
export const inputPath: Kind<string> = {
  placeholder: "path",
  takes: "a file or a folder that is there; - is standard input",
  isPath: true,
  read: (path) => {
    if (!isStandardInput(path)) mustBeReadable(path);
    return path;
  },
  sample: ({ folder }) => folder,
  mistakes: absent,
};
