// Which files a room has, and which unit tests can reach each of them by imports.

import { existsSync, readdirSync, readFileSync } from "node:fs";
import { dirname, join, relative } from "node:path";
import { roomsOfConstants } from "../constants.ts";

export interface Scope {
  /** Sources of the room, relative to the root. */
  readonly sources: readonly string[];
  /** Test files that reach any of them, nearest first. */
  readonly tests: readonly string[];
  /** Test files that reach one source, nearest first. */
  testsOf(source: string): readonly string[];
}

/** Where rooms and the tests that may see them live. */
const testFolders = ["packages/core/src", "packages/doctor/src", "cases", "house/constants.test.ts"];
/** This one loads what it judges by folder: it reaches all files of the rooms that it records. */
const constantsTest = "house/constants.test.ts";

/** `codec` is a room of core, `doctor/rules` one of doctor; any folder or file of the two will do. */
export function folderOf(root: string, room: string): string {
  const found = [
    `packages/core/src/${room}`,
    room.replace(/^doctor(\/|$)/, "packages/doctor/src$1"),
    room,
  ].find((path) => path.startsWith("packages/") && existsSync(join(root, path)));
  if (found === undefined)
    throw new Error(
      `there is no room "${room}"; say one of core's (codec, runtime, ...), doctor/rules, or a path`,
    );
  return found.replace(/\/$/, "");
}

function filesBelow(root: string, folder: string): string[] {
  const path = join(root, folder);
  if (folder.endsWith(".ts")) return [folder];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)))
    .filter((file) => !file.includes("node_modules/"))
    .sort();
}

const isUnitTest = (file: string): boolean =>
  file.endsWith(".test.ts") && !file.endsWith(".long.test.ts") && !file.includes("/test/system/");

/** Test benches and samples are no product: whoever changes them changes the tests. */
const isSource = (file: string): boolean =>
  !file.endsWith(".test.ts") &&
  !/(^|\/)(test|field)\//.test(file) &&
  !/(samples?|bench|fixture)\.ts$/.test(file);

function importsOf(root: string, file: string): string[] {
  const text = readFileSync(join(root, file), "utf8");
  const found: string[] = [];
  for (const [, specifier] of text.matchAll(/(?:from|import)\s*\(?\s*"([^"]+)"/g)) {
    const path = specifier.startsWith(".")
      ? join(dirname(file), specifier)
      : specifier.replace(/^@drydock\/(core|doctor)\/(.*)$/, "packages/$1/src/$2.ts");
    if (path.endsWith(".ts") && existsSync(join(root, path))) found.push(path);
  }
  return found;
}

/** How many folders two files share at the head of their paths. */
function nearness(a: string, b: string): number {
  const [left, right] = [dirname(a).split("/"), dirname(b).split("/")];
  let same = 0;
  while (same < left.length && left[same] === right[same]) same++;
  // What judges constants comes right after the tests of the same folder: most of what happens as files load is constants.
  if (b === constantsTest) return left.length * 2 - 1;
  return same * 2 + (b.startsWith(a.replace(/\.ts$/, ".")) ? 1 : 0);
}

export function scopeOf(root: string, room: string, mostTests = Number.POSITIVE_INFINITY): Scope {
  const sources = filesBelow(root, folderOf(root, room)).filter(isSource);
  const tests = testFolders.flatMap((folder) => filesBelow(root, folder)).filter(isUnitTest);
  const direct = new Map<string, readonly string[]>();
  const imports = (file: string): readonly string[] => {
    const known = direct.get(file) ?? importsOf(root, file);
    direct.set(file, known);
    return known;
  };
  const reached = new Map<string, ReadonlySet<string>>();
  for (const test of tests) {
    const seen = new Set<string>([test]);
    for (const file of seen) for (const next of imports(file)) seen.add(next);
    if (test === constantsTest)
      for (const folder of Object.values(roomsOfConstants))
        for (const file of sources.filter((source) => source.startsWith(`${folder}/`))) seen.add(file);
    reached.set(test, seen);
  }
  const byNearness = (source: string) => (a: string, b: string) =>
    nearness(source, b) - nearness(source, a) || (a < b ? -1 : 1);
  const testsOf = (source: string): readonly string[] =>
    tests
      .filter((test) => reached.get(test)?.has(source))
      .sort(byNearness(source))
      .slice(0, mostTests);
  const any = new Set(sources.flatMap(testsOf));
  return { sources, tests: [...any].sort(byNearness(sources[0] ?? "")), testsOf };
}
