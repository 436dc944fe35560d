// A USB headset of audio class 2.0 at high speed: stereo out with feedback and stereo in, on one clock of five rates.

import { microsecond } from "../../base/units.ts";
import {
  AudioControl,
  AudioSubclass,
  AudioSync,
  AudioTerminal,
  audioClass,
  encodeHighFeedback,
  feedbackUsage,
  highSpeedFrames,
} from "../../codec/uac/uac.ts";
import {
  Audio2Access,
  Audio2Request,
  audio2Protocol,
  ClockControl,
  ClockKind,
  encodeAudio2Header,
  encodeClockSource,
  encodeFeature2Unit,
  encodeFormat2TypeI,
  encodeInput2Terminal,
  encodeOutput2Terminal,
  encodeRanges,
  encodeStream2Endpoint,
  encodeStream2General,
} from "../../codec/uac/uac2.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import {
  audioEndpoints,
  audioFrameBytes,
  audioInterfaces,
  audioVolume,
  audioWord,
  UsbAudioModel,
  type UsbAudioOptions,
} from "./usb-audio-model.ts";

export interface UsbAudio2Options extends UsbAudioOptions {
  /** Microframes from one packet to the next, 1, 2, 4 or 8. Default 1: 8000 packets a second. */
  readonly microframes?: 1 | 2 | 4 | 8;
}

const rates = [48_000, 44_100, 88_200, 96_000, 192_000] as const;
const speakerFeature = 2;
const clockSource = 6;
const channels = 2;
/** Feedback is asked for each millisecond: 2^(4-1) microframes. */
const feedbackInterval = 4;
const microframe = 125 * microsecond;

export class UsbAudio2Device extends UsbAudioModel {
  constructor(options: UsbAudio2Options) {
    const { microframes = 1, sync = "asynchronous" } = options;
    super(
      { ...options, sync },
      {
        plan: {
          speed: UsbSpeed.high,
          device: {
            bcdUSB: 0x0200,
            // One function of several interfaces (USB 3.2 §9.6.4): the host looks for the association.
            bDeviceClass: 0xef,
            bDeviceSubClass: 2,
            bDeviceProtocol: 1,
            bMaxPacketSize0: 64,
            idVendor: 0x1209,
            idProduct: 0x0012,
            bcdDevice: 0x0100,
            iManufacturer: 1,
            iProduct: 2,
            iSerialNumber: 0,
            bNumConfigurations: 1,
          },
          configurations: [configuration(sync, microframes)],
          strings: ["Drydock", "USB headset 2"],
        },
        rates,
        packetNs: microframes * microframe,
        encodeFeedback: encodeHighFeedback,
        framesPerSecond: highSpeedFrames,
      },
    );
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    const entity = entityOf(setup);
    const control = setup.wValue >> 8;
    const channel = setup.wValue & 0xff;
    const isCurrent = setup.bRequest === Audio2Request.current;
    if (entity === clockSource) {
      if (channel !== 0) return null;
      if (control === ClockControl.valid) return isCurrent ? Uint8Array.of(1) : null;
      if (control !== ClockControl.samplingFrequency) return null;
      if (isCurrent) return longWord(this.rate);
      if (setup.bRequest !== Audio2Request.range) return null;
      const each = [...rates].sort((one, other) => one - other);
      return encodeRanges(
        each.map((rate) => ({ minimum: rate, maximum: rate, resolution: 0 })),
        4,
      );
    }
    if (entity !== speakerFeature) return null;
    if (control === AudioControl.mute)
      return channel === 0 && isCurrent ? Uint8Array.of(this.isMuted ? 1 : 0) : null;
    if (control !== AudioControl.volume || channel < 1 || channel > channels) return null;
    if (isCurrent) return audioWord(this.levels[channel - 1]);
    return setup.bRequest === Audio2Request.range ? encodeRanges([audioVolume], 2) : null;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    // RANGE cannot be set (§5.2.1).
    if (setup.bRequest !== Audio2Request.current) return false;
    const entity = entityOf(setup);
    const control = setup.wValue >> 8;
    const channel = setup.wValue & 0xff;
    if (entity === clockSource)
      return (
        control === ClockControl.samplingFrequency &&
        channel === 0 &&
        data.length === 4 &&
        this.chooseRate((data[0] | (data[1] << 8) | (data[2] << 16) | (data[3] << 24)) >>> 0)
      );
    if (entity !== speakerFeature) return false;
    if (control === AudioControl.volume) return this.setLevel(channel, data);
    if (control !== AudioControl.mute || channel !== 0 || data.length !== 1) return false;
    this.isMuted = data[0] !== 0;
    return true;
  }
}

const longWord = (value: number): Uint8Array =>
  Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff);

/** The unit of a class request to the control interface; 0: none of ours. */
function entityOf(setup: Setup): number {
  const isClass = (setup.bmRequestType & RequestType.mask) === RequestType.class;
  const isInterface = (setup.bmRequestType & Recipient.mask) === Recipient.interface;
  return isClass && isInterface && (setup.wIndex & 0xff) === audioInterfaces.control ? setup.wIndex >> 8 : 0;
}

function configuration(sync: "adaptive" | "asynchronous", microframes: number): Uint8Array {
  const master = Audio2Access.write;
  const channel = Audio2Access.write << 2;
  const units = [
    encodeClockSource(clockSource, ClockKind.programmable, Audio2Access.write, Audio2Access.read),
    encodeInput2Terminal(1, AudioTerminal.usbStream, clockSource, channels),
    // Mute for all, volume for each channel.
    encodeFeature2Unit(speakerFeature, 1, [master, channel, channel]),
    encodeOutput2Terminal(3, AudioTerminal.speaker, speakerFeature, clockSource),
    encodeInput2Terminal(4, AudioTerminal.microphone, clockSource, channels),
    encodeOutput2Terminal(5, AudioTerminal.usbStream, 4, clockSource),
  ];
  const interfaceOf = (bInterfaceNumber: number, bInterfaceSubClass: number, bAlternateSetting = 0) => ({
    bInterfaceNumber,
    bAlternateSetting,
    bInterfaceClass: audioClass,
    bInterfaceSubClass,
    bInterfaceProtocol: audio2Protocol,
  });
  const bInterval = Math.log2(microframes) + 1;
  /** One frame more than usual fits. */
  const wMaxPacketSize =
    (Math.ceil((Math.max(...rates) * microframes) / highSpeedFrames) + 1) * audioFrameBytes;
  const stream = (bEndpointAddress: number, bmAttributes: number) => ({
    bEndpointAddress,
    bmAttributes: TransferType.isochronous | bmAttributes,
    wMaxPacketSize,
    bInterval,
    extra: [encodeStream2Endpoint()],
  });
  const feedback = {
    bEndpointAddress: audioEndpoints.feedback,
    bmAttributes: TransferType.isochronous | feedbackUsage,
    wMaxPacketSize: 4,
    bInterval: feedbackInterval,
  };
  const hasFeedback = sync === "asynchronous";
  const speaker = stream(audioEndpoints.speaker, hasFeedback ? AudioSync.asynchronous : AudioSync.adaptive);
  const format = encodeFormat2TypeI(2, 16);
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      {
        ...interfaceOf(audioInterfaces.control, AudioSubclass.control),
        extra: [encodeAudio2Header(units), ...units],
        endpoints: [],
      },
      { ...interfaceOf(audioInterfaces.speaker, AudioSubclass.streaming), endpoints: [] },
      {
        ...interfaceOf(audioInterfaces.speaker, AudioSubclass.streaming, 1),
        extra: [encodeStream2General(1, channels), format],
        endpoints: hasFeedback ? [speaker, feedback] : [speaker],
      },
      { ...interfaceOf(audioInterfaces.microphone, AudioSubclass.streaming), endpoints: [] },
      {
        ...interfaceOf(audioInterfaces.microphone, AudioSubclass.streaming, 1),
        extra: [encodeStream2General(5, channels), format],
        endpoints: [stream(audioEndpoints.microphone, AudioSync.asynchronous)],
      },
    ],
    [
      {
        bFirstInterface: 0,
        bInterfaceCount: 3,
        bFunctionClass: audioClass,
        bFunctionSubClass: 0,
        bFunctionProtocol: audio2Protocol,
        iFunction: 0,
      },
    ],
  );
}
