// A berth's way to have its accesses counted and struck: what stands in front of its ports. Types alone.

import type { Clock } from "../base/clock.ts";
import type { PciUpstream } from "../ports/pci-device.ts";
import type { PciHostPort } from "../ports/pci-host.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";

/** Same type in, same type out. Rigs that nobody strikes load none of it. */
export interface CountedAccess {
  usb(port: UsbHostPort, clock: Clock): UsbHostPort;
  pci(port: PciHostPort, clock: Clock): PciHostPort;
  wayUp(upstream: PciUpstream, clock: Clock): PciUpstream;
}
