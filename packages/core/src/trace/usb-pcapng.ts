// A trace as a capture file, and a capture file as a trace. Driver calls and faults are packet comments.

import { DecodeError } from "../base/errors.ts";
import { linkTypeUsbLinuxMmapped, PcapngWriter } from "../codec/pcapng/pcapng.ts";
import { asUsbLinux, readCapture } from "../codec/pcapng/usb-capture.ts";
import {
  decodeUsbLinux,
  encodeUsbLinux,
  streamComment,
  streamOfComments,
  UsbErrno,
} from "../codec/pcapng/usb-linux.ts";
import { isErdyText } from "../dissect/storage-wire.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { TraceKind, TraceTransfer, UsbTraceLog } from "./usb-trace-log.ts";

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
        urbLength: row.length,
        dataLength: row.data.length,
        setup: row.setup,
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

/**
 * Reads ours and any other capture, pcapng or classic pcap, of link types 220 and 189 (Linux's usbmon) and 266 (macOS).
 * Throws DecodeError; packets of other link types are counted in `skipped`.
 */
export function readUsbPcapng(file: Uint8Array): { log: UsbTraceLog; skipped: number } {
  const log = new UsbTraceLog();
  let skipped = 0;
  let firstNs: number | null = null;
  for (const own of readCapture(file)) {
    const packet = asUsbLinux(own);
    if (packet.linkType !== linkTypeUsbLinuxMmapped) {
      skipped++;
      continue;
    }
    const { header, data } = decodeOrLocate(packet.bytes, packet.offset);
    firstNs ??= packet.timeNs;
    // A live capture carries the date: show its times from its first packet.
    const timeNs = firstNs > 1e15 ? packet.timeNs - firstNs : packet.timeNs;
    const stream = streamOfComments(packet.comments);
    for (const comment of packet.comments) if (isErdyText(comment)) log.mark(timeNs, comment);
    log.add(
      header.event === "S" ? TraceKind.submit : TraceKind.complete,
      timeNs,
      header.id,
      header.device,
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
    );
  }
  return { log, skipped };
}

function decodeOrLocate(bytes: Uint8Array, offset: number): ReturnType<typeof decodeUsbLinux> {
  try {
    return decodeUsbLinux(bytes);
  } catch (error) {
    if (!(error instanceof DecodeError)) throw error;
    throw new DecodeError(`packet block at byte ${offset}`, offset + 28 + error.offset, error.message);
  }
}

function statusOfErrno(errno: number): number {
  const found = Object.entries(errnoOfStatus).find(([, value]) => value === errno);
  return found === undefined ? UsbStatus.protocolError : Number(found[0]);
}
