// AC'97 as Intel's ICH has it: mixer and bus master registers, and the list of buffers.
//
// Audio Codec '97 Component Specification 2.3 (mixer, §5.7), Intel I/O Controller Hub AC '97 chapter (bus master).

import { getU16le, getU32le, putU16le, putU32le } from "../../base/bytes.ts";

export const ac97VendorId = 0x8086;
export const ac97DeviceId = 0x2415;
/** Multimedia, audio device. */
export const ac97ClassCode = 0x040100;

/** BAR 0: the codec's registers, 16 bits each. */
export const Ac97Mixer = {
  reset: 0x00,
  masterVolume: 0x02,
  pcmOutVolume: 0x18,
  recordGain: 0x1c,
  power: 0x26,
  extendedId: 0x28,
  extendedControl: 0x2a,
  frontRate: 0x2c,
  adcRate: 0x32,
  vendor1: 0x7c,
  vendor2: 0x7e,
} as const;

/** Of `extendedId` and `extendedControl`: rates other than 48 kHz. */
export const ac97VariableRate = 0x0001;
/** Of volume registers. */
export const ac97Mute = 0x8000;
/** PCM out at 0 dB, §5.7.5: 0 to 31 in steps of 1.5 dB, from +12 dB downwards. */
export const ac97PcmUnity = 0x0808;
/** Both channels of a volume register, 5 bits each. */
export const ac97VolumeMask = 0x1f1f;

/** BAR 1: where each engine's registers begin. */
export const Ac97Engine = { pcmIn: 0x00, pcmOut: 0x10, microphone: 0x20 } as const;

/** From an engine's beginning. */
export const Ac97Register = {
  listAddress: 0x0,
  currentIndex: 0x4,
  lastValidIndex: 0x5,
  status: 0x6,
  samplesLeft: 0x8,
  prefetchedIndex: 0xa,
  control: 0xb,
} as const;
export const ac97EngineBytes = 0x10;

export const Ac97Global = { control: 0x2c, status: 0x30, semaphore: 0x34 } as const;

/** Of an engine's status. The last three are cleared by writing 1. */
export const Ac97Status = {
  halted: 0x01,
  currentIsLast: 0x02,
  lastBufferDone: 0x04,
  bufferDone: 0x08,
  fifoError: 0x10,
} as const;
export const ac97StatusClearable = 0x1c;

/** Of an engine's control. */
export const Ac97Control = {
  run: 0x01,
  reset: 0x02,
  lastBufferInterrupt: 0x04,
  fifoInterrupt: 0x08,
  bufferInterrupt: 0x10,
} as const;
export const ac97ControlMask = 0x1f;

/** Of the global control: the codec is out of its cold reset. */
export const ac97ColdResetReleased = 0x02;
/** Of the global status: which engine interrupts, and that the first codec answers. */
export const Ac97GlobalStatus = {
  pcmInInterrupt: 0x20,
  pcmOutInterrupt: 0x40,
  microphoneInterrupt: 0x80,
  codecReady: 0x100,
} as const;

/** Entries of a list, which is a ring. */
export const ac97Entries = 32;
export const ac97EntryBytes = 8;
export const ac97ListBytes = ac97Entries * ac97EntryBytes;
/** Most samples of 16 bits in one buffer: even, as a frame has two. */
export const ac97SamplesMaximum = 65534;

/** One buffer of the list. */
export interface Ac97Buffer {
  /** Below 4 GiB, even. */
  address: number;
  /** Of 16 bits, both channels counted. */
  samples: number;
  /** An interrupt when it is done. */
  isInterrupting: boolean;
  /** Play the last sample on, or zeros, when it was the last valid one. */
  isPlayedOn: boolean;
}

export const newAc97Buffer = (): Ac97Buffer => ({
  address: 0,
  samples: 0,
  isInterrupting: false,
  isPlayedOn: false,
});

const interruptBit = 0x8000;
const playOnBit = 0x4000;

export function readAc97Buffer(bytes: Uint8Array, offset: number, into: Ac97Buffer): void {
  into.address = (getU32le(bytes, offset) & ~1) >>> 0;
  into.samples = getU16le(bytes, offset + 4);
  const flags = getU16le(bytes, offset + 6);
  into.isInterrupting = (flags & interruptBit) !== 0;
  into.isPlayedOn = (flags & playOnBit) !== 0;
}

/** RangeError when the buffer cannot be said in an entry: an address is never cut short. */
export function writeAc97Buffer(bytes: Uint8Array, offset: number, buffer: Ac97Buffer): void {
  const { address, samples } = buffer;
  if (!Number.isInteger(address) || address < 0 || address > 0xfffffffe || address % 2 !== 0)
    throw new RangeError(`an AC'97 buffer lies at an even address below 4 GiB, not at ${address}`);
  if (!Number.isInteger(samples) || samples < 1 || samples > ac97SamplesMaximum)
    throw new RangeError(`an AC'97 buffer has 1 to ${ac97SamplesMaximum} samples, not ${samples}`);
  putU32le(bytes, offset, address);
  putU16le(bytes, offset + 4, samples);
  putU16le(
    bytes,
    offset + 6,
    (buffer.isInterrupting ? interruptBit : 0) | (buffer.isPlayedOn ? playOnBit : 0),
  );
}
