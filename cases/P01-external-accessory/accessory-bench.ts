// The bench of P01: a phone that knows accessories, one accessory on its wire, an app with a list of protocols.

import { AccessoryDevice, type AccessoryOptions } from "@drydock/core/devices/accessory/accessory-device";
import { iapBundle } from "@drydock/core/drivers/iap/iap-driver";
import {
  AccessorySystem,
  type EAAccessoryManager,
} from "@drydock/core/families/accessory/ea-accessory-manager";
import { RunLoop } from "@drydock/core/families/accessory/run-loop";
import { platformProfile } from "@drydock/core/platform/platform-profile";
import { UsbRig } from "@drydock/core/rigs/usb-rig";
import type { Process } from "@drydock/core/runtime/process";
import type { CaseOptions } from "../driver-case.ts";

export const echoProtocol = "org.drydock.echo";

export interface AccessoryBench {
  readonly rig: UsbRig;
  readonly accessory: AccessoryDevice;
  readonly system: AccessorySystem;
  readonly app: Process;
  readonly runLoop: RunLoop;
  readonly manager: EAAccessoryManager;
}

/** What an app of this case is made of. */
export interface AppPlace {
  readonly manager: EAAccessoryManager;
  readonly runLoop: RunLoop;
  /** A line of the app's in the system's log. */
  readonly log: (text: string) => void;
}

export function accessoryBench(
  options: CaseOptions,
  declared: readonly string[],
  accessoryOptions: Omit<AccessoryOptions, "clock"> = {},
): AccessoryBench & AppPlace {
  const rig = new UsbRig({ ...options, profile: platformProfile("iphone") });
  const { machine } = rig;
  const system = new AccessorySystem(machine);
  machine.install(iapBundle(system));
  const app = machine.launchApplication({ name: "GaugeApp", bundleIdentifier: "org.drydock.gauge" });
  const runLoop = new RunLoop(app);
  const accessory = new AccessoryDevice({ ...accessoryOptions, clock: machine.scheduler });
  rig.usb.bus.plugIn(accessory);
  return {
    rig,
    accessory,
    system,
    app,
    runLoop,
    manager: system.sharedManager(declared, runLoop),
    log: (text) => machine.log.other({ process: "GaugeApp", pid: app.pid, text }),
  };
}

/** Message `index` of the exchange: no two are alike, none has the length of a segment. */
export function message(index: number): Uint8Array {
  return new TextEncoder().encode(
    `reading ${String(index).padStart(3, "0")} of the gauge: ${index * 37} units`,
  );
}

export const sameBytes = (left: Uint8Array, right: Uint8Array): boolean =>
  left.length === right.length && left.every((byte, index) => byte === right[index]);
