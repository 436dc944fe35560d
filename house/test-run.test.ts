// How test files are run: groups side by side, one record of all, each file's time, what was skipped, the exit code.

import assert from "node:assert/strict";
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";

interface TestRun {
  readonly node: string;
  readonly root: string;
  readonly kind: string;
  readonly groups: readonly (readonly string[])[];
  readonly atATime: number;
  readonly options: readonly string[];
  readonly write: (text: string | Uint8Array) => unknown;
}
const { runTestFiles } = (await import(new URL("test-run.mjs", import.meta.url).href)) as {
  runTestFiles(run: TestRun): Promise<{ code: number; skipped: string[] }>;
};

const folder = mkdtempSync(join(tmpdir(), "drydock-test-run-"));
after(() => rmSync(folder, { recursive: true, force: true }));
mkdirSync(join(folder, "house"));
symlinkSync(join(import.meta.dirname, "test-record.mjs"), join(folder, "house/test-record.mjs"));
const head = `import assert from "node:assert/strict"; import { test } from "node:test";\n`;
const files = {
  "sound.test.mjs": `test("one", () => {}); test("two", () => {});`,
  "broken.test.mjs": `test("three", () => assert.equal(1, 2)); test("four", { skip: "no horse" }, () => {});`,
  "slow.test.mjs": `test("five", async () => { await new Promise((resolve) => setTimeout(resolve, 60)); });`,
};
for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), head + text);

test("groups run side by side: one record, the slowest file first, skipped tests by name, a failure's exit code", async () => {
  let said = "";
  const { code, skipped } = await runTestFiles({
    write: (text) => {
      said += text.toString();
    },
    node: process.execPath,
    root: folder,
    kind: "sample",
    groups: [["sound.test.mjs"], ["broken.test.mjs", "slow.test.mjs"]],
    atATime: 2,
    options: ["--test-isolation=none"],
  });
  assert.equal(code, 1);
  assert.deepEqual(skipped, ["four # SKIP no horse"]);
  assert.match(said, /✔ two [\s\S]*ℹ tests 5\nℹ pass 3\nℹ fail 1\nℹ cancelled 0\nℹ skipped 1\n/);
  const build = join(folder, "build");
  assert.deepEqual(
    readdirSync(build)
      .filter((name) => name.startsWith("sample"))
      .sort(),
    ["sample-tests.tap", "sample-times.txt"],
  );
  const record = readFileSync(join(build, "sample-tests.tap"), "utf8");
  for (const name of ["one", "two", "three", "four", "five"])
    assert.match(record, new RegExp(`^# Subtest: ${name}$`, "m"));
  const [whole, ...rows] = readFileSync(join(build, "sample-times.txt"), "utf8").trim().split("\n");
  assert.match(whole, /^\d+\.\d\d\t5\tall of them, by the clock, 1 failed$/);
  assert.deepEqual(rows.map((row) => row.replace(/^\d+\.\d\d\t/, "")).sort(), [
    "1\tslow.test.mjs",
    "2\tbroken.test.mjs",
    "2\tsound.test.mjs",
  ]);
  const seconds = rows.map(Number.parseFloat);
  assert.deepEqual(
    seconds,
    seconds.toSorted((a, b) => b - a),
  );
  assert.match(rows[0], /\tslow\.test\.mjs$/);
});

test("a file that registers a test and then throws fails the run, and its error is shown", async () => {
  writeFileSync(
    join(folder, "torn.test.mjs"),
    `${head}test("six", () => {}); throw new Error("torn in two");`,
  );
  let said = "";
  const { code } = await runTestFiles({
    node: process.execPath,
    root: folder,
    kind: "torn",
    groups: [["sound.test.mjs", "torn.test.mjs"], ["slow.test.mjs"]],
    atATime: 2,
    options: [
      "--test-isolation=none",
      `--test-global-setup=${join(import.meta.dirname, "test-loading.mjs")}`,
    ],
    write: (text) => {
      said += text.toString();
    },
  });
  assert.equal(code, 1);
  assert.match(said, /drydock: torn\.test\.mjs does not load:\nError: torn in two/);
  assert.doesNotMatch(said, /(sound|slow)\.test\.mjs does not load/);
});

test("a call that is killed, or a program that is not there, is a failure", async () => {
  writeFileSync(join(folder, "dies.test.mjs"), `process.kill(process.pid, "SIGKILL");`);
  const said: string[] = [];
  const run: Omit<TestRun, "node"> = {
    root: folder,
    kind: "dead",
    groups: [["sound.test.mjs"], ["dies.test.mjs"]],
    atATime: 2,
    options: ["--test-isolation=none"],
    write: (text) => said.push(text.toString()),
  };
  assert.equal((await runTestFiles({ ...run, node: process.execPath })).code, 1);
  assert.equal((await runTestFiles({ ...run, node: join(folder, "no-node") })).code, 1);
  assert.match(said.join(""), /drydock: spawn .*no-node ENOENT/);
});
