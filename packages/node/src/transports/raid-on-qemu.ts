// Our MegaRAID driver on QEMU's megasas and megasas-gen2, behind a root port, with a SCSI disk of QEMU's as its drive.

import type { MfiGeneration } from "@drydock/core/codec/mfi/mfi";
import type { IOMedia } from "@drydock/core/families/block/io-media";
import { defaultRaidRig, type RaidRig, type RaidRigOptions } from "@drydock/core/rigs/raid-rig";
import { hostTurn } from "../host/host-turn.ts";
import {
  imageDrive,
  type OnQemuOptions,
  type RigOnQemu,
  rootPort,
  startRigOnQemu,
  untilThere,
} from "./rig-on-qemu.ts";

export interface RaidOnQemuOptions extends OnQemuOptions {
  readonly generation: MfiGeneration;
  readonly rig?: Partial<RaidRigOptions>;
}

export interface RaidOnQemu extends RigOnQemu<RaidRig> {
  /** Pulls the controller out while it works. */
  unplug(): Promise<void>;
  /** Takes the disk away from under the controller. */
  removeDisk(): Promise<void>;
}

const models = { "1078": "megasas", gen2: "megasas-gen2" } as const;

/** Throws with what is missing when there is no QEMU to drive. */
export async function startRaidOnQemu(options: RaidOnQemuOptions): Promise<RaidOnQemu> {
  const devices = [
    ...rootPort,
    ...imageDrive("d0", options),
    ...["-device", `${models[options.generation]},id=ms,bus=rp`],
    ...["-device", "scsi-hd,drive=d0,id=sd0,bus=ms.0,scsi-id=0"],
  ];
  const on = await startRigOnQemu(
    options,
    devices,
    (hostMemory) =>
      defaultRaidRig(options.seed ?? 1, hostTurn, { ...options.rig, isPluggedIn: false, hostMemory }),
    (rig, port) => rig.pci.attach(port),
  );
  const { machine, qmp } = on.qemu;
  return {
    ...on,
    unplug: () => machine.unplug(on.port(), () => qmp.execute("device_del", { id: "ms" })),
    removeDisk: async () => {
      await qmp.execute("device_del", { id: "sd0" });
    },
  };
}

/** Waits, in real time, until the disk is there. */
export function openRaidMedia(on: RigOnQemu<RaidRig>, timeoutMs?: number): Promise<IOMedia> {
  return untilThere(
    () => on.rig.media.at(0),
    on.death,
    () => on.rig.whyNoDisk(),
    timeoutMs,
  );
}
