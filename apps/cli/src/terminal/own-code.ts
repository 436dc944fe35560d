// Errors that were thrown in the user's own code: said with its file and line, never called a fault of drydock's.

import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "./usage-error.ts";

/** What went wrong in code of the user's, with its place in the message. */
export class OwnCodeError extends Error {
  override readonly name = "OwnCodeError";
}

/** Folders of rig files that were loaded. */
const ownFolders = new Set<string>();
let refusal: string | null = null;

/** From here on no code of the user's is loaded in this process; `words` end the sentence that says so. */
export function refuseOwnCode(words: string): void {
  refusal = words;
}

/** Before code of the user's in that folder is loaded. Throws UsageError where none may be. */
export function noteOwnFolder(folder: string): void {
  if (refusal !== null) throw new UsageError(`would run code of yours: ${refusal}`);
  ownFolders.add(folder);
}

/** As `atOwnPlace`; an error without a place of its own is at `path`. */
export function ownPlace(error: unknown, path: string): string {
  return atOwnPlace(error) ?? `${shownPath(path)}: ${messageOf(error)}`;
}

/** "./my.rig.ts:12:5: words" when the error was thrown in a folder of a rig file; null: it is ours. */
export function atOwnPlace(error: unknown): string | null {
  if (error instanceof OwnCodeError) return error.message;
  if (!(error instanceof Error) || error.stack === undefined) return null;
  // A syntax error has its place before its words.
  const syntax = /^(?:file:\/\/)?(\/[^\n]+?):(\d+)\n/.exec(error.stack);
  if (syntax !== null && isOwn(syntax[1])) return `${shownPath(syntax[1])}:${syntax[2]}: ${messageOf(error)}`;
  for (const line of error.stack.split("\n")) {
    const frame = /^\s+at (?:.*\()?((?:file:\/\/)?[^()]+?):(\d+):(\d+)\)?$/.exec(line);
    if (frame === null) continue;
    const file = frame[1].startsWith("file:") ? fileURLToPath(frame[1]) : frame[1];
    if (isOwn(file)) return `${shownPath(file)}:${frame[2]}:${frame[3]}: ${messageOf(error)}`;
  }
  return null;
}

function isOwn(file: string): boolean {
  return !/[\\/]node_modules[\\/]/.test(file) && [...ownFolders].some((folder) => file.startsWith(folder));
}

function shownPath(path: string): string {
  const near = relative(process.cwd(), path);
  return near.startsWith("..") ? path : `./${near}`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
}
