// A USB headset of audio class 1.0 at full speed: 48 kHz stereo out, feedback, and 48 kHz stereo in.

import type { Clock } from "../../base/clock.ts";
import { millisecond } from "../../base/units.ts";
import {
  AudioControl,
  AudioRequest,
  AudioSubclass,
  AudioSync,
  AudioTerminal,
  audioClass,
  encodeAudioHeader,
  encodeFeatureUnit,
  encodeFeedback,
  encodeFormatTypeI,
  encodeInputTerminal,
  encodeOutputTerminal,
  encodeStreamEndpoint,
  encodeStreamGeneral,
  feedbackUsage,
} from "../../codec/uac/uac.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";

export interface UsbAudioOptions {
  readonly clock: Clock;
  /** How the speaker's endpoint follows the host. Default adaptive; asynchronous has a feedback endpoint. */
  readonly sync?: "adaptive" | "asynchronous";
  /** Told of each packet that came to be played. The bytes are valid during the call. */
  readonly onPlayed?: (bytes: Uint8Array) => void;
  /** What the microphone hears, frame by frame. Default: two ramps. */
  readonly hear?: (frame: number) => readonly [left: number, right: number];
}

/** What happened on the speaker's endpoint since its setting was chosen. */
export interface UsbAudioCounters {
  packets: number;
  bytes: number;
  /** Intervals between two packets of one stream in which none came. */
  missed: number;
  feedbacks: number;
}

const rate = 48_000;
const frameBytes = 4;
const packetFrames = rate / 1000;
/** One frame more than usual fits: an asynchronous speaker may ask for it. */
const packetBytes = (packetFrames + 1) * frameBytes;
const speakerOut = 0x01;
const feedbackIn = 0x81;
const microphoneIn = 0x82;
const speakerInterface = 1;
const microphoneInterface = 2;
const featureUnit = 2;
/** 1/256 dB: -60 dB to 0 dB in steps of 1 dB. */
const volumeRange = { minimum: -60 * 256, maximum: 0, resolution: 256 } as const;
const bRefresh = 2;

export class UsbAudioDevice extends UsbDeviceModel {
  readonly counters: UsbAudioCounters = { packets: 0, bytes: 0, missed: 0, feedbacks: 0 };
  readonly #options: UsbAudioOptions;
  #isMuted = false;
  /** Of left and right. */
  #volumes = [0, 0];
  #lastPacketNs = -1;
  #heardFrames = 0;

  constructor(options: UsbAudioOptions) {
    super({
      speed: UsbSpeed.full,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: 0x1209,
        idProduct: 0x0011,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 0,
        bNumConfigurations: 1,
      },
      configurations: [configuration(options.sync ?? "adaptive")],
      strings: ["Drydock", "USB headset"],
    });
    this.#options = options;
  }

  /** 1/256 dB; null while muted. */
  get volumes(): readonly number[] | null {
    return this.#isMuted ? null : this.#volumes;
  }

  protected override powerOn(): void {
    this.#isMuted = false;
    this.#volumes = [0, 0];
    this.#lastPacketNs = -1;
  }

  protected override settingBegan(interfaceNumber: number): void {
    if (interfaceNumber === speakerInterface) this.#lastPacketNs = -1;
    else if (interfaceNumber === microphoneInterface) this.#heardFrames = 0;
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if (isEndpointRequest(setup)) {
      const isRate = setup.wValue >> 8 === AudioControl.samplingFrequency;
      if (!isRate || setup.bRequest !== AudioRequest.getCurrent) return null;
      return Uint8Array.of(rate & 0xff, (rate >> 8) & 0xff, rate >> 16);
    }
    if (!isFeatureRequest(setup)) return null;
    const channel = setup.wValue & 0xff;
    if (setup.wValue >> 8 === AudioControl.mute)
      return channel === 0 && setup.bRequest === AudioRequest.getCurrent
        ? Uint8Array.of(this.#isMuted ? 1 : 0)
        : null;
    if (setup.wValue >> 8 !== AudioControl.volume || channel < 1 || channel > 2) return null;
    switch (setup.bRequest) {
      case AudioRequest.getCurrent:
        return word(this.#volumes[channel - 1]);
      case AudioRequest.getMinimum:
        return word(volumeRange.minimum);
      case AudioRequest.getMaximum:
        return word(volumeRange.maximum);
      case AudioRequest.getResolution:
        return word(volumeRange.resolution);
      default:
        return null;
    }
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    if (isEndpointRequest(setup)) {
      const wanted = data.length === 3 ? data[0] | (data[1] << 8) | (data[2] << 16) : 0;
      // §5.2.3.2.3.1: another rate than the one there is.
      return setup.bRequest === AudioRequest.setCurrent && wanted === rate;
    }
    if (!isFeatureRequest(setup)) return false;
    const channel = setup.wValue & 0xff;
    const isCurrent = setup.bRequest === AudioRequest.setCurrent;
    if (setup.wValue >> 8 === AudioControl.mute) {
      if (channel !== 0 || !isCurrent || data.length !== 1) return false;
      this.#isMuted = data[0] !== 0;
      return true;
    }
    if (setup.wValue >> 8 !== AudioControl.volume || channel < 1 || channel > 2 || data.length !== 2)
      return false;
    // Linux looks for the real step by setting others; a device that has one step takes them and keeps its own.
    if (!isCurrent) return setup.bRequest === AudioRequest.setResolution;
    const asked = ((data[0] | (data[1] << 8)) << 16) >> 16;
    const { maximum, minimum, resolution } = volumeRange;
    const held = Math.min(maximum, Math.max(minimum, asked));
    this.#volumes[channel - 1] = Math.round(held / resolution) * resolution;
    return true;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint === feedbackIn) {
      this.counters.feedbacks++;
      buffer.set(encodeFeedback(packetFrames).subarray(0, length), offset);
      return 3;
    }
    if (endpoint !== microphoneIn) return UsbNak;
    const hear = this.#options.hear ?? ramps;
    for (let index = 0; index < packetFrames; index++) {
      const [left, right] = hear(this.#heardFrames++);
      const at = offset + index * frameBytes;
      buffer[at] = left & 0xff;
      buffer[at + 1] = (left >> 8) & 0xff;
      buffer[at + 2] = right & 0xff;
      buffer[at + 3] = (right >> 8) & 0xff;
    }
    return packetFrames * frameBytes;
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint !== speakerOut) return length;
    const { counters } = this;
    const nowNs = this.#options.clock.nowNs();
    if (this.#lastPacketNs >= 0)
      counters.missed += Math.max(0, Math.round((nowNs - this.#lastPacketNs) / millisecond) - 1);
    this.#lastPacketNs = nowNs;
    counters.packets++;
    counters.bytes += length;
    this.#options.onPlayed?.(buffer.subarray(offset, offset + length));
    return length;
  }
}

const ramps = (frame: number): readonly [number, number] => [(frame * 7) % 32768, (frame * 13) % 32768];

const word = (value: number): Uint8Array => Uint8Array.of(value & 0xff, (value >> 8) & 0xff);

function isEndpointRequest(setup: Setup): boolean {
  return (
    (setup.bmRequestType & RequestType.mask) === RequestType.class &&
    (setup.bmRequestType & Recipient.mask) === Recipient.endpoint &&
    (setup.wIndex === speakerOut || setup.wIndex === microphoneIn)
  );
}

function isFeatureRequest(setup: Setup): boolean {
  return (
    (setup.bmRequestType & RequestType.mask) === RequestType.class &&
    (setup.bmRequestType & Recipient.mask) === Recipient.interface &&
    setup.wIndex === featureUnit << 8
  );
}

function configuration(sync: "adaptive" | "asynchronous"): Uint8Array {
  const units = [
    encodeInputTerminal(1, AudioTerminal.usbStream, 2),
    // Mute for all, volume for each channel.
    encodeFeatureUnit(featureUnit, 1, [1, 2, 2]),
    encodeOutputTerminal(3, AudioTerminal.speaker, featureUnit),
    encodeInputTerminal(4, AudioTerminal.microphone, 2),
    encodeOutputTerminal(5, AudioTerminal.usbStream, 4),
  ];
  const interfaceOf = (bInterfaceNumber: number, bInterfaceSubClass: number, bAlternateSetting = 0) => ({
    bInterfaceNumber,
    bAlternateSetting,
    bInterfaceClass: audioClass,
    bInterfaceSubClass,
    bInterfaceProtocol: 0,
  });
  const format = encodeFormatTypeI(2, 2, 16, [rate]);
  const hasFeedback = sync === "asynchronous";
  const feedback = {
    bEndpointAddress: feedbackIn,
    bmAttributes: TransferType.isochronous | feedbackUsage,
    wMaxPacketSize: 3,
    bInterval: 1,
    audio: { bRefresh, bSynchAddress: 0 },
  };
  const stream = (bEndpointAddress: number, bmAttributes: number, bSynchAddress: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.isochronous | bmAttributes,
    wMaxPacketSize: packetBytes,
    bInterval: 1,
    audio: { bRefresh: 0, bSynchAddress },
    extra: [encodeStreamEndpoint()],
  });
  const speaker = stream(
    speakerOut,
    hasFeedback ? AudioSync.asynchronous : AudioSync.adaptive,
    hasFeedback ? feedbackIn : 0,
  );
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      {
        ...interfaceOf(0, AudioSubclass.control),
        extra: [encodeAudioHeader([speakerInterface, microphoneInterface], units), ...units],
        endpoints: [],
      },
      { ...interfaceOf(speakerInterface, AudioSubclass.streaming), endpoints: [] },
      {
        ...interfaceOf(speakerInterface, AudioSubclass.streaming, 1),
        extra: [encodeStreamGeneral(1), format],
        endpoints: hasFeedback ? [speaker, feedback] : [speaker],
      },
      { ...interfaceOf(microphoneInterface, AudioSubclass.streaming), endpoints: [] },
      {
        ...interfaceOf(microphoneInterface, AudioSubclass.streaming, 1),
        extra: [encodeStreamGeneral(5), format],
        endpoints: [stream(microphoneIn, AudioSync.asynchronous, 0)],
      },
    ],
  );
}
