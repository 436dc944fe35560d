// The network rigs of the catalogue: adapters whose cables lead to a station that sends every frame back.

import { EchoStation } from "../devices/ethernet-far-ends.ts";
import type { FrameTaker } from "../ports/ethernet.ts";
import { makeNetworkDevice, type NetworkDeviceKind, NetworkRig } from "./network-rig.ts";
import {
  commonRigOptions,
  noInput,
  type RigBuildOptions,
  type RigEntry,
  rigEntry,
  usbActs,
  usbRigParts,
} from "./rig-entry.ts";

function networkEntry(
  name: string,
  summary: string,
  kind: NetworkDeviceKind,
  device: string,
  driver: string,
): RigEntry {
  return rigEntry({
    name,
    summary,
    berths: ["usb"],
    devices: [device],
    drivers: [driver],
    outlets: ["network"],
    type: [`drydock net up ${name}`, `drydock export usbip ${name}`],
    acts: usbActs,
    serialDevices: [],
    usbDevices: ({ clock }) => [withEcho(makeNetworkDevice(kind, clock))],
    build: (options) => {
      const rig: NetworkRig = new NetworkRig({
        ...commonRigOptions(options, "macos15"),
        devices: [kind],
        farEnd: (into) => forgetfulStation(options, into, () => rig.machine.scheduler.nowNs()),
      });
      const plugIn = () => rig.usb.bus.plugIn(rig.adapters[0], 1);
      return {
        ...usbRigParts(rig, 1, plugIn),
        ports: [],
        media: [],
        interfaces: rig.interfaces,
        cables: rig.cables,
        ...noInput,
      };
    },
  });
}

/** A model for a bus that nobody here drives: its cable has something at the other end. */
function withEcho<T extends ReturnType<typeof makeNetworkDevice>>(device: T): T {
  device.jack.plugIn(new EchoStation(device.jack));
  return device;
}

/** From `forgetsFromNs` on it takes frames and sends none back: a defect for trials to find. */
function forgetfulStation(
  { forgetsFromNs }: RigBuildOptions,
  back: FrameTaker,
  now: () => number,
): FrameTaker {
  const echo = new EchoStation(back);
  if (forgetsFromNs === undefined) return echo;
  return {
    frame: (bytes, offset, length) => {
      if (now() < forgetsFromNs) echo.frame(bytes, offset, length);
    },
  };
}

/** In the order in which they are listed. */
export const networkEntries: readonly RigEntry[] = [
  networkEntry(
    "ethernet",
    "an AX88772C network adapter and Drydock's driver for it",
    "ax88772c",
    "an AX88772C adapter whose cable leads to an echo",
    "org.drydock.driver.ax88772",
  ),
  networkEntry(
    "ncm",
    "a CDC NCM network adapter and the system's class driver",
    "cdc-ncm",
    "a CDC NCM adapter whose cable leads to an echo",
    "com.apple.driver.usb.cdc.ncm",
  ),
  networkEntry(
    "ecm",
    "a CDC ECM network adapter and the system's class driver",
    "cdc-ecm",
    "a CDC ECM adapter whose cable leads to an echo",
    "com.apple.driver.usb.cdc.ecm",
  ),
];
