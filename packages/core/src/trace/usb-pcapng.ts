// A trace as a capture file, and a capture file as a trace. Driver calls and faults are packet comments.

import { DecodeError } from "../base/errors.ts";
import { linkTypeUsbLinuxMmapped, type PcapngPacket, PcapngWriter } from "../codec/pcapng/pcapng.ts";
import { asUsbLinux, linkTypeUsbLinux, readCapture } from "../codec/pcapng/usb-capture.ts";
import { linkTypeUsbDarwin } from "../codec/pcapng/usb-darwin.ts";
import {
  decodeUsbLinux,
  encodeUsbLinux,
  streamComment,
  streamOfComments,
  UsbErrno,
} from "../codec/pcapng/usb-linux.ts";
import { linkTypeUsb2, UsbPacketAssembler, type WireTransfer } from "../codec/pcapng/usb2-packets.ts";
import { decodeUsbPcap, linkTypeUsbPcap } from "../codec/pcapng/usbpcap.ts";
import { isErdyText } from "../dissect/storage-wire.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { TraceKind, TraceTransfer, UsbTraceLog, unknownLength } from "./usb-trace-log.ts";

const errnoOfStatus: Readonly<Record<number, number>> = {
  [UsbStatus.ok]: UsbErrno.ok,
  [UsbStatus.stall]: UsbErrno.stall,
  [UsbStatus.cancelled]: UsbErrno.unlinked,
  [UsbStatus.gone]: UsbErrno.shutdown,
  [UsbStatus.overflow]: UsbErrno.overflow,
  [UsbStatus.protocolError]: UsbErrno.protocol,
};

/** Marks go as comments to the next transfer of the file; those after the last one to the last. */
export function writeUsbPcapng(log: UsbTraceLog): Uint8Array {
  const writer = new PcapngWriter("drydock");
  writer.addInterface(linkTypeUsbLinuxMmapped);
  let marks: string[] = log.dropped > 0 ? [`${log.dropped} earlier rows were given up`] : [];
  const rows = [...log.all()];
  const last = rows.findLastIndex((row) => row.kind !== TraceKind.mark);
  const trailing = rows.slice(last + 1).map((row) => row.text);
  rows.slice(0, last + 1).forEach((row, index) => {
    if (row.kind === TraceKind.mark) {
      marks.push(row.text);
      return;
    }
    const isSubmit = row.kind === TraceKind.submit;
    const packet = encodeUsbLinux(
      {
        id: row.id,
        event: isSubmit ? "S" : "C",
        transfer: row.transfer,
        endpoint: row.endpoint,
        device: row.device,
        bus: 1,
        timeNs: row.timeNs,
        status: isSubmit ? UsbErrno.inProgress : errnoOfStatus[row.status],
        urbLength: Math.max(0, row.length),
        dataLength: row.data.length,
        setup: row.setup,
        ...(row.packets === null ? {} : { packets: row.packets }),
      },
      row.data,
    );
    const comments = [
      ...marks,
      ...(row.text === "" ? [] : [row.text]),
      // usbmon's header has no field for it.
      ...(row.stream === 0 ? [] : [streamComment(row.stream)]),
      ...(index === last ? trailing : []),
    ];
    writer.addPacket(0, row.timeNs, packet, comments);
    marks = [];
  });
  return writer.finish();
}

/** What `readUsbPcapng` can read of the link types that captures have. */
export const readableLinkTypes = [
  linkTypeUsbLinuxMmapped,
  linkTypeUsbLinux,
  linkTypeUsbDarwin,
  linkTypeUsbPcap,
  linkTypeUsb2,
] as const;

/**
 * Reads ours and any other capture, pcapng or classic pcap, of link types 220 and 189 (Linux's usbmon), 266 (macOS), 249
 * (USBPcap) and 288 (USB 2.0 packets of an analyser, put together to transfers). Throws DecodeError; packets of other
 * link types are counted in `skipped`.
 */
export function readUsbPcapng(file: Uint8Array): { log: UsbTraceLog; skipped: number } {
  const reading = new CaptureReading();
  for (const packet of readCapture(file)) reading.take(asUsbLinux(packet));
  return { log: reading.log, skipped: reading.skipped };
}

class CaptureReading {
  readonly log = new UsbTraceLog();
  skipped = 0;
  readonly #wire = new UsbPacketAssembler();
  /** Numbers of devices by bus and address: those of the first bus that has one keep it, as people know them. */
  readonly #devices = new Map<string, number>();
  readonly #taken = new Set<number>();
  /** USBPcap names a request by its address in Windows' kernel, which is used again: those under way, with their OUT bytes. */
  readonly #requests = new Map<string, { readonly id: number; readonly offered: number }>();
  #firstNs: number | null = null;

  take(packet: PcapngPacket): void {
    const { linkType } = packet;
    if (linkType !== linkTypeUsbLinuxMmapped && linkType !== linkTypeUsbPcap && linkType !== linkTypeUsb2) {
      this.skipped++;
      return;
    }
    this.#firstNs ??= packet.timeNs;
    // A live capture carries the date: show its times from its first packet.
    const timeNs = this.#firstNs > 1e15 ? packet.timeNs - this.#firstNs : packet.timeNs;
    if (linkType === linkTypeUsbLinuxMmapped) this.#linux(packet, timeNs);
    else if (linkType === linkTypeUsbPcap) this.#windows(packet, timeNs);
    else this.#packets(packet, timeNs);
  }

  /** Two buses of a machine have the same addresses: beyond 127, where no address is, the second gets another number. */
  #deviceOf(bus: number, address: number): number {
    const place = `${bus} ${address}`;
    let device = this.#devices.get(place);
    if (device === undefined) {
      for (device = address; this.#taken.has(device); ) device += addresses;
      this.#devices.set(place, device);
      this.#taken.add(device);
    }
    return device;
  }

  #linux(packet: PcapngPacket, timeNs: number): void {
    const { header, data } = located(packet, decodeUsbLinux);
    const stream = streamOfComments(packet.comments);
    for (const comment of packet.comments) if (isErdyText(comment)) this.log.mark(timeNs, comment);
    this.log.add(
      header.event === "S" ? TraceKind.submit : TraceKind.complete,
      timeNs,
      header.id,
      this.#deviceOf(header.bus, header.device),
      header.endpoint,
      header.transfer,
      header.event === "S" ? 0 : statusOfErrno(header.status),
      header.urbLength,
      header.transfer === TraceTransfer.control ? header.setup : null,
      data,
      0,
      data.length,
      packet.comments
        .filter((comment) => streamOfComments([comment]) === 0 && !isErdyText(comment))
        .join("; "),
      stream,
      0,
      header.packets ?? null,
    );
  }

  #windows(packet: PcapngPacket, timeNs: number): void {
    const { header, data } = located(packet, decodeUsbPcap);
    const { bus, endpoint, irp, isCompletion, kind } = header;
    const device = this.#deviceOf(bus, header.device);
    const hasSetup = !isCompletion && kind === "control" && data.length >= 8;
    const setup = hasSetup ? data.subarray(0, 8) : null;
    const bytesAt = hasSetup ? 8 : 0;
    const bytes = data.length - bytesAt;
    const before = isCompletion ? this.#requests.get(irp) : undefined;
    const request = before ?? { id: this.log.nextId(), offered: bytes };
    if (isCompletion) this.#requests.delete(irp);
    else this.#requests.set(irp, request);
    // A request for IN data carries no length but in its SETUP packet; a completed OUT carries none of its data.
    const isIn = ((setup?.[0] ?? endpoint) & 0x80) !== 0;
    const asked = setup !== null ? setup[6] | (setup[7] << 8) : isIn ? unknownLength : bytes;
    const moved = bytes === 0 && header.result === "ok" ? request.offered : bytes;
    this.log.add(
      isCompletion ? TraceKind.complete : TraceKind.submit,
      timeNs,
      request.id,
      device,
      endpoint,
      TraceTransfer[kind],
      isCompletion ? statusOfResult[header.result] : 0,
      isCompletion ? moved : asked,
      setup,
      data,
      bytesAt,
      bytes,
      "",
    );
  }

  #packets(packet: PcapngPacket, timeNs: number): void {
    let transfers: readonly WireTransfer[];
    try {
      transfers = this.#wire.take(packet.bytes);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      // What an analyser saw damaged was damaged on the wire: a remark, and no end of the reading.
      this.log.mark(timeNs, `a packet of the wire ${error.message}`);
      return;
    }
    for (const { data, device, endpoint, kind, moved, requested, result, setup } of transfers) {
      const id = this.log.nextId();
      const isIn = (endpoint & 0x80) !== 0;
      const row = (which: TraceKind, status: number, length: number, bytes: Uint8Array) =>
        this.log.add(
          which,
          timeNs,
          id,
          device,
          endpoint,
          TraceTransfer[kind],
          status,
          length,
          which === TraceKind.submit ? setup : null,
          bytes,
          0,
          bytes.length,
          "",
        );
      const asked = requested >= 0 ? requested : isIn ? unknownLength : data.length;
      row(TraceKind.submit, 0, asked, isIn ? noBytes : data);
      row(TraceKind.complete, statusOfResult[result], moved, isIn ? data : noBytes);
    }
  }
}

/** USB 2.0 §9.4.6: seven bits. */
const addresses = 128;
const noBytes = new Uint8Array(0);

const statusOfResult = {
  ok: UsbStatus.ok,
  stall: UsbStatus.stall,
  cancelled: UsbStatus.cancelled,
  gone: UsbStatus.gone,
  error: UsbStatus.protocolError,
} as const;

function located<T>(packet: PcapngPacket, decode: (bytes: Uint8Array) => T): T {
  try {
    return decode(packet.bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    const { offset } = packet;
    throw new DecodeError(`packet block at byte ${offset}`, offset + 28 + error.offset, error.message);
  }
}

function statusOfErrno(errno: number): number {
  const found = Object.entries(errnoOfStatus).find(([, value]) => value === errno);
  return found === undefined ? UsbStatus.protocolError : Number(found[0]);
}
