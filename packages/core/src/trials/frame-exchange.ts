// Random frames both ways between an interface and the far end of its cable.

import type { Clock } from "../base/clock.ts";
import { TraceHash } from "../base/hash.ts";
import { Random } from "../base/random.ts";
import {
  ethernetHeaderBytes,
  macAddressBytes,
  maximumFrameBytes,
  minimumFrameBytes,
} from "../codec/ethernet/ethernet.ts";
import {
  type EthernetClient,
  type EthernetLink,
  type EthernetPort,
  EthernetSend,
  type FrameTaker,
} from "../ports/ethernet.ts";

export interface FrameExchangeOptions {
  readonly clock: Clock;
  readonly seed: number;
  /** Frames each way. */
  readonly frames: number;
  /** Sizes without FCS; default 60 to 1514. */
  readonly smallest?: number;
  readonly largest?: number;
  /** What the station sends into: the adapter's jack, or whatever leads there. */
  readonly intoCable: FrameTaker;
  /** Frames of the station that may be under way at once. Default 8: adapters have room for some. */
  readonly window?: number;
  /** The same for the program, where the way to the station has room for few. Default: no limit but the interface's. */
  readonly outWindow?: number;
  /** The station takes frames for lost when nothing has come for so long. Default 50 ms. */
  readonly patienceNs?: number;
}

/** One direction. */
export interface FrameCount {
  readonly sent: number;
  readonly received: number;
  readonly sentDigest: string;
  readonly receivedDigest: string;
}

export interface FrameExchangeResult {
  /** From the program to the station. */
  readonly out: FrameCount;
  /** From the station to the program. */
  readonly in: FrameCount;
  readonly isWhole: boolean;
}

const stationAddress = Uint8Array.of(0x02, 0xdd, 0xdd, 0, 0, 0xfe);
/** A type for experiments (IEEE 802 §9.2.3): no stack answers it. */
const experimentalType = [0x88, 0xb5] as const;
const poolBytes = 1 << 16;
const defaultPatienceNs = 50_000_000;

/** Frames of one direction, made from a seed; the same sequence every time. */
class FrameSource {
  readonly frame = new Uint8Array(maximumFrameBytes);
  readonly #random: Random;
  readonly #pool: Uint8Array;
  readonly #smallest: number;
  readonly #largest: number;
  sent = 0;
  readonly hash = new TraceHash();

  constructor(seed: number, name: string, { largest, smallest }: FrameExchangeOptions) {
    this.#random = new Random(seed).fork(name);
    this.#pool = Uint8Array.from({ length: poolBytes + maximumFrameBytes }, () => this.#random.below(256));
    this.#smallest = smallest ?? minimumFrameBytes;
    this.#largest = largest ?? maximumFrameBytes;
  }

  setAddresses(to: Uint8Array, from: Uint8Array): void {
    this.frame.set(to, 0);
    this.frame.set(from, macAddressBytes);
    this.frame.set(experimentalType, macAddressBytes * 2);
  }

  /** Fills `frame`; answers its length. */
  next(): number {
    const length = this.#smallest + this.#random.below(this.#largest - this.#smallest + 1);
    const from = this.#random.below(poolBytes);
    this.frame.set(this.#pool.subarray(from, from + length - ethernetHeaderBytes), ethernetHeaderBytes);
    return length;
  }

  /** The frame was given away. */
  count(length: number): void {
    this.sent++;
    hashFrame(this.hash, this.frame, 0, length);
  }
}

function hashFrame(hash: TraceHash, bytes: Uint8Array, offset: number, length: number): void {
  hash.number(length);
  hash.bytes(bytes, offset, length);
}

const isOurs = (bytes: Uint8Array, offset: number): boolean =>
  bytes[offset + 12] === experimentalType[0] && bytes[offset + 13] === experimentalType[1];

/**
 * Both ends of one exchange. Make it, let the cable lead to `station`, then `start` it on an interface that nobody has open.
 * `isDone` when both ends have what was sent, or nothing moves any more.
 */
export class FrameExchange implements EthernetClient {
  /** The far end of the cable. */
  readonly station: FrameTaker;
  hungUps = 0;
  /** The exchange has come to its end, whole or not. */
  isDone = false;
  readonly #options: FrameExchangeOptions;
  readonly #out: FrameSource;
  readonly #in: FrameSource;
  readonly #heardOut = new TraceHash();
  readonly #heardIn = new TraceHash();
  #receivedOut = 0;
  #receivedIn = 0;
  /** Frames of the station that were given up as lost. */
  #givenUp = 0;
  #outLength = 0;
  #port: EthernetPort | null = null;
  #isSaying = false;
  #progress = -1;

  constructor(options: FrameExchangeOptions) {
    this.#options = options;
    this.#out = new FrameSource(options.seed, "out", options);
    this.#in = new FrameSource(options.seed, "in", options);
    this.station = {
      frame: (bytes, offset, length) => {
        if (!isOurs(bytes, offset)) return;
        this.#receivedOut++;
        hashFrame(this.#heardOut, bytes, offset, length);
        this.#endWhenAll();
        if (options.outWindow !== undefined) options.clock.after(0, () => this.#send(), undefined);
      },
    };
  }

  /** Throws RangeError with the port's reason when it cannot be opened. */
  start(port: EthernetPort): void {
    this.#port = port;
    this.#out.setAddresses(stationAddress, port.macAddress);
    this.#in.setAddresses(port.macAddress, stationAddress);
    const refused = port.open(this);
    if (refused !== null) throw new RangeError(refused);
  }

  enabled(): void {
    if (this.#port?.link.isUp) this.#begin();
  }

  linkChanged(link: EthernetLink): void {
    if (link.isUp) this.#begin();
  }

  #begin(): void {
    if (this.#isSaying) return;
    this.#isSaying = true;
    const { clock } = this.#options;
    clock.after(0, () => this.#say(), undefined);
    clock.after(0, () => this.#send(), undefined);
    clock.after(this.#options.patienceNs ?? defaultPatienceNs, this.#look, undefined);
  }

  hungUp(): void {
    this.hungUps++;
    this.isDone = true;
  }

  /** The program's half: what is refused as full comes again. */
  writable(): void {
    this.#send();
  }

  #send(): void {
    const port = this.#port as EthernetPort;
    const { frames, outWindow = frames } = this.#options;
    while (this.#out.sent < frames && this.#out.sent - this.#receivedOut < outWindow) {
      if (this.#outLength === 0) this.#outLength = this.#out.next();
      if (port.send(this.#out.frame, 0, this.#outLength) !== EthernetSend.accepted) return;
      this.#out.count(this.#outLength);
      this.#outLength = 0;
    }
  }

  frame(bytes: Uint8Array, offset: number, length: number): void {
    if (!isOurs(bytes, offset)) return;
    this.#receivedIn++;
    hashFrame(this.#heardIn, bytes, offset, length);
    this.#endWhenAll();
    this.#options.clock.after(0, () => this.#say(), undefined);
  }

  #endWhenAll(): void {
    const { frames } = this.#options;
    if (this.#receivedIn >= frames && this.#receivedOut >= frames) this.isDone = true;
  }

  /** The station's half: as many as may be under way. */
  #say(): void {
    const { frames, intoCable, window = 8 } = this.#options;
    while (this.#in.sent < frames && this.#in.sent - this.#givenUp - this.#receivedIn < window) {
      const length = this.#in.next();
      this.#in.count(length);
      intoCable.frame(this.#in.frame, 0, length);
    }
  }

  /** Looks whether anything moves. */
  readonly #look = (): void => {
    const { clock, frames, patienceNs = defaultPatienceNs } = this.#options;
    const progress = this.#receivedIn + this.#receivedOut + this.#out.sent + this.#in.sent;
    if (this.isDone) return;
    if (progress === this.#progress) {
      if (this.#in.sent >= frames) {
        this.isDone = true;
        return;
      }
      this.#givenUp = this.#in.sent - this.#receivedIn;
      this.#say();
      this.#progress = -1;
    } else this.#progress = progress;
    clock.after(patienceNs, this.#look, undefined);
  };

  result(): FrameExchangeResult {
    const out: FrameCount = {
      sent: this.#out.sent,
      received: this.#receivedOut,
      sentDigest: this.#out.hash.digest(),
      receivedDigest: this.#heardOut.digest(),
    };
    const back: FrameCount = {
      sent: this.#in.sent,
      received: this.#receivedIn,
      sentDigest: this.#in.hash.digest(),
      receivedDigest: this.#heardIn.digest(),
    };
    const isEqual = ({ received, receivedDigest, sent, sentDigest }: FrameCount) =>
      sent === this.#options.frames && received === sent && receivedDigest === sentDigest;
    return { out, in: back, isWhole: isEqual(out) && isEqual(back) };
  }
}
