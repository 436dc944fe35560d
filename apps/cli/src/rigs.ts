// The rigs that the command line knows, built from its options.

import { parseUsbFaultRule } from "@drydock/core/faults/usb-faults";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { type SerialDeviceKind, SerialRig, type SerialRigOptions } from "@drydock/core/rigs/serial-rig";
import { hostTurn } from "@drydock/node/host-turn";

export interface RigOptions {
  readonly seed: number;
  readonly fault: readonly string[];
  readonly pcap?: string;
  readonly device: readonly string[];
  readonly platform: string;
}

interface RigEntry {
  readonly name: string;
  readonly summary: string;
  readonly devices: readonly SerialDeviceKind[];
}

const deviceKinds: readonly SerialDeviceKind[] = ["ftdi", "cdc-acm", "ft4232h"];

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

/** Device kinds of a rig, or those that were asked for instead. Throws RangeError for unknown names and devices. */
export function rigDevices(name: string | undefined, wanted: readonly string[]): readonly SerialDeviceKind[] {
  const entry = entries.find((candidate) => candidate.name === (name ?? "serial"));
  const other = otherRigs.find((candidate) => candidate.name === name);
  if (other !== undefined) throw new RangeError(`the rig "${other.name}" has no terminals: ${other.command}`);
  if (entry === undefined) {
    throw new RangeError(
      `no rig "${name}"; there are: ${entries.map((candidate) => candidate.name).join(", ")}`,
    );
  }
  const devices = wanted.map((text) => {
    const kind = deviceKinds.find((known) => known === text);
    if (kind === undefined) throw new RangeError(`no device "${text}"; there are: ${deviceKinds.join(", ")}`);
    return kind;
  });
  return devices.length > 0 ? devices : entry.devices;
}

/** Throws RangeError for unknown names, devices, faults and platforms. */
export function buildRig(
  name: string | undefined,
  options: RigOptions,
  extra: Pick<SerialRigOptions, "pacing" | "timing" | "trace"> = {},
): SerialRig {
  const devices = rigDevices(name, options.device);
  const faults = options.fault.map(parseUsbFaultRule);
  return new SerialRig({
    seed: options.seed,
    turn: hostTurn,
    profile: platformProfile(options.platform),
    devices,
    ...(faults.length > 0 ? { faults: { rules: faults } } : {}),
    ...extra,
  });
}

/** Names of all rigs, for lists. */
export const rigNames: readonly string[] = entries.map(({ name }) => name);

export function listRigs(options: { json?: boolean }): void {
  if (options.json === true) {
    process.stdout.write(`${JSON.stringify([...entries, ...otherRigs], null, 2)}\n`);
    return;
  }
  for (const { name, summary } of [...entries, ...otherRigs])
    process.stdout.write(`${name.padEnd(10)} ${summary}\n`);
}
