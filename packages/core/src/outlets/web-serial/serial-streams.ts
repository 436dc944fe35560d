// The two streams of an open Web Serial port, over a SerialPort and without a DOM library.
// Web Serial API, Draft Community Group Report, §readable attribute and §writable attribute.

import type { SerialPort } from "../../ports/serial.ts";
import { copyBufferSource } from "../webusb/transfer-results.ts";

/** What programs use of a ReadableStream; Node and browsers have the class. */
export interface PortReadableStream {
  readonly locked: boolean;
  cancel(reason?: unknown): Promise<void>;
  getReader(options?: { mode: "byob" }): PortReader;
  pipeTo(destination: unknown, options?: unknown): Promise<void>;
  pipeThrough(transform: unknown, options?: unknown): PortReadableStream;
  tee(): [PortReadableStream, PortReadableStream];
}

export interface PortReader {
  readonly closed: Promise<void>;
  // A reader of the mode "byob" takes the view to fill.
  read(view?: ArrayBufferView): Promise<{ readonly done: boolean; readonly value?: Uint8Array }>;
  cancel(reason?: unknown): Promise<void>;
  releaseLock(): void;
}

/** What programs use of a WritableStream. */
export interface PortWritableStream {
  readonly locked: boolean;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  getWriter(): PortWriter;
}

export interface PortWriter {
  readonly closed: Promise<void>;
  readonly ready: Promise<void>;
  readonly desiredSize: number | null;
  write(chunk: ArrayBuffer | ArrayBufferView): Promise<void>;
  abort(reason?: unknown): Promise<void>;
  close(): Promise<void>;
  releaseLock(): void;
}

interface ByteController {
  readonly desiredSize: number | null;
  readonly byobRequest: { readonly view: Uint8Array | null; respond(count: number): void } | null;
  enqueue(chunk: Uint8Array): void;
  close(): void;
  error(reason: unknown): void;
}

interface SinkController {
  error(reason: unknown): void;
}

interface StreamHost {
  readonly ReadableStream: new (source: object, strategy: object) => PortReadableStream;
  readonly WritableStream: new (sink: object, strategy: object) => PortWritableStream;
}
const { ReadableStream, WritableStream } = globalThis as unknown as StreamHost;

/** What a stream asks of its port's link. */
export interface StreamOwner {
  settled(): void;
}

/** Most bytes that leave the port at once when the stream has no queue to fill. */
const blockBytes = 64 * 1024;

/** Takes bytes from the port only as the stream asks for them, so that a program that does not read holds the driver. */
export class SerialReadable {
  readonly stream: PortReadableStream;
  readonly #port: SerialPort;
  readonly #owner: StreamOwner;
  readonly #bufferSize: number;
  #controller: ByteController | null = null;
  #resume: (() => void) | null = null;
  /** What the port had when the line or the device failed: it is read before the error comes. */
  #before: Uint8Array = new Uint8Array(0);
  #failure: Error | null = null;
  #isOver = false;

  constructor(port: SerialPort, bufferSize: number, owner: StreamOwner) {
    this.#port = port;
    this.#owner = owner;
    this.#bufferSize = bufferSize;
    this.stream = new ReadableStream(
      {
        type: "bytes",
        start: (controller: ByteController) => {
          this.#controller = controller;
        },
        pull: () => this.#pull(),
        cancel: () => this.#cancelled(),
      },
      { highWaterMark: bufferSize },
    );
  }

  /** It was cancelled or has ended with an error: the port's next `readable` is another one. */
  get isOver(): boolean {
    return this.#isOver;
  }

  /** The port has bytes. */
  readable(): void {
    if (this.#resume !== null) this.#pump();
  }

  /** Ends the stream with `failure`, behind the bytes that came before it. Only the first counts. */
  failed(failure: Error): void {
    if (this.#isOver || this.#failure !== null) return;
    this.#before = takeAll(this.#port);
    this.#failure = failure;
    this.#pump();
  }

  #pull(): Promise<void> {
    return new Promise((resolve) => {
      this.#resume = resolve;
      this.#pump();
    });
  }

  /** Fills what was asked for; the pull ends when something came, or the stream did. */
  #pump(): void {
    const controller = this.#controller;
    if (controller === null || this.#isOver) return;
    const view = controller.byobRequest?.view ?? null;
    const room = view?.byteLength ?? Math.max(0, controller.desiredSize ?? 0);
    if (room === 0) return;
    const into = view ?? new Uint8Array(Math.min(room, blockBytes));
    const count = this.#take(into);
    if (count > 0) {
      const request = controller.byobRequest;
      if (request !== null) request.respond(count);
      else controller.enqueue(into.subarray(0, count));
    } else if (this.#failure !== null && controller.desiredSize === this.#bufferSize) {
      this.#isOver = true;
      controller.error(this.#failure);
    } else if (this.#failure === null) return;
    const resume = this.#resume;
    this.#resume = null;
    resume?.();
    this.#owner.settled();
  }

  #take(into: Uint8Array): number {
    if (this.#failure === null) return this.#port.read(into, 0, into.length);
    const count = Math.min(into.length, this.#before.length);
    new Uint8Array(into.buffer, into.byteOffset, count).set(this.#before.subarray(0, count));
    this.#before = this.#before.subarray(count);
    return count;
  }

  /** §readable attribute, cancel algorithm: what was received is thrown away. */
  #cancelled(): void {
    this.#isOver = true;
    this.#resume?.();
    this.#resume = null;
    if (this.#failure === null) this.#port.flush(false, true);
    this.#owner.settled();
  }
}

/** A write ends when the driver has taken its last byte. */
export class SerialWritable {
  readonly stream: PortWritableStream;
  readonly #port: SerialPort;
  readonly #owner: StreamOwner;
  #controller: SinkController | null = null;
  #writing: { bytes: Uint8Array; at: number; resolve(): void; reject(error: Error): void } | null = null;
  #failure: Error | null = null;
  #isOver = false;

  /** `drained` resolves when all that was written has left. */
  constructor(port: SerialPort, bufferSize: number, owner: StreamOwner, drained: () => Promise<void>) {
    this.#port = port;
    this.#owner = owner;
    this.stream = new WritableStream(
      {
        start: (controller: SinkController) => {
          this.#controller = controller;
        },
        write: (chunk: ArrayBuffer | ArrayBufferView) => this.#write(chunk),
        close: async () => {
          await drained();
          this.#isOver = true;
        },
        abort: () => this.#aborted(),
      },
      { highWaterMark: bufferSize, size: (chunk?: { byteLength?: number }) => chunk?.byteLength ?? 1 },
    );
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** The port has room. */
  writable(): void {
    this.#pump();
  }

  failed(failure: Error): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#failure = failure;
    this.#writing?.reject(failure);
    this.#writing = null;
    this.#controller?.error(failure);
    this.#owner.settled();
  }

  #write(chunk: ArrayBuffer | ArrayBufferView): Promise<void> {
    return new Promise((resolve, reject) => {
      let bytes: Uint8Array;
      try {
        bytes = copyBufferSource(chunk);
      } catch (error) {
        this.#isOver = true;
        reject(error);
        return;
      }
      if (this.#failure !== null) {
        reject(this.#failure);
        return;
      }
      this.#writing = { bytes, at: 0, resolve, reject };
      this.#pump();
    });
  }

  #pump(): void {
    const writing = this.#writing;
    if (writing === null) return;
    while (writing.at < writing.bytes.length) {
      const taken = this.#port.write(writing.bytes, writing.at, writing.bytes.length - writing.at);
      if (taken === 0) return;
      writing.at += taken;
    }
    this.#writing = null;
    writing.resolve();
    this.#owner.settled();
  }

  /** §writable attribute, abort algorithm: what has not left is thrown away. */
  #aborted(): void {
    this.#isOver = true;
    this.#writing?.resolve();
    this.#writing = null;
    if (this.#failure === null) this.#port.flush(true, false);
    this.#owner.settled();
  }
}

function takeAll(port: SerialPort): Uint8Array {
  const parts: Uint8Array[] = [];
  let total = 0;
  for (;;) {
    const block = new Uint8Array(4096);
    const count = port.read(block, 0, block.length);
    if (count === 0) break;
    parts.push(block.subarray(0, count));
    total += count;
  }
  const all = new Uint8Array(total);
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
