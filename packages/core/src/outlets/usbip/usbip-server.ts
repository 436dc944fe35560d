// A USB/IP server: offers attached devices to whoever connects, a Linux kernel for example.

import type { ByteStream } from "../../ports/byte-stream.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { UsbipExport } from "./usbip-export.ts";
import { UsbipSession } from "./usbip-session.ts";

export interface UsbipServerOptions {
  /** Number of the bus that busids begin with. Default 1. */
  readonly busNumber?: number;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
  /** Told when a device can be imported, under this name, also when it comes back after a reset. */
  readonly onExported?: (busId: string) => void;
}

/** Connections at once, so that strangers cannot use up memory. */
const sessionMaximum = 1024;
/** Half of a device's identity on the wire, 16 bits; 0 is no device. */
const deviceNumberMaximum = 0xffff;

/**
 * Give `attach` every port that appears (of a simulated bus, a wrapper round one, a real device) and `accept` every
 * connection. Several devices, several clients; a device is lent to one client at a time, and reset when that leaves.
 * An import of a device whose descriptors are still being read is answered when they are; the list names what can be had now.
 */
export class UsbipServer {
  readonly #busNumber: number;
  readonly #onEvent: (text: string) => void;
  readonly #onExported: (busId: string) => void;
  readonly #exports = new Map<string, UsbipExport>();
  readonly #sessions = new Set<UsbipSession>();
  #nextDevice = 1;

  constructor(options: UsbipServerOptions = {}) {
    this.#busNumber = options.busNumber ?? 1;
    this.#onEvent = options.onEvent ?? (() => {});
    this.#onExported = options.onExported ?? (() => {});
  }

  /** Devices that can be seen now, by busid. */
  get exports(): ReadonlyMap<string, UsbipExport> {
    return this.#exports;
  }

  get sessionCount(): number {
    return this.#sessions.size;
  }

  /** Offers a device. Its busid follows from its place on its bus: connector 1 is "1-1". */
  attach(port: UsbHostPort): void {
    const connector = (port.locationId >>> 20) & 0xf;
    const busId = `${this.#busNumber}-${connector === 0 ? this.#nextDevice : connector}`;
    const place = { busId, busNumber: this.#busNumber, deviceNumber: this.#nextDevice };
    this.#nextDevice = this.#nextDevice === deviceNumberMaximum ? 1 : this.#nextDevice + 1;
    const created = new UsbipExport(
      port,
      place,
      (self, problem) => {
        if (problem !== null) {
          this.#onEvent(`${busId} cannot be exported: ${problem}`);
          this.#forget(self);
          return;
        }
        this.#onExported(busId);
        this.#tellSessions();
      },
      (self) => this.#forget(self),
    );
    this.#exports.set(busId, created);
  }

  /** Serves one connection until it closes. */
  accept(stream: ByteStream, peer = "a client"): void {
    if (this.#sessions.size >= sessionMaximum) {
      const idle = [...this.#sessions].find((session) => session.isIdle);
      idle?.end("others wait for its place");
    }
    if (this.#sessions.size >= sessionMaximum) {
      this.#onEvent(`${peer} was turned away: ${sessionMaximum} connections are open`);
      stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
      stream.close();
      return;
    }
    const session = new UsbipSession(stream, {
      exports: this.#exports,
      onEvent: (text) => this.#onEvent(`${peer} ${text}`),
      onEnd: (self) => this.#sessions.delete(self),
    });
    this.#sessions.add(session);
  }

  /** Ends every connection; devices stay attached. */
  close(): void {
    for (const session of [...this.#sessions]) session.end("the server stops");
  }

  #forget(gone: UsbipExport): void {
    if (this.#exports.get(gone.busId) === gone) this.#exports.delete(gone.busId);
    this.#tellSessions();
  }

  #tellSessions(): void {
    for (const session of [...this.#sessions]) session.exportsChanged();
  }
}
