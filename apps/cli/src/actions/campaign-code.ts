// What a campaign's runs are made of, as one digest: Drydock's own files, and a rig file's.

import { createHash } from "node:crypto";
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { UsageError } from "../terminal/usage-error.ts";
import { isRigFile } from "./rig-file.ts";

const source = /\.(?:[cm]?js|[cm]?ts)$/;
const notRun = /\.test\.ts$|\.d\.[cm]?ts$/;
/** Files of a user's rig, and bytes of one. */
const ownFilesMost = 2000;
const ownBytesMost = 16 * 2 ** 20;

/** Over the packages that make runs, and over the rig file with everything that it imports by a relative path. */
export function campaignDigest(rig: string): string {
  const hash = createHash("sha256");
  // @drydock/core, and the drivers of cases that can be explored.
  const packages = ["@drydock/core/rigs/catalogue", "@drydock/cases/P14-unplug-panic/explorables"];
  for (const door of packages) {
    const folder = packageFolder(fileURLToPath(import.meta.resolve(door)));
    for (const path of sourcesBelow(folder)) addFile(hash, relative(folder, path), path);
  }
  if (isRigFile(rig)) for (const [name, path] of ownFiles(resolve(rig))) addFile(hash, name, path);
  return hash.digest("hex");
}

function addFile(hash: ReturnType<typeof createHash>, name: string, path: string): void {
  const bytes = readFileSync(path);
  hash.update(`${name.split(sep).join("/")}\0${bytes.length}\0`).update(bytes);
}

function packageFolder(path: string): string {
  let folder = dirname(path);
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  return folder;
}

function sourcesBelow(folder: string): string[] {
  const found: string[] = [];
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name === "test" || entry.name.startsWith(".")) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...sourcesBelow(path));
    else if (source.test(entry.name) && !notRun.test(entry.name)) found.push(path);
  }
  return found.sort();
}

/** By name as the rig file sees them, sorted: where they lie on this machine says nothing. */
function ownFiles(rig: string): [string, string][] {
  const found = new Map<string, string>();
  const add = (path: string): void => {
    const name = relative(dirname(rig), path).split(sep).join("/");
    if (found.has(name)) return;
    if (statSync(path).size > ownBytesMost || found.size >= ownFilesMost)
      throw new UsageError(
        `${name} is more than a rig of ${ownFilesMost} files of ${ownBytesMost / 2 ** 20} MiB at most`,
      );
    found.set(name, path);
    for (const [, word] of readFileSync(path, "utf8").matchAll(relativeImport)) {
      const next = [word, `${word}.ts`, `${word}.js`, join(word, "index.js")]
        .map((each) => resolve(dirname(path), each))
        .find((each) => statSync(each, { throwIfNoEntry: false })?.isFile() === true);
      if (next !== undefined) add(next);
    }
  };
  add(rig);
  return [...found].sort(([one], [other]) => (one < other ? -1 : 1));
}

/** `from "./x.ts"`, `import "./x.ts"`, `import("./x.ts")`, `require("./x")`. */
const relativeImport = /(?:\bfrom|\bimport|\brequire)\s*\(?\s*["'](\.{1,2}\/[^"'\n]+)["']/g;
