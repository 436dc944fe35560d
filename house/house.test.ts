// The walls hold: no finding in the tree, each planted fault found, each recipe makes a folder that passes.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, relative } from "node:path";
import { after, test } from "node:test";
import { buildCatalogue, cataloguePath } from "./catalogue.ts";
import { readSource } from "./imports.ts";
import { makeNew } from "./new.ts";
import { buildRuleList, ruleListPath, shortListPath } from "./rule-list.ts";
import { checkWalls } from "./walls.ts";

const root = join(import.meta.dirname, "..");
/** What the copy holds as long as nobody has planted anything: when each file was last changed. */
const untouched = new Map<string, number>();
let tree = "";

/** The copy's own files, by path. */
function filesOfCopy(): Map<string, number> {
  const found = new Map<string, number>();
  for (const entry of readdirSync(tree, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name);
    if (entry.isFile() && !path.includes("/node_modules/")) found.set(path, statSync(path).mtimeMs);
  }
  return found;
}

const isCopied = (path: string): boolean => !path.includes("node_modules") && !path.endsWith("/build");
const copied = ["packages", "apps", "cases", "house", "docs", "examples"];

/** A copy of the tree to plant faults in, as it was before the last test's faults. node_modules are linked, so that tests can run there. */
function copyTree(): string {
  if (tree === "") {
    tree = mkdtempSync(join(tmpdir(), "drydock-house-"));
    for (const folder of copied)
      cpSync(join(root, folder), join(tree, folder), { recursive: true, filter: isCopied });
    writeFileSync(join(tree, "package.json"), '{ "type": "module" }\n');
    const modules = join(tree, "node_modules/@drydock");
    mkdirSync(modules, { recursive: true });
    for (const name of ["core", "node", "doctor"])
      symlinkSync(join(tree, "packages", name), join(modules, name));
    for (const [path, changed] of filesOfCopy()) untouched.set(path, changed);
    return tree;
  }
  const now = filesOfCopy();
  for (const path of now.keys()) if (!untouched.has(path)) rmSync(path);
  for (const [path, changed] of untouched) {
    if (now.get(path) === changed) continue;
    const name = relative(tree, path);
    if (name === "package.json") writeFileSync(path, '{ "type": "module" }\n');
    else cpSync(join(root, name), path);
    untouched.set(path, statSync(path).mtimeMs);
  }
  removeEmpty(tree);
  return tree;
}

/** A folder of which nothing is left would be an incomplete device or case. */
function removeEmpty(folder: string): void {
  for (const entry of readdirSync(folder, { withFileTypes: true }))
    if (entry.isDirectory() && entry.name !== "node_modules") removeEmpty(join(folder, entry.name));
  if (folder !== tree && readdirSync(folder).length === 0) rmSync(folder, { recursive: true });
}

after(() => {
  if (tree !== "") rmSync(tree, { recursive: true, force: true });
});

test("the tree has no finding", () => {
  assert.deepEqual(checkWalls(root), []);
});

test("the catalogue is up to date", () => {
  assert.equal(
    readFileSync(join(root, cataloguePath), "utf8"),
    buildCatalogue(root),
    "run: npm run new -- catalogue",
  );
});

test("the list of rules is up to date", () => {
  assert.equal(
    readFileSync(join(root, ruleListPath), "utf8"),
    buildRuleList(root),
    "run: npm run new -- catalogue",
  );
  assert.equal(
    readFileSync(join(root, shortListPath), "utf8"),
    buildRuleList(root, false),
    "run: npm run new -- catalogue",
  );
});

const core = "packages/core/src";

/** One fault each: what is written where, and which rule must name it. */
const faults: [string, string, string, string][] = [
  ["an upward import", `${core}/devices/uart.ts`, 'import "../rigs/usb-rig.ts";', "upward-import"],
  ["a sideways import", `${core}/runtime/machine.ts`, 'import "../devices/uart.ts";', "upward-import"],
  [
    "a skipped floor",
    `${core}/drivers/ftdi/ftdi-driver.ts`,
    'import type { UsbHostPort } from "../../ports/usb-host.ts";',
    "skipped-floor",
  ],
  [
    "a driver that sees a device",
    `${core}/drivers/ftdi/ftdi-driver.ts`,
    'export * from "../../devices/uart.ts";',
    "skipped-floor",
  ],
  [
    "a family beside another",
    `${core}/families/serial/io-user-serial.ts`,
    'import "../usb/usb-family.ts";',
    "family-import",
  ],
  ["a third-party import", `${core}/base/bytes.ts`, 'import { x } from "lodash";', "third-party"],
  [
    "a built-in of Node",
    `${core}/codec/cdc/cdc.ts`,
    'import { readFileSync } from "node:fs";',
    "third-party",
  ],
  [
    "a dynamic import",
    `${core}/codec/cdc/cdc.ts`,
    'export const later = () => import("node:fs");',
    "third-party",
  ],
  ["the wall clock", `${core}/runtime/scheduler.ts`, "export const now = () => Date.now();", "wall-clock"],
  ["a date", `${core}/runtime/scheduler.ts`, "export const today = () => new Date();", "wall-clock"],
  ["unseeded chance", `${core}/base/random.ts`, "export const luck = () => Math.random();", "wall-clock"],
  ["a host timer", `${core}/outlets/serial/terminal-outlet.ts`, "setTimeout(() => {}, 1);", "wall-clock"],
  ["a microtask of one's own", `${core}/runtime/action.ts`, "queueMicrotask(() => {});", "wall-clock"],
  [
    "a doctor that sees a device",
    "packages/doctor/src/diagnose.ts",
    'export * from "@drydock/core/devices/uart";',
    "skipped-floor",
  ],
  [
    "a doctor that reads files",
    "packages/doctor/src/diagnose.ts",
    'import { readFileSync } from "node:fs";',
    "host-import",
  ],
  [
    "a doctor with a clock",
    "packages/doctor/src/diagnose.ts",
    "export const now = () => Date.now();",
    "wall-clock",
  ],
  [
    "a rule without a page",
    "packages/doctor/src/rules/power/nothing-beside-it.ts",
    '// A rule with nothing beside it.\nexport const x = {\n  id: "DR99-9",\n};\n',
    "incomplete-rule",
  ],
  [
    "a rule whose page says something else",
    "packages/doctor/src/rules/user-client/no-access-key.md",
    "One more step that the rule does not know.",
    "rule-page",
  ],
  [
    "an import against the doctor's inner order",
    "packages/doctor/src/facts/planted.ts",
    '// A fact that knows rules.\nexport type { Rule } from "../rules/rule.ts";',
    "inner-import",
  ],
  [
    "an import against the inner order of node",
    "packages/node/src/host/planted.ts",
    '// A clock that knows terminals.\nexport * from "../outlets/pty.ts";',
    "inner-import",
  ],
  [
    "a room inside node that has no floor",
    "packages/node/src/attic/old.ts",
    "// Old things.\n",
    "unplaced-room",
  ],
  [
    "a sentence that a recipe asked for",
    `${core}/devices/ftdi/README.md`,
    "Say in one sentence what this device is and what it is for.",
    "placeholder",
  ],
  [
    "a recipe that goes in by a window",
    "house/templates/device/__name__-device.ts.template",
    'import { x } from "../../codec/scsi/sense.ts";',
    "door",
  ],
  ["a file that is too long", `${core}/base/units.ts`, "\n".repeat(900), "long-file"],
  ["a vague name", `${core}/base/utils.ts`, "// A drawer for everything.\n", "vague-name"],
  ["a file that does not say what it is", `${core}/base/silent.ts`, "export {};\n", "first-line"],
];

test("each planted fault is found by its rule, and nothing else is", () => {
  const copy = copyTree();
  for (const [what, file, line, rule] of faults) {
    const path = join(copy, file);
    mkdirSync(dirname(path), { recursive: true });
    const before = checkedText(path);
    appendFileSync(path, before === null ? line : `\n${line}\n`);
    const rules = checkWalls(copy).map((finding) => finding.rule);
    assert.deepEqual([...new Set(rules)], [rule], what);
    if (before === null) unlinkSync(path);
    else writeFileSync(path, before);
  }
  assert.deepEqual(checkWalls(copy), []);
});

test("a circle of values and a new circle of types are found", () => {
  const copy = copyTree();
  const left = join(copy, core, "base/left.ts");
  const right = join(copy, core, "base/right.ts");
  const rulesWith = (keyword: string): string[] => {
    writeFileSync(left, `// One half.\n${keyword} { right } from "./right.ts";\nexport const left = 1;\n`);
    writeFileSync(
      right,
      `// The other half.\n${keyword} { left } from "./left.ts";\nexport const right = 2;\n`,
    );
    return checkWalls(copy).map((finding) => finding.rule);
  };
  assert.deepEqual(rulesWith("import"), ["value-circle", "type-circle"]);
  assert.deepEqual(rulesWith("import type"), ["type-circle"]);
});

test("a circle that is allowed and no longer there is found", () => {
  const copy = copyTree();
  const path = join(copy, core, "runtime/user-client.ts");
  writeFileSync(path, readFileSync(path, "utf8").replaceAll(/^import .*service\.ts";$/gm, ""));
  assert.deepEqual(
    checkWalls(copy).map((finding) => finding.rule),
    ["type-circle"],
  );
});

function checkedText(path: string): string | null {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return null;
  }
}

test("an incomplete folder is found: device, driver, case", () => {
  const copy = copyTree();
  unlinkSync(join(copy, core, "devices/ftdi/README.md"));
  unlinkSync(join(copy, core, "drivers/ftdi/ftdi-driver.test.ts"));
  unlinkSync(join(copy, "cases/P02-set-line-coding/good-driver.ts"));
  const rules = checkWalls(copy).map((finding) => `${finding.rule}: ${finding.message}`);
  assert.deepEqual(rules, [
    "incomplete-device: README.md is missing",
    "incomplete-driver: ftdi-driver.test.ts is missing",
    "incomplete-case: good-driver.ts is missing",
  ]);
});

test("a room whose references differ from floors.json is found", () => {
  const copy = copyTree();
  const path = join(copy, core, "drivers/tsconfig.json");
  writeFileSync(path, readFileSync(path, "utf8").replace("../families", "../devices"));
  assert.deepEqual(
    checkWalls(copy).map((finding) => finding.rule),
    ["references"],
  );
});

test("a catalogue out of date is found", () => {
  const copy = copyTree();
  makeNew(copy, "device", "new-thing");
  assert.notEqual(readFileSync(join(copy, cataloguePath), "utf8"), buildCatalogue(copy));
});

test("an export that nobody imports is found, but for those of doors", () => {
  const copy = copyTree();
  for (const file of ["package.json", "knip.ts"]) cpSync(join(root, file), join(copy, file));
  for (const folder of ["perf", "examples"]) {
    cpSync(join(root, folder), join(copy, folder), { recursive: true, filter: isCopied });
  }
  appendFileSync(join(copy, core, "transports/kept-connection.ts"), "\nexport const planted = 1;\n");
  appendFileSync(join(copy, core, "rigs/usb-rig.ts"), "\nexport const forPeopleOutside = 1;\n");
  const result = spawnSync(
    process.execPath,
    [
      join(root, "node_modules/knip/bin/knip.js"),
      "--no-progress",
      "--include",
      "exports",
      "--directory",
      copy,
    ],
    { encoding: "utf8", cwd: copy, env: withoutTestContext() },
  );
  assert.match(result.stdout, /^planted .*kept-connection\.ts/m);
  assert.doesNotMatch(result.stdout, /forPeopleOutside/);
  assert.equal(result.status, 1, `${result.stdout}${result.stderr}`);
});

test("comments and strings are no imports and no wall clock", () => {
  const text = [
    "// import x from 'lodash'; Date.now()",
    "/* import('node:fs') Math.random() */",
    'const text = "from \\"lodash\\" setTimeout";',
    "const pattern = /import 'x'/;",
    'const bytes = Uint8Array.from("abc");',
    'import { a } from "./real.ts";',
  ].join("\n");
  const { imports, code } = readSource(text);
  assert.deepEqual(imports, [{ specifier: "./real.ts", line: 6, loads: true }]);
  assert.equal(/Date\.now|setTimeout|Math\.random/.test(code), false);
});

test("which imports load the other file", () => {
  const text = [
    'import { type A, b } from "./value.ts";',
    'import type { C } from "./type.ts";',
    'import { type D, type E } from "./types.ts";',
    'export type { F } from "./type-again.ts";',
    'export { g } from "./value-again.ts";',
    'import "./effect.ts";',
    'const later = () => import("./later.ts");',
    'import * as all from "./all.ts";',
  ].join("\n");
  const loading = readSource(text).imports.filter(({ loads }) => loads);
  assert.deepEqual(
    loading.map(({ specifier }) => specifier),
    ["./value.ts", "./value-again.ts", "./effect.ts", "./all.ts"],
  );
});

/** A test run of its own, not a part of this one. */
function withoutTestContext(): NodeJS.ProcessEnv {
  const { NODE_TEST_CONTEXT: _own, ...environment } = process.env;
  return environment;
}

/** A fresh folder lacks nothing but the sentences that its author owes. */
function onlyPlaceholders(copy: string): void {
  const rules = checkWalls(copy).map((finding) => finding.rule);
  assert.deepEqual([...new Set(rules)], ["placeholder"]);
}

/** Kind, name, the test of what was made, and the assertion in it that must go red when it is turned round. */
const recipes: readonly [string, string, string, RegExp, string][] = [
  [
    "device",
    "sea-horse",
    `${core}/devices/sea-horse/sea-horse-device.test.ts`,
    /receivedBytes, 10\)/,
    "receivedBytes, 11)",
  ],
  [
    "driver",
    "sea-horse",
    `${core}/drivers/sea-horse/sea-horse-driver.test.ts`,
    /DeviceVersion, 1\)/,
    "DeviceVersion, 2)",
  ],
  ["transport", "sea-lane", `${core}/transports/sea-lane/sea-lane.test.ts`, /length >= 25/, "length >= 2500"],
  [
    "outlet",
    "sea-gate",
    `${core}/outlets/sea-gate/sea-gate-outlet.test.ts`,
    /\(seen, \[0x41,/,
    "(seen, [0x40,",
  ],
  [
    "port",
    "sea-port",
    `${core}/ports/sea-port.test.ts`,
    /this\.clock\.after\(1,/,
    "if (request !== 7) this.clock.after(1,",
  ],
  ["fault", "sea-storm", `${core}/faults/sea-storm.test.ts`, /portsWith\(1\), 0/, "portsWith(1), 1"],
  ["trial", "sea-trial", `${core}/trials/sea-trial.test.ts`, /explored === steps/, "explored !== steps"],
  ["command", "sail", "apps/cli/src/actions/sail.test.ts", /seed 7\\n/, "seed 8\\n"],
  [
    "case",
    "P99-sea-horse",
    "cases/P99-sea-horse/case.test.ts",
    /bad\.succeeded, false/,
    "bad.succeeded, true",
  ],
];
for (const [kind, name, testFile, assertion, broken] of recipes) {
  test(`npm run new ${kind}: complete, green, and red when its assertion is broken`, () => {
    const copy = copyTree();
    const written = makeNew(copy, kind, name);
    assert.ok(written.includes(testFile) && written.length >= 2);
    onlyPlaceholders(copy);
    const green = runTestFile(join(copy, testFile));
    assert.equal(green.status, 0, `${green.stdout}${green.stderr}`);
    assert.match(green.stdout, /pass [1-9]/);
    const text = readFileSync(join(copy, testFile), "utf8");
    assert.match(text, assertion);
    writeFileSync(join(copy, testFile), text.replace(assertion, broken));
    assert.equal(runTestFile(join(copy, testFile)).status, 1, "it is red when its assertion is broken");
    assert.throws(() => makeNew(copy, kind, name), /is there already/);
  });
}

function runTestFile(file: string) {
  return spawnSync(process.execPath, ["--test", file], { encoding: "utf8", env: withoutTestContext() });
}

test("npm run new rule: three siblings and a line in the list; the walls and its own test pass", () => {
  const copy = copyTree();
  const written = makeNew(copy, "rule", "sea/horse-in-harbour", "DR99-1");
  assert.deepEqual(written.map((file) => file.split("/").pop()).sort(), [
    "horse-in-harbour.md",
    "horse-in-harbour.test.ts",
    "horse-in-harbour.ts",
  ]);
  onlyPlaceholders(copy);
  assert.match(readFileSync(join(copy, ruleListPath), "utf8"), /horseInHarbour/);
  const result = spawnSync(
    process.execPath,
    ["--test", `${join(copy, "packages/doctor/src/rules/sea")}/*.test.ts`],
    {
      encoding: "utf8",
      env: withoutTestContext(),
    },
  );
  assert.equal(result.status, 0, `${result.stdout}${result.stderr}`);
  assert.match(result.stdout, /pass 2/);
  assert.throws(() => makeNew(copy, "rule", "sea/horse-in-harbour", "DR99-1"), /is there already/);
});

test("npm run new refuses what it cannot make, and says why", () => {
  assert.throws(() => makeNew(root, "rule", "DR99-1", "DR99-1"), /is no name and id for a rule/);
  assert.throws(() => makeNew(root, "rule", "sea/horse", "horse"), /is no name and id for a rule/);
  assert.throws(() => makeNew(root, "rule", "sea/horse", "DR20-1"), /DR20-1 is there already/);
  assert.throws(() => makeNew(root, "boat", "x"), /no recipe for "boat"/);
  assert.throws(() => makeNew(root, "device", "Bad Name"), /is no name for a device/);
});
