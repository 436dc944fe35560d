// The serial ports of a live machine as RFC 2217 servers: one TCP port each, kept while a device is away.

import { shown } from "@drydock/core/base/shown-text";
import type { IOSerialBSDClient } from "@drydock/core/families/serial/io-serial-bsd-client";
import { Rfc2217Server } from "@drydock/core/outlets/rfc2217/rfc2217-server";
import type { ByteStream } from "@drydock/core/ports/byte-stream";
import type { Scheduler } from "@drydock/core/runtime/scheduler";
import { HostClock } from "@drydock/node/host-clock";
import { listenRfc2217 } from "@drydock/node/rfc2217-listener";
import type { Listener } from "@drydock/node/socket-stream";
import { systemCode } from "@drydock/node/system-words";
import type { CommandIo } from "../terminal/command-io.ts";
import { type QuietLines, quietLines } from "../terminal/quiet-lines.ts";

/** RFC 2217 has neither passwords nor encryption: this machine only. */
const host = "127.0.0.1";

/** One TCP port, and the serial port behind it while there is one. */
class Place {
  server: Rfc2217Server | null = null;
  listener: Listener | null = null;

  accept(stream: ByteStream, peer: string): void {
    if (this.server !== null) {
      this.server.accept(stream, peer);
      return;
    }
    stream.connect({ received: () => {}, drained: () => {}, closed: () => {} });
    stream.write(new TextEncoder().encode("the device is not there\r\n"));
    stream.close();
  }
}

export class LiveRfc2217 {
  readonly #first: number;
  readonly #scheduler: Scheduler;
  readonly #lines: QuietLines;
  readonly #places: Place[] = [];
  /** By the name of the serial port. */
  readonly #byName = new Map<string, Place>();

  private constructor(first: number, scheduler: Scheduler, io: CommandIo) {
    this.#first = first;
    this.#scheduler = scheduler;
    this.#lines = quietLines((text) => io.event(`  ${shown(text)}`), new HostClock());
  }

  /** Listens on `first`, before anything runs; further serial ports get the numbers behind it. 0: free ones. */
  static async start(first: number, scheduler: Scheduler, io: CommandIo): Promise<LiveRfc2217> {
    const made = new LiveRfc2217(first, scheduler, io);
    await made.#listen();
    return made;
  }

  /** Offers a port that has appeared; the place where clients find it, for `rfc2217://`. */
  async open(service: IOSerialBSDClient): Promise<{ readonly host: string; readonly port: number }> {
    const known = this.#byName.get(service.name);
    const place = known ?? this.#places.find(({ server }) => server === null) ?? (await this.#listen());
    this.#byName.set(service.name, place);
    place.server = new Rfc2217Server(service, {
      clock: this.#scheduler,
      onEvent: this.#lines.say,
    });
    return { host, port: place.listener?.port ?? 0 };
  }

  gone(service: IOSerialBSDClient): void {
    const place = this.#byName.get(service.name);
    if (place !== undefined) place.server = null;
  }

  async close(): Promise<void> {
    for (const { server, listener } of this.#places) {
      server?.close();
      await listener?.close();
    }
    this.#lines.end();
  }

  async #listen(): Promise<Place> {
    const port = this.#first === 0 ? 0 : this.#first + this.#places.length;
    const place = new Place();
    this.#places.push(place);
    try {
      place.listener = await listenRfc2217(
        { accept: (stream, peer) => place.accept(stream, peer ?? "a client") },
        { host, port, steps: this.#scheduler },
      );
    } catch (error) {
      const code = systemCode(error);
      const why = code === "EADDRINUSE" ? "is taken" : code === "EACCES" ? "is not for this user" : null;
      if (why === null) throw error;
      throw new Error(`${host} port ${port} ${why}: choose another with --rfc2217 (0: a free one)`);
    }
    return place;
  }
}
