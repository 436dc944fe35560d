// The audio family of a machine: finds audio dexts and gives the audio server their devices.

import { isDictionary } from "../../platform/properties.ts";
import type { Machine } from "../../runtime/machine.ts";
import { audioUserClientKey, audioUserClientProperties } from "./audio-format.ts";
import { AudioServerDevice } from "./audio-server-device.ts";
import { IOUserAudioDevice } from "./io-user-audio-device.ts";
import { IOUserAudioDriver } from "./io-user-audio-driver.ts";

/**
 * Watches a machine for audio dexts. A personality without the dictionary that the server's connection is made from is
 * refused, with the reason in `failures`, as the driver would run and no device would ever show.
 */
export class AudioFamily {
  readonly failures: string[] = [];
  #devices: AudioServerDevice[] = [];

  constructor(machine: Machine) {
    machine.onRegistered((service) => {
      if (service instanceof IOUserAudioDriver) this.#adopt(machine, service);
    });
    machine.onGone((service) => {
      for (const entry of this.#devices) if (entry.driver === service) entry.left();
      this.#devices = this.#devices.filter(({ isGone }) => !isGone);
    });
  }

  /** Devices that are there, in order of appearance. */
  get devices(): readonly AudioServerDevice[] {
    return this.#devices;
  }

  #adopt(machine: Machine, driver: IOUserAudioDriver): void {
    const connection = driver.properties[audioUserClientKey];
    const { IOUserClass } = audioUserClientProperties;
    if (!isDictionary(connection) || connection.IOUserClass !== IOUserClass) {
      this.failures.push(
        `${driver.logName}: its personality has no ${audioUserClientKey} with the IOUserClass ${IOUserClass}: the audio server cannot open it`,
      );
      machine.log.kernel(`audio server: ${this.failures.at(-1)}`);
      return;
    }
    const look = (): void => {
      for (const device of driver.audioDevices) {
        if (!(device instanceof IOUserAudioDevice)) continue;
        if (this.#devices.some((known) => known.device === device)) continue;
        this.#devices.push(new AudioServerDevice(machine, driver, device));
      }
      for (const known of this.#devices)
        if (known.driver === driver && driver.getAudioObjectForObjectID(known.device.getObjectID()) === null)
          known.left();
      this.#devices = this.#devices.filter(({ isGone }) => !isGone);
    };
    driver.onObjects = look;
    look();
  }
}
