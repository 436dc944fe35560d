// The rigs that the command line knows: names, sentences and devices; nothing here builds one.

import { shown } from "@drydock/core/base/shown-text";
import type { SerialDeviceKind } from "@drydock/core/rigs/serial-rig";
import type { CommandIo } from "../terminal/command-io.ts";

export interface RigEntry {
  readonly name: string;
  readonly summary: string;
  readonly devices: readonly SerialDeviceKind[];
}

const entries: readonly RigEntry[] = [
  {
    name: "serial",
    summary: "an FT232R with a loop-back plug and Drydock's FTDI driver (the default)",
    devices: ["ftdi"],
  },
  {
    name: "modem",
    summary: "a CDC-ACM modem with a loop-back plug and Drydock's CDC-ACM driver",
    devices: ["cdc-acm"],
  },
  { name: "quad", summary: "an FT4232H: four ports, high speed", devices: ["ft4232h"] },
  { name: "desk", summary: "an FT232R and a CDC-ACM modem on one bus", devices: ["ftdi", "cdc-acm"] },
];

/** Rigs that commands of their own build. */
const otherRigs: readonly { readonly name: string; readonly summary: string; readonly command: string }[] = [
  {
    name: "storage",
    summary:
      "a USB disk with Bulk-Only and UAS, the kernel's SCSI and block drivers above it (drydock disk serve)",
    command: "drydock disk serve",
  },
];

/** Names of all rigs with serial ports. */
export const rigNames: readonly string[] = entries.map(({ name }) => name);

export const defaultRig: RigEntry = entries[0];

/** The rig, or the second half of a sentence that says why not. */
export function rigEntry(name: string): RigEntry | string {
  const entry = entries.find((candidate) => candidate.name === name);
  if (entry !== undefined) return entry;
  const other = otherRigs.find((candidate) => candidate.name === name);
  return other === undefined
    ? `is one of ${rigNames.join(", ")}, not "${shown(name, 80)}"`
    : `"${other.name}" has no terminals: ${other.command} brings it up`;
}

export function listRigs(options: { readonly json: boolean }, io: CommandIo): void {
  const all = [...entries, ...otherRigs];
  if (options.json) io.document(all);
  else for (const { name, summary } of all) io.print(`${name.padEnd(10)} ${summary}\n`);
}
