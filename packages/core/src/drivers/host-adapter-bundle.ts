// The bundle of a SCSI host adapter's dext: what it matches, what it asks for, what disk tools show of it.

import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { ServiceClass } from "../runtime/service.ts";

export interface HostAdapterBundle {
  readonly identifier: string;
  readonly className: string;
  readonly cls: ServiceClass;
  /** IOPCIMatch: device and vendor ids in words of eight digits. */
  readonly match: string;
  /** Default SAS. */
  readonly interconnect?: string;
}

export function hostAdapterBundle(adapter: HostAdapterBundle): DriverBundle {
  const { identifier, className, cls, match, interconnect = "SAS" } = adapter;
  return {
    identifier,
    version: "1",
    teamIdentifier: "DRYDOCK001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIMatch: match }],
      "com.apple.developer.driverkit.family.scsicontroller": true,
    },
    personalities: {
      Adapter: {
        CFBundleIdentifier: identifier,
        CFBundleIdentifierKernel: "com.apple.iokit.IOSCSIParallelFamily",
        IOClass: "IOUserSCSIParallelInterfaceController",
        IOUserClass: className,
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch: match,
        IOPCITunnelCompatible: true,
        IOPCIPauseCompatible: true,
        "Physical Interconnect": interconnect,
        "Physical Interconnect Location": "External",
      },
    },
    classes: { [className]: cls },
  };
}
