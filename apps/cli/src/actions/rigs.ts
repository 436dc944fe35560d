// Rigs with serial ports, built from the options of a command line.

import type { UsbFaultRule } from "@drydock/core/faults/usb-faults";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { type BuiltRig, type RigEntry, serialRigEntry, usbRigParts } from "@drydock/core/rigs/catalogue";
import { type SerialDeviceKind, SerialRig, type SerialRigOptions } from "@drydock/core/rigs/serial-rig";
import type { UsbBerth } from "@drydock/core/rigs/usb-berth";
import { hostTurn } from "@drydock/node/host-turn";
import type { OutputFile } from "../grammar/output-paths.ts";
import { UsageError } from "../terminal/usage-error.ts";
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

/** A rig on the real clock: what `drydock start` pulls out and puts in again. */
export interface LiveRig extends Pick<BuiltRig, "machine" | "timeline" | "plug" | "unplug" | "failures"> {
  readonly usb: UsbBerth;
}

/** Serial devices, or a rig of the user's own. */
export function buildLiveRig(
  options: RigOptions,
  extra: Pick<SerialRigOptions, "pacing" | "timing" | "trace" | "timeline" | "cable"> = {},
): LiveRig {
  const { rig: entry } = options;
  const kinds = rigDevices(options);
  const faults = options.fault.length > 0 ? { faults: { rules: options.fault } } : {};
  if (kinds.length === 0 && entry !== undefined) {
    const { platform, seed } = options;
    const pacing = extra.pacing === "none" ? "none" : "real";
    const built = entry.build({ seed, turn: hostTurn, platform, pacing, ...faults });
    if (built.usb === null) throw new UsageError(`"${entry.name}" has no USB devices`);
    return { ...built, usb: built.usb };
  }
  const rig = new SerialRig({
    seed: options.seed,
    turn: hostTurn,
    profile: platformProfile(options.platform),
    devices: kinds,
    ...faults,
    ...extra,
  });
  return {
    ...usbRigParts(rig, kinds.length, (index) => rig.usb.bus.plugIn(rig.devices[index], index + 1)),
    usb: rig.usb,
  };
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
