// Our NVMe driver on QEMU's NVMe controller, behind a root port: plugged out and in as its slot does it.

import type { IOMedia } from "@drydock/core/families/block/io-media";
import { defaultNvmeRig, type NvmeRig, type NvmeRigOptions } from "@drydock/core/rigs/nvme-rig";
import { hostTurn } from "../host/host-turn.ts";
import {
  imageDrive,
  type OnQemuOptions,
  type RigOnQemu,
  rootPort,
  startRigOnQemu,
  untilThere,
} from "./rig-on-qemu.ts";

export interface NvmeOnQemuOptions extends OnQemuOptions {
  readonly image: string;
  readonly rig?: Partial<NvmeRigOptions>;
}

export interface NvmeOnQemu extends RigOnQemu<NvmeRig> {
  /** Pulls the controller out while it works, as the slot's power goes off. */
  unplug(): Promise<void>;
  /** Puts it in again. */
  replug(): Promise<void>;
}

const driveId = "d0";
const deviceId = "nv";

/** Throws with what is missing when there is no QEMU to drive. */
export async function startNvmeOnQemu(options: NvmeOnQemuOptions): Promise<NvmeOnQemu> {
  const device = `nvme,serial=DRYDOCK,drive=${driveId}0,id=${deviceId}0,bus=rp`;
  const devices = [...rootPort, ...imageDrive(`${driveId}0`, options), "-device", device];
  const on = await startRigOnQemu(
    options,
    devices,
    (hostMemory) =>
      defaultNvmeRig(options.seed ?? 1, hostTurn, { ...options.rig, isPluggedIn: false, hostMemory }),
    (rig, port) => rig.pci.attach(port),
  );
  const { qemu } = on;
  let attachments = 0;
  return {
    ...on,
    unplug: async () => {
      const id = `${deviceId}${attachments}`;
      await qemu.machine.unplug(on.port(), () => qemu.qmp.execute("device_del", { id }));
    },
    replug: async () => {
      // A device that was taken out under load is not always freed: its drive stays with it, so this one gets its own.
      const node = `${driveId}${++attachments}`;
      const file = { driver: "file", filename: options.image, locking: "off" };
      await qemu.qmp.execute("blockdev-add", { driver: "raw", "node-name": node, file });
      const id = `${deviceId}${attachments}`;
      const fields = { driver: "nvme", serial: "DRYDOCK", drive: node, id, bus: "rp" };
      await qemu.machine.replug({ bus: 1, device: 0, function: 0 }, () =>
        qemu.qmp.execute("device_add", fields),
      );
    },
  };
}

/** Waits, in real time, until the disk is there. */
export function openQemuMedia(on: RigOnQemu<NvmeRig>, timeoutMs?: number): Promise<IOMedia> {
  return untilThere(
    () => on.rig.media.at(0),
    on.death,
    () => on.rig.whyNoDisk(),
    timeoutMs,
  );
}
