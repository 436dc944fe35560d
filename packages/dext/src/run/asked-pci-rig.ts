// A machine with a PCI function for each personality that asks for one: enough of one that a driver matches and starts.

import { PciBoardDevice } from "@drydock/core/devices/pci-board/pci-board-device";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import type { Properties } from "@drydock/core/platform/properties";
import { TimelineKind } from "@drydock/core/ports/recorder";
import { PciRig, pciDigest } from "@drydock/core/rigs/pci-rig";
import type { DriverBundle } from "@drydock/core/runtime/driver-bundle";
import type { DextRig, DextRigOptions } from "./dext-rig-promise.ts";

export function isPci({ IOProviderClass }: Properties): boolean {
  return IOProviderClass === "IOPCIDevice";
}

/** The first of "0xDDDDVVVV&mask 0x..." in IOPCIMatch or IOPCIPrimaryMatch; null: it asks for no ids. */
function idsOf({ IOPCIMatch, IOPCIPrimaryMatch }: Properties): { vendorId: number; deviceId: number } | null {
  const text = [IOPCIMatch, IOPCIPrimaryMatch].find((each) => typeof each === "string");
  const found = /0x([0-9a-f]{1,8})/i.exec(typeof text === "string" ? text : "");
  if (found === null) return null;
  const value = Number.parseInt(found[1], 16);
  return { vendorId: value & 0xffff, deviceId: value >>> 16 };
}

/**
 * The function has the ids that are asked for and is a board of our own besides: 16 KiB of registers in BAR 0, a DMA engine, five
 * MSI-X vectors behind a legacy pin. It is nobody's chip: a driver that needs its chip's answers meets the end of this.
 */
export function askedPciRig(bundle: DriverBundle, options: DextRigOptions): DextRig {
  const rig = new PciRig({
    seed: options.seed,
    turn: options.turn,
    profile: platformProfile(options.platform ?? "open"),
  });
  const { machine, pci } = rig;
  machine.install(bundle);
  const devices: string[] = [];
  const slots: number[] = [];
  for (const personality of Object.values(bundle.personalities)) {
    if (!isPci(personality)) continue;
    const ids = idsOf(personality);
    const hex = (id: number) => id.toString(16).padStart(4, "0");
    const name = `a PCI function ${ids === null ? "1d1d:0b0a" : `${hex(ids.vendorId)}:${hex(ids.deviceId)}`} of our own board`;
    if (devices.includes(name)) continue;
    devices.push(name);
    const slot = devices.length + 1;
    slots.push(slot);
    pci.bus.plugIn(new PciBoardDevice({ clock: machine.scheduler, ...ids }), slot);
  }
  return {
    machine,
    timeline: rig.timeline,
    ports: [],
    unplug: () => {
      for (const slot of slots.splice(0)) pci.bus.unplug(slot);
    },
    transfers: () => rig.timeline.kept(TimelineKind.register) + rig.timeline.lost(TimelineKind.register),
    digest: () => pciDigest(rig),
    devices,
  };
}
