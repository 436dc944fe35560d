// Our NVMe driver on QEMU's controller, unchanged: contract, 64 MiB, errors, hot-unplug, VT-d, a QEMU that dies.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { blockContract, RecordingBlockClient } from "@drydock/core/ports/block.contract";
import { runContract } from "@drydock/core/ports/contract";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { defaultNvmeRig, type NvmeRig } from "@drydock/core/rigs/nvme-rig";
import { PciRow } from "@drydock/core/trace/pci-trace";
import { describeVtdFault } from "@drydock/core/transports/qtest/vtd";
import { hostTurn } from "../../src/host/host-turn.ts";
import { openQemuMedia, startNvmeOnQemu } from "../../src/transports/nvme-on-qemu.ts";
import { counted } from "./counted-port.ts";
import { mebibytes, QemuImages, qemuSkip, randomWrites, until, verifiedWrites } from "./qemu-disk.ts";

const skip = qemuSkip;
const images = new QemuImages();
const { folder } = images;
const image = (megabytes: number): string => images.image(megabytes);
const turn = () => new Promise((resolve) => setImmediate(resolve));

test("the disk keeps the block contract, taken out and put in again", { skip }, async () => {
  const on = await startNvmeOnQemu({ image: image(16) });
  try {
    let isOut = false;
    const results = await runContract(blockContract, async () => {
      if (isOut) await on.replug();
      isOut = false;
      await until(() => on.rig.media.length > 0, "a disk");
      const plain = await openQemuMedia(on);
      const client = new RecordingBlockClient();
      let accepted = 0;
      let unplugged: Promise<void> | null = null;
      plain.connect(client);
      return {
        port: counted(plain, () => accepted++),
        client,
        settle: async () => {
          await unplugged;
          await until(
            () => client.completions.length >= accepted && (unplugged === null || client.detachments > 0),
            "all completions",
          );
        },
        unplug: () => {
          isOut = true;
          unplugged = on.unplug();
        },
        cutPower: null,
      };
    });
    assert.ok(results.length >= 17);
    assert.deepEqual(
      results.filter(({ problem }) => problem !== null),
      [],
    );
    assert.equal(on.death(), null);
  } finally {
    await on.close();
  }
});

for (const hasIommu of [false, true]) {
  const name = hasIommu ? "VT-d translating" : "physical addresses";
  test(`${mebibytes} MiB of random writes, all read back; ${name}; QEMU finds no fault`, {
    skip,
  }, async () => {
    const path = image(mebibytes);
    const file = join(folder, `trace${images.count}`);
    const trace = { events: ["pci_nvme_err*", "pci_nvme_ub*", "vtd_err*"], file };
    const on = await startNvmeOnQemu({ image: path, hasIommu, trace });
    try {
      const media = await openQemuMedia(on);
      await verifiedWrites(on, media);
    } finally {
      await on.close();
    }
    assert.equal(readFileSync(file, "utf8").trim(), "");
  });
}

test("messages in shared RAM in place of the doorbell, through VT-d: 8 MiB of random writes", {
  skip,
}, async () => {
  const on = await startNvmeOnQemu({ image: image(8), hasIommu: true, messages: "memory" });
  try {
    const result = await randomWrites(on, await openQemuMedia(on), { totalBytes: 8 << 20 });
    assert.deepEqual(result.failures, {});
    assert.equal(result.wrongAt, null);
    assert.equal(on.rig.driver?.counters.timeouts, 0);
  } finally {
    await on.close();
  }
});

test("VT-d refuses a function what is not mapped, and the fault names address and requester", {
  skip,
}, async () => {
  const on = await startNvmeOnQemu({ image: image(4), hasIommu: true });
  try {
    const media = await openQemuMedia(on);
    const [port] = on.qemu.machine.ports;
    const buffer = new Uint8Array(4096);
    const mapping = port.dma.map(buffer, 1, "to be forgotten");
    assert.ok(typeof mapping !== "number");
    const [{ address }] = mapping.segments;
    port.dma.unmap(mapping);
    let status = -1;
    // What a driver does wrong: a command whose memory has been completed already.
    on.runner.ready(() => {
      media.connect({ completed: () => {}, detached: () => {} });
      status = on.rig.driver?.doAsyncReadWrite(true, 120, address, 4096, 0, 8, 0) ?? -1;
    }, undefined);
    await until(() => status === 0, "the submission");
    let faults = await on.qemu.machine.vtd?.readFaults();
    for (let tries = 0; tries < 200 && faults?.length === 0; tries++) {
      await turn();
      faults = await on.qemu.machine.vtd?.readFaults();
    }
    assert.equal(faults?.length, 1);
    assert.equal(faults[0].address, address);
    assert.match(
      describeVtdFault(faults[0]),
      /^01:00\.0 write at 0x[0-9a-f]+ refused by VT-d: writing is not permitted/,
    );
  } finally {
    await on.close();
  }
});

/** What a bring-up writes and reads of registers, without addresses: repeated polls of one register count once. */
function registerStory(rig: NvmeRig): string[] {
  const story: string[] = [];
  for (const { text, fields } of rig.timeline.rows(undefined, [TimelineKind.register])) {
    if (text !== PciRow.read && text !== PciRow.write) continue;
    const offset = fields[1];
    // The MSI-X table lies where each controller wants it, the admin queue where its memory is.
    const isTable = offset >= 0x2000;
    const isAddress = offset >= 0x28 && offset < 0x38;
    const value = text === PciRow.write && !isAddress && !isTable ? ` = 0x${fields[3].toString(16)}` : "";
    const line = isTable ? "MSI-X table" : `${text} 0x${offset.toString(16)}${value}`;
    if (story.at(-1) !== line) story.push(line);
  }
  return story;
}

test("register traces of one bring-up, on our model and on QEMU's controller: the same story", {
  skip,
}, async () => {
  const model = defaultNvmeRig(1, hostTurn);
  await model.openMedia();
  const on = await startNvmeOnQemu({ image: image(4) });
  try {
    await openQemuMedia(on);
    const [ours, theirs] = [registerStory(model), registerStory(on.rig)];
    assert.ok(ours.length > 20, ours.join("\n"));
    assert.deepEqual(theirs, ours);
  } finally {
    await on.close();
  }
});

test("errors that blkdebug injects: read and write fail once, the driver tries again, nothing is wrong", {
  skip,
}, async () => {
  const file = join(folder, "errors");
  const rule = (index: number, event: string, sector: number) =>
    ["event", "sector", "errno", "once"].map(
      (key, at) => `file.inject-error.${index}.${key}=${[event, sector, 5, "on"][at]}`,
    );
  const on = await startNvmeOnQemu({
    image: image(4),
    blkdebug: [...rule(0, "write_aio", 512), ...rule(1, "read_aio", 1024)],
    trace: { events: ["pci_nvme_err*", "pci_nvme_ub*"], file },
  });
  try {
    const media = await openQemuMedia(on);
    const result = await randomWrites(on, media, { totalBytes: 8 << 20, depth: 8 });
    assert.equal(result.wrongAt, null);
    const { driver } = on.rig;
    const failed = Object.values(result.failures).reduce((sum, count) => sum + count, 0);
    assert.ok((driver?.counters.retries ?? 0) + failed >= 1, "an injected error was seen");
    assert.equal(failed, 0);
  } finally {
    await on.close();
  }
  const lines = readFileSync(file, "utf8").trim().split("\n");
  assert.ok(
    lines.length >= 1 && lines.every((line) => /pci_nvme_err_(aio|req_status)/.test(line)),
    lines.join("\n"),
  );
});

test("taken out under load: every request ends, nothing stays mapped; put in again it is a disk", {
  skip,
}, async () => {
  const on = await startNvmeOnQemu({ image: image(64), hasIommu: true });
  try {
    for (let round = 0; round < 2; round++) {
      const media = await openQemuMedia(on);
      const { dma } = on.qemu.machine.ports[0];
      const result = await randomWrites(on, media, { totalBytes: 1 << 30, spanBytes: 16 << 20 }, async () => {
        await new Promise((resolve) => setTimeout(resolve, 100));
        await on.unplug();
      });
      assert.ok(Object.keys(result.failures).length > 0);
      await until(() => media.isGone && on.rig.driver === null, "the driver's end");
      assert.equal(dma.mappingCount, 0);
      assert.equal(on.rig.machine.failure, null);
      assert.deepEqual(on.rig.machine.crashes, []);
      await on.replug();
    }
    const media = await openQemuMedia(on);
    const result = await randomWrites(on, media, { totalBytes: 4 << 20, spanBytes: 4 << 20 });
    assert.equal(result.wrongAt, null);
    assert.deepEqual(result.failures, {});
  } finally {
    await on.close();
  }
});

test("a QEMU that dies under load is named within a second, and every request ends", { skip }, async () => {
  const on = await startNvmeOnQemu({ image: image(16) });
  try {
    const media = await openQemuMedia(on);
    let diedMs = 0;
    const result = await randomWrites(on, media, { totalBytes: 1 << 30 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      diedMs = performance.now();
      on.qemu.kill();
      await until(() => on.death() !== null, "the news of its death", 1000);
    });
    assert.ok(diedMs > 0);
    assert.match(on.death() ?? "", /QEMU (ended by SIGKILL|is gone)/);
    assert.ok(Object.keys(result.failures).length > 0);
    await until(() => media.isGone, "the disk's end", 1000);
    assert.equal(on.rig.machine.failure, null);
  } finally {
    await on.close();
  }
});

test("a QEMU that is stopped is named within two seconds, and every request ends", { skip }, async () => {
  const on = await startNvmeOnQemu({ image: image(16) });
  try {
    const media = await openQemuMedia(on);
    const result = await randomWrites(on, media, { totalBytes: 1 << 30 }, async () => {
      process.kill(on.qemu.pid as number, "SIGSTOP");
      await until(() => on.death() !== null, "the news of its silence", 15_000);
    });
    assert.match(
      on.death() ?? "",
      /has not answered "\w+ 0x.*" for 1 s: its process has been stopped by a signal/,
    );
    assert.ok(Object.keys(result.failures).length > 0);
    await until(() => media.isGone, "the disk's end", 1000);
    assert.equal(on.rig.machine.failure, null);
  } finally {
    await on.close();
  }
});

test("a QEMU that refuses its command line is quoted", { skip }, async () => {
  await assert.rejects(startNvmeOnQemu({ image: join(folder, "nowhere.img") }), /nowhere\.img.*No such file/);
});
