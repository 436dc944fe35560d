// Our MegaRAID driver on QEMU's megasas and megasas-gen2, unchanged: 64 MiB, errors, disk and controller removed.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { megaRaidBundle } from "@drydock/core/drivers/megaraid/megaraid-bundle";
import { MegaRaidDriver, NativeIoMegaRaidDriver } from "@drydock/core/drivers/megaraid/megaraid-driver";
import { blockContract, RecordingBlockClient } from "@drydock/core/ports/block.contract";
import { runContract } from "@drydock/core/ports/contract";
import { openRaidMedia, startRaidOnQemu } from "../../src/transports/raid-on-qemu.ts";
import { counted } from "./counted-port.ts";
import { mebibytes, QemuImages, qemuSkip, randomWrites, until, verifiedWrites } from "./qemu-disk.ts";

const skip = qemuSkip;
const images = new QemuImages();

/** Rows of QEMU's trace by which megasas complains; a command that is aborted or ends with an error is among them. */
const complaints = [
  ..."abort_invalid_context dcmd_invalid_sge dcmd_invalid_xfer_len dcmd_unhandled frame_busy iovec_map_failed".split(
    " ",
  ),
  ..."iovec_sgl_invalid iovec_sgl_overflow iovec_sgl_underflow init_queue_invalid queue_map_failed qf_map_failed".split(
    " ",
  ),
  ..."scsi_invalid_cdb_len scsi_overflow scsi_target_not_present handle_scsi_failed mmio_invalid_writel".split(
    " ",
  ),
  ..."mmio_invalid_readl iovec_overflow iovec_underflow abort_no_cmd abort_frame".split(" "),
].map((name) => `megasas_${name}`);

const generations = ["gen2", "1078"] as const;

for (const generation of generations) {
  for (const hasIommu of [false, true]) {
    const how = hasIommu ? "VT-d translating, frames without CDBs" : "physical addresses, SCSI frames";
    test(`${generation}, ${how}: ${mebibytes} MiB of random writes, all read back; QEMU complains of nothing`, {
      skip,
    }, async () => {
      const path = images.image(64);
      const file = join(images.folder, `trace${images.count}`);
      const trace = { events: ["megasas_*", "vtd_err*"], file };
      const bundles = [megaRaidBundle(hasIommu ? NativeIoMegaRaidDriver : MegaRaidDriver)];
      const on = await startRaidOnQemu({ generation, image: path, hasIommu, trace, rig: { bundles } });
      try {
        const media = await openRaidMedia(on);
        assert.equal(media.geometry.blockCount, (64 << 20) / 512);
        await verifiedWrites(on, media);
        const { driver } = on.rig;
        assert.ok(driver !== null);
        const told: string[] = [];
        const ask = (): void => {
          driver.process.spawn("a tool", async () => {
            const [drive] = await driver.physicalDrives();
            assert.equal(drive.id, 0);
            const answer = await driver.physicalCommand(drive.id, [0x12, 0, 0, 0, 36, 0], 36);
            told.push(String.fromCharCode(...answer.subarray(8, 13)));
          });
        };
        on.runner.ready(ask, undefined);
        await until(() => told.length > 0, "the physical drive's INQUIRY");
        assert.deepEqual(told, ["QEMU "]);
      } finally {
        await on.close();
      }
      const rows = readFileSync(file, "utf8").split("\n");
      assert.ok(
        rows.some((row) => row.includes("megasas_handle_scsi") || row.includes("megasas_scsi_complete")),
      );
      const natives = rows.filter((row) => row.includes("megasas_io_")).length;
      assert.equal(natives > 100, hasIommu, `${natives} rows of frames without CDBs`);
      const bad = rows.filter(
        (row) => complaints.some((name) => row.includes(name)) || row.includes("vtd_err"),
      );
      assert.deepEqual(bad.slice(0, 5), []);
    });
  }

  test(`${generation}: errors that blkdebug injects: the driver hands sense up, the disk is asked again, nothing is wrong`, {
    skip,
  }, async () => {
    const rule = (index: number, event: string, sector: number) =>
      ["event", "sector", "errno", "once"].map(
        (key, at) => `file.inject-error.${index}.${key}=${[event, sector, 5, "on"][at]}`,
      );
    const on = await startRaidOnQemu({
      generation,
      image: images.image(4),
      blkdebug: [...rule(0, "write_aio", 512), ...rule(1, "read_aio", 1024)],
    });
    try {
      const media = await openRaidMedia(on);
      const result = await randomWrites(on, media, { totalBytes: 8 << 20, depth: 8 });
      assert.equal(result.wrongAt, null);
      assert.deepEqual(result.failures, {});
      assert.equal(on.rig.driver?.counters.resets, 0);
      const stats = JSON.stringify(await on.qemu.qmp.execute("query-blockstats"));
      const failed = [...stats.matchAll(/"failed_(?:rd|wr)_operations":\s*(\d+)/g)];
      assert.ok(failed.reduce((sum, [, count]) => sum + Number(count), 0) >= 1, "an error was injected");
    } finally {
      await on.close();
    }
  });

  test(`${generation}: the controller behind a root port taken out under load: every request ends, nothing stays mapped`, {
    skip,
  }, async () => {
    const on = await startRaidOnQemu({ generation, image: images.image(64), hasIommu: true });
    try {
      const media = await openRaidMedia(on);
      const { dma } = on.qemu.machine.ports[0];
      const result = await randomWrites(on, media, { totalBytes: 1 << 30 }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        await on.unplug();
      });
      assert.ok(Object.keys(result.failures).length > 0);
      await until(() => media.isGone && on.rig.driver === null, "the driver's end");
      assert.equal(dma.mappingCount, 0);
      assert.equal(on.rig.machine.failure, null);
      assert.deepEqual(on.rig.machine.crashes, []);
    } finally {
      await on.close();
    }
  });

  test(`${generation}: the disk removed in mid-I/O: requests end, the target goes, the controller stays`, {
    skip,
  }, async () => {
    const on = await startRaidOnQemu({ generation, image: images.image(64) });
    try {
      const media = await openRaidMedia(on);
      const result = await randomWrites(on, media, { totalBytes: 1 << 30 }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 150));
        await on.removeDisk();
      });
      assert.ok(Object.keys(result.failures).length > 0);
      await until(() => media.isGone, "the disk's end");
      assert.notEqual(on.rig.driver, null);
      assert.equal(on.rig.driver?.counters.resets, 0);
      assert.equal(on.rig.machine.failure, null);
      assert.deepEqual(on.rig.machine.crashes, []);
      assert.equal(on.rig.scsi.controllers[0].targets.size, 0);
    } finally {
      await on.close();
    }
  });
}

test("the disk behind QEMU's controller keeps the block contract", { skip }, async () => {
  const on = await startRaidOnQemu({ generation: "gen2", image: images.image(16) });
  try {
    const results = await runContract(blockContract, async () => {
      const plain = await openRaidMedia(on);
      const client = new RecordingBlockClient();
      let accepted = 0;
      plain.connect(client);
      return {
        port: counted(plain, () => accepted++),
        client,
        settle: () => until(() => client.completions.length >= accepted, "all completions"),
        unplug: null,
        cutPower: null,
      };
    });
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
  } finally {
    await on.close();
  }
});
