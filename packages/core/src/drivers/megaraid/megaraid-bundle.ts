// The bundle of the MegaRAID driver: what it matches, what it asks for, what disk tools show of it.

import { hex } from "../../base/text.ts";
import { mfiDeviceIds, mfiVendorId } from "../../codec/mfi/mfi.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";
import { MegaRaidDriver } from "./megaraid-driver.ts";

const identifier = "org.drydock.driver.megaraid";

/** Both generations. `cls` replaces the driver by another: a wrong one, for a case. */
export function megaRaidBundle(
  cls: ServiceClass = MegaRaidDriver,
  options: { readonly identifier?: string; readonly interconnect?: string; readonly className?: string } = {},
): DriverBundle {
  const name = options.identifier ?? identifier;
  const className = options.className ?? "MegaRaidDriver";
  const match = Object.values(mfiDeviceIds)
    .map((id) => `0x${hex(id, 4)}${hex(mfiVendorId, 4)}`)
    .join(" ");
  return {
    identifier: name,
    version: "1",
    teamIdentifier: "DRYDOCK001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIMatch: match }],
      "com.apple.developer.driverkit.family.scsicontroller": true,
    },
    personalities: {
      Adapter: {
        CFBundleIdentifier: name,
        CFBundleIdentifierKernel: "com.apple.iokit.IOSCSIParallelFamily",
        IOClass: "IOUserSCSIParallelInterfaceController",
        IOUserClass: className,
        IOUserServerName: name,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch: match,
        IOPCITunnelCompatible: true,
        IOPCIPauseCompatible: true,
        "Physical Interconnect": options.interconnect ?? "SAS",
        "Physical Interconnect Location": "External",
      },
    },
    classes: { [className]: cls },
  };
}
