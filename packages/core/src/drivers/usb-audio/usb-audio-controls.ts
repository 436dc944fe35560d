// What an audio function is asked and told on endpoint 0: rates, volume, mute; class 1.0 and 2.0 behind one face.

import { IOReturns } from "../../base/io-return.ts";
import type { AudioFeatureView, AudioFunctionView, AudioStreamView } from "../../codec/uac/audio-function.ts";
import { AudioControl, AudioRequest } from "../../codec/uac/uac.ts";
import {
  Audio2Access,
  Audio2Request,
  type AudioRange,
  ClockControl,
  decodeRanges,
} from "../../codec/uac/uac2.ts";
import type { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import { kIOMemoryDirectionIn, kIOMemoryDirectionOut } from "../../runtime/memory.ts";

const toInterface = 0x21;
const fromInterface = 0xa1;
const toEndpoint = 0x22;
const fromEndpoint = 0xa2;
const requestTimeoutMs = 1000;
/** Room for a dozen ranges of a clock; a volume has one. */
const rangeBytes = 2 + 12 * 16;
/** Rates that a range is asked about. */
const usualRates = [
  8000, 11025, 16000, 22050, 24000, 32000, 44100, 48000, 88200, 96000, 176400, 192000,
] as const;
/** Volume of a feature unit: 1/256 dB; 8000h is silence and no volume (§5.2.2.4.3.2). */
export const volumeUnits = 256;

/** A volume of one channel, or of all of them: channel 0. */
export interface VolumePlace {
  readonly unit: number;
  readonly channel: number;
}

export class UsbAudioControls {
  readonly #usb: IOUSBHostInterface;
  readonly #view: AudioFunctionView;

  /** `usb` is the control interface, open. */
  constructor(usb: IOUSBHostInterface, view: AudioFunctionView) {
    this.#usb = usb;
    this.#view = view;
  }

  // Sampling frequency.

  /** Rates that a stream can have; empty: the device says none that can be used. */
  async ratesOf(stream: AudioStreamView): Promise<readonly number[]> {
    if (stream.rates !== null) {
      const { rateRange } = stream;
      if (rateRange === null) return [...new Set(stream.rates.filter((rate) => rate > 0))];
      return usualRates.filter((rate) => rate >= rateRange.minimum && rate <= rateRange.maximum);
    }
    const clock = this.#view.clockOf(stream.terminal);
    if (clock === null) return [];
    const ranges = decodeRanges(
      await this.#get(
        fromInterface,
        Audio2Request.range,
        ClockControl.samplingFrequency << 8,
        this.#at(clock.id),
        rangeBytes,
      ),
      4,
    );
    return [...new Set(ranges.flatMap(ratesWithin))];
  }

  /** Before the setting is chosen in class 2.0, whose clock is the function's; after it in class 1.0, whose is the endpoint's. */
  async setRate(stream: AudioStreamView, rate: number): Promise<void> {
    if (stream.rates !== null) {
      if (!stream.hasRateControl) return;
      const { bEndpointAddress } = stream.endpoint.descriptor;
      const value = AudioControl.samplingFrequency << 8;
      await this.#set(toEndpoint, value, bEndpointAddress, [rate & 0xff, (rate >> 8) & 0xff, rate >> 16]);
      const said = await this.#get(fromEndpoint, AudioRequest.getCurrent, value, bEndpointAddress, 3);
      this.#mustRunAt(rate, said[0] | (said[1] << 8) | (said[2] << 16));
      return;
    }
    const clock = this.#view.clockOf(stream.terminal);
    if (clock === null) return;
    const value = ClockControl.samplingFrequency << 8;
    const index = this.#at(clock.id);
    if (clock.frequency === Audio2Access.write)
      await this.#set(toInterface, value, index, [
        rate & 0xff,
        (rate >> 8) & 0xff,
        (rate >> 16) & 0xff,
        (rate >>> 24) & 0xff,
      ]);
    const said = await this.#get(fromInterface, Audio2Request.current, value, index, 4);
    if (said.length < 4) throw this.#usb.failure(IOReturns.kIOReturnUnderrun, "GET CUR", "clock frequency");
    this.#mustRunAt(rate, (said[0] | (said[1] << 8) | (said[2] << 16) | (said[3] << 24)) >>> 0);
    if (clock.valid === Audio2Access.none) return;
    const [isValid] = await this.#get(
      fromInterface,
      Audio2Request.current,
      ClockControl.valid << 8,
      index,
      1,
    );
    if (isValid === 0)
      throw this.#usb.failure(IOReturns.kIOReturnNotReady, "GET CUR", "the device's clock is not valid");
  }

  /** The clock that a stream shares with others; null in class 1.0. */
  clockIdOf(stream: AudioStreamView): number | null {
    return this.#view.clockOf(stream.terminal)?.id ?? null;
  }

  // Features.

  /** Channels with a volume that can be set: the master where it has one, else each of them. */
  volumesOf(features: readonly AudioFeatureView[]): readonly VolumePlace[] {
    return placesWith(features, "volume");
  }

  mutesOf(features: readonly AudioFeatureView[]): readonly VolumePlace[] {
    return placesWith(features, "mute");
  }

  /** In 1/256 dB. */
  async volumeRange(place: VolumePlace): Promise<AudioRange> {
    const value = (AudioControl.volume << 8) | place.channel;
    const index = this.#at(place.unit);
    if (this.#view.version === 2) {
      const [range] = decodeRanges(
        await this.#get(fromInterface, Audio2Request.range, value, index, 2 + 6),
        2,
      );
      if (range === undefined)
        throw this.#usb.failure(IOReturns.kIOReturnUnderrun, "GET RANGE", "a volume without a range");
      return range;
    }
    const ask = async (request: number): Promise<number> =>
      signed(await this.#get(fromInterface, request, value, index, 2));
    return {
      minimum: await ask(AudioRequest.getMinimum),
      maximum: await ask(AudioRequest.getMaximum),
      resolution: await ask(AudioRequest.getResolution),
    };
  }

  async volume(place: VolumePlace): Promise<number> {
    const value = (AudioControl.volume << 8) | place.channel;
    return signed(await this.#get(fromInterface, this.#getCurrent, value, this.#at(place.unit), 2));
  }

  async setVolume(place: VolumePlace, volume: number): Promise<void> {
    const value = (AudioControl.volume << 8) | place.channel;
    await this.#set(toInterface, value, this.#at(place.unit), [volume & 0xff, (volume >> 8) & 0xff]);
  }

  async setMute(place: VolumePlace, isMuted: boolean): Promise<void> {
    const value = (AudioControl.mute << 8) | place.channel;
    await this.#set(toInterface, value, this.#at(place.unit), [isMuted ? 1 : 0]);
  }

  get #getCurrent(): number {
    return this.#view.version === 2 ? Audio2Request.current : AudioRequest.getCurrent;
  }

  #at(entity: number): number {
    return (entity << 8) | this.#view.controlInterface;
  }

  #mustRunAt(rate: number, said: number): void {
    if (said === rate) return;
    throw this.#usb.failure(
      IOReturns.kIOReturnUnsupported,
      "SET CUR",
      `the device was set to ${rate} Hz and says ${said}`,
    );
  }

  async #get(
    type: number,
    request: number,
    value: number,
    index: number,
    length: number,
  ): Promise<Uint8Array> {
    const buffer = this.#usb.createIOBuffer(kIOMemoryDirectionIn, length);
    try {
      const count = await this.#usb.deviceRequest(
        type,
        request,
        value,
        index,
        length,
        buffer,
        requestTimeoutMs,
      );
      return buffer.bytes.slice(0, count);
    } finally {
      buffer.release();
    }
  }

  /** CUR: the same number in both classes. */
  async #set(type: number, value: number, index: number, data: readonly number[]): Promise<void> {
    const buffer = this.#usb.createIOBuffer(kIOMemoryDirectionOut, data.length);
    try {
      buffer.bytes.set(data);
      await this.#usb.deviceRequest(
        type,
        AudioRequest.setCurrent,
        value,
        index,
        data.length,
        buffer,
        requestTimeoutMs,
      );
    } finally {
      buffer.release();
    }
  }
}

const signed = (bytes: Uint8Array): number => (((bytes[0] ?? 0) | ((bytes[1] ?? 0) << 8)) << 16) >> 16;

function placesWith(
  features: readonly AudioFeatureView[],
  control: "mute" | "volume",
): readonly VolumePlace[] {
  for (const { id, channels } of features) {
    const places = channels.flatMap((channel, index) =>
      channel[control] === Audio2Access.write ? [{ unit: id, channel: index }] : [],
    );
    if (places.length > 0) return places[0].channel === 0 ? [places[0]] : places;
  }
  return [];
}

function ratesWithin({ minimum, maximum, resolution }: AudioRange): readonly number[] {
  if (minimum === maximum) return minimum > 0 ? [minimum] : [];
  const isStep = (rate: number): boolean => resolution === 0 || (rate - minimum) % resolution === 0;
  return usualRates.filter((rate) => rate >= minimum && rate <= maximum && isStep(rate));
}
