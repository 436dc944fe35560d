// One attached USB device as every outlet has it: described once, lent to one user at a time.

import { DecodeError } from "../base/errors.ts";
import { viewConfiguration } from "../codec/usb/configuration-view.ts";
import {
  type Configuration,
  type DeviceDescriptor,
  parseDeviceDescriptor,
} from "../codec/usb/descriptors.ts";
import { directionIn, StandardRequest } from "../codec/usb/setup.ts";
import { type UsbHostClient, type UsbHostPort, UsbStatus, UsbSubmit } from "../ports/usb-host.ts";

/** Configurations that are read; a device with more is offered with these. */
const configurationMaximum = 8;

/** Who has borrowed the device. */
export interface UsbBorrower {
  /** As UsbHostClient. */
  completed(slot: number, status: UsbStatus, actualBytes: number): void;
  /** The device left; nothing of it comes any more, and it need not be given back. */
  detached(): void;
}

/** What a device says of itself. */
export interface UsbDescription {
  readonly device: DeviceDescriptor;
  /** By index; at least one. */
  readonly configurations: readonly Configuration[];
  /** All that was read, for comparing: the device descriptor and each configuration. */
  readonly bytes: readonly Uint8Array[];
}

export interface LentUsbDeviceOptions {
  /** Told once, later: the descriptors were read, or `problem` says why this device cannot be offered. */
  readonly onReady: (self: LentUsbDevice, problem: string | null) => void;
  /** Told once, before the borrower is. */
  readonly onGone: (self: LentUsbDevice) => void;
}

/**
 * The permanent client of an attached port. It reads the descriptors through slot 0, then passes everything to whoever
 * has borrowed the device. Device and borrowers end together with the port: a device that comes back is another one.
 */
export class LentUsbDevice implements UsbHostClient {
  readonly port: UsbHostPort;
  readonly #options: LentUsbDeviceOptions;
  readonly #read: Uint8Array[] = [];
  #borrower: UsbBorrower | null = null;
  #description: UsbDescription | null = null;
  #buffer = new Uint8Array(0);
  #isGone = false;

  constructor(port: UsbHostPort, options: LentUsbDeviceOptions) {
    this.port = port;
    this.#options = options;
    port.connect(this);
    this.#ask(0x0100, 18);
  }

  /** Null until the descriptors were read. */
  get description(): UsbDescription | null {
    return this.#description;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isBusy(): boolean {
    return this.#borrower !== null;
  }

  /** Lends the device. Call only when there is a `description` and it is not `isBusy`. */
  lend(borrower: UsbBorrower): void {
    this.#borrower = borrower;
  }

  /** The borrower has gone: the device is reset, upon which it leaves and comes back as another one. */
  giveBack(): void {
    this.#borrower = null;
    if (!this.#isGone) this.port.reset();
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.#description !== null) this.#borrower?.completed(slot, status, actualBytes);
    else if (status === UsbStatus.ok) this.#readOn(this.#buffer.subarray(0, actualBytes));
    else if (status !== UsbStatus.gone) this.#stopReading("it refuses GET_DESCRIPTOR");
  }

  detached(): void {
    this.#isGone = true;
    const borrower = this.#borrower;
    this.#borrower = null;
    this.#options.onGone(this);
    borrower?.detached();
  }

  /** Device descriptor; then, of each configuration, its header and the whole. */
  #readOn(answer: Uint8Array): void {
    const index = this.#read.length - 1;
    if (index < 0) {
      this.#read.push(answer.slice());
      this.#ask(0x0200, 9);
      return;
    }
    const total = answer.length >= 4 ? answer[2] | (answer[3] << 8) : 0;
    if (this.#buffer.length === 9 && answer.length === 9 && total > 9) {
      this.#ask(0x0200 | index, total);
      return;
    }
    this.#read.push(answer.slice());
    const count = Math.min(configurationMaximum, this.#read[0][17] ?? 0);
    if (index + 1 < count) this.#ask(0x0200 | (index + 1), 9);
    else this.#stopReading("it has no configuration");
  }

  /** Takes what was read, if that is enough. */
  #stopReading(problem: string): void {
    const [device, ...configurations] = this.#read;
    if (configurations.length === 0) {
      this.#options.onReady(this, problem);
      return;
    }
    try {
      this.#description = {
        device: parseDeviceDescriptor(device),
        configurations: configurations.map((bytes) => viewConfiguration(bytes).configuration),
        bytes: this.#read,
      };
      this.#options.onReady(this, null);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#options.onReady(this, error.message);
    }
  }

  #ask(wValue: number, length: number): void {
    this.#buffer = new Uint8Array(length);
    const value = [wValue & 0xff, wValue >> 8];
    const setup = Uint8Array.of(
      directionIn,
      StandardRequest.getDescriptor,
      ...value,
      0,
      0,
      length & 0xff,
      length >> 8,
    );
    const submitted = this.port.control(0, setup, this.#buffer, 0);
    if (submitted !== UsbSubmit.accepted && submitted !== UsbSubmit.gone) {
      this.#stopReading("it refuses control requests");
    }
  }
}
