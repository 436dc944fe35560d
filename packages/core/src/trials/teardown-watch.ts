// The order in which a driver lets go of its device, and how long DMA could still have arrived (F12).

import type { Clock, Nanoseconds } from "../base/clock.ts";
import { formatNs } from "../base/units.ts";
import { PciCommand } from "../codec/pci/config-space.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import type { PciBerth } from "../rigs/pci-berth.ts";

export interface TeardownStep {
  readonly timeNs: Nanoseconds;
  readonly what: "bus master on" | "bus master off" | "unmap with the engine on" | "unmap" | "refused";
  readonly about: string;
}

export interface TeardownReport {
  readonly steps: readonly TeardownStep[];
  /** From the first unmap under a device that could still write to the moment when it could not; 0: never. */
  readonly windowNs: number;
  /** What was unmapped too early, first of all. */
  readonly exposed: string | null;
  /** Accesses that the IOMMU refused meanwhile. */
  readonly refused: number;
}

/** Mappings of single requests end all the time; those of queues and lists end in a teardown. */
const isRequest = (owner: string): boolean => owner.startsWith("block ") || owner.startsWith("task ");

/** Watches one slot from now on. */
export class TeardownWatch {
  readonly #clock: Clock;
  readonly #berth: PciBerth;
  readonly #slot: number;
  readonly #device: PciDevicePort;
  readonly #steps: TeardownStep[] = [];
  #isMaster: boolean;
  #exposedNs: Nanoseconds | null = null;
  #exposed: string | null = null;
  #windowNs = 0;
  #refusedBefore: number;

  /** `isMaster`: the device may write already; false for one that is to come. */
  constructor(clock: Clock, berth: PciBerth, device: PciDevicePort, slot = 1, isMaster = true) {
    this.#clock = clock;
    this.#berth = berth;
    this.#device = device;
    this.#slot = slot;
    this.#isMaster = isMaster;
    this.#refusedBefore = berth.iommu.refusedCount;
    berth.bus.onCommand = (_requester, command) => this.#command((command & PciCommand.busMaster) !== 0);
    berth.iommu.onUnmapped = (mapping) => {
      if (!isRequest(mapping.owner)) this.#unmapped(mapping.owner);
    };
  }

  report(): TeardownReport {
    // A device that can still write has had until now.
    const open = this.#exposedNs === null || !this.#canWrite() ? 0 : this.#clock.nowNs() - this.#exposedNs;
    return {
      steps: this.#steps,
      windowNs: this.#windowNs + open,
      exposed: this.#exposed,
      refused: this.#berth.iommu.refusedCount - this.#refusedBefore,
    };
  }

  #canWrite(): boolean {
    return this.#isMaster && this.#device.isEngineOn && this.#berth.bus.isUp(this.#slot);
  }

  #command(isMaster: boolean): void {
    if (isMaster === this.#isMaster) return;
    if (!isMaster && this.#exposedNs !== null) {
      this.#windowNs += this.#clock.nowNs() - this.#exposedNs;
      this.#exposedNs = null;
    }
    this.#isMaster = isMaster;
    this.#note(isMaster ? "bus master on" : "bus master off", "");
  }

  #unmapped(owner: string): void {
    const isExposed = this.#canWrite();
    this.#note(isExposed ? "unmap with the engine on" : "unmap", owner);
    if (!isExposed) return;
    this.#exposedNs ??= this.#clock.nowNs();
    this.#exposed ??= owner;
  }

  #note(what: TeardownStep["what"], about: string): void {
    this.#steps.push({ timeNs: this.#clock.nowNs(), what, about });
  }
}

export function describeTeardown(report: TeardownReport): string {
  const order = report.steps
    .map(({ what, about }) => (about === "" ? what : `${what} (${about})`))
    .join(", ");
  return report.windowNs === 0
    ? `in order: ${order}`
    : `"${report.exposed}" was unmapped while the device could still write: a window of ${formatNs(report.windowNs)}; ${order}`;
}
