// P14, wrong: a register is polled every millisecond and read in the interrupt path.

import type { IOPCIDevice } from "@drydock/core/families/pci/io-pci-device";
import { kIOTimerClockUptimeRaw } from "@drydock/core/runtime/dispatch-source";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";
import { BoardRegister } from "../board-driver.ts";
import { HbaDriver, type HbaLedger } from "./hba-driver.ts";

const pollNs = 1_000_000;
/** A bit of the status register: the adapter is at work with itself. */
const busy = 2;

/** `waits-in-stop`: Stop asks the device whether it is quiet. `close-first`: the session is closed under the timer (AC4). */
export type HbaMistake = "polls" | "waits-in-stop" | "close-first";

export function badHbaDriver(ledger: HbaLedger, mistake: HbaMistake = "polls"): ServiceClass {
  return class P14Driver extends HbaDriver {
    protected override readonly ledger = ledger;

    protected override async meet(device: IOPCIDevice): Promise<void> {
      await device.memoryRead32(0, BoardRegister.identity);
    }

    protected override async interruptOccurred(): Promise<void> {
      await this.device?.memoryRead32(0, BoardRegister.status);
      this.completeCounted();
    }

    protected override async timerOccurred(): Promise<void> {
      await this.#waitQuiet();
      this.timer?.wakeAtTime(kIOTimerClockUptimeRaw, this.nowNs + pollNs);
    }

    async #waitQuiet(): Promise<void> {
      // All ones has the bit set, and for ever.
      while ((((await this.device?.memoryRead32(0, BoardRegister.status)) ?? 0) & busy) !== 0);
    }

    override async start(provider: IOService): Promise<void> {
      await super.start(provider);
      this.timer?.wakeAtTime(kIOTimerClockUptimeRaw, this.nowNs + pollNs);
    }

    override async stop(provider: IOService): Promise<void> {
      if (mistake === "close-first") this.device?.close(this);
      await this.cancelSources();
      if (mistake === "waits-in-stop") await this.#waitQuiet();
      this.failAll();
      this.device?.close(this);
      this.releaseMemory();
      await super.stop(provider);
    }
  };
}
