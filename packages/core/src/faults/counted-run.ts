// The accesses of one run, counted over all its ports, and the faults that strike them.

import type { Clock } from "../base/clock.ts";
import type { PciUpstream } from "../ports/pci-device.ts";
import type { PciHostPort } from "../ports/pci-host.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { AccessFaults } from "./access-faults.ts";
import type { CountedAccess } from "./counted-access.ts";
import { withPciAccessFaults, withUpstreamFaults } from "./pci-access-faults.ts";
import { withUsbAccessFaults } from "./usb-access-faults.ts";

export class CountedRun extends AccessFaults implements CountedAccess {
  /** Somebody will look at the rows of this run. */
  readonly isShown: boolean = false;

  usb(port: UsbHostPort, clock: Clock): UsbHostPort {
    return withUsbAccessFaults(port, this, clock);
  }

  pci(port: PciHostPort, clock: Clock): PciHostPort {
    return withPciAccessFaults(port, this, clock);
  }

  wayUp(upstream: PciUpstream, clock: Clock): PciUpstream {
    return withUpstreamFaults(upstream, this, clock);
  }
}
