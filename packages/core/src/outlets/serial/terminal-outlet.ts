// Joins a serial port to a pseudo-terminal, so that any terminal program can use the port.

import type {
  LineSettings,
  ModemStatus,
  ReceiveErrors,
  SerialClient,
  SerialPort,
} from "../../ports/serial.ts";
import type { TerminalClient, TerminalPort } from "../../ports/terminal.ts";

/** Bytes on their way from the port to programs. */
const bufferBytes = 64 * 1024;

/**
 * The port is open while some program has the terminal open. Nothing is buffered beyond one block each way: a program
 * that does not read holds the driver, a device that is slow holds the program.
 */
export class TerminalOutlet implements SerialClient, TerminalClient {
  readonly #port: SerialPort;
  readonly #terminal: TerminalPort;
  readonly #onEvent: (text: string) => void;
  readonly #buffer = new Uint8Array(bufferBytes);
  #from = 0;
  #to = 0;
  #settings: LineSettings | null = null;
  #isGone = false;
  bytesToDevice = 0;
  bytesFromDevice = 0;
  receiveErrors = 0;

  /** `onEvent` gets short sentences for a live log. */
  constructor(port: SerialPort, terminal: TerminalPort, onEvent: (text: string) => void = () => {}) {
    this.#port = port;
    this.#terminal = terminal;
    this.#onEvent = onEvent;
    terminal.connect(this);
  }

  get isOpen(): boolean {
    return this.#port.isOpen;
  }

  opened(): void {
    if (this.#isGone) return;
    const refusal = this.#port.open(this);
    if (refusal !== null) {
      this.#onEvent(`${this.#terminal.path}: ${refusal}`);
      return;
    }
    this.#from = 0;
    this.#to = 0;
    if (this.#settings !== null) this.#port.configure(this.#settings);
    this.#onEvent(`${this.#terminal.path} opened`);
  }

  closed(): void {
    if (this.#isGone || !this.#port.isOpen) return;
    this.#port.close();
    this.#onEvent(`${this.#terminal.path} closed`);
  }

  settingsChanged(settings: LineSettings): void {
    this.#settings = settings;
    if (this.#port.isOpen) this.#port.configure(settings);
    this.#onEvent(`${this.#terminal.path} set to ${describeLine(settings)}`);
  }

  input(bytes: Uint8Array, offset: number, length: number): number {
    const taken = this.#port.write(bytes, offset, length);
    this.bytesToDevice += taken;
    return taken;
  }

  writable(): void {
    // Both sides have a `writable`: the port's lets programs' bytes in, the terminal's lets the device's bytes out.
    this.#terminal.resume();
    this.#drain();
  }

  readable(): void {
    this.#drain();
  }

  modemChanged(_status: ModemStatus): void {}

  receiveError(errors: ReceiveErrors): void {
    this.receiveErrors++;
    const names = Object.entries(errors).filter(([, isSet]) => isSet);
    this.#onEvent(`${this.#terminal.path} receive error: ${names.map(([name]) => name).join(", ")}`);
  }

  /** The device left: programs see a hang-up. */
  hungUp(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#onEvent(`${this.#terminal.path} hung up`);
    this.#terminal.hangUp();
  }

  #drain(): void {
    for (;;) {
      if (this.#from === this.#to) {
        this.#from = 0;
        this.#to = this.#port.read(this.#buffer, 0, bufferBytes);
        if (this.#to === 0) return;
      }
      const taken = this.#terminal.write(this.#buffer, this.#from, this.#to - this.#from);
      this.bytesFromDevice += taken;
      this.#from += taken;
      if (this.#from < this.#to) return;
    }
  }
}

/** "115200 8N1", with flow control where there is any. */
export function describeLine(settings: LineSettings): string {
  const parity = { none: "N", odd: "O", even: "E", mark: "M", space: "S" }[settings.parity];
  const stop = { 2: "1", 3: "1.5", 4: "2" }[settings.halfStopBits];
  const flow = `${settings.rtsCts ? " RTS/CTS" : ""}${settings.xonXoff ? " XON/XOFF" : ""}`;
  return `${settings.baudRate} ${settings.dataBits}${parity}${stop}${flow}`;
}
