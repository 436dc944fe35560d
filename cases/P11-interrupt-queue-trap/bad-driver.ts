// P11, wrong: a count used as an index, five queues of one name, and a queue made anew on reset under a living source.

import type { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { type DispatchRules, dispatchRules, IODispatchQueue } from "@drydock/core/runtime/dispatch-queue";
import { kIOInterruptTypePCIMessagedX } from "@drydock/core/runtime/dispatch-source";
import type { ServiceClass } from "@drydock/core/runtime/service";
import { RaidDriver, type RaidLedger } from "./raid-driver.ts";

/** A reset of the adapter's firmware comes after so many interrupts. */
const resetAfter = 2000;

/**
 * `lifetime`: queues released once too often on the reset path. `index`: sources for 0 to count - 1. `nests`: the handler
 * dispatches onto its own queue. `crosses`: handlers of two queues wait for each other.
 */
export type RaidMistake = "lifetime" | "index" | "nests" | "crosses";

/** As on a real system: nothing stops when the two ledgers disagree. */
export const realSystem: DispatchRules = { ...dispatchRules, stopOnDisagreement: false };

export function badRaidDriver(
  ledger: RaidLedger,
  mistake: RaidMistake,
  rules: DispatchRules = realSystem,
): ServiceClass {
  return class P11Driver extends RaidDriver {
    protected override readonly ledger = ledger;
    protected override readonly rules = rules;

    protected override makeChannels(device: IOPCIDevice): void {
      if (mistake === "index") this.#byCount(device);
      else this.#byType(device);
    }

    protected override occurred(vector: number, count: number): void | Promise<void> {
      this.handle(vector, count);
      const { queue } = this.channels[vector];
      if (mistake === "nests") return queue.dispatchSync(() => {});
      if (mistake === "crosses" && vector < 2) return this.#cross(this.channels[1 - vector].queue);
      if (mistake === "lifetime" && ledger.resets === 0 && ledger.interrupts > resetAfter) this.#reset();
    }

    /** A little work of its own, then a wait for the other vector's queue. */
    async #cross(other: IODispatchQueue): Promise<void> {
      await this.kernel.scheduler.sleep(5_000);
      await other.dispatchSync(() => {});
    }

    /** The post's: counts the messaged ones, then takes the indices from 0 on. */
    #byCount(device: IOPCIDevice): void {
      let count = 0;
      for (let index = 0; ; index++) {
        const type = device.interruptType(index);
        if (type === null) break;
        if ((type & kIOInterruptTypePCIMessagedX) !== 0) count++;
      }
      for (let index = 0; index < count; index++) this.makeChannel(device, index, index, "InterruptQueue");
    }

    #byType(device: IOPCIDevice): void {
      let vector = 0;
      for (let index = 0; ; index++) {
        const type = device.interruptType(index);
        if (type === null) break;
        if ((type & kIOInterruptTypePCIMessagedX) !== 0)
          this.makeChannel(device, index, vector++, "InterruptQueue");
      }
    }

    /** Firmware reset: queues are made anew; the sources keep the old ones, one reference too few. */
    #reset(): void {
      ledger.resets++;
      for (const channel of this.channels) {
        const old = channel.queue;
        channel.queue = IODispatchQueue.create(this.process, "InterruptQueue", 0, 0, rules);
        old.release();
        old.release();
      }
    }
  };
}
