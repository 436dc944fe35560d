// Files that a project names: only regular ones are read, and none that is larger than a source can be.

import { readFileSync, statSync } from "node:fs";
import { NoDextError } from "./no-dext-error.ts";

const mostBytes = 64 * 1024 * 1024;

/** Whether `path` leads to a regular file: no pipe, device or folder, no link that leads nowhere or to itself. */
export function isFile(path: string): boolean {
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}

/** Throws NoDextError for what is no regular file, too large, or not to be read. */
export function readBytes(path: string): Uint8Array {
  try {
    const about = statSync(path);
    if (!about.isFile()) throw new Error("is no regular file");
    if (about.size > mostBytes) throw new Error(`has more than ${mostBytes} bytes`);
    return new Uint8Array(readFileSync(path));
  } catch (error) {
    throw new NoDextError(`${path}: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** As `readBytes`, as UTF-8. */
export function readText(path: string): string {
  return new TextDecoder().decode(readBytes(path));
}
