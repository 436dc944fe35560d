// One open port of a rig as a `serialport` binding port: reads and writes that wait, modem lines, errors, hang-up.

import type { Clock } from "@drydock/core/base/clock";
import { millisecond } from "@drydock/core/base/units";
import type {
  LineSettings,
  ModemStatus,
  ReceiveErrors,
  SerialClient,
  SerialPort,
} from "@drydock/core/ports/serial";
import type {
  BindingPortInterface,
  BindingsErrorInterface,
  OpenOptions,
  PortStatus,
  SetOptions,
  UpdateOptions,
} from "@serialport/bindings-interface";
import { checkBaudRate, lineSettingsOf } from "./line-options.ts";

/** How often `drain` looks whether all bytes have left, in the rig's time. */
const drainLookNs = millisecond / 10;

interface Reading {
  readonly buffer: Buffer;
  readonly offset: number;
  readonly length: number;
  resolve(result: { buffer: Buffer; bytesRead: number }): void;
  reject(error: Error): void;
}

interface Writing {
  readonly buffer: Buffer;
  at: number;
  resolve(): void;
  reject(error: Error): void;
}

/** What a port needs of the rig that it is in. */
export interface RigTime {
  readonly clock: Clock;
  /** A promise was settled: continuations run before the rig's time moves. */
  settled(): void;
}

/** Receive errors since the port was opened; `serialport` itself has no words for them. */
export type ReceiveErrorCounts = Record<keyof ReceiveErrors, number>;

/**
 * `serialport.port` of a stream over a rig. Beyond the binding interface: what the line did to the bytes
 * (`receiveErrors`, `onReceiveError`), all four modem inputs and their changes (`modemStatus`, `onModemChange`).
 */
export class RigPort implements BindingPortInterface, SerialClient {
  readonly openOptions: Required<OpenOptions>;
  readonly receiveErrors: ReceiveErrorCounts = { overrun: 0, gotBreak: 0, framing: 0, parity: 0 };
  /** Told of each report of the driver, with what it found. */
  onReceiveError: ((errors: ReceiveErrors) => void) | null = null;
  onModemChange: ((status: ModemStatus) => void) | null = null;
  readonly #port: SerialPort;
  readonly #time: RigTime;
  #settings: LineSettings;
  #isOpen = true;
  /** Why nothing can be read or written any more, though nobody closed it. */
  #problem: string | null = null;
  #reading: Reading | null = null;
  #writing: Writing | null = null;
  readonly #activation: Promise<void>;
  #activate: (problem: Error | null) => void = () => {};

  /** Opens `port`. Throws with the port's refusal. It can be used when `activation` has resolved. */
  constructor(port: SerialPort, openOptions: Required<OpenOptions>, time: RigTime) {
    this.openOptions = openOptions;
    this.#port = port;
    this.#time = time;
    this.#settings = lineSettingsOf(openOptions);
    this.#activation = new Promise((resolve, reject) => {
      this.#activate = (problem) => (problem === null ? resolve() : reject(problem));
    });
    const refusal = port.open(this);
    if (refusal !== null) throw new Error(`Cannot open ${openOptions.path}: ${refusal}`);
    port.configure(this.#settings);
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** The driver has reset the chip and set the line: bytes that come from here on are kept. Rejects if the device leaves. */
  get activation(): Promise<void> {
    return this.#activation;
  }

  activated(): void {
    this.#activate(null);
    this.#time.settled();
  }

  /** All inputs, with the ring indicator that `get` has no place for. */
  get modemStatus(): ModemStatus {
    return this.#port.modemStatus();
  }

  async close(): Promise<void> {
    this.#checkOpen();
    this.#isOpen = false;
    this.#refuseAll(cancelled("the port was closed"));
    if (this.#problem === null) this.#port.close();
  }

  read(buffer: Buffer, offset: number, length: number): Promise<{ buffer: Buffer; bytesRead: number }> {
    return new Promise((resolve, reject) => {
      this.#check();
      if (!Buffer.isBuffer(buffer)) throw new TypeError('"buffer" is not a Buffer');
      if (!(offset >= 0) || !(length >= 1) || offset + length > buffer.length)
        throw new RangeError(`${length} bytes at ${offset} do not fit a buffer of ${buffer.length}`);
      if (this.#reading !== null) throw new Error("a read is under way already");
      this.#reading = { buffer, offset, length, resolve, reject };
      this.#pumpRead();
    });
  }

  write(buffer: Buffer): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#check();
      if (!Buffer.isBuffer(buffer)) throw new TypeError('"buffer" is not a Buffer');
      if (this.#writing !== null) throw new Error("a write is under way already");
      this.#writing = { buffer, at: 0, resolve, reject };
      this.#pumpWrite();
    });
  }

  async update(options: UpdateOptions): Promise<void> {
    if (typeof options !== "object" || options === null) throw new TypeError('"options" is not an object');
    checkBaudRate(options.baudRate);
    this.#check();
    this.#settings = { ...this.#settings, baudRate: options.baudRate };
    this.#port.configure(this.#settings);
  }

  /** Flags that are not given have `serialport`'s defaults. `cts` and `dsr` are inputs here and are ignored. */
  async set(options: SetOptions): Promise<void> {
    if (typeof options !== "object" || options === null) throw new TypeError('"options" is not an object');
    this.#check();
    const { brk = false, dtr = true, rts = true } = options;
    this.#port.setModemControl(dtr, rts);
    this.#port.setBreak(brk);
  }

  async get(): Promise<PortStatus> {
    this.#check();
    const { cts, dsr, dcd } = this.#port.modemStatus();
    return { cts, dsr, dcd };
  }

  async getBaudRate(): Promise<{ baudRate: number }> {
    this.#check();
    return { baudRate: this.#settings.baudRate };
  }

  async flush(): Promise<void> {
    this.#check();
    this.#port.flush(true, true);
  }

  /** Until the driver has taken everything, a write under way included; what driver and chip hold is not waited for. */
  drain(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#check();
      const look = (): void => {
        if (this.#problem !== null) reject(new Error(this.#problem));
        else if (!this.#isOpen) reject(cancelled("the port was closed"));
        else if (this.#writing === null && this.#port.transmitPending === 0) resolve();
        else {
          this.#time.clock.after(drainLookNs, look, undefined);
          return;
        }
        this.#time.settled();
      };
      look();
    });
  }

  readable(): void {
    this.#pumpRead();
  }

  writable(): void {
    this.#pumpWrite();
  }

  modemChanged(status: ModemStatus): void {
    this.onModemChange?.(status);
  }

  receiveError(errors: ReceiveErrors): void {
    for (const kind of Object.keys(this.receiveErrors) as (keyof ReceiveErrors)[]) {
      if (errors[kind]) this.receiveErrors[kind]++;
    }
    this.onReceiveError?.(errors);
  }

  hungUp(): void {
    this.#problem = "the device was disconnected";
    this.#activate(new Error(`Cannot open ${this.openOptions.path}: ${this.#problem}`));
    // Without `canceled`: the stream takes that for a disconnection and closes.
    this.#refuseAll(new Error(this.#problem));
  }

  #checkOpen(): void {
    if (!this.#isOpen) throw new Error("Port is not open");
  }

  #check(): void {
    this.#checkOpen();
    if (this.#problem !== null) throw new Error(this.#problem);
  }

  #pumpRead(): void {
    const reading = this.#reading;
    if (reading === null) return;
    const bytesRead = this.#port.read(reading.buffer, reading.offset, reading.length);
    if (bytesRead === 0) return;
    this.#reading = null;
    reading.resolve({ buffer: reading.buffer, bytesRead });
    this.#time.settled();
  }

  #pumpWrite(): void {
    const writing = this.#writing;
    if (writing === null) return;
    const { buffer } = writing;
    writing.at += this.#port.write(buffer, writing.at, buffer.length - writing.at);
    if (writing.at < buffer.length) return;
    this.#writing = null;
    writing.resolve();
    this.#time.settled();
  }

  #refuseAll(error: Error): void {
    const [reading, writing] = [this.#reading, this.#writing];
    this.#reading = null;
    this.#writing = null;
    reading?.reject(error);
    writing?.reject(error);
    this.#time.settled();
  }
}

function cancelled(why: string): Error {
  const error: BindingsErrorInterface = new Error(why);
  error.canceled = true;
  return error;
}
