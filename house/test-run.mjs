// Runs test files by node:test, several processes at a time: one record of all, one sum, the time of each file.

import { spawn } from "node:child_process";
import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";

/**
 * What a run is asked for.
 * @typedef {object} TestRun
 * @property {string} node the program
 * @property {string} root where paths begin
 * @property {string} kind names the records: build/KIND-tests.tap and build/KIND-times.txt (seconds, tests, file; the whole first)
 * @property {readonly (readonly string[])[]} groups test files; each group is a call of `node --test`
 * @property {number} atATime calls at once; what one says is shown as it comes if it is one, at its end otherwise
 * @property {readonly string[]} options for node, before the reporters
 * @property {(text: string | Uint8Array) => unknown} [write] where to, for what is shown at an end; left out: stdout
 */

/** What is counted of a record, from the lines that close it. */
const counted = ["tests", "pass", "fail", "cancelled", "skipped", "todo"];

/**
 * Runs all groups, whatever fails; what was stripped and compiled is kept in build/compile-cache.
 * @param {TestRun} run
 * @returns {Promise<{ code: number, skipped: string[] }>} the first exit code that is not 0, and the names of what was skipped
 */
export async function runTestFiles({
  node,
  root,
  kind,
  groups,
  atATime,
  options,
  write = (text) => process.stdout.write(text),
}) {
  const folder = join(root, "build");
  mkdirSync(folder, { recursive: true });
  const began = performance.now();
  const environment = { ...process.env, NODE_COMPILE_CACHE: join(folder, "compile-cache") };
  environment.PATH = `${join(node, "..")}:${process.env.PATH}`;
  delete environment.NODE_EXTRA_CA_CERTS;
  // Whoever runs tests from a test is no child of that test's runner.
  delete environment.NODE_TEST_CONTEXT;
  const record = join(folder, `${kind}-tests.tap`);
  const parts = groups.map((_group, index) => `${record}.${index}`);
  const codes = [];
  let next = 0;
  const work = async () => {
    while (next < groups.length) {
      const index = next++;
      const reporters = [
        ["spec", "stdout"],
        [join(root, "house/test-record.mjs"), parts[index]],
      ].flatMap(([name, to]) => [`--test-reporter=${name}`, `--test-reporter-destination=${to}`]);
      codes.push(
        await spawned(node, ["--test", ...options, ...reporters, ...groups[index]], {
          isLive: atATime === 1,
          cwd: root,
          env: environment,
          write,
        }),
      );
    }
  };
  await Promise.all(Array.from({ length: atATime }, work));
  const tap = parts.map(takeFile).join("");
  writeFileSync(record, tap);
  const files = [...tap.matchAll(/^# file (\d+\.\d+) s, (\d+) tests: (.*)$/gm)];
  files.sort(([, a], [, b]) => b - a);
  const sum = (name) =>
    [...tap.matchAll(new RegExp(`^# ${name} (\\d+)$`, "gm"))].reduce(
      (all, [, count]) => all + Number(count),
      0,
    );
  const elapsedMs = performance.now() - began;
  const rows = files.map(([, seconds, tests, path]) => `${seconds}\t${tests}\t${path}\n`);
  const all = `${(elapsedMs / 1000).toFixed(2)}\t${sum("tests")}\tall of them, by the clock, ${sum("fail")} failed\n`;
  writeFileSync(join(folder, `${kind}-times.txt`), all + rows.join(""));
  if (groups.length > 1) {
    write(`\ndrydock: ${kind} tests in all\n`);
    for (const name of counted) write(`ℹ ${name} ${sum(name)}\n`);
    write(`ℹ duration_ms ${Math.round(elapsedMs)}\n`);
  }
  const skipped = tap.split("\n").filter((line) => /^\s*ok \d+ .*# SKIP/.test(line));
  return {
    code: codes.find((code) => code !== 0) ?? 0,
    skipped: skipped.map((line) => line.trim().replace(/^ok \d+ - /, "")),
  };
}

/** A part's record, which then is no more; nothing of a part that died before it wrote one. */
function takeFile(path) {
  try {
    const text = readFileSync(path, "utf8");
    rmSync(path);
    return text;
  } catch {
    return "";
  }
}

function spawned(program, args, { isLive, cwd, env, write }) {
  return new Promise((resolve) => {
    const pipe = isLive ? "inherit" : "pipe";
    const child = spawn(program, args, { cwd, env, stdio: ["inherit", pipe, pipe] });
    const said = [];
    for (const stream of [child.stdout, child.stderr]) stream?.on("data", (bytes) => said.push(bytes));
    child.once("error", (error) => {
      write(`drydock: ${error.message}\n`);
      resolve(1);
    });
    child.once("close", (code) => {
      write(Buffer.concat(said));
      resolve(code ?? 1);
    });
  });
}
