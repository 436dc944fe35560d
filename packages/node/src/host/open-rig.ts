// A USB rig on this machine's event loop, in one call: for examples, tests and first tries.

import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig, type UsbRigOptions } from "@drydock/core/rigs/usb-rig";
import { hostTurn } from "./host-turn.ts";

/** Seed 1, the rules of macOS 15 and the bus's own timing, unless told otherwise. Plug devices into `bus`, then `run`. */
export function openUsbRig(options: Partial<UsbRigOptions> = {}): UsbRig {
  return new UsbRig({ seed: 1, turn: hostTurn, profile: platformProfile("macos15"), ...options });
}
