// libiscsi's programs against our iSCSI target: discovery, identity, capacity.

import assert from "node:assert/strict";
import { execFile, spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { Random } from "@drydock/core/base/random";
import { ScsiDiskDevice } from "@drydock/core/devices/scsi-disk/scsi-disk-device";
import { IscsiTarget } from "@drydock/core/outlets/iscsi/iscsi-target";
import { HostClock } from "@drydock/node/host-clock";
import { listenIscsi, secureRandomBytes } from "@drydock/node/iscsi-listener";

const run = promisify(execFile);
const name = "iqn.2026-01.org.example:disk";
const listTool = "iscsi-ls";
const isThere = spawnSync(listTool, ["--help"]).error === undefined;
const skip = isThere ? false : "needs the Debian package libiscsi-bin";

async function withTarget(
  chap: { user: string; secret: string } | null,
  body: (url: string) => Promise<void>,
) {
  const clock = new HostClock();
  const port = new ScsiDiskDevice({ clock, units: [{ blockCount: 131072 }] });
  const options = { name, port, clock, randomBytes: secureRandomBytes };
  const target = new IscsiTarget(chap === null ? options : { ...options, chap });
  const listener = await listenIscsi(target, { port: 0 });
  try {
    await body(`127.0.0.1:${listener.port}`);
  } finally {
    target.close();
    await listener.close();
  }
}

test("iscsi-ls discovers it, iscsi-inq and iscsi-readcapacity16 read it", {
  skip,
  timeout: 30_000,
}, async () => {
  await withTarget(null, async (address) => {
    const found = await run(listTool, [`iscsi://${address}`]);
    assert.match(found.stdout, new RegExp(`Target:${name} Portal:${address},1`));
    const inquiry = await run("iscsi-inq", [`iscsi://${address}/${name}/0`]);
    assert.match(inquiry.stdout, /Vendor:DRYDOCK/);
    const capacity = await run("iscsi-readcapacity16", [`iscsi://${address}/${name}/0`]);
    assert.match(capacity.stdout, /Total size:67108864/);
  });
});

test("CHAP lets the right secret in and the wrong one not", { skip, timeout: 30_000 }, async () => {
  await withTarget({ user: "dock", secret: "dry-dock-secret" }, async (address) => {
    const right = await run("iscsi-inq", [`iscsi://dock%dry-dock-secret@${address}/${name}/0`]);
    assert.match(right.stdout, /Vendor:DRYDOCK/);
    await assert.rejects(run("iscsi-inq", [`iscsi://dock%another-secret@${address}/${name}/0`]));
    await assert.rejects(run("iscsi-inq", [`iscsi://${address}/${name}/0`]));
  });
});

const hasQemu = /\biscsi\b/.test(spawnSync("qemu-img", ["--help"], { encoding: "utf8" }).stdout ?? "");

test("qemu-img writes 64 MiB, reads them back and finds no difference; 32 requests at once", {
  skip: hasQemu ? false : "needs the Debian packages qemu-utils and qemu-block-extra",
  timeout: 60_000,
}, async () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-iscsi-"));
  try {
    await withTarget(null, async (address) => {
      const url = `iscsi://${address}/${name}/0`;
      const image = join(folder, "image");
      const random = new Random(5);
      const words = Uint32Array.from({ length: 16 << 20 }, () => random.next32());
      writeFileSync(image, new Uint8Array(words.buffer));
      await run("qemu-img", ["convert", "-n", "-m", "16", "-W", "-f", "raw", "-O", "raw", image, url]);
      const same = await run("qemu-img", ["compare", "-f", "raw", "-F", "raw", image, url]);
      assert.match(same.stdout, /Images are identical/);
      const many = await run("qemu-img", [
        "bench",
        "-f",
        "raw",
        "-t",
        "none",
        "-d",
        "32",
        "-c",
        "2000",
        "-w",
        url,
      ]);
      assert.match(many.stdout, /Run completed/);
      const differs = run("qemu-img", ["compare", "-f", "raw", "-F", "raw", image, url]);
      await assert.rejects(differs, (error: { stdout?: string }) => /mismatch/.test(error.stdout ?? ""));
    });
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
