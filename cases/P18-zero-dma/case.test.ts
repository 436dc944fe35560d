// P18: each acceptance criterion of the post, F11, and the doctor on six bundles without names.

import assert from "node:assert/strict";
import { test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { defaultRaidRig } from "@drydock/core/rigs/raid-rig";
import { type RandomWritesResult, startRandomWrites } from "@drydock/core/trials/random-writes";
import { diagnose } from "@drydock/doctor/diagnose";
import { hostTurn } from "@drydock/node/host-turn";
import { evidenceOfRun } from "../case-report.ts";
import { runZeroDma, zeroDmaCase } from "./case.ts";
import { type ZeroDmaFault, zeroDmaFaults } from "./faults.ts";
import { postedAddress } from "./ledger-bench.ts";
import { ZeroDmaBench } from "./zero-dma-bench.ts";

const options = { seed: 18, turn: hostTurn };
/** DRYDOCK_P18_MIB: 1024 for the endurance run. */
const verifiedMebibytes = Number(process.env.DRYDOCK_P18_MIB ?? 16);
const zeros = "P18 data in the dext: 00 00 00 00 00 00";
const fileOf = (run: Awaited<ReturnType<typeof runZeroDma>>, name: string): string => {
  const file = run.evidence?.find((each) => each.name === name);
  return file !== undefined && "text" in file ? file.text : "";
};

/** What the doctor says of each, from the files alone. */
const claims: Readonly<Record<ZeroDmaFault, RegExp>> = {
  "looks-early": /bounced copy reaches it at completion alone/,
  "counts-nothing": /reports 0 of 6 bytes/,
  "completes-early": /the mapping had ended/,
  "local-address": /wrote to its own memory at 0x801[0-9a-f]+/,
  "swapped-address": /the entry's format or byte order is wrong/,
  "other-buffer": /is another buffer/,
};

test("P18 AC1: six faults, one symptom; the driver's lines are the same six times, the ledgers are six", async () => {
  const runs = await Promise.all(zeroDmaFaults.map((fault) => runZeroDma(fault, options)));
  const lines = runs.map(({ log }) => log.map(({ message }) => message).join("\n"));
  for (const text of lines) {
    assert.equal(text, lines[0]);
    assert.ok(text.includes(zeros) && text.includes("firmware reports 6 bytes, ReplyStatus 0, SCSIStatus 0"));
    assert.match(text, /fBufferIOVMAddr 0x801[0-9a-f]{5}/);
  }
  assert.equal(new Set(runs.map((run) => fileOf(run, "dma-ledger.txt"))).size, 6);
  // Nothing else differs, but for what macOS 26 records of a fault.
  const trees = runs.map((run) => fileOf(run, "ioreg.txt"));
  const bare = trees.map((text) => text.replace(/^.*pci-dart-error-data.*\n/m, ""));
  for (const text of bare) assert.equal(text, bare[0]);
  const recorded = zeroDmaFaults.filter((_, index) => trees[index] !== bare[index]);
  assert.deepEqual(recorded, ["completes-early", "swapped-address"]);
});

for (const fault of zeroDmaFaults) {
  test(`P18 AC1, the doctor: ${fault} is told from the others by its bundle without names`, async () => {
    const random = new Random(18);
    const sources = evidenceOfRun(await runZeroDma(fault, options), () => random.next32().toString(16));
    const { answers } = await diagnose(sources);
    assert.equal(answers[0]?.rule, "DR18-7", JSON.stringify(answers.map(({ claim }) => claim)));
    for (const [name, claim] of Object.entries(claims))
      assert.equal(claim.test(answers[0].claim), name === fault, `${name}: ${answers[0].claim}`);
  });
}

test("P18 AC2: zeros in the first answer make the second INQUIRY five bytes long, and no disk comes up", async () => {
  for (const fault of ["completes-early", "local-address", "swapped-address"] as const) {
    const bench = new ZeroDmaBench({ ...options, fault });
    const lengths: number[] = [];
    bench.rig.machine.onRegistered(() => {
      const [controller] = bench.rig.scsi.controllers;
      const before = controller?.onTask ?? null;
      if (controller === undefined || lengths.length > 0) return;
      lengths.push(0);
      controller.onTask = (event) => {
        before?.(event);
        if (event.kind === "handed over" && event.task.cdb[0] === 0x12) lengths.push(event.task.dataBytes);
      };
    });
    await bench.run();
    assert.deepEqual(lengths.slice(1, 3), [6, 5], fault);
    assert.equal((bench.rig.media[0]?.geometry.blockCount ?? 0) > 0, false, fault);
  }
});

for (const windowBase of [postedAddress, 0x1_8000_0000]) {
  test(`P18 AC3: the good driver at 0x${windowBase.toString(16)}: INQUIRY, capacity, sizes from 512 B to 1 MiB verified`, async () => {
    const bench = new ZeroDmaBench({ ...options, fault: null, windowBase });
    await bench.run();
    const [media] = bench.rig.media;
    assert.equal(media?.geometry.blockCount, 131_072);
    assert.match(bench.rows.join("\n"), /the buffer holds 00 00 05 12 1F 00 after completion/);
    let result: RandomWritesResult | null = null;
    const ended = (found: RandomWritesResult): void => {
      result = found;
    };
    startRandomWrites(
      media,
      { random: new Random(4), totalBytes: verifiedMebibytes * 1024 * 1024, largestBytes: 1 << 20 },
      ended,
    );
    await bench.rig.machine.scheduler.run(Number.POSITIVE_INFINITY, () => result !== null);
    const { failures, wrongAt } = result as unknown as RandomWritesResult;
    assert.deepEqual({ failures, wrongAt }, { failures: {}, wrongAt: null });
    assert.equal(bench.rig.pci.iommu.refusedCount, 0);
  });
}

test("P18: the case is sound, and its likeliest fault is the address-space flag", async () => {
  const bad = await zeroDmaCase.run("bad", options);
  assert.equal(bad.succeeded, false);
  assert.match(fileOf(bad, "dma-ledger.txt"), /went to local memory/);
  assert.equal((await zeroDmaCase.run("good", options)).succeeded, true);
  assert.equal((await defaultRaidRig(1, hostTurn).openMedia()).geometry.blockCount, 131_072);
});
