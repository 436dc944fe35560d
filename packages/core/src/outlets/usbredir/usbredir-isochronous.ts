// Isochronous streams of a usbredir device: INs are read on and pushed packet by packet, OUTs go out as they come.

import { directionIn } from "../../codec/usb/setup.ts";
import { UsbredirStatus } from "../../codec/usbredir/usbredir.ts";
import { encodeUsbredir } from "../../codec/usbredir/usbredir-messages.ts";
import {
  newUsbPackets,
  type UsbHostPort,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";

/** Transfers of all streams at once. */
export const isochronousSlots = 48;
/** What a guest may ask for: more is cut to it. */
const packetsMaximum = 32;
const transfersMaximum = 8;
/** Packets of an OUT that wait for their interval; the oldest is lost beyond, as it would come too late anyhow. */
const waitingMaximum = 256;

interface Stream {
  readonly endpoint: number;
  readonly packetBytes: number;
  readonly packetsPerTransfer: number;
  readonly transfers: number;
  nextId: number;
  underWay: number;
  isOn: boolean;
  readonly waiting: Uint8Array[];
}

interface Flight {
  readonly stream: Stream;
  readonly packets: UsbPackets;
  readonly buffer: Uint8Array;
}

export interface IsochronousOptions {
  readonly port: UsbHostPort;
  readonly capabilities: number;
  /** Slots of the port from here on are these streams'. */
  readonly firstSlot: number;
  readonly write: (bytes: Uint8Array) => void;
}

/** Nothing is tried again: a guest that is behind loses packets of an IN, as it would on a wire. */
export class IsochronousStreams {
  readonly #options: IsochronousOptions;
  readonly #streams = new Map<number, Stream>();
  readonly #flights: (Flight | null)[] = new Array(isochronousSlots).fill(null);
  #isHeld = false;

  constructor(options: IsochronousOptions) {
    this.#options = options;
  }

  /** `packetBytes`: the most of one interval. A stream that runs goes on. */
  start(endpoint: number, packetBytes: number, packets: number, transfers: number): UsbredirStatus {
    if (this.#streams.has(endpoint)) return UsbredirStatus.ok;
    const stream: Stream = {
      endpoint,
      packetBytes,
      packetsPerTransfer: Math.min(packetsMaximum, Math.max(1, packets)),
      transfers: Math.min(transfersMaximum, Math.max(2, transfers)),
      nextId: 0,
      underWay: 0,
      isOn: true,
      waiting: [],
    };
    this.#streams.set(endpoint, stream);
    if ((endpoint & directionIn) === 0) return UsbredirStatus.ok;
    for (let count = 0; count < stream.transfers; count++)
      if (!this.#read(stream) && count === 0) {
        this.stop(endpoint);
        return UsbredirStatus.ioError;
      }
    return UsbredirStatus.ok;
  }

  /** False: no such stream runs. What an OUT has taken still goes out. */
  stop(endpoint: number): boolean {
    const stream = this.#streams.get(endpoint);
    if (stream === undefined) return false;
    this.#streams.delete(endpoint);
    stream.isOn = false;
    if ((endpoint & directionIn) !== 0)
      for (const [slot, flight] of this.#flights.entries())
        if (flight?.stream === stream) this.#options.port.cancel(this.#options.firstSlot + slot);
    return true;
  }

  stopWhere(isStale: (endpoint: number) => boolean): void {
    for (const endpoint of [...this.#streams.keys()]) if (isStale(endpoint)) this.stop(endpoint);
  }

  /** A packet for an OUT. False: no such stream runs, or it is longer than the endpoint allows. */
  packet(endpoint: number, data: Uint8Array): boolean {
    const stream = this.#streams.get(endpoint);
    if (stream === undefined || (endpoint & directionIn) !== 0 || data.length > stream.packetBytes)
      return false;
    stream.waiting.push(data.slice());
    if (stream.waiting.length > waitingMaximum) stream.waiting.shift();
    this.#send(stream);
    return true;
  }

  /** The guest is behind: packets of INs are lost until `resume`. */
  hold(): void {
    this.#isHeld = true;
  }

  resume(): void {
    this.#isHeld = false;
  }

  /** A transfer in a slot of ours is over. */
  completed(slot: number, status: UsbStatus): void {
    const flight = this.#flights[slot - this.#options.firstSlot];
    if (flight === null || flight === undefined) return;
    this.#flights[slot - this.#options.firstSlot] = null;
    const { stream } = flight;
    stream.underWay--;
    if ((stream.endpoint & directionIn) === 0) {
      this.#send(stream);
      return;
    }
    if (status === UsbStatus.ok && stream.isOn) this.#push(flight);
    if (status === UsbStatus.ok && stream.isOn) this.#read(stream);
  }

  #push({ buffer, packets, stream }: Flight): void {
    let at = 0;
    for (const [index, room] of packets.lengths.entries()) {
      const length = packets.actualBytes[index];
      const isDamaged = packets.statuses[index] === UsbPacketStatus.damaged;
      const packet = {
        kind: "isoPacket",
        endpoint: stream.endpoint,
        status: isDamaged ? UsbredirStatus.ioError : UsbredirStatus.ok,
        length,
        data: buffer.slice(at, at + length),
      } as const;
      at += room;
      const id = stream.nextId;
      stream.nextId = (id + 1) % 0x1_0000_0000;
      if (!this.#isHeld) this.#options.write(encodeUsbredir(packet, id, this.#options.capabilities));
    }
  }

  #read(stream: Stream): boolean {
    const lengths = new Array<number>(stream.packetsPerTransfer).fill(stream.packetBytes);
    return this.#submit(stream, lengths, new Uint8Array(stream.packetBytes * lengths.length));
  }

  /** Each packet is a transfer: they follow each other in the intervals to come. */
  #send(stream: Stream): void {
    for (let next = stream.waiting[0]; next !== undefined; next = stream.waiting[0]) {
      if (!this.#submit(stream, [next.length], next)) return;
      stream.waiting.shift();
    }
  }

  #submit(stream: Stream, lengths: readonly number[], buffer: Uint8Array): boolean {
    const slot = this.#flights.indexOf(null);
    // Half of the slots at most are one stream's.
    if (slot < 0 || stream.underWay >= isochronousSlots / 2) return false;
    const packets = newUsbPackets(lengths);
    const { firstSlot, port } = this.#options;
    if (port.isochronous(firstSlot + slot, stream.endpoint, buffer, 0, packets) !== UsbSubmit.accepted)
      return false;
    this.#flights[slot] = { stream, packets, buffer };
    stream.underWay++;
    return true;
  }
}
