// Traces: what is kept, the line that links SETUP, data, result and cause (F09), why no data came (F10), and F23.

import assert from "node:assert/strict";
import { test } from "node:test";
import { DecodeError } from "../base/errors.ts";
import { TraceHash } from "../base/hash.ts";
import { bytesFromHex } from "../base/text.ts";
import { linkTypeUsbLinuxMmapped, PcapngWriter } from "../codec/pcapng/pcapng.ts";
import { UsbStatus } from "../ports/usb-host.ts";
import { firstDifference, sideBySide } from "./trace-diff.ts";
import { readUsbPcapng, writeUsbPcapng } from "./usb-pcapng.ts";
import { formatTrace, traceLines, whyNoData } from "./usb-text.ts";
import { TraceKind, TraceTransfer, UsbTraceLog } from "./usb-trace-log.ts";

const lineCoding = bytesFromHex("21 20 00 00 00 00 07 00");
const nothing = new Uint8Array(0);

function submit(
  log: UsbTraceLog,
  timeNs: number,
  endpoint: number,
  data: Uint8Array | null,
  text = "",
  length = 7,
  setup: Uint8Array | null = null,
): number {
  const id = log.nextId();
  const transfer = setup === null ? TraceTransfer.bulk : TraceTransfer.control;
  log.add(
    TraceKind.submit,
    timeNs,
    id,
    1,
    endpoint,
    transfer,
    0,
    length,
    setup,
    data,
    0,
    data?.length ?? 0,
    text,
  );
  return id;
}

function complete(
  log: UsbTraceLog,
  timeNs: number,
  id: number,
  endpoint: number,
  status: UsbStatus,
  data: Uint8Array = nothing,
  transfer: 2 | 3 = TraceTransfer.bulk,
  bytes = data.length,
): void {
  log.add(
    TraceKind.complete,
    timeNs,
    id,
    1,
    endpoint,
    transfer,
    status,
    bytes,
    null,
    data,
    0,
    data.length,
    "",
  );
}

function sample(): UsbTraceLog {
  const log = new UsbTraceLog();
  const zeros = new Uint8Array(7);
  const first = submit(
    log,
    1_000_000,
    0,
    zeros,
    "IOUSBHostInterface.deviceRequest (P02Driver)",
    7,
    lineCoding,
  );
  log.mark(1_100_000, "fault: delay endpoint 0x00");
  complete(log, 1_250_000, first, 0, UsbStatus.stall, nothing, TraceTransfer.control);
  const second = submit(log, 2_000_000, 0x81, null, "IOUSBHostPipe.asyncIO (P02Driver)", 64);
  complete(log, 2_500_000, second, 0x81, UsbStatus.ok, Uint8Array.of(0x41, 0x42));
  submit(log, 3_000_000, 0x81, null, "", 64);
  return log;
}

test("F09: one line has SETUP, name, data, result and the driver's call", () => {
  const text = formatTrace(sample(), { describeRequests: [() => "SET_LINE_CODING"] });
  assert.deepEqual(
    text
      .trimEnd()
      .split("\n")
      .map((line) => line.trim()),
    [
      "1.000000 ms  ep0    21 20 00 00 00 00 07 00  SET_LINE_CODING  data 00 00 00 00 00 00 00  -> STALL, 0 bytes   <- IOUSBHostInterface.deviceRequest (P02Driver)",
      "1.100000 ms  -- fault: delay endpoint 0x00",
      "2.000000 ms  ep81   bulk in 64  data 41 42  -> ok, 2 bytes   <- IOUSBHostPipe.asyncIO (P02Driver)",
      "3.000000 ms  ep81   bulk in 64  -> never answered, 0 bytes",
    ],
  );
  assert.equal(traceLines(sample(), { controlOnly: true }).length, 2);
  assert.match(formatTrace(sample(), { dataBytes: 2 }), /data 00 00 \.\.\. {2}-> STALL/);
});

test("a capture file gives the same lines back, marks as comments", () => {
  const { log, skipped } = readUsbPcapng(writeUsbPcapng(sample()));
  assert.equal(skipped, 0);
  const [before, after] = [traceLines(sample()), traceLines(log)].map((lines) =>
    lines.filter((line) => !line.isMark).map(({ timeNs, wire }) => ({ timeNs, wire })),
  );
  assert.deepEqual(after, before);
  const rows = [...log.all()];
  assert.equal(rows[1].text, "fault: delay endpoint 0x00");
  assert.equal(rows[0].text, "IOUSBHostInterface.deviceRequest (P02Driver)");
});

/** USBPCAP_BUFFER_PACKET_HEADER: length, IRP, status, function, info (bit 0: completion), bus, device, endpoint, type, data length. */
function usbPcapPacket(
  irp: number,
  isCompletion: boolean,
  endpoint: number,
  type: number,
  data: string,
): Uint8Array {
  const payload = bytesFromHex(data);
  const stage = type === 2 ? 1 : 0;
  const packet = new Uint8Array(27 + stage + payload.length);
  const view = new DataView(packet.buffer);
  view.setUint16(0, 27 + stage, true);
  view.setUint32(2, irp, true);
  view.setUint8(16, isCompletion ? 1 : 0);
  view.setUint16(17, 1, true);
  view.setUint16(19, 5, true);
  view.setUint8(21, endpoint);
  view.setUint8(22, type);
  view.setUint32(23, payload.length, true);
  packet.set(payload, 27 + stage);
  return packet;
}

test("a capture of USBPcap (249): SETUP and lengths where it tells them, addresses of requests used again", () => {
  const writer = new PcapngWriter("somebody else");
  writer.addInterface(249);
  const add = (timeNs: number, packet: Uint8Array) => writer.addPacket(0, timeNs, packet, []);
  add(1000, usbPcapPacket(0xa0, false, 0x80, 2, "80 06 00 01 00 00 12 00"));
  add(2000, usbPcapPacket(0xa0, true, 0x80, 2, "12 01 00 02"));
  add(3000, usbPcapPacket(0xa0, false, 0x81, 3, ""));
  add(4000, usbPcapPacket(0xb0, false, 0x02, 3, "55 53 42 43"));
  add(5000, usbPcapPacket(0xb0, true, 0x02, 3, ""));
  add(6000, usbPcapPacket(0xa0, true, 0x81, 3, "aa bb"));
  const { log, skipped } = readUsbPcapng(writer.finish());
  assert.equal(skipped, 0);
  assert.deepEqual(
    traceLines(log).map(({ wire }) => wire),
    [
      "ep0    80 06 00 01 00 00 12 00  GET_DESCRIPTOR device 0  data 12 01 00 02  -> ok, 4 bytes",
      "ep81   bulk in  data aa bb  -> ok, 2 bytes",
      "ep02   bulk out 4  data 55 53 42 43  -> ok, 4 bytes",
    ],
  );
  assert.deepEqual(
    [...log.all()].map(({ timeNs }) => timeNs),
    [1000, 2000, 3000, 4000, 5000, 6000],
  );
});

test("a capture of an analyser (288): packets of the wire become transfers, a damaged one a remark", () => {
  const writer = new PcapngWriter("somebody else");
  writer.addInterface(288);
  let at = 0;
  const packets = (...texts: string[]) => {
    for (const text of texts) {
      at += 1000;
      writer.addPacket(0, at, bytesFromHex(text), []);
    }
  };
  // Device 5, endpoint 0: SETUP with its data; IN with four bytes; OUT status stage (USB 2.0, 8.5.3).
  packets("2d 05 00", "c3 80 06 00 01 00 00 04 00 00 00", "d2", "69 05 00", "4b 12 01 00 02 00 00", "d2");
  packets("e1 05 00", "4b 00 00", "d2");
  packets("69 85 00", "5a", "68 00 00", "69 85 00", "c3 aa bb 00 00", "d2");
  const { log } = readUsbPcapng(writer.finish());
  const lines = traceLines(log).map(({ wire }) => wire);
  assert.equal(lines.length, 3);
  assert.equal(
    lines[0],
    "ep0    80 06 00 01 00 00 04 00  GET_DESCRIPTOR device 0  data 12 01 00 02  -> ok, 4 bytes",
  );
  assert.match(lines[1], /^-- a packet of the wire .*PID is damaged/);
  assert.equal(lines[2], "ep81   bulk in  data aa bb  -> ok, 2 bytes");
});

test("a slower device behind a hub: split transactions are one transfer each, what is not yet done is none (USB 2.0, 8.4.2)", () => {
  const writer = new PcapngWriter("somebody else");
  writer.addInterface(288);
  const packets = (...texts: string[]) => {
    for (const text of texts) writer.addPacket(0, 0, bytesFromHex(text), []);
  };
  const [start, complete] = ["78 01 01 00", "78 81 01 00"];
  packets(start, "2d 05 00", "c3 80 06 00 01 00 00 04 00 00 00", "d2", complete, "2d 05 00", "96");
  packets(complete, "2d 05 00", "d2", start, "69 05 00", "d2", complete, "69 05 00", "96");
  packets(complete, "69 05 00", "4b 12 01 00 02 00 00", start, "e1 05 00", "4b 00 00", "d2");
  packets(complete, "e1 05 00", "d2");
  packets(start, "69 85 00", "d2", complete, "69 85 00", "5a", start, "69 85 00", "d2");
  packets(complete, "69 85 00", "c3 aa bb 00 00", start, "e1 05 01", "c3 cc 00 00", "d2");
  packets(complete, "e1 05 01", "d2", "78 01", start, "e1 05 01", "c3 dd 00 00", "d2");
  packets(complete, "e1 05 01", "1e");
  const lines = traceLines(readUsbPcapng(writer.finish()).log).map(({ wire }) => wire);
  assert.deepEqual(lines.slice(0, 3), [
    "ep0    80 06 00 01 00 00 04 00  GET_DESCRIPTOR device 0  data 12 01 00 02  -> ok, 4 bytes",
    "ep81   bulk in  data aa bb  -> ok, 2 bytes",
    "ep02   bulk out 1  data cc  -> ok, 1 byte",
  ]);
  assert.match(lines[3], /a split token has 4 bytes/);
  assert.match(lines[4], /ep02 {3}bulk out 1 {2}data dd {2}-> STALL/);
});

test("an isochronous transfer is called one", () => {
  const log = new UsbTraceLog();
  log.add(TraceKind.submit, 0, 1, 1, 0x81, TraceTransfer.isochronous, 0, 192, null, null, 0, 0, "");
  assert.equal(traceLines(log)[0].wire, "ep81   isochronous in 192  -> never answered, 0 bytes");
});

test("packets of other link types are counted, a broken one is refused at its place in the file", () => {
  const writer = new PcapngWriter("other");
  writer.addInterface(1);
  writer.addPacket(0, 0, Uint8Array.of(1, 2, 3), []);
  assert.deepEqual(readUsbPcapng(writer.finish()).skipped, 1);
  const broken = new PcapngWriter("broken");
  broken.addInterface(linkTypeUsbLinuxMmapped);
  broken.addPacket(0, 0, new Uint8Array(10), []);
  const file = broken.finish();
  assert.throws(
    () => readUsbPcapng(file),
    (error) => error instanceof DecodeError && error.offset > 28 && error.offset <= file.length,
  );
});

test("when the limit is reached the oldest rows go, and the count is told", () => {
  const log = new UsbTraceLog({ maximumBytes: 64 * 1024 });
  for (let index = 0; index < 2000; index++) {
    const id = submit(log, index, 0x01, new Uint8Array(32).fill(index), "", 32);
    complete(log, index, id, 0x01, UsbStatus.ok);
  }
  assert.ok(log.dropped > 0 && log.count < 4000);
  assert.equal(log.dropped + log.count, 4000);
  const rows = [...log.all()];
  assert.equal(rows.length, log.count);
  assert.equal(rows.at(-2)?.data[0], 1999 & 255);
  assert.match(formatTrace(log), new RegExp(`^${log.dropped} earlier rows were given up\n`));
});

test("digests of equal traces are equal, one bit of data makes another", () => {
  const digest = (log: UsbTraceLog) => {
    const hash = new TraceHash();
    log.hashInto(hash);
    return hash.digest();
  };
  assert.equal(digest(sample()), digest(sample()));
  const other = sample();
  submit(other, 4, 0x01, Uint8Array.of(1));
  assert.notEqual(digest(other), digest(sample()));
});

test("F10: a sentence for every way in which no data came", () => {
  const sentence = (
    status: UsbStatus | null,
    options: { length?: number; bytes?: number; setup?: Uint8Array } = {},
  ) => {
    const log = new UsbTraceLog();
    const id = submit(
      log,
      0,
      options.setup === undefined ? 0x81 : 0,
      null,
      "",
      options.length ?? 64,
      options.setup ?? null,
    );
    if (status !== null)
      complete(log, 2_500_000, id, 0x81, status, nothing, TraceTransfer.bulk, options.bytes ?? 0);
    const [first, second] = [...log.all()];
    return whyNoData(first, second ?? null);
  };
  assert.equal(sentence(UsbStatus.ok, { bytes: 3 }), null);
  assert.match(sentence(null) ?? "", /the device never answered/);
  assert.match(sentence(UsbStatus.stall) ?? "", /halted endpoint 0x81 \(STALL\)/);
  assert.match(
    sentence(UsbStatus.stall, { setup: lineCoding }) ?? "",
    /refused this request .* look at the request/,
  );
  assert.match(sentence(UsbStatus.cancelled) ?? "", /NAK\) for 2\.500 ms, and the host cancelled/);
  assert.match(sentence(UsbStatus.gone) ?? "", /left the bus/);
  assert.match(sentence(UsbStatus.ok) ?? "", /zero-length packet/);
  assert.match(sentence(UsbStatus.ok, { length: 0 }) ?? "", /No data was asked for/);
  assert.match(sentence(UsbStatus.overflow) ?? "", /failed: overflow/);
});

test("F23: the first difference is found and marked; times do not count", () => {
  const left = traceLines(sample());
  const later = sample();
  const right = traceLines(later).map((line) => ({ ...line, timeNs: line.timeNs + 5 }));
  assert.equal(firstDifference(left, right).index, null);
  const changed = right.map((line, index) => (index === 2 ? { ...line, wire: "something else" } : line));
  const difference = firstDifference(left, changed);
  assert.deepEqual([difference.index, difference.right?.wire], [2, "something else"]);
  assert.equal(firstDifference(left, right.slice(0, 3)).index, 3);
  const text = sideBySide(left, changed, { width: 100, leftTitle: "bad", rightTitle: "good", context: 1 });
  assert.match(text, /1 equal lines before/);
  assert.match(text, /^> ep81.*> something else$/m);
  assert.match(text, /^> {3}<- IOUSBHostPipe\.asyncIO \(P02Driver\) +> {3}<- IOUSBHostPipe/m);
  assert.match(sideBySide(left, right, { width: 40, leftTitle: "a", rightTitle: "b" }), /no difference/);
});

/** A completion of usbmon's: 64 bytes of header, a descriptor for each packet, the buffer with gaps where packets were short. */
function isochronousOfUsbmon(packets: readonly (readonly [offset: number, length: number])[], data: string) {
  const buffer = bytesFromHex(data);
  const bytes = new Uint8Array(64 + packets.length * 16 + buffer.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 7, true);
  bytes.set([0x43, 0, 0x81, 5, 1, 0, 0x2d, 0], 8);
  view.setUint32(
    32,
    packets.reduce((sum, [, length]) => sum + length, 0),
    true,
  );
  view.setUint32(36, packets.length * 16 + buffer.length, true);
  view.setUint32(44, packets.length, true);
  view.setUint32(60, packets.length, true);
  for (const [index, [offset, length]] of packets.entries()) {
    view.setUint32(64 + index * 16 + 4, offset, true);
    view.setUint32(64 + index * 16 + 8, length, true);
  }
  bytes.set(buffer, 64 + packets.length * 16);
  return { bytes, view };
}

test("isochronous packets of usbmon: their descriptors are no data, the gaps of the buffer are left out", () => {
  const read = (bytes: Uint8Array) => {
    const writer = new PcapngWriter("somebody else");
    writer.addInterface(linkTypeUsbLinuxMmapped);
    writer.addPacket(0, 1000, bytes, []);
    return [...readUsbPcapng(writer.finish()).log.all()][0];
  };
  const { bytes, view } = isochronousOfUsbmon(
    [
      [0, 2],
      [4, 0],
      [8, 3],
    ],
    "a0a1 0000 00000000 b0b1b2",
  );
  const row = read(bytes);
  assert.deepEqual([row.packets, row.length], [[2, 0, 3], 5]);
  assert.deepEqual(row.data, bytesFromHex("a0a1b0b1b2"));
  // Offsets beyond the buffer bring nothing; more descriptors than there is room for are refused where they are promised.
  view.setUint32(64 + 4, 4_000_000_000, true);
  assert.deepEqual(read(bytes).data, bytesFromHex("b0b1b2"));
  view.setUint32(60, 100, true);
  assert.throws(
    () => read(bytes),
    (error) => error instanceof DecodeError && error.message.includes("100 isochronous"),
  );
});

test("isochronous packets survive a capture; two buses with the same address are two devices", () => {
  const log = new UsbTraceLog();
  const id = log.nextId();
  const iso = (kind: TraceKind, packets: readonly number[], data: Uint8Array) =>
    log.add(
      kind,
      0,
      id,
      3,
      0x82,
      TraceTransfer.isochronous,
      0,
      5,
      null,
      data,
      0,
      data.length,
      "",
      0,
      0,
      packets,
    );
  iso(TraceKind.submit, [8, 8, 8], nothing);
  iso(TraceKind.complete, [2, 0, 3], Uint8Array.of(1, 2, 3, 4, 5));
  const [asked, ended] = [...readUsbPcapng(writeUsbPcapng(log)).log.all()];
  assert.deepEqual([asked.packets, ended.packets, ended.setup], [[8, 8, 8], [2, 0, 3], null]);
  assert.deepEqual(ended.data, Uint8Array.of(1, 2, 3, 4, 5));

  const writer = new PcapngWriter("somebody else");
  writer.addInterface(linkTypeUsbLinuxMmapped);
  for (const bus of [2, 1, 2]) {
    const { bytes } = isochronousOfUsbmon([], "");
    bytes[12] = bus;
    writer.addPacket(0, 0, bytes, []);
  }
  const devices = [...readUsbPcapng(writer.finish()).log.all()].map(({ device }) => device);
  assert.deepEqual(devices, [5, 133, 5]);
});
