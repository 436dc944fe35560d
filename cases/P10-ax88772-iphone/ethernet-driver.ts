// P10: what both drivers of the case are: the AX88772's driver with reads of 2 KiB, in a bundle of its own.

import { Ax88772Companion, Ax88772Driver, ax88772Bundle } from "@drydock/core/drivers/ax88772/ax88772-driver";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";

/** Chip and host agree on bursts of 2 KiB, so that frames are cut often. */
export class SmallReadsDriver extends Ax88772Driver {
  protected override get burstBytes(): number {
    return 2048;
  }
}

const identifier = "org.drydock.case.ethernet";

export function ethernetBundle(version: string, cls: typeof SmallReadsDriver): DriverBundle {
  return {
    ...ax88772Bundle,
    identifier,
    version,
    teamIdentifier: "CASE000010",
    personalities: Object.fromEntries(
      Object.entries(ax88772Bundle.personalities).map(([name, personality]) => [
        name,
        { ...personality, CFBundleIdentifier: identifier, IOUserServerName: identifier },
      ]),
    ),
    classes: { Ax88772Companion, Ax88772Driver: cls },
  };
}
