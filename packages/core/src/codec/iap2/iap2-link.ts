// One end of an iAP2 link: detection, SYN, numbered packets with window, acknowledgement and retransmission.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { millisecond, second } from "../../base/units.ts";
import {
  decodeSynchronisation,
  encodeIap2Packet,
  encodeSynchronisation,
  findIap2Packet,
  Iap2Control,
  type Iap2LinkParameters,
  type Iap2Packet,
  iap2Detection,
  iap2HeaderBytes,
} from "./link-packet.ts";

/** Whoever carries the bytes and hears what came. Never called from inside a call of the link, but for `send`. */
export interface Iap2LinkOwner {
  /** Bytes for the other end, owned by the callee. */
  send(bytes: Uint8Array): void;
  /** Both ends have agreed: data may go. */
  established(parameters: Iap2LinkParameters): void;
  /** A payload in order, valid during the call. */
  received(sessionId: number, payload: Uint8Array): void;
  /** There is room in the window again, after a `send` that answered false. */
  writable(): void;
  /** The link is over: nothing comes after this. */
  dead(reason: string): void;
}

export interface Iap2LinkOptions {
  readonly clock: Clock;
  /** The accessory proposes; the device (phone, tablet) answers with what it accepts. */
  readonly role: "accessory" | "device";
  /** What this end proposes, or accepts at most; a device's sessions are the accessory's. */
  readonly parameters: Iap2LinkParameters;
  readonly firstSequence: number;
}

const detectionIntervalNs = second;
const synchroniseIntervalNs = second / 2;
/** Detection and SYN are not repeated for ever: nobody is there. */
const attempts = 30;
/** More bytes than this without one packet in them are nobody's. */
const longestNoise = 1 << 17;
const noBytes = new Uint8Array(0);

interface Outstanding {
  readonly sequence: number;
  readonly bytes: Uint8Array;
  tries: number;
}

/** a before b in the numbers of 256 that go round. */
const distance = (from: number, to: number): number => (to - from) & 0xff;

type State = "detecting" | "synchronising" | "established" | "dead";

export class Iap2Link {
  readonly #clock: Clock;
  readonly #role: "accessory" | "device";
  readonly #owner: Iap2LinkOwner;
  #parameters: Iap2LinkParameters;
  #state: State = "detecting";
  #hasSeenDetection = false;
  #tries = 0;
  #sequence: number;
  #heard = 0;
  #waiting = noBytes;
  readonly #outstanding: Outstanding[] = [];
  /** Came ahead of their turn, by sequence. */
  readonly #early = new Map<number, Iap2Packet>();
  #unacknowledged = 0;
  #hasRefused = false;
  #timer: TimerHandle = 0;
  #acknowledgeTimer: TimerHandle = 0;

  constructor(options: Iap2LinkOptions, owner: Iap2LinkOwner) {
    this.#clock = options.clock;
    this.#role = options.role;
    this.#parameters = options.parameters;
    this.#sequence = options.firstSequence & 0xff;
    this.#owner = owner;
  }

  get isEstablished(): boolean {
    return this.#state === "established";
  }

  /** What was agreed; before that, what this end wants. */
  get parameters(): Iap2LinkParameters {
    return this.#parameters;
  }

  /** Longest payload of one packet. */
  get maximumPayloadBytes(): number {
    return this.#parameters.maximumPacketBytes - iap2HeaderBytes - 1;
  }

  /** Begins to look for the other end. Called once. */
  start(): void {
    this.#detect();
  }

  /** Bytes as they came, cut anywhere. */
  take(bytes: Uint8Array): void {
    if (this.#state === "dead") return;
    const all = new Uint8Array(this.#waiting.length + bytes.length);
    all.set(this.#waiting);
    all.set(bytes, this.#waiting.length);
    let at = 0;
    // What a packet leads to may end the link.
    while ((this.#state as State) !== "dead") {
      const found = findIap2Packet(all, at);
      if (found.kind === "incomplete") break;
      if (found.kind === "noise") {
        at++;
        continue;
      }
      at += found.bytes;
      if (found.kind === "detection") this.#detected();
      else this.#packet(found.packet);
    }
    this.#waiting = all.slice(at);
    if (this.#waiting.length > longestNoise) this.#die("what comes is no packet of this link");
  }

  /** One packet of a session. False: the window is full or the link not up; `writable` will tell. RangeError: too long. */
  send(sessionId: number, payload: Uint8Array): boolean {
    if (payload.length === 0 || payload.length > this.maximumPayloadBytes)
      throw new RangeError(`a payload has 1 to ${this.maximumPayloadBytes} bytes, not ${payload.length}`);
    if (this.#state !== "established" || this.#outstanding.length >= this.#parameters.maximumOutstanding) {
      this.#hasRefused = true;
      return false;
    }
    this.#sequence = (this.#sequence + 1) & 0xff;
    const bytes = this.#encode(Iap2Control.acknowledge, this.#sequence, sessionId, payload);
    this.#outstanding.push({ sequence: this.#sequence, bytes, tries: 0 });
    this.#acknowledged();
    this.#owner.send(bytes.slice());
    if (this.#timer === 0) this.#wait(this.#parameters.retransmissionTimeoutMs * millisecond);
    return true;
  }

  /** Ends this end without a word: the cable is out, or nobody wants it any more. */
  close(): void {
    this.#stop();
  }

  #detect(): void {
    if (this.#tries++ >= attempts) {
      this.#die("nobody answers the detection: no accessory of this kind");
      return;
    }
    this.#owner.send(iap2Detection.slice());
    this.#wait(detectionIntervalNs);
  }

  #detected(): void {
    if (this.#state !== "detecting") return;
    // The device answers as long as it is asked, and waits for SYN; the accessory goes on.
    if (this.#role === "device") {
      this.#hasSeenDetection = true;
      this.#owner.send(iap2Detection.slice());
      return;
    }
    this.#state = "synchronising";
    this.#tries = 0;
    this.#synchronise();
  }

  #synchronise(): void {
    if (this.#tries++ >= attempts) {
      this.#die("SYN was never answered");
      return;
    }
    const control = this.#role === "device" ? Iap2Control.acknowledge : 0;
    this.#owner.send(
      this.#encode(
        Iap2Control.synchronise | control,
        this.#sequence,
        0,
        encodeSynchronisation(this.#parameters),
      ),
    );
    this.#wait(synchroniseIntervalNs);
  }

  /** The one timer: detection, SYN, or the oldest packet that is not acknowledged. */
  #wait(delayNs: number): void {
    this.#clock.cancel(this.#timer);
    this.#timer = this.#clock.after(delayNs, () => this.#late(), undefined);
  }

  #late(): void {
    this.#timer = 0;
    if (this.#state === "detecting") {
      if (this.#role === "accessory" || !this.#hasSeenDetection) this.#detect();
    } else if (this.#state === "synchronising") this.#synchronise();
    else if (this.#state === "established") this.#resendOldest();
  }

  #resendOldest(): void {
    const [oldest] = this.#outstanding;
    if (oldest === undefined) return;
    if (oldest.tries++ >= this.#parameters.maximumRetransmissions) {
      this.#die(`packet ${oldest.sequence} was sent ${oldest.tries} times and never acknowledged`);
      return;
    }
    this.#owner.send(oldest.bytes.slice());
    this.#wait(this.#parameters.retransmissionTimeoutMs * millisecond);
  }

  #packet(packet: Iap2Packet): void {
    const { control } = packet;
    if ((control & Iap2Control.reset) !== 0) {
      this.#die("the other end reset the link");
      return;
    }
    if ((control & Iap2Control.synchronise) !== 0) {
      this.#synchronised(packet);
      return;
    }
    if (this.#state !== "established") {
      // The accessory's bare ACK to SYN|ACK, or what of an earlier link was still under way.
      if (this.#role !== "device" || this.#state !== "synchronising") return;
      if (packet.acknowledge !== this.#sequence) return;
      this.#establish();
    }
    if ((control & Iap2Control.acknowledge) !== 0) this.#hearAcknowledge(packet.acknowledge);
    if ((control & Iap2Control.extended) !== 0) this.#resend(packet.payload);
    else if (packet.payload.length > 0) this.#data(packet);
  }

  #synchronised(packet: Iap2Packet): void {
    const isAnswer = (packet.control & Iap2Control.acknowledge) !== 0;
    let theirs: Iap2LinkParameters;
    try {
      theirs = decodeSynchronisation(packet.payload);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#die(error.message);
      return;
    }
    if (this.#role === "device") {
      if (isAnswer || this.#state === "established") return;
      this.#parameters = agreed(this.#parameters, theirs, theirs);
      this.#state = "synchronising";
      this.#heard = packet.sequence;
      this.#tries = 0;
      this.#synchronise();
      return;
    }
    if (!isAnswer || packet.acknowledge !== this.#sequence) return;
    this.#heard = packet.sequence;
    this.#acknowledge();
    if (this.#state !== "synchronising") return;
    this.#parameters = agreed(this.#parameters, theirs, this.#parameters);
    this.#establish();
  }

  #establish(): void {
    this.#state = "established";
    this.#clock.cancel(this.#timer);
    this.#timer = 0;
    this.#owner.established(this.#parameters);
  }

  #hearAcknowledge(upTo: number): void {
    const index = this.#outstanding.findIndex(({ sequence }) => sequence === upTo);
    if (index < 0) return;
    this.#outstanding.splice(0, index + 1);
    if (this.#outstanding.length > 0) this.#wait(this.#parameters.retransmissionTimeoutMs * millisecond);
    else {
      this.#clock.cancel(this.#timer);
      this.#timer = 0;
    }
    this.#tellRoom();
  }

  #tellRoom(): void {
    if (!this.#hasRefused || this.#outstanding.length >= this.#parameters.maximumOutstanding) return;
    this.#hasRefused = false;
    this.#owner.writable();
  }

  /** An extended acknowledgement lists what is missing (likely: that is how the public description reads). */
  #resend(missing: Uint8Array): void {
    for (const sequence of missing) {
      const found = this.#outstanding.find((packet) => packet.sequence === sequence);
      if (found !== undefined) this.#owner.send(found.bytes.slice());
    }
  }

  #data(packet: Iap2Packet): void {
    const ahead = distance(this.#heard, packet.sequence);
    // Half of the numbers lie behind: it was there already, and its acknowledgement got lost.
    if (ahead === 0 || ahead > 127) {
      this.#acknowledge();
      return;
    }
    if (ahead > this.#parameters.maximumOutstanding) return;
    if (ahead > 1) {
      this.#early.set(packet.sequence, { ...packet, payload: packet.payload.slice() });
      const missing: number[] = [];
      for (let step = 1; step < ahead; step++) {
        const sequence = (this.#heard + step) & 0xff;
        if (!this.#early.has(sequence)) missing.push(sequence);
      }
      const control = Iap2Control.acknowledge | Iap2Control.extended;
      this.#owner.send(this.#encode(control, this.#sequence, 0, Uint8Array.from(missing)));
      return;
    }
    let next: Iap2Packet | undefined = packet;
    while (next !== undefined && this.#state === "established") {
      this.#heard = next.sequence;
      this.#early.delete(next.sequence);
      this.#unacknowledged++;
      this.#owner.received(next.sessionId, next.payload);
      next = this.#early.get((this.#heard + 1) & 0xff);
    }
    if (this.#state !== "established" || this.#unacknowledged === 0) return;
    if (this.#unacknowledged >= this.#parameters.maximumCumulativeAcknowledges) this.#acknowledge();
    else if (this.#acknowledgeTimer === 0)
      this.#acknowledgeTimer = this.#clock.after(
        this.#parameters.acknowledgeTimeoutMs * millisecond,
        () => {
          this.#acknowledgeTimer = 0;
          if (this.#unacknowledged > 0) this.#acknowledge();
        },
        undefined,
      );
  }

  #acknowledge(): void {
    this.#acknowledged();
    this.#owner.send(this.#encode(Iap2Control.acknowledge, this.#sequence, 0, noBytes));
  }

  #acknowledged(): void {
    this.#unacknowledged = 0;
    this.#clock.cancel(this.#acknowledgeTimer);
    this.#acknowledgeTimer = 0;
  }

  #encode(control: number, sequence: number, sessionId: number, payload: Uint8Array): Uint8Array {
    return encodeIap2Packet({ control, sequence, acknowledge: this.#heard, sessionId, payload });
  }

  #die(reason: string): void {
    this.#stop();
    this.#owner.dead(reason);
  }

  #stop(): void {
    this.#state = "dead";
    this.#clock.cancel(this.#timer);
    this.#clock.cancel(this.#acknowledgeTimer);
    this.#timer = 0;
    this.#acknowledgeTimer = 0;
    this.#outstanding.length = 0;
    this.#early.clear();
    this.#waiting = noBytes;
  }
}

/** The smaller of each limit; times are the accessory's, sessions those of `of`. */
function agreed(
  own: Iap2LinkParameters,
  theirs: Iap2LinkParameters,
  of: Iap2LinkParameters,
): Iap2LinkParameters {
  const least = (name: "maximumOutstanding" | "maximumPacketBytes" | "maximumCumulativeAcknowledges") =>
    Math.min(own[name], theirs[name]);
  return {
    ...of,
    maximumOutstanding: least("maximumOutstanding"),
    maximumPacketBytes: least("maximumPacketBytes"),
    maximumCumulativeAcknowledges: least("maximumCumulativeAcknowledges"),
  };
}
