// P01's wrong app: one write, and what a read gives is taken for a message.

import type { EAAccessory, EASession } from "@drydock/core/families/accessory/ea-accessory-manager";
import type { EAInputStream, EAOutputStream, StreamEvent } from "@drydock/core/families/accessory/ea-streams";
import { type AppPlace, echoProtocol } from "./accessory-bench.ts";

/** Reads as the old sample does, in pieces of 128 bytes, and believes each piece to be whole. */
const readBytes = 128;

export class CarelessApp {
  readonly messages: Uint8Array[] = [];
  session: EASession | null = null;
  readonly #place: AppPlace;
  readonly #all: Uint8Array;
  #hasWritten = false;

  /** `all`: everything it wants to say, length before each message. */
  constructor(place: AppPlace, all: Uint8Array) {
    this.#place = place;
    this.#all = all;
    place.manager.registerForLocalNotifications((name, accessory) => {
      if (name === "EAAccessoryDidConnect") this.#connect(accessory);
    });
    for (const accessory of place.manager.connectedAccessories) this.#connect(accessory);
  }

  #connect(accessory: EAAccessory): void {
    this.session = this.#place.manager.openSession(accessory, echoProtocol);
    if (this.session === null) {
      this.#place.log(`EASession initWithAccessory:forProtocol: ${echoProtocol} returned nil`);
      return;
    }
    for (const stream of [this.session.inputStream, this.session.outputStream]) {
      stream.delegate = { stream: (from, event) => this.#heard(from, event) };
      stream.schedule(this.#place.runLoop);
      stream.open();
    }
  }

  #heard(stream: EAInputStream | EAOutputStream, event: StreamEvent): void {
    if (event === "hasSpaceAvailable" && !this.#hasWritten) {
      this.#hasWritten = true;
      // How many bytes were taken is not looked at.
      (stream as EAOutputStream).write(this.#all);
    } else if (event === "hasBytesAvailable")
      this.messages.push((stream as EAInputStream).read(readBytes).slice(2));
  }
}
