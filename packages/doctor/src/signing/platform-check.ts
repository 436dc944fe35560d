// One driver package on each platform: refused, for its own app only, or a service of the system (F19, P10, P13).

import { familyOfKernelClass } from "@drydock/core/platform/platform-families";
import type { PlatformProfile } from "@drydock/core/platform/platform-profile";
import { isDictionary } from "@drydock/core/platform/properties";
import { frameworkOf } from "./import-gate.ts";
import type { EvidencePart } from "./parts.ts";

export interface PlatformVerdict {
  readonly platform: string;
  /**
   * "refused": nothing starts. "app only": it runs, and only apps can use it. "system": it joins a family there. "unknown":
   * nothing is recorded of that system, and the reason says what another one does.
   */
  readonly outcome: "refused" | "app only" | "system" | "unknown";
  readonly reason: string;
}

/** Framework -> family, as platform profiles name them. */
const familyOfFramework: Readonly<Record<string, string>> = {
  USBDriverKit: "usb",
  PCIDriverKit: "pci",
  HIDDriverKit: "hid",
  SerialDriverKit: "serial",
  USBSerialDriverKit: "serial",
  NetworkingDriverKit: "network",
  SCSIControllerDriverKit: "scsi",
  SCSIPeripheralsDriverKit: "scsi",
  BlockStorageDeviceDriverKit: "block",
  AudioDriverKit: "audio",
};

/** Families that only carry data to the driver; the others give something to the system. */
const transports = new Set(["usb", "pci"]);

/** What a driver builds upon, from what it links and what its personalities say. */
export function familiesOf(part: EvidencePart): string[] {
  const linked = part.executables.flatMap(({ value }) =>
    (value.slice?.dylibs ?? []).map(({ path }) => familyOfFramework[frameworkOf(path)]),
  );
  const personalities = part.infoPlist?.value.value.IOKitPersonalities;
  const classes = Object.values(isDictionary(personalities) ? personalities : {})
    .filter(isDictionary)
    .map(({ IOClass }) => familyOfKernelClass(String(IOClass)) ?? undefined);
  return [...new Set([...linked, ...classes].filter((family) => family !== undefined))];
}

export function judgePlatform(part: EvidencePart, platform: PlatformProfile): PlatformVerdict {
  const { unknownBut } = platform;
  if (unknownBut !== null) {
    const { outcome, reason } = judgePlatform(part, { ...platform, unknownBut: null });
    return {
      platform: platform.name,
      outcome: "unknown",
      reason: `only that ${unknownBut.recorded.join(" and that ")} is recorded; on ${unknownBut.standsAs}: ${outcome}, ${reason}`,
    };
  }
  const families = familiesOf(part);
  if (!platform.driverKit) {
    return {
      platform: platform.name,
      outcome: "refused",
      reason:
        "there are no driver extensions on this platform; only classes that the system drives itself work",
    };
  }
  const services = families.filter((family) => !transports.has(family));
  const absent = families.filter((family) => !platform.families.includes(family));
  const present = services.filter((family) => platform.families.includes(family));
  if (absent.some((family) => transports.has(family)))
    return { platform: platform.name, outcome: "refused", reason: `${absent.join(" and ")} is not there` };
  if (present.length > 0)
    return {
      platform: platform.name,
      outcome: "system",
      reason: `it becomes a ${present.join(" and ")} service of the system`,
    };
  return {
    platform: platform.name,
    outcome: "app only",
    reason:
      absent.length > 0
        ? `the ${absent.join(" and ")} family is not documented for drivers there, so only an app can use the device`
        : "it joins no family that gives something to the system, so only apps that open it can use the device",
  };
}
