// The program that every disk's scenario plays: several writes at once, a flush, and everything read back.

import type { IOMedia } from "../families/block/io-media.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import type { Scheduler } from "../runtime/scheduler.ts";

/** What the program on the disk saw. */
export type DiskOutcome = "verified" | "failed" | "gone" | "no disk";

const requests = 4;
const blocksEach = 16;
/** Longer than any recovery of any driver here. */
export const diskPatienceNs = 400e9;

/** Writes, flushes and reads back, several requests at once. `mayLie`: what is read may be wrong without a word. */
export async function useDisk(
  scheduler: Scheduler,
  media: IOMedia,
  mayLie: boolean,
  problems: string[],
): Promise<DiskOutcome> {
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
    await scheduler.run(scheduler.nowNs() + diskPatienceNs, () => pending === 0);
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
