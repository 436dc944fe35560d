// P08, wrong: fire and forget. Both commands "succeed", then the app polls the drive until it gives up.

import { second } from "@drydock/core/base/units";
import { type BridgeBench, unlockCode } from "./bridge-bench.ts";
import type { UnlockConnection } from "./unlock-client.ts";

/** What a person sees of an attempt. */
export interface Attempt {
  readonly unlock: string;
  readonly relink: string;
  /** The last answers of the polling, without repetition. */
  readonly polls: readonly string[];
}

const timeoutMs = 1_000;
const pollNs = 0.5 * second;
const pollsForNs = 22 * second;

export async function fireAndForget(bench: BridgeBench): Promise<Attempt> {
  const drive = await bench.waitForDrive();
  if (drive === null) throw new Error("the drive did not come up");
  await drive.suspendServices();
  const unlock = await drive.unlock(unlockCode, timeoutMs);
  const relink = await drive.relink(timeoutMs);
  const polls: string[] = [];
  const { scheduler } = bench.rig.machine;
  const deadline = scheduler.nowNs() + pollsForNs;
  let now: UnlockConnection | null = drive;
  // "It should be there any moment."
  while (scheduler.nowNs() < deadline) {
    if (now === null || now.isGone) now = await bench.connect();
    const text = (await now?.testUnitReady(timeoutMs))?.text ?? "no drive";
    if (polls.at(-1) !== text) polls.push(text);
    await bench.sleep(pollNs);
  }
  if (!drive.isGone) await drive.resumeServices();
  await bench.waitForDrive();
  return { unlock: unlock.text, relink: relink.text, polls };
}
