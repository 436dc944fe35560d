// One connection of a usbredir host: hello, announcing, resets that the guest does not notice, departure.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { second } from "../../base/units.ts";
import { UsbredirCapability, type UsbredirId } from "../../codec/usbredir/usbredir.ts";
import { encodeUsbredir, type UsbredirMessage } from "../../codec/usbredir/usbredir-messages.ts";
import { UsbredirReader } from "../../dissect/usbredir-reader.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import type { UsbStatus } from "../../ports/usb-host.ts";
import type { LentUsbDevice, UsbBorrower, UsbDescription } from "../lent-usb-device.ts";
import { describeConnect } from "./usbredir-description.ts";
import { UsbredirTransfers } from "./usbredir-transfers.ts";

const version = "drydock";
const announced =
  UsbredirCapability.bulkStreams |
  UsbredirCapability.deviceVersion |
  UsbredirCapability.disconnectAck |
  UsbredirCapability.packetSizes |
  UsbredirCapability.wideIds |
  UsbredirCapability.longBulk;

/** A stranger that has not said hello by then is let go: the device is for one guest at a time. */
const helloPatienceNs = 10 * second;
/** A device that is not back so long after a reset has left. */
const resetPatienceNs = 5 * second;

/** Where the device of a session comes from. */
export interface UsbredirPlace {
  /** Described, attached, lent to nobody; null when there is none now. */
  readonly available: LentUsbDevice | null;
}

export interface UsbredirSessionOptions {
  readonly clock: Clock;
  readonly place: UsbredirPlace;
  readonly onEvent: (text: string) => void;
  /** The guest has said hello; false: somebody else was quicker. */
  readonly onHello: (session: UsbredirSession) => boolean;
  readonly onEnd: (session: UsbredirSession) => void;
}

/**
 * `idle`: the guest knows of no device. `announced`: it has one. `resetting`: it has one and asked for a reset, from
 * which the device has not come back; nothing more is read from the guest until then. `leaving`: it was told that its
 * device is gone and has not acknowledged it; what it still sends is for the old device and dropped.
 */
type Phase = "idle" | "announced" | "resetting" | "leaving";

/**
 * A port ends when it is reset and the device comes back as another port; here the guest keeps its device through that,
 * if it comes back with the same descriptors. A device that leaves by itself is disconnected, and connected again when
 * it returns, in the same session.
 *
 * Bounded: 178 packets and 64 MiB of buffers, beyond which packets are answered with an I/O error; while the guest does
 * not read nothing more is read from it, nor from interrupt endpoints.
 */
export class UsbredirSession implements ByteStreamClient, UsbBorrower {
  readonly #stream: ByteStream;
  readonly #options: UsbredirSessionOptions;
  readonly #reader = new UsbredirReader("guest", announced);
  #lent: LentUsbDevice | null = null;
  #transfers: UsbredirTransfers | null = null;
  /** Of the device that the guest knows. */
  #known: UsbDescription | null = null;
  #phase: Phase = "idle";
  #timer: TimerHandle;
  #isBehind = false;
  #isPaused = false;
  #isReading = false;
  #isOver = false;

  constructor(stream: ByteStream, options: UsbredirSessionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#timer = options.clock.after(helloPatienceNs, () => this.end("it says no hello"), undefined);
    stream.connect(this);
    this.#write(encodeUsbredir({ kind: "hello", version, capabilities: announced }, 0, 0));
  }

  /** Packets of the guest that are under way. */
  get pending(): number {
    return this.#transfers?.pending ?? 0;
  }

  /** Closes the connection and says why. */
  end(reason: string): void {
    if (this.#isOver) return;
    this.#options.onEvent(`was let go: ${reason}`);
    this.#finish();
    this.#stream.close();
  }

  /** The place has a device now. */
  deviceReady(): void {
    this.#takeDevice();
    this.#readOn();
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#reader.push(bytes);
    this.#readOn();
  }

  drained(): void {
    if (!this.#isBehind || this.#isOver) return;
    this.#isBehind = false;
    this.#transfers?.resume();
    this.#updateFlow();
    this.#readOn();
  }

  closed(): void {
    if (this.#isOver) return;
    this.#options.onEvent("left");
    this.#finish();
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (!this.#isOver) this.#transfers?.completed(slot, status, actualBytes);
  }

  /** Everything pending was answered already. */
  detached(): void {
    this.#lent = null;
    this.#transfers = null;
    if (this.#isOver) return;
    if (this.#phase === "announced") this.#depart("the device left the bus");
    this.#takeDevice();
    this.#readOn();
  }

  /** Borrows what the place has, and tells the guest unless it thinks that it has this device already. */
  #takeDevice(): void {
    const { capabilities } = this.#reader;
    if (this.#isOver || capabilities === null) return;
    if (this.#lent === null) {
      const { available } = this.#options.place;
      const description = available?.description ?? null;
      if (available === null || description === null) return;
      available.lend(this);
      this.#lent = available;
      this.#transfers = new UsbredirTransfers({
        lent: available,
        description,
        capabilities,
        write: (bytes) => this.#write(bytes),
      });
      if (this.#isBehind) this.#transfers.hold();
      if (this.#phase === "resetting") {
        if (isSame(description, this.#known)) {
          this.#enter("announced");
          return;
        }
        this.#depart("the device came back from a reset as another one");
      }
    }
    if (this.#phase === "idle") this.#announce();
  }

  #announce(): void {
    const lent = this.#lent;
    const description = lent?.description ?? null;
    if (lent === null || description === null) return;
    this.#known = description;
    this.#enter("announced");
    this.#transfers?.sendInformation(0);
    this.#send(describeConnect(lent.port.speed, description), 0);
    this.#options.onEvent("has the device");
  }

  #depart(reason: string): void {
    this.#options.onEvent(`lost the device: ${reason}`);
    this.#send({ kind: "deviceDisconnect" }, 0);
    const isAcknowledged = ((this.#reader.capabilities ?? 0) & UsbredirCapability.disconnectAck) !== 0;
    this.#enter(isAcknowledged ? "leaving" : "idle");
  }

  #enter(phase: Phase): void {
    if (this.#phase === "resetting") this.#options.clock.cancel(this.#timer);
    this.#phase = phase;
    this.#updateFlow();
  }

  #reset(): void {
    const { clock } = this.#options;
    this.#enter("resetting");
    this.#timer = clock.after(resetPatienceNs, this.#giveUpReset, undefined);
    this.#lent?.port.reset();
  }

  readonly #giveUpReset = (): void => {
    if (this.#isOver || this.#phase !== "resetting") return;
    this.#depart("the device did not come back from a reset");
    this.#takeDevice();
    this.#readOn();
  };

  #readOn(): void {
    if (this.#isReading || this.#isOver) return;
    this.#isReading = true;
    const reader = this.#reader;
    try {
      while (!this.#isOver && !this.#isPaused) {
        const message = reader.next();
        if (message === null) break;
        this.#handle(message, reader.id);
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.end(
        reader.capabilities === null ? `it does not speak usbredir (${error.message})` : error.message,
      );
    } finally {
      this.#isReading = false;
    }
  }

  #handle(message: UsbredirMessage, id: UsbredirId): void {
    switch (message.kind) {
      case "hello":
        this.#options.clock.cancel(this.#timer);
        if (!this.#options.onHello(this)) {
          this.end("another guest has the device");
          return;
        }
        this.#options.onEvent(`is ${JSON.stringify(message.version)}`);
        this.#takeDevice();
        return;
      case "deviceDisconnectAck":
        if (this.#phase !== "leaving") return;
        this.#enter("idle");
        this.#takeDevice();
        return;
      case "filterReject":
        this.end("its filter rejects the device");
        return;
      case "filterFilter":
        return;
      case "reset":
        if (this.#phase === "announced") this.#reset();
        return;
      default:
        // Without a device, what comes was sent before the guest knew that.
        if (this.#phase !== "announced" || this.#transfers === null) return;
        if (!this.#transfers.handle(message, id)) {
          throw new DecodeError("usbredir packet", 0, `${message.kind} is not for a guest to send`);
        }
    }
  }

  #updateFlow(): void {
    const mustPause = this.#isBehind || this.#phase === "resetting";
    if (mustPause === this.#isPaused || this.#isOver) return;
    this.#isPaused = mustPause;
    if (mustPause) this.#stream.pause();
    else this.#stream.resume();
  }

  #send(message: UsbredirMessage, id: UsbredirId): void {
    this.#write(encodeUsbredir(message, id, this.#reader.capabilities ?? 0));
  }

  #write(bytes: Uint8Array): void {
    if (this.#isOver || this.#stream.write(bytes) || this.#isBehind) return;
    this.#isBehind = true;
    this.#transfers?.hold();
    this.#updateFlow();
  }

  #finish(): void {
    this.#isOver = true;
    this.#options.clock.cancel(this.#timer);
    this.#reader.clear();
    const lent = this.#lent;
    this.#lent = null;
    this.#transfers = null;
    lent?.giveBack();
    this.#options.onEnd(this);
  }
}

/** The same device, by everything that it says of itself. */
function isSame(left: UsbDescription, right: UsbDescription | null): boolean {
  if (right === null || left.bytes.length !== right.bytes.length) return false;
  return left.bytes.every((bytes, index) => {
    const others = right.bytes[index];
    return bytes.length === others.length && bytes.every((byte, at) => byte === others[at]);
  });
}
