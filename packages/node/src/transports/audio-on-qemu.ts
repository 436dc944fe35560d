// Our AC'97 driver on QEMU's AC97: both clocks in step, and what QEMU's mixer heard as a WAV file.

import type { AudioServerDevice } from "@drydock/core/families/audio/audio-server-device";
import { type AudioRig, type AudioRigOptions, defaultAudioRig } from "@drydock/core/rigs/audio-rig";
import { hostTurn } from "../host/host-turn.ts";
import { type OnQemuOptions, type RigOnQemu, startRigOnQemu, untilThere } from "./rig-on-qemu.ts";

export interface AudioOnQemuOptions extends Omit<OnQemuOptions, "image" | "blkdebug"> {
  /** Where QEMU writes what it plays. */
  readonly wav: string;
  readonly rig?: Partial<AudioRigOptions>;
}

/** Throws with what is missing when there is no QEMU to drive. */
export function startAudioOnQemu(options: AudioOnQemuOptions): Promise<RigOnQemu<AudioRig>> {
  // The stream's own format, or its mixer resamples and no sample stays what it was.
  const backend = `wav,id=a0,path=${options.wav},out.frequency=48000,out.channels=2,out.format=s16`;
  const devices = ["-audiodev", backend, "-device", "AC97,audiodev=a0,addr=5"];
  return startRigOnQemu(
    { ...options, pace: "lockstep" },
    devices,
    (hostMemory) =>
      defaultAudioRig(options.seed ?? 1, hostTurn, { ...options.rig, isPluggedIn: false, hostMemory }),
    (rig, port) => rig.pci.attach(port),
  );
}

/** Waits, in real time, until the device is there. */
export function openQemuAudio(on: RigOnQemu<AudioRig>, timeoutMs?: number): Promise<AudioServerDevice> {
  return untilThere(
    () => on.rig.audio.devices.at(0),
    on.death,
    () => on.rig.whyNoDevice(),
    timeoutMs,
  );
}
