// The ready workflow and action: read by PyYAML, their script run as a runner does, reports read by Python.

import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";

const root = join(import.meta.dirname, "../../../..");
const program = join(root, "apps/cli/src/main.ts");

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly shell?: string;
  readonly if?: string;
  readonly with?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
}
interface Action {
  readonly name: string;
  readonly description: string;
  readonly inputs: Readonly<Record<string, { readonly description: string; readonly default: string }>>;
  readonly runs: { readonly using: string; readonly steps: readonly Step[] };
}
interface Workflow {
  readonly name: string;
  /** YAML 1.1 reads `on` as a truth value, and JSON has no such key. */
  readonly true: readonly string[];
  readonly permissions: unknown;
  readonly jobs: Readonly<Record<string, { readonly "runs-on": string; readonly steps: readonly Step[] }>>;
}

const python = (code: string, ...words: string[]): string => {
  const run = spawnSync("python3", ["-c", code, ...words], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return run.stdout;
};
const yaml = (name: string): unknown =>
  JSON.parse(
    python(
      "import json,sys,yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))",
      join(root, "examples/ci", name),
    ),
  );
const missing =
  spawnSync("python3", ["-c", "import yaml"]).status === 0
    ? false
    : "PyYAML is missing: apt-get install python3-yaml";

let folder = "";
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-ci-"));
  mkdirSync(join(folder, "bin"));
  // What npx does in a project that has the command.
  writeFileSync(
    join(folder, "bin/npx"),
    `#!/bin/sh\n[ "$1 $2" = "--no-install drydock" ] || exit 99\nshift 2\nexec "${process.execPath}" "${program}" "$@"\n`,
  );
  chmodSync(join(folder, "bin/npx"), 0o755);
  writeFileSync(join(folder, "log.txt"), "nothing of interest\n");
  writeFileSync(
    join(folder, "bad, 100%.md"),
    "I get `kIOReturnNotPermitted`:\n```cpp\nkern_return_t ret = IOServiceOpen(service, mach_task_self(), 0, &connection);\n```\n0xe00002e2 DK: MyDriver-0x100000b5b:UC entitlements check failed\n",
  );
});
after(() => rmSync(folder, { recursive: true, force: true }));

test("the action and the workflow have the shape that a runner takes, and no input is part of a script", {
  skip: missing,
}, () => {
  const action = yaml("action.yml") as Action;
  assert.equal(action.runs.using, "composite");
  for (const step of action.runs.steps) {
    assert.ok(step.run !== undefined && step.shell === "bash");
    assert.doesNotMatch(step.run, /\$\{\{/, "an expression in a script is an injection");
    for (const value of Object.values(step.env ?? {})) {
      const input = /^\$\{\{ inputs\.([a-z-]+) \}\}$/.exec(value)?.[1] ?? "";
      assert.ok(action.inputs[input] !== undefined, value);
    }
  }
  for (const { default: fallback, description } of Object.values(action.inputs))
    assert.ok(description.length > 10 && typeof fallback === "string");
  const workflow = yaml("workflow.yml") as Workflow;
  assert.deepEqual(workflow.true, ["push", "pull_request"]);
  assert.deepEqual(workflow.permissions, { contents: "read" });
  const steps = Object.values(workflow.jobs).flatMap((job) => {
    assert.equal(job["runs-on"], "ubuntu-latest");
    return job.steps;
  });
  for (const step of steps) assert.ok((step.uses === undefined) !== (step.run === undefined));
  const own = steps.find(({ uses }) => uses === "./.github/actions/drydock");
  assert.deepEqual(
    Object.keys(own?.with ?? {}).filter((key) => action.inputs[key] === undefined),
    [],
    "the workflow gives nothing that the action does not take",
  );
});

/** Runs the action's script as GitHub's runner does. */
function run(inputs: Readonly<Record<string, string>>) {
  const action = yaml("action.yml") as Action;
  const [step] = action.runs.steps;
  const env = Object.fromEntries(
    Object.entries(step.env ?? {}).map(([name, value]) => {
      const input = value.slice(value.indexOf(".") + 1, -3);
      return [name, inputs[input] ?? action.inputs[input].default];
    }),
  );
  const script = join(folder, "step.sh");
  writeFileSync(script, step.run ?? "");
  const { PATH = "" } = process.env;
  return spawnSync("bash", ["--noprofile", "--norc", "-eo", "pipefail", script], {
    cwd: folder,
    encoding: "utf8",
    env: { ...process.env, ...env, PATH: `${join(folder, "bin")}:${PATH}` },
  });
}

/** Cases and failures by suite, as Python's reader finds them. */
const counted = (name: string): { tests: number; failures: number; bodies: string[] } =>
  JSON.parse(
    python(
      `import json,sys,xml.etree.ElementTree as e
r=e.parse(sys.argv[1]).getroot()
print(json.dumps({"tests":len(r.findall("testsuite/testcase")),"failures":len(r.findall("testsuite/testcase/failure")),"bodies":[x.text for x in r.iter("failure")],"said":[r.get("tests"),r.get("failures")]}))`,
      join(folder, "drydock-reports", name),
    ),
  );

test("findings become annotations and reports, each input is one path, and the worst code is the step's", {
  skip: missing,
}, () => {
  const { status, stdout } = run({
    diagnose: "bad, 100%.md\nlog.txt\n",
    explore: "gamepad\n",
    check: "",
  });
  assert.equal(status, 1, stdout);
  assert.match(stdout, /^::(?:error|warning) file=bad%2C 100%25\.md,line=\d+/m);
  for (const line of stdout.split("\n")) assert.match(line, /^(?:::(?:error|warning|notice) .*)?$/);
  assert.deepEqual(readdirSync(join(folder, "drydock-reports")).sort(), ["diagnose.xml", "explore-1.xml"]);
  const found = counted("diagnose.xml");
  assert.ok(found.failures >= 1 && found.bodies[0].length > 20);
  assert.deepEqual(counted("explore-1.xml").failures, 0);
});

test("a path that would be a command or an option is a path; what cannot be read is the worst", {
  skip: missing,
}, () => {
  const { status, stderr } = run({ diagnose: "$(touch pwned)\n--html\n`touch pwned`" });
  assert.equal(status, 2);
  assert.match(stderr, /cannot be read/);
  assert.ok(!existsSync(join(folder, "pwned")));
});
