// The commands behind `npm start` and `npm test`. Plain JavaScript for Node 20 and newer, no dependencies.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, statSync } from "node:fs";
import { availableParallelism } from "node:os";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { findNode } from "../apps/cli/bin/find-node.mjs";

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

/** Runs test files, and keeps what was skipped; in CI, where `.ci/run` installs everything, a skip is a failure. */
function runTests(kind, options, files) {
  const folder = join(root, "build");
  mkdirSync(folder, { recursive: true });
  const record = join(folder, `${kind}-tests.tap`);
  const reporters = ["spec:stdout", `tap:${record}`].flatMap((entry) => {
    const at = entry.indexOf(":");
    return [`--test-reporter=${entry.slice(0, at)}`, `--test-reporter-destination=${entry.slice(at + 1)}`];
  });
  const code = run(["--test", ...options, ...reporters, ...files]);
  const skipped = readFileSync(record, "utf8")
    .split("\n")
    .filter((line) => /^\s*ok \d+ .*# SKIP/.test(line));
  if (skipped.length === 0) return code;
  console.error(`drydock: ${skipped.length} ${kind} tests were skipped:`);
  for (const line of skipped) console.error(`  ${line.trim().replace(/^ok \d+ - /, "")}`);
  return process.env.CI && code === 0 ? 1 : code;
}

function unitTests(filter) {
  const all = filesBelow(root, (path) => isTest(path) && !isSystemTest(path)).map((path) =>
    relative(root, path),
  );
  const chosen =
    filter === undefined
      ? all.filter((path) => !isLongTest(path))
      : all.filter((path) => path.includes(filter));
  if (chosen.length === 0) fail(`no test file has "${filter}" in its path`);
  return runTests("unit", ["--test-isolation=none"], chosen.sort());
}

/** One process for each file, as many at a time as there are CPUs. */
function longTests() {
  const all = filesBelow(root, isLongTest).map((path) => relative(root, path));
  return runTests(
    "long",
    [`--test-concurrency=${availableParallelism()}`, "--test-timeout=600000"],
    all.sort(),
  );
}

function systemTests(filter) {
  const all = filesBelow(root, isSystemTest).map((path) => relative(root, path));
  const chosen = filter === undefined ? all : all.filter((path) => path.includes(filter));
  if (chosen.length === 0) fail(`no system test has "${filter}" in its path`);
  return runTests("system", ["--test-concurrency=1", "--test-timeout=600000"], chosen.sort());
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
    ...["--test", "--test-isolation=none", "--experimental-test-coverage"],
    ...reporters.flatMap(([name, to]) => [`--test-reporter=${name}`, `--test-reporter-destination=${to}`]),
    ...chosen.sort(),
  ]);
  console.error(`drydock: coverage by room is in ${relative(root, page)}`);
  return code;
}

const commands = {
  start: (args) => run(["apps/cli/src/main.ts", "start", ...args]),
  test: () => {
    const codes = [commands.check([]), unitTests(undefined), longTests(), systemTests(undefined)];
    return codes.find((code) => code !== 0) ?? 0;
  },
  "test:unit": ([filter]) => unitTests(filter),
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
process.exitCode = command(rest);
