// The bundle of the NVMe driver: what it matches and what it asks for.

import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { NvmeDriver } from "./nvme-driver.ts";

const identifier = "org.drydock.driver.nvme";

/** By class: every NVMe controller. `cls` replaces the driver by another: a wrong one, for a case. */
export function nvmeBundle(cls: typeof NvmeDriver = NvmeDriver): DriverBundle {
  return {
    identifier,
    version: "1",
    teamIdentifier: "DRYDOCK001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIClassMatch: "0x01080200" }],
      "com.apple.developer.driverkit.family.block-storage-device": true,
    },
    personalities: {
      NVMe: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserBlockStorageDevice",
        IOUserClass: "NvmeDriver",
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIClassMatch: "0x01080200",
        IOPCITunnelCompatible: true,
        IOPCIPauseCompatible: true,
        "Physical Interconnect": "PCI-Express",
        "Physical Interconnect Location": "External",
      },
    },
    classes: { NvmeDriver: cls },
  };
}
