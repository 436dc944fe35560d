// Our BOT and UAS drivers on disks that nobody here wrote: QEMU's usb-storage and usb-uas, over USB/IP.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { Random } from "@drydock/core/base/random";
import { MiB } from "@drydock/core/base/units";
import { usbipPort } from "@drydock/core/codec/usbip/usbip";
import { AttachedScsiDriver } from "@drydock/core/drivers/mass-storage/attached-scsi-driver";
import { BulkOnlyDriver } from "@drydock/core/drivers/mass-storage/bulk-only-driver";
import type { TransportPolicy } from "@drydock/core/drivers/mass-storage/mass-storage-driver";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import { IOSCSIProtocolServices } from "@drydock/core/families/scsi/io-scsi-protocol-services";
import { BlockStatus, BlockSubmit } from "@drydock/core/ports/block";
import { defaultStorageRig, type StorageRig } from "@drydock/core/rigs/storage-rig";
import { hostTurn } from "@drydock/node/host-turn";
import { withImportedDevice } from "../guest/imported-device.ts";
import { guestSkip, LinuxGuest } from "../guest/linux-guest.ts";
import { until } from "../guest/until.ts";

const diskBytes = 64 * MiB;
const patienceMs = 60_000;
const depth = 8;
const smallestExtent = 4096;
const largestExtent = 512 * 1024;

interface Extent {
  readonly at: number;
  readonly bytes: number;
}

/** The whole disk in pieces of random size, in random order. */
function extentsOf(random: Random): Extent[] {
  const extents: Extent[] = [];
  for (let at = 0; at < diskBytes; ) {
    const wanted = smallestExtent << random.below(8);
    const bytes = Math.min(wanted, largestExtent, diskBytes - at);
    extents.push({ at, bytes });
    at += bytes;
  }
  for (let index = extents.length - 1; index > 0; index--) {
    const other = random.below(index + 1);
    [extents[index], extents[other]] = [extents[other], extents[index]];
  }
  return extents;
}

/** Runs one request per extent, `depth` at once; resolves when all have ended well. */
function forEach(
  media: IOMedia,
  client: { completed: (slot: number, status: BlockStatus) => void },
  extents: readonly Extent[],
  submit: (slot: number, extent: Extent) => BlockSubmit,
): Promise<void> {
  return new Promise((resolve, reject) => {
    let next = 0;
    let pending = 0;
    const begin = (slot: number): void => {
      if (next === extents.length) {
        if (pending === 0) resolve();
        return;
      }
      const extent = extents[next++];
      pending++;
      const submitted = submit(slot, extent);
      if (submitted !== BlockSubmit.accepted) reject(new Error(`refused with ${submitted} at ${extent.at}`));
    };
    client.completed = (slot, status) => {
      pending--;
      if (status !== BlockStatus.ok) reject(new Error(`a request ended with status ${status}`));
      else begin(slot);
    };
    for (let slot = 0; slot < Math.min(depth, extents.length, media.slotCount); slot++) begin(slot);
  });
}

describe("our storage drivers on disks that nobody here wrote", { skip: guestSkip() }, () => {
  const folder = mkdtempSync(join(tmpdir(), "drydock-foreign-storage-"));
  const fileOf = (name: string) => join(folder, `${name}.raw`);
  let guest: LinuxGuest;

  before(async () => {
    for (const name of ["bot", "uas"]) {
      writeFileSync(fileOf(name), "");
      truncateSync(fileOf(name), diskBytes);
    }
    const drive = (id: string) => ["-drive", `if=none,id=${id},format=raw,cache=unsafe,file=${fileOf(id)}`];
    guest = await LinuxGuest.boot({
      forward: [usbipPort],
      qemu: [
        ...["-device", "usb-ehci,id=e"],
        ...[...drive("bot"), "-device", "usb-storage,bus=e.0,drive=bot"],
        ...[...drive("uas"), "-device", "usb-uas,id=u,bus=e.0", "-device", "scsi-hd,bus=u.0,drive=uas"],
      ],
    });
    await guest.run("modprobe -a ehci-pci");
  });
  after(async () => {
    await guest?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  /** 64 MiB in random pieces and order through our block stack, read back, and compared with QEMU's file. */
  const proveDisk = async (
    product: string,
    policy: TransportPolicy,
    name: string,
    look: (rig: StorageRig) => void,
  ): Promise<void> => {
    const rig = defaultStorageRig(1, hostTurn, { policy, timing: "none", trace: false, isPluggedIn: false });
    await withImportedDevice(guest, product, rig, async (giveBack) => {
      const device = `"$(dirname "$(grep -l '${product}' /sys/bus/usb/devices/*/product)")"`;
      assert.equal(await guest.run(`cat ${device}/speed`), "480");
      await until(`the medium of ${product} comes up`, () => rig.media.length > 0, patienceMs);
      const [media] = rig.media;
      assert.equal(media.geometry.blockCount * media.geometry.blockBytes, diskBytes);
      const { blockBytes } = media.geometry;
      const random = new Random(64);
      const extents = extentsOf(random);
      const content = new Uint8Array(diskBytes);
      for (let at = 0; at < content.length; at += 4) {
        const word = random.next32();
        for (let byte = 0; byte < 4; byte++) content[at + byte] = word >>> (8 * byte);
      }
      const client = {
        completed: (_slot: number, _status: BlockStatus): void => {},
        detached: (): void => {},
      };
      media.connect(client);
      await forEach(media, client, extents, (slot, { at, bytes }) =>
        media.write(slot, at / blockBytes, bytes / blockBytes, content, at, false),
      );
      await forEach(media, client, [{ at: 0, bytes: 0 }], (slot) => media.flush(slot));
      const back = new Uint8Array(diskBytes);
      await forEach(media, client, extents, (slot, { at, bytes }) =>
        media.read(slot, at / blockBytes, bytes / blockBytes, back, at),
      );
      const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
      assert.equal(hash(back), hash(content), "what our stack reads");
      assert.equal(hash(readFileSync(fileOf(name))), hash(content), "what lies in QEMU's file");
      look(rig);
      giveBack();
      await until("the medium has gone", () => rig.media.length === 0, patienceMs);
    });
  };

  const transportOf = (rig: StorageRig) =>
    [...rig.machine.registry.entries()].find((entry) => entry instanceof IOSCSIProtocolServices);

  test("QEMU's usb-storage under our Bulk-Only driver: 64 MiB of random writes", async () => {
    await proveDisk("QEMU USB HARDDRIVE", "by-speed", "bot", (rig) => {
      const driver = transportOf(rig);
      assert.ok(driver instanceof BulkOnlyDriver);
      assert.deepEqual(
        [driver.recoveries.resetRecoveries, driver.recoveries.timeouts, driver.recoveries.invalidStatus],
        [0, 0, 0],
      );
    });
  });

  // USB/IP carries no streams: at high speed UAS has none, and data moves on READ READY and WRITE READY.
  test("QEMU's usb-uas under our UAS driver, without streams: 64 MiB of random writes", async () => {
    await proveDisk("USB Attached SCSI HBA", "uas", "uas", (rig) => {
      const driver = transportOf(rig);
      assert.ok(driver instanceof AttachedScsiDriver);
      assert.equal(driver.hasStreams, false);
      assert.deepEqual([driver.recoveries.timeouts, driver.recoveries.unitResets], [0, 0]);
    });
  });
});
