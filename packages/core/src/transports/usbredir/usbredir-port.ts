// A device of a usbredir host as a UsbHostPort: transfers become packets, pushed reports meet the reads that wait.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { second } from "../../base/units.ts";
import { TransferType } from "../../codec/usb/descriptors.ts";
import {
  decodeSetup,
  directionIn,
  newSetup,
  Recipient,
  RequestType,
  type Setup,
  StandardRequest,
} from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import {
  UsbredirCapability,
  type UsbredirId,
  UsbredirSpeed,
  UsbredirStatus,
  usbredirEndpointIndex,
} from "../../codec/usbredir/usbredir.ts";
import {
  type UsbredirDeviceConnect,
  type UsbredirMessage,
  type UsbredirPeriodicPacket,
  usbredirDataMaximum,
} from "../../codec/usbredir/usbredir-messages.ts";
import { isochronousIntervalNs, mostPerInterval, UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import {
  packetsFit,
  type UsbHostClient,
  type UsbHostPort,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import { UsbredirPackets } from "./usbredir-packets.ts";
import { type ReportSource, UsbredirReports } from "./usbredir-reports.ts";

/** Our own host has 178; what others have is not known. */
const slots = 128;
/** From a cancellation to the answer. */
const cancelPatienceNs = 10 * second;
/** What a bulk length of 16 bits can say. */
const shortBulkMaximum = 0xffff;

const speeds: Readonly<Record<number, UsbSpeed>> = {
  [UsbredirSpeed.low]: UsbSpeed.low,
  [UsbredirSpeed.full]: UsbSpeed.full,
  [UsbredirSpeed.high]: UsbSpeed.high,
  [UsbredirSpeed.super]: UsbSpeed.super,
};

/** The connection, as its ports use it. */
export interface UsbredirLink {
  readonly clock: Clock;
  /** The agreed ones. */
  readonly capabilities: number;
  takeId(): number;
  send(message: UsbredirMessage, id: UsbredirId): void;
  /** Ids whose answers may still come although their port is over. */
  leave(ids: Iterable<UsbredirId>): void;
  /** Resets the device; the port is told that it is over, later. */
  reset(): void;
  /** Ends the connection. */
  fail(reason: string): void;
}

/** What answers a packet of ours. */
export type UsbredirAnswer =
  | UsbredirPeriodicPacket
  | Extract<
      UsbredirMessage,
      { kind: "controlPacket" | "bulkPacket" | "configurationStatus" | "alternateStatus" }
    >;
/** What a host says of its own accord, or of an endpoint. */
export type UsbredirTale =
  | UsbredirPeriodicPacket
  | Extract<UsbredirMessage, { kind: "interruptReceivingStatus" | "isoStreamStatus" | "bulkStreamsStatus" }>;

const none = new Uint8Array(0);

/**
 * Made by {@link UsbredirImporter} when the host announces a device. Fidelity: bytes that moved before a cancellation
 * count as the host counts them; a host answers what a departing device had pending as cancelled, which is told as
 * `gone` unless a change of settings explains it. An endpoint whose streams are in use takes nothing without one.
 */
export class UsbredirPort implements UsbHostPort, ReportSource {
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly slotCount = slots;
  readonly #table = new UsbEndpointTable();
  readonly device: UsbredirDeviceConnect;
  readonly #link: UsbredirLink;
  readonly #reports: UsbredirReports;
  readonly #packets: UsbredirPackets;
  readonly #setup: Setup = newSetup();
  readonly #halted = new Set<number>();
  /** Endpoints whose streams are allocated. */
  readonly #streamed = new Set<number>();
  readonly #slotOf = new Map<UsbredirId, number>();
  /** By slot, as are the columns below; 0 is a free slot. Reads of reports have one too, which no packet carries. */
  readonly #ids = new Float64Array(slots);
  readonly #endpoints = new Uint8Array(slots);
  readonly #buffers: (Uint8Array | null)[] = new Array(slots).fill(null);
  readonly #offsets = new Uint32Array(slots);
  readonly #lengths = new Uint32Array(slots);
  readonly #setups: (Uint8Array | null)[] = new Array(slots).fill(null);
  /** What must answer. */
  readonly #answers: UsbredirAnswer["kind"][] = new Array(slots).fill("bulkPacket");
  readonly #isCancelled = new Uint8Array(slots);
  /** Of cancellations that the host has not answered. */
  readonly #timers: TimerHandle[] = new Array(slots).fill(0);
  /** Settings have changed under it: its host may end it. */
  readonly #isStale = new Uint8Array(slots);
  /** Changes of settings that the host has not answered. */
  #choices = 0;
  #client: UsbHostClient | null = null;
  #isLeaving = false;
  #isOver = false;
  #isDetached = false;

  constructor(link: UsbredirLink, options: { device: UsbredirDeviceConnect; locationId: number }) {
    this.#link = link;
    this.device = options.device;
    this.speed = speeds[options.device.speed] ?? UsbSpeed.full;
    this.locationId = options.locationId;
    this.#reports = new UsbredirReports(link, this);
    this.#packets = new UsbredirPackets(link, (slot, status, moved) => this.complete(slot, status, moved));
  }

  connect(client: UsbHostClient): void {
    this.#client = client;
    // It may be over already, between attachment and connect.
    if (this.#isOver) this.#link.clock.after(0, tellDetached, this as UsbredirPort);
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isOver || this.#isLeaving) return UsbSubmit.gone;
    if (!this.#isFree(slot) || setup.length < 8) return UsbSubmit.badRequest;
    const { bmRequestType, bRequest, wValue, wIndex, wLength } = decodeSetup(setup, this.#setup);
    if (wLength > 0 && (buffer === null || offset < 0 || offset + wLength > buffer.length))
      return UsbSubmit.badRequest;
    if (bmRequestType === 0 && bRequest === StandardRequest.setAddress) return UsbSubmit.badRequest;
    const isIn = (bmRequestType & directionIn) !== 0;
    const choice = choiceOf(this.#setup);
    const answer = choice === null ? "controlPacket" : answerTo[choice.kind];
    const id = this.#take(slot, isIn ? directionIn : 0, buffer, offset, wLength, answer);
    this.#setups[slot] = setup.slice(0, 8);
    if (choice !== null) {
      this.#choices++;
      this.#link.send(choice, id);
      return UsbSubmit.accepted;
    }
    this.#link.send(
      {
        kind: "controlPacket",
        endpoint: isIn ? directionIn : 0,
        request: bRequest,
        requestType: bmRequestType,
        status: UsbredirStatus.ok,
        value: wValue,
        index: wIndex,
        length: wLength,
        data: isIn || buffer === null ? none : buffer.subarray(offset, offset + wLength),
      },
      id,
    );
    return UsbSubmit.accepted;
  }

  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    if (this.#isOver || this.#isLeaving) return UsbSubmit.gone;
    if (!this.#isFree(slot) || offset < 0 || length < 0 || offset + length > buffer.length)
      return UsbSubmit.badRequest;
    const descriptor = this.#table.find(endpoint);
    const type = (descriptor?.bmAttributes ?? 0) & 3;
    if (descriptor === undefined || type === TransferType.isochronous) return UsbSubmit.noEndpoint;
    if (this.#halted.has(endpoint)) return UsbSubmit.halted;
    const isIn = (endpoint & directionIn) !== 0;
    if (type === TransferType.interrupt && isIn) {
      if (stream !== 0) return UsbSubmit.badRequest;
      this.#take(slot, endpoint, buffer, offset, length, null);
      this.#reports.wait(slot, endpoint, buffer, offset, length, descriptor.wMaxPacketSize & 0x7ff);
      return UsbSubmit.accepted;
    }
    if (!this.#canCarry(endpoint, type, length, stream)) return UsbSubmit.badRequest;
    const answer = type === TransferType.bulk ? "bulkPacket" : "interruptPacket";
    const id = this.#take(slot, endpoint, buffer, offset, length, answer);
    const data = isIn ? none : buffer.subarray(offset, offset + length);
    const status = UsbredirStatus.ok;
    this.#link.send(
      type === TransferType.bulk
        ? { kind: "bulkPacket", endpoint, status, length, stream, data }
        : { kind: "interruptPacket", endpoint, status, length, data },
      id,
    );
    return UsbSubmit.accepted;
  }

  /** A host loses what it cannot send in time, and says nothing of it: an OUT that was sent counts as gone. */
  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    if (this.#isOver || this.#isLeaving) return UsbSubmit.gone;
    if (!this.#isFree(slot)) return UsbSubmit.badRequest;
    const descriptor = this.#table.find(endpoint);
    if (descriptor === undefined || (descriptor.bmAttributes & 3) !== TransferType.isochronous)
      return UsbSubmit.noEndpoint;
    const most = mostPerInterval(this.speed, descriptor, this.#table.companionOf(endpoint));
    if (!packetsFit(packets, buffer, offset, most)) return UsbSubmit.badRequest;
    this.#take(slot, endpoint, buffer, offset, 0, null);
    const periodNs = isochronousIntervalNs(this.speed, descriptor);
    this.#packets.submit(slot, endpoint, buffer, offset, packets, periodNs);
    return UsbSubmit.accepted;
  }

  cancel(slot: number): void {
    if (this.#isOver || !(slot >= 0 && slot < slots)) return;
    if (this.#isFree(slot) || this.#isCancelled[slot] === 1) return;
    this.#isCancelled[slot] = 1;
    if (this.#reports.cancel(slot) || this.#packets.cancel(slot)) return;
    this.#link.send({ kind: "cancelDataPacket" }, this.#ids[slot]);
    this.#timers[slot] = this.#link.clock.after(cancelPatienceNs, this.#giveUp, undefined);
  }

  clearHalt(endpoint: number): void {
    this.#halted.delete(endpoint);
  }

  reset(): void {
    if (this.#isOver || this.#isLeaving) return;
    this.#isLeaving = true;
    this.#link.leave(this.#slotOf.keys());
    this.#link.reset();
  }

  /**
   * From the connection: an answer to a packet. False when the packet is none of this port's. Throws DecodeError for an
   * answer of another kind, and for one that has more bytes than were asked for.
   */
  answered(message: UsbredirAnswer, id: UsbredirId): boolean {
    const slot = this.#slotOf.get(id);
    if (slot === undefined) return false;
    if (message.kind !== this.#answers[slot])
      throw new DecodeError("usbredir host", 0, `${message.kind} does not answer packet ${id}`);
    const length = this.#lengths[slot];
    const isIn = (this.#endpoints[slot] & directionIn) !== 0;
    const setup = this.#setups[slot];
    let actualBytes = 0;
    if ("data" in message) {
      actualBytes = isIn ? message.data.length : message.length;
      if (actualBytes > length)
        throw new DecodeError("usbredir host", 0, `${actualBytes} bytes for a buffer of ${length}`);
      if (isIn) this.#buffers[slot]?.set(message.data, this.#offsets[slot]);
    } else {
      this.#choices--;
      if (isIn && message.status === UsbredirStatus.ok && length > 0) {
        const value = message.kind === "configurationStatus" ? message.configuration : message.alternate;
        this.#buffers[slot]?.fill(value, this.#offsets[slot], this.#offsets[slot] + 1);
        actualBytes = 1;
      }
    }
    if (setup !== null && message.status === UsbredirStatus.ok) this.#note(setup, slot, actualBytes);
    const status = this.#statusOf(message.status, slot);
    if (setup === null && haltsEndpoint(status)) this.#halted.add(this.#endpoints[slot]);
    this.complete(slot, status, status === UsbStatus.stall ? 0 : actualBytes);
    return true;
  }

  /** From the connection: what no single packet has asked for. */
  told(message: UsbredirTale): void {
    switch (message.kind) {
      case "bulkStreamsStatus":
        // Refused: the packets behind the request are, too.
        if (message.status !== UsbredirStatus.ok) this.#streamed.clear();
        return;
      case "interruptReceivingStatus":
        this.#reports.status(message.endpoint, message.status);
        return;
      case "isoStreamStatus":
        this.#packets.status(message.endpoint, message.status);
        return;
      case "isoPacket":
        this.#packets.packet(message);
        return;
      default:
        this.#reports.report(message);
    }
  }

  /** The device left, was reset or its connection ended: everything pending ends with `gone`, then `detached`. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#packets.over();
    if (!this.#isLeaving) this.#link.leave(this.#slotOf.keys());
    for (let slot = 0; slot < slots; slot++) {
      if (!this.#isFree(slot)) this.complete(slot, UsbStatus.gone, 0);
    }
    if (this.#client !== null) this.tellDetached();
  }

  tellDetached(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#client?.detached();
  }

  /** As ReportSource. */
  halt(endpoint: number): void {
    this.#halted.add(endpoint);
  }

  complete(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.#isFree(slot)) return;
    this.#slotOf.delete(this.#ids[slot]);
    this.#ids[slot] = 0;
    this.#buffers[slot] = null;
    this.#setups[slot] = null;
    this.#isCancelled[slot] = 0;
    this.#link.clock.cancel(this.#timers[slot]);
    this.#timers[slot] = 0;
    this.#isStale[slot] = 0;
    this.#client?.completed(slot, status, actualBytes);
  }

  #isFree(slot: number): boolean {
    return slot >= 0 && slot < slots && this.#ids[slot] === 0;
  }

  #take(
    slot: number,
    endpoint: number,
    buffer: Uint8Array | null,
    offset: number,
    length: number,
    answer: UsbredirAnswer["kind"] | null,
  ): number {
    const id = this.#link.takeId();
    this.#ids[slot] = id;
    this.#endpoints[slot] = endpoint;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
    if (answer !== null) {
      this.#answers[slot] = answer;
      this.#slotOf.set(id, slot);
    }
    return id;
  }

  /** Also allocates an endpoint's streams when the first one is used; the host does so before it sees the packet. */
  #canCarry(endpoint: number, type: number, length: number, stream: number): boolean {
    const { capabilities } = this.#link;
    const isLong = (capabilities & UsbredirCapability.longBulk) !== 0;
    if (length > (isLong && type === TransferType.bulk ? usbredirDataMaximum : shortBulkMaximum))
      return false;
    if (stream === 0) return !this.#streamed.has(endpoint);
    const streams = this.speed >= UsbSpeed.super ? this.#table.streamsOf(endpoint) : 0;
    const canStream = (capabilities & UsbredirCapability.bulkStreams) !== 0;
    if (stream < 0 || stream > streams || !canStream) return false;
    if (!this.#streamed.has(endpoint)) {
      this.#streamed.add(endpoint);
      const endpoints = (1 << usbredirEndpointIndex(endpoint)) >>> 0;
      this.#link.send({ kind: "allocBulkStreams", endpoints, streams }, this.#link.takeId());
    }
    return true;
  }

  /** A control request has succeeded: endpoints may have begun anew. */
  #note(setup: Uint8Array, slot: number, actualBytes: number): void {
    const at = this.#offsets[slot];
    const data = this.#buffers[slot]?.subarray(at, at + actualBytes) ?? none;
    const decoded = decodeSetup(setup, this.#setup);
    const change = this.#table.note(decoded, data);
    if (change === "halt-cleared") this.#halted.delete(decoded.wIndex & 0xff);
    if (change !== "endpoints" && change !== "interface") return;
    const isStale = (endpoint: number): boolean => {
      const owner = this.#table.interfaceOf(endpoint);
      return change === "endpoints" || owner < 0 || owner === (decoded.wIndex & 0xff);
    };
    for (const pending of this.#slotOf.values())
      if (this.#setups[pending] === null && isStale(this.#endpoints[pending])) this.#isStale[pending] = 1;
    for (const endpoint of this.#halted) if (isStale(endpoint)) this.#halted.delete(endpoint);
    for (const endpoint of this.#streamed) if (isStale(endpoint)) this.#streamed.delete(endpoint);
    this.#packets.beginAnew(isStale);
    this.#reports.beginAnew(isStale, (endpoint) => this.#table.find(endpoint) !== undefined);
  }

  #statusOf(status: number, slot: number): UsbStatus {
    switch (status) {
      case UsbredirStatus.ok:
        return UsbStatus.ok;
      case UsbredirStatus.stall:
        return UsbStatus.stall;
      case UsbredirStatus.babble:
        return UsbStatus.overflow;
      case UsbredirStatus.cancelled: {
        const isExplained = this.#isCancelled[slot] === 1 || this.#isStale[slot] === 1 || this.#choices > 0;
        return isExplained ? UsbStatus.cancelled : UsbStatus.gone;
      }
      default:
        return UsbStatus.protocolError;
    }
  }

  /** A host that does not answer a cancellation would hold the slot for ever. */
  readonly #giveUp = (): void => this.#link.fail("the host does not answer");
}

function haltsEndpoint(status: UsbStatus): boolean {
  return status === UsbStatus.stall || status === UsbStatus.protocolError;
}

const answerTo = {
  setConfiguration: "configurationStatus",
  getConfiguration: "configurationStatus",
  setAlternate: "alternateStatus",
  getAlternate: "alternateStatus",
} as const;

/** The packet of its own that a standard request has, null when it has none. */
function choiceOf({ bmRequestType, bRequest, wValue, wIndex }: Setup) {
  if ((bmRequestType & RequestType.mask) !== RequestType.standard) return null;
  const recipient = bmRequestType & Recipient.mask;
  const isIn = (bmRequestType & directionIn) !== 0;
  if (recipient === Recipient.device) {
    if (bRequest === StandardRequest.setConfiguration && !isIn)
      return { kind: "setConfiguration", configuration: wValue & 0xff } as const;
    if (bRequest === StandardRequest.getConfiguration && isIn) return { kind: "getConfiguration" } as const;
  } else if (recipient === Recipient.interface) {
    const number = wIndex & 0xff;
    if (bRequest === StandardRequest.setInterface && !isIn)
      return { kind: "setAlternate", interface: number, alternate: wValue & 0xff } as const;
    if (bRequest === StandardRequest.getInterface && isIn)
      return { kind: "getAlternate", interface: number } as const;
  }
  return null;
}

function tellDetached(port: UsbredirPort): void {
  port.tellDetached();
}
