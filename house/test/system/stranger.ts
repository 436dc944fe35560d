// A folder outside this repository that depends on what was packed, with everything else in the lock file's versions.

import { type SpawnSyncReturns, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

export const repositoryRoot = join(dirname(fileURLToPath(import.meta.url)), "../../..");
export const packFolder = join(repositoryRoot, "build/pack");

interface Entry {
  readonly version?: string;
  readonly link?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

type Entries = Record<string, Entry>;

const rootLock = JSON.parse(readFileSync(join(repositoryRoot, "package-lock.json"), "utf8")) as {
  packages: Entries;
};

/** Where Node's resolution finds `name` from the entry at `from`; null: nowhere. */
function placeOf(name: string, from: string): string | null {
  for (let folder = from; ; ) {
    const place = folder === "" ? `node_modules/${name}` : `${folder}/node_modules/${name}`;
    if (rootLock.packages[place] !== undefined && rootLock.packages[place].link !== true) return place;
    if (folder === "") return null;
    folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/node_modules/")));
  }
}

/** Entries of these packages and of all that they need, at the places that they have in the repository's lock file. */
function slice(names: readonly string[]): Entries {
  const found: Entries = {};
  const waiting = names.map((name) => ({ name, from: "", isNeeded: true }));
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const place = placeOf(next.name, next.from);
    if (place === null) {
      if (next.isNeeded) throw new Error(`${next.name} is not in the lock file`);
      continue;
    }
    if (found[place] !== undefined) continue;
    const { dev: _dev, ...entry } = rootLock.packages[place] as Entry & { dev?: boolean };
    found[place] = entry;
    for (const [list, isNeeded] of [
      [entry.dependencies, true],
      [entry.optionalDependencies, false],
      [entry.peerDependencies, false],
    ] as const)
      for (const name of Object.keys(list ?? {})) waiting.push({ name, from: place, isNeeded });
  }
  return found;
}

export interface Stranger {
  readonly folder: string;
  write(path: string, text: string): void;
  read(path: string): string;
  run(
    file: string,
    args: readonly string[],
    environment?: Readonly<Record<string, string>>,
  ): SpawnSyncReturns<string>;
  remove(): void;
}

/** `ours`: names without scope. `foreign`: name to install -> its place in the repository's node_modules. */
export function makeStranger(ours: readonly string[], foreign: readonly string[] = []): Stranger {
  const folder = mkdtempSync(join(tmpdir(), "drydock-stranger-"));
  mkdirSync(join(folder, "vendor"));
  const archives = readdirSync(packFolder).filter((name) => name.endsWith(".tgz"));
  const dependencies: Record<string, string> = {};
  const packages: Entries = {};
  const needed = new Set(foreign);
  for (const name of ours) {
    const manifest = JSON.parse(readFileSync(join(packFolder, name, "package.json"), "utf8")) as Entry & {
      version: string;
    };
    const archive = `drydock-${name}-${manifest.version}.tgz`;
    if (!archives.includes(archive)) throw new Error(`${archive} was not packed`);
    copyFileSync(join(packFolder, archive), join(folder, "vendor", archive));
    dependencies[`@drydock/${name}`] = `file:vendor/${archive}`;
    packages[`node_modules/@drydock/${name}`] = { ...manifest, ...{ resolved: `file:vendor/${archive}` } };
    for (const wanted of Object.keys({ ...manifest.dependencies, ...manifest.optionalDependencies }))
      if (!wanted.startsWith("@drydock/")) needed.add(wanted);
  }
  const others = slice([...needed]);
  for (const name of foreign) dependencies[name] = wantedVersion(name);
  Object.assign(packages, others);
  const about = { name: "stranger", version: "1.0.0", type: "module", private: true, dependencies };
  writeFileSync(join(folder, "package.json"), JSON.stringify(about, null, 2));
  writeFileSync(
    join(folder, "package-lock.json"),
    JSON.stringify(
      {
        name: "stranger",
        version: "1.0.0",
        lockfileVersion: 3,
        requires: true,
        packages: { "": about, ...packages },
      },
      null,
      2,
    ),
  );
  const stranger: Stranger = {
    folder,
    write: (path, text) => {
      mkdirSync(dirname(join(folder, path)), { recursive: true });
      writeFileSync(join(folder, path), text);
    },
    read: (path) => readFileSync(join(folder, path), "utf8"),
    run: (file, args, environment = {}) =>
      spawnSync(file, args, {
        cwd: folder,
        encoding: "utf8",
        timeout: 300_000,
        // Without what a test runner tells its children: a runner of the stranger's is nobody's child.
        env: { ...process.env, NODE_TEST_CONTEXT: undefined, ...environment },
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
  const installed = stranger.run("npm", [
    "ci",
    "--prefer-offline",
    "--no-audit",
    "--no-fund",
    "--loglevel=error",
    "--ignore-scripts",
  ]);
  if (installed.status !== 0) throw new Error(`npm ci: ${installed.stdout}${installed.stderr}`);
  return stranger;
}

/** As the repository's own manifest wants it, an alias included. */
function wantedVersion(name: string): string {
  for (const place of ["", "apps/cli", "apps/board", "packages/node"]) {
    const entry = rootLock.packages[place] as Entry & { devDependencies?: Readonly<Record<string, string>> };
    const wanted = entry.devDependencies?.[name] ?? entry.dependencies?.[name];
    if (wanted !== undefined) return wanted;
  }
  throw new Error(`${name} is in no manifest`);
}

/** Node 24 and 26 as npm installed them; null where one is not there. */
export function nodeOf(major: 24 | 26): string | null {
  const place = major === 24 ? "node-24/bin/node" : null;
  if (place === null) return process.execPath;
  const path = join(repositoryRoot, "node_modules", place);
  return existsSync(path) ? path : null;
}
