// AudioDriverKit's words: formats, transports, terminals, flags, and the four letters that they are made of.

/** Four letters as Apple packs them: the first in the highest byte. */
export function fourLetters(text: string): number {
  let value = 0;
  for (let at = 0; at < 4; at++) value = value * 256 + text.charCodeAt(at);
  return value;
}

/** The personality's dictionary that the server's connection is made from. */
export const audioUserClientKey = "IOUserAudioDriverUserClientProperties";
export const audioUserClientProperties = {
  IOClass: "IOUserUserClient",
  IOUserClass: "IOUserAudioDriverUserClient",
} as const;

export const kIOUserAudioObjectIDDriver = 1;

export const IOUserAudioStartStopFlags = { None: 0, Prewarm: 1 } as const;
export const IOUserAudioReservedConfigChangeAction = {
  SampleRate: 1,
  RingBufferFrameSize: 2,
  StreamFormat: 3,
} as const;

export const IOUserAudioTransportType = {
  Unknown: 0,
  BuiltIn: fourLetters("bltn"),
  PCI: fourLetters("pci "),
  USB: fourLetters("usb "),
  FireWire: fourLetters("1394"),
  Thunderbolt: fourLetters("thun"),
} as const;

export const IOUserAudioStreamTerminalType = {
  Unknown: 0,
  Line: fourLetters("line"),
  Speaker: fourLetters("spkr"),
  Headphones: fourLetters("hdph"),
  Microphone: fourLetters("micr"),
} as const;

export const IOUserAudioStreamDirection = { Output: 0, Input: 1 } as const;
export type IOUserAudioStreamDirection =
  (typeof IOUserAudioStreamDirection)[keyof typeof IOUserAudioStreamDirection];

export const IOUserAudioClockAlgorithm = {
  Raw: fourLetters("raww"),
  SimpleIIR: fourLetters("iirf"),
  TwelvePtMovingWindowAverage: fourLetters("mavg"),
} as const;

export const IOUserAudioIOOperationBeginRead = 0;
export const IOUserAudioIOOperationWriteEnd = 1;

export const IOUserAudioFormatID = { LinearPCM: fourLetters("lpcm") } as const;
const FormatFlagIsSignedInteger = 4;
const FormatFlagIsPacked = 8;

export interface IOUserAudioStreamBasicDescription {
  /** Frames a second. */
  readonly sampleRate: number;
  readonly formatID: number;
  readonly formatFlags: number;
  readonly bytesPerPacket: number;
  readonly framesPerPacket: number;
  readonly bytesPerFrame: number;
  readonly channelsPerFrame: number;
  readonly bitsPerChannel: number;
}

/** Signed integers, packed, of the machine's own byte order. */
export function linearPcm(
  sampleRate: number,
  channels: number,
  bitsPerChannel: number,
): IOUserAudioStreamBasicDescription {
  const bytesPerFrame = (channels * bitsPerChannel) / 8;
  return {
    sampleRate,
    formatID: IOUserAudioFormatID.LinearPCM,
    formatFlags: FormatFlagIsSignedInteger | FormatFlagIsPacked,
    bytesPerPacket: bytesPerFrame,
    framesPerPacket: 1,
    bytesPerFrame,
    channelsPerFrame: channels,
    bitsPerChannel,
  };
}

export function isSameFormat(
  one: IOUserAudioStreamBasicDescription,
  other: IOUserAudioStreamBasicDescription,
): boolean {
  return (
    one.sampleRate === other.sampleRate &&
    one.formatID === other.formatID &&
    one.formatFlags === other.formatFlags &&
    one.bytesPerFrame === other.bytesPerFrame &&
    one.channelsPerFrame === other.channelsPerFrame &&
    one.bitsPerChannel === other.bitsPerChannel
  );
}
