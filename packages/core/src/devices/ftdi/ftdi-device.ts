// FTDI's USB serial chips: FT232R with one port, FT4232H with four, as Linux's driver and FTDI's notes know them.

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
  ftdiEepromChecksum,
  ftdiStatusBytes,
  ftdiVendorId,
} from "../../codec/ftdi/ftdi.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { LoopbackPlug } from "../serial-far-ends.ts";
import { type LineError, type ModemInputs, noModemInputs, type SerialFarEnd, Uart } from "../uart.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";

/** What differs between chips. */
/** log2 of a ring that holds what a host moves in one transfer. */
const transferLog = 12;

interface ChipFacts {
  readonly product: string;
  readonly idProduct: number;
  /** Linux tells the chips apart by this: 0600h FT232R, 0800h FT4232H. */
  readonly bcdDevice: number;
  readonly speed: UsbSpeed;
  readonly packetBytes: number;
  readonly ports: number;
  /** Bits above the 16 of a divisor that the chip reads: 16, and on the H chips 17 (posts.md P13). */
  readonly divisorHighMask: number;
  /** Ring sizes as powers of two: from the wire to the host, and from the host to the wire. */
  readonly receiveLog: number;
  readonly transmitLog: number;
}

export const ftdiChips = {
  ft232r: {
    product: "FT232R USB UART",
    idProduct: 0x6001,
    bcdDevice: 0x0600,
    speed: UsbSpeed.full,
    packetBytes: 64,
    ports: 1,
    divisorHighMask: 1,
    receiveLog: 8,
    transmitLog: 7,
  },
  ft4232h: {
    product: "Quad RS232-HS",
    idProduct: 0x6011,
    bcdDevice: 0x0800,
    speed: UsbSpeed.high,
    packetBytes: 512,
    ports: 4,
    divisorHighMask: 3,
    receiveLog: 11,
    transmitLog: 11,
  },
} as const satisfies Record<string, ChipFacts>;

export type FtdiChip = keyof typeof ftdiChips;

export interface FtdiOptions {
  readonly clock: Clock;
  readonly chip?: FtdiChip;
  readonly idVendor?: number;
  readonly idProduct?: number;
  readonly serialNumber?: string;
  /** One per port; loop-back plugs where none is given. */
  readonly farEnds?: readonly SerialFarEnd[];
  readonly pacing?: "baud" | "none";
  /** `chip`: as large as the chip has them. `transfer`: room for what a host moves in one transfer. Default `chip`. */
  readonly rings?: "chip" | "transfer";
}

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

const eepromWords = 64;
const powerOnLatencyMs = 16;
const powerOnBaud = 9600;
/** With flow control on, RTS or DTR goes off when this little room is left, and on again at half. */
const throttleRoomBytes = 32;

/** Endpoints of port n: IN 81h, 83h, ..., OUT 02h, 04h, ... */
const inEndpoint = (port: number): number => 0x81 + port * 2;
const outEndpoint = (port: number): number => 0x02 + port * 2;

/**
 * Every IN packet begins with the modem and line status bytes. A packet leaves when it is full, when the latency timer
 * has run, or when the event character came; an idle chip therefore sends two bytes per latency interval.
 */
export class FtdiDevice extends UsbDeviceModel {
  readonly ports: readonly FtdiPort[];
  readonly #eeprom: Uint16Array;
  readonly #chip: ChipFacts;

  constructor(options: FtdiOptions) {
    const chip: ChipFacts = ftdiChips[options.chip ?? "ft232r"];
    const idVendor = options.idVendor ?? ftdiVendorId;
    const idProduct = options.idProduct ?? chip.idProduct;
    const serialNumber = options.serialNumber ?? "DD000001";
    super({
      speed: chip.speed,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: 0,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: chip.packetBytes === 64 ? 8 : 64,
        idVendor,
        idProduct,
        bcdDevice: chip.bcdDevice,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [configuration(chip, chip.packetBytes)],
      ...(chip.speed === UsbSpeed.high ? { otherSpeedConfigurations: [configuration(chip, 64)] } : {}),
      strings: ["FTDI", chip.product, serialNumber],
    });
    this.#chip = chip;
    this.#eeprom = eepromImage(idVendor, idProduct, chip, serialNumber);
    this.ports = Array.from({ length: chip.ports }, (_, index) => {
      const endpoints = { in: inEndpoint(index), out: outEndpoint(index) };
      return new FtdiPort(options, chip, options.farEnds?.[index] ?? new LoopbackPlug(), {
        inReady: () => this.ready(endpoints.in),
        outReady: () => this.ready(endpoints.out),
      });
    });
  }

  observe(port = 0): FtdiObservation {
    return this.ports[port].observe();
  }

  protected override powerOn(): void {
    for (const port of this.ports) port.powerOn();
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.vendor) return null;
    const port = this.#portOf(setup);
    switch (setup.bRequest) {
      case FtdiRequest.getModemStatus:
        return port === null ? null : port.status();
      case FtdiRequest.getLatency:
        return port === null ? null : Uint8Array.of(port.latencyMs);
      case FtdiRequest.readPins:
        return port === null ? null : Uint8Array.of(port.pins);
      case FtdiRequest.readEeprom: {
        const word = this.#eeprom[setup.wIndex & 0xff];
        return word === undefined ? null : Uint8Array.of(word & 0xff, word >> 8);
      }
      default:
        return null;
    }
  }

  protected override performRequest(setup: Setup, _data: Uint8Array): boolean {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.vendor) return false;
    if (setup.bRequest === FtdiRequest.writeEeprom) {
      const address = setup.wIndex & 0xff;
      if (address >= eepromWords) return false;
      this.#eeprom[address] = setup.wValue;
      return true;
    }
    if (setup.bRequest === FtdiRequest.eraseEeprom) {
      this.#eeprom.fill(0xffff);
      return true;
    }
    return this.#portOf(setup)?.perform(setup, this.#chip.ports > 1) ?? false;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    return this.ports[(endpoint - 0x81) >> 1].dataIn(buffer, offset, length);
  }

  protected override dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    return this.ports[(endpoint - 0x02) >> 1].dataOut(buffer, offset, length);
  }

  /** Multi-port chips number their ports from 1 in wIndex's low byte; 0 means the first. */
  #portOf(setup: Setup): FtdiPort | null {
    if (this.#chip.ports === 1) return this.ports[0];
    const number = setup.wIndex & 0xff;
    return this.ports[number === 0 ? 0 : number - 1] ?? null;
  }
}

interface PortSignals {
  inReady(): void;
  outReady(): void;
}

/** One serial port of a chip. */
export class FtdiPort {
  readonly uart: Uart;
  readonly #clock: Clock;
  readonly #chip: ChipFacts;
  readonly #signals: PortSignals;
  #latencyMs = powerOnLatencyMs;
  #latencyTimer: TimerHandle = 0;
  #isLatencyOver = false;
  #momentary = 0;
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

  constructor(options: FtdiOptions, chip: ChipFacts, farEnd: SerialFarEnd, signals: PortSignals) {
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
    this.#momentary = 0;
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

  /** The two bytes of GET_MODEM_STATUS. Error bits stay for the next packet: that one reports them. */
  status(): Uint8Array {
    return Uint8Array.of(this.#modemByte(), this.#lineByte());
  }

  perform(setup: Setup, isMultiPort: boolean): boolean {
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
        this.#baudRate = ftdiBaudOf(
          wValue,
          (isMultiPort ? wIndex >> 8 : wIndex) & this.#chip.divisorHighMask,
        );
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

  /** Whole packets of status and data; a short one when the latency timer has run or the event character came. */
  dataIn(buffer: Uint8Array, offset: number, length: number): number {
    const { packetBytes } = this.#chip;
    const dataBytes = packetBytes - ftdiStatusBytes;
    let written = 0;
    while (length - written >= packetBytes && this.uart.receiveRing.used >= dataBytes) {
      written += this.#packet(buffer, offset + written, dataBytes);
    }
    if (written > 0) {
      this.#restartLatency();
      this.#throttle();
      return written;
    }
    if (this.#isDue(dataBytes) && length >= ftdiStatusBytes) {
      this.#isEventSeen = false;
      const count = this.#packet(buffer, offset, Math.min(dataBytes - 1, length - ftdiStatusBytes));
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

  /** A full packet is due too: it did not fit into what the host asks for, and goes in pieces. */
  #isDue(dataBytes: number): boolean {
    if (this.#isLatencyOver || this.#isEventSeen || this.#isModemNews || this.#momentary !== 0) return true;
    return this.uart.receiveRing.used >= dataBytes;
  }

  #packet(buffer: Uint8Array, offset: number, most: number): number {
    buffer[offset] = this.#modemByte();
    buffer[offset + 1] = this.#lineByte();
    this.#isModemNews = false;
    this.#momentary = 0;
    return ftdiStatusBytes + this.uart.takeReceived(buffer, offset + ftdiStatusBytes, most);
  }

  #modemByte(): number {
    const { cts, dsr, ri, dcd } = this.#inputs;
    const bit = FtdiModemBit;
    return bit.always | (cts ? bit.cts : 0) | (dsr ? bit.dsr : 0) | (ri ? bit.ri : 0) | (dcd ? bit.dcd : 0);
  }

  #lineByte(): number {
    const holding = this.uart.transmitRing.used === 0 ? FtdiLineBit.holdingEmpty : 0;
    const transmitter = this.uart.isIdle ? FtdiLineBit.transmitterEmpty : 0;
    return holding | transmitter | this.#momentary;
  }

  /** Rate and data format survive a reset; everything else of the port goes back to its beginning. */
  #reset(which: number): boolean {
    switch (which) {
      case FtdiReset.all:
        this.uart.purge(true, true);
        this.#flow = FtdiFlow.none;
        this.#eventChar = null;
        this.#isEventSeen = false;
        this.#isStopped = false;
        this.#momentary = 0;
        this.#dtr = false;
        this.#rts = false;
        this.#applyFlow();
        break;
      case FtdiReset.purgeReceive:
        this.uart.purge(false, true);
        this.#isEventSeen = false;
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

  #lineError(error: LineError): void {
    this.#momentary |= FtdiLineBit[error];
    this.#signals.inReady();
  }

  #applyFlow(): void {
    const waitsForCts = (this.#flow & FtdiFlow.rtsCts) !== 0 && !this.#inputs.cts;
    const waitsForDsr = (this.#flow & FtdiFlow.dtrDsr) !== 0 && !this.#inputs.dsr;
    this.uart.setHeld(waitsForCts || waitsForDsr || this.#isStopped);
  }

  #applyFormat(): void {
    const { dataBits, parity, stop } = this.#format;
    this.uart.setFormat(this.#baudRate, 1 + dataBits + (parity === 0 ? 0 : 1) + [1, 1.5, 2][stop]);
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

function configuration(chip: ChipFacts, packetBytes: number): Uint8Array {
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0xa0, bMaxPower: 45 },
    Array.from({ length: chip.ports }, (_, port) => ({
      bInterfaceNumber: port,
      bInterfaceClass: 0xff,
      bInterfaceSubClass: 0xff,
      bInterfaceProtocol: 0xff,
      iInterface: 2,
      endpoints: [
        {
          bEndpointAddress: inEndpoint(port),
          bmAttributes: TransferType.bulk,
          wMaxPacketSize: packetBytes,
          bInterval: 0,
        },
        {
          bEndpointAddress: outEndpoint(port),
          bmAttributes: TransferType.bulk,
          wMaxPacketSize: packetBytes,
          bInterval: 0,
        },
      ],
    })),
  );
}

/** 64 words: ids, release, attributes, three string descriptors, and the checksum in the last word. */
function eepromImage(
  idVendor: number,
  idProduct: number,
  chip: ChipFacts,
  serialNumber: string,
): Uint16Array {
  const bytes = new Uint8Array(eepromWords * 2);
  const words = new Uint16Array(eepromWords);
  const put = (word: number, value: number) => {
    bytes[word * 2] = value & 0xff;
    bytes[word * 2 + 1] = value >> 8;
  };
  put(0, 0x4000);
  put(1, idVendor);
  put(2, idProduct);
  put(3, chip.bcdDevice);
  put(4, 0x2da0);
  put(5, 0x0008);
  // CBUS0 to CBUS4 as the FT232R leaves the factory: TXLED, RXLED, TXDEN, PWREN, SLEEP. Linux reads word 0Ah.
  put(0x0a, 0x1023);
  put(0x0b, 0x0005);
  let at = 0x18;
  [
    ["FTDI", 7],
    [chip.product, 8],
    [serialNumber, 9],
  ].forEach(([text, word]) => {
    const string = String(text).slice(0, Math.max(0, (bytes.length - 2 - at - 2) >> 1));
    const length = 2 + string.length * 2;
    put(Number(word), at | 0x80 | (length << 8));
    bytes[at] = length;
    bytes[at + 1] = 3;
    for (let index = 0; index < string.length; index++) bytes[at + 2 + index * 2] = string.charCodeAt(index);
    at += length;
  });
  for (let index = 0; index < eepromWords; index++)
    words[index] = bytes[index * 2] | (bytes[index * 2 + 1] << 8);
  words[eepromWords - 1] = ftdiEepromChecksum(words);
  return words;
}
