// What every entry with one PCI function is made of: the parts that all of them share, and what their rig is told.

import { platformProfile } from "../platform/platform-profile.ts";
import type { PciDevicePort } from "../ports/pci-device.ts";
import { type PciRigParts, pciDigest } from "./pci-rig.ts";
import { type BuiltRig, noInput, type RigBuildOptions } from "./rig-entry.ts";

/** The parts of every rig with one PCI function, in slot 1. */
export function pciRigParts(
  rig: PciRigParts,
  device: PciDevicePort,
): Omit<BuiltRig, "ports" | "media" | "failures"> {
  const { bus } = rig.pci;
  return {
    machine: rig.machine,
    timeline: rig.timeline,
    usb: null,
    pci: rig.pci,
    pciFunction: { family: rig.family, device },
    ...noInput,
    unplug: (slot) => {
      if (!bus.isOccupied(slot)) return false;
      bus.unplug(slot);
      return true;
    },
    plug: (slot) => {
      if (slot !== 1 || bus.isOccupied(1)) return false;
      bus.plugIn(device, 1);
      return true;
    },
    digest: () => pciDigest(rig),
  };
}

/** What every PCI entry's `build` hands on to its rig. */
export function pciOptions(options: RigBuildOptions, usualPlatform = "open") {
  const { access, pacing, platform, seed, timelineBytes, trace, turn } = options;
  return {
    ...(access === undefined ? {} : { access }),
    seed,
    turn,
    profile: platformProfile(platform ?? usualPlatform),
    timing: pacing === "none" ? ("none" as const) : ("bus" as const),
    ...(trace === undefined ? {} : { trace }),
    ...(timelineBytes === undefined ? {} : { timeline: { maximumBytes: timelineBytes } }),
  };
}
