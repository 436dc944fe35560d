// One connection of a USB/IP server: management requests first, then the transfers of one imported device.

import { BufferPool } from "../../base/buffer-pool.ts";
import { DecodeError } from "../../base/errors.ts";
import { InputBuffer } from "../../base/input-buffer.ts";
import { decodeSetup, newSetup } from "../../codec/usb/setup.ts";
import {
  decodeBusId,
  decodeOp,
  encodeDeviceList,
  encodeDeviceRecord,
  encodeOp,
  newUsbipHeader,
  readUsbipHeader,
  UsbipCommand,
  UsbipErrno,
  UsbipFlag,
  type UsbipHeader,
  UsbipOp,
  UsbipStatus,
  usbipBusIdBytes,
  usbipHeaderBytes,
  usbipIsoPacketBytes,
  usbipOpHeaderBytes,
  writeUsbipHeader,
} from "../../codec/usbip/usbip.ts";
import {
  putUsbipPacket,
  readUsbipPackets,
  type UsbipPacketColumns,
  UsbipPacketErrno,
} from "../../codec/usbip/usbip-packets.ts";
import { UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import type { ByteOwner, ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import {
  newUsbPackets,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import { ByteArena } from "../byte-arena.ts";
import type { UsbBorrower } from "../lent-usb-device.ts";
import { SlotRefusal, TransferSlots } from "../transfer-slots.ts";
import type { UsbipExport } from "./usbip-export.ts";

/** Larger buffers than this are no transfers, they are attacks or accidents. */
const largestTransfer = 16 << 20;
/** Bytes of buffers that one client may have under way. */
const memoryMaximum = 64 << 20;
const isoPacketsMaximum = 1024;
/** Data of an OUT that come in pieces go straight into their buffer up to here; beyond, room is made as they come. */
const bodyMaximum = 256 << 10;
/** Buffers that one client keeps for its next transfers. */
const pooledMaximum = 4 << 20;
/** Memory of replies without data, which leave side by side in one piece; beyond it each has its own. */
const replyBlockBytes = 8192;
const replyBlocks = 4;
/** Linux's own server answers one list and closes; who asks for more of them than this wants our time. */
const listMaximum = 16;
/** Sequences are 32 bits, 0 among them. */
const noUnlink = -1;
/** How far an unlink may run ahead of the submit that it means, in sequence numbers. */
const earlyMaximum = 1024;

const errnoOfStatus: Readonly<Record<UsbStatus, number>> = {
  [UsbStatus.ok]: UsbipErrno.ok,
  [UsbStatus.stall]: UsbipErrno.pipe,
  [UsbStatus.cancelled]: UsbipErrno.connectionReset,
  [UsbStatus.gone]: UsbipErrno.shutdown,
  [UsbStatus.overflow]: UsbipErrno.overflow,
  [UsbStatus.protocolError]: UsbipErrno.protocol,
};

const errnoOfSubmit: Readonly<Record<UsbSubmit, number>> = {
  [UsbSubmit.accepted]: UsbipErrno.ok,
  [UsbSubmit.gone]: UsbipErrno.noDevice,
  [UsbSubmit.noEndpoint]: UsbipErrno.noEntry,
  [UsbSubmit.halted]: UsbipErrno.pipe,
  [UsbSubmit.badRequest]: UsbipErrno.invalid,
  [UsbSubmit.busy]: UsbipErrno.outOfMemory,
  [UsbSubmit.unsupported]: UsbipErrno.notImplemented,
};

const errnoOfPacket: Readonly<Record<UsbPacketStatus, number>> = {
  [UsbPacketStatus.ok]: UsbipPacketErrno.ok,
  [UsbPacketStatus.missed]: UsbipPacketErrno.missed,
  [UsbPacketStatus.overflow]: UsbipPacketErrno.overflow,
  [UsbPacketStatus.damaged]: UsbipPacketErrno.damaged,
};

/** An IN of no more than this is copied once more, to leave side by side with the replies around it. */
const smallBytes = 1024;
/** Up to so many are copied one by one. */
const fewBytes = 16;

/** Bytes that a client may send before its import is answered. */
const unansweredMaximum = 64 * 1024;

/** An isochronous transfer under way: what is asked of the port, and where the client wants its packets. Used again. */
class AskedPackets implements UsbipPacketColumns {
  readonly packets: UsbPackets;
  readonly offsets: Uint32Array;
  readonly lengths: Uint32Array;
  /** Sum of the lengths. */
  total = 0;

  constructor(count: number) {
    this.packets = newUsbPackets(new Uint32Array(count));
    this.lengths = this.packets.lengths;
    this.offsets = new Uint32Array(count);
  }
}

/** Each packet lies right behind the one before: they are one piece. */
function liesInARow({ offsets, lengths }: AskedPackets): boolean {
  for (let index = 0, at = 0; index < lengths.length; at += lengths[index++])
    if (offsets[index] !== at) return false;
  return true;
}

/** So many transfers' columns are kept for the next ones of as many packets. */
const askedKept = 32;

export interface SessionOptions {
  readonly exports: ReadonlyMap<string, UsbipExport>;
  readonly onEvent: (text: string) => void;
  readonly onEnd: (session: UsbipSession) => void;
}

/** Buffers on their way out; each goes back to the pool when the stream has let go of it. */
class SentBuffers implements ByteOwner {
  readonly #pool: BufferPool;
  readonly #buffers: Uint8Array[] = [];
  readonly #lengths: number[] = [];
  #head = 0;
  /** Of the first one. */
  #released = 0;

  constructor(pool: BufferPool) {
    this.#pool = pool;
  }

  add(buffer: Uint8Array, length: number): void {
    this.#buffers.push(buffer);
    this.#lengths.push(length);
  }

  released(count: number): void {
    this.#released += count;
    while (this.#head < this.#buffers.length && this.#released >= this.#lengths[this.#head]) {
      this.#released -= this.#lengths[this.#head];
      this.#pool.give(this.#buffers[this.#head++]);
    }
    if (this.#head < this.#buffers.length) return;
    this.#buffers.length = 0;
    this.#lengths.length = 0;
    this.#head = 0;
  }
}

/**
 * A pending IN is simply not answered: that is the NAK. An unlinked transfer is answered by its unlink alone. The
 * reply of a large IN is built in the buffer the device fills, and the data of an OUT go from what the stream brings into
 * the buffer that the device reads: each byte is copied once here. Small INs are copied side by side, so that those of
 * one turn leave as one piece. The buffers are used again.
 *
 * Bounded: 256 transfers and 64 MiB per client, beyond which transfers are answered with ENOMEM; while the client does
 * not read its replies nothing more of it is read.
 */
export class UsbipSession implements ByteStreamClient, UsbBorrower {
  readonly #stream: ByteStream;
  readonly #options: SessionOptions;
  readonly #input = new InputBuffer();
  readonly #header = newUsbipHeader();
  readonly #reply = newUsbipHeader();
  readonly #setup = newSetup();
  readonly #table = new UsbEndpointTable();
  readonly #pool = new BufferPool(pooledMaximum);
  readonly #sent = new SentBuffers(this.#pool);
  #replyBlock: ByteOwner | null = null;
  readonly #replies = new ByteArena(replyBlockBytes, replyBlocks, () => {});
  #device: UsbipExport | null = null;
  #isOver = false;
  #isHeld = false;
  /** For an import: the device is being read. */
  #isWaiting = false;
  #lists = 0;
  /** Data of the OUT in `#header` that are still coming. */
  #body: Uint8Array | null = null;
  #bodyAt = 0;
  #slots = new TransferSlots<number>(0, 0, 0);
  /** By slot: sequence of the unlink that waits for it, or `noUnlink`. */
  #unlinks = new Float64Array(0);
  #flags = new Uint32Array(0);
  /** By slot: what a small IN is read into, and the SETUP bytes of a control transfer. Used again. */
  #smallBuffers: Uint8Array[] = [];
  #setupBuffers: Uint8Array[] = [];
  /** By slot: of isochronous transfers. */
  #asked: (AskedPackets | null)[] = [];
  readonly #askedBefore: AskedPackets[] = [];
  /** The latest sequence of a submit; those whose unlink came before they did, with the sequence of that. */
  #lastSubmit = 0;
  readonly #unlinkedEarly = new Map<number, number>();

  constructor(stream: ByteStream, options: SessionOptions) {
    this.#stream = stream;
    this.#options = options;
    stream.connect(this);
  }

  /** Has it a device? Those that have none make room when connections run out. */
  get isIdle(): boolean {
    return this.#device === null;
  }

  /** Closes the connection and says why. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#options.onEvent(`was let go: ${reason}`);
    this.#finish();
    this.#stream.close();
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    try {
      const rest = this.#body === null ? bytes : this.#fillBody(this.#body, bytes);
      this.#input.lend(rest);
      this.#readOn();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.end(error.message);
    }
    this.#input.keep();
  }

  drained(): void {
    if (!this.#isHeld || this.#isOver) return;
    this.#isHeld = false;
    this.#stream.resume();
    this.received(new Uint8Array(0));
  }

  /** A device can be had now, or can no more be had: an import that waited for it is answered. */
  exportsChanged(): void {
    if (this.#isWaiting) this.received(new Uint8Array(0));
  }

  closed(): void {
    if (this.#isOver) return;
    if (this.#device !== null) this.#options.onEvent(`left ${this.#device.busId}`);
    this.#finish();
  }

  /** The device left: everything pending was answered with ESHUTDOWN already; the connection ends. */
  detached(): void {
    if (this.#isOver || this.#device === null) return;
    this.#options.onEvent(`lost ${this.#device.busId}: the device left the bus`);
    this.#device = null;
    this.#finish();
    this.#stream.close();
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.#isOver) return;
    const slots = this.#slots;
    const endpoint = slots.endpoints[slot];
    const asked = this.#asked[slot];
    if (asked !== null && asked !== undefined) {
      this.#packetsCompleted(slot, status, asked);
      return;
    }
    const flags = this.#flags[slot];
    const isIn = (endpoint & 0x80) !== 0;
    const length = slots.lengths[slot];
    const mayGoOn = status === UsbStatus.ok && this.#unlinks[slot] === noUnlink;
    if (mayGoOn && (flags & UsbipFlag.zeroPacket) !== 0 && !isIn) {
      this.#flags[slot] = flags & ~UsbipFlag.zeroPacket;
      const packetBytes = (this.#table.find(endpoint)?.wMaxPacketSize ?? 0) & 0x7ff;
      if (length > 0 && packetBytes > 0 && length % packetBytes === 0) {
        const whole = slots.buffers[slot] as Uint8Array;
        const submitted = this.#device?.lent.port.transfer(slot, endpoint, whole, 0, 0);
        if (submitted === UsbSubmit.accepted) return;
      }
    }
    const setup = slots.setups[slot];
    const buffer = slots.buffers[slot];
    const bytes = isIn || setup !== null ? actualBytes : status === UsbStatus.ok ? length : actualBytes;
    if (setup !== null && status === UsbStatus.ok) {
      const request = decodeSetup(setup, this.#setup);
      const data =
        buffer !== null && UsbEndpointTable.reads(request)
          ? buffer.subarray(usbipHeaderBytes, usbipHeaderBytes + actualBytes)
          : none;
      this.#table.note(request, data);
    }
    let errno = errnoOfStatus[status];
    if (status === UsbStatus.ok && isIn && (flags & UsbipFlag.shortNotOk) !== 0 && actualBytes < length)
      errno = UsbipErrno.remoteIo;
    const sequence = slots.ids[slot];
    const unlink = this.#unlinks[slot];
    slots.release(slot);
    const isUnlinked = unlink !== noUnlink && status === UsbStatus.cancelled;
    if (buffer !== null && (isUnlinked || !isIn)) this.#pool.give(buffer);
    if (isUnlinked) {
      this.#answerUnlink(unlink, UsbipErrno.connectionReset);
      return;
    }
    if (isIn && buffer !== null && buffer === this.#smallBuffers[slot])
      this.#answerSmall(sequence, errno, bytes, buffer);
    else this.#answerSubmit(sequence, errno, bytes, isIn ? buffer : null);
    if (unlink !== noUnlink) this.#answerUnlink(unlink, UsbipErrno.ok);
  }

  #packetsCompleted(slot: number, status: UsbStatus, asked: AskedPackets): void {
    const slots = this.#slots;
    const isIn = (slots.endpoints[slot] & 0x80) !== 0;
    const buffer = slots.buffers[slot] as Uint8Array;
    const sequence = slots.ids[slot];
    const unlink = this.#unlinks[slot];
    this.#asked[slot] = null;
    slots.release(slot);
    const isUnlinked = unlink !== noUnlink && status === UsbStatus.cancelled;
    if (!isUnlinked) this.#answerPackets(sequence, errnoOfStatus[status], isIn, buffer, asked);
    if (unlink !== noUnlink)
      this.#answerUnlink(unlink, isUnlinked ? UsbipErrno.connectionReset : UsbipErrno.ok);
    this.#keepAsked(buffer, asked);
  }

  #readOn(): void {
    const input = this.#input;
    while (!this.#isOver && !this.#isHeld) {
      const taken = this.#device === null ? this.#readOp() : this.#readTransfer(this.#device);
      if (!taken || input.available === 0 || this.#body !== null) return;
    }
  }

  /** True when a whole request was taken. */
  #readOp(): boolean {
    const { bytes, start, available } = this.#input;
    if (available < usbipOpHeaderBytes) return false;
    const { code } = decodeOp(bytes.subarray(start, start + usbipOpHeaderBytes));
    if (code === UsbipOp.requestDeviceList) {
      this.#input.consume(usbipOpHeaderBytes);
      if (++this.#lists > listMaximum) {
        this.end(`it asked for the list more than ${listMaximum} times`);
        return false;
      }
      // Re-attachments change the order of the map; people look for names.
      const exports = [...this.#options.exports.values()].sort((a, b) => (a.busId < b.busId ? -1 : 1));
      const listed = exports.flatMap(({ listed: entry }) => entry ?? []);
      this.#write(encodeDeviceList(listed));
      return true;
    }
    if (code !== UsbipOp.requestImport) {
      throw new DecodeError("USB/IP request", 2, `code 0x${code.toString(16)} is not served`);
    }
    const total = usbipOpHeaderBytes + usbipBusIdBytes;
    if (available < total) return false;
    const busId = decodeBusId(bytes.subarray(start + usbipOpHeaderBytes, start + total));
    // It is here, but its descriptors are still read: `exportsChanged` asks again.
    this.#isWaiting = this.#options.exports.get(busId)?.isBeingRead === true;
    if (this.#isWaiting) {
      if (available > unansweredMaximum)
        throw new DecodeError("USB/IP import", total, "too much came before the answer");
      return false;
    }
    this.#input.consume(total);
    this.#import(busId);
    return true;
  }

  #import(busId: string): void {
    const device = this.#options.exports.get(busId);
    const listed = device?.listed ?? null;
    if (device === undefined || listed === null || device.lent.isGone) {
      this.#write(encodeOp(UsbipOp.replyImport, UsbipStatus.noDevice));
      this.#options.onEvent(`asked for ${JSON.stringify(busId)}, which is not here`);
      return;
    }
    if (device.lent.isBusy) {
      this.#write(encodeOp(UsbipOp.replyImport, UsbipStatus.busy));
      this.#options.onEvent(`asked for ${busId}, which somebody else has`);
      return;
    }
    device.lent.lend(this);
    this.#device = device;
    const { slotCount } = device.lent.port;
    this.#slots = new TransferSlots<number>(slotCount, memoryMaximum, 0);
    this.#unlinks = new Float64Array(slotCount);
    this.#flags = new Uint32Array(slotCount);
    this.#asked = new Array<AskedPackets | null>(slotCount).fill(null);
    const record = encodeDeviceRecord(listed.device);
    const reply = new Uint8Array(usbipOpHeaderBytes + record.length);
    reply.set(encodeOp(UsbipOp.replyImport));
    reply.set(record, usbipOpHeaderBytes);
    this.#write(reply);
    this.#options.onEvent(`took ${busId}`);
  }

  /** True when a whole message was taken. */
  #readTransfer(device: UsbipExport): boolean {
    const input = this.#input;
    if (input.available < usbipHeaderBytes) return false;
    const header = this.#header;
    readUsbipHeader(input.bytes, input.start, header);
    if (header.command === UsbipCommand.unlink) {
      input.consume(usbipHeaderBytes);
      this.#unlink(header.sequence, header.word20);
      return true;
    }
    if (header.command !== UsbipCommand.submit) {
      throw new DecodeError("USB/IP message", 0, `command ${header.command} is not served`);
    }
    const isIn = header.direction === 1;
    // "No packets" is 0 from Linux and all ones from the documentation.
    const isoPackets = header.isoPackets === 0xffffffff ? 0 : header.isoPackets;
    if (header.length > largestTransfer) {
      throw new DecodeError("USB/IP submit", 24, `a buffer of ${header.length} bytes`);
    }
    if (isoPackets > isoPacketsMaximum) {
      throw new DecodeError("USB/IP submit", 32, `${isoPackets} isochronous packets`);
    }
    const outBytes = isIn ? 0 : header.length;
    const total = usbipHeaderBytes + outBytes + isoPackets * usbipIsoPacketBytes;
    const isWhole = input.available >= total;
    const hasBody = outBytes > 0 && header.endpoint !== 0 && isoPackets === 0;
    if (!isWhole && !(hasBody && outBytes <= bodyMaximum)) return false;
    if (hasBody) {
      const body = this.#pool.take(outBytes);
      const from = input.start + usbipHeaderBytes;
      const here = Math.min(outBytes, input.available - usbipHeaderBytes);
      body.set(input.bytes.subarray(from, from + here));
      input.consume(usbipHeaderBytes + here);
      if (isWhole) this.#submit(device, header, isIn, body);
      else {
        this.#body = body;
        this.#bodyAt = here;
      }
      return true;
    }
    if (isoPackets > 0) this.#submitPackets(device, header, isIn, isoPackets);
    else this.#submit(device, header, isIn, null);
    input.consume(total);
    return true;
  }

  /** An isochronous transfer, whole in the input: header, data of an OUT, packet table. */
  #submitPackets(device: UsbipExport, header: UsbipHeader, isIn: boolean, count: number): void {
    const { endpoint, length, sequence } = header;
    const { bytes, start } = this.#input;
    const dataAt = start + usbipHeaderBytes;
    const tableAt = dataAt + (isIn ? 0 : length);
    const last = this.#askedBefore.pop();
    const asked = last?.lengths.length === count ? last : new AskedPackets(count);
    const total = readUsbipPackets(bytes, tableAt, length, largestTransfer, asked);
    asked.total = total;
    this.#lastSubmit = sequence;
    const early = this.#unlinkedEarly.get(sequence);
    if (early !== undefined) {
      this.#unlinkedEarly.delete(sequence);
      this.#answerUnlink(early, UsbipErrno.connectionReset);
      return;
    }
    if (header.deviceId !== device.deviceId || endpoint > 15 || endpoint === 0) {
      const isForUs = header.deviceId === device.deviceId;
      this.#answerSubmit(sequence, isForUs ? UsbipErrno.noEntry : UsbipErrno.noDevice, 0, null);
      return;
    }
    const slots = this.#slots;
    const slot = slots.take(sequence, total);
    if (slot === SlotRefusal.duplicate)
      throw new DecodeError("USB/IP submit", 4, `sequence ${sequence} is under way already`);
    if (slot < 0) {
      this.#answerSubmit(sequence, UsbipErrno.outOfMemory, 0, null);
      return;
    }
    const buffer = this.#pool.take(total);
    const { lengths, offsets, packets } = asked;
    if (!isIn && liesInARow(asked)) buffer.set(bytes.subarray(dataAt, dataAt + total));
    else if (!isIn) {
      let at = 0;
      for (let index = 0; index < count; index++) {
        const from = dataAt + offsets[index];
        buffer.set(bytes.subarray(from, from + lengths[index]), at);
        at += lengths[index];
      }
    }
    const address = endpoint | (isIn ? 0x80 : 0);
    const submitted = device.lent.port.isochronous(slot, address, buffer, 0, packets);
    if (submitted !== UsbSubmit.accepted) {
      slots.release(slot);
      this.#keepAsked(buffer, asked);
      this.#answerSubmit(sequence, errnoOfSubmit[submitted], 0, null);
      return;
    }
    this.#unlinks[slot] = noUnlink;
    this.#flags[slot] = 0;
    slots.endpoints[slot] = address;
    slots.buffers[slot] = buffer;
    this.#asked[slot] = asked;
  }

  /** Data of an IN travel without gaps; the table says where each packet belongs. */
  #answerPackets(
    sequence: number,
    errno: number,
    isIn: boolean,
    buffer: Uint8Array,
    asked: AskedPackets,
  ): void {
    const { lengths, offsets, packets } = asked;
    const { actualBytes, statuses } = packets;
    const count = lengths.length;
    let actual = 0;
    let failed = 0;
    for (let index = 0; index < count; index++) {
      actual += actualBytes[index];
      if (statuses[index] !== UsbPacketStatus.ok) failed++;
    }
    const total = usbipHeaderBytes + (isIn ? actual : 0) + count * usbipIsoPacketBytes;
    const bytes = this.#roomForReply(total);
    const reply = this.#reply;
    reply.command = UsbipCommand.returnSubmit;
    reply.sequence = sequence;
    reply.word20 = errno;
    reply.length = actual;
    reply.isoPackets = count;
    reply.interval = failed;
    writeUsbipHeader(bytes, 0, reply, null);
    reply.isoPackets = 0;
    reply.interval = 0;
    let from = 0;
    let to = usbipHeaderBytes;
    if (isIn && actual === asked.total) {
      bytes.set(buffer.subarray(0, actual), to);
      to += actual;
    } else if (isIn) {
      for (let index = 0; index < count; index++) {
        bytes.set(buffer.subarray(from, from + actualBytes[index]), to);
        from += lengths[index];
        to += actualBytes[index];
      }
    }
    for (let index = 0; index < count; index++, to += usbipIsoPacketBytes) {
      const status = errnoOfPacket[statuses[index] as UsbPacketStatus];
      putUsbipPacket(bytes, to, offsets[index], lengths[index], actualBytes[index], status);
    }
    this.#write(bytes, this.#replyBlock ?? undefined);
  }

  #keepAsked(buffer: Uint8Array, asked: AskedPackets): void {
    this.#pool.give(buffer);
    if (this.#askedBefore.length < askedKept) this.#askedBefore.push(asked);
  }

  /** Takes what belongs to the OUT under way; answers the rest. */
  #fillBody(body: Uint8Array, bytes: Uint8Array): Uint8Array {
    const wanted = this.#header.length - this.#bodyAt;
    const here = Math.min(wanted, bytes.length);
    body.set(here === bytes.length ? bytes : bytes.subarray(0, here), this.#bodyAt);
    this.#bodyAt += here;
    if (here < wanted) return none;
    this.#body = null;
    if (this.#device !== null) this.#submit(this.#device, this.#header, false, body);
    return bytes.subarray(here);
  }

  /** `body` are the data of an OUT on another endpoint than 0; those of a control request are still in the input. */
  #submit(device: UsbipExport, header: UsbipHeader, isIn: boolean, body: Uint8Array | null): void {
    const { sequence, length, endpoint: endpointNumber } = header;
    this.#lastSubmit = sequence;
    const early = this.#unlinkedEarly.size === 0 ? undefined : this.#unlinkedEarly.get(sequence);
    if (early !== undefined) {
      this.#unlinkedEarly.delete(sequence);
      if (body !== null) this.#pool.give(body);
      this.#answerUnlink(early, UsbipErrno.connectionReset);
      return;
    }
    if (header.deviceId !== device.deviceId || endpointNumber > 15) {
      const isForUs = header.deviceId === device.deviceId;
      this.#answerSubmit(sequence, isForUs ? UsbipErrno.noEntry : UsbipErrno.noDevice, 0, null);
      return;
    }
    const slots = this.#slots;
    const slot = slots.take(sequence, length);
    if (slot < 0) {
      // Two answers under one number would be taken for each other.
      if (slot === SlotRefusal.duplicate) {
        throw new DecodeError("USB/IP submit", 4, `sequence ${sequence} is under way already`);
      }
      this.#answerSubmit(sequence, UsbipErrno.outOfMemory, 0, null);
      return;
    }
    const { port } = device.lent;
    const { bytes, start } = this.#input;
    const dataAt = start + usbipHeaderBytes;
    let submitted: UsbSubmit;
    let buffer: Uint8Array;
    let isReply = isIn;
    if (endpointNumber === 0) {
      this.#setupBuffers[slot] ??= new Uint8Array(8);
      const setup = this.#setupBuffers[slot];
      for (let index = 0; index < 8; index++) setup[index] = bytes[start + 40 + index];
      const wLength = setup[6] | (setup[7] << 8);
      isReply = (setup[0] & 0x80) !== 0;
      // More than the client's buffer holds cannot be sent back to it, and nothing when it expects nothing.
      const hasRoom = wLength <= length && (isIn || wLength === 0);
      if (isReply && hasRoom && length <= smallBytes) buffer = this.#smallBuffer(slot);
      else if (isReply) buffer = new Uint8Array(usbipHeaderBytes + (hasRoom ? length : 0));
      else buffer = bytes.slice(dataAt, dataAt + (isIn ? 0 : length));
      slots.setups[slot] = setup;
      submitted = port.control(slot, setup, buffer, isReply ? usbipHeaderBytes : 0);
    } else if (isIn) {
      buffer = length <= smallBytes ? this.#smallBuffer(slot) : this.#pool.take(usbipHeaderBytes + length);
      submitted = port.transfer(slot, 0x80 | endpointNumber, buffer, usbipHeaderBytes, length);
    } else {
      buffer = body ?? none;
      submitted = port.transfer(slot, endpointNumber, buffer, 0, length);
    }
    if (submitted !== UsbSubmit.accepted) {
      slots.release(slot);
      // SET_ADDRESS and buffers that do not fit the request are refused like any other bad request: by a stall.
      const isBadControl = endpointNumber === 0 && submitted === UsbSubmit.badRequest;
      this.#answerSubmit(sequence, isBadControl ? UsbipErrno.pipe : errnoOfSubmit[submitted], 0, null);
      return;
    }
    this.#unlinks[slot] = noUnlink;
    this.#flags[slot] = header.word20;
    slots.endpoints[slot] = endpointNumber | (isReply ? 0x80 : 0);
    slots.buffers[slot] = buffer;
  }

  #smallBuffer(slot: number): Uint8Array {
    this.#smallBuffers[slot] ??= new Uint8Array(usbipHeaderBytes + smallBytes);
    return this.#smallBuffers[slot];
  }

  #unlink(sequence: number, target: number): void {
    const slot = this.#slots.find(target);
    if (slot === undefined && this.#isStillToCome(target, sequence)) {
      this.#unlinkedEarly.set(target, sequence);
      return;
    }
    if (slot === undefined || this.#unlinks[slot] !== noUnlink) {
      this.#answerUnlink(sequence, UsbipErrno.ok);
      return;
    }
    this.#unlinks[slot] = sequence;
    this.#device?.lent.port.cancel(slot);
  }

  /**
   * Linux's vhci_hcd sends what it has to submit, then what it has to unlink: an unlink that is asked for between the two
   * overtakes its submit. Answered as unlinked when the submit comes, which is not answered itself. Sooner, vhci_hcd would not
   * find the transfer and wait for it for ever; and an answer to a transfer that was given back makes it end the connection.
   * Its numbers only grow, over submits and unlinks together.
   */
  #isStillToCome(target: number, sequence: number): boolean {
    const ahead = (target - this.#lastSubmit) >>> 0;
    const before = (sequence - target) >>> 0;
    return (
      ahead > 0 &&
      ahead < earlyMaximum &&
      before > 0 &&
      before < earlyMaximum &&
      this.#unlinkedEarly.size < earlyMaximum
    );
  }

  /** `buffer` has room for the header before the data of an IN. */
  #answerSubmit(sequence: number, errno: number, length: number, buffer: Uint8Array | null): void {
    const reply = this.#reply;
    reply.command = UsbipCommand.returnSubmit;
    reply.sequence = sequence;
    reply.word20 = errno;
    reply.length = length;
    if (buffer === null) {
      this.#writeReply();
      return;
    }
    const bytes = buffer.subarray(0, usbipHeaderBytes + length);
    writeUsbipHeader(bytes, 0, reply, null);
    this.#sent.add(buffer, bytes.length);
    this.#write(bytes, this.#sent);
  }

  /** `length` bytes behind the room for a header in `buffer`, which is free again after this. */
  #answerSmall(sequence: number, errno: number, length: number, buffer: Uint8Array): void {
    const reply = this.#reply;
    reply.command = UsbipCommand.returnSubmit;
    reply.sequence = sequence;
    reply.word20 = errno;
    reply.length = length;
    const bytes = this.#roomForReply(usbipHeaderBytes + length);
    writeUsbipHeader(bytes, 0, reply, null);
    if (length <= fewBytes) {
      for (let at = usbipHeaderBytes; at < usbipHeaderBytes + length; at++) bytes[at] = buffer[at];
    } else {
      bytes.set(buffer.subarray(usbipHeaderBytes, usbipHeaderBytes + length), usbipHeaderBytes);
    }
    this.#write(bytes, this.#replyBlock ?? undefined);
  }

  #answerUnlink(sequence: number, errno: number): void {
    const reply = this.#reply;
    reply.command = UsbipCommand.returnUnlink;
    reply.sequence = sequence;
    reply.word20 = errno;
    reply.length = 0;
    this.#writeReply();
  }

  /** What `#reply` says, without data. */
  #writeReply(): void {
    const bytes = this.#roomForReply(usbipHeaderBytes);
    writeUsbipHeader(bytes, 0, this.#reply, null);
    this.#write(bytes, this.#replyBlock ?? undefined);
  }

  /** Room side by side with the reply before, whose owner is then `#replyBlock`. */
  #roomForReply(length: number): Uint8Array {
    const replies = this.#replies;
    const block = length <= replyBlockBytes / 2 ? replies.reserve(length) : null;
    this.#replyBlock = block;
    if (block === null) return new Uint8Array(length);
    return block.bytes.subarray(replies.offset, replies.offset + length);
  }

  #write(bytes: Uint8Array, owner?: ByteOwner): void {
    if (this.#stream.write(bytes, owner) || this.#isHeld) return;
    this.#isHeld = true;
    this.#stream.pause();
  }

  #finish(): void {
    this.#isOver = true;
    this.#body = null;
    this.#input.clear();
    this.#slots = new TransferSlots<number>(0, 0, 0);
    const device = this.#device;
    this.#device = null;
    device?.lent.giveBack();
    this.#options.onEnd(this);
  }
}

const none = new Uint8Array(0);
