// Load on a USB/IP server: one imported device, spoken to without our client, so that only the server is measured.

import {
  encodeImportRequest,
  newUsbipHeader,
  UsbipCommand,
  usbipDeviceRecordBytes,
  usbipHeaderBytes,
  usbipIsoPacketBytes,
  usbipOpHeaderBytes,
  writeUsbipHeader,
} from "@drydock/core/codec/usbip/usbip";
import { encodeUsbipPackets } from "@drydock/core/codec/usbip/usbip-packets";
import { LoadSocket, type Work } from "./socket-load.ts";

export interface UrbWork extends Work {
  readonly endpoint: number;
  readonly isIn: boolean;
  readonly setup: Uint8Array | null;
  /** Isochronous: packets of each transfer, of one length. */
  readonly packets?: number;
}

export class UsbipLoad {
  readonly #socket: LoadSocket;
  #deviceId = 0;
  #sequence = 1;

  private constructor(socket: LoadSocket) {
    this.#socket = socket;
  }

  /** `busId` null: the bare socket, which knows no devices. */
  static async connect(port: number, busId: string | null): Promise<UsbipLoad> {
    const socket = await LoadSocket.connect(port);
    const client = new UsbipLoad(socket);
    if (busId === null) return client;
    const whole = usbipOpHeaderBytes + usbipDeviceRecordBytes;
    const answered = socket.gather(
      (bytes) => bytes.length >= whole || (bytes.length >= 8 && bytes.readUInt32BE(4) !== 0),
    );
    socket.write(encodeImportRequest(busId));
    const reply = await answered;
    if (reply.readUInt32BE(4) !== 0)
      throw new Error(`${busId} was refused with status ${reply.readUInt32BE(4)}`);
    client.#deviceId = ((reply.readUInt32BE(8 + 288) << 16) | reply.readUInt32BE(8 + 292)) >>> 0;
    return client;
  }

  /** A control request without data, as the kernel does at configuration. */
  async configure(setup: Uint8Array): Promise<void> {
    await this.run({ endpoint: 0, isIn: false, length: 0, setup, depth: 1, count: 1 });
  }

  /** Answers seconds; rejects when an answer has an error status. */
  run(work: UrbWork): Promise<number> {
    const header = newUsbipHeader();
    header.command = UsbipCommand.submit;
    header.deviceId = this.#deviceId;
    header.direction = work.isIn ? 1 : 0;
    header.endpoint = work.endpoint;
    header.length = work.length;
    const table = packetTable(work);
    if (table !== null) {
      header.isoPackets = work.packets ?? 0;
      header.interval = 1;
    }
    const tableBytes = table?.length ?? 0;
    const requestBytes = usbipHeaderBytes + (work.isIn ? 0 : work.length) + tableBytes;
    return this.#socket.run({
      depth: work.depth,
      count: work.count,
      headerBytes: usbipHeaderBytes,
      answerBytes: usbipHeaderBytes + (work.isIn ? work.length : 0) + tableBytes,
      requests: (many) => {
        const bytes = new Uint8Array(many * requestBytes);
        for (let index = 0; index < many; index++) {
          header.sequence = this.#sequence++;
          writeUsbipHeader(bytes, index * requestBytes, header, work.setup);
          if (table !== null) bytes.set(table, (index + 1) * requestBytes - tableBytes);
        }
        return bytes;
      },
      problemOf: (head) => {
        const status = head.readInt32BE(20);
        return status === 0 ? null : `a transfer ended with ${status}`;
      },
    });
  }

  close(): void {
    this.#socket.close();
  }
}

/** Null: no isochronous transfer. */
function packetTable({ length, packets = 0 }: UrbWork): Uint8Array | null {
  if (packets === 0) return null;
  const bytes = new Uint8Array(packets * usbipIsoPacketBytes);
  const each = length / packets;
  const rows = Array.from({ length: packets }, (_, index) => ({
    offset: index * each,
    length: each,
    actualBytes: 0,
    status: 0,
  }));
  encodeUsbipPackets(rows, bytes, 0);
  return bytes;
}
