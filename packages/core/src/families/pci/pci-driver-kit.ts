// What a PCI dext's author imports, in one place, as the framework's umbrella header has it; and a manifest by default.

import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";

export { IOReturns } from "../../base/io-return.ts";
export { PciCommand, PciConfig } from "../../codec/pci/config-space.ts";
export type { OSAction } from "../../runtime/action.ts";
export { IODispatchQueue } from "../../runtime/dispatch-queue.ts";
export {
  cancelAndWait,
  IOInterruptDispatchSource,
  kIOInterruptTypePCIMessagedX,
} from "../../runtime/dispatch-source.ts";
export { IODMACommand } from "../../runtime/dma-command.ts";
export type { DriverBundle } from "../../runtime/driver-bundle.ts";
export { IOError } from "../../runtime/io-error.ts";
export { IOBufferMemoryDescriptor, kIOMemoryDirectionOutIn } from "../../runtime/memory.ts";
export { IOService } from "../../runtime/service.ts";
export { IOPCIDevice, kIOPCIAccessLatencyTolerantHint } from "./io-pci-device.ts";

/** Which function a driver is for. */
export interface PciFunctionMatch {
  readonly vendorId: number;
  readonly deviceId: number;
}

/**
 * The bundle of one driver class for one PCI function: identifier, personality and the entitlement that it needs to be
 * launched (posts.md T5: `IOPCIMatch` has the device id first). `more` adds or replaces what a real dext states besides.
 */
export function pciBundle(
  driver: ServiceClass,
  { deviceId, vendorId }: PciFunctionMatch,
  more: Partial<DriverBundle> = {},
): DriverBundle {
  const identifier = more.identifier ?? `org.example.${driver.name}`;
  const half = (id: number) => id.toString(16).padStart(4, "0");
  const IOPCIMatch = `0x${half(deviceId)}${half(vendorId)}`;
  return {
    identifier,
    version: "1",
    teamIdentifier: "EXAMPLE001",
    entitlements: {
      "com.apple.developer.driverkit": true,
      "com.apple.developer.driverkit.transport.pci": [{ IOPCIMatch }],
    },
    personalities: {
      [driver.name]: {
        CFBundleIdentifier: identifier,
        IOClass: "IOUserService",
        IOUserClass: driver.name,
        IOUserServerName: identifier,
        IOProviderClass: "IOPCIDevice",
        IOPCIMatch,
        IOPCITunnelCompatible: true,
        IOPCIPauseCompatible: true,
      },
    },
    classes: { [driver.name]: driver },
    ...more,
  };
}
