// What a usbredir guest asks of one borrowed device, from its borrowing to its reset or departure.

import { TransferType } from "../../codec/usb/descriptors.ts";
import {
  decodeSetup,
  directionIn,
  newSetup,
  Recipient,
  type Setup,
  StandardRequest,
} from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { type UsbredirId, UsbredirStatus, usbredirEndpointAddress } from "../../codec/usbredir/usbredir.ts";
import {
  encodeUsbredir,
  type UsbredirControlPacket,
  type UsbredirDataPacket,
  type UsbredirMessage,
  usbredirDataMaximum,
  usbredirDataOffset,
  writeUsbredirData,
} from "../../codec/usbredir/usbredir-messages.ts";
import { mostPerInterval, UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import { UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";
import type { LentUsbDevice, UsbDescription } from "../lent-usb-device.ts";
import { SlotRefusal, TransferSlots } from "../transfer-slots.ts";
import { describeEndpoints, describeInterfaces } from "./usbredir-description.ts";
import { InterruptReceivers, interruptSlots } from "./usbredir-interrupts.ts";
import { IsochronousStreams, isochronousSlots } from "./usbredir-isochronous.ts";

/** Slots that no packet with a number has. */
const ownSlots = interruptSlots + isochronousSlots;
/** Bytes of buffers that one guest may have under way. */
const memoryMaximum = 64 << 20;

/**
 * `gone` is `cancelled` for the guest: it is what a host reports for everything pending before a device disappears, and
 * for what a reset has swept away.
 */
const statusOf: Readonly<Record<UsbStatus, UsbredirStatus>> = {
  [UsbStatus.ok]: UsbredirStatus.ok,
  [UsbStatus.stall]: UsbredirStatus.stall,
  [UsbStatus.cancelled]: UsbredirStatus.cancelled,
  [UsbStatus.gone]: UsbredirStatus.cancelled,
  [UsbStatus.overflow]: UsbredirStatus.babble,
  [UsbStatus.protocolError]: UsbredirStatus.ioError,
};

const statusOfRefusal: Readonly<Record<UsbSubmit, UsbredirStatus>> = {
  [UsbSubmit.accepted]: UsbredirStatus.ok,
  [UsbSubmit.gone]: UsbredirStatus.cancelled,
  [UsbSubmit.noEndpoint]: UsbredirStatus.invalid,
  [UsbSubmit.halted]: UsbredirStatus.stall,
  [UsbSubmit.badRequest]: UsbredirStatus.invalid,
  [UsbSubmit.busy]: UsbredirStatus.ioError,
  [UsbSubmit.unsupported]: UsbredirStatus.invalid,
};

/** Requests that have packets of their own become control transfers. */
type ChoiceMessage = Extract<
  UsbredirMessage,
  { kind: "setConfiguration" | "getConfiguration" | "setAlternate" | "getAlternate" }
>;
type Pending = UsbredirDataPacket | ChoiceMessage;

export interface UsbredirTransfersOptions {
  readonly lent: LentUsbDevice;
  readonly description: UsbDescription;
  /** The agreed ones. */
  readonly capabilities: number;
  /** A whole packet for the guest; the receiver owns it. */
  readonly write: (bytes: Uint8Array) => void;
}

/**
 * A pending IN is simply not answered. A cancelled packet is answered with `cancelled`, or with its result when that
 * came first: each packet gets exactly one answer. The answer of an IN is built in the buffer that the device fills.
 */
export class UsbredirTransfers {
  readonly table = new UsbEndpointTable();
  readonly #options: UsbredirTransfersOptions;
  readonly #slots: TransferSlots<UsbredirId>;
  readonly #pending: (Pending | null)[];
  readonly #interrupts: InterruptReceivers;
  readonly #isochronous: IsochronousStreams;
  readonly #setup: Setup = newSetup();
  /** Streams allocated by endpoint address. */
  readonly #streams = new Map<number, number>();

  constructor(options: UsbredirTransfersOptions) {
    this.#options = options;
    const { port } = options.lent;
    this.#slots = new TransferSlots<UsbredirId>(port.slotCount, memoryMaximum, 0, ownSlots);
    this.#pending = new Array<Pending | null>(port.slotCount).fill(null);
    for (const bytes of options.description.bytes.slice(1)) this.table.learn(bytes);
    this.#isochronous = new IsochronousStreams({
      port,
      capabilities: options.capabilities,
      firstSlot: interruptSlots,
      write: options.write,
    });
    this.#interrupts = new InterruptReceivers({
      port,
      capabilities: options.capabilities,
      write: options.write,
      onStopped: (endpoint, status) => this.#send({ kind: "interruptReceivingStatus", status, endpoint }, 0),
    });
  }

  /** Packets under way, without interrupt receiving. */
  get pending(): number {
    return this.#slots.size;
  }

  /** The guest is behind: nothing is read from interrupt endpoints until `resume`. */
  hold(): void {
    this.#interrupts.hold();
    this.#isochronous.hold();
  }

  resume(): void {
    this.#interrupts.resume();
    this.#isochronous.resume();
  }

  /** Interfaces and endpoints in force: before a device is announced and after each change. */
  sendInformation(id: UsbredirId): void {
    const { lent, description } = this.#options;
    this.#send(describeInterfaces(this.table, description), id);
    this.#send(describeEndpoints(lent.port.speed, this.table, description), id);
  }

  /** True when the packet was one for a device. */
  handle(message: UsbredirMessage, id: UsbredirId): boolean {
    switch (message.kind) {
      case "controlPacket":
        this.#control(message, id);
        return true;
      case "bulkPacket":
      case "interruptPacket":
        this.#data(message, id);
        return true;
      case "setConfiguration":
        this.#choose(message, id, 0, StandardRequest.setConfiguration, message.configuration, 0, 0);
        return true;
      case "getConfiguration":
        this.#choose(message, id, directionIn, StandardRequest.getConfiguration, 0, 0, 1);
        return true;
      case "setAlternate": {
        const { interface: number, alternate } = message;
        this.#choose(message, id, Recipient.interface, StandardRequest.setInterface, alternate, number, 0);
        return true;
      }
      case "getAlternate": {
        const type = directionIn | Recipient.interface;
        this.#choose(message, id, type, StandardRequest.getInterface, 0, message.interface, 1);
        return true;
      }
      case "cancelDataPacket": {
        const slot = this.#slots.find(id);
        if (slot !== undefined) this.#options.lent.port.cancel(slot);
        return true;
      }
      case "startInterruptReceiving": {
        const { endpoint } = message;
        const status = this.#startInterrupts(endpoint);
        this.#send({ kind: "interruptReceivingStatus", status, endpoint }, id);
        if (status === UsbredirStatus.ok) this.#interrupts.deliverKept(endpoint);
        return true;
      }
      case "stopInterruptReceiving": {
        const { endpoint } = message;
        const isOne = this.#isInterruptIn(endpoint);
        if (isOne) this.#interrupts.stop(endpoint);
        const status = isOne ? UsbredirStatus.ok : UsbredirStatus.invalid;
        this.#send({ kind: "interruptReceivingStatus", status, endpoint }, id);
        return true;
      }
      case "startIsoStream": {
        const { endpoint, packetsPerTransfer, transfers } = message;
        const status = this.#startIsochronous(endpoint, packetsPerTransfer, transfers);
        this.#send({ kind: "isoStreamStatus", status, endpoint }, id);
        return true;
      }
      case "stopIsoStream": {
        const { endpoint } = message;
        const status = this.#isochronous.stop(endpoint) ? UsbredirStatus.ok : UsbredirStatus.invalid;
        this.#send({ kind: "isoStreamStatus", status, endpoint }, id);
        return true;
      }
      case "isoPacket":
        // Packets have no answer; one for a stream that does not run, or that cannot be, is answered for its endpoint.
        if (!this.#isochronous.packet(message.endpoint, message.data))
          this.#send(
            { kind: "isoStreamStatus", status: UsbredirStatus.invalid, endpoint: message.endpoint },
            id,
          );
        return true;
      case "allocBulkStreams":
        this.#allocateStreams(message.endpoints, message.streams, id);
        return true;
      case "freeBulkStreams":
        this.#freeStreams(message.endpoints, id);
        return true;
      default:
        return this.#refuse(message, id);
    }
  }

  /** As UsbHostClient. */
  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (slot < interruptSlots) {
      this.#interrupts.completed(slot, status, actualBytes);
      return;
    }
    if (slot < ownSlots) {
      this.#isochronous.completed(slot, status);
      return;
    }
    const slots = this.#slots;
    const packet = this.#pending[slot];
    const buffer = slots.buffers[slot];
    const setup = slots.setups[slot];
    const id = slots.ids[slot];
    const isIn = (slots.endpoints[slot] & directionIn) !== 0;
    this.#pending[slot] = null;
    slots.release(slot);
    if (packet === null) return;
    if (isDataPacket(packet)) {
      const at = usbredirDataOffset(packet.kind, this.#options.capabilities);
      if (setup !== null && status === UsbStatus.ok) {
        this.#note(setup, isIn && buffer !== null ? buffer.subarray(at, at + actualBytes) : none);
      }
      this.#answer(packet, id, statusOf[status], actualBytes, isIn ? buffer : null);
      return;
    }
    if (setup !== null && status === UsbStatus.ok) this.#note(setup, none);
    this.#answerChoice(packet, id, statusOf[status], actualBytes > 0 ? (buffer?.[0] ?? 0) : 0);
  }

  #control(packet: UsbredirControlPacket, id: UsbredirId): void {
    const { lent, capabilities } = this.#options;
    const { length, requestType } = packet;
    const isIn = (requestType & directionIn) !== 0;
    const isFraud = (packet.endpoint & 0x0f) !== 0 || (length > 0 && isIn !== packet.endpoint >= directionIn);
    const slot = isFraud ? SlotRefusal.duplicate : this.#slots.take(id, length);
    if (slot < 0) {
      this.#refuseSlot(packet, id, slot);
      return;
    }
    const { value, index } = packet;
    const setup = Uint8Array.of(
      requestType,
      packet.request,
      value,
      value >> 8,
      index,
      index >> 8,
      length,
      length >> 8,
    );
    const at = isIn ? usbredirDataOffset("controlPacket", capabilities) : 0;
    const buffer = isIn ? new Uint8Array(at + length) : packet.data.slice();
    const submitted = lent.port.control(slot, setup, buffer, at);
    if (submitted !== UsbSubmit.accepted) {
      this.#slots.release(slot);
      // What a bus would not carry (SET_ADDRESS) is refused as a device refuses.
      const isBad = submitted === UsbSubmit.badRequest;
      this.#answer(packet, id, isBad ? UsbredirStatus.stall : statusOfRefusal[submitted], 0, null);
      return;
    }
    this.#keep(slot, packet, packet.endpoint, buffer);
    this.#slots.setups[slot] = setup;
  }

  #data(
    packet: Extract<UsbredirDataPacket, { kind: "bulkPacket" | "isoPacket" | "interruptPacket" }>,
    id: UsbredirId,
  ): void {
    const { lent, capabilities } = this.#options;
    const { endpoint, length } = packet;
    const isIn = (endpoint & directionIn) !== 0;
    const stream = packet.kind === "bulkPacket" ? packet.stream : 0;
    const wanted = packet.kind === "bulkPacket" ? TransferType.bulk : TransferType.interrupt;
    const type = (this.table.find(endpoint)?.bmAttributes ?? 0) & 3;
    const allocated = this.#streams.get(endpoint) ?? 0;
    // Endpoints with streams take nothing without one (USB 3.2 §8.12.1.4); interrupt INs are pushed, never asked for.
    const isStreamWrong = allocated === 0 ? stream !== 0 : stream === 0 || stream > allocated;
    const isFraud =
      type !== wanted ||
      isStreamWrong ||
      length > usbredirDataMaximum ||
      (isIn && wanted === TransferType.interrupt);
    const slot = isFraud ? SlotRefusal.duplicate : this.#slots.take(id, length);
    if (slot < 0) {
      this.#refuseSlot(packet, id, slot);
      return;
    }
    const at = isIn ? usbredirDataOffset(packet.kind, capabilities) : 0;
    const buffer = isIn ? new Uint8Array(at + length) : packet.data.slice();
    const submitted = lent.port.transfer(slot, endpoint, buffer, at, length, stream);
    if (submitted !== UsbSubmit.accepted) {
      this.#slots.release(slot);
      this.#answer(packet, id, statusOfRefusal[submitted], 0, null);
      return;
    }
    this.#keep(slot, packet, endpoint, buffer);
  }

  #choose(
    message: ChoiceMessage,
    id: UsbredirId,
    requestType: number,
    request: number,
    value: number,
    index: number,
    length: number,
  ): void {
    const slot = this.#slots.take(id, length);
    if (slot < 0) {
      const status = slot === SlotRefusal.full ? UsbredirStatus.ioError : UsbredirStatus.invalid;
      this.#answerChoice(message, id, status, 0);
      return;
    }
    const setup = Uint8Array.of(requestType, request, value, 0, index, 0, length, 0);
    const buffer = new Uint8Array(length);
    const submitted = this.#options.lent.port.control(slot, setup, buffer, 0);
    if (submitted !== UsbSubmit.accepted) {
      this.#slots.release(slot);
      this.#answerChoice(message, id, statusOfRefusal[submitted], 0);
      return;
    }
    this.#keep(slot, message, requestType & directionIn, buffer);
    this.#slots.setups[slot] = setup;
  }

  #keep(slot: number, packet: Pending, endpoint: number, buffer: Uint8Array): void {
    // The data was copied: what it is a view of need not stay.
    if (isDataPacket(packet)) packet.data = none;
    this.#pending[slot] = packet;
    this.#slots.endpoints[slot] = endpoint;
    this.#slots.buffers[slot] = buffer;
  }

  /** A control transfer succeeded: endpoints may have begun anew, which the guest learns before the answer. */
  #note(setup: Uint8Array, data: Uint8Array): void {
    const decoded = decodeSetup(setup, this.#setup);
    const change = this.table.note(decoded, data);
    if (change !== "endpoints" && change !== "interface") return;
    const isStale = (endpoint: number): boolean => {
      const owner = this.table.interfaceOf(endpoint);
      return change === "endpoints" || owner < 0 || owner === (decoded.wIndex & 0xff);
    };
    this.#interrupts.stopWhere(isStale);
    this.#isochronous.stopWhere(isStale);
    for (const endpoint of this.#streams.keys()) if (isStale(endpoint)) this.#streams.delete(endpoint);
    this.sendInformation(0);
  }

  #isInterruptIn(endpoint: number): boolean {
    if ((endpoint & directionIn) === 0) return false;
    return ((this.table.find(endpoint)?.bmAttributes ?? 0) & 3) === TransferType.interrupt;
  }

  #startInterrupts(endpoint: number): UsbredirStatus {
    const descriptor = this.table.find(endpoint);
    if (descriptor === undefined || !this.#isInterruptIn(endpoint)) return UsbredirStatus.invalid;
    // USB 2.0 table 9-13: bits 12..11 are additional transactions per microframe at high speed.
    const size = descriptor.wMaxPacketSize;
    return this.#interrupts.start(endpoint, (size & 0x7ff) * (1 + ((size >> 11) & 3)));
  }

  #startIsochronous(endpoint: number, packets: number, transfers: number): UsbredirStatus {
    const descriptor = this.table.find(endpoint);
    if (descriptor === undefined || (descriptor.bmAttributes & 3) !== TransferType.isochronous)
      return UsbredirStatus.invalid;
    const { speed } = this.#options.lent.port;
    const most = mostPerInterval(speed, descriptor, this.table.companionOf(endpoint));
    return this.#isochronous.start(endpoint, most, packets, transfers);
  }

  #allocateStreams(mask: number, streams: number, id: UsbredirId): void {
    const addresses = endpointsOf(mask);
    const isSuper = this.#options.lent.port.speed >= UsbSpeed.super;
    const isLawful =
      isSuper &&
      streams > 0 &&
      addresses.length > 0 &&
      addresses.every((address) => this.table.streamsOf(address) >= streams);
    if (isLawful) for (const address of addresses) this.#streams.set(address, streams);
    const status = isLawful ? UsbredirStatus.ok : UsbredirStatus.invalid;
    this.#send({ kind: "bulkStreamsStatus", endpoints: mask, streams: isLawful ? streams : 0, status }, id);
  }

  #freeStreams(mask: number, id: UsbredirId): void {
    const addresses = endpointsOf(mask);
    const isLawful = addresses.length > 0 && addresses.every((address) => this.#streams.has(address));
    if (isLawful) for (const address of addresses) this.#streams.delete(address);
    const status = isLawful ? UsbredirStatus.ok : UsbredirStatus.invalid;
    this.#send({ kind: "bulkStreamsStatus", endpoints: mask, streams: 0, status }, id);
  }

  /** What this host does not do: buffered bulk, which it does not announce. */
  #refuse(message: UsbredirMessage, id: UsbredirId): boolean {
    const status = UsbredirStatus.invalid;
    switch (message.kind) {
      case "startBulkReceiving":
      case "stopBulkReceiving": {
        const { stream, endpoint } = message;
        this.#send({ kind: "bulkReceivingStatus", stream, endpoint, status }, id);
        return true;
      }
      default:
        return false;
    }
  }

  #refuseSlot(packet: UsbredirDataPacket, id: UsbredirId, refusal: number): void {
    const status = refusal === SlotRefusal.full ? UsbredirStatus.ioError : UsbredirStatus.invalid;
    this.#answer(packet, id, status, 0, null);
  }

  /** `buffer` has room for the header before the data of an IN. */
  #answer(
    packet: UsbredirDataPacket,
    id: UsbredirId,
    status: UsbredirStatus,
    actualBytes: number,
    buffer: Uint8Array | null,
  ): void {
    const { capabilities, write } = this.#options;
    const at = usbredirDataOffset(packet.kind, capabilities);
    const dataBytes = buffer === null ? 0 : actualBytes;
    const bytes = buffer === null ? new Uint8Array(at) : buffer.subarray(0, at + dataBytes);
    packet.status = status;
    packet.length = actualBytes;
    writeUsbredirData(bytes, packet, dataBytes, id, capabilities);
    write(bytes);
  }

  #answerChoice(message: ChoiceMessage, id: UsbredirId, status: UsbredirStatus, value: number): void {
    const inForce = this.table.configuration?.descriptor.bConfigurationValue ?? 0;
    switch (message.kind) {
      case "setConfiguration":
        this.#send({ kind: "configurationStatus", status, configuration: inForce }, id);
        return;
      case "getConfiguration":
        this.#send({ kind: "configurationStatus", status, configuration: value }, id);
        return;
      default: {
        const alternate = message.kind === "setAlternate" ? message.alternate : value;
        this.#send({ kind: "alternateStatus", status, interface: message.interface, alternate }, id);
      }
    }
  }

  #send(message: UsbredirMessage, id: UsbredirId): void {
    const { capabilities, write } = this.#options;
    write(encodeUsbredir(message, id, capabilities));
  }
}

function isDataPacket(packet: Pending): packet is UsbredirDataPacket {
  return "data" in packet;
}

function endpointsOf(mask: number): number[] {
  const addresses: number[] = [];
  for (let index = 0; index < 32; index++) {
    if ((mask & (1 << index)) !== 0) addresses.push(usbredirEndpointAddress(index));
  }
  return addresses;
}

const none = new Uint8Array(0);
