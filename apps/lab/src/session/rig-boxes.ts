// A rig as boxes, from the outlets down to the devices: what its picture draws, here and for a rig of the server.

import type { RigEntry } from "@drydock/core/rigs/rig-entry";
import type { Machine } from "@drydock/core/runtime/machine";
import type { RigBox } from "./messages.ts";

export interface BoxesOf {
  readonly entry: Pick<RigEntry, "outlets" | "drivers" | "berths" | "devices">;
  readonly machine: Machine;
  /** Something that programs can open has come up and is still there. */
  readonly isUp: boolean;
  /** Connectors count from 1. */
  readonly isOccupied: (connector: number) => boolean;
  readonly outletNote: string;
  readonly busNote: string;
}

export function boxesOf({ busNote, entry, isOccupied, isUp, machine, outletNote }: BoxesOf): RigBox[] {
  const { failure, matchReports } = machine;
  const box = (
    floor: RigBox["floor"],
    id: string,
    name: string,
    state: RigBox["state"],
    note = "",
    connector = 0,
  ): RigBox => ({
    id: `${floor} ${id}`,
    floor,
    name,
    state: failure !== null && floor !== "device" ? "faulted" : state,
    connector,
    note,
  });
  return [
    ...entry.outlets.map((outlet) => box("outlet", outlet, outlet, isUp ? "running" : "stopped", outletNote)),
    ...entry.drivers.map((driver) => {
      const reports = matchReports.filter(
        ({ candidate }) => candidate.installed.bundle.identifier === driver,
      );
      const hasStarted = reports.some(({ outcome }) => outcome === "started");
      const last = reports.at(-1);
      return box(
        "driver",
        driver,
        driver.split(".").at(-1) ?? driver,
        !hasStarted ? "stopped" : isUp ? "running" : "gone",
        last === undefined ? driver : `${driver}: ${last.outcome}`,
      );
    }),
    ...entry.berths.flatMap((berth) => [
      box(
        "port",
        berth,
        berth === "usb" ? "UsbHostPort" : "PciHostPort",
        "running",
        "what the two sides promise each other",
      ),
      box(
        "transport",
        berth,
        berth === "usb" ? "simulated USB bus" : "simulated PCI slot",
        "running",
        busNote,
      ),
    ]),
    ...entry.devices.map((device, index) => {
      const isThere = isOccupied(index + 1);
      return box(
        "device",
        String(index + 1),
        device,
        isThere ? "running" : "gone",
        isThere ? `in connector ${index + 1}` : "its cable is pulled",
        index + 1,
      );
    }),
  ];
}
