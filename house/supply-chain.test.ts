// What strangers install along with ours: counted, under licences from a list, none that must run a script at install.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";

interface LockedPackage {
  readonly license?: string;
  readonly link?: boolean;
  readonly resolved?: string;
  readonly integrity?: string;
  readonly hasInstallScript?: boolean;
  readonly os?: readonly string[];
  readonly cpu?: readonly string[];
  readonly libc?: readonly string[];
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
}

const locked = JSON.parse(readFileSync(join(import.meta.dirname, "../package-lock.json"), "utf8"))
  .packages as Readonly<Record<string, LockedPackage>>;

const licences = new Set([
  ...["MIT", "ISC", "BSD-2-Clause", "BSD-3-Clause", "0BSD", "Apache-2.0", "Unlicense", "PSF-2.0"],
  "(MIT OR CC0-1.0)",
]);
/** They try to find or build a native part, and are found to work where no script ran: it lies in the package. */
const scriptsNotNeeded = new Set(["node_modules/esbuild", "node_modules/koffi", "node_modules/usb"]);
/** The board's server besides what the doors of @drydock/node bring (board.md §8, supply chain). */
const boardBudget = 60;

/** Where a package's import of `name` leads, as Node looks for it; null when it is not installed. */
function installedFor(from: string, name: string): string | null {
  const parts = from.split("/node_modules/");
  for (let depth = parts.length; depth > 0; depth--) {
    const path = `${parts.slice(0, depth).join("/node_modules/")}/node_modules/${name}`;
    if (path in locked) return path;
  }
  return `node_modules/${name}` in locked ? `node_modules/${name}` : null;
}

/** Paths of all foreign packages that come with ours on this platform: x64 Linux of glibc. */
function comingWith(workspace: string): Set<string> {
  const seen = new Set<string>();
  const open = [workspace];
  for (let at = open.pop(); at !== undefined; at = open.pop()) {
    const { dependencies, optionalDependencies } = locked[at];
    for (const name of Object.keys({ ...dependencies, ...optionalDependencies })) {
      const found = installedFor(at, name);
      if (found === null) {
        assert.ok(optionalDependencies?.[name] !== undefined, `${at} needs ${name}, which is not locked`);
        continue;
      }
      const path = locked[found].link === true ? String(locked[found].resolved) : found;
      const { os, cpu, libc } = locked[path];
      const isOurs = [
        [os, "linux"],
        [cpu, "x64"],
        [libc, "glibc"],
      ].every(([list, word]) => list === undefined || list.includes(word as string));
      if (!isOurs || seen.has(path)) continue;
      seen.add(path);
      open.push(path);
    }
  }
  return new Set([...seen].filter((path) => path.startsWith("node_modules/")));
}

const shipped = [
  ...["packages/core", "packages/node", "packages/doctor", "packages/dext", "packages/board"],
  ...["apps/board", "apps/lab", "apps/cli"],
];

test("licences of all that is shipped are from the list, and each package has a hash", () => {
  for (const workspace of shipped)
    for (const path of comingWith(workspace)) {
      const { license, integrity } = locked[path];
      assert.ok(licences.has(license ?? "none"), `${path}: ${license}`);
      assert.match(integrity ?? "", /^sha512-/, path);
    }
});

test("nothing that is shipped needs a script at install", () => {
  const scripts = shipped
    .flatMap((workspace) => [...comingWith(workspace)])
    .filter((path) => locked[path].hasInstallScript === true);
  assert.deepEqual(new Set(scripts), scriptsNotNeeded);
});

test(`the board's server brings at most ${boardBudget} packages besides those of the doors`, () => {
  const doors = comingWith("packages/node");
  assert.ok(doors.has("node_modules/pg"), "the count saw what the doors bring");
  const own = [...comingWith("apps/board")].filter((path) => !doors.has(path));
  assert.ok(own.includes("node_modules/hono"), "the count saw the server");
  assert.ok(own.length <= boardBudget, `${own.length}: ${own.join(" ")}`);
});
