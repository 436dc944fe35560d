// Imports a device from a USB/IP server, and imports it again when it comes back.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { second } from "../../base/units.ts";
import {
  decodeDeviceList,
  decodeDeviceRecord,
  decodeOp,
  encodeImportRequest,
  encodeOp,
  type UsbipListedDevice,
  UsbipOp,
  UsbipStatus,
  usbipDeviceRecordBytes,
  usbipOpHeaderBytes,
} from "../../codec/usbip/usbip.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { type Attempt, KeptConnection, type KeptConnectionOptions } from "../kept-connection.ts";
import { UsbipPort } from "./usbip-port.ts";

/** A server that says nothing for so long is given up. */
const patienceNs = 10 * second;

const statusTexts: Readonly<Record<number, string>> = {
  [UsbipStatus.notAvailable]: "the server says that the device is not available",
  [UsbipStatus.busy]: "somebody else has the device",
  [UsbipStatus.deviceError]: "the device is in an error state on the server",
  [UsbipStatus.noDevice]: "the server has no such device",
  [UsbipStatus.error]: "the server failed",
};

export interface UsbipImporterOptions extends KeptConnectionOptions {
  /** A fresh connection to the server; called for each attempt. */
  readonly connect: () => ByteStream;
  readonly busId: string;
  /** Told of each attachment, with a port that nobody has connected to yet: as SimUsbBus tells it. */
  readonly onAttach: (port: UsbHostPort) => void;
  /** Where the device appears. Default: bus 2, connector 1. */
  readonly locationId?: number;
}

/** Keeps one device imported. Each import is a new port; its end is that port's surprise removal. */
export class UsbipImporter {
  readonly #kept: KeptConnection;

  constructor(options: UsbipImporterOptions) {
    this.#kept = new KeptConnection(options, (onEnd) => new ImportAttempt(options, onEnd));
  }

  /** Gives the device back and does not come again. */
  stop(): void {
    this.#kept.stop();
  }
}

/** One connection: the request, then the port's messages. */
class ImportAttempt implements Attempt, ByteStreamClient {
  readonly #options: UsbipImporterOptions;
  readonly #stream: ByteStream;
  readonly #onEnd: (reason: string) => void;
  readonly #timer: TimerHandle;
  #reply: Uint8Array = new Uint8Array(0);
  #port: UsbipPort | null = null;
  #isOver = false;

  constructor(options: UsbipImporterOptions, onEnd: (reason: string) => void) {
    this.#options = options;
    this.#onEnd = onEnd;
    this.#timer = options.clock.after(patienceNs, () => this.#fail("the server does not answer"), undefined);
    this.#stream = options.connect();
    this.#stream.connect(this);
    this.#stream.write(encodeImportRequest(options.busId));
  }

  close(): void {
    this.#stream.close();
  }

  received(bytes: Uint8Array): void {
    if (this.#port !== null) {
      this.#port.received(bytes);
      return;
    }
    if (this.#isOver) return;
    const all = new Uint8Array(this.#reply.length + bytes.length);
    all.set(this.#reply);
    all.set(bytes, this.#reply.length);
    this.#reply = all;
    try {
      this.#readReply();
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#fail(error.message);
    }
  }

  drained(): void {}

  closed(): void {
    if (this.#port !== null) this.#port.over("the server closed the connection");
    else this.#fail("the server closed the connection instead of answering");
  }

  #readReply(): void {
    const reply = this.#reply;
    if (reply.length < usbipOpHeaderBytes) return;
    const { code, status } = decodeOp(reply);
    if (code !== UsbipOp.replyImport) {
      throw new DecodeError("USB/IP import reply", 2, `code 0x${code.toString(16)} is no import reply`);
    }
    if (status !== UsbipStatus.ok) {
      this.#fail(statusTexts[status] ?? `the server answered status ${status}`);
      return;
    }
    const total = usbipOpHeaderBytes + usbipDeviceRecordBytes;
    if (reply.length < total) return;
    const { clock, locationId, onAttach } = this.#options;
    clock.cancel(this.#timer);
    this.#port = new UsbipPort(this.#stream, {
      clock,
      record: decodeDeviceRecord(reply, usbipOpHeaderBytes),
      locationId: locationId ?? 0x0210_0000,
      onOver: (reason) => this.#end(reason),
    });
    onAttach(this.#port);
    if (reply.length > total) this.#port.received(reply.subarray(total));
  }

  #fail(reason: string): void {
    this.#end(reason);
    this.#stream.close();
  }

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#options.clock.cancel(this.#timer);
    this.#onEnd(reason);
  }
}

/** Asks a server what it offers. Exactly one of the two callbacks is called, later. */
export function listUsbipDevices(
  stream: ByteStream,
  clock: Clock,
  done: (devices: readonly UsbipListedDevice[] | null, problem: string | null) => void,
): void {
  let reply = new Uint8Array(0);
  let isOver = false;
  const finish = (devices: readonly UsbipListedDevice[] | null, problem: string | null): void => {
    if (isOver) return;
    isOver = true;
    clock.cancel(timer);
    stream.close();
    done(devices, problem);
  };
  const timer = clock.after(patienceNs, () => finish(null, "the server does not answer"), undefined);
  stream.connect({
    received: (bytes) => {
      if (isOver) return;
      const all = new Uint8Array(reply.length + bytes.length);
      all.set(reply);
      all.set(bytes, reply.length);
      reply = all;
      try {
        const devices = decodeDeviceList(reply);
        if (devices !== null) finish(devices, null);
      } catch (error) {
        if (!(error instanceof DecodeError)) throw error;
        finish(null, error.message);
      }
    },
    drained: () => {},
    closed: () => finish(null, "the server closed the connection"),
  });
  stream.write(encodeOp(UsbipOp.requestDeviceList));
}
