// Our NVMe driver on QEMU's NVMe controller: the rig, the process, and the real clock that joins them.

import type { IOMedia } from "@drydock/core/families/block/io-media";
import type { PciHostPort } from "@drydock/core/ports/pci-host";
import { defaultNvmeRig, type NvmeRig, type NvmeRigOptions, whyNoDisk } from "@drydock/core/rigs/nvme-rig";
import { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import { hostTurn } from "../host/host-turn.ts";
import { LiveRunner } from "../host/live-runner.ts";
import { findQtestQemu, QemuQtest, type QemuQtestOptions } from "./qemu-qtest.ts";
import { createSharedRam } from "./shared-ram.ts";

export interface NvmeOnQemuOptions extends Pick<QemuQtestOptions, "hasIommu" | "trace" | "messages"> {
  readonly seed?: number;
  /** A raw image. */
  readonly image: string;
  /** Errors that blkdebug injects: its own options, as `-blockdev` takes them. */
  readonly blkdebug?: readonly string[];
  readonly rig?: Partial<NvmeRigOptions>;
  readonly ramMiB?: number;
}

export interface NvmeOnQemu {
  readonly rig: NvmeRig;
  readonly qemu: QemuQtest;
  readonly runner: LiveRunner;
  /** Why QEMU ended by itself; null while it lives. */
  readonly death: () => string | null;
  /** Pulls the controller out while it works, as the slot's power goes off. */
  unplug(): Promise<void>;
  /** Puts it in again. */
  replug(): Promise<void>;
  close(): Promise<void>;
}

const driveId = "d0";
const deviceId = "nv";

/** Throws with what is missing when there is no QEMU to drive. */
export async function startNvmeOnQemu(options: NvmeOnQemuOptions): Promise<NvmeOnQemu> {
  const found = findQtestQemu();
  if ("missing" in found) throw new Error(found.missing);
  const ram = createSharedRam((options.ramMiB ?? 128) << 20);
  const arena = new RamArena(ram.bytes);
  const rig = defaultNvmeRig(options.seed ?? 1, hostTurn, {
    ...options.rig,
    isPluggedIn: false,
    hostMemory: arena,
  });
  const runner = new LiveRunner(rig.machine.scheduler);
  const running = runner.start();
  let death: string | null = null;
  let port: PciHostPort | null = null;
  let attachments = 0;
  const end = async () => {
    await runner.stop();
    await running;
  };
  const rules = (options.blkdebug ?? []).map((rule) => `,${rule}`).join("");
  const drive =
    options.blkdebug === undefined
      ? `driver=raw,node-name=${driveId}0,file.driver=file,file.filename=${options.image},file.locking=off`
      : `driver=raw,node-name=${driveId}0,file.driver=blkdebug,file.image.driver=file,file.image.filename=${options.image}${rules}`;
  const device = `nvme,serial=DRYDOCK,drive=${driveId}0,id=${deviceId}0,bus=rp`;
  let qemu: QemuQtest;
  try {
    qemu = await QemuQtest.start(
      {
        binary: found.path,
        clock: rig.machine.scheduler,
        steps: runner,
        ram,
        arena,
        devices: [
          ...["-device", "pcie-root-port,id=rp,bus=pcie.0,addr=3,chassis=1,slot=1"],
          ...["-blockdev", drive, "-device", device],
        ],
        hasIommu: options.hasIommu ?? false,
        messages: options.messages ?? "doorbell",
        ...(options.trace === undefined ? {} : { trace: options.trace }),
        onDeath: (reason) => {
          death = reason;
        },
      },
      (machine) =>
        machine.onAttach((attached) => {
          port = attached;
          rig.pci.attach(attached);
        }),
    );
  } catch (error) {
    await end();
    ram.close();
    throw error;
  }
  return {
    rig,
    qemu,
    runner,
    death: () => death,
    unplug: async () => {
      if (port === null) throw new Error("nothing is plugged in");
      const id = `${deviceId}${attachments}`;
      await qemu.machine.unplug(port, () => qemu.qmp.execute("device_del", { id }));
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
    close: async () => {
      await qemu.close();
      await end();
      // Nothing runs any more that could touch it.
      ram.close();
    },
  };
}

/** Waits, in real time, until the disk is there. */
export async function openQemuMedia(on: NvmeOnQemu, timeoutMs = 20_000): Promise<IOMedia> {
  const deadline = performance.now() + timeoutMs;
  while (on.rig.media.length === 0) {
    const isOver = performance.now() > deadline || on.death() !== null;
    if (isOver) throw new Error(`no disk came up: ${[...whyNoDisk(on.rig), on.death() ?? ""].join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  return on.rig.media[0];
}
