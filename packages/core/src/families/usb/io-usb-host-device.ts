// IOUSBHostDevice: the nub of one attached device, and everything that concerns the device as a whole.

import { ContractViolation } from "../../base/errors.ts";
import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { Configuration, DeviceDescriptor } from "../../codec/usb/descriptors.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import type { OSAction } from "../../runtime/action.ts";
import {
  IOBufferMemoryDescriptor,
  type IOMemoryDescriptor,
  kIOMemoryDirectionIn,
  kIOMemoryDirectionOut,
} from "../../runtime/memory.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import type { IOUSBHostInterface } from "./io-usb-host-interface.ts";
import { ActionReceiver, blockOnUsb } from "./usb-receivers.ts";
import { UsbRequests } from "./usb-requests.ts";

/** bmRequestType fields (USB 2.0 §9.3, table 9-2). */
export const kIOUSBDeviceRequestDirectionOut = 0x00;
export const kIOUSBDeviceRequestDirectionIn = 0x80;
export const kIOUSBDeviceRequestTypeStandard = 0x00;
export const kIOUSBDeviceRequestTypeClass = 0x20;
export const kIOUSBDeviceRequestTypeVendor = 0x40;
export const kIOUSBDeviceRequestRecipientDevice = 0x00;
export const kIOUSBDeviceRequestRecipientInterface = 0x01;
export const kIOUSBDeviceRequestRecipientEndpoint = 0x02;

const getDescriptorRequest = 6;
const setConfigurationRequest = 9;
/** How long the family itself waits for a standard request, milliseconds. */
export const standardTimeoutMs = 5000;
const languageEnglishUS = 0x0409;

/** What the family does for a device object: publish and withdraw its interfaces. */
export interface UsbDeviceFamily {
  publishInterfaces(
    device: IOUSBHostDevice,
    configuration: Configuration,
    register: boolean,
  ): IOUSBHostInterface[];
  withdrawInterfaces(device: IOUSBHostDevice): void;
  detached(device: IOUSBHostDevice): void;
}

/**
 * Published by the USB family after it has read the descriptors. Drivers that match the device get it as provider;
 * drivers of an interface reach it with `copyDevice`.
 */
export class IOUSBHostDevice extends IOService {
  readonly requests: UsbRequests;
  readonly scheduler: Scheduler;
  readonly #family: UsbDeviceFamily;
  readonly #actions: ActionReceiver;
  readonly #clients: IOService[] = [];
  #descriptor: DeviceDescriptor | null = null;
  #configurations: Configuration[] = [];
  #selected: Configuration | null = null;
  #interfaces: IOUSBHostInterface[] = [];
  readonly #iterators = new Map<number, number>();
  #nextIterator = 1;

  constructor(context: ServiceContext, port: UsbHostPort, family: UsbDeviceFamily) {
    super(context);
    this.scheduler = context.kernel.scheduler;
    this.#family = family;
    this.#actions = new ActionReceiver(this.scheduler);
    this.requests = new UsbRequests(port, this.scheduler, () => family.detached(this));
  }

  /** The family's side: what enumeration found. */
  describe(descriptor: DeviceDescriptor, configurations: Configuration[]): void {
    this.#descriptor = descriptor;
    this.#configurations = configurations;
  }

  get deviceDescriptor(): DeviceDescriptor {
    return this.#descriptor as DeviceDescriptor;
  }

  get isGone(): boolean {
    return this.requests.isGone;
  }

  /** The configuration in force, null before SetConfiguration. */
  get configuration(): Configuration | null {
    return this.#selected;
  }

  /** One service may have the device open (its interfaces are separate). kIOReturnExclusiveAccess, kIOReturnNoDevice. */
  open(forClient: IOService): void {
    if (this.isInactive || this.isGone)
      throw this.failure(IOReturns.kIOReturnNoDevice, "IOUSBHostDevice.open");
    if (this.#clients.length > 0 && !this.#clients.includes(forClient)) {
      throw this.failure(
        IOReturns.kIOReturnExclusiveAccess,
        "IOUSBHostDevice.open",
        this.#clients[0].logName,
      );
    }
    if (this.#clients.includes(forClient)) return;
    this.#clients.push(forClient);
    forClient.opened.push(this);
  }

  /** Aborts the client's requests (kIOReturnAborted) and ends its session. */
  close(forClient: IOService): void {
    this.forceClose(forClient);
  }

  /** The kernel closes what a stopped service left open. */
  forceClose(client: IOService): void {
    const at = this.#clients.indexOf(client);
    if (at < 0) return;
    this.#clients.splice(at, 1);
    client.opened.splice(client.opened.indexOf(this), 1);
    this.requests.abort(null, client, IOReturns.kIOReturnAborted);
  }

  copyDeviceDescriptor(): DeviceDescriptor {
    return this.deviceDescriptor;
  }

  /** By position in the device. kIOReturnNotFound. */
  copyConfigurationDescriptor(index: number): Configuration {
    const configuration = this.#configurations[index];
    if (configuration === undefined) {
      throw this.failure(
        IOReturns.kIOReturnNotFound,
        "IOUSBHostDevice.copyConfigurationDescriptor",
        `index ${index}`,
      );
    }
    return configuration;
  }

  copyConfigurationDescriptorWithValue(bConfigurationValue: number): Configuration {
    const found = this.#configurations.find(
      (configuration) => configuration.descriptor.bConfigurationValue === bConfigurationValue,
    );
    if (found === undefined) {
      throw this.failure(
        IOReturns.kIOReturnNotFound,
        "IOUSBHostDevice.copyConfigurationDescriptorWithValue",
        `value ${bConfigurationValue}`,
      );
    }
    return found;
  }

  /** GET_DESCRIPTOR from the device: up to `length` bytes as they came. `requestType`/`recipient` as in bmRequestType. */
  async copyDescriptor(
    type: number,
    index: number,
    languageId: number,
    length: number,
    requestType = kIOUSBDeviceRequestTypeStandard,
    recipient = kIOUSBDeviceRequestRecipientDevice,
  ): Promise<Uint8Array> {
    const buffer = this.createIOBuffer(kIOMemoryDirectionIn, length);
    const count = await this.request(
      "IOUSBHostDevice.copyDescriptor",
      null,
      kIOUSBDeviceRequestDirectionIn | requestType | recipient,
      getDescriptorRequest,
      (type << 8) | index,
      languageId,
      length,
      buffer,
      standardTimeoutMs,
    );
    const bytes = buffer.bytes.slice(0, count);
    buffer.release();
    return bytes;
  }

  /** The string's bytes after the two-byte header, as text. Empty for index 0. */
  async copyStringDescriptor(index: number, languageId = languageEnglishUS): Promise<string> {
    if (index === 0) return "";
    const bytes = await this.copyDescriptor(3, index, languageId, 255);
    let text = "";
    for (let at = 2; at + 1 < Math.min(bytes.length, bytes[0]); at += 2) {
      text += String.fromCharCode(bytes[at] | (bytes[at + 1] << 8));
    }
    return text;
  }

  /** A buffer made by the kernel: an Out buffer maps read-only in the dext (posts.md T6). */
  createIOBuffer(direction: number, capacity: number): IOBufferMemoryDescriptor {
    const made = IOBufferMemoryDescriptor.create(this.process.memory, direction, capacity, 0);
    if (made.value === null) throw this.failure(made.status, "IOUSBHostDevice.createIOBuffer");
    return made.value;
  }

  /**
   * A control request; blocks the calling thread. Resolves with the bytes of the data stage. `timeoutMs` 0 never
   * times out. kIOReturnNotOpen, kIOReturnBadArgument (buffer missing, too short or of the wrong direction),
   * kUSBHostReturnPipeStalled (the device refused this request), kIOReturnTimeout, kIOReturnAborted,
   * kIOReturnNotResponding, kIOReturnNoDevice.
   */
  async deviceRequest(
    forClient: IOService,
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
    timeoutMs: number,
  ): Promise<number> {
    const call = "IOUSBHostDevice.deviceRequest";
    if (!this.#clients.includes(forClient)) throw this.failure(IOReturns.kIOReturnNotOpen, call);
    return await this.request(
      call,
      forClient,
      bmRequestType,
      bRequest,
      wValue,
      wIndex,
      wLength,
      dataBuffer,
      timeoutMs,
    );
  }

  /** As deviceRequest; success means `completion` is invoked exactly once with (status, bytes, time). */
  asyncDeviceRequest(
    forClient: IOService,
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
    completion: OSAction,
    timeoutMs: number,
  ): IOReturn {
    if (!this.#clients.includes(forClient)) return IOReturns.kIOReturnNotOpen;
    return this.asyncRequest(
      "IOUSBHostDevice.asyncDeviceRequest",
      forClient,
      bmRequestType,
      bRequest,
      wValue,
      wIndex,
      wLength,
      dataBuffer,
      completion,
      timeoutMs,
    );
  }

  /** Ends the client's control requests with `withError`. */
  abortDeviceRequests(forClient: IOService, withError: IOReturn = IOReturns.kIOReturnAborted): void {
    this.requests.abort(0, forClient, withError);
  }

  /**
   * Terminates the interfaces, selects the configuration and publishes its interfaces; for matching only when
   * `matchInterfaces`. Value 0 unconfigures.
   */
  async setConfiguration(bConfigurationValue: number, matchInterfaces: boolean): Promise<void> {
    const configuration =
      bConfigurationValue === 0 ? null : this.copyConfigurationDescriptorWithValue(bConfigurationValue);
    this.#family.withdrawInterfaces(this);
    this.#interfaces = [];
    await this.request(
      "IOUSBHostDevice.setConfiguration",
      null,
      0,
      setConfigurationRequest,
      bConfigurationValue,
      0,
      0,
      null,
      standardTimeoutMs,
    );
    this.#selected = configuration;
    this.properties.kUSBCurrentConfiguration = bConfigurationValue;
    if (configuration !== null && !this.isInactive) {
      this.#interfaces = this.#family.publishInterfaces(this, configuration, matchInterfaces);
    }
  }

  getSpeed(): number {
    return this.requests.port.speed;
  }

  getAddress(): number {
    return this.requests.port.locationId & 0x7f;
  }

  /** Terminates the device and everything above it; it comes back as a new one. */
  reset(): void {
    this.requests.port.reset();
  }

  createInterfaceIterator(): number {
    const reference = this.#nextIterator++;
    this.#iterators.set(reference, 0);
    return reference;
  }

  destroyInterfaceIterator(reference: number): void {
    this.#iterators.delete(reference);
  }

  /** The next interface, null at the end. kIOReturnBadArgument for a reference that is no iterator. */
  copyInterface(reference: number): IOUSBHostInterface | null {
    const at = this.#iterators.get(reference);
    if (at === undefined) throw this.failure(IOReturns.kIOReturnBadArgument, "IOUSBHostDevice.copyInterface");
    this.#iterators.set(reference, at + 1);
    return this.#interfaces[at] ?? null;
  }

  /** For the family's own objects: a control request for `owner`, which blocks. */
  async request(
    call: string,
    owner: IOService | null,
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
    timeoutMs: number,
  ): Promise<number> {
    const refused = this.#checkRequest(call, bmRequestType, wLength, dataBuffer);
    if (refused !== IOReturns.kIOReturnSuccess) throw this.failure(refused, call);
    const setup = encodeSetup(bmRequestType, bRequest, wValue, wIndex, wLength);
    const bytes = wLength === 0 || dataBuffer === null ? null : dataBuffer.bytes;
    return await blockOnUsb(this.scheduler, this, call, (receiver) =>
      this.requests.control(call, owner, setup, bytes, timeoutMs, receiver, 0),
    );
  }

  /** As `request`, ended by an action. */
  asyncRequest(
    call: string,
    owner: IOService | null,
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
    completion: OSAction,
    timeoutMs: number,
  ): IOReturn {
    const refused = this.#checkRequest(call, bmRequestType, wLength, dataBuffer);
    if (refused !== IOReturns.kIOReturnSuccess) return refused;
    const setup = encodeSetup(bmRequestType, bRequest, wValue, wIndex, wLength);
    const tag = this.#actions.claim(completion);
    const bytes = wLength === 0 || dataBuffer === null ? null : dataBuffer.bytes;
    const status = this.requests.control(call, owner, setup, bytes, timeoutMs, this.#actions, tag);
    if (status !== IOReturns.kIOReturnSuccess) this.#actions.forget(tag);
    return status;
  }

  #checkRequest(
    call: string,
    bmRequestType: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
  ): IOReturn {
    if (this.isGone) return IOReturns.kIOReturnNoDevice;
    if (wLength === 0) return IOReturns.kIOReturnSuccess;
    if (dataBuffer === null) return IOReturns.kIOReturnBadArgument;
    if (dataBuffer.isReleased)
      throw new ContractViolation("memory-use-after-release", `a released buffer was given to ${call}`);
    if (dataBuffer.length < wLength) return IOReturns.kIOReturnBadArgument;
    const needed =
      (bmRequestType & kIOUSBDeviceRequestDirectionIn) === 0 ? kIOMemoryDirectionOut : kIOMemoryDirectionIn;
    return (dataBuffer.direction & needed) === 0
      ? IOReturns.kIOReturnBadArgument
      : IOReturns.kIOReturnSuccess;
  }
}

/** The 8 bytes of a SETUP packet (USB 2.0 §9.3). */
function encodeSetup(
  bmRequestType: number,
  bRequest: number,
  wValue: number,
  wIndex: number,
  wLength: number,
): Uint8Array {
  return Uint8Array.of(
    bmRequestType,
    bRequest,
    wValue & 0xff,
    wValue >> 8,
    wIndex & 0xff,
    wIndex >> 8,
    wLength & 0xff,
    wLength >> 8,
  );
}
