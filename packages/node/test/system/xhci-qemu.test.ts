// Our USB drivers on QEMU's USB devices with no guest between: QEMU's xHCI controller over qtest, our transport on it.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { existsSync, readFileSync } from "node:fs";
import { createServer, type Socket } from "node:net";
import { join } from "node:path";
import { test } from "node:test";
import { AttachedScsiDriver } from "@drydock/core/drivers/mass-storage/attached-scsi-driver";
import { BulkOnlyDriver } from "@drydock/core/drivers/mass-storage/bulk-only-driver";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import { IOSCSIProtocolServices } from "@drydock/core/families/scsi/io-scsi-protocol-services";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { namesLimitedBy } from "@drydock/core/ports/contract";
import { usbHostContract } from "@drydock/core/ports/usb-host.contract";
import { HidRig } from "@drydock/core/rigs/hid-rig";
import { SerialRig } from "@drydock/core/rigs/serial-rig";
import { SerialSession } from "@drydock/core/rigs/serial-session";
import { defaultStorageRig, type StorageRig } from "@drydock/core/rigs/storage-rig";
import type { UsbRigParts } from "@drydock/core/rigs/usb-rig-doors";
import { checkXhciQemu } from "../../src/checks/xhci-qemu-bench.ts";
import { hostTurn } from "../../src/host/host-turn.ts";
import { findStockQemu } from "../../src/transports/qemu-qtest.ts";
import { startUsbOnQemu, type UsbOnQemu, type UsbOnQemuOptions } from "../../src/transports/usb-on-qemu.ts";
import { mebibytes, QemuImages, qemuSkip, randomWrites, until } from "./qemu-disk.ts";

const images = new QemuImages();
const hash = (bytes: Uint8Array) => createHash("sha256").update(bytes).digest("hex");
const stock = findStockQemu();
/** Rounds of plug and unplug; DRYDOCK_XHCI_ROUNDS: 50 for the endurance run. */
const rounds = Number(process.env.DRYDOCK_XHCI_ROUNDS ?? 2);

/** What QEMU says of its controller that a driver should never make it say. */
function complaintsOf(file: string, allowed: RegExp): string[] {
  if (!existsSync(file)) return ["no trace was written"];
  const lines = readFileSync(file, "utf8").split("\n");
  assert.ok(lines.length > 100, "a trace of what happened");
  return lines.filter((line) => {
    if (/unimplemented|enforced_limit/.test(line)) return true;
    const code = /CC_[A-Z_]+/.exec(line)?.[0];
    return code !== undefined && !allowed.test(code);
  });
}
const good = /^CC_(SUCCESS|SHORT_PACKET|STALL_ERROR|STOPPED)$/;

/** `body` on a rig of ours with QEMU's devices behind qemu-xhci; no complaint of anybody at its end. */
async function withDevices<Rig extends UsbRigParts>(
  options: UsbOnQemuOptions<Rig>,
  body: (on: UsbOnQemu<Rig>) => Promise<void>,
  allowed = good,
): Promise<void> {
  const file = join(images.folder, `xhci-trace${++images.count}`);
  const on = await startUsbOnQemu({ ...options, trace: { events: ["usb_xhci_*"], file } });
  try {
    await body(on);
    assert.equal(on.rig.machine.failure, null);
    assert.deepEqual(on.rig.machine.crashes, []);
    assert.deepEqual([on.host.failure, on.problems, on.host.counters.complaints], [null, [], 0]);
  } finally {
    await on.close();
  }
  assert.deepEqual(complaintsOf(file, allowed), []);
}

const storageRig = () => defaultStorageRig(1, hostTurn, { isPluggedIn: false });
const drive = (megabytes: number): readonly string[] => [
  "-blockdev",
  `driver=raw,node-name=d0,file.driver=file,file.locking=off,file.filename=${images.image(megabytes)}`,
];

/** Puts QEMU's disk in: the UAS bridge appears when its disk is there and it is told to. */
async function plugDisk(
  on: UsbOnQemu<StorageRig>,
  kind: "usb-storage" | "usb-uas",
  id: string,
): Promise<IOMedia> {
  const { qmp } = on.qemu;
  if (kind === "usb-storage") await qmp.execute("device_add", { driver: kind, bus: "x.0", drive: "d0", id });
  else {
    await qmp.execute("device_add", { driver: kind, bus: "x.0", id });
    await qmp.execute("device_add", { driver: "scsi-hd", bus: `${id}.0`, drive: "d0", id: `disk-${id}` });
    await qmp.execute("qom-set", { path: id, property: "attached", value: true });
  }
  await until(() => on.rig.media.length > 0 || on.death() !== null, "a disk");
  return on.rig.media[0];
}

/** What the controller keeps while it runs, whoever comes and goes. */
const ownersOfController = [
  "xHCI context array",
  "xHCI command ring",
  "xHCI event ring",
  "xHCI event segments",
];

const transportOf = (rig: StorageRig) =>
  [...rig.machine.registry.entries()].find((entry) => entry instanceof IOSCSIProtocolServices);

for (const [kind, hasIommu, size] of [
  // One command at a time, each of three transfers: a quarter takes as long.
  ["usb-storage", false, mebibytes / 4],
  ["usb-uas", true, mebibytes],
] as const)
  test(`${kind}${hasIommu ? ", VT-d translating" : ""}: ${size} MiB of random writes, all read back; QEMU's trace has no complaint`, {
    skip: qemuSkip,
  }, async () => {
    await withDevices({ build: storageRig, devices: drive(size), hasIommu }, async (on) => {
      const media = await plugDisk(on, kind, "u");
      const result = await randomWrites(on, media, { totalBytes: size * 2 ** 20 });
      assert.deepEqual(result.failures, {});
      // All that was written to is read, 64 KiB at a time: the disk, but of a large one the first 64 MiB.
      assert.ok(result.bytesWritten >= size * 2 ** 20 && result.reads >= Math.min(size, 64) * 16);
      assert.equal(result.wrongAt, null);
      const driver = transportOf(on.rig);
      if (kind === "usb-uas") {
        assert.ok(driver instanceof AttachedScsiDriver && driver.hasStreams, "UAS moves its data on streams");
        assert.deepEqual([driver.recoveries.timeouts, driver.recoveries.unitResets], [0, 0]);
      } else {
        assert.ok(driver instanceof BulkOnlyDriver);
        assert.deepEqual([driver.recoveries.timeouts, driver.recoveries.resetRecoveries], [0, 0]);
      }
      const { vtd } = on.qemu.machine;
      if (vtd !== null) assert.deepEqual(await vtd.readFaults(), []);
    });
  });

for (const kind of ["usb-storage", "usb-uas"] as const)
  test(`${kind}: pulled by QMP in mid-transfer and put in again, ${rounds} times: every request ends, nothing stays mapped`, {
    skip: qemuSkip,
  }, async () => {
    await withDevices({ build: storageRig, devices: drive(32) }, async (on) => {
      for (let round = 0; round < rounds; round++) {
        const id = `u${round}`;
        const media = await plugDisk(on, kind, id);
        const result = await randomWrites(
          on,
          media,
          { totalBytes: 1 << 30, spanBytes: 16 << 20 },
          async () => {
            await new Promise((resolve) => setTimeout(resolve, 60 + ((round * 37) % 90)));
            await on.qemu.qmp.execute("device_del", { id });
          },
        );
        assert.ok(Object.keys(result.failures).length > 0 && result.writes > 0);
        assert.equal(result.wrongAt, null);
        await until(() => media.isGone && on.rig.media.length === 0, "the disk's end");
        assert.deepEqual(on.host.memory.owners, ownersOfController);
        assert.equal(on.host.dma.mappingCount, ownersOfController.length);
        await until(
          () => on.qemu.qmp.events.some(({ name, data }) => name === "DEVICE_DELETED" && data.device === id),
          "QEMU's own end of it",
        );
      }
      const media = await plugDisk(on, kind, "last");
      const result = await randomWrites(on, media, { totalBytes: 4 << 20, spanBytes: 4 << 20 });
      assert.deepEqual([result.failures, result.wrongAt], [{}, null]);
    });
  });

test("nec-usb-xhci, which has no streams: our Bulk-Only driver, 8 MiB", { skip: qemuSkip }, async () => {
  const options = { build: storageRig, devices: drive(8), controller: "nec-usb-xhci" } as const;
  await withDevices(options, async (on) => {
    const result = await randomWrites(on, await plugDisk(on, "usb-storage", "u"), { totalBytes: 8 << 20 });
    assert.deepEqual([result.failures, result.wrongAt], [{}, null]);
  });
});

test("usb-serial under our FTDI driver: 64 KiB each way, hashes equal; pulled in mid-transfer", {
  skip: qemuSkip,
}, async () => {
  const heard: Buffer[] = [];
  const server = createServer();
  const far = new Promise<Socket>((resolve) => server.once("connection", resolve));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  assert.ok(address !== null && typeof address === "object");
  const build = () =>
    new SerialRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), devices: [] });
  const devices = [
    ...["-chardev", `socket,id=c,host=127.0.0.1,port=${address.port},server=off,nodelay=on`],
    ...["-device", "usb-serial,chardev=c,bus=x.0,id=s"],
  ];
  try {
    await withDevices({ build, devices }, async (on) => {
      const wire = await far;
      wire.on("data", (bytes: Buffer) => heard.push(bytes));
      wire.on("error", () => {});
      await until(() => on.rig.ports.length > 0, "a port");
      const session = new SerialSession(on.rig.ports[0]);
      await until(() => on.rig.ports[0].isReady, "the driver");
      session.configure({ baudRate: 115200 });
      const out = randomBytes(64 * 1024);
      session.send(out);
      await until(() => Buffer.concat(heard).length >= out.length, "QEMU's far end has it all");
      assert.equal(hash(Buffer.concat(heard)), hash(out));
      const back = randomBytes(64 * 1024);
      // QEMU's model has a small ring and no flow control towards its far end: feed it as a line would.
      for (let at = 0; at < back.length; at += 256) {
        wire.write(back.subarray(at, at + 256));
        await until(() => session.received.length >= at + 256, "the piece arrives");
      }
      assert.equal(hash(Uint8Array.from(session.received)), hash(back));
      session.send(randomBytes(1 << 20));
      await on.qemu.qmp.execute("device_del", { id: "s" });
      await until(() => session.hangUps === 1, "the hang-up");
      wire.destroy();
    });
  } finally {
    server.close();
  }
});

test("usb-kbd under our HID driver: keys arrive as pressed, an LED is set; out and in again", {
  skip: qemuSkip,
}, async () => {
  const build = () =>
    new HidRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), devices: [] });
  await withDevices({ build, devices: ["-device", "usb-kbd,bus=x.0,id=k0"] }, async (on) => {
    for (let round = 0; round < 2; round++) {
      await until(() => on.rig.inputs.length > round, "an input");
      const { listener } = on.rig.inputs[round];
      const key = (qcode: string, down: boolean) => ({
        type: "key",
        data: { key: { type: "qcode", data: qcode }, down },
      });
      const events = [key("shift", true), key("a", true), key("a", false), key("shift", false)];
      for (const event of events) {
        const before = listener.events.length;
        await on.qemu.qmp.execute("input-send-event", { events: [event] });
        await until(() => listener.events.length > before, "the key");
      }
      assert.deepEqual(listener.keys(), ["+e1", "+04", "-04", "-e1"]);
      await on.qemu.qmp.execute("device_del", { id: `k${round}` });
      await until(() => listener.goneCount === 1, "the input's end");
      if (round === 0) await on.qemu.qmp.execute("device_add", { driver: "usb-kbd", bus: "x.0", id: "k1" });
    }
  });
});

test("a QEMU that dies under load: every request ends, the controller's end is named", {
  skip: qemuSkip,
}, async () => {
  const on = await startUsbOnQemu({ build: storageRig, devices: drive(16) });
  try {
    const media = await plugDisk(on, "usb-storage", "u");
    const result = await randomWrites(on, media, { totalBytes: 1 << 30 }, async () => {
      await new Promise((resolve) => setTimeout(resolve, 50));
      on.qemu.kill();
    });
    assert.ok(Object.keys(result.failures).length > 0);
    await until(() => media.isGone && on.host.failure !== null, "the disk's end", 5000);
    assert.match(on.host.failure ?? "", /the controller has left|did not answer/);
    assert.match(on.death() ?? "", /QEMU (ended by SIGKILL|is gone)/);
    assert.equal(on.host.dma.mappingCount, 0);
    assert.equal(on.rig.machine.failure, null);
  } finally {
    await on.close();
  }
});

test("the USB host contract on QEMU's xHCI, our loopback device behind it by usbredir", {
  skip: "missing" in stock ? stock.missing : false,
}, async () => {
  const file = join(images.folder, "contract-trace");
  const { problems, results } = await checkXhciQemu(1, file);
  assert.ok(results.length >= 38);
  assert.deepEqual(
    results.filter(({ problem }) => problem !== null),
    [],
  );
  const limited = results.filter((result) => result.limited !== null).map(({ name }) => name);
  assert.deepEqual(limited, namesLimitedBy(usbHostContract, "cancelled-packets", "isochronous"));
  assert.deepEqual(problems, []);
  // A cancelled packet of a device that is leaving ends as an I/O error in QEMU; a babble is what one check makes.
  const allowed = /^CC_(SUCCESS|SHORT_PACKET|STALL_ERROR|STOPPED|BABBLE_DETECTED|USB_TRANSACTION_ERROR)$/;
  assert.deepEqual(complaintsOf(file, allowed), []);
});
