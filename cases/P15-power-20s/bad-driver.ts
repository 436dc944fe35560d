// P15, wrong: whatever the disk needs is done before the change is acknowledged, and some acknowledge it wrongly.

import { IOReturns } from "@drydock/core/base/io-return";
import type { ServiceClass } from "@drydock/core/runtime/service";
import { PowerDriver, powerBundle } from "./power-driver.ts";

/** `inherited` is the post's own: the default SetPowerState, with the spin-up inside the 20 s. */
export const powerMistakes = ["inherited", "noSuper", "superTwice", "error"] as const;
export type PowerMistake = (typeof powerMistakes)[number];

export function badPowerDriver(mistake: PowerMistake): ServiceClass {
  return class P15Driver extends PowerDriver {
    override async setPowerState(powerFlags: number): Promise<void> {
      if (mistake === "noSuper") return;
      if (mistake === "error") throw this.failure(IOReturns.kIOReturnBusy, "setPowerState");
      await super.setPowerState(powerFlags);
      if (mistake === "superTwice") await super.setPowerState(powerFlags);
    }
  };
}

export const badPowerBundle = powerBundle("bad", badPowerDriver("inherited"));
