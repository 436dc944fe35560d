// The driver of USB modems and UARTs that speak CDC ACM: USB CDC 1.2 with PSTN 1.2.

import { IOReturns } from "../../base/io-return.ts";
import {
  AcmCapability,
  CdcRequest,
  ControlLine,
  encodeLineCoding,
  lineCodingBytes,
  parseAcmFunction,
  SerialStateAssembler,
  SerialStateBit,
} from "../../codec/cdc/cdc.ts";
import {
  PD_RS232_PARITY_EVEN,
  PD_RS232_PARITY_MARK,
  PD_RS232_PARITY_NONE,
  PD_RS232_PARITY_ODD,
  PD_RS232_PARITY_SPACE,
} from "../../families/serial/io-user-serial.ts";
import { IOUSBHostInterface } from "../../families/usb/io-usb-host-interface.ts";
import { IOUserUSBSerial } from "../../families/usb-serial/io-user-usb-serial.ts";
import type { DriverBundle } from "../../runtime/driver-bundle.ts";
import { kIOMemoryDirectionOut } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";

/** Class request to an interface: host to device. */
const classRequestOut = 0x21;
const requestTimeoutMs = 1000;
const breakOn = 0xffff;

/** Half stop bits -> bCharFormat, and parity code -> bParityType: by table, so that nothing can underflow. */
const charFormats: Readonly<Record<number, number>> = { 2: 0, 3: 1, 4: 2 };
const parityTypes: Readonly<Record<number, number>> = {
  [PD_RS232_PARITY_NONE]: 0,
  [PD_RS232_PARITY_ODD]: 1,
  [PD_RS232_PARITY_EVEN]: 2,
  [PD_RS232_PARITY_MARK]: 3,
  [PD_RS232_PARITY_SPACE]: 4,
};

/**
 * Matches the data interface, which has the pipes, and opens the control interface beside it for requests and
 * notifications. ACM has no flow control and no CTS: CTS is reported as on.
 */
export class CdcAcmDriver extends IOUserUSBSerial {
  #control: IOUSBHostInterface | null = null;
  #capabilities = 0;
  readonly #states = new SerialStateAssembler();

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start");
    const control = this.#findControl(provider);
    await provider.open(this);
    await control.open(this);
    this.#control = control;
    // PSTN §5.3.2: which requests the device has at all.
    this.#capabilities = parseAcmFunction(control.setting.extra).capabilities ?? 0;

    const bulkIn = provider.setting.endpoints.find(
      ({ descriptor }) => isBulk(descriptor.bmAttributes) && isIn(descriptor.bEndpointAddress),
    );
    const bulkOut = provider.setting.endpoints.find(
      ({ descriptor }) => isBulk(descriptor.bmAttributes) && !isIn(descriptor.bEndpointAddress),
    );
    const notify = control.setting.endpoints[0];
    if (bulkIn === undefined || bulkOut === undefined)
      throw this.failure(IOReturns.kIOReturnNotFound, "start", "bulk pipes");
    this.usePipes(provider, {
      bulkIn: provider.copyPipe(bulkIn.descriptor.bEndpointAddress),
      bulkOut: provider.copyPipe(bulkOut.descriptor.bEndpointAddress),
      interruptIn: notify === undefined ? null : control.copyPipe(notify.descriptor.bEndpointAddress),
    });
    const serial = await provider.copyStringDescriptor(control.device.deviceDescriptor.iSerialNumber);
    this.setProperties({ IOTTYBaseName: "usbmodem", IOTTYSuffix: serial === "" ? "1" : serial });
    this.setModemStatus(true, false, false, false);
    this.registerService();
  }

  override async stop(provider: IOService): Promise<void> {
    await super.stop(provider);
  }

  override async hwProgramUART(
    baudRate: number,
    dataBits: number,
    halfStopBits: number,
    parity: number,
  ): Promise<void> {
    if ((this.#capabilities & AcmCapability.lineCoding) === 0) return;
    const bCharFormat = charFormats[halfStopBits];
    const bParityType = parityTypes[parity];
    if (bCharFormat === undefined || bParityType === undefined) {
      throw this.failure(IOReturns.kIOReturnBadArgument, "hwProgramUART");
    }
    const control = this.#control as IOUSBHostInterface;
    const buffer = control.createIOBuffer(kIOMemoryDirectionOut, lineCodingBytes);
    try {
      encodeLineCoding({ dwDTERate: baudRate, bCharFormat, bParityType, bDataBits: dataBits }, buffer.bytes);
      await control.deviceRequest(
        classRequestOut,
        CdcRequest.setLineCoding,
        0,
        control.number,
        lineCodingBytes,
        buffer,
        requestTimeoutMs,
      );
    } finally {
      buffer.release();
    }
  }

  override async hwProgramMCR(dtr: boolean, rts: boolean): Promise<void> {
    if ((this.#capabilities & AcmCapability.lineCoding) === 0) return;
    const lines = (dtr ? ControlLine.dtr : 0) | (rts ? ControlLine.rts : 0);
    await this.#request(CdcRequest.setControlLineState, lines);
  }

  override async hwSendBreak(on: boolean): Promise<void> {
    if ((this.#capabilities & AcmCapability.sendBreak) === 0) {
      throw this.failure(IOReturns.kIOReturnUnsupported, "hwSendBreak");
    }
    await this.#request(CdcRequest.sendBreak, on ? breakOn : 0);
  }

  /** SERIAL_STATE, PSTN §6.5.4: DCD and DSR are levels, the rest are events. */
  protected override handleInterruptPacket(packet: Uint8Array, length: number): void {
    for (const state of this.#states.push(packet, length)) {
      const has = (bit: number) => (state & bit) !== 0;
      this.setModemStatus(true, has(SerialStateBit.dsr), has(SerialStateBit.ring), has(SerialStateBit.dcd));
      const errors =
        SerialStateBit.overrun | SerialStateBit.break | SerialStateBit.framing | SerialStateBit.parity;
      if ((state & errors) !== 0) {
        this.rxError(
          has(SerialStateBit.overrun),
          has(SerialStateBit.break),
          has(SerialStateBit.framing),
          has(SerialStateBit.parity),
        );
      }
    }
  }

  async #request(bRequest: number, wValue: number): Promise<void> {
    const control = this.#control as IOUSBHostInterface;
    await control.deviceRequest(classRequestOut, bRequest, wValue, control.number, 0, null, requestTimeoutMs);
  }

  /** The communications interface whose union names `data` as its subordinate. */
  #findControl(data: IOUSBHostInterface): IOUSBHostInterface {
    const { device } = data;
    const iterator = device.createInterfaceIterator();
    try {
      for (let next = device.copyInterface(iterator); next !== null; next = device.copyInterface(iterator)) {
        if (next !== data && parseAcmFunction(next.setting.extra).dataInterface === data.number) return next;
      }
    } finally {
      device.destroyInterfaceIterator(iterator);
    }
    throw this.failure(
      IOReturns.kIOReturnNotFound,
      "start",
      "no ACM control interface names this data interface",
    );
  }
}

const isBulk = (bmAttributes: number): boolean => (bmAttributes & 3) === 2;
const isIn = (address: number): boolean => (address & 0x80) !== 0;

export const cdcAcmBundle: DriverBundle = {
  identifier: "org.drydock.driver.cdc-acm",
  version: "1",
  teamIdentifier: "DRYDOCK001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.family.serial": true,
    "com.apple.developer.driverkit.transport.usb": [{ bInterfaceClass: 0x0a, bInterfaceSubClass: 0 }],
  },
  personalities: {
    CdcAcmDriver: {
      CFBundleIdentifier: "org.drydock.driver.cdc-acm",
      CFBundleIdentifierKernel: "com.apple.driver.driverkit.serial",
      IOClass: "IOUserSerial",
      IOUserClass: "CdcAcmDriver",
      IOUserServerName: "org.drydock.driver.cdc-acm",
      IOProviderClass: "IOUSBHostInterface",
      bInterfaceClass: 0x0a,
      bInterfaceSubClass: 0,
      IOServiceDEXTEntitlements: "com.apple.developer.driverkit.family.serial",
    },
  },
  classes: { CdcAcmDriver },
};
