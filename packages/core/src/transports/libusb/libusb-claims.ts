// Who has which interface of a device: what we claimed, and which of the system's drivers we sent away.

import { libusbErrorName } from "./libusb-codes.ts";
import { type LibusbDevice, LibusbError } from "./libusb-device.ts";

/** A port has no claims: everything is claimed for its driver when a configuration is chosen, and given back at the end. */
export class LibusbClaims {
  readonly #device: LibusbDevice;
  readonly #onProblem: (reason: string) => void;
  readonly #claimed = new Set<number>();
  readonly #detached = new Set<number>();

  constructor(device: LibusbDevice, onProblem: (reason: string) => void) {
    this.#device = device;
    this.#onProblem = onProblem;
  }

  /** Sends the system's drivers away from every interface of the configuration in force. */
  detachDrivers(): void {
    for (const number of this.#device.interfaceNumbers()) this.#detach(number);
  }

  /** A LibusbError. */
  claim(interfaceNumber: number): number {
    this.#detach(interfaceNumber);
    const error = this.#device.claimInterface(interfaceNumber);
    if (error === LibusbError.success) this.#claimed.add(interfaceNumber);
    return error;
  }

  /** Nothing may be under way on their endpoints. */
  async releaseAll(): Promise<void> {
    for (const number of this.#claimed) {
      this.#claimed.delete(number);
      // A device that has left has forgotten them by itself.
      await new Promise<number>((resolve) => this.#device.releaseInterface(number, resolve));
    }
  }

  /** Releases all and lets the system's drivers come back. */
  async giveBack(): Promise<void> {
    await this.releaseAll();
    for (const number of this.#detached) this.#device.attachKernelDriver(number);
    this.#detached.clear();
  }

  #detach(interfaceNumber: number): void {
    if (!this.#device.isKernelDriverActive(interfaceNumber)) return;
    const error = this.#device.detachKernelDriver(interfaceNumber);
    if (error === LibusbError.success) this.#detached.add(interfaceNumber);
    else if (error !== LibusbError.notSupported && error !== LibusbError.notFound) {
      this.#onProblem(
        `the system's driver stays on interface ${interfaceNumber} (${libusbErrorName(error)})`,
      );
    }
  }
}
