// A PCI rig of ours on functions of a QEMU: the process, shared memory, and the real clock that joins them.

import type { PciHostPort } from "@drydock/core/ports/pci-host";
import type { Machine } from "@drydock/core/runtime/machine";
import { RamArena } from "@drydock/core/transports/qtest/ram-arena";
import { LiveRunner } from "../host/live-runner.ts";
import { LockstepRunner } from "../host/lockstep-runner.ts";
import type { StepTaker } from "../host/ordered-steps.ts";
import { findQtestQemu, QemuQtest, type QemuQtestOptions } from "./qemu-qtest.ts";
import { createSharedRam } from "./shared-ram.ts";

export interface QemuRigOptions extends Pick<QemuQtestOptions, "hasIommu" | "trace" | "messages"> {
  readonly seed?: number;
  readonly ramMiB?: number;
  /** `lockstep`: virtual time on both sides, for devices whose own clocks matter. Default `real`. */
  readonly pace?: "real" | "lockstep";
}

/** How late an interrupt of QEMU can be in lockstep: each step costs a turn of both processes. */
const lockstepNs = 10_000_000;

/** Who runs the machine. */
interface MachineRunner extends StepTaker {
  start(): Promise<void>;
  stop(): Promise<void>;
}

export interface OnQemuOptions extends QemuRigOptions {
  /** A raw image, where a disk is wanted. */
  readonly image?: string;
  /** Errors that blkdebug injects: its own options, as `-blockdev` takes them. */
  readonly blkdebug?: readonly string[];
}

/** Any rig of ours. */
export interface MachineRig {
  readonly machine: Machine;
}

export interface RigOnQemu<Rig extends MachineRig> {
  readonly rig: Rig;
  readonly qemu: QemuQtest;
  readonly runner: MachineRunner;
  /** Why QEMU ended by itself; null while it lives. */
  readonly death: () => string | null;
  /** The function that was attached last; throws when there is none. */
  port(): PciHostPort;
  close(): Promise<void>;
}

/** `-blockdev` for a raw image, with blkdebug between where errors are wanted. */
export function imageDrive(name: string, { image = "", blkdebug }: OnQemuOptions): readonly string[] {
  const rules = (blkdebug ?? []).map((rule) => `,${rule}`).join("");
  const drive =
    blkdebug === undefined
      ? `driver=raw,node-name=${name},file.driver=file,file.filename=${image},file.locking=off`
      : `driver=raw,node-name=${name},file.driver=blkdebug,file.image.driver=file,file.image.filename=${image}${rules}`;
  return ["-blockdev", drive];
}

/** A root port with a hot-plug slot, on bus 1. */
export const rootPort: readonly string[] = [
  "-device",
  "pcie-root-port,id=rp,bus=pcie.0,addr=3,chassis=1,slot=1",
];

/**
 * `devices` of QEMU come up in what `build` makes, each PCI function by `attach`. Throws with what is missing when there is no
 * QEMU to drive.
 */
export async function startRigOnQemu<Rig extends MachineRig>(
  options: QemuRigOptions,
  devices: readonly string[],
  build: (hostMemory: RamArena) => Rig,
  attach: (rig: Rig, port: PciHostPort, hostMemory: RamArena) => void,
): Promise<RigOnQemu<Rig>> {
  const found = findQtestQemu();
  if ("missing" in found) throw new Error(found.missing);
  const ram = createSharedRam((options.ramMiB ?? 128) << 20);
  const arena = new RamArena(ram.bytes);
  const rig = build(arena);
  const { scheduler } = rig.machine;
  const lockstep = options.pace === "lockstep" ? new LockstepRunner(scheduler, lockstepNs) : null;
  const runner: MachineRunner = lockstep ?? new LiveRunner(scheduler);
  const running = runner.start();
  let death: string | null = null;
  let port: PciHostPort | null = null;
  const end = async () => {
    await runner.stop();
    await running;
  };
  let qemu: QemuQtest;
  try {
    qemu = await QemuQtest.start(
      {
        binary: found.path,
        clock: rig.machine.scheduler,
        steps: runner,
        ram,
        arena,
        devices,
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
          attach(rig, attached, arena);
        }),
    );
  } catch (error) {
    await end();
    ram.close();
    throw error;
  }
  if (lockstep !== null) {
    const { machine, qtest } = qemu;
    lockstep.other = {
      get pending() {
        return qtest.pending;
      },
      step: () => machine.stepClock(),
    };
    runner.ready(() => {}, undefined);
  }
  return {
    rig,
    qemu,
    runner,
    death: () => death,
    port: () => {
      if (port === null) throw new Error("nothing is plugged in");
      return port;
    },
    close: async () => {
      await qemu.close();
      await end();
      // Nothing runs any more that could touch it.
      ram.close();
    },
  };
}

/** Waits, in real time, until something is there; `why` says what stood in the way. */
export async function untilThere<T>(
  find: () => T | undefined,
  death: () => string | null,
  why: () => readonly string[],
  timeoutMs = 20_000,
): Promise<T> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const found = find();
    if (found !== undefined) return found;
    if (performance.now() > deadline || death() !== null)
      throw new Error(`nothing came up: ${[...why(), death() ?? ""].join("; ")}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
