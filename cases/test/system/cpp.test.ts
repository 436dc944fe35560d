// The cases in C++: wrong for the true reason with file and line, right, and step for step as in TypeScript.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { diagnose } from "@drydock/doctor/diagnose";
import { sourceOfText } from "@drydock/doctor/facts/evidence-source";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { compareLanguages, compileSide } from "../../cpp-case.ts";
import { loadCppCase } from "../../cpp-doors.ts";
import { realSystem } from "../../P11-interrupt-queue-trap/bad-driver.ts";
import { stormOver } from "../../P11-interrupt-queue-trap/cpp-case.ts";

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
  P09: [["cpp/bad/Fill.cpp", "only fRequestedByteCountOfTransfer", /the drive takes it from the transport/]],
  P15: [
    [
      "cpp/bad/Power.cpp",
      "return SetPowerState(powerFlags, SUPERDISPATCH);",
      /inside the 20 s of a hosted service/,
    ],
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

/** Interrupts for each of ten seeds, and for the right dext; 10^6 by `npm run endurance -- dext-interrupts`. */
const interrupts = Number(process.env.DRYDOCK_DEXT_INTERRUPTS ?? 150_000);

test("P11 in C++: the trap comes when it comes in TypeScript, and the release that causes it is named", async () => {
  const one = await loadCppCase("P11");
  const run = await one.run("bad", options);
  const twin = await one.entry.run("bad", options);
  assert.equal(run.succeeded, false);
  assert.match(run.result, /already owned by current thread, after \d+ interrupts raised$/);
  assert.ok(twin.result.startsWith(run.result), `${run.result}\n${twin.result}`);
  assert.equal(compareLanguages(one.entry, twin, run).difference, null);
  const [{ line, path }] = run.places;
  const text = readFileSync(new URL(path, one.folder), "utf8").split("\n")[line - 1];
  assert.match(text, /old->release\(\);/);
  // By the rules that hold unless somebody asks for a real system's, the run ends at the release.
  const stopped = await stormOver(
    new LoadedDext(await compileSide(one, "bad", options)),
    "bad",
    interrupts,
    options,
  );
  assert.match(
    stopped.result,
    new RegExp(
      `^queue-freed-under-source: .* 1 source\\(s\\).*, in ResetQueues \\(Channels\\.cpp:${line + 1}\\)`,
    ),
  );
  const good = await one.run("good", options);
  assert.deepEqual([good.succeeded, good.places], [true, []]);
  assert.equal(good.result, (await one.entry.run("good", options)).result);
});

test(`P11 in C++: ten seeds trap within ${interrupts} interrupts each, and the right dext bears as many`, async () => {
  const one = await loadCppCase("P11");
  const [bad, good] = [await compileSide(one, "bad", options), await compileSide(one, "good", options)];
  for (let seed = 1; seed <= 10; seed++) {
    const dext = new LoadedDext(bad, { queueRules: realSystem });
    const { result } = await stormOver(dext, "bad", interrupts, { ...options, seed });
    dext.close();
    assert.match(result, /already owned by current thread, after \d+ interrupts raised$/, `seed ${seed}`);
  }
  const dext = new LoadedDext(good);
  const run = await stormOver(dext, "good", interrupts, options);
  dext.close();
  assert.equal(run.succeeded, true, run.result);
  assert.match(
    run.result,
    new RegExp(`^${interrupts} interrupts raised, \\d+ callbacks, ${interrupts} completions$`),
  );
});

test("a case that is not written in C++ says which are", async () => {
  await assert.rejects(loadCppCase("P10"), /P10 is not written in C\+\+; these are: P02/);
});
