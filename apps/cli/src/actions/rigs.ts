// Rigs with serial ports, built from the options of a command line.

import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { type BuiltRig, type RigEntry, serialRigEntry } from "@drydock/core/rigs/catalogue";
import { type SerialDeviceKind, SerialRig, type SerialRigOptions } from "@drydock/core/rigs/serial-rig";
import { hostTurn } from "@drydock/node/host-turn";
import type { OutputFile } from "../grammar/output-paths.ts";
import { defaultRig } from "./rig-list.ts";

/** Options of a rig that only offers its devices. */
export interface BusOptions {
  readonly rig?: RigEntry;
  readonly seed: number;
  readonly fault: readonly UsbFaultRule[];
  readonly pcap?: OutputFile;
  readonly perfetto?: OutputFile;
  readonly device: readonly SerialDeviceKind[];
}

export interface RigOptions extends BusOptions {
  readonly platform: string;
}

/** Device kinds of a rig, or those that were asked for instead. */
export function rigDevices({ rig = defaultRig, device }: BusOptions): readonly SerialDeviceKind[] {
  return device.length > 0 ? device : rig.serialDevices;
}

export function buildRig(
  options: RigOptions,
  extra: Pick<SerialRigOptions, "pacing" | "timing" | "trace" | "timeline" | "cable"> = {},
): SerialRig {
  return new SerialRig({
    seed: options.seed,
    turn: hostTurn,
    profile: platformProfile(options.platform),
    devices: rigDevices(options),
    ...(options.fault.length > 0 ? { faults: { rules: options.fault } } : {}),
    ...extra,
  });
}

/** The rig of the options, whatever is plugged into it; `--device` makes one of serial devices. */
export function buildAnyRig(options: RigOptions): BuiltRig {
  const { device, fault, platform, rig = defaultRig, seed } = options;
  const entry = device.length > 0 ? serialRigEntry("devices", "devices of the command line", device) : rig;
  return entry.build({
    seed,
    turn: hostTurn,
    platform,
    ...(fault.length > 0 ? { faults: { rules: fault } } : {}),
  });
}
