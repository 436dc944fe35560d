// A PCI dext in C++ on NVMe: on our model, and unchanged on QEMU's controller over qtest, with VT-d and without.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { Random } from "@drydock/core/base/random";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import { defaultNvmeRig, type NvmeRig } from "@drydock/core/rigs/nvme-rig";
import type { ClientConnection } from "@drydock/core/runtime/client-connection";
import type { Process } from "@drydock/core/runtime/process";
import { type RandomWritesResult, startRandomWrites } from "@drydock/core/trials/random-writes";
import { hostTurn } from "@drydock/node/host-turn";
import { openQemuMedia, startNvmeOnQemu } from "@drydock/node/transports/nvme-on-qemu";
import { findQtestQemu } from "@drydock/node/transports/qemu-qtest";
import { LoadedDext } from "../../src/host/dext-bundle.ts";
import { compileDext } from "../../src/run/compile-dext.ts";

const found = findQtestQemu();
const skip = "missing" in found ? found.missing : false;
const folder = mkdtempSync(join(tmpdir(), "drydock-nvme-"));
after(() => rmSync(folder, { recursive: true }));

const source = fileURLToPath(new URL("../dexts/nvme", import.meta.url));
const blockBytes = 512;
const megabytes = 8;
const nanosecondsOfPatience = 60e9;

interface Found {
  readonly blockCount: number;
  readonly blockBytes: number;
  readonly interrupts: number;
  readonly serial: string;
}

/** Random blocks written, then all of them read and compared; what the controller says of itself at the end. */
async function writeAndRead(client: ClientConnection, written: Map<number, Uint8Array>): Promise<Found> {
  const random = new Random(7);
  for (let each = 0; each < 12; each++) {
    const count = 1 + random.below(8);
    const block = random.below((megabytes << 11) - count);
    const bytes = new Uint8Array(count * blockBytes).map(() => random.below(256));
    const { status } = await client.call(2, { scalarInput: [block], structureInput: bytes });
    assert.equal(status, 0);
    for (let at = 0; at < count; at++)
      written.set(block + at, bytes.subarray(at * blockBytes, (at + 1) * blockBytes));
  }
  for (const [block, bytes] of written) {
    const read = await client.call(1, { scalarInput: [block, 1], structureOutputSize: blockBytes });
    assert.deepEqual([read.status, read.structureOutput], [0, bytes], `block ${block}`);
  }
  // Beyond the end: the controller refuses (LBA out of range), and the dext says so.
  const beyond = await client.call(1, { scalarInput: [megabytes << 11, 1], structureOutputSize: blockBytes });
  assert.equal(beyond.status, 0xe00002ca);
  const { scalarOutput, structureOutput } = await client.call(0, {
    scalarOutputCount: 3,
    structureOutputSize: 72,
  });
  const [blockCount, bytes, interrupts] = scalarOutput;
  // NVM Express 1.4, figure 247: bytes 4 to 23 are the serial number.
  const serial = new TextDecoder().decode(structureOutput.subarray(4, 24)).trim();
  return { blockCount, blockBytes: bytes, interrupts, serial };
}

const whole = (result: RandomWritesResult | null) => [result?.failures, result?.wrongAt];

/** Random writes through the disk that the dext is, read back; `begin` calls when the machine takes a step. */
function diskWrites(media: IOMedia, begin: (run: () => void) => void): Promise<RandomWritesResult> {
  const wanted = {
    random: new Random(64),
    totalBytes: 1 << 20,
    spanBytes: megabytes << 20,
    largestBytes: 1 << 15,
  };
  return new Promise((resolve) => begin(() => startRandomWrites(media, wanted, resolve)));
}

/** In an application's process, with the dext's user client open. */
async function asApplication({ machine }: NvmeRig, application: Process, written: Map<number, Uint8Array>) {
  const client = await machine.openUserClient(application, machine.registry.byClass("Nvme")[0]);
  const seen = await writeAndRead(client, written);
  client.close();
  return seen;
}

test("on the model: a disk of 8 MiB and a user client, every block read back; unplugged, nothing is left", async () => {
  const dext = new LoadedDext(await compileDext([source]));
  const device = { namespaces: [{ blockCount: megabytes << 11 }] };
  const rig = defaultNvmeRig(3, hostTurn, { bundles: [dext.bundle], device });
  const { scheduler } = rig.machine;
  const isUp = () => rig.machine.registry.byClass("Nvme").at(0)?.isStarted === true;
  await scheduler.run(nanosecondsOfPatience, isUp);
  const media = await rig.openMedia();
  assert.equal(media.geometry.blockCount, megabytes << 11);
  let end: RandomWritesResult | null = null;
  void diskWrites(media, (run) => run()).then((result) => {
    end = result;
  });
  await scheduler.run(scheduler.nowNs() + nanosecondsOfPatience, () => end !== null);
  assert.deepEqual(whole(end), [{}, null]);
  const application = rig.machine.launchApplication({ name: "Blocks" });
  const seen = await rig.machine.perform(() => asApplication(rig, application, new Map()), application);
  assert.deepEqual([seen.blockCount, seen.blockBytes], [megabytes << 11, blockBytes]);
  assert.ok(seen.interrupts > 12);
  rig.pci.bus.unplug(1);
  await scheduler.run(scheduler.nowNs() + nanosecondsOfPatience);
  assert.equal(rig.pci.iommu.mappings.size, 0);
  assert.equal(rig.machine.failure, null);
  assert.deepEqual(dext.describeLeaks(), []);
  dext.close();
});

for (const hasIommu of [false, true])
  test(`on QEMU's controller, ${hasIommu ? "VT-d translating" : "physical addresses"}: what was written is in the image`, {
    skip,
  }, async () => {
    const image = join(folder, `disk-${hasIommu}.img`);
    writeFileSync(image, "");
    truncateSync(image, megabytes << 20);
    const dext = new LoadedDext(await compileDext([source]));
    const on = await startNvmeOnQemu({ image, hasIommu, rig: { bundles: [dext.bundle] } });
    const written = new Map<number, Uint8Array>();
    try {
      const deadline = performance.now() + 30_000;
      while (on.rig.machine.registry.byClass("Nvme").at(0)?.isStarted !== true) {
        assert.ok(performance.now() < deadline, "the dext did not start within 30 s");
        assert.equal(on.rig.machine.failure?.text, undefined);
        await new Promise((resolve) => setTimeout(resolve, 1));
      }
      const media = await openQemuMedia(on);
      assert.deepEqual(whole(await diskWrites(media, (run) => on.runner.ready(run, undefined))), [{}, null]);
      const application = on.rig.machine.launchApplication({ name: "Blocks" });
      const seen = await new Promise<Found>((resolve, reject) => {
        const run = () => asApplication(on.rig, application, written).then(resolve, reject);
        on.runner.ready(() => void application.spawn("blocks", run), undefined);
      });
      assert.deepEqual(seen.serial, "DRYDOCK");
      assert.deepEqual([seen.blockCount, seen.blockBytes], [megabytes << 11, blockBytes]);
      assert.ok(seen.interrupts > 12);
      assert.deepEqual(on.rig.machine.crashes, []);
      assert.equal(on.death(), null);
    } finally {
      await on.close();
      dext.close();
    }
    // QEMU wrote what the dext was given: the image says so without it.
    const bytes = readFileSync(image);
    for (const [block, expected] of written)
      assert.ok(
        bytes.subarray(block * blockBytes, (block + 1) * blockBytes).equals(expected),
        `block ${block}`,
      );
  });
