// IOUserAudioControl and its kinds: mute switches and volumes that the audio server shows and turns.

import { IOReturns } from "../../base/io-return.ts";
import { type AudioObjectOwner, IOUserAudioObject } from "./io-user-audio-object.ts";

export interface AudioControlPlace {
  readonly isSettable: boolean;
  /** 0: all channels; n: the n-th. */
  readonly element: number;
  readonly scope: "output" | "input" | "global";
}

export abstract class IOUserAudioControl extends IOUserAudioObject {
  readonly place: AudioControlPlace;

  constructor(driver: AudioObjectOwner, place: AudioControlPlace) {
    super(driver);
    this.place = place;
  }

  getIsSettable(): boolean {
    return this.place.isSettable;
  }
}

/** A switch: mute, and its kin. A subclass overrides `handleChangeControlValue`, changes the hardware and calls super. */
export class IOUserAudioBooleanControl extends IOUserAudioControl {
  #value: boolean;

  constructor(driver: AudioObjectOwner, place: AudioControlPlace, value: boolean) {
    super(driver, place);
    this.#value = value;
  }

  getControlValue(): boolean {
    return this.#value;
  }

  setControlValue(value: boolean): void {
    this.#value = value;
    this.driver.propertiesChanged(this.getObjectID());
  }

  /** An application turned it. kIOReturnNotPermitted: it cannot be set. */
  async handleChangeControlValue(value: boolean): Promise<void> {
    if (!this.place.isSettable)
      throw this.failure(IOReturns.kIOReturnNotPermitted, "HandleChangeControlValue");
    this.setControlValue(value);
  }
}

export interface AudioDecibelRange {
  readonly minimum: number;
  readonly maximum: number;
}

/** A volume in decibels. */
export class IOUserAudioLevelControl extends IOUserAudioControl {
  readonly range: AudioDecibelRange;
  #decibel: number;

  constructor(driver: AudioObjectOwner, place: AudioControlPlace, decibel: number, range: AudioDecibelRange) {
    super(driver, place);
    this.range = range;
    this.#decibel = decibel;
  }

  getDecibelValue(): number {
    return this.#decibel;
  }

  setDecibelValue(decibel: number): void {
    this.#decibel = Math.max(this.range.minimum, Math.min(this.range.maximum, decibel));
    this.driver.propertiesChanged(this.getObjectID());
  }

  /** As for switches; beyond its range a value is moved to the end of the range. */
  async handleChangeDecibelValue(decibel: number): Promise<void> {
    if (!this.place.isSettable)
      throw this.failure(IOReturns.kIOReturnNotPermitted, "HandleChangeDecibelValue");
    this.setDecibelValue(decibel);
  }
}
