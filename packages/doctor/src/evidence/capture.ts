// USB captures: pcapng and pcap of link types 220 and 189 (Linux), 266 (macOS), 249 (USBPcap), 288 (USB 2.0 packets).

import { DecodeError } from "@drydock/core/base/errors";
import type { PcapngPacket } from "@drydock/core/codec/pcapng/pcapng";
import { asUsbLinux, looksLikePcap, readCapture } from "@drydock/core/codec/pcapng/usb-capture";
import { decodeUsbLinux, streamOfComments, UsbErrno } from "@drydock/core/codec/pcapng/usb-linux";
import { linkTypeUsb2, UsbPacketAssembler } from "@drydock/core/codec/pcapng/usb2-packets";
import { decodeUsbPcap, linkTypeUsbPcap } from "@drydock/core/codec/pcapng/usbpcap";
import {
  StorageWire,
  scsiStatusName,
  senseWords,
  type WireCommand,
  type WireCompletion,
} from "@drydock/core/dissect/storage-wire";
import type { UsbTransfer } from "../facts/usb-transfer.ts";
import type { BinaryReader, FactSink } from "./reader.ts";

const kept = 96;
/** Descriptors are kept whole: their offsets are what the doctor of descriptors speaks of. */
const keptOfDescriptors = 4096;
/** Data given to the reader of SCSI commands: whole configuration descriptors and sense data. */
const keptForScsi = 1024;
const noBytes = new Uint8Array(0);
const kinds = ["isochronous", "interrupt", "control", "bulk"] as const;

export const captureReader: BinaryReader = {
  kind: "capture",
  recognise: (head) => isPcapng(head) || looksLikePcap(head),
  read(file, sink) {
    const reader = new CaptureInHand(file.name, sink);
    try {
      for (const packet of readCapture(file.bytes)) reader.take(packet);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      sink.problem(`is cut or wrong at byte ${error.offset} (${error.message}); what is before was read`);
    }
    reader.finish();
  },
};

function isPcapng(head: Uint8Array): boolean {
  return head[0] === 0x0a && head[1] === 0x0d && head[2] === 0x0d && head[3] === 0x0a;
}

interface Submitted {
  readonly device: number;
  readonly endpoint: number;
  readonly setup: Uint8Array | null;
  readonly data: Uint8Array;
  readonly requested: number;
  readonly comment: string;
}

class CaptureInHand {
  readonly #file: string;
  readonly #sink: FactSink;
  readonly #open = new Map<string, Submitted>();
  readonly #assembler = new UsbPacketAssembler();
  readonly #otherLinks = new Map<number, number>();
  readonly #wire: StorageWire;
  #at = 0;
  #assembled = 0;
  #bad = 0;
  #packets = 0;

  constructor(file: string, sink: FactSink) {
    this.#file = file;
    this.#sink = sink;
    this.#wire = new StorageWire((command) => this.#addCommand(command));
  }

  take(own: PcapngPacket): void {
    this.#packets++;
    this.#at = own.offset;
    try {
      const packet = asUsbLinux(own);
      if (packet.linkType === 220) this.#linux(packet);
      else if (packet.linkType === linkTypeUsbPcap) this.#windows(packet);
      else if (packet.linkType === linkTypeUsb2) this.#usb2(packet);
      else this.#otherLinks.set(packet.linkType, (this.#otherLinks.get(packet.linkType) ?? 0) + 1);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#bad++;
    }
  }

  #linux(packet: PcapngPacket): void {
    const { header, data } = decodeUsbLinux(packet.bytes);
    const key = `${header.bus}.${header.device}.${header.id}`;
    const comment = packet.comments.join("; ");
    const { device, endpoint } = header;
    for (const remark of packet.comments) this.#wire.marked(remark);
    if (header.event === "S") {
      this.#wire.submitted({
        id: key,
        device,
        endpoint,
        setup: header.setup,
        data: data.subarray(0, keptForScsi),
        requested: header.urbLength,
        stream: streamOfComments(packet.comments),
        cause: comment,
      });
      if (this.#open.size < 100_000)
        this.#open.set(key, {
          device,
          endpoint,
          setup: header.setup,
          data: data.slice(0, kept),
          requested: header.urbLength,
          comment,
        });
      return;
    }
    const result = resultOfErrno(header.status);
    this.#wire.completed({
      id: key,
      device,
      endpoint,
      result,
      moved: header.urbLength,
      data: data.subarray(0, keptForScsi),
    });
    const before = this.#open.get(key);
    this.#open.delete(key);
    this.#add(packet.offset, {
      device,
      endpoint,
      kind: kinds[header.transfer & 3],
      setup: before?.setup ?? null,
      data: data.length > 0 ? data.slice(0, keptOf(before?.setup ?? null)) : (before?.data ?? data),
      requested: before?.requested ?? -1,
      moved: header.urbLength,
      result,
      comment: [before?.comment ?? "", comment].filter((part) => part !== "").join("; "),
    });
  }

  #windows(packet: PcapngPacket): void {
    const { header, data } = decodeUsbPcap(packet.bytes);
    const key = `${header.bus}.${header.device}.${header.irp}`;
    if (!header.isCompletion) {
      const setup = header.kind === "control" && data.length >= 8 ? data.slice(0, 8) : null;
      this.#wire.submitted({
        id: key,
        device: header.device,
        endpoint: header.endpoint,
        setup,
        data: setup === null ? data.subarray(0, keptForScsi) : noBytes,
        requested: -1,
        stream: 0,
        cause: "",
      });
      if (this.#open.size < 100_000)
        this.#open.set(key, {
          device: header.device,
          endpoint: header.endpoint,
          setup,
          data: data.slice(setup === null ? 0 : 8, kept),
          requested: setup === null ? data.length : setup[6] | (setup[7] << 8),
          comment: "",
        });
      return;
    }
    const before = this.#open.get(key);
    this.#open.delete(key);
    this.#wire.completed({
      id: key,
      device: header.device,
      endpoint: header.endpoint,
      result: header.result,
      moved: data.length,
      data: data.subarray(0, keptForScsi),
    });
    this.#add(packet.offset, {
      device: header.device,
      endpoint: header.endpoint,
      kind: header.kind,
      setup: before?.setup ?? null,
      data: data.length > 0 ? data.slice(0, keptOf(before?.setup ?? null)) : (before?.data ?? data),
      requested: before?.requested ?? -1,
      moved:
        header.status === 0
          ? Math.max(
              data.length,
              before?.setup?.[0] === undefined || before.setup[0] & 0x80 ? data.length : before.data.length,
            )
          : 0,
      result: header.result,
      comment: "",
    });
  }

  #usb2(packet: PcapngPacket): void {
    for (const transfer of this.#assembler.take(packet.bytes)) {
      const id = ++this.#assembled;
      const { data, device, endpoint, moved, requested, setup } = transfer;
      this.#wire.submitted({ id, device, endpoint, setup, data, requested, stream: 0, cause: "" });
      this.#wire.completed({ id, device, endpoint, result: transfer.result, moved, data });
      this.#add(packet.offset, { ...transfer, data: data.slice(0, keptOf(setup)), comment: "" });
    }
  }

  #addCommand(command: WireCommand): void {
    const sense = command.sense.length === 0 ? "" : `, ${senseWords(command.sense)}`;
    const status = command.status === null ? "no status" : scsiStatusName(command.status);
    const moved =
      command.data === null ? "no data stage" : `${command.data.moved} of ${command.data.requested} bytes`;
    this.#sink.add(
      "scsi-command",
      {
        file: this.#file,
        line: 0,
        offset: this.#at,
        text: `${command.transport} ${command.name} tag ${command.tag}: ${moved}, ${status}${sense}`,
      },
      { command, protocols: this.#wire.protocolsOf(command.device) },
    );
  }

  #add(offset: number, transfer: UsbTransfer): void {
    this.#sink.add("transfer", { file: this.#file, line: 0, offset, text: describe(transfer) }, transfer);
  }

  finish(): void {
    this.#wire.finish();
    for (const submitted of [...this.#open.values()].slice(0, 1000)) {
      this.#add(0, {
        device: submitted.device,
        endpoint: submitted.endpoint,
        kind: submitted.setup === null ? "bulk" : "control",
        setup: submitted.setup,
        data: submitted.data,
        requested: submitted.requested,
        moved: 0,
        result: "pending",
        comment: submitted.comment,
      });
    }
    if (this.#bad > 0) this.#sink.problem(`has ${this.#bad} packets that are wrong or cut`);
    for (const [link, count] of this.#otherLinks)
      this.#sink.problem(
        `has ${count} packets of link type ${link}, which is not USB as it is known here (220, 189, 266, 249, 288)`,
      );
    if (this.#packets === 0) this.#sink.problem("is a capture without a packet");
  }
}

/** GET_DESCRIPTOR to a device or an interface (USB 2.0 §9.4.3, HID 1.11 §7.1.1). */
function keptOf(setup: Uint8Array | null): number {
  return setup !== null && (setup[0] === 0x80 || setup[0] === 0x81) && setup[1] === 6
    ? keptOfDescriptors
    : kept;
}

function resultOfErrno(status: number): WireCompletion["result"] {
  if (status === UsbErrno.ok || status === -121) return "ok";
  if (status === UsbErrno.stall) return "stall";
  if (status === UsbErrno.unlinked || status === -104) return "cancelled";
  if (status === UsbErrno.shutdown || status === -19) return "gone";
  return "error";
}

function bytesText(bytes: Uint8Array): string {
  const shown = [...bytes.subarray(0, 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
  return bytes.length > 16 ? `${shown} ...` : shown;
}

function describe(transfer: UsbTransfer): string {
  const where = transfer.kind === "control" ? "ep0" : `ep${transfer.endpoint.toString(16).padStart(2, "0")}`;
  const setup = transfer.setup === null ? "" : ` ${bytesText(transfer.setup)}`;
  const data = transfer.data.length === 0 ? "" : `  data ${bytesText(transfer.data)}`;
  return `${where} ${transfer.kind}${setup}${data}  -> ${transfer.result === "stall" ? "STALL" : transfer.result}, ${transfer.moved} bytes`;
}
