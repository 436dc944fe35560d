// The bundle of the MegaRAID driver: both generations of the controller.

import { hex } from "../../base/text.ts";
import { mfiDeviceIds, mfiVendorId } from "../../codec/mfi/mfi.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";
import { hostAdapterBundle } from "../host-adapter-bundle.ts";
import { MegaRaidDriver } from "./megaraid-driver.ts";

/** `cls` replaces the driver by another: a wrong one, for a case. */
export function megaRaidBundle(
  cls: ServiceClass = MegaRaidDriver,
  options: { readonly identifier?: string; readonly interconnect?: string; readonly className?: string } = {},
): DriverBundle {
  const { identifier = "org.drydock.driver.megaraid", className = "MegaRaidDriver", interconnect } = options;
  const match = Object.values(mfiDeviceIds)
    .map((id) => `0x${hex(id, 4)}${hex(mfiVendorId, 4)}`)
    .join(" ");
  return hostAdapterBundle({
    identifier,
    className,
    cls,
    match,
    ...(interconnect === undefined ? {} : { interconnect }),
  });
}
