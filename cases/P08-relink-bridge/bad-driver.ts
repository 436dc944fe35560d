// P08, wrong: fire and forget. Both commands "succeed", then the app polls the drive until it gives up.

import { second } from "@drydock/core/base/units";
import { type BridgeBench, unlockCode } from "./bridge-bench.ts";
import type { CommandEnd } from "./unlock-driver.ts";

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
  const driver = await bench.waitForDriver();
  if (driver === null) throw new Error("the drive did not come up");
  await driver.userSuspendServices();
  const unlock = await driver.unlock(unlockCode, timeoutMs);
  const relink = await driver.relink(timeoutMs);
  const polls: string[] = [];
  const { scheduler } = bench.rig.machine;
  const deadline = scheduler.nowNs() + pollsForNs;
  // "It should be there any moment."
  while (scheduler.nowNs() < deadline) {
    const end: CommandEnd | null = (await bench.driver?.testUnitReady(timeoutMs)) ?? null;
    const text = end?.text ?? "no drive";
    if (polls.at(-1) !== text) polls.push(text);
    await bench.sleep(pollNs);
  }
  if (!driver.isInactive) await driver.userResumeServices();
  await bench.waitForDriver();
  return { unlock: unlock.text, relink: relink.text, polls };
}
