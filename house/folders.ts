// The folders of a folder, in order, without what npm and builds put there.

import { existsSync, readdirSync, statSync } from "node:fs";
import { join } from "node:path";

export function foldersIn(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((name) => name !== "node_modules" && statSync(join(folder, name)).isDirectory())
    .sort();
}
