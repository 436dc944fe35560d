// The PCI cases in C++ over what their posts ask: unplugs by seed, and the cable pulled at every step.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { unplugAtEveryStep } from "@drydock/core/trials/scenario";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { compareLanguages, compileSide } from "../../cpp-case.ts";
import { loadCppCase } from "../../cpp-doors.ts";
import { HbaBench, runHbaScenario } from "../../P14-unplug-panic/hba-bench.ts";

const turn = hostTurn;
const options = { seed: 22, turn, cppGrammar };

test("P14 in C++: the panic comes at the unplug and the read of the driver in TypeScript, and the read's line is named", async () => {
  const one = await loadCppCase("P14");
  const bad = await one.run("bad", options);
  const twin = await one.entry.run("bad", options);
  assert.equal(bad.succeeded, false);
  // The same panic; how the reader is called differs: a C++ method with its line, and a method of a class.
  const before = (text: string) => text.slice(0, text.indexOf(" queue "));
  assert.equal(before(bad.result), before(twin.result));
  assert.match(bad.result, /^panic in unplug \d+: LLC Bus error .* \(BAR0\+0x8, read on /);
  const [{ line, path }] = bad.places;
  assert.match(bad.result, new RegExp(`P14Driver::(Ticked|Interrupted) \\(Adapter\\.cpp:${line}\\)\\)$`));
  const text = readFileSync(new URL(path, one.folder), "utf8").split("\n")[line - 1];
  assert.match(text, /MemoryRead32\(0, kStatus, &status\)/);
  assert.equal(compareLanguages(one.entry, twin, bad).difference, null);
  const good = await one.run("good", options);
  assert.deepEqual([good.succeeded, good.places], [true, []]);
  assert.equal(good.result, (await one.entry.run("good", options)).result);
});

test("P14 in C++: the wrong dext panics within a hundred unplugs for each of ten seeds", async () => {
  const built = await compileSide(await loadCppCase("P14"), "bad", options);
  for (let seed = 1; seed <= 10; seed++) {
    const dext = new LoadedDext(built);
    const bench = new HbaBench({ seed, turn, driver: dext.bundle, name: "bad" });
    assert.ok((await bench.cycles(100)) < 100, `seed ${seed}`);
    assert.match(bench.rig.machine.failure?.text ?? "", /^LLC Bus error/);
    dext.close();
  }
});

test("P14 in C++: pulled at every step, the right dext ends, leaks no mapping and touches no dead link", async () => {
  const built = await compileSide(await loadCppCase("P14"), "good", options);
  const { explored, failures, steps } = await unplugAtEveryStep(async (unplugAtStep) => {
    const dext = new LoadedDext(built);
    const result = await runHbaScenario({ seed: 3, turn, driver: dext.bundle, name: "good", unplugAtStep });
    const problems = [...result.problems, ...dext.describeLeaks()];
    dext.close();
    return { ...result, problems };
  });
  assert.deepEqual(failures, []);
  assert.ok(steps > 100, `${steps} steps`);
  assert.equal(explored, steps);
});
