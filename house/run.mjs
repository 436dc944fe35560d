// The commands behind `npm start` and `npm test`. Plain JavaScript for Node 20 and newer, no dependencies.

import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { findNode } from "../apps/cli/bin/find-node.mjs";
import { runTestFiles } from "./test-run.mjs";

const root = join(dirname(fileURLToPath(import.meta.url)), "..");
/** Found anew after an installation. */
let node26 = findNode(root);

/** Installs when nothing is there yet, or when the lock file is newer than what was installed. */
function install() {
  const marker = join(root, "node_modules/.package-lock.json");
  const isFresh =
    node26 !== null &&
    existsSync(marker) &&
    statSync(marker).mtimeMs >= statSync(join(root, "package-lock.json")).mtimeMs;
  if (isFresh) return;
  console.error("drydock: installing packages (once) ...");
  must(
    spawnSync("npm", ["ci", "--no-audit", "--no-fund", "--loglevel=error"], { cwd: root, stdio: "inherit" }),
    "npm ci",
  );
  node26 = findNode(root);
  if (node26 === null) fail(`npm installed no Node for ${process.platform} ${process.arch}`);
}

function must(result, what) {
  if (result.error) fail(`${what}: ${result.error.message}`);
  if (result.status !== 0) process.exit(result.status ?? 1);
}

function fail(message) {
  console.error(`drydock: ${message}`);
  process.exit(1);
}

/** Runs Node 26 with arguments; answers its exit code. */
function run(args, options = {}) {
  const environment = { ...process.env, PATH: `${dirname(node26)}:${process.env.PATH}` };
  delete environment.NODE_EXTRA_CA_CERTS;
  const result = spawnSync(node26, args, { cwd: root, stdio: "inherit", env: environment, ...options });
  if (result.error) fail(result.error.message);
  return result.status ?? 1;
}

/** Every file below `folder` that `accept` likes, without node_modules and what tools write into the root's `build`. */
function filesBelow(folder, accept) {
  const found = [];
  if (!existsSync(folder)) return found;
  for (const entry of readdirSync(folder, { withFileTypes: true })) {
    if (entry.name === "node_modules" || entry.name.startsWith(".")) continue;
    if (entry.name === "build" && folder === root) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) found.push(...filesBelow(path, accept));
    else if (accept(path)) found.push(path);
  }
  return found;
}

const isTest = (path) => path.endsWith(".test.ts") && !path.includes("/templates/");
const isSystemTest = (path) => isTest(path) && path.includes("/test/system/");
/** Campaigns over seeds and fuzzing: part of `npm test`, and of `test:unit` only when named. */
const isLongTest = (path) => path.endsWith(".long.test.ts");

/** Runs groups of test files, and names what was skipped; in CI, where `.ci/run` installs everything, a skip is a failure. */
async function runTests(kind, options, groups, atATime = 1) {
  const { code, skipped } = await runTestFiles({ node: node26, root, kind, groups, atATime, options });
  if (skipped.length === 0) return code;
  console.error(`drydock: ${skipped.length} ${kind} tests were skipped:`);
  for (const name of skipped) console.error(`  ${name}`);
  return process.env.CI && code === 0 ? 1 : code;
}

/** A unit test's file is quick to run and slow to load: many share a process, so that what they import is loaded once. */
const filesPerProcess = 40;

/** `[WORD] [--seed N]`: with a seed, other files share a process, and all run in another order. */
function unitTests(args) {
  const { values, positionals } = readArguments("test:unit", args, { seed: { type: "string" } });
  const [filter] = positionals;
  const { seed } = values;
  if (seed !== undefined && !/^\d{1,9}$/.test(seed)) fail(`--seed takes a whole number, not "${seed}"`);
  const all = filesBelow(root, (path) => isTest(path) && !isSystemTest(path)).map((path) =>
    relative(root, path),
  );
  const chosen =
    filter === undefined
      ? all.filter((path) => !isLongTest(path))
      : all.filter((path) => path.includes(filter));
  if (chosen.length === 0) fail(`no test file has "${filter}" in its path`);
  const rank = (path) =>
    seed === undefined ? path : createHash("sha256").update(`${seed}:${path}`).digest("hex");
  const ranks = new Map(chosen.map((path) => [path, rank(path)]));
  chosen.sort((a, b) => (ranks.get(a) < ranks.get(b) ? -1 : 1));
  const groups = [];
  for (let at = 0; at < chosen.length; at += filesPerProcess)
    groups.push(chosen.slice(at, at + filesPerProcess));
  const order = seed === undefined ? [] : ["--test-randomize", `--test-random-seed=${seed}`];
  const atATime = Math.min(availableParallelism(), groups.length);
  return runTests("unit", [...inOneProcess, ...order], groups, atATime);
}

const inOneProcess = ["--test-isolation=none", "--test-global-setup=house/test-loading.mjs"];

function readArguments(command, args, options) {
  try {
    return parseArgs({ args, options, allowPositionals: true });
  } catch (error) {
    return fail(`${command}: ${error.message}`);
  }
}

/** One process for each file, as many at a time as there are CPUs. */
const byFile = [`--test-concurrency=${availableParallelism()}`, "--test-timeout=600000"];

function longTests() {
  const all = filesBelow(root, isLongTest).map((path) => relative(root, path));
  return runTests("long", byFile, [all.sort()]);
}

function systemTests(filter) {
  const all = filesBelow(root, isSystemTest).map((path) => relative(root, path));
  const chosen = filter === undefined ? all : all.filter((path) => path.includes(filter));
  if (chosen.length === 0) fail(`no system test has "${filter}" in its path`);
  return runTests("system", byFile, [chosen.sort()]);
}

/** Which lines and branches of which room the chosen unit tests enter: a page in build/coverage.md. */
function coverage(filter) {
  const all = filesBelow(root, (path) => isTest(path) && !isSystemTest(path) && !isLongTest(path));
  const chosen = all
    .map((path) => relative(root, path))
    .filter((path) => filter === undefined || path.includes(filter));
  if (chosen.length === 0) fail(`no test file has "${filter}" in its path`);
  const page = join(root, "build/coverage.md");
  mkdirSync(dirname(page), { recursive: true });
  const reporters = [
    ["dot", "stdout"],
    ["./house/coverage-page.mjs", page],
  ];
  const code = run([
    ...["--test", ...inOneProcess, "--experimental-test-coverage"],
    ...reporters.flatMap(([name, to]) => [`--test-reporter=${name}`, `--test-reporter-destination=${to}`]),
    ...chosen.sort(),
  ]);
  console.error(`drydock: coverage by room is in ${relative(root, page)}`);
  return code;
}

const commands = {
  start: (args) => run(["apps/cli/src/main.ts", "start", ...args]),
  test: async () => {
    const codes = [commands.check([]), await unitTests([]), await longTests(), await systemTests()];
    return codes.find((code) => code !== 0) ?? 0;
  },
  "test:unit": (args) => unitTests(args),
  "test:long": () => longTests(),
  "test:system": ([filter]) => systemTests(filter),
  check: (args) => run(["house/check.ts", ...args]),
  format: (args) =>
    run(["node_modules/@biomejs/biome/bin/biome", "check", "--write", ...(args.length > 0 ? args : ["."])]),
  new: (args) => run(["house/new.ts", ...args]),
  pack: (args) => run(["house/pack.ts", ...args]),
  example: ([name = "smallest"]) => run([`examples/${name}-driver.ts`]),
  screenshots: () => run(["apps/board/test/screenshots.ts"]),
  perf: (args) => run(["perf/run.ts", ...args]),
  endurance: (args) => run(["perf/endurance/run.ts", ...args]),
  coverage: ([filter]) => coverage(filter),
  seeded: (args) => run(["house/seeded.ts", ...args]),
  mutants: (args) => run(["house/mutants.ts", ...args]),
};

const [name, ...rest] = process.argv.slice(2);
const command = Object.hasOwn(commands, name ?? "") ? commands[name] : null;
if (command === null) fail(`unknown command "${name ?? ""}"; there are: ${Object.keys(commands).join(", ")}`);
if (Number(process.versions.node.split(".")[0]) < 20)
  fail(`Node 20 or newer is needed to begin, this is ${process.version}`);
install();
process.exitCode = await command(rest);
