// The audio rig's scenario: a short tone is played and heard; whatever happens, what was heard is the tone's beginning.

import { type AudioRig, type AudioRigOptions, defaultAudioRig } from "../rigs/audio-rig.ts";
import { pciDigest } from "../rigs/pci-rig.ts";
import { rampTone, ToneCheck } from "../rigs/tone.ts";
import { pciDiskEnd } from "./pci-disk-campaign.ts";
import { type PciFindings, PciWatch } from "./pci-watch.ts";
import { runScenario, type ScenarioOptions, type ScenarioResult, splitPlan } from "./scenario.ts";

export interface AudioScenario
  extends Omit<ScenarioOptions, "faults">,
    Partial<Pick<AudioRigOptions, "bundles" | "middleware" | "profile" | "trace">> {
  /** Frames of the tone. Default 40 ms of 48 kHz. */
  readonly frames?: number;
}

/** What came of the tone. */
export type AudioOutcome = "played" | "glitched" | "cut short" | "refused" | "no device";
export type AudioResult = ScenarioResult<AudioOutcome> & { readonly pci: PciFindings };

const usualFrames = 1920;
const comeUpNs = 3e9;
const playNs = 1e9;
const stopNs = 1e9;

/** Plug in, come up, play, stop, unplug, end. */
export async function runAudioScenario(options: AudioScenario): Promise<AudioResult> {
  const { plan, rest: given } = splitPlan(options);
  const { frames = usualFrames, ...rest } = given;
  const source = rampTone(frames);
  const check = new ToneCheck(source, frames);
  const rig = defaultAudioRig(rest.seed, rest.turn, {
    ...rest,
    device: { onPlayed: (bytes) => check.hear(bytes) },
  });
  const watch = new PciWatch(rig, rig.device);
  const result = await runScenario<AudioOutcome>(
    {
      ...audioEnd(rig),
      stepLimit: 300_000,
      play: async (problems) => {
        const { scheduler } = rig.machine;
        await scheduler.run(comeUpNs, () => rig.audio.devices.length > 0);
        const [device] = rig.audio.devices;
        if (device === undefined || scheduler.isStopped) return "no device";
        device.start({ source });
        await scheduler.run(
          scheduler.nowNs() + playNs,
          () => device.isDrained || device.state === "stopped" || device.isGone,
        );
        const isRefused = device.lastFailure !== null;
        device.stop();
        await scheduler.run(scheduler.nowNs() + stopNs, () => device.state === "stopped" || device.isGone);
        if (device.state !== "stopped" && !device.isGone && !scheduler.isStopped)
          problems.push(`the device is still ${device.state} a second after it was stopped`);
        const isStruck = rest.access?.fired.includes(true) ?? false;
        if (check.wrongAt !== null && device.overloads === 0 && !isStruck)
          problems.push(`frame ${check.wrongAt} of the tone was not what was heard`);
        if (check.wrongAt !== null) return "glitched";
        return check.isWhole ? "played" : isRefused ? "refused" : "cut short";
      },
      digest: () => pciDigest(rig),
    },
    plan,
  );
  return { ...result, pci: watch.findings() };
}

function audioEnd(rig: AudioRig) {
  const end = pciDiskEnd({
    machine: rig.machine,
    family: rig.family,
    pci: rig.pci,
    timeline: rig.timeline,
    device: rig.device,
    media: [],
  });
  return { ...end, isUp: () => rig.audio.devices.length > 0, mustLeave: /^IO(PCIDevice|UserService)/ };
}
