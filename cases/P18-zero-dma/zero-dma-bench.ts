// P18: a RAID-on-chip with the post's INQUIRY answer, one driver, and the ledger of everything that moved.

import { megaRaidBundle } from "@drydock/core/drivers/megaraid/megaraid-bundle";
import { withBouncedDma } from "@drydock/core/faults/bounced-dma";
import { RaidRig } from "@drydock/core/rigs/raid-rig";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import { type ZeroDmaFault, zeroDmaDriver } from "./faults.ts";
import { type DextLedger, LedgerBench, postedAddress, postedProfile, postedTarget } from "./ledger-bench.ts";

export interface ZeroDmaOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** Null: the good driver. */
  readonly fault: ZeroDmaFault | null;
  /** Where device addresses begin: by default where the post's was. */
  readonly windowBase?: number;
}

export class ZeroDmaBench extends LedgerBench<RaidRig> {
  constructor(options: ZeroDmaOptions) {
    const { seed, turn, fault } = options;
    const dext: DextLedger = { look: null, entry: null };
    super(
      new RaidRig({
        seed,
        turn,
        profile: postedProfile,
        dmaWindowBase: options.windowBase ?? postedAddress,
        device: { startStates: [], latencyNs: [20_000, 20_000] },
        target: postedTarget,
        bundles: [megaRaidBundle(zeroDmaDriver(fault, dext), { className: "P18Driver" })],
        // Memory beyond what the adapter reaches is bounced, and a copy shows at completion alone.
        ...(fault === "looks-early" ? { middleware: withBouncedDma } : {}),
      }),
      dext,
    );
  }

  protected override hardwareRows(): string[] {
    return [this.astray(this.rig.device.memory.local.writes[0]) ?? "device write: delivered"];
  }
}
