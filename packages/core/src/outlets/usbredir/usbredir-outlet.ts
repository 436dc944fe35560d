// A usbredir host: offers the device of one place to one guest at a time, QEMU for example.

import type { Clock } from "../../base/clock.ts";
import type { ByteStream } from "../../ports/byte-stream.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { LentUsbDevice } from "../lent-usb-device.ts";
import { type UsbredirPlace, UsbredirSession } from "./usbredir-session.ts";

export interface UsbredirOutletOptions {
  readonly clock: Clock;
  /** Short sentences for a live log. */
  readonly onEvent?: (text: string) => void;
  /** Told when a device can be had, also when it comes back after a reset. */
  readonly onReady?: () => void;
  /** Told when a guest has left, with its name as `accept` got it. */
  readonly onGuestLeft?: (peer: string) => void;
}

/** Connections that have not said hello; beyond these the oldest is let go. */
const silentMaximum = 1024;

/**
 * The protocol has one device per connection, so an outlet stands for one place: a connector of a bus. Give `attach`
 * every port that appears there, and `accept` every connection, whichever side has made it. A guest may come before the
 * device; a device that is unplugged and comes back is announced again on the same connection. When the guest leaves
 * the device is reset.
 */
export class UsbredirOutlet implements UsbredirPlace {
  readonly #options: UsbredirOutletOptions;
  #device: LentUsbDevice | null = null;
  /** The guest that has said hello. */
  #session: UsbredirSession | null = null;
  /** Those that have not, in the order they came: the place is nobody's until somebody does. */
  readonly #silent = new Set<UsbredirSession>();

  constructor(options: UsbredirOutletOptions) {
    this.#options = options;
  }

  get available(): LentUsbDevice | null {
    const device = this.#device;
    return device === null || device.description === null || device.isBusy || device.isGone ? null : device;
  }

  get hasGuest(): boolean {
    return this.#session !== null;
  }

  /** Packets of the guest that are under way. */
  get pending(): number {
    return this.#session?.pending ?? 0;
  }

  /** The device of this place, with a port that nobody has connected to. It replaces the one before. */
  attach(port: UsbHostPort): void {
    this.#device = new LentUsbDevice(port, {
      onReady: (lent, problem) => {
        if (problem !== null) {
          this.#say(`the device cannot be offered: ${problem}`);
          return;
        }
        if (lent !== this.#device) return;
        this.#options.onReady?.();
        this.#session?.deviceReady();
      },
      onGone: (lent) => {
        if (lent === this.#device) this.#device = null;
      },
    });
  }

  /** Serves one connection until it closes. While a guest has the device, others are closed. */
  accept(stream: ByteStream, peer = "the guest"): void {
    if (this.#session !== null) {
      this.#say(`${peer} was turned away: another guest has the device`);
      stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
      stream.close();
      return;
    }
    if (this.#silent.size >= silentMaximum) {
      const [oldest] = this.#silent;
      oldest?.end("it had said no hello, and a newer one came");
    }
    const session = new UsbredirSession(stream, {
      clock: this.#options.clock,
      place: this,
      onEvent: (text) => this.#say(`${peer} ${text}`),
      onHello: (self) => {
        if (this.#session !== null) return false;
        this.#silent.delete(self);
        this.#session = self;
        return true;
      },
      onEnd: (self) => {
        this.#silent.delete(self);
        if (this.#session !== self) return;
        this.#session = null;
        this.#options.onGuestLeft?.(peer);
      },
    });
    this.#silent.add(session);
  }

  /** Ends the connection; the device stays attached. */
  close(): void {
    for (const session of [...this.#silent]) session.end("the outlet closes");
    this.#session?.end("the outlet closes");
  }

  #say(text: string): void {
    this.#options.onEvent?.(text);
  }
}
