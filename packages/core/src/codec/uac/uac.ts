// USB Audio Class 1.0: class-specific descriptors, requests, and feedback values.

/** Interface class and subclasses (Audio 1.0 tables ). */
export const audioClass = 0x01;
export const AudioSubclass = { control: 0x01, streaming: 0x02 } as const;

/** bmAttributes of an isochronous endpoint, bits 3:2 and 5:4 (USB 2.0 table 9-13). */
export const AudioSync = { asynchronous: 0x04, adaptive: 0x08, synchronous: 0x0c } as const;
export const feedbackUsage = 0x10;
/** An IN endpoint of data whose packets say the rate of the OUT too. */
export const implicitFeedbackUsage = 0x20;

/** Terminal types (USB Audio Terminal Types 1.0 §2). */
export const AudioTerminal = {
  usbStream: 0x0101,
  microphone: 0x0201,
  speaker: 0x0301,
  headphones: 0x0302,
  headset: 0x0402,
} as const;

/** Requests, §5.2.1.1: SET has bit 7 clear. */
export const AudioRequest = {
  setCurrent: 0x01,
  setMinimum: 0x02,
  setMaximum: 0x03,
  setResolution: 0x04,
  getCurrent: 0x81,
  getMinimum: 0x82,
  getMaximum: 0x83,
  getResolution: 0x84,
} as const;

/** Controls of a feature unit, §5.2.2.4, and of an endpoint, §5.2.3.2. */
export const AudioControl = { mute: 0x01, volume: 0x02, samplingFrequency: 0x01 } as const;

const u16 = (value: number): number[] => [value & 0xff, (value >> 8) & 0xff];

/** §4.3.2: `units` are all descriptors that follow it in the interface. */
export function encodeAudioHeader(
  streamingInterfaces: readonly number[],
  units: readonly Uint8Array[],
): Uint8Array {
  const length = 8 + streamingInterfaces.length;
  const total = units.reduce((sum, unit) => sum + unit.length, length);
  return Uint8Array.of(
    length,
    0x24,
    0x01,
    ...u16(0x0100),
    ...u16(total),
    streamingInterfaces.length,
    ...streamingInterfaces,
  );
}

/** §4.3.2.1. Two channels are left front and right front. */
export function encodeInputTerminal(id: number, type: number, channels: number): Uint8Array {
  return Uint8Array.of(12, 0x24, 0x02, id, ...u16(type), 0, channels, ...u16(channels === 2 ? 3 : 0), 0, 0);
}

/** §4.3.2.2. */
export function encodeOutputTerminal(id: number, type: number, source: number): Uint8Array {
  return Uint8Array.of(9, 0x24, 0x03, id, ...u16(type), 0, source, 0);
}

/** §4.3.2.5, one byte of controls each: the master's first. */
export function encodeFeatureUnit(id: number, source: number, controls: readonly number[]): Uint8Array {
  return Uint8Array.of(7 + controls.length, 0x24, 0x06, id, source, 1, ...controls, 0);
}

/** §4.5.2: PCM. */
export function encodeStreamGeneral(terminal: number): Uint8Array {
  return Uint8Array.of(7, 0x24, 0x01, terminal, 1, ...u16(1));
}

/** Audio Data Formats 1.0 §2.2.5: type I, with the rates that can be chosen. */
export function encodeFormatTypeI(
  channels: number,
  bytes: number,
  bits: number,
  rates: readonly number[],
): Uint8Array {
  const list = rates.flatMap((rate) => [rate & 0xff, (rate >> 8) & 0xff, (rate >> 16) & 0xff]);
  return Uint8Array.of(8 + list.length, 0x24, 0x02, 1, channels, bytes, bits, rates.length, ...list);
}

/** §4.6.1.2: the sampling frequency can be set. */
export function encodeStreamEndpoint(): Uint8Array {
  return Uint8Array.of(7, 0x25, 0x01, 0x01, 0, 0, 0);
}

/** Samples in each frame as 10.14 in three bytes (USB 2.0 §5.12.4.2): what a full-speed feedback endpoint says. */
export function encodeFeedback(samplesPerFrame: number): Uint8Array {
  const value = Math.round(samplesPerFrame * 16384);
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff);
}

/** Samples in each microframe as 16.16 in four bytes: what a high-speed feedback endpoint says. */
export function encodeHighFeedback(samplesPerMicroframe: number): Uint8Array {
  const value = Math.round(samplesPerMicroframe * 65536);
  return Uint8Array.of(value & 0xff, (value >> 8) & 0xff, (value >> 16) & 0xff, (value >>> 24) & 0xff);
}

/** Frames and microframes of a second. */
export const fullSpeedFrames = 1000;
export const highSpeedFrames = 8000;

/**
 * Samples in each (micro)frame: 10.14 in three bytes where a second has 1000 frames, 16.16 in four where it has 8000. Null for
 * what no device of `rate` can mean: more than a sample off, more than an eighth off, or too few bytes.
 */
export function decodeFeedback(
  bytes: Uint8Array,
  rate: number,
  framesPerSecond: number = fullSpeedFrames,
): number | null {
  const isFull = framesPerSecond === fullSpeedFrames;
  if (bytes.length < (isFull ? 3 : 4)) return null;
  const low = bytes[0] | (bytes[1] << 8) | (bytes[2] << 16);
  const value = isFull ? low / 16384 : (low + bytes[3] * 2 ** 24) / 65536;
  const nominal = rate / framesPerSecond;
  return Math.abs(value - nominal) <= Math.min(1, nominal / 8) ? value : null;
}
