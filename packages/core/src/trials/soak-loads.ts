// The work of a soak: what is done again and again to what a rig brings up, and how a wrong answer shows.

import type { IOMedia } from "../families/block/io-media.ts";
import type { IOEthernetInterface } from "../families/network/io-ethernet-interface.ts";
import type { IOSerialBSDClient } from "../families/serial/io-serial-bsd-client.ts";
import { BlockStatus, BlockSubmit } from "../ports/block.ts";
import { EthernetSend } from "../ports/ethernet.ts";
import type { BuiltRig, RigEntry } from "../rigs/catalogue.ts";
import { liveInterfaces } from "../rigs/rig-entry.ts";
import { SerialSession } from "../rigs/serial-session.ts";
import { rampTone, ToneCheck } from "../rigs/tone.ts";

export type SoakWork = "write" | "read" | "flush" | "trim" | "send" | "press" | "play" | "frame";

/** One thing that happens, at its own virtual time. */
export interface SoakAction {
  readonly atNs: number;
  readonly kind: SoakWork | "plug";
  /** Which of the places that a load has: an area of a disk, a port, a key. */
  readonly place: number;
  /** What a write fills its blocks with, and a message its characters; 1 to 255. */
  readonly fill: number;
}

/** Ends an action: what was wrong, or null. Never called inside `begin`. */
export type SoakDone = (problem: string | null) => void;

export interface SoakLoad {
  /** What has to come up is there. */
  readonly isUp: boolean;
  /** Takes hold of what came up, after each time the devices were plugged in. What was written before may be gone. */
  connect(): void;
  begin(action: SoakAction, done: SoakDone): void;
  /** Leaves work under way, for a cable that is pulled now. */
  leaveWork(action: SoakAction): void;
}

/** Places of every load; a load with fewer uses them in turn. */
export const soakPlaces = 64;
/** What is done, and how often, by the outlets of a rig. */
const mixes = {
  block: ["write", "write", "write", "read", "read", "read", "flush", "trim"],
  terminal: ["send"],
  input: ["press"],
  audio: ["play"],
  network: ["frame"],
} as const;

export function soakMix(entry: RigEntry): readonly SoakWork[] {
  return entry.outlets.flatMap((outlet): readonly SoakWork[] => mixes[outlet]);
}

/** Everything that comes up is worked on. */
export function soakLoad(entry: RigEntry, rig: BuiltRig): SoakLoad {
  const loads = {
    ...{ block: DiskLoad, terminal: TerminalLoad, input: InputLoad, audio: AudioLoad },
    network: NetworkLoad,
  };
  const parts = entry.outlets.map((outlet) => ({
    works: mixes[outlet] as readonly string[],
    load: new loads[outlet](entry, rig),
  }));
  return {
    get isUp() {
      return parts.every(({ load }) => load.isUp);
    },
    connect: () => {
      for (const { load } of parts) load.connect();
    },
    begin: (action, done) => parts.find(({ works }) => works.includes(action.kind))?.load.begin(action, done),
    leaveWork: (action) => {
      for (const { load } of parts) load.leaveWork(action);
    },
  };
}

/** Blocks of a place, where the medium has room for so many; as many as several pages of a controller. */
const blocksEach = 64;
/** Requests that carry one action together, and that are under way when a cable is pulled. */
const requestsTogether = 4;
/** A request's bytes begin so many blocks behind a page's beginning, as a program's buffer does. */
const offsetsInPage = 8;

/** Each block has a value of its own, so that pages that change places are seen. */
const byteOf = (fill: number, block: number): number => (fill + block * 7) & 0xff;

class DiskLoad implements SoakLoad {
  readonly #rig: BuiltRig;
  /** What was written; 0: nothing that is known. */
  readonly #held = new Uint8Array(soakPlaces);
  #blocks = blocksEach;
  #buffer = new Uint8Array(0);
  #at = 0;
  #left: Uint8Array[] = [];
  #media: IOMedia | null = null;
  #current: SoakAction | null = null;
  #waiting = 0;
  #problem: string | null = null;
  #done: SoakDone = () => {};

  constructor(_entry: RigEntry, rig: BuiltRig) {
    this.#rig = rig;
  }

  get isUp(): boolean {
    return this.#rig.media.length > 0;
  }

  connect(): void {
    const [media] = this.#rig.media;
    const { blockBytes, blockCount } = media.geometry;
    this.#media = media;
    this.#current = null;
    this.#held.fill(0);
    this.#blocks = Math.min(blocksEach, Math.floor(blockCount / soakPlaces));
    this.#buffer = new Uint8Array((this.#blocks + offsetsInPage) * blockBytes);
    this.#left = Array.from({ length: requestsTogether }, () => new Uint8Array(this.#blocks * blockBytes));
    media.connect({ completed: (slot, status) => this.#completed(slot, status), detached: () => {} });
  }

  begin(action: SoakAction, done: SoakDone): void {
    const media = this.#media as IOMedia;
    this.#done = done;
    this.#current = action;
    const has = this.#rig.diskBlocks?.()[0] ?? media.geometry.blockCount;
    this.#problem =
      has === media.geometry.blockCount
        ? null
        : `the medium has ${media.geometry.blockCount} blocks, and the device's capacity is ${has} blocks`;
    this.#at = (action.fill % offsetsInPage) * media.geometry.blockBytes;
    if (action.kind === "write") this.#fill(action.fill);
    else if (action.kind === "read") this.#buffer.fill(0xee);
    if (action.kind === "write" || action.kind === "trim") this.#held[action.place] = 0;
    // Now one request for all of it, now several that are under way together.
    const parts = action.kind === "flush" || action.fill % 3 > 0 ? 1 : requestsTogether;
    const length = Math.floor(this.#blocks / parts);
    for (let part = 0; part < parts; part++) {
      const submitted = this.#submit(action, part, part * length, length);
      if (submitted === BlockSubmit.accepted) this.#waiting++;
      else if (action.kind !== "trim" || submitted !== BlockSubmit.unsupported)
        this.#problem ??= `${action.kind} was refused`;
    }
    if (this.#waiting === 0) this.#rig.machine.scheduler.after(0, () => this.#end(), undefined);
  }

  #submit(action: SoakAction, slot: number, from: number, length: number): BlockSubmit {
    const media = this.#media as IOMedia;
    const block = action.place * this.#blocks + from;
    const at = this.#at + from * media.geometry.blockBytes;
    if (action.kind === "write") return media.write(slot, block, length, this.#buffer, at, false);
    if (action.kind === "read") return media.read(slot, block, length, this.#buffer, at);
    return action.kind === "trim" ? media.trim(slot, block, length) : media.flush(slot);
  }

  #fill(fill: number): void {
    const { blockBytes } = (this.#media as IOMedia).geometry;
    for (let block = 0; block < this.#blocks; block++) {
      const at = this.#at + block * blockBytes;
      this.#buffer.fill(byteOf(fill, block), at, at + blockBytes);
    }
  }

  leaveWork(action: SoakAction): void {
    for (const [slot, buffer] of this.#left.entries())
      this.#media?.write(
        slot,
        ((action.place + slot) % soakPlaces) * this.#blocks,
        this.#blocks,
        buffer,
        0,
        false,
      );
  }

  #completed(slot: number, status: BlockStatus): void {
    const action = this.#current;
    // What is left under way for a pulled cable ends as it likes.
    if (action === null || slot >= requestsTogether) return;
    if (status !== BlockStatus.ok)
      this.#problem ??= `${action.kind} of block ${action.place * this.#blocks} ended with status ${status}`;
    if (--this.#waiting === 0) this.#end();
  }

  #end(): void {
    const action = this.#current;
    if (action === null) return;
    this.#current = null;
    this.#done(this.#problem ?? this.#judge(action));
  }

  #judge({ fill, kind, place }: SoakAction): string | null {
    if (kind === "write") this.#held[place] = fill;
    const held = this.#held[place];
    if (kind !== "read" || held === 0) return null;
    const { blockBytes } = (this.#media as IOMedia).geometry;
    for (let block = 0; block < this.#blocks; block++) {
      const at = this.#at + block * blockBytes;
      const wanted = byteOf(held, block);
      const wrong = this.#buffer.subarray(at, at + blockBytes).find((byte) => byte !== wanted);
      if (wrong !== undefined)
        return `block ${place * this.#blocks + block} reads 0x${wrong.toString(16)}, 0x${wanted.toString(16)} was written`;
    }
    return null;
  }
}

/** An echo, or a report, that is not there by then will never be. */
const patienceNs = 5e9;
const messageMost = 64;
const asked = { baudRate: 115_200 };
/** What divisors of a chip's clock cannot do better; a receiver bears it. */
const baudTolerance = 0.03;

class TerminalLoad implements SoakLoad {
  readonly #rig: BuiltRig;
  readonly #sessions: SerialSession[] = [];
  #expectedPorts = 0;

  constructor(_entry: RigEntry, rig: BuiltRig) {
    this.#rig = rig;
  }

  get isUp(): boolean {
    const ports = this.#open().length;
    return ports > 0 && ports >= this.#expectedPorts;
  }

  connect(): void {
    const ports = this.#open();
    this.#expectedPorts = Math.max(this.#expectedPorts, ports.length);
    this.#sessions.length = 0;
    for (const port of ports) {
      const session = new SerialSession(port);
      session.configure(asked);
      this.#sessions.push(session);
    }
  }

  begin(action: SoakAction, done: SoakDone): void {
    const { scheduler } = this.#rig.machine;
    const at = action.place % this.#sessions.length;
    const session = this.#sessions[at];
    const length = 1 + (action.fill % messageMost);
    const deadlineNs = scheduler.nowNs() + patienceNs;
    session.received.length = 0;
    session.send(new Uint8Array(length).fill(action.fill));
    const look = (): void => {
      const { received } = session;
      if (received.length < length && scheduler.nowNs() < deadlineNs)
        scheduler.after(lookNs, look, undefined);
      else if (received.length !== length)
        done(`port ${at + 1}: ${received.length} of ${length} characters came back`);
      else if (received.some((byte) => byte !== action.fill))
        done(`port ${at + 1}: other characters came back than were sent`);
      else done(this.#lineProblem());
    };
    scheduler.after(lookNs, look, undefined);
  }

  /** Both ends of a loop-back plug are the same UART: that it is set otherwise than was asked for shows nowhere else. */
  #lineProblem(): string | null {
    for (const [index, { baudRate, dataBits, parity, stopBits }] of (this.#rig.lines?.() ?? []).entries()) {
      const isFar = Math.abs(baudRate - asked.baudRate) > asked.baudRate * baudTolerance;
      if (!isFar && dataBits === 8 && parity === "none" && stopBits === 1) continue;
      return `line ${index + 1} runs at ${Math.round(baudRate)} baud with ${dataBits} data bits, parity ${parity}, ${stopBits} stop bits; asked for were ${asked.baudRate}, 8, none, 1`;
    }
    return null;
  }

  leaveWork(action: SoakAction): void {
    for (const session of this.#sessions) session.send(new Uint8Array(messageMost).fill(action.fill));
  }

  #open(): IOSerialBSDClient[] {
    return this.#rig.ports.filter((port) => !port.isGone);
  }
}

const lookNs = 1e6;

/** Frames of one action, at most. */
const framesTogether = 3;
/** Lengths of frames that are multiples of bulk packets at full and at high speed. */
const wholePackets: readonly number[] = [64, 128, 512, 1024];

/** Beside the addresses, which the other end swaps. */
function isSame(back: Uint8Array, sent: Uint8Array): boolean {
  return back.length === sent.length && back.every((byte, at) => at < 12 || byte === sent[at]);
}

/** Frames go out, and come back from the station at the other end of the cable. */
class NetworkLoad implements SoakLoad {
  readonly #rig: BuiltRig;
  #port: IOEthernetInterface | null = null;
  #isEnabled = false;
  #back: Uint8Array[] = [];

  constructor(_entry: RigEntry, rig: BuiltRig) {
    this.#rig = rig;
  }

  get isUp(): boolean {
    return liveInterfaces(this.#rig).some(({ link }) => link.isUp);
  }

  connect(): void {
    const [port] = liveInterfaces(this.#rig);
    this.#port = port;
    this.#isEnabled = false;
    port.open({
      enabled: () => {
        this.#isEnabled = true;
      },
      frame: (bytes, offset, length) => {
        this.#back.push(bytes.slice(offset, offset + length));
      },
      ...{ writable: () => {}, linkChanged: () => {}, hungUp: () => {} },
    });
  }

  begin(action: SoakAction, done: SoakDone): void {
    const { scheduler } = this.#rig.machine;
    const deadlineNs = scheduler.nowNs() + patienceNs;
    // Several at once share a transfer where a link can do that.
    const sent = Array.from({ length: 1 + (action.fill % framesTogether) }, (_, index) =>
      this.#frame(action, index),
    );
    this.#back = [];
    let accepted = 0;
    const look = (): void => {
      while (this.#isEnabled && accepted < sent.length) {
        if (this.#port?.send(sent[accepted], 0, sent[accepted].length) !== EthernetSend.accepted) break;
        accepted++;
      }
      const isAll = this.#back.length === sent.length;
      if (!isAll && scheduler.nowNs() < deadlineNs) scheduler.after(lookNs, look, undefined);
      else if (!isAll && this.#back.length === 0) done("a frame was sent and none came back");
      else if (!isAll)
        done(
          `${sent.length} frames were sent together, and ${this.#back.length} came back: the others are lost`,
        );
      else if (sent.some((frame, index) => !isSame(this.#back[index], frame)))
        done("another frame came back than was sent");
      else done(null);
    };
    scheduler.after(lookNs, look, undefined);
  }

  leaveWork(action: SoakAction): void {
    const frame = this.#frame(action, 0);
    for (let count = 0; count < requestsTogether; count++) this.#port?.send(frame, 0, frame.length);
  }

  /** Now and then as long as whole packets, where it is easily forgotten that the end has to be told. */
  #frame(action: SoakAction, index: number): Uint8Array {
    const some = 60 + ((action.place * 23 + index * 101) % 1455);
    const length = (action.fill + index) % 4 === 0 ? wholePackets[action.place % wholePackets.length] : some;
    const frame = new Uint8Array(length).fill(action.fill + index);
    frame.set([0x02, 0, 0, 0, 0, 0xfe]);
    frame.set(this.#port?.macAddress ?? [], 6);
    return frame;
  }
}

class InputLoad implements SoakLoad {
  readonly #rig: BuiltRig;
  readonly #devices: number;
  /** How many inputs must have come up, since the beginning. */
  #expectedInputs: number;

  constructor(entry: RigEntry, rig: BuiltRig) {
    this.#rig = rig;
    this.#devices = entry.devices.length;
    this.#expectedInputs = this.#devices;
  }

  get isUp(): boolean {
    return this.#rig.inputCount >= this.#expectedInputs;
  }

  connect(): void {
    this.#expectedInputs = this.#rig.inputCount + this.#devices;
  }

  begin(action: SoakAction, done: SoakDone): void {
    const { scheduler } = this.#rig.machine;
    const connector = 1 + (action.place % this.#devices);
    const before = this.#rig.inputEvents;
    this.#rig.press(connector, action.fill, true);
    const released = (): void => {
      this.#rig.press(connector, action.fill, false);
      scheduler.after(pressNs, heard, undefined);
    };
    const heard = (): void =>
      done(
        this.#rig.inputEvents > before ? null : `device ${connector}: a key was pressed and nobody heard it`,
      );
    scheduler.after(pressNs, released, undefined);
  }

  leaveWork(action: SoakAction): void {
    this.#rig.press(1, action.fill, true);
    this.#rig.press(1, action.fill, false);
  }
}

const pressNs = 50e6;

const playOutNs = 20e6;

/** Frames of a short sound: as many as the place says, and two blocks of the audio server besides. */
const shortestSound = 1024;

class AudioLoad implements SoakLoad {
  readonly #rig: BuiltRig;

  constructor(_entry: RigEntry, rig: BuiltRig) {
    this.#rig = rig;
  }

  get isUp(): boolean {
    return (this.#rig.sound?.devices.length ?? 0) > 0;
  }

  connect(): void {}

  begin(action: SoakAction, done: SoakDone): void {
    const { machine, sound } = this.#rig;
    const { scheduler } = machine;
    const [device] = sound?.devices ?? [];
    if (sound === undefined || device === undefined) {
      scheduler.after(0, done, "no device to play on");
      return;
    }
    const frames = shortestSound + action.place * action.fill;
    const check = new ToneCheck(rampTone(frames), frames);
    sound.listener = (bytes) => check.hear(bytes);
    const deadlineNs = scheduler.nowNs() + patienceNs;
    device.start({ source: rampTone(frames) });
    let drainedNs = Number.POSITIVE_INFINITY;
    const look = (): void => {
      const isOver = scheduler.nowNs() >= deadlineNs || device.isGone;
      // What has been taken is still to leave the converter.
      if (device.isDrained) drainedNs = Math.min(drainedNs, scheduler.nowNs());
      if (scheduler.nowNs() >= drainedNs + playOutNs) device.stop();
      if (device.state !== "stopped" && !isOver) {
        scheduler.after(lookNs, look, undefined);
        return;
      }
      sound.listener = null;
      if (check.isWhole) done(null);
      else if (check.matched === 0) done("a tone was played and nobody heard it");
      else
        done(
          `of a tone of ${frames} frames ${check.matched} were heard, then frame ${check.wrongAt} was wrong`,
        );
    };
    scheduler.after(lookNs, look, undefined);
  }

  leaveWork(_action: SoakAction): void {
    this.#rig.sound?.devices[0]?.start({ source: rampTone(Number.MAX_SAFE_INTEGER) });
  }
}
