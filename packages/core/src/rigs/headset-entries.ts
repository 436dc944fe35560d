// The headsets of the catalogue: audio class 1.0 at full speed, class 2.0 at high speed, and Drydock's driver.

import {
  commonRigOptions,
  noInput,
  type RigEntry,
  type RigSound,
  rigEntry,
  usbActs,
  usbRigParts,
} from "./rig-entry.ts";
import { type HeadsetClass, makeHeadset, UsbAudioRig } from "./usb-audio-rig.ts";

function headsetEntry(name: string, summary: string, device: string, headset: HeadsetClass): RigEntry {
  return rigEntry({
    name,
    summary,
    berths: ["usb"],
    devices: [device],
    drivers: ["org.drydock.driver.usb-audio"],
    outlets: ["audio"],
    type: [`drydock audio play --on ${name}`, `drydock export usbip ${name}`],
    acts: usbActs,
    serialDevices: [],
    usbDevices: ({ clock }) => [makeHeadset(headset, { clock })],
    build: (options) => {
      const { forgetsFromNs = Number.POSITIVE_INFINITY } = options;
      const sound: RigSound = {
        // The way out first.
        get devices() {
          return rig.audio.devices;
        },
        listener: null,
      };
      const onPlayed = (bytes: Uint8Array): void => {
        if (rig.machine.scheduler.nowNs() < forgetsFromNs) sound.listener?.(bytes);
      };
      const rig = new UsbAudioRig({ ...commonRigOptions(options, "open"), headset, device: { onPlayed } });
      return {
        ...usbRigParts(rig, 1, () => rig.usb.bus.plugIn(rig.device, 1)),
        sound,
        ports: [],
        media: [],
        ...noInput,
        failures: () => (rig.audio.devices.length > 0 ? [] : rig.whyNoDevice()),
      };
    },
  });
}

/** By the name of the rig. */
export const headsetClasses: Readonly<Record<string, HeadsetClass>> = { headset: 1, "headset-2": 2 };

export const headsetEntries: readonly RigEntry[] = [
  headsetEntry("headset", "a USB headset and Drydock's driver", "a headset of audio class 1.0", 1),
  headsetEntry(
    "headset-2",
    "a USB headset and Drydock's driver, at high speed",
    "a headset of audio class 2.0",
    2,
  ),
];
