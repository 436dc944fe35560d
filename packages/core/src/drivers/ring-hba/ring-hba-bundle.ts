// The bundle of the small host adapter's driver.

import { hex } from "../../base/text.ts";
import { ringHbaDeviceId, ringHbaVendorId } from "../../codec/ring-hba/ring-hba.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { ServiceClass } from "../../runtime/service.ts";
import { hostAdapterBundle } from "../host-adapter-bundle.ts";
import { RingHbaDriver } from "./ring-hba-driver.ts";

/** `cls` replaces the driver by another: one that looks at what it gets, for a case. */
export function ringHbaBundle(cls: ServiceClass = RingHbaDriver): DriverBundle {
  return hostAdapterBundle({
    identifier: "org.drydock.driver.ring-hba",
    className: "RingHbaDriver",
    cls,
    match: `0x${hex(ringHbaDeviceId, 4)}${hex(ringHbaVendorId, 4)}`,
  });
}
