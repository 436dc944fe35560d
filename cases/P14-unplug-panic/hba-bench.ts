// P14: the adapter in a slot, one driver, and a cable that is pulled.

import type { Random } from "@drydock/core/base/random";
import { PciBoardDevice } from "@drydock/core/devices/pci-board/pci-board-device";
import type { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { type PlatformProfile, platformProfile } from "@drydock/core/platform/platform-profile";
import { PciRig, pciDigest } from "@drydock/core/rigs/pci-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";
import { type PciFindings, PciWatch } from "@drydock/core/trials/pci-watch";
import {
  makeLeave,
  runScenario,
  type ScenarioPlan,
  type ScenarioResult,
} from "@drydock/core/trials/scenario";
import { boardBundle } from "../board-driver.ts";

/** Apple silicon without the question of entitlements, which is another case's. */
export const appleSilicon: PlatformProfile = { ...platformProfile("macos15"), checksEntitlements: false };
export const intel: PlatformProfile = { ...platformProfile("macos15-intel"), checksEntitlements: false };

export interface HbaBenchOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly profile?: PlatformProfile;
  /** A class, or a whole bundle whose class is P14Driver. */
  readonly driver: ServiceClass | DriverBundle;
  readonly name: string;
}

export class HbaBench {
  readonly rig: PciRig;
  readonly board: PciBoardDevice;
  readonly #random: Random;
  /** Every nub that was there. */
  readonly devices: IOPCIDevice[] = [];

  constructor(options: HbaBenchOptions) {
    this.rig = new PciRig({
      seed: options.seed,
      turn: options.turn,
      profile: options.profile ?? appleSilicon,
    });
    const { machine, pci, family } = this.rig;
    this.#random = machine.random.fork("cable");
    this.board = new PciBoardDevice({ clock: machine.scheduler, random: machine.random.fork("board") });
    const { driver, name } = options;
    machine.install("classes" in driver ? driver : boardBundle("P14", name, driver, true));
    machine.onRegistered(() => {
      for (const device of family.devices) if (!this.devices.includes(device)) this.devices.push(device);
      if (this.devices.length > 4) this.devices.shift();
    });
    pci.bus.plugIn(this.board, 1);
  }

  /** The adapter's service, in whatever language its driver is. */
  get driver(): IOService | null {
    for (const entry of this.rig.machine.registry.entries())
      if (entry.className === "P14Driver") return entry;
    return null;
  }

  /** Until the driver works; false when the machine has stopped. */
  async settle(): Promise<boolean> {
    const { scheduler } = this.rig.machine;
    await scheduler.run(scheduler.nowNs() + 10e9, () => this.driver?.isStarted === true);
    return !scheduler.isStopped;
  }

  /** Pulls the cable at a random moment of the next 3 ms and lets everything end; false when the machine has stopped. */
  async pull(limitNs = 10e9): Promise<boolean> {
    const { scheduler } = this.rig.machine;
    scheduler.after(this.#random.below(3_000_000), () => this.rig.pci.bus.unplug(1), undefined);
    await scheduler.run(scheduler.nowNs() + 4_000_000);
    if (scheduler.isStopped) return false;
    await scheduler.run(scheduler.nowNs() + limitNs, () => this.driver === null);
    return !scheduler.isStopped;
  }

  pushIn(): void {
    this.rig.pci.bus.plugIn(this.board, 1);
  }

  /** Cycles of pulling and pushing until the machine stops, or `most`. Answers how many were survived. */
  async cycles(most: number): Promise<number> {
    for (let cycle = 0; cycle < most; cycle++) {
      if (!(await this.settle()) || !(await this.pull())) return cycle;
      this.pushIn();
    }
    return most;
  }
}

/** The scenario for F01: up, at work for a while, pulled at a step or then. */
export async function runHbaScenario(
  options: HbaBenchOptions & ScenarioPlan,
): Promise<ScenarioResult<"worked" | "no driver"> & { readonly pci: PciFindings }> {
  const bench = new HbaBench(options);
  const { rig } = bench;
  const watch = new PciWatch(rig, bench.board);
  const { scheduler } = rig.machine;
  const result = await runScenario(
    {
      rig,
      stepLimit: 100_000,
      mustLeave: /^IOPCIDevice/,
      play: async () => {
        await scheduler.run(scheduler.nowNs() + 1e9, () => bench.driver?.isStarted === true);
        const hasDriver = bench.driver !== null;
        if (!scheduler.isStopped) await scheduler.run(scheduler.nowNs() + 1_100_000);
        return hasDriver ? "worked" : "no driver";
      },
      unplug: () => rig.pci.bus.unplug(1),
      replug: () => bench.pushIn(),
      isUp: () => bench.driver?.isStarted === true,
      leave: (way) => void rig.family.devices.some((device) => makeLeave(rig.machine, device, way)),
      digest: () => pciDigest(rig),
      afterwards: (problems) => {
        const left = rig.pci.iommu.mappings.size;
        if (left > 0) problems.push(`${left} mappings are left`);
      },
    },
    options,
  );
  return { ...result, pci: watch.findings() };
}
