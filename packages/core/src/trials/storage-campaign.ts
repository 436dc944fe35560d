// The storage rig's scenario: write, flush, read back, and every accepted request completes once.

import { drawUsbFaults } from "../faults/draw-usb-faults.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { defaultStorageRig, type StorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import { digestOf } from "../rigs/usb-rig-doors.ts";
import { type DiskOutcome, diskPatienceNs, useDisk } from "./disk-program.ts";
import {
  recordFor,
  runScenario,
  type ScenarioOptions,
  type ScenarioProgram,
  type ScenarioResult,
  splitPlan,
} from "./scenario.ts";

export interface StorageScenario
  extends ScenarioOptions,
    Pick<StorageRigOptions, "device" | "policy" | "bundles"> {}

/** A disk in connector 1 that leaves with its cable, for every storage trial. */
export function storageEnd(
  rig: StorageRig,
): Pick<ScenarioProgram<StorageRig, string>, "rig" | "unplug" | "replug" | "isUp" | "mustLeave"> {
  return {
    rig,
    unplug: () => rig.usb.bus.unplug(1),
    replug: () => rig.usb.bus.plugIn(rig.device, 1),
    isUp: () => rig.media.length > 0,
    mustLeave: /^IO(USBHost|SCSI|Media)/,
  };
}

/** Plug in, come up, write, flush, read back, unplug, end. What is read as good is right. */
export async function runStorageScenario(options: StorageScenario): Promise<ScenarioResult<DiskOutcome>> {
  const { plan, rest } = splitPlan(options);
  const rig = defaultStorageRig(rest.seed, rest.turn, { ...rest, record: recordFor(options), timing: "bus" });
  const { scheduler } = rig.machine;
  // A corrupted bit on the bus is nobody's to notice here: USB's CRC would have.
  const mayLie =
    (options.faults?.rules.some(({ kind }) => kind === "corrupt" || kind === "truncate") ?? false) ||
    (options.access?.mayLie ?? false);
  return runScenario(
    {
      isDisturbed: options.faults !== undefined,
      ...storageEnd(rig),
      stepLimit: 300_000,
      play: async (problems) => {
        await scheduler.run(diskPatienceNs, () => rig.media.length > 0);
        const [media] = rig.media;
        if (media === undefined || scheduler.isStopped) return "no disk";
        return useDisk(scheduler, media, mayLie, problems);
      },
      digest: () => digestOf(rig),
    },
    plan,
  );
}

/** Where the storage drivers meet the wire: control and the four pipes. */
export function drawStorageFaults(seed: number): UsbFaultPlan {
  return drawUsbFaults(seed, [0, 0x81, 0x02, 0x83, 0x04]);
}
