// The driver of FTDI serial chips: FT232B/R, FT-X and the H chips. Facts: posts.md P13, FTDI's AN232B-05.

import { IOReturns } from "../../base/io-return.ts";
import {
  encodeDataFormat,
  type FtdiClock,
  type FtdiDataFormat,
  FtdiFlow,
  FtdiLineBit,
  FtdiModemBit,
  FtdiModemControl,
  FtdiRequest,
  FtdiReset,
  ftdiDivisor,
  ftdiParity,
  ftdiStatusBytes,
  ftdiStop,
  stripFtdiStatus,
} from "../../codec/ftdi/ftdi.ts";
import {
  type ModemStatus,
  PD_RS232_A_CTS,
  PD_RS232_A_TXO,
  PD_RS232_PARITY_EVEN,
  PD_RS232_PARITY_MARK,
  PD_RS232_PARITY_NONE,
  PD_RS232_PARITY_ODD,
  PD_RS232_PARITY_SPACE,
} from "../../families/serial/io-user-serial.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import { IOUserUSBSerial } from "../../families/usb-serial/io-user-usb-serial.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { kIOMemoryDirectionIn } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";

/** Vendor requests to the device. */
const vendorOut = 0x40;
const vendorIn = 0xc0;
const requestTimeoutMs = 1000;
/** Low latency for terminals; the chip wakes with 16 ms. */
const latencyMs = 1;

const parities: Readonly<Record<number, number>> = {
  [PD_RS232_PARITY_NONE]: ftdiParity.none,
  [PD_RS232_PARITY_ODD]: ftdiParity.odd,
  [PD_RS232_PARITY_EVEN]: ftdiParity.even,
  [PD_RS232_PARITY_MARK]: ftdiParity.mark,
  [PD_RS232_PARITY_SPACE]: ftdiParity.space,
};
const stops: Readonly<Record<number, number>> = { 2: ftdiStop.one, 3: ftdiStop.oneAndHalf, 4: ftdiStop.two };
/** bcdDevice of the first chip that takes a divisor's upper bits in the high byte of wIndex: FT2232C. */
const firstPortedRelease = 0x0500;
/** Of the first H chip, of the FT-X, which has the old clock again, and of the H chips that came after it. */
const firstFastRelease = 0x0700;
const ft232rRelease = 0x0600;
const ftxRelease = 0x1000;
const secondFastRelease = 0x2800;

/**
 * Matches the interface of one port. Status bytes are stripped per packet, not per transfer: that is the mistake
 * that case P13 is about.
 */
export class FtdiDriver extends IOUserUSBSerial {
  #packetBytes = 64;
  #clock: FtdiClock = "232b";
  /** SET_BAUD_RATE: how far a divisor's upper bits are shifted in wIndex. */
  #divisorShift = 0;
  /** wIndex low byte: 0 on single-port chips, 1 and up on the others. */
  #portNumber = 0;
  #format: FtdiDataFormat = { dataBits: 8, parity: ftdiParity.none, stop: ftdiStop.one, breakOn: false };
  #lastModem = -1;

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start");
    await provider.open(this);
    const { bcdDevice, iSerialNumber } = provider.device.deviceDescriptor;
    this.#clock = hasFastClock(bcdDevice) ? "h" : "232b";
    this.#divisorShift = bcdDevice >= firstPortedRelease && bcdDevice !== ft232rRelease ? 8 : 0;
    const isOneOfMany = provider.copyConfigurationDescriptor().interfaces.length > 1;
    this.#portNumber = isOneOfMany ? provider.number + 1 : 0;
    const bulkIn = provider.setting.endpoints.find(
      ({ descriptor }) => (descriptor.bEndpointAddress & 0x80) !== 0,
    );
    const bulkOut = provider.setting.endpoints.find(
      ({ descriptor }) => (descriptor.bEndpointAddress & 0x80) === 0,
    );
    if (bulkIn === undefined || bulkOut === undefined)
      throw this.failure(IOReturns.kIOReturnNotFound, "start", "bulk pipes");
    this.#packetBytes = bulkIn.descriptor.wMaxPacketSize & 0x7ff;
    this.usePipes(provider, {
      bulkIn: provider.copyPipe(bulkIn.descriptor.bEndpointAddress),
      bulkOut: provider.copyPipe(bulkOut.descriptor.bEndpointAddress),
      interruptIn: null,
    });
    await this.#request(FtdiRequest.reset, FtdiReset.all);
    const serial = await provider.copyStringDescriptor(iSerialNumber);
    const letter = isOneOfMany ? "ABCD"[provider.number] : "";
    this.setProperties({
      IOTTYBaseName: "usbserial-",
      IOTTYSuffix: `${serial === "" ? "1" : serial}${letter}`,
    });
    this.registerService();
  }

  override async hwActivate(): Promise<void> {
    await this.#request(FtdiRequest.reset, FtdiReset.all);
    await this.#request(FtdiRequest.setLatency, latencyMs);
    this.#lastModem = -1;
    await super.hwActivate();
  }

  override async hwProgramLatencyTimer(latency: number): Promise<void> {
    if (latency < 1 || latency > 255)
      throw this.failure(IOReturns.kIOReturnBadArgument, "hwProgramLatencyTimer");
    await this.#request(FtdiRequest.setLatency, latency);
  }

  override async hwProgramUART(
    baudRate: number,
    dataBits: number,
    halfStopBits: number,
    parity: number,
  ): Promise<void> {
    const stop = stops[halfStopBits];
    const chipParity = parities[parity];
    // The chip has 7 and 8 data bits only.
    if (stop === undefined || chipParity === undefined || (dataBits !== 7 && dataBits !== 8)) {
      throw this.failure(IOReturns.kIOReturnBadArgument, "hwProgramUART", `${dataBits} data bits`);
    }
    await this.hwProgramBaudRate(baudRate);
    this.#format = { ...this.#format, dataBits, parity: chipParity, stop };
    await this.#request(FtdiRequest.setData, encodeDataFormat(this.#format));
  }

  override async hwProgramBaudRate(baudRate: number): Promise<void> {
    const divisor = ftdiDivisor(baudRate, this.#clock);
    if (divisor === null)
      throw this.failure(IOReturns.kIOReturnBadArgument, "hwProgramBaudRate", `${baudRate} baud`);
    const index = (divisor.high << this.#divisorShift) | this.#portNumber;
    await this.#control(FtdiRequest.setBaud, divisor.value, index);
  }

  override async hwProgramFlowControl(flow: number, xon: number, xoff: number): Promise<void> {
    const mode =
      (flow & PD_RS232_A_CTS) !== 0
        ? FtdiFlow.rtsCts
        : (flow & PD_RS232_A_TXO) !== 0
          ? FtdiFlow.xonXoff
          : FtdiFlow.none;
    const characters = mode === FtdiFlow.xonXoff ? xon | (xoff << 8) : 0;
    await this.#control(FtdiRequest.setFlow, characters, (mode << 8) | this.#portNumber);
  }

  override async hwProgramMCR(dtr: boolean, rts: boolean): Promise<void> {
    const { dtrMask, rtsMask } = FtdiModemControl;
    const lines = (dtr ? FtdiModemControl.dtr : 0) | (rts ? FtdiModemControl.rts : 0);
    await this.#request(FtdiRequest.modemControl, dtrMask | rtsMask | lines);
  }

  override async hwGetModemStatus(): Promise<ModemStatus> {
    return modemStatusOf((await this.#readStatus())[0]);
  }

  /** What the host gave has left when the chip's holding and shift registers are empty too. */
  override async isTransmitIdle(): Promise<boolean> {
    if (!(await super.isTransmitIdle())) return false;
    const line = (await this.#readStatus())[1];
    const { holdingEmpty, transmitterEmpty } = FtdiLineBit;
    return (line & (holdingEmpty | transmitterEmpty)) === (holdingEmpty | transmitterEmpty);
  }

  override async hwSendBreak(on: boolean): Promise<void> {
    this.#format = { ...this.#format, breakOn: on };
    await this.#request(FtdiRequest.setData, encodeDataFormat(this.#format));
  }

  override async hwResetFIFO(tx: boolean, rx: boolean): Promise<void> {
    if (rx) await this.#request(FtdiRequest.reset, FtdiReset.purgeReceive);
    if (tx) await this.#request(FtdiRequest.reset, FtdiReset.purgeTransmit);
  }

  /** Two status bytes begin every packet of the transfer. */
  protected override handleRxPacket(buffer: Uint8Array, length: number): void {
    const kept = stripFtdiStatus(buffer, length, this.#packetBytes, this.#onStatus);
    if (kept > 0) super.handleRxPacket(buffer, kept);
  }

  readonly #onStatus = (modem: number, line: number): void => {
    if (modem !== this.#lastModem) {
      this.#lastModem = modem;
      const { cts, dsr, ri, dcd } = modemStatusOf(modem);
      this.setModemStatus(cts, dsr, ri, dcd);
    }
    const { overrun, break: gotBreak, framing, parity } = FtdiLineBit;
    if ((line & (overrun | gotBreak | framing | parity)) !== 0) {
      this.rxError(
        (line & overrun) !== 0,
        (line & gotBreak) !== 0,
        (line & framing) !== 0,
        (line & parity) !== 0,
      );
    }
  };

  /** The two bytes that begin every packet, asked for. */
  async #readStatus(): Promise<[modem: number, line: number]> {
    const buffer = this.usbInterface.createIOBuffer(kIOMemoryDirectionIn, ftdiStatusBytes);
    try {
      await this.usbInterface.deviceRequest(
        vendorIn,
        FtdiRequest.getModemStatus,
        0,
        this.#portNumber,
        ftdiStatusBytes,
        buffer,
        requestTimeoutMs,
      );
      return [buffer.bytes[0], buffer.bytes[1]];
    } finally {
      buffer.release();
    }
  }

  /** A request whose wIndex names only the port. */
  #request(bRequest: number, wValue: number): Promise<void> {
    return this.#control(bRequest, wValue, this.#portNumber);
  }

  async #control(bRequest: number, wValue: number, wIndex: number): Promise<void> {
    await this.usbInterface.deviceRequest(vendorOut, bRequest, wValue, wIndex, 0, null, requestTimeoutMs);
  }
}

function hasFastClock(bcdDevice: number): boolean {
  return (bcdDevice >= firstFastRelease && bcdDevice < ftxRelease) || bcdDevice >= secondFastRelease;
}

function modemStatusOf(modem: number): ModemStatus {
  return {
    cts: (modem & FtdiModemBit.cts) !== 0,
    dsr: (modem & FtdiModemBit.dsr) !== 0,
    ri: (modem & FtdiModemBit.ri) !== 0,
    dcd: (modem & FtdiModemBit.dcd) !== 0,
  };
}

const identifier = "org.drydock.driver.ftdi";

/** One personality per product id, as vendors write them. */
function personality(idProduct: number, bInterfaceNumber: number): Readonly<Record<string, string | number>> {
  return {
    CFBundleIdentifier: identifier,
    CFBundleIdentifierKernel: "com.apple.driver.driverkit.serial",
    IOClass: "IOUserSerial",
    IOUserClass: "FtdiDriver",
    IOUserServerName: identifier,
    IOProviderClass: "IOUSBHostInterface",
    idVendor: 0x0403,
    idProduct,
    bConfigurationValue: 1,
    bInterfaceNumber,
    IOServiceDEXTEntitlements: "com.apple.developer.driverkit.family.serial",
  };
}

export const ftdiBundle: DriverBundle = {
  identifier,
  version: "1",
  teamIdentifier: "DRYDOCK001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.family.serial": true,
    "com.apple.developer.driverkit.transport.usb": [{ idVendor: 0x0403 }],
  },
  personalities: {
    FT232R: personality(0x6001, 0),
    FT230X: personality(0x6015, 0),
    FT232H: personality(0x6014, 0),
    FT2232H_A: personality(0x6010, 0),
    FT2232H_B: personality(0x6010, 1),
    FT4232H_A: personality(0x6011, 0),
    FT4232H_B: personality(0x6011, 1),
    FT4232H_C: personality(0x6011, 2),
    FT4232H_D: personality(0x6011, 3),
  },
  classes: { FtdiDriver },
};
