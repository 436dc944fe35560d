// P01's right app: a session layer that queues what has no space, frames what has no boundaries, and comes back.

import { FramedReader, framed } from "@drydock/core/codec/framed-messages";
import type { EAAccessory, EASession } from "@drydock/core/families/accessory/ea-accessory-manager";
import type { EAInputStream, EAOutputStream, StreamEvent } from "@drydock/core/families/accessory/ea-streams";
import { type AppPlace, echoProtocol } from "./accessory-bench.ts";

const readBytes = 4096;

export class SessionApp {
  /** Whole messages, in order. */
  readonly messages: Uint8Array[] = [];
  /** Told when a session is there: what the app wants to say first. */
  onSession: (() => void) | null = null;
  /** Told of each whole message. */
  onMessage: ((message: Uint8Array) => void) | null = null;
  sessions = 0;
  readonly #place: AppPlace;
  #session: EASession | null = null;
  #hasSpace = false;
  #queue: Uint8Array[] = [];
  #queueAt = 0;
  readonly #reader = new FramedReader();

  constructor(place: AppPlace) {
    this.#place = place;
    place.manager.registerForLocalNotifications((name, accessory) => {
      if (name === "EAAccessoryDidConnect") this.#connect(accessory);
      else if (this.#session?.accessory === accessory) this.#leave();
    });
    // What was there before anybody listened is told by nobody.
    for (const accessory of place.manager.connectedAccessories) this.#connect(accessory);
  }

  get isConnected(): boolean {
    return this.#session !== null;
  }

  /** Queued; goes out as space is told. Nothing is kept for a session to come: its messages are that session's. */
  send(message: Uint8Array): void {
    if (this.#session === null) return;
    this.#queue.push(framed(message));
    this.#drain();
  }

  #connect(accessory: EAAccessory): void {
    if (this.#session !== null || !accessory.protocolStrings.includes(echoProtocol)) return;
    const session = this.#place.manager.openSession(accessory, echoProtocol);
    if (session === null) {
      this.#place.log(`EASession initWithAccessory:forProtocol: ${echoProtocol} returned nil`);
      return;
    }
    this.#session = session;
    this.sessions++;
    for (const stream of [session.inputStream, session.outputStream]) {
      stream.delegate = { stream: (from, event) => this.#heard(session, from, event) };
      stream.schedule(this.#place.runLoop);
      stream.open();
    }
    this.onSession?.();
  }

  #heard(session: EASession, stream: EAInputStream | EAOutputStream, event: StreamEvent): void {
    if (session !== this.#session) return;
    if (event === "hasSpaceAvailable") {
      this.#hasSpace = true;
      this.#drain();
    } else if (event === "hasBytesAvailable") this.#take((stream as EAInputStream).read(readBytes));
    else if (event === "endEncountered" || event === "errorOccurred") this.#leave();
  }

  #drain(): void {
    while (this.#hasSpace && this.#queue.length > 0 && this.#session !== null) {
      const [first] = this.#queue;
      const taken = this.#session.outputStream.write(first.subarray(this.#queueAt));
      if (taken <= 0) {
        // Space is told again, once there is some.
        this.#hasSpace = false;
        return;
      }
      this.#queueAt += taken;
      if (this.#queueAt < first.length) continue;
      this.#queue.shift();
      this.#queueAt = 0;
    }
  }

  #take(bytes: Uint8Array): void {
    for (const message of this.#reader.take(bytes)) {
      this.messages.push(message);
      this.onMessage?.(message);
    }
  }

  /** Streams end before or after the notification: whichever comes first takes all down, the other finds nothing. */
  #leave(): void {
    const session = this.#session;
    if (session === null) return;
    this.#session = null;
    this.#queue = [];
    this.#queueAt = 0;
    this.#hasSpace = false;
    this.#reader.clear();
    for (const stream of [session.inputStream, session.outputStream]) {
      stream.unschedule();
      stream.delegate = null;
    }
    session.close();
  }
}
