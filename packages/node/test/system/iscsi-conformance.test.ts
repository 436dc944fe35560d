// libiscsi's conformance suite, every test of it, on our target; docs/iscsi-conformance.md is made from the run.

import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import type { ScsiUnitOptions } from "@drydock/core/devices/scsi-disk/unit-options";
import { IscsiTarget } from "@drydock/core/outlets/iscsi/iscsi-target";
import { HbaTarget } from "@drydock/core/rigs/hba-target";
import { defaultRaidRig } from "@drydock/core/rigs/raid-rig";
import { HostClock } from "@drydock/node/host-clock";
import { hostTurn } from "@drydock/node/host-turn";
import { listenIscsi, secureRandomBytes } from "@drydock/node/iscsi-listener";
import { LiveRunner } from "@drydock/node/live-runner";
import { conformancePage, type Run, type RunPlan, readRun, unitText } from "./iscsi-conformance-page.ts";

const suite = "iscsi-test-cu";
const listing = spawnSync(suite, ["-l"], { encoding: "utf8" });
const skip = listing.error === undefined ? false : "needs the Debian package libiscsi-bin";
const name = "iqn.2026-01.org.example:disk";
const root = join(import.meta.dirname, "../../../..");

/** `Family.Test` of everything that the suite has. */
const allTests = (listing.stdout ?? "")
  .split("\n")
  .flatMap((line) => /^ALL\.([^.]+\.[^.\s]+)$/.exec(line)?.[1] ?? []);
const families = [...new Set(allTests.map((entry) => entry.split(".")[0]))];

const large: ScsiUnitOptions = { blockCount: 131072 };
const physical: ScsiUnitOptions = { ...large, physicalExponent: 3, writesSameToEnd: true };
const removable: ScsiUnitOptions = { ...large, isRemovable: true };
/** Families that wait by sleeping: they run beside the others. */
const sleepers = ["Reserve6", "iSCSIcmdsn", "iSCSIdatasn", "iSCSISendTargets", "iSCSINop"];
/** They count blocks up to 256 in a field that ends at 255, unless the unit is smaller. */
const counting = ["CompareAndWrite.Simple", "CompareAndWrite.Miscompare"];
const elsewhere = new Set([...sleepers, "CompareAndWrite", "Sanitize"]);

const plans: readonly RunPlan[] = [
  {
    unit: large,
    tests: [
      ...families.filter((family) => !elsewhere.has(family)),
      ...allTests.filter((entry) => entry.startsWith("CompareAndWrite.") && !counting.includes(entry)),
    ],
  },
  { unit: large, tests: families.filter((family) => sleepers.includes(family)) },
  { unit: { blockCount: 255 }, tests: counting },
  {
    unit: large,
    tests: allTests.filter((entry) => entry.startsWith("Sanitize.") && entry !== "Sanitize.Reset"),
    flags: ["--allow-sanitize"],
  },
  { unit: { ...large, isWriteProtected: true }, tests: ["ReadOnly"] },
  {
    unit: physical,
    tests: allTests.filter((entry) =>
      /^WriteSame(16\.|10\.(?!UnmapUntilEnd))(?!InvalidDataOutSize)/.test(entry),
    ),
  },
  { unit: removable, tests: ["NoMedia", "PreventAllow", "StartStopUnit.Simple"] },
];

/** Behind an adapter: all but those that sleep, and those that are wrong on a unit of this size. */
const adapterPlan: RunPlan = {
  // What the adapter moves at once is what the drive may promise (page B0h).
  unit: { ...large, maximumTransferBytes: 1 << 20 },
  isBehindAdapter: true,
  tests: [
    ...families.filter((family) => !elsewhere.has(family)),
    ...allTests.filter((entry) => entry.startsWith("CompareAndWrite.") && !counting.includes(entry)),
  ],
};

/** Tests that are wrong somewhere: run there, they must fail in just these words. */
const faulty: readonly (RunPlan & { readonly failures: RegExp })[] = [
  {
    unit: large,
    tests: counting,
    failures: /^COMPAREANDWRITE successful but should have failed with ILLEGAL_REQUEST/,
  },
  {
    unit: { ...large, hasLongCommands: true },
    tests: ["ReportSupportedOpcodes.OneCommand"],
    failures: /^CDB\[0\] Usage Data was 0x00, expected 0x7f/,
  },
  {
    unit: physical,
    tests: ["CompareAndWrite.InvalidDataOutSize"],
    failures: /^COMPAREANDWRITE failed with wrong sense\. .* 0x0e|\(0x1d00\)/,
  },
  { unit: physical, tests: ["GetLBAStatus.UnmapSingle"], failures: /lba offset in first descriptor/ },
  {
    unit: physical,
    tests: ["WriteSame10.InvalidDataOutSize", "WriteSame16.InvalidDataOutSize"],
    failures: /^WRITESAME1[06] successful but should have failed/,
  },
  {
    unit: physical,
    tests: ["WriteSame10.UnmapUntilEnd"],
    failures: /Blocks did not read back/,
  },
  {
    unit: removable,
    tests: ["StartStopUnit.NoLoej"],
    failures: /^TESTUNITREADY command failed .* NOT READY\(0x02\) \/ ASCQ .*\(0x0402\)/,
  },
  {
    unit: removable,
    tests: ["StartStopUnit.PwrCnd"],
    failures: /^STARTSTOPUNIT command failed .* INVALID_FIELD_IN_CDB/,
  },
];

function openUnit(unit: ScsiUnitOptions) {
  const clock = new HostClock();
  const port = new ScsiDiskDevice({ clock, units: [unit] });
  return { clock, port, steps: clock, end: async () => clock.stop() };
}

async function behindAdapter(unit: ScsiUnitOptions) {
  const options = { timing: "none", trace: false, device: { latencyNs: [0, 0] }, drives: [[unit]] } as const;
  const rig = defaultRaidRig(1, hostTurn, options);
  await rig.openMedia();
  const runner = new LiveRunner(rig.machine.scheduler);
  void runner.start();
  const [drive] = rig.scsi.controllers.flatMap(({ targets }) => [...targets.values()]);
  const end = async () => {
    await runner.stop();
    assert.equal(rig.machine.failure, null);
    assert.equal(rig.pci.iommu.refusedCount, 0);
  };
  return { clock: rig.machine.scheduler, port: new HbaTarget(drive, 512), steps: runner, end };
}

async function runSuite(plan: RunPlan, folder: string, index: number): Promise<Run> {
  const { clock, end, port, steps } =
    plan.isBehindAdapter === true ? await behindAdapter(plan.unit) : openUnit(plan.unit);
  const target = new IscsiTarget({ name, port, clock, randomBytes: secureRandomBytes });
  const listener = await listenIscsi(target, { port: 0, steps });
  const file = join(folder, `${index}.txt`);
  const output = openSync(file, "w");
  const url = `iscsi://127.0.0.1:${listener.port}/${name}/0`;
  try {
    const patterns = plan.tests.map((entry) => `ALL.${entry}`).join(",");
    // -V: what is skipped in silence otherwise shows too. The second address is the second path of MultipathIO.
    const child = spawn(suite, ["-g", "-d", "-v", "-V", ...(plan.flags ?? []), "-t", patterns, url, url], {
      stdio: ["ignore", output, output],
    });
    const [code] = await once(child, "exit");
    const text = readFileSync(file, "latin1");
    assert.ok(code !== null, `the suite was killed: ${text.slice(-2000)}`);
    return readRun(plan, text);
  } finally {
    closeSync(output);
    target.close();
    await listener.close();
    await end();
  }
}

test("every test of iscsi-test-cu passes, or the page says why not; what the suite gets wrong fails as told", {
  skip,
  timeout: 300_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-iscsi-"));
  try {
    const all = [...plans, ...faulty];
    const runs = await Promise.all(all.map((plan, index) => runSuite(plan, folder, index)));
    for (const [index, { failures }] of faulty.entries()) {
      const run = runs[plans.length + index];
      assert.deepEqual([...run.results.keys()].sort(), [...run.plan.tests].sort());
      for (const [title, result] of run.results) {
        assert.ok(
          !result.passed,
          `${title} passes on ${unitText(run.plan.unit)}: it is no fault of the suite any more`,
        );
        for (const line of result.failures) assert.match(line, failures, title);
      }
    }
    const good = runs.slice(0, plans.length);
    // By itself: the others have tests that wait for silence, and for no longer.
    const adapter = await runSuite(adapterPlan, folder, all.length);
    for (const { plan, results } of [...good, adapter])
      for (const [title, { passed, failures }] of results)
        assert.ok(passed, `${title} fails on ${unitText(plan.unit)}:\n${failures.join("\n")}`);
    const page = conformancePage(allTests, good, adapter);
    const path = join(root, "docs/iscsi-conformance.md");
    if (page === readFileSync(path, "utf8")) return;
    const made = join(root, "build/iscsi-conformance.md");
    mkdirSync(join(root, "build"), { recursive: true });
    writeFileSync(made, page);
    assert.equal(
      readFileSync(path, "utf8"),
      page,
      `the page is not what ran: compare it with ${made} and copy that over`,
    );
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
