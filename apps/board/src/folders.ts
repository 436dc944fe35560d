// Folders of posts on disk: read for an import, written for an export, never outside of their root.

import {
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  type Stats,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { type ExportedFile, type FolderReader, isSafeName } from "@drydock/board/post-folder";

const largestFile = 1024 * 1024;
/** A redacted file may be longer than what was handed in. */
const largestEvidence = 32 * 1024 * 1024;

/** Links are not followed, and names that some system keeps for itself are not read. */
export function folderReader(root: string): FolderReader {
  return {
    list: async (path) => {
      const folder = join(root, ...path.map(mustBeSafe));
      const status = statusOf(folder);
      if (status?.isDirectory() !== true) return [];
      return readdirSync(folder).sort();
    },
    read: async (path) => {
      const file = join(root, ...path.map(mustBeSafe));
      const status = statusOf(file);
      if (status?.isFile() !== true) return null;
      const most = path.at(-2) === "evidence" ? largestEvidence : largestFile;
      if (status.size > most) throw new RangeError(`${file} is larger than a post can be`);
      return readFileSync(file, "utf8");
    },
  };
}

/** Undefined where there is nothing, also below something that is no folder. */
function statusOf(path: string): Stats | undefined {
  try {
    return lstatSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOTDIR") return undefined;
    throw error;
  }
}

function mustBeSafe(name: string): string {
  if (!isSafeName(name)) throw new RangeError(`"${name.slice(0, 80)}" is no name for a file here`);
  return name;
}

/** The one way that an export writes. Throws RangeError for a name that leads elsewhere. */
export function writeExported(root: string, file: ExportedFile): void {
  const names = file.path.map(mustBeSafe);
  const folder = join(root, ...names.slice(0, -1));
  mkdirSync(folder, { recursive: true });
  for (let depth = 1; depth < names.length; depth++)
    if (lstatSync(join(root, ...names.slice(0, depth))).isSymbolicLink())
      throw new RangeError(
        `${join(root, ...names.slice(0, depth))} is a link; nothing is written through it`,
      );
  const path = join(folder, names[names.length - 1]);
  if (existsSync(path) && !lstatSync(path).isFile()) throw new RangeError(`${path} is not a file`);
  writeFileSync(`${path}.part`, file.text);
  renameSync(`${path}.part`, path);
}
