// F16: what our class driver asks of a disk, none of it unsupported; what a disk claims and nobody asks for.

import assert from "node:assert/strict";
import { test } from "node:test";
import { hostTurn } from "@drydock/node/host-turn";
import { VirtualClock } from "../base/virtual-clock.ts";
import { writeInquiry, writeLogSense, writeModeSense6, writeReadWrite } from "../codec/scsi/cdb.ts";
import { scsiCommandName } from "../codec/scsi/commands.ts";
import { SenseCode, SenseKey } from "../codec/scsi/sense.ts";
import { ScsiDiskDevice } from "../devices/scsi-disk/scsi-disk-device.ts";
import { ScsiDirection, type ScsiTargetPort, ScsiTask } from "../ports/scsi-target.ts";
import { refuseTask, ScsiTargetFilter } from "../ports/scsi-target-filter.ts";
import { formatCoverage, ScsiCoverage } from "../trace/scsi-coverage.ts";
import { defaultRaidRig } from "./raid-rig.ts";
import { defaultRingHbaRig } from "./ring-hba-rig.ts";
import { defaultStorageRig } from "./storage-rig.ts";

test("nothing that the class driver needs is unsupported, on both transports", async () => {
  for (const policy of ["uas", "bulk-only"] as const) {
    let coverage: ScsiCoverage | null = null;
    const rig = defaultStorageRig(1, hostTurn, {
      timing: "none",
      trace: false,
      policy,
      target: (disk) => {
        coverage = new ScsiCoverage(disk);
        return coverage;
      },
    });
    const media = await rig.openMedia();
    let done = 0;
    media.connect({ completed: () => done++, detached: () => {} });
    const buffer = new Uint8Array(4096);
    media.write(0, 0, 8, buffer, 0, false);
    media.flush(1);
    media.trim(2, 64, 64);
    await rig.machine.scheduler.run(60e9, () => done === 3);
    const { rows, neverAsked, gaps } = (coverage as unknown as ScsiCoverage).report();
    const names = rows.map(({ name }) => name);
    for (const needed of [
      "INQUIRY",
      "READ CAPACITY(10)",
      "MODE SENSE(6) page 08h",
      "SYNCHRONIZE CACHE(10)",
      "UNMAP",
    ])
      assert.ok(names.includes(needed), `${policy}: ${needed} is not among ${names.join(", ")}`);
    for (const { name, failed, isClaimed, open } of rows) {
      assert.equal(isClaimed, true, name);
      assert.equal(open, 0, name);
      for (const how of Object.keys(failed)) assert.match(how, /^UNIT ATTENTION/, name);
    }
    assert.deepEqual(gaps, []);
    const writes = rows.filter(({ name }) => name === "WRITE(10)");
    assert.deepEqual(
      writes.map(({ asked, good, requestedBytes, realisedBytes }) => [
        asked,
        good,
        requestedBytes,
        realisedBytes,
      ]),
      [[1, 1, 4096, 4096]],
    );
    assert.ok(neverAsked?.includes("COMPARE AND WRITE") && neverAsked.includes("LOG SENSE page 0Dh"));
  }
});

/** A target that knows no LOG SENSE and claims nothing. */
class Silent extends ScsiTargetFilter {
  override begin(task: ScsiTask): boolean {
    const name = scsiCommandName(task.cdb);
    if (name.startsWith("REPORT SUPPORTED") || name === "LOG SENSE")
      return refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
    return super.begin(task);
  }
}

function ask(
  coverage: ScsiCoverage,
  write: (cdb: Uint8Array) => number,
  room = Number.POSITIVE_INFINITY,
): void {
  const task = new ScsiTask();
  task.cdbBytes = write(task.cdb);
  if (coverage.begin(task)) return;
  task.data = new Uint8Array(Math.min(room, task.transferBytes));
  task.dataBytes = task.direction === ScsiDirection.none ? 0 : task.data.length;
  coverage.execute(task);
}

const disk = () => new ScsiDiskDevice({ clock: new VirtualClock(), units: [{ blockCount: 2048 }] });

test("pages count one by one; what was wanted stands beside what moved; a refusal shows its sense", () => {
  const coverage = new ScsiCoverage(disk());
  coverage.connect({ finished: () => {} });
  ask(coverage, (cdb) => writeInquiry(cdb, 0xb0, 64));
  ask(coverage, (cdb) => writeInquiry(cdb, 0xc5, 64));
  ask(coverage, (cdb) => writeModeSense6(cdb, { page: 0x3f, allocationBytes: 192 }));
  ask(coverage, (cdb) => writeReadWrite(cdb, "read", 10, 0, 4), 512);
  ask(coverage, (cdb) => {
    cdb[0] = 0xc1;
    return 10;
  });
  ask(coverage, (cdb) => {
    cdb.set([0x85, 0x08, 0x0e, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0xec, 0]);
    return 16;
  });
  const rows = new Map(coverage.report().rows.map((row) => [row.name, row]));
  assert.deepEqual(rows.get("INQUIRY VPD B0h")?.good, 1);
  assert.deepEqual(rows.get("INQUIRY VPD C5h")?.failed, {
    "ILLEGAL REQUEST (5/24/00): invalid field in CDB": 1,
  });
  assert.equal(rows.get("INQUIRY VPD C5h")?.isClaimed, false);
  assert.equal(rows.get("MODE SENSE(6) page 3Fh")?.isClaimed, true);
  assert.equal(rows.get("ATA PASS-THROUGH(16) IDENTIFY DEVICE")?.isClaimed, false);
  const read = rows.get("READ(10)");
  assert.deepEqual([read?.requestedBytes, read?.realisedBytes], [2048, 512]);
  assert.match(formatCoverage(coverage.report()), /opcode 0xc1 +1 +0 .*not claimed/);
});

test("behind a host adapter, MegaRAID's and our own: what the class driver needs arrives and is counted whole (P19)", async () => {
  for (const build of [defaultRaidRig, defaultRingHbaRig]) {
    let coverage: ScsiCoverage | null = null;
    const target = (disk: ScsiTargetPort): ScsiTargetPort => {
      coverage = new ScsiCoverage(disk);
      return coverage;
    };
    const rig = build(1, hostTurn, { timing: "none", trace: false, target });
    const media = await rig.openMedia();
    let done = 0;
    media.connect({ completed: () => done++, detached: () => {} });
    const buffer = new Uint8Array(4096);
    media.write(0, 0, 8, buffer, 0, false);
    media.write(1, 8, 8, buffer, 0, true);
    media.read(2, 0, 8, buffer, 0);
    media.flush(3);
    media.trim(4, 64, 64);
    await rig.machine.scheduler.run(60e9, () => done === 5);
    const { rows, gaps } = (coverage as unknown as ScsiCoverage).report();
    const named = new Map(rows.map((row) => [row.name, row]));
    // What the host adapter's firmware asks for itself is not there: the disk sees the host's commands alone.
    for (const needed of ["INQUIRY", "READ CAPACITY(10)", "SYNCHRONIZE CACHE(10)", "UNMAP", "WRITE(10)"])
      assert.ok(named.has(needed), `${needed} is not among ${[...named.keys()].join(", ")}`);
    assert.deepEqual(gaps, []);
    for (const { name, failed, isClaimed, open } of rows) {
      assert.equal(isClaimed, true, name);
      assert.equal(open, 0, name);
      for (const how of Object.keys(failed)) assert.match(how, /^UNIT ATTENTION/, name);
    }
    const writes = named.get("WRITE(10)");
    assert.deepEqual([writes?.asked, writes?.good, writes?.realisedBytes], [2, 2, 8192]);
    assert.equal(named.get("INQUIRY")?.requestedBytes, named.get("INQUIRY")?.realisedBytes);
  }
});

test("a unit that does not say what it claims: neither claimed nor unclaimed", () => {
  const coverage = new ScsiCoverage(new Silent(disk()));
  coverage.connect({ finished: () => {} });
  ask(coverage, (cdb) => writeLogSense(cdb, 0, 64));
  const report = coverage.report();
  assert.equal(report.neverAsked, null);
  assert.deepEqual(
    report.rows.map(({ isClaimed, good }) => [isClaimed, good]),
    [[null, 0]],
  );
});

test("asking what is claimed leaves no mark on the client: its power-on attention is still there", () => {
  const coverage = new ScsiCoverage(disk());
  coverage.connect({ finished: () => {} });
  coverage.report();
  const task = new ScsiTask();
  task.cdbBytes = 6;
  assert.equal(coverage.begin(task), true);
  assert.equal(task.senseBytes > 0, true);
});

/** P19's controller: it knows no CDBs of 16 bytes. */
class ShortController extends ScsiTargetFilter {
  override begin(task: ScsiTask): boolean {
    if (task.cdb[0] !== 0x8a) return super.begin(task);
    return refuseTask(task, SenseKey.illegalRequest, SenseCode.invalidCommandOperationCode);
  }
}

test("P19: behind a controller without 16-byte CDBs, the end of 66 TB shows WRITE(16) as the gap", async () => {
  let coverage: ScsiCoverage | null = null;
  const rig = defaultStorageRig(1, hostTurn, {
    timing: "none",
    trace: false,
    units: [{ blockCount: 128_906_250_000 }],
    target: (disk) => {
      coverage = new ScsiCoverage(new ShortController(disk));
      return coverage;
    },
  });
  const media = await rig.openMedia();
  const statuses: number[] = [];
  media.connect({ completed: (_slot, status) => statuses.push(status), detached: () => {} });
  media.write(0, 0, 8, new Uint8Array(4096), 0, false);
  media.write(1, 128_906_249_992, 8, new Uint8Array(4096), 0, false);
  await rig.machine.scheduler.run(60e9, () => statuses.length === 2);
  const report = (coverage as unknown as ScsiCoverage).report();
  assert.deepEqual(
    report.gaps.map(({ name }) => name),
    ["WRITE(16)"],
  );
  assert.match(formatCoverage(report), /WRITE\(16\): ILLEGAL REQUEST \(5\/20\/00\)/);
  assert.notEqual(Math.max(...statuses), 0);
});
