// The audio rig: machine, PCI bus, AC'97 hardware or another's, our driver, and what its converter plays.

import { Ac97Device, type Ac97Options } from "../devices/ac97/ac97-device.ts";
import { ac97Bundle } from "../drivers/ac97/ac97-bundle.ts";
import { Ac97Driver } from "../drivers/ac97/ac97-driver.ts";
import { AudioFamily } from "../families/audio/audio-family.ts";
import type { AudioServerDevice } from "../families/audio/audio-server-device.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { PciRig, type PciRigOptions } from "./pci-rig.ts";

export interface AudioRigOptions extends PciRigOptions {
  readonly device?: Partial<Omit<Ac97Options, "clock">>;
  /** False: the modelled device stays in its drawer; functions come from elsewhere. Default true. */
  readonly isPluggedIn?: boolean;
  readonly bundles?: readonly DriverBundle[];
}

/** How long a device may take to come up, virtual nanoseconds. */
const appearanceNs = 10e9;

/** A PCI rig with AC'97 in slot 1. */
export class AudioRig extends PciRig {
  readonly device: Ac97Device;
  readonly audio: AudioFamily;

  constructor(options: AudioRigOptions) {
    super(options);
    const { machine, pci } = this;
    this.audio = new AudioFamily(machine);
    for (const bundle of options.bundles ?? [ac97Bundle()]) machine.install(bundle);
    this.device = new Ac97Device({ clock: machine.scheduler, ...options.device });
    if (options.isPluggedIn ?? true) pci.bus.plugIn(this.device, 1);
  }

  /** The running driver, for its counters. */
  get driver(): Ac97Driver | null {
    for (const entry of this.machine.registry.entries()) if (entry instanceof Ac97Driver) return entry;
    return null;
  }

  /** What stands between a PCI function and a sound, as far as the machine can say. */
  whyNoDevice(): string[] {
    const { audio, family, machine, pci } = this;
    return [
      ...pci.bus.failures.map(({ slot, reason }) => `slot ${slot}: ${reason}`),
      ...family.failures.map(({ place, reason }) => `${place}: ${reason}`),
      ...machine.matchReports.map((report) => `${report.candidate.personalityName}: ${report.outcome}`),
      ...audio.failures,
      ...machine.crashes.map((crash) => `${crash.process} crashed: ${crash.text}`),
      ...(machine.failure === null ? [] : [machine.failure.text]),
    ];
  }

  /** Runs until a device is there. The error says what stood in the way. */
  async openDevice(): Promise<AudioServerDevice> {
    const { scheduler } = this.machine;
    await scheduler.run(scheduler.nowNs() + appearanceNs, () => this.audio.devices.length > 0);
    const [device] = this.audio.devices;
    if (device !== undefined) return device;
    throw new Error(`no audio device came up: ${this.whyNoDevice().join("; ")}`);
  }
}

export function defaultAudioRig(
  seed: number,
  turn: HostTurn,
  options: Partial<AudioRigOptions> = {},
): AudioRig {
  return new AudioRig({ seed, turn, profile: platformProfile("open"), ...options });
}
