// What the durability prover proves: the disk on the storage rig through every layer, or one in memory without any.

import { Random } from "../base/random.ts";
import { VirtualClock } from "../base/virtual-clock.ts";
import { MemoryDisk, type MemoryDiskOptions } from "../devices/memory-disk/memory-disk-device.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { type ControllerFlushes, describeControllerFlushes } from "../families/scsi/parallel-controller.ts";
import type { BlockPort } from "../ports/block.ts";
import type { ScsiTargetPort, ScsiTask } from "../ports/scsi-target.ts";
import { ScsiTargetFilter } from "../ports/scsi-target-filter.ts";
import { defaultNvmeRig, type NvmeRigOptions } from "../rigs/nvme-rig.ts";
import { defaultRaidRig, type RaidRigOptions } from "../rigs/raid-rig.ts";
import { defaultStorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import type { DurabilityBench } from "./durability-prover.ts";
import type { PciDiskRig } from "./pci-disk-campaign.ts";

const modeSense6 = 0x1a;
/** No request of a workload takes longer, in virtual time. */
const patienceNs = 400e9;

/**
 * P19's fault, wherever it sits between the class driver and the disk: MODE SENSE data arrive one byte short, so the
 * class driver thinks the write cache off (posts.md T9).
 */
export function withShortModeSense(target: ScsiTargetPort): ScsiTargetPort {
  return new ShortModeSense(target);
}

class ShortModeSense extends ScsiTargetFilter {
  override execute(task: ScsiTask): boolean {
    const isOver = super.execute(task);
    if (isOver) shorten(task);
    return isOver;
  }

  protected override finished(task: ScsiTask): void {
    shorten(task);
    super.finished(task);
  }
}

function shorten(task: ScsiTask): void {
  if (task.cdb[0] === modeSense6 && task.movedBytes > 4) task.movedBytes--;
}

/** File system, block layer, class driver, transport, bus, target: each with a part in what a flush is worth. */
export async function storageDurabilityBench(
  seed: number,
  turn: HostTurn,
  options: Partial<StorageRigOptions> = {},
): Promise<DurabilityBench> {
  const rig = defaultStorageRig(seed, turn, { trace: false, ...options });
  const { scheduler } = rig.machine;
  const media = await rig.openMedia();
  return {
    port: media,
    timeline: rig.timeline,
    run: async (isDone) => {
      await scheduler.run(scheduler.nowNs() + patienceNs, isDone);
    },
    cutPower: async () => {
      // A bus-powered disk loses its power with its cable.
      rig.usb.bus.unplug(1);
      await scheduler.run(scheduler.nowNs() + patienceNs, () => media.isGone && rig.media.length === 0);
      rig.usb.bus.plugIn(rig.device, 1);
      return await rig.openMedia();
    },
    ledger: () => ({ guilty: media.ledger.guilty, lines: media.ledger.lines() }),
  };
}

/** Block layer, block storage dext, PCI, the controller's volatile cache: the NVMe stack, whose cable carries the power. */
export function nvmeDurabilityBench(
  seed: number,
  turn: HostTurn,
  device: NvmeRigOptions["device"] = {},
): Promise<DurabilityBench> {
  return pciDurabilityBench(defaultNvmeRig(seed, turn, { device, trace: false }), () => null);
}

/** Block layer, class driver, host adapter's dext, PCI, controller, SCSI disks whose caches the cable feeds. */
export function raidDurabilityBench(
  seed: number,
  turn: HostTurn,
  options: Partial<RaidRigOptions> = {},
): Promise<DurabilityBench> {
  const rig = defaultRaidRig(seed, turn, { trace: false, ...options });
  return pciDurabilityBench(rig, () => rig.scsi.controllers[0]?.flushes ?? null);
}

async function pciDurabilityBench(
  rig: PciDiskRig & { openMedia(): Promise<IOMedia> },
  flushesOf: () => ControllerFlushes | null,
): Promise<DurabilityBench> {
  const { scheduler } = rig.machine;
  const media = await rig.openMedia();
  const flushes = flushesOf();
  return {
    port: media,
    run: async (isDone) => {
      await scheduler.run(scheduler.nowNs() + patienceNs, isDone);
    },
    cutPower: async () => {
      rig.pci.bus.unplug(1);
      await scheduler.run(scheduler.nowNs() + patienceNs, () => media.isGone && rig.media.length === 0);
      rig.pci.bus.plugIn(rig.device, 1);
      return await rig.openMedia();
    },
    ledger: () => {
      const { guilty } = media.ledger;
      if (flushes === null) return { guilty, lines: media.ledger.lines() };
      return {
        guilty: guilty ?? (flushes.completedEarly > 0 ? "controller" : null),
        lines: [...media.ledger.lines(), describeControllerFlushes(flushes)],
      };
    },
  };
}

/**
 * A memory disk with a write cache and nothing on top, or what `wrap` puts there: what the prover itself is checked
 * against.
 */
export function memoryDurabilityBench(
  seed: number,
  wrap: (port: BlockPort, clock: VirtualClock) => BlockPort = (port) => port,
  extra: Partial<MemoryDiskOptions> = {},
): DurabilityBench {
  const clock = new VirtualClock();
  const disk = new MemoryDisk({
    clock,
    random: new Random(seed).fork("disk"),
    blockCount: 4096,
    hasWriteCache: true,
    latencyNs: [1000, 200_000],
    ...extra,
  });
  return {
    port: wrap(disk.powerOn(), clock),
    run: async (isDone) => {
      while (!isDone() && clock.step());
    },
    cutPower: async () => {
      disk.cutPower();
      clock.runUntil();
      return disk.powerOn();
    },
    ledger: () => null,
  };
}
