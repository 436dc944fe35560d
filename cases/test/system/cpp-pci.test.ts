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
import { playOver } from "../../P16-contiguous-dma/cpp-case.ts";

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

test("P16 in C++: the processor's address is refused and silent; the right list plays every frame, and its end leaves nothing", async () => {
  const one = await loadCppCase("P16");
  const bad = await one.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.result, /^0 of 48000 frames were heard; \d+ frames of silence, as the IOMMU refused/);
  const [{ line, path }] = bad.places;
  const text = readFileSync(new URL(path, one.folder), "utf8").split("\n")[line - 1];
  assert.match(text, /PutEntry\(list, number, range\.address/);
  const [refusal] = bad.dma?.iommu.refusals ?? [];
  assert.deepEqual([refusal.reason, refusal.isWrite], ["no mapping", false]);
  const dext = new LoadedDext(await compileSide(one, "good", options));
  const { rig, run } = await playOver(dext, options);
  assert.equal(run.succeeded, true);
  assert.equal(run.result, (await one.entry.run("good", options)).result);
  assert.equal(rig.pci.iommu.refusedCount, 0);
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.deepEqual(dext.describeLeaks(), []);
  dext.close();
});
