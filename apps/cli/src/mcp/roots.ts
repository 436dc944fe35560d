// The folders that a client may name files below: links are resolved first, and what leads out is refused.

import { realpathSync, statSync } from "node:fs";
import { isAbsolute, relative, resolve } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { UsageError } from "../terminal/usage-error.ts";

const longestPath = 4096;

/** `path` lies in `folder`, or is it. Both are absolute and have no links in them. */
function isBelow(folder: string, path: string): boolean {
  const way = relative(folder, path);
  return way === "" || (way !== ".." && !/^\.\.[\\/]/.test(way) && !isAbsolute(way));
}

export class Roots {
  /** Absolute, links resolved. The first is where a relative path begins. */
  readonly folders: readonly string[];
  /** As they were named: an absolute path may begin with one of these, too. */
  readonly #named: readonly string[];

  /** Throws UsageError for what is no folder. At least one. */
  constructor(folders: readonly string[]) {
    this.#named = folders.map((folder) => resolve(folder));
    this.folders = this.#named.map((folder) => {
      const real = realOf(folder);
      if (real === null || !statSync(real).isDirectory())
        throw new UsageError(`needs a folder that is there; ${shown(folder)} is none`);
      return real;
    });
  }

  /**
   * The file or folder that a client names, links resolved. Throws UsageError for what lies elsewhere (whether it is there
   * is not told), leads out by a link, is not there, or is neither file nor folder: a pipe would be waited for.
   */
  find(text: string): string {
    if (text === "" || text.includes("\0") || text.length > longestPath)
      throw new UsageError(`takes a path of at most ${longestPath} characters, not "${shown(text, 80)}"`);
    const path = resolve(this.folders[0], text);
    const elsewhere = new UsageError(
      `${shown(text, 200)} does not lie below ${this.folders.map((folder) => shown(folder, 200)).join(", ")}: this server reads nothing else (drydock mcp --root FOLDER)`,
    );
    if (![...this.#named, ...this.folders].some((folder) => isBelow(folder, path))) throw elsewhere;
    const real = realOf(path);
    if (real === null) throw new UsageError(`${shown(text, 200)} is not there, or cannot be read`);
    if (!this.folders.some((folder) => isBelow(folder, real))) throw elsewhere;
    const status = statSync(real);
    if (!status.isFile() && !status.isDirectory())
      throw new UsageError(`${shown(text, 200)} is neither a file nor a folder`);
    return real;
  }
}

function realOf(path: string): string | null {
  try {
    return realpathSync.native(path);
  } catch {
    return null;
  }
}
