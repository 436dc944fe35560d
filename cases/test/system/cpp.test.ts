// The cases in C++: wrong for the true reason with file and line, right, and step for step as in TypeScript.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { compareLanguages } from "../../cpp-case.ts";
import { loadCppCase } from "../../cpp-doors.ts";

const options = { seed: 22, turn: hostTurn, cppGrammar };

/** What the line of each place holds, and what is said of it. */
const reasons: Readonly<Record<string, readonly (readonly [path: string, line: string, text: RegExp])[]>> = {
  P02: [
    [
      "cpp/bad/SetLineCoding.cpp",
      "kern_return_t ret = ivars->interface->DeviceRequest(",
      /^DeviceRequest sent 7 bytes, and the driver wrote none of them, in P02Driver::SetLineCoding/,
    ],
    ["cpp/bad/SetLineCoding.cpp", "memcpy(&ptr, wanted, length);", /over the variable/],
  ],
  P17: [["cpp/bad/Trace.cpp", "os_log(OS_LOG_DEFAULT", /the only trace of a ping/]],
  P20: [["cpp/bad/NullDriver.entitlements", "<dict>", /lack com\.apple\.developer\.driverkit\.allow-any/]],
};

for (const [id, expected] of Object.entries(reasons)) {
  test(`${id} in C++: the wrong dext fails for the true reason, with file and line`, async () => {
    const one = await loadCppCase(id);
    const run = await one.run("bad", options);
    assert.equal(run.succeeded, false);
    assert.equal(run.places.length, expected.length);
    for (const [at, [path, line, text]] of expected.entries()) {
      const place = run.places[at];
      assert.equal(place.path, path);
      assert.ok(
        readFileSync(new URL(path, one.folder), "utf8").split("\n")[place.line - 1]?.includes(line),
        line,
      );
      assert.match(place.text, text);
    }
    const twin = await one.entry.run("bad", options);
    assert.equal(run.result, twin.result);
    const { compared, difference } = compareLanguages(one.entry, twin, run);
    assert.ok(compared >= 6, `${compared} steps`);
    assert.equal(difference, null);
  });

  test(`${id} in C++: the right dext does what its user wanted, as its twin in TypeScript`, async () => {
    const one = await loadCppCase(id);
    const run = await one.run("good", options);
    assert.equal(run.succeeded, true);
    assert.deepEqual(run.places, []);
    const twin = await one.entry.run("good", options);
    assert.equal(run.result, twin.result);
    assert.equal(compareLanguages(one.entry, twin, run).difference, null);
  });
}

test("P06 in C++: the header is refused by the rules, and at the lines, of the case in TypeScript", async () => {
  const one = await loadCppCase("P06");
  const bad = await one.run("bad", options);
  assert.equal(bad.succeeded, false);
  const twin = await one.entry.run("bad", options);
  const files = (twin.evidence ?? []).map((file) => sourceOfText("header", "text" in file ? file.text : ""));
  const { answers, hints } = await diagnose(files, { cppGrammar });
  const expected = [...answers, ...hints].map(
    ({ because, claim, rule }) => `${because[0].line} ${rule} ${claim}`,
  );
  assert.deepEqual(bad.places.map(({ line, text }) => `${line} ${text}`).toSorted(), expected.toSorted());
  assert.equal(expected.length, 4);
});

test("P06 in C++: the gamepad of the .iig file is published, and the game sees what it posts", async () => {
  const one = await loadCppCase("P06");
  const good = await one.run("good", options);
  assert.deepEqual([good.succeeded, good.places], [true, []]);
  assert.equal(good.result, (await one.entry.run("good", options)).result);
});

test("a case that is not written in C++ says which are", async () => {
  await assert.rejects(loadCppCase("P09"), /P09 is not written in C\+\+; these are: P02/);
});
