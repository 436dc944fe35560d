// The USB audio rig: machine, USB bus, a headset of either class, our driver, and what is heard and said at its ends.

import { UsbAudioDevice } from "../devices/usb-audio/usb-audio-device.ts";
import type { UsbAudioModel, UsbAudioOptions } from "../devices/usb-audio/usb-audio-model.ts";
import { UsbAudio2Device, type UsbAudio2Options } from "../devices/usb-audio/usb-audio2-device.ts";
import { usbAudioBundle } from "../drivers/usb-audio/usb-audio-bundle.ts";
import { UsbAudioDriver } from "../drivers/usb-audio/usb-audio-driver.ts";
import { AudioFamily } from "../families/audio/audio-family.ts";
import type { AudioServerDevice } from "../families/audio/audio-server-device.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { UsbRig, type UsbRigOptions } from "./usb-rig.ts";

export type HeadsetClass = 1 | 2;

export interface UsbAudioRigOptions extends UsbRigOptions {
  /** Audio class of the headset. Default 1. */
  readonly headset?: HeadsetClass;
  readonly device?: Partial<Omit<UsbAudio2Options, "clock">>;
  /** False: the headset stays in its drawer; devices come from elsewhere. Default true. */
  readonly isPluggedIn?: boolean;
  readonly bundles?: readonly DriverBundle[];
}

/** How long a device may take to come up, virtual nanoseconds. */
const appearanceNs = 10e9;

export function makeHeadset(kind: HeadsetClass, options: UsbAudioOptions): UsbAudioModel {
  const made = { sync: "asynchronous", ...options } as const;
  return kind === 2 ? new UsbAudio2Device(made) : new UsbAudioDevice(made);
}

/** A USB rig with a headset in connector 1. */
export class UsbAudioRig extends UsbRig {
  readonly device: UsbAudioModel;
  readonly audio: AudioFamily;

  constructor(options: UsbAudioRigOptions) {
    super(options);
    const { machine, usb } = this;
    this.audio = new AudioFamily(machine);
    for (const bundle of options.bundles ?? [usbAudioBundle()]) machine.install(bundle);
    this.device = makeHeadset(options.headset ?? 1, { clock: machine.scheduler, ...options.device });
    if (options.isPluggedIn ?? true) usb.bus.plugIn(this.device, 1);
  }

  /** The running driver, for its counters. */
  get driver(): UsbAudioDriver | null {
    for (const entry of this.machine.registry.entries()) if (entry instanceof UsbAudioDriver) return entry;
    return null;
  }

  /** What stands between a plug and a sound, as far as the machine can say. */
  whyNoDevice(): string[] {
    const { audio, family, machine } = this;
    return [
      ...family.failures.map(({ reason }) => reason),
      ...machine.matchReports.map((report) => `${report.candidate.personalityName}: ${report.outcome}`),
      ...audio.failures,
      ...machine.crashes.map((crash) => `${crash.process} crashed: ${crash.text}`),
      ...(machine.failure === null ? [] : [machine.failure.text]),
    ];
  }

  /** Runs until the way out, or in, is there. The error says what stood in the way. */
  async openDevice(way: "output" | "input" = "output"): Promise<AudioServerDevice> {
    const { scheduler } = this.machine;
    const found = (): AudioServerDevice | undefined =>
      this.audio.devices.find(({ device }) => device.streams[0]?.isOutput === (way === "output"));
    await scheduler.run(scheduler.nowNs() + appearanceNs, () => found() !== undefined);
    const device = found();
    if (device !== undefined) return device;
    throw new Error(`no audio ${way} came up: ${this.whyNoDevice().join("; ")}`);
  }
}

export function defaultUsbAudioRig(
  seed: number,
  turn: HostTurn,
  options: Partial<UsbAudioRigOptions> = {},
): UsbAudioRig {
  return new UsbAudioRig({ seed, turn, profile: platformProfile("open"), timing: "none", ...options });
}
