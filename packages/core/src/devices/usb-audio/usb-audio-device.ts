// A USB headset of audio class 1.0 at full speed: stereo out, feedback, and stereo in; 48 or 44.1 kHz.

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
  fullSpeedFrames,
} from "../../codec/uac/uac.ts";
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

const rates = [48_000, 44_100] as const;
/** One frame more than usual fits: an asynchronous speaker may ask for it. */
const packetBytes = (rates[0] / fullSpeedFrames + 1) * audioFrameBytes;
const featureUnit = 2;
const bRefresh = 2;

export class UsbAudioDevice extends UsbAudioModel {
  constructor(options: UsbAudioOptions) {
    super(options, {
      plan: {
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
      },
      rates,
      packetNs: millisecond,
      encodeFeedback,
      framesPerSecond: fullSpeedFrames,
    });
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if (isEndpointRequest(setup)) {
      const isRate = setup.wValue >> 8 === AudioControl.samplingFrequency;
      if (!isRate || setup.bRequest !== AudioRequest.getCurrent) return null;
      return Uint8Array.of(this.rate & 0xff, (this.rate >> 8) & 0xff, this.rate >> 16);
    }
    if (!isFeatureRequest(setup)) return null;
    const channel = setup.wValue & 0xff;
    if (setup.wValue >> 8 === AudioControl.mute)
      return channel === 0 && setup.bRequest === AudioRequest.getCurrent
        ? Uint8Array.of(this.isMuted ? 1 : 0)
        : null;
    if (setup.wValue >> 8 !== AudioControl.volume || channel < 1 || channel > 2) return null;
    switch (setup.bRequest) {
      case AudioRequest.getCurrent:
        return audioWord(this.levels[channel - 1]);
      case AudioRequest.getMinimum:
        return audioWord(audioVolume.minimum);
      case AudioRequest.getMaximum:
        return audioWord(audioVolume.maximum);
      case AudioRequest.getResolution:
        return audioWord(audioVolume.resolution);
      default:
        return null;
    }
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    if (isEndpointRequest(setup)) {
      const wanted = data.length === 3 ? data[0] | (data[1] << 8) | (data[2] << 16) : 0;
      // §5.2.3.2.3.1: both endpoints hang on one crystal.
      return setup.bRequest === AudioRequest.setCurrent && this.chooseRate(wanted);
    }
    if (!isFeatureRequest(setup)) return false;
    const channel = setup.wValue & 0xff;
    const isCurrent = setup.bRequest === AudioRequest.setCurrent;
    if (setup.wValue >> 8 === AudioControl.mute) {
      if (channel !== 0 || !isCurrent || data.length !== 1) return false;
      this.isMuted = data[0] !== 0;
      return true;
    }
    if (setup.wValue >> 8 !== AudioControl.volume || channel < 1 || channel > 2 || data.length !== 2)
      return false;
    // Linux looks for the real step by setting others; a device that has one step takes them and keeps its own.
    if (!isCurrent) return setup.bRequest === AudioRequest.setResolution;
    return this.setLevel(channel, data);
  }
}

function isEndpointRequest(setup: Setup): boolean {
  return (
    (setup.bmRequestType & RequestType.mask) === RequestType.class &&
    (setup.bmRequestType & Recipient.mask) === Recipient.endpoint &&
    (setup.wIndex === audioEndpoints.speaker || setup.wIndex === audioEndpoints.microphone)
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
  const format = encodeFormatTypeI(2, 2, 16, rates);
  const hasFeedback = sync === "asynchronous";
  const feedback = {
    bEndpointAddress: audioEndpoints.feedback,
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
    audioEndpoints.speaker,
    hasFeedback ? AudioSync.asynchronous : AudioSync.adaptive,
    hasFeedback ? audioEndpoints.feedback : 0,
  );
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      {
        ...interfaceOf(0, AudioSubclass.control),
        extra: [encodeAudioHeader([audioInterfaces.speaker, audioInterfaces.microphone], units), ...units],
        endpoints: [],
      },
      { ...interfaceOf(audioInterfaces.speaker, AudioSubclass.streaming), endpoints: [] },
      {
        ...interfaceOf(audioInterfaces.speaker, AudioSubclass.streaming, 1),
        extra: [encodeStreamGeneral(1), format],
        endpoints: hasFeedback ? [speaker, feedback] : [speaker],
      },
      { ...interfaceOf(audioInterfaces.microphone, AudioSubclass.streaming), endpoints: [] },
      {
        ...interfaceOf(audioInterfaces.microphone, AudioSubclass.streaming, 1),
        extra: [encodeStreamGeneral(5), format],
        endpoints: [stream(audioEndpoints.microphone, AudioSync.asynchronous, 0)],
      },
    ],
  );
}
