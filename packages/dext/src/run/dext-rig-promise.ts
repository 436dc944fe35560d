// What every machine in which a dext runs promises, whatever is plugged into it.

import type { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import type { UsbFaultPlan } from "@drydock/core/faults/usb-faults";
import type { Properties } from "@drydock/core/platform/properties";
import type { UsbDevicePort } from "@drydock/core/ports/usb-device";
import type { Machine } from "@drydock/core/runtime/machine";
import type { HostTurn } from "@drydock/core/runtime/scheduler";
import type { Timeline } from "@drydock/core/trace/timeline";

export interface DextRig {
  readonly machine: Machine;
  readonly timeline: Timeline;
  readonly ports: readonly IOSerialBSDClient[];
  /** Pulls every device out. */
  unplug(): void;
  /** Transfers so far, those of the system itself among them; of a PCI function accesses to its registers. */
  transfers(): number;
  digest(): string;
  /** What is plugged in, in words. */
  readonly devices: readonly string[];
}

export interface DextRigOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly platform?: string;
  readonly faults?: UsbFaultPlan;
  /** Of `askedRig`: the device for a personality that asks for one on USB. Default: the chip's own model where we have it. */
  readonly makeDevice?: (asked: Properties) => UsbDevicePort;
}
