// Hands at what a rig has: its disk and its network, for acts that take time and say later what came of them.

import type { BuiltRig } from "@drydock/core/rigs/rig-entry";
import { DiskHand, type DiskWork } from "./disk-hand.ts";
import { NetworkHand } from "./network-hand.ts";

/** Each answers why it has not begun; empty when it has. What came of it is said. */
export interface RigHands {
  disk(work: DiskWork, blocks: number): string;
  network(frames: number): string;
}

export type MakeHands = (rig: BuiltRig, onSaid: (text: string) => void) => RigHands;

export const makeHands: MakeHands = (rig, onSaid) => {
  const disk = new DiskHand(() => rig.media, onSaid);
  const network = new NetworkHand(() => rig.interfaces ?? [], onSaid);
  return {
    disk: (work, blocks) => disk.begin(work, blocks),
    network: (frames) => network.begin(frames),
  };
};
