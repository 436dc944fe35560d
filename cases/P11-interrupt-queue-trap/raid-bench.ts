// P11: the adapter with its legacy pin and five vectors, a storm of interrupts, and one driver.

import type { Random } from "@drydock/core/base/random";
import { PciBoardDevice } from "@drydock/core/devices/pci-board/pci-board-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { PciRig } from "@drydock/core/rigs/pci-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";
import { boardBundle } from "../board-driver.ts";
import { RaidDriver, vectorCount } from "./raid-driver.ts";

export interface RaidBenchOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** A class, or a whole bundle whose class is P11Driver. */
  readonly driver: ServiceClass | DriverBundle;
  readonly name: string;
  /** A legacy pin puts a level specifier in front. Default true. */
  readonly hasLine?: boolean;
}

/** Interrupts of one burst, and how long after it the next one comes: many millions in twelve hours. */
const burstMost = 24;
const gapMostNs = 40_000;

export class RaidBench {
  readonly rig: PciRig;
  readonly board: PciBoardDevice;
  /** Interrupts that the adapter has raised. */
  raised = 0;
  readonly #random: Random;
  #left = 0;

  constructor(options: RaidBenchOptions) {
    const profile = { ...platformProfile("macos15"), checksEntitlements: false };
    this.rig = new PciRig({ seed: options.seed, turn: options.turn, profile });
    const { machine, pci } = this.rig;
    this.#random = machine.random.fork("storm");
    this.board = new PciBoardDevice({
      clock: machine.scheduler,
      vectors: vectorCount,
      hasLine: options.hasLine ?? true,
    });
    const { driver, name } = options;
    machine.install("classes" in driver ? driver : boardBundle("P11", name, driver, false));
    // Another place than P14's adapter has: evidence of both may lie in one folder.
    pci.bus.plugIn(this.board, 2);
  }

  get driver(): RaidDriver | null {
    for (const entry of this.rig.machine.registry.entries()) if (entry instanceof RaidDriver) return entry;
    return null;
  }

  /** The adapter's service, in whatever language its driver is. */
  get service(): IOService | null {
    return (
      [...this.rig.machine.registry.entries()].find(({ className }) => className === "P11Driver") ?? null
    );
  }

  async bringUp(): Promise<void> {
    const { scheduler } = this.rig.machine;
    await scheduler.run(scheduler.nowNs() + 10e9, () => this.service?.isStarted === true);
    await scheduler.run(scheduler.nowNs() + 1e6);
  }

  /** Raises `count` interrupts in bursts on random vectors; ends early when the machine stops or the driver dies. */
  async storm(count: number): Promise<void> {
    const { machine } = this.rig;
    this.#left = count;
    machine.scheduler.after(0, burst, this as RaidBench);
    await machine.scheduler.run(
      Number.POSITIVE_INFINITY,
      () => this.#left === 0 || machine.crashes.length > 0,
    );
    // What is on its way is delivered.
    await machine.scheduler.run(machine.scheduler.nowNs() + 1e6, () => machine.crashes.length > 0);
  }

  burst(): void {
    const random = this.#random;
    const count = Math.min(this.#left, 1 + random.below(burstMost));
    const vector = random.below(vectorCount);
    for (let each = 0; each < count; each++) this.board.finishWork(vector);
    this.raised += count;
    this.#left -= count;
    const { scheduler, crashes } = this.rig.machine;
    if (this.#left > 0 && crashes.length === 0)
      scheduler.after(random.below(gapMostNs), burst, this as RaidBench);
  }
}

function burst(bench: RaidBench): void {
  bench.burst();
}
