// What one run of a PCI rig shows besides: reads that were lucky (F02), DMA that could still arrive (F12).

import type { IOPCIDevice } from "../families/pci/io-pci-device.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import type { PciRigParts } from "../rigs/pci-rig.ts";
import { type LuckyRead, luckyReads } from "./lucky-reads.ts";
import { type TeardownReport, TeardownWatch } from "./teardown-watch.ts";

export interface PciFindings {
  readonly lucky: readonly LuckyRead[];
  readonly teardown: TeardownReport;
}

/** Nubs that are remembered after they left. */
const nubsMaximum = 4;

/** Watches the device in slot 1 of a rig from its first step on. */
export class PciWatch {
  readonly #rig: PciRigParts;
  readonly #teardown: TeardownWatch;
  readonly #nubs: IOPCIDevice[] = [];

  constructor(rig: PciRigParts, device: PciDevicePort) {
    this.#rig = rig;
    this.#teardown = new TeardownWatch(rig.machine.scheduler, rig.pci, device, 1, false);
    rig.machine.onRegistered(() => {
      for (const nub of rig.family.devices) if (!this.#nubs.includes(nub)) this.#nubs.push(nub);
      if (this.#nubs.length > nubsMaximum) this.#nubs.shift();
    });
  }

  findings(): PciFindings {
    return { lucky: luckyReads(this.#rig, this.#nubs), teardown: this.#teardown.report() };
  }
}
