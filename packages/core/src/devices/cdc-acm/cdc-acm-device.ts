// A CDC ACM modem: control interface with line coding and notifications, data interface with a UART behind it.

import type { Clock, TimerHandle } from "../../base/clock.ts";
import { millisecond } from "../../base/units.ts";
import {
  AcmCapability,
  CdcRequest,
  ControlLine,
  cdcAcmSubClass,
  cdcAtProtocol,
  cdcControlClass,
  cdcDataClass,
  decodeLineCoding,
  encodeAcmFunction,
  encodeLineCoding,
  encodeSerialState,
  type LineCoding,
  lineCodingBytes,
  lineCodingProblem,
  SerialStateBit,
} from "../../codec/cdc/cdc.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { Recipient, RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbNak } from "../../ports/usb-device.ts";
import { LoopbackPlug } from "../serial-far-ends.ts";
import {
  type LineError,
  lineParities,
  lineStopBits,
  type ModemInputs,
  type SerialFarEnd,
  Uart,
} from "../uart.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";

export const cdcAcmControlInterface = 0;
export const cdcAcmDataInterface = 1;
export const cdcAcmNotifyEndpoint = 0x83;
export const cdcAcmOutEndpoint = 0x02;
export const cdcAcmInEndpoint = 0x81;

export interface CdcAcmOptions {
  readonly clock: Clock;
  readonly speed?: typeof UsbSpeed.full | typeof UsbSpeed.high;
  readonly idVendor?: number;
  readonly idProduct?: number;
  readonly serialNumber?: string;
  /** bmCapabilities of the ACM descriptor; default line coding and break. */
  readonly capabilities?: number;
  /** Highest rate the device takes, bits per second. */
  readonly maximumBaud?: number;
  /** The only rates the device takes, when it has a table; `maximumBaud` holds besides. */
  readonly baudRates?: readonly number[];
  readonly farEnd?: SerialFarEnd;
  readonly pacing?: "baud" | "none";
}

/** What arrived at the model, for tests and for the lab. */
export interface CdcAcmObservation {
  readonly lineCoding: LineCoding;
  readonly dtr: boolean;
  readonly rts: boolean;
  readonly isBreaking: boolean;
  /** Class and vendor requests that were answered with STALL since the device was made. */
  readonly refusedRequests: number;
}

const powerOnCoding: LineCoding = { dwDTERate: 9600, bCharFormat: 0, bParityType: 0, bDataBits: 8 };
/** Ring sizes each way: 4 KiB. */
const ringLog = 12;
/** SEND_BREAK with this length lasts until it is told to end (PSTN §6.3.13). */
const endlessBreak = 0xffff;

/**
 * Validates SET_LINE_CODING as posts.md P02's bench says: exactly 7 bytes, lawful fields, a rate it can do, its
 * own control interface, and only when bmCapabilities offers it. Everything else is a STALL.
 */
export class CdcAcmDevice extends UsbDeviceModel {
  readonly uart: Uart;
  readonly #capabilities: number;
  readonly #maximumBaud: number;
  readonly #baudRates: readonly number[] | null;
  readonly #clock: Clock;
  readonly #packetBytes: number;
  #coding = powerOnCoding;
  #state = 0;
  #momentary = 0;
  #isStateDue = false;
  #notification: Uint8Array | null = null;
  #notificationAt = 0;
  #breakTimer: TimerHandle = 0;
  #refused = 0;
  #owesZeroPacket = false;
  #hasHadDtr = false;

  constructor(options: CdcAcmOptions) {
    const speed = options.speed ?? UsbSpeed.full;
    const capabilities = options.capabilities ?? AcmCapability.lineCoding | AcmCapability.sendBreak;
    super({
      speed,
      device: {
        bcdUSB: 0x0200,
        bDeviceClass: cdcControlClass,
        bDeviceSubClass: 0,
        bDeviceProtocol: 0,
        bMaxPacketSize0: 64,
        idVendor: options.idVendor ?? 0x1209,
        idProduct: options.idProduct ?? 0x0001,
        bcdDevice: 0x0100,
        iManufacturer: 1,
        iProduct: 2,
        iSerialNumber: 3,
        bNumConfigurations: 1,
      },
      configurations: [configuration(speed, capabilities)],
      ...(speed === UsbSpeed.high
        ? { otherSpeedConfigurations: [configuration(UsbSpeed.full, capabilities)] }
        : {}),
      strings: ["Drydock", "CDC ACM modem", options.serialNumber ?? "DD-ACM-1"],
    });
    this.#clock = options.clock;
    this.#capabilities = capabilities;
    this.#packetBytes = packetBytesAt(speed);
    this.#maximumBaud = options.maximumBaud ?? 12_000_000;
    this.#baudRates = options.baudRates ?? null;
    this.uart = new Uart({
      clock: options.clock,
      owner: {
        received: () => this.ready(cdcAcmInEndpoint),
        drained: () => this.#drained(),
        modemChanged: (inputs) => this.#modemChanged(inputs),
        lineError: (error) => this.#lineError(error),
      },
      pacing: options.pacing ?? "baud",
      receiveLog: ringLog,
      transmitLog: ringLog,
    });
    this.uart.connect(options.farEnd ?? new LoopbackPlug());
  }

  observe(): CdcAcmObservation {
    return {
      lineCoding: this.#coding,
      dtr: this.uart.dtr,
      rts: this.uart.rts,
      isBreaking: this.uart.isBreaking,
      refusedRequests: this.#refused,
    };
  }

  protected override powerOn(): void {
    this.#clock.cancel(this.#breakTimer);
    this.#breakTimer = 0;
    this.uart.reset();
    this.#applyCoding(powerOnCoding);
    this.#notification = null;
    this.#momentary = 0;
    // The host takes all lines for off until it hears otherwise.
    this.#isStateDue = this.#state !== 0;
    this.#owesZeroPacket = false;
    this.#hasHadDtr = false;
  }

  protected override answerRequest(setup: Setup): Uint8Array | null {
    if ((setup.bmRequestType & RequestType.mask) === RequestType.standard) return null;
    if (this.#isForUs(setup) && setup.bRequest === CdcRequest.getLineCoding && this.#offers("lineCoding")) {
      return encodeLineCoding(this.#coding);
    }
    this.#refused++;
    return null;
  }

  protected override performRequest(setup: Setup, data: Uint8Array): boolean {
    const isDone = this.#isForUs(setup) && this.#perform(setup, data);
    if (!isDone) this.#refused++;
    return isDone;
  }

  protected override dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (endpoint === cdcAcmNotifyEndpoint) return this.#notifyIn(buffer, offset, length);
    const count = this.uart.takeReceived(buffer, offset, length);
    if (count > 0) {
      // A transfer that ends on a full packet is ended by a zero-length one, else the host waits for more.
      this.#owesZeroPacket = count % this.#packetBytes === 0 && count < length;
      return count;
    }
    if (this.#owesZeroPacket) {
      this.#owesZeroPacket = false;
      return 0;
    }
    return UsbNak;
  }

  /** Whole packets, or all: what does not fit is answered with NAK and comes again. */
  protected override dataOut(_endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if (length === 0) return 0;
    if (!this.#hasHadDtr && this.#offers("lineCoding"))
      this.misused(
        "data, and DTR was never set: a modem that waits for it stays silent (CDC PSTN 1.2 §6.3.12)",
      );
    const { free } = this.uart.transmitRing;
    const count = length <= free ? length : free - (free % this.#packetBytes);
    if (count === 0) return UsbNak;
    return this.uart.transmit(buffer, offset, count);
  }

  #drained(): void {
    if (this.uart.transmitRing.free >= this.#packetBytes) this.ready(cdcAcmOutEndpoint);
  }

  #isForUs(setup: Setup): boolean {
    const { bmRequestType, wIndex } = setup;
    const isClass = (bmRequestType & RequestType.mask) === RequestType.class;
    const isToInterface = (bmRequestType & Recipient.mask) === Recipient.interface;
    if (isClass && isToInterface && wIndex !== cdcAcmControlInterface)
      this.misused(
        `a class request to interface ${wIndex}, and the communications interface is ${cdcAcmControlInterface} (CDC 1.2 §6.2)`,
      );
    return isClass && isToInterface && wIndex === cdcAcmControlInterface && this.configurationValue !== 0;
  }

  #offers(capability: keyof typeof AcmCapability): boolean {
    return (this.#capabilities & AcmCapability[capability]) !== 0;
  }

  #perform(setup: Setup, data: Uint8Array): boolean {
    switch (setup.bRequest) {
      case CdcRequest.setLineCoding: {
        if (!this.#offers("lineCoding") || data.length !== lineCodingBytes) return false;
        const coding = decodeLineCoding(data);
        if (lineCodingProblem(coding) !== null || !this.#canDo(coding.dwDTERate)) return false;
        this.#applyCoding(coding);
        return true;
      }
      case CdcRequest.setControlLineState:
        if (!this.#offers("lineCoding")) return false;
        if ((setup.wValue & ControlLine.dtr) !== 0) this.#hasHadDtr = true;
        this.uart.setOutputs((setup.wValue & ControlLine.dtr) !== 0, (setup.wValue & ControlLine.rts) !== 0);
        return true;
      case CdcRequest.sendBreak:
        if (!this.#offers("sendBreak")) return false;
        this.#break(setup.wValue);
        return true;
      default:
        return false;
    }
  }

  #canDo(baudRate: number): boolean {
    return baudRate <= this.#maximumBaud && (this.#baudRates?.includes(baudRate) ?? true);
  }

  #applyCoding(coding: LineCoding): void {
    this.#coding = coding;
    this.uart.setFormat({
      baudRate: coding.dwDTERate,
      dataBits: coding.bDataBits,
      parity: lineParities[coding.bParityType],
      stopBits: lineStopBits[coding.bCharFormat],
    });
  }

  /** Milliseconds; ffffh until told otherwise, 0 ends it (PSTN §6.3.13). A new break replaces the old one's end. */
  #break(durationMs: number): void {
    this.#clock.cancel(this.#breakTimer);
    this.#breakTimer = 0;
    this.uart.setBreak(durationMs !== 0);
    if (durationMs === 0 || durationMs === endlessBreak) return;
    this.#breakTimer = this.#clock.after(durationMs * millisecond, this.#breakOver, undefined);
  }

  readonly #breakOver = (): void => {
    this.#breakTimer = 0;
    this.uart.setBreak(false);
  };

  #modemChanged(inputs: ModemInputs): void {
    const { dcd, dsr, ring } = SerialStateBit;
    // PSTN table 31 has DCD, DSR and ring; there is no CTS in ACM.
    const state = (inputs.dcd ? dcd : 0) | (inputs.dsr ? dsr : 0) | (inputs.ri ? ring : 0);
    if (state === this.#state) return;
    this.#state = state;
    this.#notify();
  }

  #lineError(error: LineError): void {
    this.#momentary |= SerialStateBit[error];
    this.#notify();
  }

  #notify(): void {
    this.#isStateDue = true;
    this.ready(cdcAcmNotifyEndpoint);
  }

  #notifyIn(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#notification === null) {
      if (!this.#isStateDue) return UsbNak;
      this.#isStateDue = false;
      this.#notification = encodeSerialState(cdcAcmControlInterface, this.#state | this.#momentary);
      this.#notificationAt = 0;
      this.#momentary = 0;
    }
    const rest = this.#notification.subarray(this.#notificationAt);
    const count = Math.min(rest.length, length);
    buffer.set(rest.subarray(0, count), offset);
    this.#notificationAt += count;
    if (this.#notificationAt === this.#notification.length) this.#notification = null;
    return count;
  }
}

/** Bulk packets: USB 2.0 §5.8.3. */
function packetBytesAt(speed: UsbSpeed): number {
  return speed === UsbSpeed.high ? 512 : 64;
}

function configuration(speed: UsbSpeed, capabilities: number): Uint8Array {
  const packetBytes = packetBytesAt(speed);
  return encodeConfiguration(
    { bConfigurationValue: 1, iConfiguration: 0, bmAttributes: 0x80, bMaxPower: 50 },
    [
      {
        bInterfaceNumber: cdcAcmControlInterface,
        bInterfaceClass: cdcControlClass,
        bInterfaceSubClass: cdcAcmSubClass,
        bInterfaceProtocol: cdcAtProtocol,
        extra: encodeAcmFunction(capabilities, cdcAcmControlInterface, cdcAcmDataInterface),
        endpoints: [
          {
            bEndpointAddress: cdcAcmNotifyEndpoint,
            bmAttributes: TransferType.interrupt,
            wMaxPacketSize: 16,
            bInterval: speed === UsbSpeed.high ? 7 : 8,
          },
        ],
      },
      {
        bInterfaceNumber: cdcAcmDataInterface,
        bInterfaceClass: cdcDataClass,
        bInterfaceSubClass: 0,
        bInterfaceProtocol: 0,
        endpoints: [
          {
            bEndpointAddress: cdcAcmInEndpoint,
            bmAttributes: TransferType.bulk,
            wMaxPacketSize: packetBytes,
            bInterval: 0,
          },
          {
            bEndpointAddress: cdcAcmOutEndpoint,
            bmAttributes: TransferType.bulk,
            wMaxPacketSize: packetBytes,
            bInterval: 0,
          },
        ],
      },
    ],
  );
}
