// The storage rig under every seed: faults, unplug at every step, and what a run must never do.

import { Random } from "../base/random.ts";
import { type UsbFaultPlan, type UsbFaultRule, usbFaultKinds } from "../faults/usb-faults.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import { defaultStorageRig, type StorageRig, type StorageRigOptions } from "../rigs/storage-rig.ts";
import type { HostTurn } from "../runtime/scheduler.ts";

export interface StorageScenario extends Pick<StorageRigOptions, "device" | "policy" | "bundles"> {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly faults?: UsbFaultPlan;
  /** Pull the cable before this step of the scheduler; 0 never. */
  readonly unplugAtStep?: number;
}

export interface StorageScenarioResult {
  readonly digest: string;
  readonly steps: number;
  /** What the program on the disk saw, in one word. */
  readonly outcome: "verified" | "failed" | "gone" | "no disk";
  /** Broken rules, panics, hangs, lost or doubled completions, wrong data: empty for good drivers. */
  readonly problems: readonly string[];
}

const requests = 4;
const blocksEach = 16;
const patienceNs = 400e9;
const stepLimit = 300_000;

/**
 * Plug in, come up, write, flush, read back, unplug, end. With the cable pulled at a step, or faults on the bus, less of
 * it succeeds; but every accepted request completes once, what is read as good is right, and nothing is left behind.
 */
export async function runStorageScenario(options: StorageScenario): Promise<StorageScenarioResult> {
  const { unplugAtStep, ...rest } = options;
  const rig = defaultStorageRig(options.seed, options.turn, { ...rest, timing: "bus" });
  const { scheduler } = rig.machine;
  const problems: string[] = [];
  scheduler.onStep = (step) => {
    if (step === unplugAtStep) rig.bus.unplug(1);
    if (step > stepLimit && !scheduler.isStopped) {
      problems.push(`still running after ${stepLimit} steps`);
      scheduler.stop();
    }
  };
  await scheduler.run(patienceNs, () => rig.media.length > 0);
  const [media] = rig.media;
  let outcome: StorageScenarioResult["outcome"] = "no disk";
  if (media !== undefined && !scheduler.isStopped) {
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
    // A corrupted bit on the bus is nobody's to notice here: USB's CRC would have.
    const mayLie =
      options.faults?.rules.some(({ kind }) => kind === "corrupt" || kind === "truncate") ?? false;
    for (let slot = 0; slot < requests; slot++) {
      const isRight = buffers[slot].every((byte) => byte === slot + 1);
      if (good[slot] && isWritten[slot] && !isRight && !mayLie)
        problems.push(`slot ${slot} read back wrong data`);
    }
    outcome = media.isGone ? "gone" : isAllGood ? "verified" : "failed";
  }
  problems.push(...(await problemsAfterUnplug(rig)));
  return { digest: rig.digest(), steps: scheduler.steps, outcome, problems };
}

/** Pulls the cable, lets everything end, and looks for what must not be left: waits, panics, registry entries. */
export async function problemsAfterUnplug(rig: StorageRig): Promise<string[]> {
  const problems: string[] = [];
  rig.bus.unplug(1);
  const end = await rig.machine.run();
  for (const wait of end.reason === "deadlock" ? end.waits : [])
    problems.push(`${wait.thread} waits for ${wait.waitsFor} for ever`);
  const { failure } = rig.machine;
  if (failure !== null) problems.push(`${failure.kind}: ${failure.text}`);
  else if (end.reason !== "stopped") {
    for (const entry of rig.machine.registry.entries()) {
      if (entry.classChain.some((name) => /^IO(USBHost|SCSI|Media)/.test(name)))
        problems.push(`${entry.path} is still there after the unplug`);
    }
  }
  return problems;
}

/** One to three rules drawn from a seed: any kind, any pipe, any time. */
export function drawStorageFaults(seed: number): UsbFaultPlan {
  const random = new Random(seed).fork("storage faults");
  const rules = Array.from({ length: random.between(1, 3) }, (): UsbFaultRule => {
    const kind = usbFaultKinds[random.below(usbFaultKinds.length)];
    if (kind === "disconnect" && random.chance(0.5)) return { kind, atNs: random.below(400_000_000) };
    const endpoint = [0, 0x81, 0x02, 0x83, 0x04][random.below(5)];
    return {
      kind,
      endpoint,
      ...(random.chance(0.6) ? { nth: random.between(1, 40) } : { probability: random.below(15) / 100 }),
      ...(kind === "delay" ? { delayNs: random.below(50_000_000) } : {}),
    };
  });
  return { rules };
}
