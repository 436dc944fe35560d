// The rigs that commands take by name, from the catalogue of core; and why a command does not take one.

import { shown } from "@drydock/core/base/shown-text";
import { findRig, type OutletKind, type RigEntry, rigCatalogue } from "@drydock/core/rigs/catalogue";
import type { InputFile } from "../grammar/input-paths.ts";
import type { CommandIo } from "../terminal/command-io.ts";

/** What an argument names that takes both. */
export type RigOrFile =
  | { readonly rig: RigEntry; readonly file: null }
  | { readonly rig: null; readonly file: InputFile };

/** What a command needs of a rig, and what it is told that lacks it. */
export interface RigNeed {
  readonly has: (entry: RigEntry) => boolean;
  readonly lacks: (entry: RigEntry) => string;
}

/** What to type for a rig without terminals, by what programs reach it by instead. */
const otherWays: Readonly<Record<OutletKind, (entry: RigEntry) => string>> = {
  terminal: ({ name }) => `drydock start ${name} brings it up`,
  block: ({ berths }) =>
    berths.includes("usb")
      ? "drydock disk serve brings a disk up for NBD and iSCSI clients"
      : "drydock registry shows what comes up; no command serves it",
  network: ({ name }) => `drydock net up ${name} connects its interface`,
  input: ({ name }) => `drydock export usbip ${name} offers its devices to a Linux kernel`,
  audio: ({ name }) =>
    findRig(name) === null
      ? "drydock registry shows what comes up; no command plays on it"
      : `drydock audio play --on ${name} plays a WAV file on it`,
};

/** A rig of the user's may have no outlet at all. */
function wayTo(entry: RigEntry): string {
  const [outlet] = entry.outlets;
  return outlet === undefined ? "drydock registry shows what comes up" : otherWays[outlet](entry);
}

/** Serial ports that programs of this machine can open. */
export const withTerminals: RigNeed = {
  has: ({ berths, outlets }) => outlets.includes("terminal") && !berths.includes("pci"),
  lacks: (entry) =>
    entry.outlets.includes("terminal")
      ? `"${entry.name}" is on ${entry.berths.join(" and ")}, of which this command knows usb alone: drydock registry shows what comes up`
      : `"${entry.name}" has no terminals: ${wayTo(entry)}`,
};

/** USB devices that can be offered to another host. */
export const withUsbDevices: RigNeed = {
  has: ({ berths }) => berths.includes("usb"),
  lacks: ({ berths, name }) => `"${name}" has no USB devices: it is on ${berths.join(" and ")}`,
};

/** An adapter with a cable, and an interface that comes up. */
export const withNetwork: RigNeed = {
  has: ({ outlets }) => outlets.includes("network"),
  lacks: (entry) => `"${entry.name}" has no network interface: ${wayTo(entry)}`,
};

export const anyRig: RigNeed = { has: () => true, lacks: ({ name }) => `"${name}" is not taken` };

export function rigsWith(need: RigNeed): readonly RigEntry[] {
  return rigCatalogue.filter(need.has);
}

export const defaultRig: RigEntry = rigCatalogue[0];

/** The rig, or the second half of a sentence that says why not. */
export function rigNamed(name: string, need: RigNeed): RigEntry | string {
  const entry = findRig(name);
  if (entry !== null) return need.has(entry) ? entry : need.lacks(entry);
  const names = rigsWith(need).map((each) => each.name);
  return `is one of ${names.join(", ")}, not "${shown(name, 80)}"`;
}

export function listRigs(options: { readonly json: boolean }, io: CommandIo): void {
  if (options.json) {
    io.document(
      rigCatalogue.map(({ acts, berths, devices, drivers, name, outlets, summary, type }) => ({
        name,
        summary,
        berths,
        devices,
        drivers,
        outlets,
        acts,
        type,
      })),
    );
    return;
  }
  const width = Math.max(...rigCatalogue.map(({ name }) => name.length));
  for (const { name, summary, type } of rigCatalogue)
    io.print(`${name.padEnd(width)}  ${summary}\n${"".padEnd(width)}    ${type[0]}\n`);
}
