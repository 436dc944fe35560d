// Which files of each package are packed: what the doors and the command reach, and nothing else.

import { existsSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { readSource } from "../imports.ts";

/** A package of this repository as the packer sees it. Paths are relative to the repository. */
export interface PackedPackage {
  readonly name: string;
  readonly folder: string;
  /** Where the sources begin: what becomes `dist`. */
  readonly sources: string;
  readonly manifest: Manifest;
  /** Files that people outside may import, by their path behind the package's name. */
  readonly doors: ReadonlyMap<string, string>;
}

export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly license: string;
  readonly exports?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  /** All of them optional: what people may add. */
  readonly peerDependencies?: Readonly<Record<string, string>>;
}

export interface PackGraph {
  /** Source files of each package, by its name. */
  readonly files: ReadonlyMap<string, ReadonlySet<string>>;
  /** Paths behind a package's name that its siblings import and that are no doors. */
  readonly inside: ReadonlyMap<string, ReadonlyMap<string, string>>;
  /** Foreign packages that the packed files of each package name, those that are loaded on demand among them. */
  readonly foreign: ReadonlyMap<string, ReadonlySet<string>>;
}

/** Follows every import, of values and of types, from the doors and from `entries` (files of any package). */
export function packGraph(
  root: string,
  packages: readonly PackedPackage[],
  entries: readonly string[],
): PackGraph {
  const files = new Map(packages.map(({ name }) => [name, new Set<string>()]));
  const inside = new Map(packages.map(({ name }) => [name, new Map<string, string>()]));
  const foreign = new Map(packages.map(({ name }) => [name, new Set<string>()]));
  const waiting = [...entries, ...packages.flatMap(({ doors }) => [...doors.values()])];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    const owner = ownerOf(packages, file);
    const own = files.get(owner.name) as Set<string>;
    if (own.has(file)) continue;
    if (file.endsWith(".test.ts") || file.includes("/test/"))
      throw new Error(`${file} is a test, and something that is packed imports it`);
    own.add(file);
    const text = readFileSync(join(root, file), "utf8");
    const workers = [...text.matchAll(/new URL\("(\.[^"]+\.ts)", import\.meta\.url\)/g)].map(
      (match) => match[1],
    );
    for (const specifier of [...readSource(text).imports.map((found) => found.specifier), ...workers]) {
      if (specifier.startsWith(".")) {
        waiting.push(relative(root, join(root, dirname(file), specifier)));
        continue;
      }
      const sibling = packages.find(({ name }) => specifier.startsWith(`${name}/`));
      if (sibling === undefined) {
        const name = specifier.split("/", specifier.startsWith("@") ? 2 : 1).join("/");
        if (!specifier.startsWith("node:")) foreign.get(owner.name)?.add(name);
        continue;
      }
      const path = specifier.slice(sibling.name.length + 1);
      const target = fileOf(root, sibling, path);
      if (!sibling.doors.has(path)) inside.get(sibling.name)?.set(path, target);
      waiting.push(target);
    }
  }
  return { files, inside, foreign };
}

export function ownerOf(packages: readonly PackedPackage[], file: string): PackedPackage {
  const owner = packages.find(({ folder }) => file.startsWith(`${folder}/`));
  if (owner === undefined) throw new Error(`${file} belongs to no package that is packed`);
  return owner;
}

/** The source behind `name/path`, by the `exports` of the package's own manifest. */
export function fileOf(root: string, { name, folder, manifest }: PackedPackage, path: string): string {
  for (const [pattern, place] of Object.entries(manifest.exports ?? {})) {
    const star = pattern.slice(2) === "*" ? path : pattern.slice(2) === path ? "" : null;
    if (star === null) continue;
    const file = join(folder, place.replace("*", star));
    if (existsSync(join(root, file))) return file;
  }
  throw new Error(`${name}/${path} leads to no file`);
}
