// Where in a case's C++ its fault stands: by a text that the file holds, so that a line number cannot go stale.

import { readFileSync } from "node:fs";
import type { CppPlace } from "./cpp-case.ts";

/** The first line of `path` that has `needle`. Throws when none has: the case and its description have parted. */
export function placeOf(folder: URL, path: string, needle: string, text: string): CppPlace {
  const lines = readFileSync(new URL(path, folder), "utf8").split("\n");
  const at = lines.findIndex((line) => line.includes(needle));
  if (at < 0) throw new Error(`${path} has no line with ${needle}`);
  return { path, line: at + 1, text };
}
