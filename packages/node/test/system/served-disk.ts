// A disk of ours behind our NBD server, for tests with real clients.

import assert from "node:assert/strict";
import { Random } from "@drydock/core/base/random";
import { UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import { MemoryDisk } from "@drydock/core/devices/memory-disk/memory-disk-device";
import { NbdServer } from "@drydock/core/outlets/nbd/nbd-server";
import type { BlockPort } from "@drydock/core/ports/block";
import { defaultNvmeRig } from "@drydock/core/rigs/nvme-rig";
import { defaultRaidRig } from "@drydock/core/rigs/raid-rig";
import { defaultStorageRig } from "@drydock/core/rigs/storage-rig";
import { HostClock } from "../../src/host/host-clock.ts";
import { hostTurn } from "../../src/host/host-turn.ts";
import { LiveRunner } from "../../src/host/live-runner.ts";
import { listenNbd, type NbdListenOptions } from "../../src/outlets/nbd-listener.ts";

/** A disk in memory alone; through block layer, SCSI, UAS, bus and model; through our NVMe driver, or our host adapter's, PCI and model. */
export type Way = "memory" | "uas" | "nvme" | "raid";

export interface ServedDisk {
  readonly uri: string;
  readonly path: string;
  readonly port: number;
  readonly server: NbdServer;
  readonly events: string[];
  /** Write requests that have reached the disk. */
  writes(): number;
  /** Bytes that a power cut would lose. */
  cachedBytes(): number;
  close(): Promise<void>;
}

/** Counts the writes on their way down. */
function counted(port: BlockPort, onWrite: () => void): BlockPort {
  return {
    geometry: port.geometry,
    slotCount: port.slotCount,
    connect: (client) => port.connect(client),
    read: (...args) => port.read(...args),
    write: (...args) => {
      onWrite();
      return port.write(...args);
    },
    flush: (slot) => port.flush(slot),
    trim: (...args) => port.trim(...args),
    writeZeroes: (...args) => port.writeZeroes(...args),
  };
}

/** A disk with a write cache as the export "disk", on the Unix socket or the TCP port that `listenOptions` names. */
export async function serveDisk(
  way: Way,
  bytes: number,
  listenOptions: NbdListenOptions,
  tls?: "require",
): Promise<ServedDisk> {
  let writes = 0;
  const events: string[] = [];
  const blockCount = bytes / 512;
  const open = async () => {
    if (way === "memory") {
      const clock = new HostClock();
      const disk = new MemoryDisk({ clock, random: new Random(1), blockCount, hasWriteCache: true });
      return {
        clock,
        steps: clock,
        port: disk.powerOn(),
        cached: () => disk.cachedBlocks * 512,
        end: async () => clock.stop(),
      };
    }
    if (way === "nvme") {
      const rig = defaultNvmeRig(1, hostTurn, {
        timing: "none",
        trace: false,
        device: { namespaces: [{ blockCount }], latencyNs: [0, 0] },
      });
      const port = await rig.openMedia();
      const runner = new LiveRunner(rig.machine.scheduler);
      void runner.start();
      return {
        clock: rig.machine.scheduler,
        steps: runner,
        port,
        cached: () => rig.device.disks[0].cachedBlocks * 512,
        end: async () => {
          await runner.stop();
          assert.equal(rig.machine.failure, null);
          assert.equal(rig.pci.iommu.refusedCount, 0);
        },
      };
    }
    if (way === "raid") {
      const rig = defaultRaidRig(1, hostTurn, {
        timing: "none",
        trace: false,
        device: { latencyNs: [0, 0] },
        drives: [[{ blockCount }]],
      });
      const port = await rig.openMedia();
      const runner = new LiveRunner(rig.machine.scheduler);
      void runner.start();
      const { medium } = rig.disks[0].units[0];
      return {
        clock: rig.machine.scheduler,
        steps: runner,
        port,
        cached: () => medium.owedBytes,
        end: async () => {
          await runner.stop();
          assert.equal(rig.machine.failure, null);
          assert.equal(rig.pci.iommu.refusedCount, 0);
          assert.equal(rig.driver?.counters.resets, 0);
        },
      };
    }
    const rig = defaultStorageRig(1, hostTurn, {
      timing: "none",
      trace: false,
      policy: "uas",
      device: { speed: UsbSpeed.super },
      units: [{ blockCount }],
    });
    const port = await rig.openMedia();
    const runner = new LiveRunner(rig.machine.scheduler);
    void runner.start();
    const { medium } = rig.disk.units[0];
    return {
      clock: rig.machine.scheduler,
      steps: runner,
      port,
      cached: () => medium.owedBytes,
      end: async () => {
        await runner.stop();
        assert.equal(rig.machine.failure, null);
      },
    };
  };
  const { cached, clock, end, port, steps } = await open();
  const server = new NbdServer({ clock, onEvent: (text) => events.push(text), ...(tls ? { tls } : {}) });
  server.attach(
    "disk",
    counted(port, () => writes++),
    { description: "a disk in memory" },
  );
  const path = listenOptions.path ?? "";
  const listener = await listenNbd(server, { ...listenOptions, steps });
  return {
    uri: `nbd+unix:///disk?socket=${path}`,
    path,
    port: listener.port,
    server,
    events,
    writes: () => writes,
    cachedBytes: cached,
    close: async () => {
      await listener.close();
      await end();
    },
  };
}
