// One serial port of an FTDI chip: its requests, its packets with two status bytes each, flow control, latency.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { millisecond } from "../../base/units.ts";
import {
  decodeDataFormat,
  FtdiFlow,
  FtdiLineBit,
  FtdiModemBit,
  FtdiModemControl,
  FtdiRequest,
  FtdiReset,
  ftdiBaudOf,
  ftdiStatusBytes,
} from "../../codec/ftdi/ftdi.ts";
import type { Setup } from "../../codec/usb/setup.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import {
  type LineError,
  lineParities,
  lineStopBits,
  type ModemInputs,
  noModemInputs,
  type SerialFarEnd,
  Uart,
} from "../uart.ts";
import type { FtdiChipFacts } from "./ftdi-chips.ts";

/** What arrived at one port, for tests and for the lab. */
export interface FtdiObservation {
  readonly baudRate: number;
  readonly dataBits: number;
  readonly parity: number;
  readonly stop: number;
  readonly isBreaking: boolean;
  readonly dtr: boolean;
  readonly rts: boolean;
  readonly flow: number;
  readonly latencyMs: number;
}

export interface FtdiPortOptions {
  readonly clock: Clock;
  readonly pacing?: "baud" | "none";
  readonly rings?: "chip" | "transfer";
}

/** log2 of a ring that holds what a host moves in one transfer. */
const transferLog = 12;
const powerOnLatencyMs = 16;
const powerOnBaud = 9600;
/** With flow control on, RTS or DTR goes off when this little room is left, and on again at half. */
const throttleRoomBytes = 32;

export interface FtdiPortSignals {
  inReady(): void;
  outReady(): void;
}

/** One serial port of a chip. */
export class FtdiPort {
  readonly uart: Uart;
  readonly #clock: Clock;
  readonly #chip: FtdiChipFacts;
  readonly #signals: FtdiPortSignals;
  #latencyMs = powerOnLatencyMs;
  #latencyTimer: TimerHandle = 0;
  #isLatencyOver = false;
  /** Where a packet must end, counted in bytes ever put into the receive ring, and the error bits it carries. */
  readonly #marks: { readonly at: number; bits: number }[] = [];
  /** Bytes were lost since the last packet. It stands at no byte, and goes with the next packet. */
  #isOverrun = false;
  /** Bytes that went to the host. */
  #deliveredBytes = 0;
  #inputs: ModemInputs = noModemInputs;
  #isModemNews = false;
  #format = { dataBits: 8, parity: 0, stop: 0, breakOn: false };
  #baudRate = powerOnBaud;
  #flow: number = FtdiFlow.none;
  #xon = 0x11;
  #xoff = 0x13;
  #eventChar: number | null = null;
  #isEventSeen = false;
  #isStopped = false;
  #dtr = false;
  #rts = false;
  #isThrottled = false;
  /** Of `uart.receivedBytes`, how many have been looked at. */
  #screenedBytes = 0;
  readonly #scratch: Uint8Array;

  constructor(options: FtdiPortOptions, chip: FtdiChipFacts, farEnd: SerialFarEnd, signals: FtdiPortSignals) {
    this.#clock = options.clock;
    this.#chip = chip;
    this.#signals = signals;
    this.uart = new Uart({
      clock: options.clock,
      owner: {
        received: () => this.#received(),
        drained: () => this.#drained(),
        modemChanged: (inputs) => this.#modemChanged(inputs),
        lineError: (error) => this.#lineError(error),
      },
      pacing: options.pacing ?? "baud",
      receiveLog: options.rings === "transfer" ? transferLog : chip.receiveLog,
      transmitLog: options.rings === "transfer" ? transferLog : chip.transmitLog,
      breakIsCharacter: true,
    });
    this.#scratch = new Uint8Array(this.uart.receiveRing.capacity);
    this.uart.connect(farEnd);
    this.#applyFormat();
  }

  get latencyMs(): number {
    return this.#latencyMs;
  }

  /** Bit-bang inputs: TXD, RXD, RTS, CTS, DTR, DSR, DCD, RI from bit 0, active low, as far as they are modelled. */
  get pins(): number {
    const { cts, dsr, dcd, ri } = this.#inputs;
    const active =
      (this.#rts ? 4 : 0) |
      (cts ? 8 : 0) |
      (this.#dtr ? 16 : 0) |
      (dsr ? 32 : 0) |
      (dcd ? 64 : 0) |
      (ri ? 128 : 0);
    return ~active & 0xff;
  }

  observe(): FtdiObservation {
    const { dataBits, parity, stop, breakOn } = this.#format;
    return {
      baudRate: this.#baudRate,
      dataBits,
      parity,
      stop,
      isBreaking: breakOn,
      dtr: this.#dtr,
      rts: this.#rts,
      flow: this.#flow,
      latencyMs: this.#latencyMs,
    };
  }

  powerOn(): void {
    this.uart.reset();
    this.#clock.cancel(this.#latencyTimer);
    this.#latencyTimer = 0;
    this.#isLatencyOver = false;
    this.#latencyMs = powerOnLatencyMs;
    this.#marks.length = 0;
    this.#isOverrun = false;
    this.#isModemNews = false;
    this.#format = { dataBits: 8, parity: 0, stop: 0, breakOn: false };
    this.#baudRate = powerOnBaud;
    this.#flow = FtdiFlow.none;
    this.#eventChar = null;
    this.#isEventSeen = false;
    this.#isStopped = false;
    this.#dtr = false;
    this.#rts = false;
    this.#isThrottled = false;
    this.#screenedBytes = this.uart.receivedBytes;
    this.#applyFormat();
    // The lines that fell above may have held the transmitter under the old flow control.
    this.#applyFlow();
  }

  /** The two bytes of GET_MODEM_STATUS. Error bits stay for the packets that carry their bytes. */
  status(): Uint8Array {
    const errors = this.#marks.reduce((bits, mark) => bits | mark.bits, 0);
    return Uint8Array.of(this.#modemByte(), this.#lineByte() | errors);
  }

  perform(setup: Setup): boolean {
    const { wValue, wIndex } = setup;
    switch (setup.bRequest) {
      case FtdiRequest.reset:
        return this.#reset(wValue);
      case FtdiRequest.modemControl:
        if ((wValue & FtdiModemControl.dtrMask) !== 0) this.#dtr = (wValue & FtdiModemControl.dtr) !== 0;
        if ((wValue & FtdiModemControl.rtsMask) !== 0) this.#rts = (wValue & FtdiModemControl.rts) !== 0;
        this.#applyOutputs();
        return true;
      case FtdiRequest.setFlow:
        this.#flow = wIndex >> 8;
        this.#xon = wValue & 0xff;
        this.#xoff = wValue >> 8;
        this.#isStopped = false;
        this.#applyFlow();
        this.#applyOutputs();
        return true;
      case FtdiRequest.setBaud:
        this.#baudRate = ftdiBaudOf(wValue, this.#divisorHigh(wIndex));
        this.#applyFormat();
        return true;
      case FtdiRequest.setData: {
        const format = decodeDataFormat(wValue);
        // The data sheets of both chips know 7 and 8 data bits only.
        if (format.dataBits !== 7 && format.dataBits !== 8) return false;
        if (format.parity > 4 || format.stop > 2) return false;
        this.#format = format;
        this.#applyFormat();
        this.uart.setBreak(format.breakOn);
        return true;
      }
      case FtdiRequest.setEventChar:
        this.#eventChar = (wValue & 0x100) === 0 ? null : wValue & 0xff;
        return true;
      case FtdiRequest.setErrorChar:
        return true;
      case FtdiRequest.setLatency:
        if ((wValue & 0xff) === 0) return false;
        this.#latencyMs = wValue & 0xff;
        return true;
      case FtdiRequest.setBitMode:
        // Bit-bang modes are absent: only "off" is accepted.
        return wValue >> 8 === 0;
      default:
        return false;
    }
  }

  /**
   * Whole packets of status and data; a short one when the latency timer has run, the event character came, or a byte
   * is wrong: a packet ends with such a byte, so that its line status says of which byte it speaks.
   */
  dataIn(buffer: Uint8Array, offset: number, length: number): number {
    const { packetBytes } = this.#chip;
    const dataBytes = packetBytes - ftdiStatusBytes;
    let written = 0;
    while (length - written >= packetBytes && this.#untilMark() >= dataBytes) {
      written += this.#packet(buffer, offset + written, dataBytes);
    }
    if (written > 0) {
      this.#restartLatency();
      this.#throttle();
      return written;
    }
    if (this.#isDue(dataBytes) && length >= ftdiStatusBytes) {
      this.#isEventSeen = false;
      const most = Math.min(dataBytes - 1, length - ftdiStatusBytes, this.#untilMark());
      const count = this.#packet(buffer, offset, most);
      this.#restartLatency();
      this.#throttle();
      return count;
    }
    if (this.#latencyTimer === 0) this.#startLatency();
    return UsbNak;
  }

  /** Whole packets, or all: what does not fit is answered with NAK and comes again. */
  dataOut(buffer: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    const { free } = this.uart.transmitRing;
    const count = length <= free ? length : free - (free % this.#chip.packetBytes);
    if (count === 0) return UsbNak;
    return this.uart.transmit(buffer, offset, count);
  }

  #drained(): void {
    if (this.uart.transmitRing.free >= this.#chip.packetBytes) this.#signals.outReady();
  }

  /** Data bytes that may go into the packets up to the next byte that is wrong. */
  #untilMark(): number {
    const mark = this.#marks[0];
    return mark === undefined ? this.uart.receiveRing.used : mark.at - this.#deliveredBytes;
  }

  /** A full packet is due too: it did not fit into what the host asks for, and goes in pieces. */
  #isDue(dataBytes: number): boolean {
    if (this.#isLatencyOver || this.#isEventSeen || this.#isModemNews) return true;
    return this.#isOverrun || this.#marks.length > 0 || this.uart.receiveRing.used >= dataBytes;
  }

  /** At most `most` bytes, which do not pass a mark. */
  #packet(buffer: Uint8Array, offset: number, most: number): number {
    const line = this.#lineByte();
    buffer[offset] = this.#modemByte();
    this.#isModemNews = false;
    this.#isOverrun = false;
    const taken = this.uart.takeReceived(buffer, offset + ftdiStatusBytes, most);
    this.#deliveredBytes += taken;
    const isMarked = this.#marks.length > 0 && this.#untilMark() <= 0;
    buffer[offset + 1] = line | (isMarked ? (this.#marks.shift()?.bits ?? 0) : 0);
    return ftdiStatusBytes + taken;
  }

  /** Wrong bytes that the host will never read have no marks any more. */
  #forgetReceived(): void {
    this.#marks.length = 0;
    this.#isOverrun = false;
    this.#isEventSeen = false;
  }

  /**
   * Bits above the 16 of wValue. One-port chips of the later kind are told them in either byte: FTDI's drivers and
   * libftdi use the high one, Linux the low one, where bit 1 (the fast clock) tells a divisor from a port number.
   */
  #divisorHigh(wIndex: number): number {
    const { divisorHigh, divisorHighMask, ports } = this.#chip;
    if (divisorHigh === "index") return wIndex & divisorHighMask;
    const isInLowByte = ports === 1 && wIndex <= 0xff && (wIndex & divisorHighMask & 2) !== 0;
    return (isInLowByte ? wIndex : wIndex >> 8) & divisorHighMask;
  }

  #modemByte(): number {
    const { cts, dsr, ri, dcd } = this.#inputs;
    const bit = FtdiModemBit;
    return bit.always | (cts ? bit.cts : 0) | (dsr ? bit.dsr : 0) | (ri ? bit.ri : 0) | (dcd ? bit.dcd : 0);
  }

  #lineByte(): number {
    const holding = this.uart.transmitRing.used === 0 ? FtdiLineBit.holdingEmpty : 0;
    const transmitter = this.uart.isIdle ? FtdiLineBit.transmitterEmpty : 0;
    return holding | transmitter | (this.#isOverrun ? FtdiLineBit.overrun : 0);
  }

  /** Rate and data format survive a reset; everything else of the port goes back to its beginning. */
  #reset(which: number): boolean {
    switch (which) {
      case FtdiReset.all:
        this.#forgetReceived();
        this.uart.purge(true, true);
        this.#flow = FtdiFlow.none;
        this.#eventChar = null;
        this.#isStopped = false;
        this.#dtr = false;
        this.#rts = false;
        this.#applyFlow();
        break;
      case FtdiReset.purgeReceive:
        this.#forgetReceived();
        this.uart.purge(false, true);
        break;
      case FtdiReset.purgeTransmit:
        this.uart.purge(true, false);
        return true;
      default:
        return false;
    }
    this.#throttle();
    this.#applyOutputs();
    // A far end that waited for room in the receive ring has it now.
    this.uart.farEndReady();
    return true;
  }

  #received(): void {
    this.#screen();
    this.#throttle();
    const isFull = this.uart.receiveRing.used >= this.#chip.packetBytes - ftdiStatusBytes;
    if (isFull || this.#isEventSeen) this.#signals.inReady();
    else if (this.#latencyTimer === 0 && !this.#isLatencyOver) this.#startLatency();
  }

  /** Looks once at each byte that came, for the event character and for XON and XOFF, which are no data. */
  #screen(): void {
    const { receivedBytes, receiveRing } = this.uart;
    const waiting = receiveRing.used;
    const seen = Math.max(0, waiting - (receivedBytes - this.#screenedBytes));
    this.#screenedBytes = receivedBytes;
    const isXonXoff = (this.#flow & FtdiFlow.xonXoff) !== 0;
    if (this.#eventChar === null && !isXonXoff) return;
    const bytes = this.#scratch;
    receiveRing.pull(bytes, 0, waiting);
    let kept = seen;
    for (let index = seen; index < waiting; index++) {
      const byte = bytes[index];
      if (isXonXoff && (byte === this.#xon || byte === this.#xoff)) {
        this.#isStopped = byte === this.#xoff;
        continue;
      }
      if (byte === this.#eventChar) this.#isEventSeen = true;
      bytes[kept++] = byte;
    }
    receiveRing.push(bytes, 0, kept);
    this.#applyFlow();
  }

  /** Receive flow control: tells the far end by RTS or DTR to stop before the ring is full. */
  #throttle(): void {
    const { free, capacity } = this.uart.receiveRing;
    const isThrottled = this.#isThrottled ? free < capacity / 2 : free <= throttleRoomBytes;
    if (isThrottled === this.#isThrottled) return;
    this.#isThrottled = isThrottled;
    this.#applyOutputs();
  }

  /** What the host set, as far as flow control lets it through. */
  #applyOutputs(): void {
    const holds = (mode: number): boolean => this.#isThrottled && (this.#flow & mode) !== 0;
    this.uart.setOutputs(this.#dtr && !holds(FtdiFlow.dtrDsr), this.#rts && !holds(FtdiFlow.rtsCts));
  }

  #modemChanged(inputs: ModemInputs): void {
    this.#inputs = inputs;
    this.#isModemNews = true;
    this.#applyFlow();
    this.#signals.inReady();
  }

  /** The newest byte of the ring is the wrong one, but for an overrun. */
  #lineError(error: LineError): void {
    this.#signals.inReady();
    if (error === "overrun") {
      this.#isOverrun = true;
      return;
    }
    // A wrong byte is no event character and no XOFF.
    this.#screenedBytes = this.uart.receivedBytes;
    const at = this.#deliveredBytes + this.uart.receiveRing.used;
    const last = this.#marks.at(-1);
    if (last?.at === at) last.bits |= FtdiLineBit[error];
    else this.#marks.push({ at, bits: FtdiLineBit[error] });
  }

  #applyFlow(): void {
    const waitsForCts = (this.#flow & FtdiFlow.rtsCts) !== 0 && !this.#inputs.cts;
    const waitsForDsr = (this.#flow & FtdiFlow.dtrDsr) !== 0 && !this.#inputs.dsr;
    this.uart.setHeld(waitsForCts || waitsForDsr || this.#isStopped);
  }

  #applyFormat(): void {
    const { dataBits, parity, stop } = this.#format;
    this.uart.setFormat({
      baudRate: this.#baudRate,
      dataBits,
      parity: lineParities[parity],
      stopBits: lineStopBits[stop],
    });
  }

  #startLatency(): void {
    this.#latencyTimer = this.#clock.after(this.#latencyMs * millisecond, this.#latencyOver, undefined);
  }

  #restartLatency(): void {
    this.#isLatencyOver = false;
    this.#clock.cancel(this.#latencyTimer);
    this.#latencyTimer = 0;
  }

  readonly #latencyOver = (): void => {
    this.#latencyTimer = 0;
    this.#isLatencyOver = true;
    this.#signals.inReady();
  };
}
