// A usbredir guest for tests: says what it is told to say, and keeps what it hears.

import { type UsbredirId, UsbredirStatus } from "../../../codec/usbredir/usbredir.ts";
import { encodeUsbredir, type UsbredirMessage } from "../../../codec/usbredir/usbredir-messages.ts";
import { UsbredirReader } from "../../../dissect/usbredir-reader.ts";
import type { ByteStream, ByteStreamClient } from "../../../ports/byte-stream.ts";

/** What QEMU 7.2 announces. */
const everything = 0xff;

export interface HeardPacket {
  readonly id: UsbredirId;
  readonly message: UsbredirMessage;
}

type Kind = UsbredirMessage["kind"];
type MessageOf<K extends Kind> = Extract<UsbredirMessage, { kind: K }>;

/** Throws DecodeError from `received` when the host sends what no host may. */
export class UsbredirGuest implements ByteStreamClient {
  readonly #stream: ByteStream;
  readonly #reader: UsbredirReader;
  /** Since the last `take`. */
  #heard: HeardPacket[] = [];
  isClosed = false;
  isBehind = false;
  /** When set, told of each packet instead of keeping it. */
  onPacket: ((packet: HeardPacket) => void) | null = null;

  /** Says hello at once, unless `announced` is null. */
  constructor(stream: ByteStream, announced: number | null = everything) {
    this.#stream = stream;
    this.#reader = new UsbredirReader("host", announced ?? 0);
    stream.connect(this);
    if (announced !== null) this.send({ kind: "hello", version: "test guest", capabilities: announced });
  }

  get capabilities(): number {
    return this.#reader.capabilities ?? 0;
  }

  /** Bytes of a packet as this guest sends it: for those who damage it first. */
  encode(message: UsbredirMessage, id: UsbredirId = 0): Uint8Array {
    return encodeUsbredir(message, id, this.capabilities);
  }

  send(message: UsbredirMessage, id: UsbredirId = 0): void {
    this.sendBytes(this.encode(message, id));
  }

  sendBytes(bytes: Uint8Array): void {
    if (!this.#stream.write(bytes)) this.isBehind = true;
  }

  /** A control request; an IN when bit 7 of `requestType` is set, of `length` bytes. */
  control(
    id: UsbredirId,
    [requestType, request, value, index]: readonly [number, number, number, number],
    data: Uint8Array | number = 0,
  ): void {
    const isIn = (requestType & 0x80) !== 0;
    const bytes = typeof data === "number" ? new Uint8Array(isIn ? 0 : data) : data;
    this.send(
      {
        kind: "controlPacket",
        endpoint: isIn ? 0x80 : 0,
        request,
        requestType,
        // QEMU leaves noise here.
        status: 0xee,
        value,
        index,
        length: typeof data === "number" ? data : data.length,
        data: bytes,
      },
      id,
    );
  }

  /** Asks for `length` bytes of a bulk IN endpoint. */
  bulkIn(id: UsbredirId, endpoint: number, length: number, stream = 0): void {
    const data = new Uint8Array(0);
    this.send({ kind: "bulkPacket", endpoint, status: UsbredirStatus.ok, length, stream, data }, id);
  }

  bulkOut(id: UsbredirId, endpoint: number, data: Uint8Array, stream = 0): void {
    const { length } = data;
    this.send({ kind: "bulkPacket", endpoint, status: UsbredirStatus.ok, length, stream, data }, id);
  }

  pause(): void {
    this.#stream.pause();
  }

  resume(): void {
    this.#stream.resume();
  }

  close(): void {
    this.#stream.close();
  }

  /** What was heard, and forgets it. */
  take(): HeardPacket[] {
    return this.#heard.splice(0);
  }

  /** The first packet of a kind that was heard, with this id where one is given. Forgets all that was heard. */
  takeOne<K extends Kind>(kind: K, id?: UsbredirId): MessageOf<K> {
    const all = this.take();
    const found = all.find((packet) => packet.message.kind === kind && (id ?? packet.id) === packet.id);
    if (found === undefined) {
      const heard = all.map((packet) => `${packet.message.kind} ${packet.id}`).join(", ");
      throw new Error(`no ${kind}${id === undefined ? "" : ` ${id}`} was heard, but: ${heard || "nothing"}`);
    }
    return found.message as MessageOf<K>;
  }

  received(bytes: Uint8Array): void {
    this.#reader.push(bytes);
    for (;;) {
      const message = this.#reader.next();
      if (message === null) return;
      // What is kept outlives the stream's bytes.
      const kept = "data" in message ? { ...message, data: message.data.slice() } : message;
      const packet = { id: this.#reader.id, message: kept };
      if (this.onPacket === null) this.#heard.push(packet);
      else this.onPacket(packet);
    }
  }

  drained(): void {
    this.isBehind = false;
  }

  closed(): void {
    this.isClosed = true;
  }
}
