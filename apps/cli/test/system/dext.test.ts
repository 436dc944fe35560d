// The dext commands as somebody types them: named ends, exit codes, one JSON document, rigs by name and by file.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";

const command = join(import.meta.dirname, "../../bin/drydock.mjs");
const dexts = join(import.meta.dirname, "../../../../packages/dext/test/dexts");

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), "drydock-dext-"));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const drydock = (...words: readonly string[]) =>
  spawnSync(process.execPath, [command, "dext", ...words], { encoding: "utf8", timeout: 120_000 });

/** A copy of `ends` whose personality names the way to end; `edit` changes its code. */
function ending(name: string, number: number, edit: (text: string) => string = (text) => text): string {
  const copy = join(folder, name);
  cpSync(join(dexts, "ends"), copy, { recursive: true });
  const change = (file: string, by: (text: string) => string) =>
    writeFileSync(join(copy, file), by(readFileSync(join(copy, file), "utf8")));
  change("Info.plist", (text) =>
    text.replace("<key>IOUserClass<", `<key>Ending</key><integer>${number}</integer><key>IOUserClass<`),
  );
  change("Ends.cpp", edit);
  return copy;
}

for (const [what, number, edit, said] of [
  ["in Start", 5, (text: string) => text, /^endless loop: Ends::Start has not come back for 1 seconds$/m],
  [
    "in an init",
    0,
    (text: string) =>
      text
        .replace("if (!super::init()) return false;", "SpinForEver();")
        .replace("bool Ends::init()", "static void SpinForEver();\nbool Ends::init()"),
    /^endless loop: an init has not come back/m,
  ],
  [
    "before main",
    0,
    (text: string) => `${text}\nstatic struct Global { Global() { SpinForEver(); } } global;\n`,
    /^endless loop: a constructor of its global objects has not come back/m,
  ],
] as const)
  test(`an endless loop ${what} is ended and named`, () => {
    const run = drydock("run", ending(`loop-${number}-${what.length}`, number, edit), "--patience", "1");
    assert.match(run.stdout, said, run.stderr);
    assert.equal(run.status, 1);
  });

test("not implemented: no success in run, in test, and in JSON", () => {
  const path = ending("not-implemented", 2);
  const run = drydock("run", path, "--json");
  assert.equal(run.status, 1, run.stderr);
  const document = JSON.parse(run.stdout);
  assert.deepEqual(
    [document.isStarted, document.notImplemented],
    [false, ["IOService.CoreAnalyticsSendEvent"]],
  );
  const tested = drydock("test", path, "--most", "1", "--for", "0.3");
  assert.equal(tested.status, 1, tested.stderr);
  assert.match(tested.stdout, /plain run: .*not implemented: IOService\.CoreAnalyticsSendEvent/);
});

test("after a failed Start it is said what was not counted, and a leak beside it is one", () => {
  const run = drydock("run", ending("more-left", 7));
  assert.equal(run.status, 1);
  assert.match(run.stdout, /^leak: OSArray made in .*Ends\.cpp:\d+/m);
  assert.match(run.stderr, /actions and what can be reached from them are not counted as leaks/);
});

test("sources that do not compile: places of theirs, exit 1, in each of the three", () => {
  const path = ending("broken", 0, (text) => text.replace("turns + 1", "turns + one"));
  for (const word of ["build", "run", "test"]) {
    const run = drydock(word, path);
    assert.equal(run.status, 1, run.stderr);
    assert.match(run.stdout, new RegExp(`^${path}/Ends\\.cpp:\\d+:\\d+: error: .*'one'`, "m"));
  }
  const document = JSON.parse(drydock("test", path, "--json").stdout);
  assert.equal(document.stage, "parsed");
});

test("a rig by name and by file; one document", () => {
  const file = join(folder, "mine.rig.ts");
  const core = join(import.meta.dirname, "../../../../packages/core/src");
  writeFileSync(
    file,
    `import { LoopbackDevice } from "${core}/devices/loopback/loopback-device.ts";
import { ownUsbRig } from "${core}/rigs/own-rig.ts";
export default ownUsbRig({ name: "mine", summary: "mine", devices: [{ name: "a plug", make: () => new LoopbackDevice() }], bundles: [] });
`,
  );
  const loop = join(dexts, "loop");
  const named = drydock("run", loop, "--rig", "serial");
  assert.equal(named.status, 0, named.stderr);
  assert.match(named.stderr, /Loop: started/);
  const own = drydock("run", loop, "--rig", file);
  assert.match(own.stderr, /plugged in: a plug/);
  assert.equal(own.status, 1, "no personality takes this device");
  const tested = drydock("test", loop, "--rig", "serial", "--most", "2", "--for", "0.3", "--json");
  assert.equal(tested.status, 0, tested.stdout + tested.stderr);
  assert.deepEqual(JSON.parse(tested.stdout).findings, []);
});

test("bytes that nobody wrote are found by two runs whose fresh memory differs: P02's bad driver", () => {
  const cpp = join(import.meta.dirname, "../../../../cases/P02-set-line-coding/cpp");
  const files = ["Info.plist", "P02Driver.iig", "P02Driver.cpp", "bad/SetLineCoding.cpp"];
  const tested = drydock("test", ...files.map((file) => join(cpp, file)), "--most", "1", "--for", "0.3");
  assert.equal(tested.status, 1, tested.stderr);
  assert.match(
    tested.stdout,
    /DeviceRequest sent 7 bytes, and the driver wrote none of them, in .*SetLineCoding\.cpp:\d+/,
  );
});

test("--watch: a verdict after each edit, a mistake told with its place, only what has changed compiled, 130 at the end", async () => {
  const copy = join(folder, "watched");
  cpSync(join(dexts, "loop"), copy, { recursive: true });
  const words = [command, "dext", "test", copy, "--watch", "--json", "--most", "1", "--for", "0.3"];
  const child = spawn(process.execPath, words, { stdio: ["ignore", "pipe", "pipe"] });
  const ended = once(child, "exit");
  try {
    const documents = createInterface(child.stdout)[Symbol.asyncIterator]();
    const talk = createInterface(child.stderr)[Symbol.asyncIterator]();
    const waits = async (): Promise<string> => {
      for (;;) {
        const { done, value } = await talk.next();
        assert.ok(!done, "it ended");
        if (/waiting for an edit/.test(value)) return value;
      }
    };
    const next = async () => JSON.parse((await documents.next()).value ?? "null");
    assert.deepEqual((await next()).findings, []);
    await waits();
    const source = join(copy, "LoopDriver.cpp");
    const text = readFileSync(source, "utf8");
    writeFileSync(source, `${text}\nint wrong = right;\n`);
    const [mistake] = (await next()).diagnostics;
    assert.deepEqual([mistake.path, /'right'/.test(mistake.message)], [source, true]);
    await waits();
    writeFileSync(source, `${text}\n`);
    assert.deepEqual((await next()).findings, []);
    assert.match(await waits(), /^1 files compiled; verdict after \d+\.\d+ s/);
    child.kill("SIGINT");
    assert.deepEqual(await ended, [130, null]);
  } finally {
    child.kill("SIGKILL");
    await ended;
  }
});
