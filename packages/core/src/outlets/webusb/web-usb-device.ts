// One device as WebUSB's USBDevice: its states, the order of the checks, claims, transfers, aborts.

import type { DeviceDescriptor } from "../../codec/usb/descriptors.ts";
import { directionIn, encodeSetup, Feature, Recipient, StandardRequest } from "../../codec/usb/setup.ts";
import { newUsbPackets, type UsbPackets, UsbStatus, usbPacketsMaximum } from "../../ports/usb-host.ts";
import type {
  USBBufferSource,
  USBControlTransferParameters,
  USBDevice,
  USBDirection,
  USBIsochronousInTransferResult,
  USBIsochronousOutTransferResult,
  USBTransferStatus,
} from "../../ports/web-usb.ts";
import { webIdlMembers } from "../page-face.ts";
import { webUsbError } from "./dom-exception.ts";
import type { EnumeratedDevice } from "./enumerate.ts";
import type { PortRequest, PortRequests, RequestDone } from "./port-requests.ts";
import {
  copyBufferSource,
  isochronousInResult,
  isochronousOutResult,
  requestTypeOf,
  WebUsbInTransferResult,
  WebUsbOutTransferResult,
} from "./transfer-results.ts";
import {
  alternateOf,
  beginConfiguration,
  interfaceOf,
  WebUsbConfiguration,
  type WebUsbEndpoint,
  type WebUsbInterface,
} from "./web-usb-tree.ts";

/** Larger transfers are refused with DataError, as Chromium does. */
const largestTransferBytes = 32 * 1024 * 1024;

/** What a device asks of the `USB` object that it belongs to. */
export interface WebUsbDeviceOwner {
  readonly isUnrestricted: boolean;
  /** A promise was settled inside a completion: continuations must run before time moves. */
  settled(): void;
  forget(device: WebUsbDevice): void;
  /** Resets the port; calls back when the same device is there again (and `rebind` was called), or false. */
  reset(device: WebUsbDevice, done: (isBack: boolean) => void): void;
}

interface Pending {
  /** Whose transfer it is; null for control requests. */
  readonly owner: WebUsbInterface | null;
  request: PortRequest | null;
  reject(error: Error): void;
}

const transferStatuses: Readonly<Record<number, USBTransferStatus>> = {
  [UsbStatus.ok]: "ok",
  [UsbStatus.stall]: "stall",
  [UsbStatus.overflow]: "babble",
};

const gone = () => webUsbError("NotFoundError", "the device was disconnected");
const aborted = () => webUsbError("AbortError", "the transfer was cancelled");
const busy = () =>
  webUsbError("InvalidStateError", "an operation that changes the device state is in progress");

/** Made by {@link WebUsb}. Methods' steps are those of §Methods; where browsers differ from them, the page says so. */
export class WebUsbDevice implements USBDevice {
  declare readonly usbVersionMajor: number;
  declare readonly usbVersionMinor: number;
  declare readonly usbVersionSubminor: number;
  declare readonly deviceClass: number;
  declare readonly deviceSubclass: number;
  declare readonly deviceProtocol: number;
  declare readonly vendorId: number;
  declare readonly productId: number;
  declare readonly deviceVersionMajor: number;
  declare readonly deviceVersionMinor: number;
  declare readonly deviceVersionSubminor: number;
  declare readonly manufacturerName: string | null;
  declare readonly productName: string | null;
  declare readonly serialNumber: string | null;
  declare readonly configurations: readonly WebUsbConfiguration[];
  readonly #owner: WebUsbDeviceOwner;
  readonly #pending = new Set<Pending>();
  /** Interfaces whose claim or setting is changing. */
  readonly #changing = new Set<WebUsbInterface>();
  #requests: PortRequests;
  #configurationValue: number;
  #isConnected = true;
  #isOpened = false;
  #isChanging = false;

  constructor(found: EnumeratedDevice, requests: PortRequests, owner: WebUsbDeviceOwner) {
    const { device, strings } = found;
    [this.usbVersionMajor, this.usbVersionMinor, this.usbVersionSubminor] = version(device.bcdUSB);
    [this.deviceVersionMajor, this.deviceVersionMinor, this.deviceVersionSubminor] = version(
      device.bcdDevice,
    );
    this.deviceClass = device.bDeviceClass;
    this.deviceSubclass = device.bDeviceSubClass;
    this.deviceProtocol = device.bDeviceProtocol;
    this.vendorId = device.idVendor;
    this.productId = device.idProduct;
    const text = (field: keyof DeviceDescriptor) => strings.get(device[field]) ?? null;
    this.manufacturerName = text("iManufacturer");
    this.productName = text("iProduct");
    this.serialNumber = text("iSerialNumber");
    this.configurations = found.configurations.map((entry) => new WebUsbConfiguration(entry, strings));
    this.#configurationValue = found.configurationValue;
    this.#requests = requests;
    this.#owner = owner;
  }

  get opened(): boolean {
    return this.#isOpened;
  }

  get configuration(): WebUsbConfiguration | null {
    const value = this.#configurationValue;
    return this.configurations.find((entry) => entry.configurationValue === value) ?? null;
  }

  async open(): Promise<void> {
    this.#checkConnected();
    this.#checkNothingChanges();
    if (this.#isOpened) return;
    await this.#change(async () => {
      this.#isOpened = true;
    });
  }

  async close(): Promise<void> {
    this.#checkConnected();
    this.#checkNothingChanges();
    if (!this.#isOpened) return;
    await this.#change(async () => {
      this.#abort(() => true);
      for (const entry of this.configuration?.interfaces ?? []) {
        if (entry.isClaimed) await this.#giveUp(entry);
      }
      this.#isOpened = false;
    });
  }

  async forget(): Promise<void> {
    this.#owner.forget(this);
  }

  async selectConfiguration(configurationValue: number): Promise<void> {
    this.#checkConnected();
    const value = configurationValue & 0xff;
    const wanted = this.configurations.find((entry) => entry.configurationValue === value);
    if (wanted === undefined)
      throw webUsbError("NotFoundError", `the device has no configuration ${configurationValue}`);
    this.#checkOpened();
    this.#checkNothingChanges();
    // Browsers and npm usb: nothing goes out, claims and transfers stay. The report's text would send the request again.
    if (value === this.#configurationValue) return;
    await this.#change(async () => {
      this.#abort(({ owner }) => owner !== null);
      await this.#command(Recipient.device, StandardRequest.setConfiguration, value, 0);
      beginConfiguration(wanted);
      this.#configurationValue = value;
    });
  }

  async claimInterface(interfaceNumber: number): Promise<void> {
    const entry = this.#findInterface(interfaceNumber);
    if (entry.isClaimed) return;
    if (entry.isProtected && !this.#owner.isUnrestricted)
      throw webUsbError("SecurityError", `interface ${interfaceNumber} is of a protected class`);
    await this.#changeInterface(entry, async () => {
      entry.isClaimed = true;
    });
  }

  async releaseInterface(interfaceNumber: number): Promise<void> {
    const entry = this.#findInterface(interfaceNumber);
    if (!entry.isClaimed) return;
    await this.#changeInterface(entry, async () => {
      this.#abort(({ owner }) => owner === entry);
      await this.#giveUp(entry);
    });
  }

  async selectAlternateInterface(interfaceNumber: number, alternateSetting: number): Promise<void> {
    const entry = this.#findInterface(interfaceNumber);
    if (!entry.isClaimed)
      throw webUsbError("InvalidStateError", `interface ${interfaceNumber} is not claimed`);
    const setting = alternateSetting & 0xff;
    if (alternateOf(entry, setting) === null)
      throw webUsbError("NotFoundError", `interface ${interfaceNumber} has no setting ${alternateSetting}`);
    await this.#changeInterface(entry, async () => {
      this.#abort(({ owner }) => owner === entry);
      await this.#command(Recipient.interface, StandardRequest.setInterface, setting, entry.interfaceNumber);
      entry.selected = setting;
    });
  }

  async controlTransferIn(
    setup: USBControlTransferParameters,
    length: number,
  ): Promise<WebUsbInTransferResult> {
    const bmRequestType = requestTypeOf(setup) | directionIn;
    this.#checkControl(setup);
    const buffer = new Uint8Array(length & 0xffff);
    const packet = setupPacket(setup, bmRequestType, buffer.length);
    return this.#transfer(null, (done) => this.#requests.control(packet, buffer, done), inResult(buffer));
  }

  async controlTransferOut(
    setup: USBControlTransferParameters,
    data?: USBBufferSource,
  ): Promise<WebUsbOutTransferResult> {
    const bmRequestType = requestTypeOf(setup);
    this.#checkControl(setup);
    const bytes = data === undefined ? new Uint8Array(0) : copyBufferSource(data);
    // wLength has 16 bits.
    checkSize(bytes.length, 0xffff);
    const packet = setupPacket(setup, bmRequestType, bytes.length);
    return this.#transfer(null, (done) => this.#requests.control(packet, bytes, done), outResult);
  }

  async clearHalt(direction: USBDirection, endpointNumber: number): Promise<void> {
    if (direction !== "in" && direction !== "out")
      throw new TypeError(`"${String(direction)}" is no USBDirection; there are: in, out`);
    const { endpoint } = this.#findEndpoint(direction, endpointNumber);
    const { address } = endpoint;
    await this.#command(Recipient.endpoint, StandardRequest.clearFeature, Feature.endpointHalt, address);
    this.#requests.clearHalt(address);
  }

  async transferIn(endpointNumber: number, length: number): Promise<WebUsbInTransferResult> {
    const { endpoint, owner } = this.#findEndpoint("in", endpointNumber);
    checkSize(length >>> 0, largestTransferBytes);
    checkType(endpoint, false);
    const buffer = new Uint8Array(length >>> 0);
    const start = (done: RequestDone) => this.#requests.transfer(endpoint.address, buffer, done);
    return this.#transfer(owner, start, inResult(buffer));
  }

  async transferOut(endpointNumber: number, data: USBBufferSource): Promise<WebUsbOutTransferResult> {
    const { endpoint, owner } = this.#findEndpoint("out", endpointNumber);
    const bytes = copyBufferSource(data);
    checkSize(bytes.length, largestTransferBytes);
    checkType(endpoint, false);
    const start = (done: RequestDone) => this.#requests.transfer(endpoint.address, bytes, done);
    return this.#transfer(owner, start, outResult);
  }

  async isochronousTransferIn(
    endpointNumber: number,
    packetLengths: number[],
  ): Promise<USBIsochronousInTransferResult> {
    const { endpoint, owner } = this.#findEndpoint("in", endpointNumber);
    checkType(endpoint, true);
    const total = sum(packetLengths);
    checkSize(total, largestTransferBytes);
    const packets = packetsOf(packetLengths);
    const buffer = new Uint8Array(total);
    const start = (done: RequestDone) => this.#requests.isochronous(endpoint.address, buffer, packets, done);
    return this.#transfer(owner, start, () => isochronousInResult(buffer, packets));
  }

  async isochronousTransferOut(
    endpointNumber: number,
    data: USBBufferSource,
    packetLengths: number[],
  ): Promise<USBIsochronousOutTransferResult> {
    const { endpoint, owner } = this.#findEndpoint("out", endpointNumber);
    checkType(endpoint, true);
    const total = sum(packetLengths);
    checkSize(total, largestTransferBytes);
    const bytes = copyBufferSource(data);
    if (bytes.length !== total)
      throw webUsbError("DataError", `${bytes.length} bytes do not fit packets of ${total} bytes together`);
    const packets = packetsOf(packetLengths);
    const start = (done: RequestDone) => this.#requests.isochronous(endpoint.address, bytes, packets, done);
    return this.#transfer(owner, start, () => isochronousOutResult(packets));
  }

  /** The device comes back in the configuration and settings that it had (Linux' way; the standard leaves it open). */
  async reset(): Promise<void> {
    this.#checkConnected();
    this.#checkOpened();
    this.#checkNothingChanges();
    await this.#change(async () => {
      this.#abort(() => true);
      const isBack = await new Promise<boolean>((resolve) => {
        this.#owner.reset(this, (answer) => {
          resolve(answer);
          this.#owner.settled();
        });
      });
      if (!isBack) throw gone();
      const { configuration } = this;
      if (configuration === null) return;
      const { configurationValue, interfaces } = configuration;
      await this.#command(Recipient.device, StandardRequest.setConfiguration, configurationValue, 0);
      for (const { interfaceNumber, selected } of interfaces) {
        if (selected === 0) continue;
        await this.#command(Recipient.interface, StandardRequest.setInterface, selected, interfaceNumber);
      }
    });
  }

  /** The owner's: requests go to another port from now on. */
  static rebind(device: WebUsbDevice, requests: PortRequests): void {
    device.#requests = requests;
  }

  /** The owner's: the device has left for good. */
  static disconnected(device: WebUsbDevice): void {
    device.#isConnected = false;
    device.#isOpened = false;
    for (const entry of device.configurations) beginConfiguration(entry);
    for (const pending of [...device.#pending]) pending.reject(gone());
    device.#pending.clear();
  }

  #checkConnected(): void {
    if (!this.#isConnected) throw gone();
  }

  #checkOpened(): void {
    if (!this.#isOpened) throw webUsbError("InvalidStateError", "the device must be opened first");
  }

  #checkNothingChanges(): void {
    if (this.#isChanging || this.#changing.size > 0) throw busy();
  }

  /** §Methods, "check if the device is configured", and that nothing changes it just now. */
  #configured(): WebUsbConfiguration {
    this.#checkConnected();
    this.#checkOpened();
    if (this.#isChanging) throw busy();
    const { configuration } = this;
    if (configuration === null)
      throw webUsbError("InvalidStateError", "the device must have a configuration selected");
    return configuration;
  }

  #findInterface(interfaceNumber: number): WebUsbInterface {
    const entry = interfaceOf(this.#configured(), interfaceNumber & 0xff);
    if (entry === null)
      throw webUsbError("NotFoundError", `the configuration has no interface ${interfaceNumber}`);
    if (this.#changing.has(entry)) throw busy();
    return entry;
  }

  /** Among the claimed interfaces' settings in force. An interface that is changing has none. */
  #findEndpoint(
    direction: USBDirection,
    endpointNumber: number,
  ): { endpoint: WebUsbEndpoint; owner: WebUsbInterface } {
    const configuration = this.#configured();
    const number = endpointNumber & 0xff;
    if (number === 0 || number > 15)
      throw webUsbError("IndexSizeError", `endpoint numbers are 1 to 15, not ${endpointNumber}`);
    const found = this.#endpointAt(configuration, direction === "in" ? number | directionIn : number);
    if (found === null)
      throw webUsbError("NotFoundError", `no claimed interface has an endpoint ${number} ${direction}`);
    return found;
  }

  #endpointAt(
    configuration: WebUsbConfiguration,
    address: number,
  ): { endpoint: WebUsbEndpoint; owner: WebUsbInterface } | null {
    for (const owner of configuration.interfaces) {
      if (!owner.isClaimed || this.#changing.has(owner)) continue;
      const endpoint = owner.alternate.endpoints.find((entry) => entry.address === address);
      if (endpoint !== undefined) return { endpoint, owner };
    }
    return null;
  }

  /** §The USBControlTransferParameters Dictionary, "check the validity"; no configuration is needed for the device. */
  #checkControl(setup: USBControlTransferParameters): void {
    this.#checkConnected();
    this.#checkOpened();
    if (this.#isChanging) throw busy();
    if (setup.recipient === "interface") {
      const entry = this.#findInterface(setup.index & 0xff);
      if (!entry.isClaimed)
        throw webUsbError("InvalidStateError", `interface ${entry.interfaceNumber} is not claimed`);
    } else if (setup.recipient === "endpoint") {
      const address = setup.index & 0xff;
      if (this.#endpointAt(this.#configured(), address) === null)
        throw webUsbError("NotFoundError", `no claimed interface has an endpoint ${address.toString(16)}h`);
    }
  }

  /** Runs `work` later, alone. */
  async #change(work: () => Promise<void>): Promise<void> {
    this.#isChanging = true;
    try {
      await null;
      this.#checkConnected();
      await work();
    } finally {
      this.#isChanging = false;
    }
  }

  async #changeInterface(entry: WebUsbInterface, work: () => Promise<void>): Promise<void> {
    this.#changing.add(entry);
    try {
      await null;
      this.#checkConnected();
      await work();
    } finally {
      this.#changing.delete(entry);
    }
  }

  /** As an operating system does: an interface that nobody holds is at setting 0. */
  async #giveUp(entry: WebUsbInterface): Promise<void> {
    const { selected, interfaceNumber } = entry;
    entry.isClaimed = false;
    entry.selected = 0;
    if (selected === 0) return;
    await this.#command(Recipient.interface, StandardRequest.setInterface, 0, interfaceNumber);
  }

  /** A standard request without data. NetworkError when the device refuses it. */
  #command(recipient: number, bRequest: number, wValue: number, wIndex: number): Promise<void> {
    const packet = encodeSetup({ bmRequestType: recipient, bRequest, wValue, wIndex, wLength: 0 });
    return new Promise((resolve, reject) => {
      this.#requests.control(packet, new Uint8Array(0), (status) => {
        if (status === UsbStatus.ok) resolve();
        else if (status === UsbStatus.gone) this.#leaveFor({ owner: null, request: null, reject });
        else reject(webUsbError("NetworkError", "the device refused the request"));
        this.#owner.settled();
      });
    });
  }

  #transfer<T>(
    owner: WebUsbInterface | null,
    start: (done: RequestDone) => PortRequest,
    finish: (status: USBTransferStatus, count: number) => T,
  ): Promise<T> {
    return new Promise((resolve, reject) => {
      const pending: Pending = { owner, request: null, reject };
      this.#pending.add(pending);
      pending.request = start((status, count) => {
        if (!this.#pending.delete(pending)) return;
        if (status === UsbStatus.gone) this.#leaveFor(pending);
        else if (status === UsbStatus.cancelled) reject(aborted());
        else if (status === UsbStatus.protocolError)
          reject(webUsbError("NetworkError", "the device gave no valid answer"));
        else resolve(finish(transferStatuses[status], count));
        this.#owner.settled();
      });
    });
  }

  /**
   * Rejected by `disconnected`, which is about to come: a program that tries again for as long as `opened` is true would
   * otherwise go round in promises, and nothing else of its process would ever run.
   */
  #leaveFor(pending: Pending): void {
    if (this.#isConnected) this.#pending.add(pending);
    else pending.reject(gone());
  }

  #abort(isMeant: (pending: Pending) => boolean): void {
    for (const pending of [...this.#pending].filter(isMeant)) {
      this.#pending.delete(pending);
      pending.reject(aborted());
      if (pending.request !== null) this.#requests.cancel(pending.request);
    }
  }
}

webIdlMembers(WebUsbDevice, "USBDevice", [
  "usbVersionMajor",
  "usbVersionMinor",
  "usbVersionSubminor",
  "deviceClass",
  "deviceSubclass",
  "deviceProtocol",
  "vendorId",
  "productId",
  "deviceVersionMajor",
  "deviceVersionMinor",
  "deviceVersionSubminor",
  "manufacturerName",
  "productName",
  "serialNumber",
  "configurations",
]);

/** bcd 0xJJMN: USB 2.0 §9.6.1. */
function version(bcd: number): [number, number, number] {
  return [bcd >> 8, (bcd >> 4) & 0x0f, bcd & 0x0f];
}

function setupPacket(
  { request, value, index }: USBControlTransferParameters,
  bmRequestType: number,
  wLength: number,
): Uint8Array {
  return encodeSetup({
    bmRequestType,
    bRequest: request & 0xff,
    wValue: value & 0xffff,
    wIndex: index & 0xffff,
    wLength,
  });
}

/** `data` is null when the endpoint stalled before a byte came. */
function inResult(buffer: Uint8Array): (status: USBTransferStatus, count: number) => WebUsbInTransferResult {
  return (status, count) => {
    if (status === "stall" && count === 0) return new WebUsbInTransferResult(status);
    return new WebUsbInTransferResult(status, new DataView(buffer.buffer.slice(0, count) as ArrayBuffer));
  };
}

function outResult(status: USBTransferStatus, count: number): WebUsbOutTransferResult {
  return new WebUsbOutTransferResult(status, count);
}

function checkSize(bytes: number, most: number): void {
  if (bytes > most)
    throw webUsbError("DataError", `${bytes} bytes are more than a transfer may have (${most})`);
}

function checkType(endpoint: WebUsbEndpoint, isIsochronous: boolean): void {
  if ((endpoint.type === "isochronous") !== isIsochronous)
    throw webUsbError(
      "InvalidAccessError",
      `endpoint ${endpoint.endpointNumber} ${endpoint.direction} is of type ${endpoint.type}`,
    );
}

function sum(lengths: readonly number[]): number {
  return lengths.reduce((total, length) => total + (length >>> 0), 0);
}

/** DataError for more or fewer packets than a port takes: programs hear why, and not that the device gave no answer. */
function packetsOf(lengths: readonly number[]): UsbPackets {
  if (lengths.length < 1 || lengths.length > usbPacketsMaximum)
    throw webUsbError("DataError", `${lengths.length} packets: a transfer has 1 to ${usbPacketsMaximum}`);
  return newUsbPackets(lengths.map((length) => length >>> 0));
}
