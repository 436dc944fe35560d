// Brings a device of libusb in: opens it, watches it leave, makes a new port after each reset, gives it back.

import type { Clock } from "../../base/clock.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { LibusbClaims } from "./libusb-claims.ts";
import { libusbErrorName } from "./libusb-codes.ts";
import { type LibusbClient, type LibusbDevice, LibusbError } from "./libusb-device.ts";
import { LibusbPort } from "./libusb-port.ts";

export interface LibusbImporterOptions {
  readonly clock: Clock;
  readonly device: LibusbDevice;
  /** Told of each attachment, with a port that nobody has connected to yet: as SimUsbBus tells it. */
  readonly onAttach: (port: UsbHostPort) => void;
  /** Why there is no device, or why part of it is not usable. */
  readonly onProblem?: (reason: string) => void;
  /** Told once, when the device is closed: it has left, or `stop` gave it back. */
  readonly onEnd?: () => void;
}

/** Holds one device until it leaves or `stop` gives it back. `onAttach` is called inside the constructor. */
export class LibusbImporter implements LibusbClient {
  readonly #options: LibusbImporterOptions;
  readonly #claims: LibusbClaims;
  #port: LibusbPort | null = null;
  #isStopping = false;
  #isClosed = false;

  constructor(options: LibusbImporterOptions) {
    this.#options = options;
    const onProblem = (reason: string): void => options.onProblem?.(reason);
    this.#claims = new LibusbClaims(options.device, onProblem);
    const error = options.device.open(this);
    if (error !== LibusbError.success) {
      this.#isClosed = true;
      onProblem(`the device cannot be opened: ${explain(error, options.device)}`);
      return;
    }
    this.#attach();
  }

  /** The port of now, null before and after. */
  get port(): LibusbPort | null {
    return this.#port;
  }

  /** Gives the device back: its port is over, the system's drivers may have it again. `onEnd` tells when. */
  stop(): void {
    if (this.#isStopping) return;
    this.#isStopping = true;
    this.#options.clock.after(0, () => this.#port?.leave(), undefined);
  }

  completed(slot: number, status: number, actualBytes: number): void {
    this.#port?.completed(slot, status, actualBytes);
  }

  left(): void {
    this.#isStopping = true;
    this.#port?.leave();
  }

  #attach(): void {
    const { clock, device } = this.#options;
    const port = new LibusbPort(device, {
      clock,
      claims: this.#claims,
      speed: device.speed,
      locationId: locationOf(device),
      onOver: (wantsReset) => void this.#over(wantsReset),
      onProblem: (reason) => this.#options.onProblem?.(reason),
    });
    this.#port = port;
    this.#options.onAttach(port);
  }

  async #over(wantsReset: boolean): Promise<void> {
    this.#port = null;
    const { device, onProblem } = this.#options;
    if (!wantsReset || this.#isStopping) {
      await this.#close();
      return;
    }
    await this.#claims.releaseAll();
    const error = await new Promise<number>((resolve) => device.reset(resolve));
    if (error === LibusbError.success && !this.#isStopping) {
      this.#attach();
      return;
    }
    if (error !== LibusbError.success)
      onProblem?.(`the device did not come back from a reset: ${libusbErrorName(error)}`);
    await this.#close();
  }

  async #close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    await this.#claims.giveBack();
    this.#options.device.close();
    this.#options.onEnd?.();
  }
}

/** Bus number in the top byte, then a digit per port. */
function locationOf({ busNumber, portNumbers }: LibusbDevice): number {
  let location = (busNumber & 0xff) * 0x100_0000;
  portNumbers.slice(0, 6).forEach((port, depth) => {
    location += (port & 0xf) * 2 ** (20 - 4 * depth);
  });
  return location;
}

/** What to do about it, in a sentence. */
function explain(error: number, { idVendor, idProduct }: LibusbDevice): string {
  const name = libusbErrorName(error);
  const hex = (value: number): string => value.toString(16).padStart(4, "0");
  if (error === LibusbError.access) {
    return `${name}: this user may not. On Linux a udev rule allows it: SUBSYSTEM=="usb", ATTR{idVendor}=="${hex(idVendor)}", ATTR{idProduct}=="${hex(idProduct)}", MODE="0660", TAG+="uaccess"`;
  }
  if (error === LibusbError.notSupported || error === LibusbError.notFound)
    return `${name}: on Windows the device needs the WinUSB driver`;
  return error === LibusbError.noDevice ? `${name}: it has left` : name;
}
