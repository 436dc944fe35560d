// The SCSI cases in C++ beyond their two sides: P09 on every path, P18's ledger, writes, and the cable pulled.

import assert from "node:assert/strict";
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "@drydock/core/base/random";
import { defaultRingHbaRig } from "@drydock/core/rigs/ring-hba-rig";
import { runRingHbaScenario } from "@drydock/core/trials/nvme-campaign";
import { type RandomWritesResult, startRandomWrites } from "@drydock/core/trials/random-writes";
import { unplugAtEveryStep } from "@drydock/core/trials/scenario";
import { LoadedDext } from "@drydock/dext/host/dext-bundle";
import { compileDext } from "@drydock/dext/run/compile-dext";
import { diagnose } from "@drydock/doctor/diagnose";
import { cppGrammar } from "@drydock/node/cpp-grammar";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "../../case-report.ts";
import { compileSide } from "../../cpp-case.ts";
import { loadCppCase } from "../../cpp-doors.ts";
import { drivePaths, openDrive, updateFirmware } from "../../P09-sendcdb-uas/case.ts";
import { updateByClient } from "../../P09-sendcdb-uas/cpp-case.ts";
import { postedProfile, postedTarget } from "../../P18-zero-dma/ledger-bench.ts";

const options = { seed: 9, turn: hostTurn, cppGrammar };

test("P09 in C++: the right dext moves the same bytes over Bulk-Only and UAS, and the wrong one only over Bulk-Only", async () => {
  const one = await loadCppCase("P09");
  for (const side of ["good", "bad"] as const) {
    const built = await compileSide(one, side, options);
    for (const path of drivePaths) {
      const dext = new LoadedDext(built);
      const lengthFrom = side === "good" ? "CDB" : "CBW";
      const drive = await openDrive(dext.bundle, { ...options, path, lengthFrom });
      for (const bytes of side === "good" ? [512, 513, 4096] : [4096]) {
        const { image, load, readBack } = await updateFirmware(drive, bytes, 3, updateByClient);
        const moves = side === "good" || path === "Bulk-Only" ? bytes : 0;
        assert.equal(load.answer.fRealizedByteCountOfTransfer, moves, `${side}, ${path}`);
        assert.equal(readBack.answer.fRealizedByteCountOfTransfer, moves, `${side}, ${path}`);
        if (moves > 0) assert.deepEqual(readBack.bytes, image);
      }
      dext.close();
    }
  }
});

test("P18 in C++: the ledger says where the six bytes went, and the doctor names the row", async () => {
  const one = await loadCppCase("P18");
  const bad = await one.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(bad.dma?.text ?? "", /write: went to local memory at 0x801\w+: 00 00 05 12 1F 00\n/);
  assert.match(bad.dma?.text ?? "", /buffer before completion: 00 00 00 00 00 00\n/);
  const [{ line, path }] = bad.places;
  const text = readFileSync(new URL(path, one.folder), "utf8").split("\n")[line - 1];
  assert.equal(text, "    entry[15] = kLocalMemory;");
  let name = 0;
  const { answers } = await diagnose(evidenceOfRun(bad, () => `file-${++name}`));
  assert.equal(answers[0]?.rule, "DR18-7");
  assert.match(answers[0].claim, /own memory|local/);
  const good = await one.run("good", options);
  assert.deepEqual([good.succeeded, good.places], [true, []]);
  assert.equal(good.result, (await one.entry.run("good", options)).result);
  assert.match(good.dma?.text ?? "", /holds 00 00 05 12 1F 00 after completion\n.*device write: delivered\n/);
});

test("P18 in C++: a dext that looks at a task's data sees what the hardware wrote, when the entry is right", async () => {
  const one = await loadCppCase("P18");
  const folder = mkdtempSync(join(tmpdir(), "drydock-p18-"));
  try {
    cpSync(fileURLToPath(new URL("cpp", one.folder)), folder, { recursive: true });
    rmSync(join(folder, "good"), { recursive: true });
    const entry = join(folder, "bad/Entry.cpp");
    writeFileSync(entry, readFileSync(entry, "utf8").replace("kLocalMemory;", "kSystemMemory;"));
    const dext = new LoadedDext(await compileDext([folder]));
    const rig = defaultRingHbaRig(1, hostTurn, {
      profile: postedProfile,
      target: postedTarget,
      bundles: [dext.bundle],
    });
    await rig.openMedia();
    const lines = rig.machine.log.show().map(({ message }) => message);
    assert.ok(lines.includes("P18 data in the dext: 00 00 05 12 1F 00"), lines.join("\n"));
    dext.close();
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("P18 in C++: 4 MiB of random writes through the right dext read back", async () => {
  const dext = new LoadedDext(await compileSide(await loadCppCase("P18"), "good", options));
  const rig = defaultRingHbaRig(1, hostTurn, { bundles: [dext.bundle] });
  const media = await rig.openMedia();
  const results: RandomWritesResult[] = [];
  const wanted = { random: new Random(3), totalBytes: 4 << 20, largestBytes: 1 << 18 };
  startRandomWrites(media, wanted, (result) => results.push(result));
  const { scheduler } = rig.machine;
  await scheduler.run(scheduler.nowNs() + 3600e9, () => results.length > 0);
  assert.deepEqual(
    results.map(({ failures, wrongAt }) => [failures, wrongAt]),
    [[{}, null]],
  );
  assert.equal(rig.pci.iommu.refusedCount, 0);
  dext.close();
});

test("P18 in C++: pulled at every fifteenth step, the right dext ends and leaks nothing", async () => {
  const built = await compileSide(await loadCppCase("P18"), "good", options);
  const { failures, steps } = await unplugAtEveryStep(async (unplugAtStep) => {
    const dext = new LoadedDext(built);
    const plan = { seed: 16, turn: hostTurn, profile: postedProfile, unplugAtStep, bundles: [dext.bundle] };
    const result = await runRingHbaScenario(plan);
    const problems = [...result.problems, ...dext.describeLeaks()];
    dext.close();
    return { ...result, problems };
  }, 15);
  assert.deepEqual(failures, []);
  assert.ok(steps > 200, `${steps} steps`);
});
