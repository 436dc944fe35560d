// The driver of USB modems and UARTs that speak CDC ACM: USB CDC 1.2 with PSTN 1.2.

import { IOReturns } from "../../base/io-return.ts";
import {
  AcmCapability,
  type AcmView,
  CdcRequest,
  ControlLine,
  cdcAcmSubClass,
  cdcControlClass,
  cdcDataClass,
  encodeLineCoding,
  lineCodingBytes,
  SerialStateAssembler,
  SerialStateBit,
  viewAcmFunction,
} from "../../codec/cdc/cdc.ts";
import { type Endpoint, type InterfaceSetting, TransferType } from "../../codec/usb/descriptors.ts";
import { directionIn } from "../../codec/usb/setup.ts";
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
import { IOError } from "../../runtime/io-error.ts";
import { kIOMemoryDirectionOut } from "../../runtime/memory.ts";
import type { IOService } from "../../runtime/service.ts";
import { functionalDescriptors, hasBulkPair, interfacesOf } from "../cdc-function.ts";

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

/** PSTN table 2 and CDC table 5: no protocol, and the AT commands of V.250 and mobile phones. FFh is somebody's own. */
const modemProtocols = [0, 1, 2, 3, 4, 5, 6];

/**
 * Matches the control interface and finds the data interface by what the device offers for it: union, call management,
 * its own pipes, or the data interface that follows. ACM has no flow control and no CTS: CTS is reported as on.
 */
export class CdcAcmDriver extends IOUserUSBSerial {
  #control: IOUSBHostInterface | null = null;
  #capabilities = 0;
  /** The device does not say what it has: what it refuses is not asked for again. */
  #isGuessing = false;
  readonly #states = new SerialStateAssembler();

  override async start(provider: IOService): Promise<void> {
    await super.start(provider);
    if (!(provider instanceof IOUSBHostInterface))
      throw this.failure(IOReturns.kIOReturnUnsupported, "start", "the provider is no IOUSBHostInterface");
    const control = provider;
    const view = viewAcmFunction(functionalDescriptors(control.setting));
    // PSTN §5.3.2: which requests the device has at all.
    this.#isGuessing = view.capabilities === null;
    this.#capabilities = view.capabilities ?? AcmCapability.lineCoding | AcmCapability.sendBreak;
    const data = this.#findData(control, view);
    await control.open(this);
    this.#control = control;
    if (data.owner !== control) await data.owner.open(this);
    const { bAlternateSetting } = data.setting.descriptor;
    if (data.owner.setting !== data.setting) await data.owner.selectAlternateSetting(bAlternateSetting);

    const notify = control.setting.endpoints.find(isInterruptIn);
    this.usePipes(data.owner, {
      bulkIn: data.owner.copyPipe(addressOf(data.setting.endpoints.find(isBulkIn))),
      bulkOut: data.owner.copyPipe(addressOf(data.setting.endpoints.find(isBulkOut))),
      interruptIn: notify === undefined ? null : control.copyPipe(addressOf(notify)),
    });
    const serial = await provider.copyStringDescriptor(control.device.deviceDescriptor.iSerialNumber);
    this.setProperties({ IOTTYBaseName: "usbmodem", IOTTYSuffix: serial === "" ? "1" : serial });
    this.setModemStatus(true, false, false, false);
    this.registerService();
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
      await this.#unlessGuessed(AcmCapability.lineCoding, () =>
        control.deviceRequest(
          classRequestOut,
          CdcRequest.setLineCoding,
          0,
          control.number,
          lineCodingBytes,
          buffer,
          requestTimeoutMs,
        ),
      );
    } finally {
      buffer.release();
    }
  }

  override async hwProgramMCR(dtr: boolean, rts: boolean): Promise<void> {
    if ((this.#capabilities & AcmCapability.lineCoding) === 0) return;
    const lines = (dtr ? ControlLine.dtr : 0) | (rts ? ControlLine.rts : 0);
    await this.#unlessGuessed(AcmCapability.lineCoding, () =>
      this.#request(CdcRequest.setControlLineState, lines),
    );
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

  /** A device without an ACM descriptor may stall what others have: that is an answer, said once. */
  async #unlessGuessed(capability: number, request: () => Promise<unknown>): Promise<void> {
    try {
      await request();
    } catch (error) {
      const isRefusal = error instanceof IOError && error.code === IOReturns.kUSBHostReturnPipeStalled;
      if (!this.#isGuessing || !isRefusal) throw error;
      this.#capabilities &= ~capability;
      this.log(
        "CdcAcmDriver: no ACM descriptor, and the device refuses line settings: it goes on without them",
      );
    }
  }

  /** The interface and the setting with the two bulk pipes, by all that may name it. */
  #findData(
    control: IOUSBHostInterface,
    view: AcmView,
  ): { owner: IOUSBHostInterface; setting: InterfaceSetting } {
    const others = interfacesOf(control.device);
    const at = (number: number | null) => others.filter((entry) => entry.number === number);
    const isSelf = view.unionInterfaces.every((number) => number === control.number);
    const next = at(control.number + 1).filter(
      ({ setting }) => setting.descriptor.bInterfaceClass === cdcDataClass,
    );
    const candidates = [
      ...view.unionInterfaces.filter((number) => number !== control.number).flatMap(at),
      ...(isSelf ? [control] : []),
      ...at(view.callManagementInterface),
      ...next,
      control,
    ];
    for (const owner of candidates) {
      const setting = owner.settings.find(hasBulkPair);
      if (setting !== undefined) return { owner, setting };
    }
    throw this.failure(
      IOReturns.kIOReturnNotFound,
      "start",
      `no data interface: ${whyNot(view, control.number, next.length > 0)}`,
    );
  }
}

function whyNot(view: AcmView, control: number, hasNext: boolean): string {
  const { unionInterfaces, callManagementInterface } = view;
  const union =
    unionInterfaces.length === 0
      ? "there is no union descriptor"
      : `the union descriptor names ${unionInterfaces.join(" and ")}`;
  const call =
    callManagementInterface === null
      ? "no call management descriptor"
      : `call management names ${callManagementInterface}`;
  const next = hasNext ? "the data interface that follows" : "no data interface follows, and interface";
  return `${union}, ${call}; ${hasNext ? `${next} has no bulk pair` : `${next} ${control} has no bulk pair itself`}`;
}

const isBulk = ({ descriptor }: Endpoint): boolean => (descriptor.bmAttributes & 3) === TransferType.bulk;
const isIn = ({ descriptor }: Endpoint): boolean => (descriptor.bEndpointAddress & directionIn) !== 0;
const isBulkIn = (endpoint: Endpoint): boolean => isBulk(endpoint) && isIn(endpoint);
const isBulkOut = (endpoint: Endpoint): boolean => isBulk(endpoint) && !isIn(endpoint);
const isInterruptIn = (endpoint: Endpoint): boolean =>
  (endpoint.descriptor.bmAttributes & 3) === TransferType.interrupt && isIn(endpoint);
const addressOf = (endpoint: Endpoint | undefined): number => endpoint?.descriptor.bEndpointAddress ?? 0;

export const cdcAcmBundle: DriverBundle = {
  identifier: "org.drydock.driver.cdc-acm",
  version: "1",
  teamIdentifier: "DRYDOCK001",
  entitlements: {
    "com.apple.developer.driverkit": true,
    "com.apple.developer.driverkit.family.serial": true,
    "com.apple.developer.driverkit.transport.usb": [
      { bInterfaceClass: cdcControlClass, bInterfaceSubClass: cdcAcmSubClass },
    ],
  },
  personalities: Object.fromEntries(
    modemProtocols.map((bInterfaceProtocol) => [
      `CdcAcmDriver_${bInterfaceProtocol}`,
      {
        CFBundleIdentifier: "org.drydock.driver.cdc-acm",
        CFBundleIdentifierKernel: "com.apple.driver.driverkit.serial",
        IOClass: "IOUserSerial",
        IOUserClass: "CdcAcmDriver",
        IOUserServerName: "org.drydock.driver.cdc-acm",
        IOProviderClass: "IOUSBHostInterface",
        bInterfaceClass: cdcControlClass,
        bInterfaceSubClass: cdcAcmSubClass,
        bInterfaceProtocol,
        IOServiceDEXTEntitlements: "com.apple.developer.driverkit.family.serial",
      },
    ]),
  ),
  classes: { CdcAcmDriver },
};
