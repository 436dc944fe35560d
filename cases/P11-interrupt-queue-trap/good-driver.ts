// P11, right: sources by recorded index, one queue each with a name of its own, kept until its source is cancelled.

import type { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { kIOInterruptTypePCIMessagedX } from "@drydock/core/runtime/dispatch-source";
import type { ServiceClass } from "@drydock/core/runtime/service";
import { RaidDriver, type RaidLedger } from "./raid-driver.ts";

export function goodRaidDriver(ledger: RaidLedger): ServiceClass {
  return class P11Driver extends RaidDriver {
    protected override readonly ledger = ledger;

    protected override makeChannels(device: IOPCIDevice): void {
      const indices: number[] = [];
      for (let index = 0; ; index++) {
        const type = device.interruptType(index);
        if (type === null) break;
        if ((type & kIOInterruptTypePCIMessagedX) !== 0) indices.push(index);
      }
      for (const [vector, index] of indices.entries())
        this.makeChannel(device, index, vector, `InterruptQueue${vector}`);
    }
  };
}
