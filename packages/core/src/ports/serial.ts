// A serial port as programs see it: bytes both ways, line settings, modem lines, errors, hang-up.

/** Half stop bits: 2 = one stop bit, 3 = one and a half, 4 = two (driverkit-families.md §3). */
export type HalfStopBits = 2 | 3 | 4;
export type Parity = "none" | "odd" | "even" | "mark" | "space";

export interface LineSettings {
  /** Bits per second. 0 hangs up, as POSIX has it: DTR and RTS go off, the rate stays, until another rate comes. */
  baudRate: number;
  dataBits: 5 | 6 | 7 | 8;
  parity: Parity;
  halfStopBits: HalfStopBits;
  /** RTS/CTS hardware flow control. */
  rtsCts: boolean;
  /** XON/XOFF on transmit and on receive. */
  xonXoff: boolean;
  xonByte: number;
  xoffByte: number;
}

export const defaultLineSettings: LineSettings = {
  baudRate: 9600,
  dataBits: 8,
  parity: "none",
  halfStopBits: 2,
  rtsCts: false,
  xonXoff: false,
  xonByte: 0x11,
  xoffByte: 0x13,
};

/** Input modem lines. */
export interface ModemStatus {
  cts: boolean;
  dsr: boolean;
  ri: boolean;
  dcd: boolean;
}

/** Receive errors, as IOUserSerial::RxError reports them. */
export interface ReceiveErrors {
  overrun: boolean;
  gotBreak: boolean;
  framing: boolean;
  parity: boolean;
}

/** Who has the port open. Never called from inside a call of the port. */
export interface SerialClient {
  /**
   * The driver has been activated and has all settings that were given so far: bytes that arrive from here on are kept.
   * Comes once per `open`, unless the port is closed or gone before.
   */
  activated?(): void;
  /** Settings were carried out, as far as the driver takes them: what is in force now. Once per `configure` and `open`. */
  configured?(settings: LineSettings): void;
  /** Bytes can be read; comes once per empty -> not empty edge. */
  readable(): void;
  /** Room to write again after `write` took less than it was offered. */
  writable(): void;
  modemChanged(status: ModemStatus): void;
  receiveError(errors: ReceiveErrors): void;
  /**
   * A port that stands in another process had to say yes to `open` and no later: why not, as `open` would have said. It is
   * not open, and nothing else of this opening comes.
   */
  refused?(reason: string): void;
  /** The port is gone (unplug, driver stop). No call after this. */
  hungUp(): void;
}

/** A serial port that the host wing offers. One client at a time. Calls never block and never throw. */
export interface SerialPort {
  /** As after "cu." and "tty.": for example "usbserial-DD0001". */
  readonly name: string;
  readonly isOpen: boolean;
  /** Null when opened; otherwise why not (already open, port gone). The driver is activated in the background. */
  open(client: SerialClient): string | null;
  /**
   * Discards what was not read. What was written is still sent, as Linux and macOS do at a terminal's last close, for as
   * long as the line moves; what it does not take in 30 s is given up and said in the log. DTR and RTS drop after that.
   * The next `open` waits behind it. Ignored when not open.
   */
  close(): void;
  /** Takes effect in order with writes. Unchanged settings cost nothing. */
  configure(settings: LineSettings): void;
  setModemControl(dtr: boolean, rts: boolean): void;
  setBreak(on: boolean): void;
  /** Discards queued bytes that were not sent (`transmit`) or not read (`receive`). */
  flush(transmit: boolean, receive: boolean): void;
  modemStatus(): ModemStatus;
  /** Queues up to `length` bytes, returns how many were taken (0 when full: wait for `writable`). */
  write(bytes: Uint8Array, offset: number, length: number): number;
  /** Copies up to `length` received bytes, returns how many (0 when empty: wait for `readable`). */
  read(into: Uint8Array, offset: number, length: number): number;
  /** Bytes accepted by `write` that the device has not taken yet. */
  readonly transmitPending: number;
}
