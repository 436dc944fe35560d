// The kernel's drivers for USB mass storage as one bundle: UAS where the policy chooses it, Bulk-Only otherwise.

import { IOReturns } from "../../base/io-return.ts";
import { attachedScsiProtocol } from "../../codec/mass-storage/attached-scsi.ts";
import { bulkOnlyProtocol, massStorageClass, scsiSubClass } from "../../codec/mass-storage/bulk-only.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import type { IOService, ServiceClass } from "../../runtime/service.ts";
import { AttachedScsiDriver, findAlternate } from "./attached-scsi-driver.ts";
import { BulkOnlyDriver } from "./bulk-only-driver.ts";

/**
 * Which alternate setting is used. `by-speed`: UAS from SuperSpeed on, Bulk-Only below, as macOS does with disks that
 * have both (posts.md P09, established). `bulk-only`, `uas`: that one wherever the device has it.
 */
export type TransportPolicy = "by-speed" | "bulk-only" | "uas";

/** tIOUSBHostConnectionSpeed of SuperSpeed. */
const superSpeed = 4;
/** UAS is asked first; it declines where the policy does not want it. */
const attachedScsiProbeScore = 1000;
const identifier = "com.apple.iokit.IOUSBMassStorageDriver";

/** `classes` replaces a driver by another one: a wrong one, for a case. */
export function massStorageBundle(
  policy: TransportPolicy = "by-speed",
  classes: { readonly bulkOnly?: ServiceClass; readonly attachedScsi?: typeof AttachedScsiDriver } = {},
): DriverBundle {
  const Base = classes.attachedScsi ?? AttachedScsiDriver;
  class PolicyDriver extends Base {
    override async start(provider: IOService): Promise<void> {
      if (!(provider instanceof IOUSBHostInterface) || !wantsAttachedScsi(provider, policy))
        throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the policy chooses Bulk-Only here");
      await super.start(provider);
    }
  }
  const common = {
    CFBundleIdentifier: identifier,
    IOProviderClass: "IOUSBHostInterface",
    bInterfaceClass: massStorageClass,
    bInterfaceSubClass: scsiSubClass,
  };
  const uas = { ...common, IOClass: "IOUSBMassStorageUASDriver", IOProbeScore: attachedScsiProbeScore };
  return {
    kind: "kext",
    identifier,
    version: "1",
    teamIdentifier: "",
    entitlements: {},
    personalities: {
      // Interfaces are matched by their first setting: Bulk-Only with UAS behind it, or UAS alone.
      "UAS behind Bulk-Only": { ...uas, bInterfaceProtocol: bulkOnlyProtocol },
      UAS: { ...uas, bInterfaceProtocol: attachedScsiProtocol },
      "Bulk-Only": { ...common, IOClass: "IOUSBMassStorageDriver", bInterfaceProtocol: bulkOnlyProtocol },
    },
    classes: {
      IOUSBMassStorageUASDriver: PolicyDriver,
      IOUSBMassStorageDriver: classes.bulkOnly ?? BulkOnlyDriver,
    },
  };
}

function wantsAttachedScsi(usb: IOUSBHostInterface, policy: TransportPolicy): boolean {
  if (findAlternate(usb) === null) return false;
  if (usb.setting.descriptor.bInterfaceProtocol === attachedScsiProtocol) return true;
  if (policy === "by-speed") return usb.copyDevice().getSpeed() >= superSpeed;
  return policy === "uas";
}
