// The storage rig's scenario: write, flush, read back, and every accepted request completes once.

import type { IOMedia } from "../families/block/io-media.ts";
import { drawUsbFaults } from "../faults/draw-usb-faults.ts";
import type { UsbFaultPlan } from "../faults/usb-faults.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import { defaultStorageRig, type StorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import { digestOf } from "../rigs/usb-rig-doors.ts";
import { runScenario, type ScenarioOptions, type ScenarioProgram, type ScenarioResult } from "./scenario.ts";

export interface StorageScenario
  extends ScenarioOptions,
    Pick<StorageRigOptions, "device" | "policy" | "bundles"> {}

/** What the program on the disk saw. */
export type StorageOutcome = "verified" | "failed" | "gone" | "no disk";

const requests = 4;
const blocksEach = 16;
const patienceNs = 400e9;

/** A disk in connector 1 that leaves with its cable, for every storage trial. */
export function storageEnd(
  rig: StorageRig,
): Pick<ScenarioProgram<StorageRig, string>, "rig" | "unplug" | "mustLeave"> {
  return { rig, unplug: () => rig.usb.bus.unplug(1), mustLeave: /^IO(USBHost|SCSI|Media)/ };
}

/** Plug in, come up, write, flush, read back, unplug, end. What is read as good is right. */
export async function runStorageScenario(options: StorageScenario): Promise<ScenarioResult<StorageOutcome>> {
  const { seed, turn, unplugAtStep, ...rest } = options;
  const rig = defaultStorageRig(seed, turn, { ...rest, timing: "bus" });
  const { scheduler } = rig.machine;
  // A corrupted bit on the bus is nobody's to notice here: USB's CRC would have.
  const mayLie = options.faults?.rules.some(({ kind }) => kind === "corrupt" || kind === "truncate") ?? false;
  return runScenario(
    {
      ...storageEnd(rig),
      stepLimit: 300_000,
      play: async (problems) => {
        await scheduler.run(patienceNs, () => rig.media.length > 0);
        const [media] = rig.media;
        if (media === undefined || scheduler.isStopped) return "no disk";
        return useDisk(rig, media, mayLie, problems);
      },
      digest: () => digestOf(rig),
    },
    unplugAtStep,
  );
}

/** Writes, flushes and reads back, several requests at once. `mayLie`: what is read may be wrong without a word. */
async function useDisk(
  rig: StorageRig,
  media: IOMedia,
  mayLie: boolean,
  problems: string[],
): Promise<StorageOutcome> {
  const { scheduler } = rig.machine;
  const bytes = blocksEach * media.geometry.blockBytes;
  const buffers = Array.from({ length: requests }, () => new Uint8Array(bytes));
  const accepted = new Uint8Array(requests);
  const good: boolean[] = [];
  let pending = 0;
  let isDetached = false;
  media.connect({
    completed: (slot, status) => {
      if (accepted[slot] === 0) problems.push(`slot ${slot} completed without a request`);
      accepted[slot] = 0;
      pending--;
      good[slot] = status === BlockStatus.ok;
    },
    detached: () => {
      if (isDetached) problems.push("detached twice");
      if (pending > 0) problems.push("detached with requests under way");
      isDetached = true;
    },
  });
  const ask = (slot: number, submitted: BlockSubmit): void => {
    good[slot] = false;
    if (submitted !== BlockSubmit.accepted) return;
    accepted[slot] = 1;
    pending++;
  };
  const settle = async (): Promise<void> => {
    await scheduler.run(scheduler.nowNs() + patienceNs, () => pending === 0);
    if (pending > 0 && !scheduler.isStopped) problems.push(`${pending} requests never completed`);
  };
  for (let slot = 0; slot < requests; slot++) {
    buffers[slot].fill(slot + 1);
    ask(slot, media.write(slot, slot * blocksEach, blocksEach, buffers[slot], 0, false));
  }
  await settle();
  const isWritten = [...good];
  ask(0, media.flush(0));
  await settle();
  for (let slot = 0; slot < requests; slot++) {
    buffers[slot].fill(0);
    ask(slot, media.read(slot, slot * blocksEach, blocksEach, buffers[slot], 0));
  }
  await settle();
  const isAllGood = good.every(Boolean) && isWritten.every(Boolean);
  for (let slot = 0; slot < requests; slot++) {
    const isRight = buffers[slot].every((byte) => byte === slot + 1);
    if (good[slot] && isWritten[slot] && !isRight && !mayLie)
      problems.push(`slot ${slot} read back wrong data`);
  }
  return media.isGone ? "gone" : isAllGood ? "verified" : "failed";
}

/** Where the storage drivers meet the wire: control and the four pipes. */
export function drawStorageFaults(seed: number): UsbFaultPlan {
  return drawUsbFaults(seed, [0, 0x81, 0x02, 0x83, 0x04]);
}
