// Carries transfers to a device model: queues, halts, control stages, cancellation, wire time.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";
import { millisecond } from "../../base/units.ts";
import { TransferType } from "../../codec/usb/descriptors.ts";
import {
  decodeSetup,
  directionIn,
  isIn,
  newSetup,
  type Setup,
  StandardRequest,
} from "../../codec/usb/setup.ts";
import { UsbSpeed, usbBitsPerSecond } from "../../codec/usb/usb-speed.ts";
import {
  intervalNs,
  isochronousIntervalNs,
  mostPerInterval,
  UsbEndpointTable,
} from "../../dissect/usb-endpoints.ts";
import { type UsbDevicePort, UsbNak, UsbStall, type UsbUpstream } from "../../ports/usb-device.ts";
import {
  packetsFit,
  type UsbHostClient,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";

/** The wire that several devices share: nobody is served before it is free. */
export interface SharedWire {
  busyUntilNs: number;
}

export interface CarrierOptions {
  readonly clock: Clock;
  /** Latency jitter. */
  readonly random: Random;
  readonly wire: SharedWire;
  /** `bus`: signalling rate, protocol overhead and seeded latency. `none`: everything at once, still asynchronous. */
  readonly timing: "bus" | "none";
  /** The device asked to leave the bus and come back. */
  readonly onReconnect: () => void;
  /** Told what the device says that its driver did against its specification. */
  readonly onMisuse?: (text: string) => void;
}

/** Transfers under way at once. */
export const carrierSlots = 256;

/** Latency from submission to service on a simulated controller, nanoseconds, and its spread. */
const serviceLatencyNs = 1_500;
const serviceJitterNs = 6_000;

/** Packets of an isochronous endpoint are never left for longer, however many wait. */
const longestLateNs = 8 * millisecond;
/** Beside what the host takes to queue again, and half of that: what an alarm takes to be heard. */
const leastReserveNs = millisecond / 2;
/** A host that answers faster than it did is believed after about so many answers. */
const answersRemembered = 16;

const free = 0;
const queued = 1;
const cancelling = 2;

/** Endpoint 0 has one queue; other endpoints one per direction. */
const controlIndex = 0;
const indexOf = (address: number): number => (address & 0x0f) + ((address & directionIn) !== 0 ? 16 : 0);

/** Keys of queues: five bits of index, above them the stream. */
const indexMask = 0x1f;
const streamShift = 5;

const stageSetup = 0;
const stageData = 1;
const stageStatus = 2;

/** One endpoint's queue of slots, or that of one of its streams. */
class EndpointQueue {
  /** What events name the queue by: the endpoint's index, the stream above it. */
  readonly key: number;
  isPresent = false;
  address = 0;
  packetBytes = 8;
  /** Bulk streams of an endpoint, 0 for none. */
  streams = 0;
  /** Earliest next service of an interrupt endpoint. */
  notBeforeNs = 0;
  intervalNs = 0;
  /** Isochronous: the service interval, and how much goes in one; 0 for others. */
  periodNs = 0;
  mostBytes = 0;
  isHalted = false;
  /** The device answered NAK: asleep until `ready`. */
  isWaiting = false;
  isScheduled = false;
  /** Isochronous: the event of its next packet. */
  event: TimerHandle = 0;
  eventAtNs = 0;
  /** So late may it and those behind it in the same transfer be. */
  lateUntilNs = 0;
  /** When a transfer ended to which the host has queued nothing since; -1: none. */
  endedAtNs = -1;
  /** What that takes it; not yet known: for ever. */
  answerNs = Number.POSITIVE_INFINITY;
  readonly slots: number[] = [];

  constructor(key: number) {
    this.key = key;
  }
}

/** Stands for every endpoint that a device has not: nothing is ever queued at it. */
const absent = new EndpointQueue(-1);
const endpointIndexes = 32;

/**
 * Joins one plugged-in `UsbDevicePort` to one `UsbHostClient`. It does the host controller's work, so that devices
 * only answer transactions, and the same carrier serves the simulated bus and every protocol that exports a device.
 *
 * A transfer costs one event when the device is ready. A NAKed endpoint costs none until `ready`. The wire is busy for
 * the time of the bytes that moved, which delays whoever is next.
 */
export class UsbCarrier implements UsbUpstream {
  readonly device: UsbDevicePort;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #wire: SharedWire;
  readonly #hasTiming: boolean;
  readonly #onReconnect: () => void;
  readonly #onMisuse: (text: string) => void;
  /** By index; an endpoint's own queue also holds what its streams share: presence, halt, packet size. */
  readonly #queues: EndpointQueue[] = new Array(endpointIndexes).fill(absent);
  /** By key, made when a stream is first used, forgotten when endpoints change. */
  readonly #streams = new Map<number, EndpointQueue>();
  /** Columns of the slots grow as slots are used: most devices need a handful, and come and go a million times in a campaign. */
  readonly #states: number[] = [];
  /** Keys of the queues they are in. */
  readonly #keys: number[] = [];
  readonly #buffers: (Uint8Array | null)[] = [];
  readonly #offsets: number[] = [];
  readonly #lengths: number[] = [];
  readonly #moved: number[] = [];
  /** Of isochronous transfers: their packets, and the next of them. */
  readonly #packetsOf: (UsbPackets | null)[] = [];
  readonly #packetAt: number[] = [];
  /** SETUP bytes of control transfers; made for a slot when it is first used. */
  readonly #setups: Uint8Array[] = [];
  readonly #nsPerByte: number;
  readonly #packetOverheadBytes: number;
  readonly #table = new UsbEndpointTable();
  readonly #setup: Setup = newSetup();
  readonly #empty = new Uint8Array(0);
  /** Whole packets for reads that end inside one. */
  #packets = new Uint8Array(0);
  #stage = stageSetup;
  #client: UsbHostClient | null = null;
  #isGone = false;

  constructor(device: UsbDevicePort, options: CarrierOptions) {
    this.device = device;
    this.#clock = options.clock;
    this.#random = options.random;
    this.#wire = options.wire;
    this.#hasTiming = options.timing === "bus";
    this.#onReconnect = options.onReconnect;
    this.#onMisuse = options.onMisuse ?? (() => {});
    this.#nsPerByte = 8e9 / usbBitsPerSecond[device.speed];
    // Bytes of token, handshake, gaps per packet: USB 2.0 §5.8.4 (13 at full speed, 55 at high speed).
    this.#packetOverheadBytes =
      device.speed === UsbSpeed.high ? 55 : device.speed >= UsbSpeed.super ? 40 : 13;
    const control = new EndpointQueue(controlIndex);
    control.isPresent = true;
    this.#queues[controlIndex] = control;
  }

  /** See UsbUpstream.misused. */
  misused(text: string): void {
    this.#onMisuse(text);
  }

  connect(client: UsbHostClient): void {
    this.#client = client;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  /** See UsbHostPort.control. */
  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (!this.#isFree(slot) || setup.length < 8) return UsbSubmit.badRequest;
    const length = setup[6] | (setup[7] << 8);
    if (length > 0 && (buffer === null || offset < 0 || offset + length > buffer.length))
      return UsbSubmit.badRequest;
    // SET_ADDRESS is the bus's own business.
    if (setup[0] === 0 && setup[1] === StandardRequest.setAddress) return UsbSubmit.badRequest;
    this.#setups[slot] ??= new Uint8Array(8);
    this.#setups[slot].set(setup.length === 8 ? setup : setup.subarray(0, 8));
    this.#enqueue(slot, this.#queues[controlIndex], buffer ?? this.#empty, offset, length);
    return UsbSubmit.accepted;
  }

  /** See UsbHostPort.transfer. */
  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (!this.#isFree(slot) || offset < 0 || length < 0 || offset + length > buffer.length)
      return UsbSubmit.badRequest;
    const index = indexOf(endpoint);
    const queue = this.#queues[index];
    if ((endpoint & 0x0f) === 0 || !queue.isPresent) return UsbSubmit.noEndpoint;
    if (queue.periodNs > 0) return UsbSubmit.noEndpoint;
    if (queue.isHalted) return UsbSubmit.halted;
    if (stream === 0) this.#enqueue(slot, queue, buffer, offset, length);
    else {
      if (stream < 0 || stream > queue.streams) return UsbSubmit.badRequest;
      this.#enqueue(slot, this.#streamQueue(queue, stream), buffer, offset, length);
    }
    return UsbSubmit.accepted;
  }

  /** See UsbHostPort.isochronous. Frames are the clock's whole milliseconds, whatever the bus's timing. */
  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    if (this.#isGone) return UsbSubmit.gone;
    if (!this.#isFree(slot)) return UsbSubmit.badRequest;
    const queue = this.#queues[indexOf(endpoint)];
    if ((endpoint & 0x0f) === 0 || !queue.isPresent || queue.periodNs === 0) return UsbSubmit.noEndpoint;
    if (!packetsFit(packets, buffer, offset, queue.mostBytes)) return UsbSubmit.badRequest;
    packets.actualBytes.fill(0);
    packets.statuses.fill(UsbPacketStatus.missed);
    this.#packetsOf[slot] = packets;
    this.#packetAt[slot] = 0;
    this.#noteAnswer(queue);
    this.#enqueue(slot, queue, buffer, offset, 0);
    this.#loosen(queue);
    return UsbSubmit.accepted;
  }

  /** See UsbHostPort.cancel. */
  cancel(slot: number): void {
    if (this.#states[slot] !== queued) return;
    this.#states[slot] = cancelling;
    this.#clock.after(0, this.#finishCancel, slot);
  }

  /** Forgets the host's side of a halt. */
  clearHalt(endpoint: number): void {
    this.#queues[indexOf(endpoint)].isHalted = false;
  }

  ready(endpoint: number, stream = 0): void {
    if (this.#isGone) return;
    const index = (endpoint & 0x0f) === 0 ? controlIndex : indexOf(endpoint);
    if (stream !== 0) {
      const queue = this.#streams.get(index | (stream << streamShift));
      if (queue !== undefined) this.#wake(queue);
      return;
    }
    this.#wake(this.#queues[index]);
    if (this.#streams.size === 0) return;
    for (const queue of this.#streams.values()) if ((queue.key & indexMask) === index) this.#wake(queue);
  }

  reconnect(): void {
    if (!this.#isGone) this.#onReconnect();
  }

  /**
   * The cable is out: everything pending ends with `gone`, then the client's `detached`, later and once. The device is
   * told at once.
   */
  unplug(): void {
    if (this.#isGone) return;
    this.device.unplug();
    this.leave();
  }

  /** The same for the host, but the cable stays in: a port reset, or the device's own wish. The device keeps its power. */
  leave(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#clock.after(0, finishUnplug, this as UsbCarrier);
  }

  /** Called by the clock. */
  finishUnplug(): void {
    for (const queue of [...this.#queues, ...this.#streams.values()]) {
      for (const slot of queue.slots.splice(0)) this.#complete(slot, UsbStatus.gone);
    }
    this.#client?.detached();
  }

  #isFree(slot: number): boolean {
    return slot >= 0 && slot < carrierSlots && (this.#states[slot] ?? free) === free;
  }

  #streamQueue(endpoint: EndpointQueue, stream: number): EndpointQueue {
    const key = endpoint.key | (stream << streamShift);
    let queue = this.#streams.get(key);
    if (queue === undefined) {
      queue = new EndpointQueue(key);
      this.#streams.set(key, queue);
    }
    // A queue that outlives a change of settings takes on what the endpoint is now.
    queue.address = endpoint.address;
    queue.packetBytes = endpoint.packetBytes;
    return queue;
  }

  #queueOf(key: number): EndpointQueue | undefined {
    return key <= indexMask ? this.#queues[key] : this.#streams.get(key);
  }

  #wake(queue: EndpointQueue): void {
    if (!queue.isWaiting) return;
    queue.isWaiting = false;
    this.#schedule(queue);
  }

  #enqueue(slot: number, queue: EndpointQueue, buffer: Uint8Array, offset: number, length: number): void {
    this.#states[slot] = queued;
    this.#keys[slot] = queue.key;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
    this.#moved[slot] = 0;
    queue.slots.push(slot);
    if (queue.slots.length === 1) this.#schedule(queue);
  }

  #schedule(queue: EndpointQueue): void {
    if (queue.isScheduled || queue.isWaiting || queue.slots.length === 0 || this.#isGone) return;
    queue.isScheduled = true;
    let delay = 0;
    if (queue.periodNs > 0) {
      // The next interval that has not begun, or the one behind the last packet.
      const now = this.#clock.nowNs();
      const next = (Math.floor(now / queue.periodNs) + 1) * queue.periodNs;
      delay = Math.max(next, queue.notBeforeNs) - now;
      queue.eventAtNs = now + delay;
      queue.event = this.#clock.after(delay, this.#service, queue.key);
      if (this.#packetAt[queue.slots[0]] === 0) this.#loosen(queue);
      else this.#clock.mayBeLate?.(queue.event, Math.max(0, queue.lateUntilNs - queue.eventAtNs));
      return;
    }
    if (this.#hasTiming) {
      const now = this.#clock.nowNs();
      const start = Math.max(now, this.#wire.busyUntilNs, queue.notBeforeNs);
      delay = start - now + serviceLatencyNs + this.#random.below(serviceJitterNs);
    }
    this.#clock.after(delay, this.#service, queue.key);
  }

  /**
   * What a packet does is seen by the host at the end of its transfer, and a host that has queued ahead misses nothing as
   * long as it hears of that end before the queue is dry, by as much as it takes to queue more: so late may the next packet
   * be where the wall is followed, as at a controller that moderates its interrupts (xHCI 1.2 §4.17.2).
   */
  #loosen(queue: EndpointQueue): void {
    if (!queue.isScheduled) return;
    let head = 0;
    let all = 0;
    for (let index = 0; index < queue.slots.length; index++) {
      const slot = queue.slots[index];
      const packets = this.#packetsOf[slot];
      if (packets == null) continue;
      all += packets.lengths.length - this.#packetAt[slot];
      if (index === 0) head = all;
    }
    const reserveNs = queue.answerNs * 1.5 + leastReserveNs;
    const headNs = (head - 1) * queue.periodNs;
    const lateNs = Math.min((all - 1) * queue.periodNs - reserveNs, longestLateNs);
    queue.lateUntilNs = queue.eventAtNs + Math.max(headNs, lateNs);
    this.#clock.mayBeLate?.(queue.event, queue.lateUntilNs - queue.eventAtNs);
  }

  /** The host queues again after it has heard of an end: how long that takes it, at most, lately. */
  #noteAnswer(queue: EndpointQueue): void {
    if (queue.endedAtNs < 0) return;
    const tookNs = this.#clock.nowNs() - queue.endedAtNs;
    queue.endedAtNs = -1;
    queue.answerNs =
      tookNs > queue.answerNs || queue.answerNs === Number.POSITIVE_INFINITY
        ? tookNs
        : queue.answerNs - (queue.answerNs - tookNs) / answersRemembered;
  }

  readonly #service = (key: number): void => {
    const queue = this.#queueOf(key);
    if (queue === undefined) return;
    queue.isScheduled = false;
    if (this.#isGone || queue.slots.length === 0) return;
    const slot = queue.slots[0];
    // A cancelled head is on its way out; its event schedules the next one.
    if (this.#states[slot] === cancelling) return;
    const status =
      key === controlIndex
        ? this.#serveControl(slot, queue)
        : queue.periodNs > 0
          ? this.#servePacket(slot, queue)
          : this.#serveData(slot, queue);
    if (status >= 0) {
      queue.slots.shift();
      if (queue.periodNs > 0) queue.endedAtNs = this.#clock.nowNs();
      this.#complete(slot, status as UsbStatus);
    }
    this.#schedule(queue);
  };

  /** A halt is the endpoint's, whichever stream met it. */
  #halt(queue: EndpointQueue): void {
    this.#queues[queue.key & indexMask].isHalted = true;
  }

  /** Runs what the device will do now. A UsbStatus when the transfer is over, -1 when it waits. */
  #serveData(slot: number, queue: EndpointQueue): number {
    const buffer = this.#buffers[slot] as Uint8Array;
    const offset = this.#offsets[slot];
    const length = this.#lengths[slot];
    const isInput = (queue.address & directionIn) !== 0;
    const stream = queue.key >>> streamShift;
    let moved = this.#moved[slot];
    const before = moved;
    let status = -1;
    for (;;) {
      const wanted = length - moved;
      const count = isInput
        ? this.#packetsIn(queue, buffer, offset + moved, wanted, stream)
        : this.device.out(queue.address, buffer, offset + moved, wanted, stream);
      if (count === UsbNak) {
        queue.isWaiting = true;
        break;
      }
      if (count === UsbStall) {
        this.#halt(queue);
        status = UsbStatus.stall;
        break;
      }
      if (count < 0 || count > wanted) {
        // Babble: what fits has arrived, the rest of the packet is lost. The endpoint goes on with the next packet.
        if (isInput && count > 0) moved = length;
        status = UsbStatus.overflow;
        break;
      }
      moved += count;
      const isShort = isInput && (count === 0 || count % queue.packetBytes !== 0);
      if (moved === length || isShort) {
        status = UsbStatus.ok;
        break;
      }
      // A device that takes nothing and does not say NAK is treated as one that said it.
      if (count === 0) {
        queue.isWaiting = true;
        break;
      }
    }
    this.#moved[slot] = moved;
    this.#charge(queue, moved - before);
    if (queue.intervalNs > 0) queue.notBeforeNs = this.#clock.nowNs() + queue.intervalNs;
    return status;
  }

  /** One packet of one interval. Who sends nothing misses it; who is sent something answers nothing. */
  #servePacket(slot: number, queue: EndpointQueue): number {
    const packets = this.#packetsOf[slot] as UsbPackets;
    const buffer = this.#buffers[slot] as Uint8Array;
    const at = this.#packetAt[slot]++;
    const length = packets.lengths[at];
    const offset = this.#offsets[slot];
    this.#offsets[slot] = offset + length;
    queue.notBeforeNs = this.#clock.nowNs() + queue.periodNs;
    let count = length;
    packets.statuses[at] = UsbPacketStatus.ok;
    if ((queue.address & directionIn) === 0) this.device.out(queue.address, buffer, offset, length);
    else {
      if (this.#packets.length < queue.mostBytes) this.#packets = new Uint8Array(queue.mostBytes);
      count = this.device.in(queue.address, this.#packets, 0, queue.mostBytes);
      if (count < 0) {
        count = 0;
        packets.statuses[at] = UsbPacketStatus.missed;
      } else if (count > length) {
        count = length;
        packets.statuses[at] = UsbPacketStatus.overflow;
      }
      buffer.set(this.#packets.subarray(0, count), offset);
    }
    packets.actualBytes[at] = count;
    this.#moved[slot] += count;
    this.#charge(queue, count);
    return at + 1 === packets.lengths.length ? UsbStatus.ok : -1;
  }

  /**
   * A device answers an IN with a whole packet, however little room the host has for it (USB 2.0 §5.8.3), and does not
   * know where the host's buffer ends. So it is asked for whole packets; a count above `wanted` is babble.
   */
  #packetsIn(
    queue: EndpointQueue,
    buffer: Uint8Array,
    offset: number,
    wanted: number,
    stream: number,
  ): number {
    const over = wanted % queue.packetBytes;
    if (over === 0 && wanted > 0) return this.device.in(queue.address, buffer, offset, wanted, stream);
    const asked = wanted + queue.packetBytes - over;
    if (this.#packets.length < asked) this.#packets = new Uint8Array(asked);
    const count = this.device.in(queue.address, this.#packets, 0, asked, stream);
    if (count > 0) buffer.set(this.#packets.subarray(0, Math.min(count, wanted)), offset);
    return count;
  }

  /** Stages of USB 2.0 §8.5.3. A NAK in any stage leaves the stage where it is. */
  #serveControl(slot: number, queue: EndpointQueue): number {
    const buffer = this.#buffers[slot] as Uint8Array;
    const offset = this.#offsets[slot];
    const length = this.#lengths[slot];
    const { device } = this;
    if (this.#stage === stageSetup) {
      decodeSetup(this.#setups[slot], this.#setup);
      device.setup(this.#setups[slot]);
      this.#stage = length > 0 ? stageData : stageStatus;
      this.#charge(queue, 8);
    }
    const input = isIn(this.#setup) && length > 0;
    while (this.#stage === stageData) {
      const moved = this.#moved[slot];
      const wanted = length - moved;
      const count = input
        ? device.in(directionIn, buffer, offset + moved, wanted)
        : device.out(0, buffer, offset + moved, wanted);
      if (count === UsbNak) {
        queue.isWaiting = true;
        return -1;
      }
      if (count === UsbStall) return this.#endControl(UsbStatus.stall);
      if (count < 0 || count > wanted) return this.#endControl(UsbStatus.overflow);
      this.#moved[slot] = moved + count;
      this.#charge(queue, count);
      const isShort = input && (count === 0 || count % queue.packetBytes !== 0);
      if (this.#moved[slot] === length || isShort) this.#stage = stageStatus;
      else if (count === 0) {
        queue.isWaiting = true;
        return -1;
      }
    }
    const status = input ? device.out(0, this.#empty, 0, 0) : device.in(directionIn, this.#empty, 0, 0);
    if (status === UsbNak) {
      queue.isWaiting = true;
      return -1;
    }
    if (status === UsbStall) return this.#endControl(UsbStatus.stall);
    this.#takeNote(slot);
    return this.#endControl(UsbStatus.ok);
  }

  #endControl(status: UsbStatus): UsbStatus {
    this.#stage = stageSetup;
    return status;
  }

  /** Standard requests that change endpoints, once the device has agreed. */
  #takeNote(slot: number): void {
    const { bmRequestType, bRequest, wValue, wIndex } = this.#setup;
    const isChoice = bmRequestType === 0 && bRequest === StandardRequest.setConfiguration;
    if (isChoice && (wValue & 0xff) !== 0 && !this.#table.knows(wValue & 0xff)) this.#askConfigurations();
    const at = this.#offsets[slot];
    const data = UsbEndpointTable.reads(this.#setup)
      ? (this.#buffers[slot] as Uint8Array).subarray(at, at + this.#moved[slot])
      : this.#empty;
    const change = this.#table.note(this.#setup, data);
    if (change === "endpoints") this.#rebuildEndpoints(null);
    else if (change === "interface") this.#rebuildEndpoints(wIndex & 0xff);
    else if (change === "halt-cleared") this.clearHalt(wIndex & 0xff);
  }

  /** Nobody read the descriptors through us: ask the device directly, as far as it answers at once. */
  #askConfigurations(): void {
    const scratch = new Uint8Array(0xffff);
    for (let index = 0; index < 8; index++) {
      this.device.setup(
        Uint8Array.of(directionIn, StandardRequest.getDescriptor, index, 2, 0, 0, 0xff, 0xff),
      );
      const count = this.device.in(directionIn, scratch, 0, scratch.length);
      if (count < 0) return;
      this.device.out(0, this.#empty, 0, 0);
      this.#table.learn(scratch.subarray(0, count));
    }
  }

  /**
   * Endpoints of the current settings. What was pending on one that is not there any more is cancelled, and so are the
   * streams of every endpoint that begins anew. `changed` is the interface that was set, null when all were: the
   * endpoints of the others go on untouched (USB 2.0 §9.1.1.5).
   */
  #rebuildEndpoints(changed: number | null): void {
    const present = new Set<number>();
    for (const { bEndpointAddress } of this.#table.endpoints()) present.add(indexOf(bEndpointAddress));
    for (const descriptor of this.#table.endpoints()) {
      const address = descriptor.bEndpointAddress;
      const index = indexOf(address);
      if (this.#queues[index] === absent) this.#queues[index] = new EndpointQueue(index);
      const queue = this.#queues[index];
      if (changed !== null && queue.isPresent && this.#table.interfaceOf(address) !== changed) continue;
      this.#dropStreams(index);
      queue.isPresent = true;
      queue.address = address;
      queue.packetBytes = descriptor.wMaxPacketSize & 0x7ff;
      queue.streams = this.device.speed >= UsbSpeed.super ? this.#table.streamsOf(address) : 0;
      queue.isHalted = false;
      queue.isWaiting = false;
      queue.intervalNs = intervalNs(this.device.speed, descriptor);
      const isIsochronous = (descriptor.bmAttributes & 3) === TransferType.isochronous;
      const companion = this.#table.companionOf(address);
      queue.periodNs = isIsochronous ? isochronousIntervalNs(this.device.speed, descriptor) : 0;
      queue.mostBytes = isIsochronous ? mostPerInterval(this.device.speed, descriptor, companion) : 0;
      this.#schedule(queue);
    }
    for (let index = 1; index < endpointIndexes; index++) {
      const queue = this.#queues[index];
      if (present.has(index) || !queue.isPresent) continue;
      queue.isPresent = false;
      for (const slot of queue.slots) this.cancel(slot);
      this.#dropStreams(index);
    }
  }

  /** Ends what is pending on the streams of an endpoint and forgets those that have nothing pending. */
  #dropStreams(index: number): void {
    for (const [key, queue] of this.#streams) {
      if ((key & indexMask) !== index) continue;
      for (const slot of queue.slots) this.cancel(slot);
      if (queue.slots.length === 0) this.#streams.delete(key);
    }
  }

  readonly #finishCancel = (slot: number): void => {
    if (this.#states[slot] !== cancelling) return;
    const key = this.#keys[slot];
    const queue = this.#queueOf(key);
    if (queue === undefined) return;
    const at = queue.slots.indexOf(slot);
    if (at >= 0) queue.slots.splice(at, 1);
    if (at === 0) {
      if (key === controlIndex) this.#stage = stageSetup;
      queue.isWaiting = false;
    }
    this.#complete(slot, UsbStatus.cancelled);
    this.#schedule(queue);
  };

  #complete(slot: number, status: UsbStatus): void {
    this.#states[slot] = free;
    this.#buffers[slot] = null;
    this.#packetsOf[slot] = null;
    this.#client?.completed(slot, status, this.#moved[slot]);
  }

  /** The wire is busy for the bytes and the packets around them. */
  #charge(queue: EndpointQueue, bytes: number): void {
    if (!this.#hasTiming) return;
    const packets = Math.max(1, Math.ceil(bytes / queue.packetBytes));
    const cost = Math.ceil((bytes + packets * this.#packetOverheadBytes) * this.#nsPerByte);
    this.#wire.busyUntilNs = Math.max(this.#wire.busyUntilNs, this.#clock.nowNs()) + cost;
  }
}

function finishUnplug(carrier: UsbCarrier): void {
  carrier.finishUnplug();
}
