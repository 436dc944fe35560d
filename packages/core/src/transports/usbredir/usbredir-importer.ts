// Takes the devices that a usbredir host offers on one connection, one after the other, and connects again.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { DecodeError } from "../../base/errors.ts";
import { second } from "../../base/units.ts";
import { directionIn } from "../../codec/usb/setup.ts";
import { UsbredirCapability, type UsbredirId } from "../../codec/usbredir/usbredir.ts";
import {
  encodeUsbredir,
  type UsbredirDeviceConnect,
  type UsbredirMessage,
} from "../../codec/usbredir/usbredir-messages.ts";
import { UsbredirReader } from "../../dissect/usbredir-reader.ts";
import type { ByteStream, ByteStreamClient } from "../../ports/byte-stream.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import { type Attempt, KeptConnection, type KeptConnectionOptions } from "../kept-connection.ts";
import { type UsbredirAnswer, type UsbredirLink, UsbredirPort } from "./usbredir-port.ts";

const version = "drydock";
/** Neither a filter nor buffered bulk: a host then announces neither. */
const announced =
  UsbredirCapability.bulkStreams |
  UsbredirCapability.deviceVersion |
  UsbredirCapability.disconnectAck |
  UsbredirCapability.packetSizes |
  UsbredirCapability.wideIds |
  UsbredirCapability.longBulk;

/** A host that says no hello for so long is given up. */
const helloPatienceNs = 10 * second;
/** Answers to packets of devices that were reset or left, which may still come; a host that owes more is given up. */
const orphansMaximum = 4096;

export interface UsbredirImporterOptions extends KeptConnectionOptions {
  /** A fresh connection to the host; called for each attempt. */
  readonly connect: () => ByteStream;
  /** Told of each attachment, with a port that nobody has connected to yet: as SimUsbBus tells it. */
  readonly onAttach: (port: UsbHostPort) => void;
  /** Where the device appears. Default: bus 3, connector 1. */
  readonly locationId?: number;
}

/**
 * Each device, and each reset of one, is a new port; a device that leaves is that port's surprise removal. A host that
 * breaks the protocol is let go.
 */
export class UsbredirImporter {
  readonly #kept: KeptConnection;

  constructor(options: UsbredirImporterOptions) {
    this.#kept = new KeptConnection(options, (onEnd) => new Connection(options, onEnd));
  }

  /** Gives the device back and does not come again. */
  stop(): void {
    this.#kept.stop();
  }
}

class Connection implements Attempt, ByteStreamClient, UsbredirLink {
  readonly clock: Clock;
  readonly #options: UsbredirImporterOptions;
  readonly #stream: ByteStream;
  readonly #reader = new UsbredirReader("host", announced);
  readonly #onEnd: (reason: string) => void;
  readonly #timer: TimerHandle;
  /** Ids that a port has left behind unanswered. */
  readonly #orphans = new Set<UsbredirId>();
  #device: UsbredirDeviceConnect | null = null;
  #port: UsbredirPort | null = null;
  #nextId = 1;
  #isOver = false;

  constructor(options: UsbredirImporterOptions, onEnd: (reason: string) => void) {
    this.clock = options.clock;
    this.#options = options;
    this.#onEnd = onEnd;
    this.#timer = options.clock.after(helloPatienceNs, this.#giveUp, undefined);
    this.#stream = options.connect();
    this.#stream.connect(this);
    this.#stream.write(encodeUsbredir({ kind: "hello", version, capabilities: announced }, 0, 0));
  }

  get capabilities(): number {
    return this.#reader.capabilities ?? 0;
  }

  close(): void {
    this.#stream.close();
  }

  /** 32 bits that are never 0 and not in use. */
  takeId(): number {
    const id = this.#nextId;
    this.#nextId = id === 0xffff_ffff ? 1 : id + 1;
    return id;
  }

  send(message: UsbredirMessage, id: UsbredirId): void {
    if (!this.#isOver) this.#stream.write(encodeUsbredir(message, id, this.capabilities));
  }

  leave(ids: Iterable<UsbredirId>): void {
    for (const id of ids) this.#orphans.add(id);
  }

  /** The device begins anew as another port; what is asked of it from now on is behind the reset in the stream. */
  reset(): void {
    this.send({ kind: "reset" }, 0);
    const port = this.#port;
    this.#port = null;
    // Not inside the call of the port.
    this.clock.after(
      0,
      () => {
        port?.over();
        if (this.#orphans.size > orphansMaximum) this.fail("the host does not answer");
        else if (!this.#isOver && this.#port === null && this.#device !== null) this.#attach();
      },
      undefined,
    );
  }

  fail(reason: string): void {
    this.#end(reason);
    this.#stream.close();
  }

  received(bytes: Uint8Array): void {
    if (this.#isOver) return;
    this.#reader.push(bytes);
    try {
      while (!this.#isOver) {
        const message = this.#reader.next();
        if (message === null) break;
        this.#handle(message, this.#reader.id);
      }
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.fail(error.message);
    }
  }

  drained(): void {}

  closed(): void {
    this.#end("the host closed the connection");
  }

  #handle(message: UsbredirMessage, id: UsbredirId): void {
    switch (message.kind) {
      case "hello":
        this.clock.cancel(this.#timer);
        return;
      case "deviceConnect":
        if (this.#device !== null) throw wrong("a second device on one connection");
        this.#device = message;
        this.#attach();
        return;
      case "deviceDisconnect":
        this.#disconnect();
        return;
      case "interfaceInfo":
      case "endpointInfo":
      // The port learns the same, and more, from the descriptors that pass by.
      case "filterFilter":
      case "bulkReceivingStatus":
        return;
      case "isoStreamStatus":
      case "interruptReceivingStatus":
      case "bulkStreamsStatus":
        // Those of a port that has gone are nobody's.
        this.#port?.told(message);
        return;
      case "interruptPacket":
        if ((message.endpoint & directionIn) !== 0) this.#port?.told(message);
        else this.#answer(message, id);
        return;
      case "isoPacket":
        if ((message.endpoint & directionIn) === 0) throw wrong("an isochronous packet of an OUT");
        this.#port?.told(message);
        return;
      case "controlPacket":
      case "bulkPacket":
      case "configurationStatus":
      case "alternateStatus":
        this.#answer(message, id);
        return;
      default:
        throw wrong(`${message.kind} is not for a host to send`);
    }
  }

  #answer(message: UsbredirAnswer, id: UsbredirId): void {
    if (this.#port?.answered(message, id) === true || this.#orphans.delete(id)) return;
    throw wrong(`packet ${id} was never asked or is answered already`);
  }

  #attach(): void {
    this.#port = new UsbredirPort(this, {
      device: this.#device as UsbredirDeviceConnect,
      locationId: this.#options.locationId ?? 0x0310_0000,
    });
    this.#options.onAttach(this.#port);
  }

  #disconnect(): void {
    if (this.#device === null) throw wrong("a device leaves that never came");
    this.#device = null;
    const port = this.#port;
    this.#port = null;
    port?.over();
    if ((this.capabilities & UsbredirCapability.disconnectAck) !== 0)
      this.send({ kind: "deviceDisconnectAck" }, 0);
    this.#options.onProblem?.("the device left");
  }

  readonly #giveUp = (): void => this.fail("the host says no hello");

  #end(reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#reader.clear();
    this.clock.cancel(this.#timer);
    const port = this.#port;
    this.#port = null;
    port?.over();
    this.#onEnd(reason);
  }
}

function wrong(problem: string): DecodeError {
  return new DecodeError("usbredir host", 0, problem);
}
