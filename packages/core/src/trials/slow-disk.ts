// A disk whose spindle takes its time, put to sleep and woken: what P15 and `drydock disk rehearse` run.

import { massStorageBundle } from "../drivers/mass-storage/mass-storage-driver.ts";
import type { IOMedia } from "../families/block/io-media.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { BlockStatus } from "../ports/block.ts";
import { StorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";

const second = 1e9;
/** Longer than the class driver's own 100 s and any spin-up that still ends inside them, virtual nanoseconds. */
const patienceNs = 200 * second;

/**
 * A disk that needs `spinUpSeconds` on macOS 15, its medium open, with `bundle` on top; null: the kernel's class driver
 * alone, as under a kext. It turns already when it is plugged in: only a wake has to wait.
 */
export async function slowDisk(
  bundle: DriverBundle | null,
  spinUpSeconds: number,
  options: Pick<StorageRigOptions, "seed" | "turn">,
): Promise<{ rig: StorageRig; media: IOMedia }> {
  const rig = new StorageRig({
    ...options,
    profile: platformProfile("macos15"),
    units: [{ blockCount: 131_072, spinUpNs: spinUpSeconds * second }],
    bundles: [massStorageBundle(), ...(bundle === null ? [] : [bundle])],
  });
  const { scheduler } = rig.machine;
  await scheduler.run(patienceNs, () => rig.media.length > 0);
  return { rig, media: await rig.openMedia() };
}

/** Sleeps or wakes the system, and waits until that is over or the machine is. */
export async function changePower(rig: StorageRig, state: "sleep" | "wake"): Promise<void> {
  const { machine } = rig;
  const target = state === "sleep" ? 0 : 2;
  machine.setSystemPower(state);
  await machine.run(machine.scheduler.nowNs() + second / 1000);
  const joined = [...machine.registry.entries()].filter((entry) => entry.powerState !== null);
  await machine.scheduler.run(
    machine.scheduler.nowNs() + patienceNs,
    () => machine.failure !== null || joined.every((entry) => entry.powerState === target),
  );
}

/** Reads the first block: its status, null when it never ended, and the virtual nanoseconds it took. */
export async function firstRead(
  rig: StorageRig,
  media: IOMedia,
): Promise<{ status: BlockStatus | null; tookNs: number }> {
  const { scheduler } = rig.machine;
  const started = scheduler.nowNs();
  let status: BlockStatus | null = null;
  media.connect({
    completed: (_slot, answer) => {
      status = answer;
    },
    detached: () => {},
  });
  media.read(0, 0, 1, new Uint8Array(512), 0);
  await scheduler.run(started + patienceNs, () => status !== null);
  return { status, tookNs: scheduler.nowNs() - started };
}
