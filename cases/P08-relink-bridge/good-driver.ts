// P08, right: each step is verified; the drive is expected to vanish, waited for, and read anew.

import { second } from "@drydock/core/base/units";
import { RelinkPhase } from "@drydock/core/codec/mass-storage/relink-bridge";
import { type BridgeBench, unlockCode } from "./bridge-bench.ts";
import type { UnlockConnection } from "./unlock-client.ts";

/** How it ended, in the words for the person. */
export const unlockOutcomes = [
  "unlocked and readable",
  "the code was refused",
  "the device loses the unlock on relink",
  "the drive did not come back",
  "unlocked, but not readable",
] as const;
export type UnlockOutcome = (typeof unlockOutcomes)[number];

const timeoutMs = 5_000;
/** More than a relink takes: a command given up earlier would have the transport's recovery hit the bridge. */
const relinkTimeoutMs = 30_000;
/** How long the drive may take to leave once the relink was accepted, without a word to it meanwhile. */
const leavesWithinNs = 6 * second;

export async function unlockAndRelink(
  bench: BridgeBench,
): Promise<{ outcome: UnlockOutcome; steps: string[] }> {
  const steps: string[] = [];
  const say = (text: string) => steps.push(text);
  const drive = await bench.waitForDrive();
  if (drive === null) return { outcome: "the drive did not come back", steps };
  await drive.suspendServices();
  await drive.unlock(unlockCode, timeoutMs);
  // The unlock's own status says only that it was heard.
  const state = await drive.query(timeoutMs);
  if ("text" in state || state.isLocked) {
    await drive.resumeServices();
    return { outcome: "the code was refused", steps };
  }
  const relink = await drive.relink(relinkTimeoutMs);
  say(`relink: ${relink.text}`);
  const hasLeft = await bench.wait(() => drive.isGone, leavesWithinNs);
  say(hasLeft ? "the drive left" : "the drive stayed");
  if (hasLeft) return { outcome: await arrive(bench, say), steps };
  return { outcome: await settle(bench, drive, say), steps };
}

/** The link stayed: a relink without a drop, or one that was not carried out. */
async function settle(
  bench: BridgeBench,
  drive: UnlockConnection,
  say: (text: string) => void,
): Promise<UnlockOutcome> {
  let after = await drive.query(timeoutMs);
  // A unit attention takes the place of the first answer.
  if ("text" in after) {
    say(`query: ${after.text}`);
    after = await drive.query(timeoutMs);
  }
  if ("text" in after || after.isHidden) {
    if (!("text" in after) && after.isLocked) {
      await drive.resumeServices();
      return "the device loses the unlock on relink";
    }
    const isWaiting = !("text" in after) && after.phase === RelinkPhase.waitsForReset;
    say(isWaiting ? "the bridge waits for a reset: the port is reset" : "no relink: the port is reset");
    bench.resetPort();
    await bench.wait(() => drive.isGone, leavesWithinNs);
    return await arrive(bench, say);
  }
  await drive.resumeServices();
  return await readAnew(bench, drive, say);
}

/** The drive comes as a new device: new nubs, new INQUIRY, new capacity. */
async function arrive(bench: BridgeBench, say: (text: string) => void): Promise<UnlockOutcome> {
  const drive = await bench.waitForDrive();
  if (drive === null) return "the drive did not come back";
  say("a new drive came");
  // Its first answers are unit attentions; the class driver's bring-up has heard them.
  await drive.suspendServices();
  const state = await drive.query(timeoutMs);
  await drive.resumeServices();
  if (!("text" in state) && state.isLocked) return "the device loses the unlock on relink";
  return await readAnew(bench, drive, say);
}

async function readAnew(
  bench: BridgeBench,
  drive: UnlockConnection,
  say: (text: string) => void,
): Promise<UnlockOutcome> {
  if (bench.rig.media.length === 0) {
    say("unlocked with capacity 0: the unit is reset and read anew");
    await drive.suspendServices();
    await drive.resetDevice();
    await drive.resumeServices();
    if (drive.isGone) await bench.waitForDrive();
  }
  return (await bench.isReadable()) ? "unlocked and readable" : "unlocked, but not readable";
}
