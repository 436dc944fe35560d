// How a dext that goes wrong ends: each way named, none a success; what does not compile is told in its own files.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { before, test } from "node:test";
import type { Properties } from "@drydock/core/platform/properties";
import { hostTurn } from "@drydock/node/host-turn";
import type { DextOptions } from "../../src/host/dext-bundle.ts";
import { WorkerEngine } from "../../src/host/worker-engine.ts";
import { compileDext, DextBuildError } from "../../src/run/compile-dext.ts";
import { askedRig } from "../../src/run/dext-rig.ts";
import { runDext } from "../../src/run/dext-run.ts";

const folder = join(import.meta.dirname, "../dexts/ends");
let described: Awaited<ReturnType<typeof compileDext>>;
before(async () => {
  described = await compileDext([folder]);
});

/** Numbers of Ends.cpp. */
const endings = {
  fine: 0,
  notImplemented: 1,
  ignored: 2,
  deadlock: 3,
  neverWoken: 4,
  actionLeft: 6,
  moreLeft: 7,
  crowd: 8,
  recursion: 9,
  division: 10,
  noMemory: 11,
  backAgain: 12,
};

function run(ending: keyof typeof endings, options: DextOptions = {}) {
  const { info } = described;
  const personality = (info.IOKitPersonalities as Properties).Ends as Properties;
  return runDext(
    {
      ...described,
      info: { ...info, IOKitPersonalities: { Ends: { ...personality, Ending: endings[ending] } } },
    },
    ({ bundle }) => askedRig(bundle, { seed: 1, turn: hostTurn }),
    { settleNs: 3e8, tracesObjects: true, ...options },
  );
}

test("nothing wrong: started, no finding, nothing left", async () => {
  const { findings, isStarted, leaks, uncounted } = await run("fine");
  assert.deepEqual([isStarted, findings, leaks, uncounted], [true, [], [], []]);
});

test("a call that the host has not ends the run as such, whatever the driver does with its answer", async () => {
  for (const ending of ["notImplemented", "ignored"] as const) {
    const result = await run(ending);
    assert.deepEqual(result.notImplemented, ["IOService.CoreAnalyticsSendEvent"]);
    assert.match(
      result.findings.join("\n"),
      /not implemented: IOService\.CoreAnalyticsSendEvent, called in .*Ends::Start_Impl.*Ends\.cpp:\d+/,
    );
    assert.equal(result.isStarted, false);
  }
});

test("a deadlock is named with who waits for what, and who holds it", async () => {
  const queues = await run("deadlock");
  assert.match(queues.findings.join("\n"), /deadlock: .*waits for .*first.*held by/);
  const lock = await run("neverWoken");
  assert.match(
    lock.findings.join("\n"),
    /waits for IOLockLock of the lock at 0x[0-9a-f]+ in .*Ends\.cpp:\d+\)?, held by .*Default/,
  );
});

test("DispatchSync back to a queue that waits for it runs at once, and is told with its place", async () => {
  const { findings, isStarted, notes } = await run("backAgain");
  assert.deepEqual([isStarted, findings], [true, []]);
  assert.match(
    notes.join("\n"),
    /DispatchSync from queue second back to queue first, which waits for it: .*, in .*Ends::Start_Impl.*Ends\.cpp:\d+/,
  );
});

test("after a Start that failed, actions and what they hold are told apart from what leaked", async () => {
  const action = await run("actionLeft");
  assert.deepEqual([action.findings, action.leaks, action.isStarted], [[], [], false]);
  assert.match(action.uncounted[0], /not counted as leaks, as Start failed/);
  assert.match(action.uncounted.slice(1).sort().join("\n"), /^Ends\b.*\nOSAction.*\nOSArray.*Ends\.cpp:\d+/);
  const more = await run("moreLeft");
  assert.equal(more.leaks.length, 1);
  assert.match(more.leaks[0], /^OSArray made in .*Ends\.cpp:\d+/);
  assert.equal(more.uncounted.length, action.uncounted.length);
});

test("traps and memory that is used up: named, with the line, and the host goes on", async () => {
  assert.match(
    (await run("recursion")).findings.join("\n"),
    /the stack is exhausted: endless recursion, in Deeper \(Ends\.cpp:\d+\)|a task needed more than 128 KiB of stack/,
  );
  assert.match((await run("division")).findings.join("\n"), /by zero, in Ends::Start_Impl \(Ends\.cpp:\d+\)/);
  const { isStarted, outcomes } = await run("noMemory");
  assert.equal(isStarted, false);
  assert.match(outcomes.join("\n"), /0xe00002bd|kIOReturnNoMemory/);
});

test("without JSPI: the same log, findings, leaks, places and digest of each ending", async () => {
  for (const ending of Object.keys(endings) as (keyof typeof endings)[]) {
    if (ending === "crowd" || ending === "recursion") continue;
    const [suspended, inThreads] = [
      await run(ending, { suspends: "jspi" }),
      await run(ending, { suspends: "threads" }),
    ];
    assert.deepEqual(inThreads, suspended, ending);
  }
});

test("without JSPI: more calls that wait at once than there are threads are named, with it they are not", async () => {
  const suspended = await run("crowd");
  assert.deepEqual([suspended.isStarted, suspended.findings], [true, []]);
  assert.equal(suspended.log.filter((line) => / has slept, 12 have/.test(line)).length, 1);
  assert.deepEqual(await run("crowd", { suspends: "threads" }), suspended);
  const few = await run("crowd", { makeEngine: (image, find) => new WorkerEngine(image, find, 4) });
  assert.match(few.findings.join("\n"), /more than 4 calls wait at once, and without JSPI/);
});

for (const [what, file, from, to, said] of [
  [
    "a mistake in a .cpp",
    "Ends.cpp",
    "turns = turns + 1;",
    "turns = turns + one;",
    /Ends\.cpp:\d+:\d+: error: .*'one'/,
  ],
  [
    "a class that nobody declares",
    "Ends.cpp",
    "OSArray * list;",
    "OSArrow * list;",
    /Ends\.cpp:\d+:\d+: error: .*'OSArrow'/,
  ],
  [
    "a wrong cast, inside of our header",
    "Ends.cpp",
    "OSDynamicCast(OSNumber,",
    "OSDynamicCast(Ends_IVars,",
    /Ends\.cpp:\d+:\d+: error: /,
  ],
  [
    "an .iig method without its code",
    "Ends.iig",
    "virtual void free() override;",
    "virtual void free() overrid;",
    /Ends\.iig:\d+:\d+: error: /,
  ],
  ["a TYPE that is another", "Ends.iig", "uint64_t time)", "uint32_t time)", /Ends\.iig:\d+:\d+: error: /],
  [
    "a file that ends in a function",
    "Ends.cpp",
    "void IMPL(Ends, Ticked) {}",
    "void IMPL(Ends, Ticked) {",
    /Ends\.cpp:\d+:\d+: error: /,
  ],
] as const)
  test(`does not compile: ${what} is told in the driver's own file, nothing in ours`, async () => {
    const copy = mkdtempSync(join(tmpdir(), "drydock-ends-"));
    try {
      cpSync(folder, copy, { recursive: true });
      const text = readFileSync(join(copy, file), "utf8");
      assert.ok(text.includes(from));
      writeFileSync(join(copy, file), text.replace(from, to));
      await assert.rejects(compileDext([copy]), (error) => {
        assert.ok(error instanceof DextBuildError);
        assert.match(error.message, said);
        for (const line of error.message.split("\n")) assert.ok(line.startsWith(`${copy}/`), line);
        return true;
      });
    } finally {
      rmSync(copy, { recursive: true, force: true });
    }
  });
