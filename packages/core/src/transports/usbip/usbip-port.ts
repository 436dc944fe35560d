// An imported USB/IP device as a UsbHostPort: transfers become messages, a vanished server is a surprise removal.

import type { Clock } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { InputBuffer } from "../../base/input-buffer.ts";
import { TransferType } from "../../codec/usb/descriptors.ts";
import { decodeSetup, newSetup, StandardRequest } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import {
  newUsbipHeader,
  readUsbipHeader,
  UsbipCommand,
  type UsbipDeviceRecord,
  UsbipErrno,
  UsbipFlag,
  type UsbipHeader,
  usbipHeaderBytes,
  usbipIsoPacketBytes,
  writeUsbipHeader,
} from "../../codec/usbip/usbip.ts";
import {
  decodeUsbipPackets,
  encodeUsbipPackets,
  type UsbipPacket,
  UsbipPacketErrno,
} from "../../codec/usbip/usbip-packets.ts";
import {
  intervalNs,
  isochronousIntervalNs,
  mostPerInterval,
  UsbEndpointTable,
} from "../../dissect/usb-endpoints.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import {
  packetsFit,
  type UsbHostClient,
  type UsbHostPort,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";

const slots = 256;
const directionIn = 0x80;
/** From an unlink to its answer. */
const patienceNs = 10_000_000_000;
/** Asked of the server with an interrupt IN (linux-guest.md §5: 0 makes Linux drop the connection). */
const leastInterval = 1;

const speeds: Readonly<Record<number, UsbSpeed>> = {
  1: UsbSpeed.low,
  2: UsbSpeed.full,
  3: UsbSpeed.high,
  5: UsbSpeed.super,
  6: UsbSpeed.superPlus,
};

export interface UsbipPortOptions {
  readonly clock: Clock;
  readonly record: UsbipDeviceRecord;
  readonly locationId: number;
  /** Told once, when the connection is over, with the reason. */
  readonly onOver: (reason: string) => void;
}

/**
 * Made by {@link UsbipImporter} after a successful import. Fidelity: bytes that moved before a cancellation are not
 * counted (the protocol does not carry them); `reset` closes the connection, upon which a server resets the device.
 */
export class UsbipPort implements UsbHostPort {
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly slotCount = slots;
  readonly record: UsbipDeviceRecord;
  readonly #stream: ByteStream;
  readonly #clock: Clock;
  readonly #onOver: (reason: string) => void;
  readonly #deviceId: number;
  readonly #input = new InputBuffer();
  readonly #header = newUsbipHeader();
  readonly #reply = newUsbipHeader();
  readonly #setup = newSetup();
  readonly #table = new UsbEndpointTable();
  readonly #halted = new Set<number>();
  readonly #slotOf = new Map<number, number>();
  /** By an unlink's sequence: its target's. */
  readonly #targetOf = new Map<number, number>();
  readonly #sequences = new Float64Array(slots);
  /** By slot: sequence of its unlink, 0 none. */
  readonly #unlinks = new Float64Array(slots);
  readonly #endpoints = new Uint8Array(slots);
  readonly #buffers: (Uint8Array | null)[] = new Array(slots).fill(null);
  readonly #offsets = new Uint32Array(slots);
  readonly #lengths = new Uint32Array(slots);
  readonly #setups: (Uint8Array | null)[] = new Array(slots).fill(null);
  readonly #packets: (UsbPackets | null)[] = new Array(slots).fill(null);
  #nextSequence = 1;
  #client: UsbHostClient | null = null;
  #isOver = false;
  #isDetached = false;

  constructor(stream: ByteStream, options: UsbipPortOptions) {
    this.#stream = stream;
    this.#clock = options.clock;
    this.#onOver = options.onOver;
    this.record = options.record;
    this.speed = speeds[options.record.speed] ?? UsbSpeed.full;
    this.locationId = options.locationId;
    this.#deviceId = ((options.record.busNumber << 16) | options.record.deviceNumber) >>> 0;
  }

  connect(client: UsbHostClient): void {
    this.#client = client;
    // It may be over already, between import and connect.
    if (this.#isOver) this.#clock.after(0, tellDetached, this as UsbipPort);
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isOver) return UsbSubmit.gone;
    if (!this.#isFree(slot) || setup.length < 8) return UsbSubmit.badRequest;
    const length = setup[6] | (setup[7] << 8);
    if (length > 0 && (buffer === null || offset < 0 || offset + length > buffer.length))
      return UsbSubmit.badRequest;
    if (setup[0] === 0 && setup[1] === StandardRequest.setAddress) return UsbSubmit.badRequest;
    const isIn = (setup[0] & directionIn) !== 0;
    this.#setups[slot] = setup.slice(0, 8);
    this.#send(slot, isIn ? directionIn : 0, buffer, offset, length, 0);
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
    if (this.#isOver) return UsbSubmit.gone;
    // The protocol carries no streams (linux-guest.md §3).
    if (stream !== 0 || !this.#isFree(slot) || offset < 0 || length < 0 || offset + length > buffer.length)
      return UsbSubmit.badRequest;
    const descriptor = this.#table.find(endpoint);
    if ((endpoint & 0x0f) === 0 || descriptor === undefined) return UsbSubmit.noEndpoint;
    if (this.#halted.has(endpoint)) return UsbSubmit.halted;
    if ((descriptor.bmAttributes & 3) === TransferType.isochronous) return UsbSubmit.noEndpoint;
    const interval = intervalNs(this.speed, descriptor) / this.#unitNs;
    this.#send(slot, endpoint, buffer, offset, length, interval > 0 ? Math.max(leastInterval, interval) : 0);
    return UsbSubmit.accepted;
  }

  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    if (this.#isOver) return UsbSubmit.gone;
    const descriptor = this.#table.find(endpoint);
    if (descriptor === undefined || (descriptor.bmAttributes & 3) !== TransferType.isochronous)
      return UsbSubmit.noEndpoint;
    const most = mostPerInterval(this.speed, descriptor, this.#table.companionOf(endpoint));
    if (!this.#isFree(slot) || !packetsFit(packets, buffer, offset, most)) return UsbSubmit.badRequest;
    packets.actualBytes.fill(0);
    packets.statuses.fill(UsbPacketStatus.missed);
    const count = packets.lengths.length;
    const total = packets.lengths.reduce((sum, length) => sum + length, 0);
    // Linux's server drops the connection for more packets than largest ones would fit the buffer (audio.md §11).
    const isSpread = Math.ceil(total / most) < count;
    const rows: UsbipPacket[] = [];
    let at = 0;
    for (const [index, length] of packets.lengths.entries()) {
      const place = isSpread ? index * most : at;
      rows.push({ offset: place, length, actualBytes: 0, status: UsbipPacketErrno.missed });
      at += length;
    }
    const bufferBytes = isSpread ? count * most : total;
    const isIn = (endpoint & directionIn) !== 0;
    const dataBytes = isIn ? 0 : bufferBytes;
    const bytes = new Uint8Array(usbipHeaderBytes + dataBytes + count * usbipIsoPacketBytes);
    const header = this.#headerOf(slot, endpoint, buffer, offset, total);
    header.length = bufferBytes;
    header.isoPackets = count;
    header.interval = Math.max(1, isochronousIntervalNs(this.speed, descriptor) / this.#unitNs);
    header.word20 = isIn ? UsbipFlag.directionIn : 0;
    writeUsbipHeader(bytes, 0, header, null);
    if (!isIn) {
      let from = offset;
      for (const row of rows) {
        bytes.set(buffer.subarray(from, from + row.length), usbipHeaderBytes + row.offset);
        from += row.length;
      }
    }
    encodeUsbipPackets(rows, bytes, usbipHeaderBytes + dataBytes);
    this.#packets[slot] = packets;
    this.#stream.write(bytes);
    return UsbSubmit.accepted;
  }

  cancel(slot: number): void {
    if (this.#isOver || !(slot >= 0 && slot < slots)) return;
    if (this.#isFree(slot) || this.#unlinks[slot] !== 0) return;
    const header = this.#header;
    const sequence = this.#takeSequence();
    this.#unlinks[slot] = sequence;
    this.#targetOf.set(sequence, this.#sequences[slot]);
    this.#clock.after(patienceNs, this.#checkUnlink, sequence);
    header.command = UsbipCommand.unlink;
    header.sequence = sequence;
    header.deviceId = this.#deviceId;
    header.direction = 0;
    header.endpoint = 0;
    header.word20 = this.#sequences[slot];
    header.length = 0;
    header.isoPackets = 0;
    header.interval = 0;
    const bytes = new Uint8Array(usbipHeaderBytes);
    writeUsbipHeader(bytes, 0, header, null);
    this.#stream.write(bytes);
  }

  clearHalt(endpoint: number): void {
    this.#halted.delete(endpoint);
  }

  reset(): void {
    this.#stream.close();
  }

  /** From the importer, which owns the stream. */
  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#input.push(bytes);
    try {
      while (!this.#isOver && this.#readMessage());
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.over(error.message);
      this.#stream.close();
    }
  }

  /** The connection has ended: everything pending ends with `gone`, then `detached`. */
  over(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#input.clear();
    for (let slot = 0; slot < slots; slot++) {
      if (!this.#isFree(slot)) this.#complete(slot, UsbStatus.gone, 0);
    }
    this.#onOver(reason);
    if (this.#client !== null) this.tellDetached();
  }

  tellDetached(): void {
    if (this.#isDetached) return;
    this.#isDetached = true;
    this.#client?.detached();
  }

  /** A server that does not answer an unlink would hold the slot for ever. */
  readonly #checkUnlink = (sequence: number): void => {
    if (this.#isOver || !this.#targetOf.has(sequence)) return;
    this.over("the server does not answer");
    this.#stream.close();
  };

  /** What USB/IP counts intervals in: frames or microframes. */
  get #unitNs(): number {
    return this.speed === UsbSpeed.low || this.speed === UsbSpeed.full ? 1_000_000 : 125_000;
  }

  #isFree(slot: number): boolean {
    return !(slot >= 0 && slot < slots) ? false : this.#sequences[slot] === 0;
  }

  /** 32 bits that never are 0. */
  #takeSequence(): number {
    const sequence = this.#nextSequence;
    this.#nextSequence = sequence === 0xffffffff ? 1 : sequence + 1;
    return sequence;
  }

  #send(
    slot: number,
    endpoint: number,
    buffer: Uint8Array | null,
    offset: number,
    length: number,
    interval: number,
  ): void {
    const isIn = (endpoint & directionIn) !== 0;
    const header = this.#headerOf(slot, endpoint, buffer, offset, length);
    header.interval = interval;
    const bytes = new Uint8Array(usbipHeaderBytes + (isIn ? 0 : length));
    writeUsbipHeader(bytes, 0, header, this.#setups[slot]);
    if (!isIn && buffer !== null && length > 0) {
      bytes.set(buffer.subarray(offset, offset + length), usbipHeaderBytes);
    }
    this.#stream.write(bytes);
  }

  /** The header of a new submit, which `slot` waits for from now on. */
  #headerOf(
    slot: number,
    endpoint: number,
    buffer: Uint8Array | null,
    offset: number,
    length: number,
  ): UsbipHeader {
    const sequence = this.#takeSequence();
    this.#sequences[slot] = sequence;
    this.#endpoints[slot] = endpoint;
    this.#buffers[slot] = buffer;
    this.#offsets[slot] = offset;
    this.#lengths[slot] = length;
    this.#slotOf.set(sequence, slot);
    const header = this.#header;
    header.command = UsbipCommand.submit;
    header.sequence = sequence;
    header.deviceId = this.#deviceId;
    header.direction = endpoint >>> 7;
    header.endpoint = endpoint & 0x0f;
    header.word20 = 0;
    header.length = length;
    header.startFrame = 0;
    header.isoPackets = 0;
    header.interval = 0;
    return header;
  }

  /** True when a whole message was taken. */
  #readMessage(): boolean {
    const input = this.#input;
    if (input.available < usbipHeaderBytes) return false;
    const reply = this.#reply;
    readUsbipHeader(input.bytes, input.start, reply);
    const status = reply.word20 | 0;
    if (reply.command === UsbipCommand.returnUnlink) {
      input.consume(usbipHeaderBytes);
      // Still pending: the server will not answer it any more, whatever its words for that are. Not pending: its own
      // answer came first, or this is an answer to nothing.
      const target = this.#targetOf.get(reply.sequence);
      const slot = target === undefined ? undefined : this.#slotOf.get(target);
      if (slot !== undefined) this.#complete(slot, UsbStatus.cancelled, 0);
      return true;
    }
    if (reply.command !== UsbipCommand.returnSubmit) {
      throw new DecodeError("USB/IP reply", 0, `command ${reply.command} is no reply`);
    }
    const slot = this.#slotOf.get(reply.sequence);
    if (slot === undefined) {
      throw new DecodeError(
        "USB/IP reply",
        4,
        `sequence ${reply.sequence} was never asked or is answered already`,
      );
    }
    const isIn = (this.#endpoints[slot] & directionIn) !== 0;
    const packets = this.#packets[slot];
    if (reply.length > this.#lengths[slot]) {
      throw new DecodeError(
        "USB/IP reply",
        24,
        `${reply.length} bytes for a buffer of ${this.#lengths[slot]}`,
      );
    }
    const dataBytes = isIn ? reply.length : 0;
    if (packets !== null) return this.#readPackets(slot, status, dataBytes, packets);
    if (input.available < usbipHeaderBytes + dataBytes) return false;
    const from = input.start + usbipHeaderBytes;
    const buffer = this.#buffers[slot];
    if (dataBytes > 0 && buffer !== null)
      buffer.set(input.bytes.subarray(from, from + dataBytes), this.#offsets[slot]);
    input.consume(usbipHeaderBytes + dataBytes);
    this.#answered(slot, status, reply.length);
    return true;
  }

  /** The reply of an isochronous transfer: data of an IN without gaps, then the table. True when it was whole. */
  #readPackets(slot: number, status: number, dataBytes: number, packets: UsbPackets): boolean {
    const input = this.#input;
    const reply = this.#reply;
    const count = packets.lengths.length;
    // A refusal may come without the table.
    const hasTable = reply.isoPackets !== 0 && reply.isoPackets !== 0xffffffff;
    if (hasTable && reply.isoPackets !== count)
      throw new DecodeError("USB/IP reply", 32, `${reply.isoPackets} packets for ${count}`);
    const tableBytes = hasTable ? count * usbipIsoPacketBytes : 0;
    const whole = usbipHeaderBytes + dataBytes + tableBytes;
    if (input.available < whole) return false;
    if (hasTable) this.#takePackets(slot, dataBytes, packets);
    input.consume(whole);
    const isGood = status === UsbipErrno.ok || status === UsbipErrno.remoteIo;
    const moved = packets.actualBytes.reduce((sum, bytes) => sum + bytes, 0);
    this.#complete(slot, isGood ? UsbStatus.ok : statusOf(status), moved);
    return true;
  }

  #takePackets(slot: number, dataBytes: number, packets: UsbPackets): void {
    const { bytes, start } = this.#input;
    const dataAt = start + usbipHeaderBytes;
    const { length: count } = packets.lengths;
    const rows = decodeUsbipPackets(bytes, dataAt + dataBytes, count, 0xffff_ffff, Number.MAX_SAFE_INTEGER);
    const isIn = (this.#endpoints[slot] & directionIn) !== 0;
    const sum = rows.reduce((total, { actualBytes }) => total + actualBytes, 0);
    if (isIn && sum !== dataBytes)
      throw new DecodeError("USB/IP reply", 24, `packets of ${sum} bytes in ${dataBytes} bytes of data`);
    let from = dataAt;
    let to = this.#offsets[slot];
    for (const [index, { actualBytes, status }] of rows.entries()) {
      const room = packets.lengths[index];
      if (actualBytes > room)
        throw new DecodeError("USB/IP reply", 24, `packet ${index} has ${actualBytes} bytes of ${room}`);
      if (isIn) this.#buffers[slot]?.set(bytes.subarray(from, from + actualBytes), to);
      packets.actualBytes[index] = actualBytes;
      packets.statuses[index] = packetStatusOf(status);
      from += actualBytes;
      to += room;
    }
  }

  #answered(slot: number, errno: number, actualBytes: number): void {
    const endpoint = this.#endpoints[slot];
    const setup = this.#setups[slot];
    if (errno === UsbipErrno.ok || errno === UsbipErrno.remoteIo) {
      if (setup !== null) {
        const at = this.#offsets[slot];
        const data = this.#buffers[slot]?.subarray(at, at + actualBytes) ?? none;
        const change = this.#table.note(decodeSetup(setup, this.#setup), data);
        if (change === "endpoints") this.#halted.clear();
        else if (change === "interface") this.#forgetHalts(this.#setup.wIndex & 0xff);
        else if (change === "halt-cleared") this.#halted.delete(this.#setup.wIndex & 0xff);
      }
      this.#complete(slot, UsbStatus.ok, actualBytes);
      return;
    }
    const status = statusOf(errno);
    const halts = status === UsbStatus.stall || status === UsbStatus.protocolError;
    if (setup === null && halts) this.#halted.add(endpoint);
    this.#complete(slot, status, status === UsbStatus.stall ? 0 : actualBytes);
  }

  /** Endpoints of this interface begin anew. */
  #forgetHalts(interfaceNumber: number): void {
    for (const endpoint of this.#halted) {
      const owner = this.#table.interfaceOf(endpoint);
      if (owner === interfaceNumber || owner < 0) this.#halted.delete(endpoint);
    }
  }

  #complete(slot: number, status: UsbStatus, actualBytes: number): void {
    this.#slotOf.delete(this.#sequences[slot]);
    this.#sequences[slot] = 0;
    if (this.#unlinks[slot] !== 0) this.#targetOf.delete(this.#unlinks[slot]);
    this.#unlinks[slot] = 0;
    this.#buffers[slot] = null;
    this.#setups[slot] = null;
    this.#packets[slot] = null;
    this.#client?.completed(slot, status, actualBytes);
  }
}

const none = new Uint8Array(0);

function tellDetached(port: UsbipPort): void {
  port.tellDetached();
}

function packetStatusOf(errno: number): UsbPacketStatus {
  switch (errno) {
    case UsbipPacketErrno.ok:
    case UsbipErrno.remoteIo:
      return UsbPacketStatus.ok;
    case UsbipPacketErrno.missed:
      return UsbPacketStatus.missed;
    case UsbipPacketErrno.overflow:
      return UsbPacketStatus.overflow;
    default:
      return UsbPacketStatus.damaged;
  }
}

function statusOf(errno: number): UsbStatus {
  switch (errno) {
    case UsbipErrno.pipe:
      return UsbStatus.stall;
    case UsbipErrno.overflow:
      return UsbStatus.overflow;
    case UsbipErrno.shutdown:
    case UsbipErrno.noDevice:
      return UsbStatus.gone;
    case UsbipErrno.connectionReset:
    case UsbipErrno.noEntry:
      // Our own cancellation, or the endpoint went away with its configuration.
      return UsbStatus.cancelled;
    default:
      return UsbStatus.protocolError;
  }
}
