// One port as Web Serial's SerialPort: its states, the two streams, signals, what becomes of it at a disconnection.
// Web Serial API, Draft Community Group Report, §SerialPort Interface.

import type { Clock } from "../../base/clock.ts";
import { millisecond } from "../../base/units.ts";
import {
  defaultLineSettings,
  type LineSettings,
  type ModemStatus,
  type Parity,
  type ReceiveErrors,
  type SerialClient,
  type SerialPort,
} from "../../ports/serial.ts";
import { EventHandler, FaceEventTarget, faceError } from "../page-face.ts";
import {
  type PortReadableStream,
  type PortWritableStream,
  SerialReadable,
  SerialWritable,
} from "./serial-streams.ts";

/** §SerialOptions Dictionary. */
export interface WebSerialOptions {
  /** Bits per second, above 0. */
  baudRate: number;
  /** 7 or 8. Default 8. */
  dataBits?: number;
  /** 1 or 2. Default 1. */
  stopBits?: number;
  /** Default none. */
  parity?: "none" | "even" | "odd";
  /** Bytes of each stream's queue. Default 255. */
  bufferSize?: number;
  /** Default none. */
  flowControl?: "none" | "hardware";
}

/** §SerialPortInfo Dictionary; empty for a port that is not on USB. */
export interface WebSerialPortInfo {
  usbVendorId?: number;
  usbProductId?: number;
}

/** §SerialOutputSignals Dictionary. */
export interface WebSerialOutputSignals {
  dataTerminalReady?: boolean;
  requestToSend?: boolean;
  break?: boolean;
}

/** §SerialInputSignals Dictionary. */
export interface WebSerialInputSignals {
  dataCarrierDetect: boolean;
  clearToSend: boolean;
  ringIndicator: boolean;
  dataSetReady: boolean;
}

/** What a port asks of the `Serial` object that it belongs to. */
export interface WebSerialOwner {
  readonly clock: Clock;
  /** A promise was settled inside a callback of the port: continuations must run before time moves. */
  settled(): void;
  forget(port: WebSerialPort): void;
}

/** As Chromium has it. */
const largestBufferBytes = 16 * 1024 * 1024;
/** How often a closing stream looks whether all bytes have left. */
const drainLookNs = millisecond / 2;

type State = "closed" | "opening" | "opened" | "closing" | "forgotten";

/** The face itself, for `open` and its kin; members are those of Chromium's SerialPort and no others. */
export class WebSerialPort extends FaceEventTarget {
  readonly #link: SerialLink;
  readonly #onconnect = new EventHandler(this, "connect");
  readonly #ondisconnect = new EventHandler(this, "disconnect");

  constructor(link: SerialLink) {
    super();
    this.#link = link;
  }

  get [Symbol.toStringTag](): string {
    return "SerialPort";
  }

  get onconnect() {
    return this.#onconnect.value;
  }

  set onconnect(handler) {
    this.#onconnect.value = handler;
  }

  get ondisconnect() {
    return this.#ondisconnect.value;
  }

  set ondisconnect(handler) {
    this.#ondisconnect.value = handler;
  }

  /** False once the device has left. */
  get connected(): boolean {
    return this.#link.isConnected;
  }

  /** Null unless the port is open; a new stream after one that was cancelled or that ended with an error of the line. */
  get readable(): PortReadableStream | null {
    return this.#link.readableStream;
  }

  /** Null unless the port is open; a new stream after one that was closed or aborted. */
  get writable(): PortWritableStream | null {
    return this.#link.writableStream;
  }

  getInfo(): WebSerialPortInfo {
    return { ...this.#link.info };
  }

  /**
   * InvalidStateError unless the port is closed; TypeError for options outside their ranges; NetworkError when the device
   * has left, when somebody else has the port open, or when its driver refuses the line.
   */
  async open(options: WebSerialOptions): Promise<void> {
    await this.#link.open(options);
  }

  /** InvalidStateError unless the port is open; TypeError when no signal is named; NetworkError when the device has left. */
  async setSignals(signals: WebSerialOutputSignals = {}): Promise<void> {
    await this.#link.setSignals(signals);
  }

  /** InvalidStateError unless the port is open; NetworkError when the device has left. */
  async getSignals(): Promise<WebSerialInputSignals> {
    return this.#link.getSignals();
  }

  /** InvalidStateError unless the port is open; TypeError while a stream is locked: release its reader or writer first. */
  async close(): Promise<void> {
    await this.#link.close();
  }

  /** Closes it, and takes the grant away. */
  async forget(): Promise<void> {
    await this.#link.forget();
  }
}

/** Between the face and the port: who holds what, and what is under way. */
export class SerialLink implements SerialClient {
  readonly info: Readonly<WebSerialPortInfo>;
  readonly serialNumber: string | null;
  readonly face: WebSerialPort;
  readonly #port: SerialPort;
  readonly #owner: WebSerialOwner;
  #state: State = "closed";
  #isConnected = true;
  #settings: LineSettings = defaultLineSettings;
  #bufferSize = 255;
  #signals = { dtr: true, rts: true };
  #opening: ((problem: Error | null) => void) | null = null;
  #readable: SerialReadable | null = null;
  #writable: SerialWritable | null = null;

  constructor(
    port: SerialPort,
    about: { readonly info: WebSerialPortInfo; readonly serialNumber: string | null },
    owner: WebSerialOwner,
  ) {
    this.#port = port;
    this.info = about.info;
    this.serialNumber = about.serialNumber;
    this.#owner = owner;
    this.face = new WebSerialPort(this);
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  get readableStream(): PortReadableStream | null {
    if (this.#state !== "opened") return null;
    if (this.#readable?.isOver !== false) {
      if (!this.#isConnected) return null;
      this.#readable = new SerialReadable(this.#port, this.#bufferSize, this.#owner);
    }
    return this.#readable.stream;
  }

  get writableStream(): PortWritableStream | null {
    if (this.#state !== "opened") return null;
    if (this.#writable?.isOver !== false) {
      if (!this.#isConnected) return null;
      this.#writable = new SerialWritable(this.#port, this.#bufferSize, this.#owner, () => this.#drained());
    }
    return this.#writable.stream;
  }

  async open(options: WebSerialOptions): Promise<void> {
    if (this.#state === "forgotten") throw faceError("InvalidStateError", "the port was forgotten");
    if (this.#state === "opening") throw faceError("InvalidStateError", "the port is being opened already");
    if (this.#state !== "closed") throw faceError("InvalidStateError", "the port is open already");
    const { settings, bufferSize } = lineOf(options);
    if (!this.#isConnected) throw faceError("NetworkError", "the device has left");
    this.#settings = settings;
    this.#bufferSize = bufferSize;
    this.#signals = { dtr: true, rts: true };
    this.#state = "opening";
    try {
      await new Promise<void>((resolve, reject) => {
        this.#opening = (problem) => {
          this.#opening = null;
          if (problem === null) resolve();
          else reject(problem);
          this.#owner.settled();
        };
        const refusal = this.#port.open(this);
        if (refusal === null) this.#port.configure(settings);
        else this.refused(refusal);
      });
    } catch (error) {
      // It may have been forgotten meanwhile.
      if (this.#state === "opening") this.#state = "closed";
      throw error;
    }
  }

  async setSignals(signals: WebSerialOutputSignals): Promise<void> {
    this.#checkOpened();
    const { dataTerminalReady: dtr, requestToSend: rts, break: isBreak } = signals ?? {};
    if (dtr === undefined && rts === undefined && isBreak === undefined)
      throw new TypeError("setSignals needs dataTerminalReady, requestToSend or break");
    this.#checkConnected();
    if (dtr !== undefined || rts !== undefined) {
      this.#signals = { dtr: Boolean(dtr ?? this.#signals.dtr), rts: Boolean(rts ?? this.#signals.rts) };
      this.#port.setModemControl(this.#signals.dtr, this.#signals.rts);
    }
    if (isBreak !== undefined) this.#port.setBreak(Boolean(isBreak));
    this.#owner.settled();
  }

  getSignals(): WebSerialInputSignals {
    this.#checkOpened();
    this.#checkConnected();
    const { cts, dsr, ri, dcd } = this.#port.modemStatus();
    return { dataCarrierDetect: dcd, clearToSend: cts, ringIndicator: ri, dataSetReady: dsr };
  }

  /** §close() method: both streams end first; one that is locked keeps the port open. */
  async close(): Promise<void> {
    if (this.#state !== "opened") throw faceError("InvalidStateError", "the port is not open");
    this.#state = "closing";
    const [readable, writable] = [this.#readable, this.#writable];
    try {
      await Promise.all([
        readable?.isOver === false ? readable.stream.cancel() : null,
        writable?.isOver === false ? writable.stream.abort() : null,
      ]);
    } catch (error) {
      if (this.#state === "closing") this.#state = "opened";
      throw error;
    }
    if (this.#state === "closing") this.#state = "closed";
    this.#letGo();
  }

  async forget(): Promise<void> {
    if (this.#state === "forgotten") return;
    const opening = this.#opening;
    this.#state = "forgotten";
    this.#readable?.failed(faceError("NetworkError", "the port was forgotten"));
    this.#writable?.failed(faceError("NetworkError", "the port was forgotten"));
    opening?.(faceError("InvalidStateError", "the port was forgotten"));
    this.#letGo();
    this.#owner.forget(this.face);
  }

  /** The device left while nobody had it open, or just now. */
  left(): void {
    this.#isConnected = false;
  }

  configured(settings: LineSettings): void {
    if (this.#opening === null) return;
    const { baudRate, dataBits, parity, halfStopBits } = this.#settings;
    if (
      settings.baudRate !== baudRate ||
      settings.dataBits !== dataBits ||
      settings.parity !== parity ||
      settings.halfStopBits !== halfStopBits
    ) {
      this.#port.close();
      this.#opening(faceError("NetworkError", `the driver refuses the line at ${baudRate} bits per second`));
    }
  }

  activated(): void {
    if (this.#opening === null) return;
    this.#state = "opened";
    this.#opening(null);
  }

  readable(): void {
    this.#readable?.readable();
  }

  writable(): void {
    this.#writable?.writable();
  }

  modemChanged(_status: ModemStatus): void {}

  /** §readable attribute: one error a report, in the order of the standard's list. What came before it is read first. */
  receiveError(errors: ReceiveErrors): void {
    const name = errors.overrun
      ? "BufferOverrunError"
      : errors.gotBreak
        ? "BreakError"
        : errors.framing
          ? "FramingError"
          : errors.parity
            ? "ParityError"
            : null;
    if (name !== null) this.#readable?.failed(faceError(name, lineErrors[name]));
  }

  refused(reason: string): void {
    this.#opening?.(faceError("NetworkError", `the port cannot be opened: ${reason}`));
  }

  hungUp(): void {
    this.#isConnected = false;
    this.#readable?.failed(faceError("NetworkError", "the device has left"));
    this.#writable?.failed(faceError("NetworkError", "the device has left"));
    this.#opening?.(faceError("NetworkError", "the device has left"));
  }

  #checkOpened(): void {
    if (this.#state !== "opened") throw faceError("InvalidStateError", "the port is not open");
  }

  #checkConnected(): void {
    if (!this.#isConnected) throw faceError("NetworkError", "the device has left");
  }

  #letGo(): void {
    this.#readable = null;
    this.#writable = null;
    if (this.#isConnected && this.#port.isOpen) this.#port.close();
  }

  /** Resolves when the driver holds nothing that the device has not taken, or the device has left. */
  #drained(): Promise<void> {
    return new Promise((resolve) => {
      const look = (): void => {
        if (this.#isConnected && this.#port.transmitPending > 0) {
          this.#owner.clock.after(drainLookNs, look, undefined);
          return;
        }
        resolve();
        this.#owner.settled();
      };
      look();
    });
  }
}

const lineErrors = {
  BufferOverrunError: "bytes were lost: nobody read them in time",
  BreakError: "the line was held at break",
  FramingError: "a byte had no stop bit where one belongs",
  ParityError: "a byte's parity is wrong",
} as const;

/** §open() method, steps 3 to 8. TypeError with what is possible. */
function lineOf(options: WebSerialOptions): { settings: LineSettings; bufferSize: number } {
  if (typeof options !== "object" || options === null || options.baudRate === undefined)
    throw new TypeError("open needs { baudRate }");
  const {
    baudRate,
    dataBits = 8,
    stopBits = 1,
    parity = "none",
    bufferSize = 255,
    flowControl = "none",
  } = options;
  const rate = enforced("baudRate", baudRate, 0xffff_ffff);
  if (rate === 0) throw new TypeError("baudRate must be greater than zero");
  if (dataBits !== 7 && dataBits !== 8) throw new TypeError(`dataBits is 7 or 8, not ${dataBits}`);
  if (stopBits !== 1 && stopBits !== 2) throw new TypeError(`stopBits is 1 or 2, not ${stopBits}`);
  if (!["none", "even", "odd"].includes(parity))
    throw new TypeError(`"${parity}" is no ParityType; there are: none, even, odd`);
  if (flowControl !== "none" && flowControl !== "hardware")
    throw new TypeError(`"${flowControl}" is no FlowControlType; there are: none, hardware`);
  const size = enforced("bufferSize", bufferSize, 0xffff_ffff);
  if (size === 0) throw new TypeError("bufferSize must be greater than zero");
  if (size > largestBufferBytes) throw new TypeError(`bufferSize is at most ${largestBufferBytes}`);
  return {
    settings: {
      ...defaultLineSettings,
      baudRate: rate,
      dataBits,
      parity: parity as Parity,
      halfStopBits: stopBits === 1 ? 2 : 4,
      rtsCts: flowControl === "hardware",
    },
    bufferSize: size,
  };
}

/** Web IDL's [EnforceRange]. */
export function enforced(name: string, value: unknown, most: number): number {
  const whole = Math.trunc(Number(value));
  if (!(whole >= 0 && whole <= most))
    throw new TypeError(`${name} is a whole number from 0 to ${most}, not ${value}`);
  return whole + 0;
}
