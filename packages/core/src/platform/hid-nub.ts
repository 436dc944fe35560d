// What matching sees of a HID device: the usages of its report descriptor, and the properties of its interface.

import type { HidCollection } from "../codec/hid-report/report-descriptor.ts";
import { CollectionType } from "../codec/hid-report/report-items.ts";
import { idOf, pageOf } from "../codec/hid-report/usages.ts";
import type { Properties } from "./properties.ts";

/** What a driver must hold to attach to an interface (driverkit-core.md §12). */
export const hidInterfaceEntitlement = [["com.apple.developer.driverkit.transport.hid"]];

/** The usages of the application collections, the first of which is the primary one. */
export function hidUsageProperties(collections: readonly HidCollection[]): Properties {
  const pairs = collections
    .filter(({ type }) => type === CollectionType.application)
    .map(({ usage }) => ({ DeviceUsagePage: pageOf(usage), DeviceUsage: idOf(usage) }));
  const [primary] = pairs;
  return {
    DeviceUsagePairs: pairs,
    ...(primary === undefined
      ? {}
      : { PrimaryUsagePage: primary.DeviceUsagePage, PrimaryUsage: primary.DeviceUsage }),
  };
}
