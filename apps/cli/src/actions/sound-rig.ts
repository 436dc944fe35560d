// The rigs that sound is played on and recorded from: AC'97 hardware and USB headsets, by one face.

import type { AudioServerDevice } from "@drydock/core/families/audio/audio-server-device";
import { type AudioRigOptions, defaultAudioRig } from "@drydock/core/rigs/audio-rig";
import { defaultUsbAudioRig } from "@drydock/core/rigs/usb-audio-rig";
import type { Machine } from "@drydock/core/runtime/machine";
import type { Timeline } from "@drydock/core/trace/timeline";
import { hostTurn } from "@drydock/node/host-turn";

/** Of the catalogue. */
export type SoundRigName = "audio" | "headset" | "headset-2";

export interface SoundEnds {
  /** How much the hardware's clock is too fast. */
  readonly partsPerMillion?: number;
  readonly onPlayed?: (bytes: Uint8Array) => void;
  /** What a headset's microphone hears, frame by frame. */
  readonly hear?: (frame: number) => readonly [left: number, right: number];
}

export interface SoundRig {
  readonly machine: Machine;
  readonly timeline: Timeline;
  open(way?: "output" | "input"): Promise<AudioServerDevice>;
  /** For machines. */
  counters(): Readonly<Record<string, number>>;
  /** For people: what hardware and driver counted, in one clause. */
  account(): string;
}

export function soundRigOf(
  name: SoundRigName,
  seed: number,
  recording: Pick<AudioRigOptions, "trace" | "timeline">,
  ends: SoundEnds,
): SoundRig {
  if (name === "audio") {
    const rig = defaultAudioRig(seed, hostTurn, { ...recording, device: ends });
    const { machine, timeline } = rig;
    const counters = () => ({
      interrupts: rig.driver?.counters.interrupts ?? 0,
      underruns: rig.driver?.counters.underruns ?? 0,
      refusedAccesses: rig.pci.iommu.refusedCount,
    });
    const account = (): string => `${counters().interrupts} interrupts, ${counters().underruns} underruns`;
    return { machine, timeline, open: () => rig.openDevice(), counters, account };
  }
  const headset = name === "headset" ? 1 : 2;
  const rig = defaultUsbAudioRig(seed, hostTurn, { ...recording, headset, device: ends });
  const { machine, timeline } = rig;
  const counters = () => ({
    packetsOut: rig.device.counters.packets,
    packetsIn: rig.device.counters.heardPackets,
    missedIntervals: rig.device.counters.missed,
    feedbacks: rig.device.counters.feedbacks,
    framesAhead: Math.round(rig.device.drift),
  });
  const account = (): string => {
    const { feedbacks, framesAhead, missedIntervals, packetsIn, packetsOut } = counters();
    const packets = [packetsOut > 0 ? `${packetsOut} out` : "", packetsIn > 0 ? `${packetsIn} in` : ""];
    const said = `${packets.filter((each) => each !== "").join(" and ") || "no"} packets, ${missedIntervals} intervals missed`;
    return packetsOut > 0
      ? `${said}, ${feedbacks} feedbacks, ${Math.abs(framesAhead)} frames ${framesAhead < 0 ? "behind" : "ahead of"} its crystal`
      : said;
  };
  return { machine, timeline, open: (way) => rig.openDevice(way), counters, account };
}
