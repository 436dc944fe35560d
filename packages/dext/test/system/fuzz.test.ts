// Fuzzing finds what was planted, makes it small and says it in one line; three sound dexts each way bear it all.

import assert from "node:assert/strict";
import { join } from "node:path";
import { test } from "node:test";
import type { Properties } from "@drydock/core/platform/properties";
import { hostTurn } from "@drydock/node/host-turn";
import { compileDext } from "../../src/run/compile-dext.ts";
import { caseText, type FuzzFeed, readCase } from "../../src/run/fuzz-input.ts";
import { fuzzDext, replayCase } from "../../src/run/fuzz-search.ts";

/** Inputs for each dext and each way; 10^6 by `npm run endurance -- dext-fuzz`. */
const inputs = Number(process.env.DRYDOCK_DEXT_FUZZ ?? 1000);
const dexts = join(import.meta.dirname, "../dexts");
const repository = join(import.meta.dirname, "../../../..");
const client = join(repository, "cases/P20-userclient-sample/cpp");

async function built(paths: readonly string[], isFaulty = false) {
  const described = await compileDext(paths, { sanitize: true, coverage: true });
  const table = described.info.IOKitPersonalities as Record<string, Properties>;
  const personalities = Object.fromEntries(
    Object.entries(table).map(([name, each]) => [name, { ...each, Faulty: isFaulty }]),
  );
  return { ...described, info: { ...described.info, IOKitPersonalities: personalities } };
}

/** What Frames.cpp does wrong with "Faulty", by the line that does it. */
const planted: Readonly<Record<FuzzFeed, readonly RegExp[]>> = {
  calls: [
    /index \d+ is outside of uint8_t\[48\], in FramesDriver::Store \(Frames\.cpp:159\)/,
    /division by zero, in FramesDriver::SetPeriod \(Frames\.cpp:151\)/,
  ],
  answers: [
    /heap-buffer-overflow: a read of \d+ bytes, right behind a buffer of 64 bytes, made in FramesDriver::Start_Impl \(Frames\.cpp:68\), in .*Frames\.cpp:128\)/,
    /a read of const uint32_t at 0x[0-9a-f]+, which is no multiple of 4, in .*Frames\.cpp:134\)/,
  ],
};

for (const feed of ["calls", "answers"] as const)
  test(`planted faults (${feed}): found within 2,000 inputs, shrunk to one or two, replayed by their line`, async () => {
    const description = await built([join(dexts, "frames")], true);
    const options = { description, feed, seed: 1, inputs: 2000, turn: hostTurn, findingsMost: 3 };
    const report = await fuzzDext(options);
    for (const pattern of planted[feed]) {
      const finding = report.findings.find(({ what }) => pattern.test(what));
      assert.ok(finding, `${pattern} among ${report.findings.map(({ what }) => what).join("\n")}`);
      assert.ok(finding.shrunk.inputs.length <= 2, caseText(finding.shrunk));
      const line = caseText(finding.shrunk);
      assert.equal(caseText(readCase(line)), line);
      const again = await replayCase(readCase(line), { description, turn: hostTurn });
      assert.ok(again.some((what) => pattern.test(what)));
      const sound = await replayCase(readCase(line), {
        description: await built([join(dexts, "frames")]),
        turn: hostTurn,
      });
      assert.deepEqual(sound, [], "the sound form refuses the same inputs");
    }
  });

const ways: readonly (readonly [name: string, feed: FuzzFeed, paths: readonly string[], atLeast: number])[] =
  [
    ["frames", "calls", [join(dexts, "frames")], 200],
    ["loop", "calls", [join(dexts, "loop")], 300],
    [
      "the user client of P20",
      "calls",
      [
        ...[
          "NullDriver.iig",
          "NullDriver.cpp",
          "NullDriverUserClient.iig",
          "NullDriverUserClient.cpp",
          "Info.plist",
        ].map((name) => join(client, name)),
        join(client, "good/NullDriver.entitlements"),
      ],
      40,
    ],
    ["frames", "answers", [join(dexts, "frames")], 280],
    ["loop", "answers", [join(dexts, "loop")], 300],
    ["ftdi-dext", "answers", [join(repository, "examples/ftdi-dext")], 300],
  ];

for (const [name, feed, paths, atLeast] of ways)
  test(`${name} bears ${inputs} ${feed}`, async (context) => {
    const description = await built(paths);
    const report = await fuzzDext({ description, feed, seed: 1, inputs, turn: hostTurn });
    assert.equal(report.idle, null);
    assert.deepEqual(
      report.findings.map(({ shrunk, what }) => `${what}: ${caseText(shrunk)}`),
      [],
    );
    assert.equal(report.inputs, inputs);
    assert.ok(report.blocksRun >= atLeast, `${report.blocksRun} of ${report.blocks} blocks`);
    context.diagnostic(
      `${name}, ${feed}: ${report.inputs} inputs in ${report.sessions} sessions, ${report.blocksRun} of ${report.blocks} blocks`,
    );
  });

test("the same seed finds the same; another does not", async () => {
  const description = await built([join(dexts, "frames")], true);
  const run = async (seed: number) => {
    const report = await fuzzDext({
      description,
      feed: "calls",
      seed,
      inputs: 1000,
      turn: hostTurn,
      findingsMost: 1,
    });
    return report.findings.map(({ foundAfter, shrunk }) => [caseText(shrunk), foundAfter]);
  };
  const [first, again, other] = [await run(3), await run(3), await run(4)];
  assert.ok(first.length > 0);
  assert.deepEqual(again, first);
  assert.notDeepEqual(other, first);
});

test("lines that nobody wrote are refused with what is wrong", () => {
  for (const [line, said] of [
    ["", /begins with "calls:SEED:"/],
    ["calls:x:", /begins with/],
    ["calls:99999999999999999999:", /begins with/],
    ["calls:1:0.0()", /is no call of a user client/],
    ["calls:1:d00", /is no call of a user client/],
    ["answers:1:0.0()=/0/0", /is no answer of a device/],
    ["answers:1:d0", /is no byte in hexadecimal/],
    ["answers:1:d[99999*00]", /more than 65536 bytes/],
    [`answers:1:${"d00 ".repeat(5000)}`, /at most 4096 inputs/],
    ["calls:1:0.0(fffffffffffffffff)=/0/0", /scalars that nobody can pass/],
  ] as const)
    assert.throws(() => readCase(line), said);
  const empty = readCase("answers:5:");
  assert.deepEqual(empty, { feed: "answers", seed: 5, inputs: [] });
});
