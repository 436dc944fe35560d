// FTDI's USB serial chips, with one, two or four ports, as Linux's driver and FTDI's notes know them.

import type { Clock } from "../../base/clock.ts";
import { FtdiRequest, ftdiVendorId } from "../../codec/ftdi/ftdi.ts";
import { encodeConfiguration, TransferType } from "../../codec/usb/descriptors.ts";
import { RequestType, type Setup } from "../../codec/usb/setup.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { LoopbackPlug } from "../serial-far-ends.ts";
import type { SerialFarEnd } from "../uart.ts";
import { UsbDeviceModel } from "../usb-device-model.ts";
import { type FtdiChip, type FtdiChipFacts, ftdiChipOfProduct, ftdiChips } from "./ftdi-chips.ts";
import { FtdiEeprom } from "./ftdi-eeprom.ts";
import { type FtdiObservation, FtdiPort } from "./ftdi-port.ts";

export interface FtdiOptions {
  readonly clock: Clock;
  /** Default: the chip whose product id `idProduct` is, else an FT232R. */
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

/** Endpoints of port n: IN 81h, 83h, ..., OUT 02h, 04h, ... */
const inEndpoint = (port: number): number => 0x81 + port * 2;
const outEndpoint = (port: number): number => 0x02 + port * 2;

/**
 * Every IN packet begins with the modem and line status bytes. A packet leaves when it is full, when the latency timer
 * has run, or when the event character came; an idle chip therefore sends two bytes per latency interval.
 */
export class FtdiDevice extends UsbDeviceModel {
  readonly ports: readonly FtdiPort[];
  readonly #eeprom: FtdiEeprom;
  readonly #chip: FtdiChipFacts;

  constructor(options: FtdiOptions) {
    const named = options.idProduct === undefined ? null : ftdiChipOfProduct(options.idProduct);
    const chip: FtdiChipFacts = ftdiChips[options.chip ?? named ?? "ft232r"];
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
    this.#eeprom = new FtdiEeprom(chip, { idVendor, idProduct, serialNumber });
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
        const word = this.#eeprom.read(setup.wIndex);
        return Uint8Array.of(word & 0xff, word >> 8);
      }
      default:
        return null;
    }
  }

  protected override performRequest(setup: Setup, _data: Uint8Array): boolean {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.vendor) return false;
    if (setup.bRequest === FtdiRequest.writeEeprom) return this.#eeprom.write(setup.wIndex, setup.wValue);
    if (setup.bRequest === FtdiRequest.eraseEeprom) {
      this.#eeprom.erase();
      return true;
    }
    return this.#portOf(setup)?.perform(setup) ?? false;
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

function configuration(chip: FtdiChipFacts, packetBytes: number): Uint8Array {
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
