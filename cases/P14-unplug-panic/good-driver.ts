// P14, right: no register is read in steady state, a gate closes first, and Stop touches nothing of the device.

import { IOReturns } from "@drydock/core/base/io-return";
import { PciCommand, PciConfig } from "@drydock/core/codec/pci/config-space";
import { type IOPCIDevice, kIOPCIAccessLatencyTolerantHint } from "@drydock/core/families/pci/io-pci-device";
import type { IOService, ServiceClass } from "@drydock/core/runtime/service";
import { BoardRegister } from "../board-driver.ts";
import { HbaDriver, type HbaLedger } from "./hba-driver.ts";

const known = 0x0b0a0d01;

/** `memory-first` swaps two steps of Stop, for the prover of teardown order (posts.md F12). */
export function goodHbaDriver(
  ledger: HbaLedger,
  order: "master-first" | "memory-first" = "master-first",
): ServiceClass {
  return class P14Driver extends HbaDriver {
    protected override readonly ledger = ledger;
    #isGateOpen = false;

    protected override async meet(device: IOPCIDevice): Promise<void> {
      // Through the kernel: a link that dies here is all ones, not a panic.
      const identity = await device.memoryRead32(0, BoardRegister.identity, kIOPCIAccessLatencyTolerantHint);
      if (identity !== known) throw this.failure(IOReturns.kIOReturnNoDevice, "meet");
      this.#isGateOpen = true;
    }

    protected override interruptOccurred(): void {
      if (this.#isGateOpen) this.completeCounted();
    }

    protected override submit(): void {
      if (this.#isGateOpen) super.submit();
    }

    override async stop(provider: IOService): Promise<void> {
      this.#isGateOpen = false;
      this.interrupt?.setEnable(false);
      this.timer?.setEnable(false);
      await this.cancelSources();
      this.failAll();
      const { device } = this;
      if (device !== null) {
        if (order === "memory-first") this.releaseMemory();
        // Engine and bus master off, read back, and only then the memory: in case the device is still there.
        device.memoryWrite32(0, BoardRegister.engine, 0);
        device.configurationWrite16(PciConfig.command, PciCommand.interruptDisable);
        await device.configurationRead16(PciConfig.command);
        this.releaseMemory();
        device.close(this);
      }
      await super.stop(provider);
    }
  };
}
