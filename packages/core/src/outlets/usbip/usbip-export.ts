// One attached device as USB/IP offers it: read once for the list, lent to one client at a time.

import { DecodeError } from "../../base/errors.ts";
import { parseConfiguration, parseDeviceDescriptor } from "../../codec/usb/descriptors.ts";
import type { UsbipListedDevice } from "../../codec/usbip/usbip.ts";
import { type UsbHostClient, type UsbHostPort, UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";
import { UsbSpeed } from "../../ports/usb-speed.ts";

/** Speeds as the protocol numbers them. */
const protocolSpeeds: Readonly<Record<UsbSpeed, number>> = {
  [UsbSpeed.none]: 0,
  [UsbSpeed.low]: 1,
  [UsbSpeed.full]: 2,
  [UsbSpeed.high]: 3,
  [UsbSpeed.super]: 5,
  [UsbSpeed.superPlus]: 6,
  [UsbSpeed.superPlusBy2]: 6,
};

const getDescriptor = 6;
/** A device that answers more often than this without being understood is given up. */
const longestConfiguration = 0xffff;

/** Who has imported the device. */
export interface ExportUser {
  completed(slot: number, status: UsbStatus, actualBytes: number): void;
  /** The device left; nothing of it comes any more. */
  detached(): void;
}

/** The permanent client of an attached port: reads its descriptors, then passes everything to whoever imported it. */
export class UsbipExport implements UsbHostClient {
  readonly port: UsbHostPort;
  readonly busId: string;
  readonly busNumber: number;
  readonly deviceNumber: number;
  readonly #onReady: (self: UsbipExport, problem: string | null) => void;
  readonly #onGone: (self: UsbipExport) => void;
  #user: ExportUser | null = null;
  #listed: UsbipListedDevice | null = null;
  #buffer = new Uint8Array(18);
  #device: Uint8Array | null = null;
  #isGone = false;

  constructor(
    port: UsbHostPort,
    place: { busId: string; busNumber: number; deviceNumber: number },
    onReady: (self: UsbipExport, problem: string | null) => void,
    onGone: (self: UsbipExport) => void,
  ) {
    this.port = port;
    this.busId = place.busId;
    this.busNumber = place.busNumber;
    this.deviceNumber = place.deviceNumber;
    this.#onReady = onReady;
    this.#onGone = onGone;
    port.connect(this);
    this.#ask(0x0100, 18);
  }

  /** Null until the descriptors were read. */
  get listed(): UsbipListedDevice | null {
    return this.#listed;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get isBusy(): boolean {
    return this.#user !== null;
  }

  /** As messages name it: bus number in the upper half. */
  get deviceId(): number {
    return ((this.busNumber << 16) | this.deviceNumber) >>> 0;
  }

  /** Lends the device. Call only when `listed` and not `isBusy`. */
  lend(user: ExportUser): void {
    this.#user = user;
  }

  /** The user has gone: the device is reset, leaves, and comes back as a new export. */
  giveBack(): void {
    this.#user = null;
    if (!this.#isGone) this.port.reset();
  }

  completed(slot: number, status: UsbStatus, actualBytes: number): void {
    if (this.#listed !== null) this.#user?.completed(slot, status, actualBytes);
    else if (status === UsbStatus.ok) this.#readOn(this.#buffer.subarray(0, actualBytes));
    else if (status !== UsbStatus.gone) this.#onReady(this, "it refuses GET_DESCRIPTOR");
  }

  detached(): void {
    this.#isGone = true;
    const user = this.#user;
    this.#user = null;
    this.#onGone(this);
    user?.detached();
  }

  /** Device descriptor, configuration header, whole configuration. */
  #readOn(answer: Uint8Array): void {
    if (this.#device === null) {
      this.#device = answer.slice();
      this.#ask(0x0200, 9);
      return;
    }
    const total = answer.length >= 4 ? answer[2] | (answer[3] << 8) : 0;
    if (answer.length === 9 && total > 9 && total <= longestConfiguration) {
      this.#ask(0x0200, total);
      return;
    }
    try {
      this.#listed = this.#describe(parseDeviceDescriptor(this.#device), parseConfiguration(answer));
      this.#onReady(this, null);
    } catch (error) {
      if (!(error instanceof DecodeError)) throw error;
      this.#onReady(this, error.message);
    }
  }

  #ask(wValue: number, length: number): void {
    this.#buffer = new Uint8Array(length);
    const setup = Uint8Array.of(
      0x80,
      getDescriptor,
      wValue & 0xff,
      wValue >> 8,
      0,
      0,
      length & 0xff,
      length >> 8,
    );
    const submitted = this.port.control(0, setup, this.#buffer, 0);
    if (submitted !== UsbSubmit.accepted && submitted !== UsbSubmit.gone) {
      this.#onReady(this, "it refuses control requests");
    }
  }

  #describe(
    device: ReturnType<typeof parseDeviceDescriptor>,
    configuration: ReturnType<typeof parseConfiguration>,
  ): UsbipListedDevice {
    return {
      device: {
        path: `/sys/devices/drydock/usb${this.busNumber}/${this.busId}`,
        busId: this.busId,
        busNumber: this.busNumber,
        deviceNumber: this.deviceNumber,
        speed: protocolSpeeds[this.port.speed],
        idVendor: device.idVendor,
        idProduct: device.idProduct,
        bcdDevice: device.bcdDevice,
        bDeviceClass: device.bDeviceClass,
        bDeviceSubClass: device.bDeviceSubClass,
        bDeviceProtocol: device.bDeviceProtocol,
        bConfigurationValue: 0,
        bNumConfigurations: device.bNumConfigurations,
        bNumInterfaces: configuration.interfaces.length,
      },
      interfaces: configuration.interfaces.map(({ settings }) => settings[0].descriptor),
    };
  }
}
