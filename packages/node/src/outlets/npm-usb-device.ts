// One device of npm `usb`, its interfaces and endpoints: synchronous claims, callbacks for the rest.

import { EventEmitter } from "node:events";
import type { Clock, TimerHandle } from "@drydock/core/base/clock";
import { millisecond } from "@drydock/core/base/units";
import type { Configuration, Endpoint, InterfaceSetting } from "@drydock/core/codec/usb/descriptors";
import { encodeSetup } from "@drydock/core/codec/usb/setup";
import type { EnumeratedDevice } from "@drydock/core/outlets/webusb/enumerate";
import type { PortRequest, PortRequests } from "@drydock/core/outlets/webusb/port-requests";
import { UsbStatus } from "@drydock/core/ports/usb-host";
import { errorOf, LibUSBException } from "./npm-usb-errors.ts";

type Done = (error: LibUSBException | undefined) => void;
type TransferDone = (error: LibUSBException | undefined, buffer: Buffer, actual: number) => void;

export interface NpmUsbHost {
  readonly clock: Clock;
  called(): void;
  readonly deviceAddress: number;
}

const directionIn = 0x80;
const types = ["control", "isochronous", "bulk", "interrupt"] as const;

export class NpmUsbDevice {
  readonly busNumber = 1;
  readonly deviceAddress: number;
  readonly portNumbers: readonly number[];
  readonly deviceDescriptor: EnumeratedDevice["device"] & {
    readonly bLength: 18;
    readonly bDescriptorType: 1;
  };
  readonly serialNumber: string | undefined;
  /** Of the configuration in force, while the device is open. */
  interfaces: NpmUsbInterface[] | undefined;
  /** Milliseconds for control transfers, 0 for ever. */
  timeout = 1000;
  readonly host: NpmUsbHost;
  readonly #found: EnumeratedDevice;
  #requests: PortRequests;
  #configurationValue: number;
  #isOpen = false;
  #isGone = false;
  #reset: Done | null = null;

  constructor(found: EnumeratedDevice, requests: PortRequests, host: NpmUsbHost) {
    this.#found = found;
    this.#requests = requests;
    this.host = host;
    this.deviceAddress = host.deviceAddress;
    this.portNumbers = [(requests.locationId >>> 20) & 0xf];
    this.deviceDescriptor = { bLength: 18, bDescriptorType: 1, ...found.device };
    this.serialNumber = found.strings.get(found.device.iSerialNumber);
    this.#configurationValue = found.configurationValue;
  }

  get isGone(): boolean {
    return this.#isGone;
  }

  get configDescriptor(): ReturnType<typeof configurationOf> | undefined {
    return this.allConfigDescriptors.find((entry) => entry.bConfigurationValue === this.#configurationValue);
  }

  get allConfigDescriptors(): ReturnType<typeof configurationOf>[] {
    return this.#found.configurations.map(configurationOf);
  }

  get parent(): undefined {
    return undefined;
  }

  /** Throws LIBUSB_ERROR_NO_DEVICE. */
  open(defaultConfig = true): void {
    this.#check(true);
    this.#isOpen = true;
    if (defaultConfig) this.#makeInterfaces();
  }

  close(): void {
    this.#isOpen = false;
    for (const entry of this.interfaces ?? []) entry.dropped();
    this.interfaces = undefined;
  }

  interface(number: number): NpmUsbInterface {
    this.#check();
    const found = this.interfaces?.find((entry) => entry.interfaceNumber === number);
    if (found === undefined) throw new Error(`Interface not found for address: ${number}`);
    return found;
  }

  /** `data` or a length, by the direction bit of bmRequestType. The callback gets a Buffer, or the number of bytes. */
  controlTransfer(
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    data: Buffer | number,
    callback?: (error: LibUSBException | undefined, answer: Buffer | number | undefined) => void,
  ): this {
    this.#check();
    const isIn = (bmRequestType & directionIn) !== 0;
    if (isIn !== (typeof data === "number"))
      throw new TypeError(`Expected ${isIn ? "size number" : "buffer"} for ${isIn ? "IN" : "OUT"} transfer`);
    const buffer = typeof data === "number" ? Buffer.alloc(data) : Buffer.from(data);
    const setup = encodeSetup({ bmRequestType, bRequest, wValue, wIndex, wLength: buffer.length });
    this.submit(
      (done) => this.#requests.control(setup, buffer, done),
      this.timeout,
      (error, count) => callback?.call(this, error, isIn ? buffer.subarray(0, count) : count),
    );
    return this;
  }

  setConfiguration(value: number, callback?: Done): void {
    this.#command(0, 9, value, 0, (error) => {
      if (error === undefined) {
        this.#configurationValue = value;
        this.#makeInterfaces();
      }
      callback?.call(this, error);
    });
  }

  getStringDescriptor(
    index: number,
    callback: (error: LibUSBException | undefined, text?: string) => void,
  ): void {
    if (index === 0) {
      callback(undefined, undefined);
      return;
    }
    this.controlTransfer(directionIn, 6, 0x0300 | index, 0x0409, 255, (error, answer) => {
      if (error !== undefined || !Buffer.isBuffer(answer)) callback(error);
      else callback(undefined, answer.subarray(2).toString("utf16le"));
    });
  }

  /** The system's way: claims are gone, the device is the same object and is in its configuration again. */
  reset(callback: Done): void {
    this.#check();
    this.#reset = callback;
    this.#requests.reset();
  }

  /** Kernel drivers are no matter here: nothing else has the device. */
  setAutoDetachKernelDriver(_isOn: boolean): void {}

  /** An interface's and an endpoint's way to the bus. */
  command(recipient: number, bRequest: number, wValue: number, wIndex: number, done: Done): void {
    this.#command(recipient, bRequest, wValue, wIndex, done);
  }

  clearHalt(address: number): void {
    this.#requests.clearHalt(address);
  }

  /** Starts a request with a timeout. LIBUSB_ERROR_NO_DEVICE is thrown when the device is gone or not open. */
  submit(
    start: (done: (status: UsbStatus, count: number) => void) => PortRequest,
    timeoutMs: number,
    done: (error: LibUSBException | undefined, count: number) => void,
  ): PortRequest {
    this.#check();
    const { clock } = this.host;
    let timer: TimerHandle = 0;
    let hasTimedOut = false;
    let isOver = false;
    const request = start((status, count) => {
      isOver = true;
      clock.cancel(timer);
      done(errorOf(status, hasTimedOut), count);
      this.host.called();
    });
    if (timeoutMs > 0 && !isOver) {
      const timedOut = (): void => {
        hasTimedOut = true;
        this.#requests.cancel(request);
      };
      timer = clock.after(timeoutMs * millisecond, timedOut, undefined);
    }
    return request;
  }

  transfer(address: number, buffer: Uint8Array, timeoutMs: number, done: TransferDone): PortRequest {
    const isClaimed = this.interfaces?.some((entry) => entry.isClaimed && entry.has(address)) ?? false;
    if (!isClaimed) throw new LibUSBException("LIBUSB_ERROR_NOT_FOUND");
    const whole = Buffer.from(buffer.buffer, buffer.byteOffset, buffer.byteLength);
    return this.submit(
      (over) => this.#requests.transfer(address, buffer, over),
      timeoutMs,
      (error, count) => done(error, whole, count),
    );
  }

  cancel(request: PortRequest): void {
    this.#requests.cancel(request);
  }

  /** The face's: systems select the first configuration of what nobody else configures. */
  configureAsSystem(): void {
    const first = this.#found.configurations[0]?.descriptor.bConfigurationValue;
    if (this.#configurationValue !== 0 || first === undefined) return;
    this.#configurationValue = first;
    const setup = encodeSetup({ bmRequestType: 0, bRequest: 9, wValue: first, wIndex: 0, wLength: 0 });
    this.#requests.control(setup, Buffer.alloc(0), (status) => {
      if (status !== UsbStatus.ok) this.#configurationValue = 0;
    });
  }

  /** The face's: true when this is the device that was reset, there again. */
  takesBack(requests: PortRequests, found: EnumeratedDevice): boolean {
    const callback = this.#reset;
    if (callback === null || requests.locationId !== this.#requests.locationId) return false;
    if (Buffer.compare(found.identity, this.#found.identity) !== 0) return false;
    this.#reset = null;
    this.#requests = requests;
    const value = this.#configurationValue;
    for (const entry of this.interfaces ?? []) entry.dropped();
    this.#command(0, 9, value, 0, (error) => callback.call(this, error));
    return true;
  }

  /** The face's: false while a reset is under way, and for a port that this device has left behind. */
  leaves(requests: PortRequests): boolean {
    if (requests !== this.#requests || this.#reset !== null) return false;
    this.#isGone = true;
    this.close();
    return true;
  }

  #command(recipient: number, bRequest: number, wValue: number, wIndex: number, done: Done): void {
    const setup = encodeSetup({ bmRequestType: recipient, bRequest, wValue, wIndex, wLength: 0 });
    this.submit(
      (over) => this.#requests.control(setup, Buffer.alloc(0), over),
      this.timeout,
      (error) => done(error),
    );
  }

  #check(isOpening = false): void {
    if (this.#isGone) throw new LibUSBException("LIBUSB_ERROR_NO_DEVICE");
    if (!isOpening && !this.#isOpen) throw new Error("Device is not open");
  }

  #makeInterfaces(): void {
    const chosen = this.#found.configurations.find(
      ({ descriptor }) => descriptor.bConfigurationValue === this.#configurationValue,
    );
    this.interfaces = (chosen?.interfaces ?? []).map(
      ({ number, settings }) => new NpmUsbInterface(this, number, settings),
    );
  }
}

export class NpmUsbInterface {
  readonly device: NpmUsbDevice;
  readonly interfaceNumber: number;
  altSetting = 0;
  endpoints: NpmUsbEndpoint[] = [];
  isClaimed = false;
  readonly #settings: readonly InterfaceSetting[];

  constructor(device: NpmUsbDevice, number: number, settings: readonly InterfaceSetting[]) {
    this.device = device;
    this.interfaceNumber = number;
    this.#settings = settings;
    this.#refresh();
  }

  get descriptor(): ReturnType<typeof settingOf> {
    return settingOf(this.#setting);
  }

  claim(): void {
    if (this.device.isGone) throw new LibUSBException("LIBUSB_ERROR_NO_DEVICE");
    this.isClaimed = true;
  }

  /** `closeEndpoints` stops polls first. */
  release(closeEndpoints?: boolean | Done, callback?: Done): void {
    const done = typeof closeEndpoints === "function" ? closeEndpoints : callback;
    for (const endpoint of this.endpoints) if (endpoint instanceof NpmUsbInEndpoint) endpoint.stopIfPolling();
    this.isClaimed = false;
    const { host } = this.device;
    const ended = (): void => {
      this.altSetting = 0;
      this.#refresh();
      done?.call(this, undefined);
      host.called();
    };
    if (this.altSetting === 0) host.clock.after(0, ended, undefined);
    else this.device.command(1, 11, 0, this.interfaceNumber, ended);
  }

  releaseAsync(): Promise<void> {
    return new Promise((resolve, reject) =>
      this.release(true, (error) => (error === undefined ? resolve() : reject(error))),
    );
  }

  setAltSetting(altSetting: number, callback?: Done): void {
    this.device.command(1, 11, altSetting, this.interfaceNumber, (error) => {
      if (error === undefined) {
        this.altSetting = altSetting;
        this.#refresh();
      }
      callback?.call(this, error);
    });
  }

  endpoint(address: number): NpmUsbEndpoint | undefined {
    return this.endpoints.find((entry) => entry.address === address);
  }

  isKernelDriverActive(): boolean {
    return false;
  }
  detachKernelDriver(): void {}
  attachKernelDriver(): void {}

  has(address: number): boolean {
    return this.endpoint(address) !== undefined;
  }

  /** The device's: claims end with a close and a reset. */
  dropped(): void {
    this.isClaimed = false;
  }

  get #setting(): InterfaceSetting {
    const found = this.#settings.find(({ descriptor }) => descriptor.bAlternateSetting === this.altSetting);
    return found ?? this.#settings[0];
  }

  #refresh(): void {
    this.endpoints = this.#setting.endpoints.map((entry) =>
      (entry.descriptor.bEndpointAddress & directionIn) !== 0
        ? new NpmUsbInEndpoint(this.device, entry)
        : new NpmUsbOutEndpoint(this.device, entry),
    );
  }
}

export abstract class NpmUsbEndpoint extends EventEmitter {
  abstract readonly direction: "in" | "out";
  readonly device: NpmUsbDevice;
  readonly address: number;
  readonly transferType: number;
  readonly descriptor: ReturnType<typeof endpointOf>;
  /** Milliseconds, 0 for ever. */
  timeout = 0;

  constructor(device: NpmUsbDevice, entry: Endpoint) {
    super();
    this.device = device;
    this.descriptor = endpointOf(entry);
    this.address = entry.descriptor.bEndpointAddress;
    this.transferType = entry.descriptor.bmAttributes & 3;
  }

  clearHalt(callback: Done): void {
    this.device.command(2, 1, 0, this.address, (error) => {
      if (error === undefined) this.device.clearHalt(this.address);
      callback.call(this, error);
    });
  }

  /** A submission that is refused is told to the callback, later, as the package does. */
  protected begin(buffer: Uint8Array, done: TransferDone): PortRequest | null {
    const type = types[this.transferType];
    try {
      if (type === "isochronous" || type === "control")
        throw new LibUSBException("LIBUSB_ERROR_INVALID_PARAM");
      return this.device.transfer(this.address, buffer, this.timeout, done);
    } catch (error) {
      const { clock, called } = this.device.host;
      const told = (): void => {
        done(error as LibUSBException, Buffer.alloc(0), 0);
        called();
      };
      clock.after(0, told, undefined);
      return null;
    }
  }
}

export class NpmUsbInEndpoint extends NpmUsbEndpoint {
  readonly direction = "in";
  pollActive = false;
  readonly #polls = new Set<PortRequest>();

  transfer(length: number, callback: (error: LibUSBException | undefined, data?: Buffer) => void): this {
    this.begin(Buffer.alloc(length), (error, buffer, count) =>
      callback.call(this, error, buffer.subarray(0, count)),
    );
    return this;
  }

  transferAsync(length: number): Promise<Buffer | undefined> {
    return new Promise((resolve, reject) =>
      this.transfer(length, (error, data) => (error === undefined ? resolve(data) : reject(error))),
    );
  }

  /** Keeps `transfers` reads under way; each that ends is a `data` event. `error` ends the poll, then comes `end`. */
  startPoll(transfers = 3, transferSize = this.descriptor.wMaxPacketSize): void {
    if (this.pollActive) throw new Error("Polling already active");
    this.pollActive = true;
    for (let index = 0; index < transfers; index++) this.#poll(transferSize);
  }

  stopPoll(callback?: () => void): void {
    if (!this.pollActive) throw new Error("Polling is not active.");
    if (callback !== undefined) this.once("end", callback);
    this.pollActive = false;
    for (const request of [...this.#polls]) this.device.cancel(request);
    if (this.#polls.size === 0) this.emit("end");
  }

  stopIfPolling(): void {
    if (this.pollActive) this.stopPoll();
  }

  #poll(transferSize: number): void {
    const request = this.begin(Buffer.alloc(transferSize), (error, buffer, count) => {
      if (request !== null) this.#polls.delete(request);
      if (error === undefined) this.emit("data", buffer.subarray(0, count));
      else if (this.pollActive) {
        this.pollActive = false;
        for (const other of [...this.#polls]) this.device.cancel(other);
        if (error.message !== "LIBUSB_TRANSFER_CANCELLED") this.emit("error", error);
      }
      if (this.pollActive) this.#poll(transferSize);
      else if (this.#polls.size === 0) this.emit("end");
    });
    if (request !== null) this.#polls.add(request);
  }
}

export class NpmUsbOutEndpoint extends NpmUsbEndpoint {
  readonly direction = "out";

  transfer(data: Buffer, callback?: (error: LibUSBException | undefined, actual: number) => void): this {
    this.begin(Buffer.from(data), (error, _buffer, count) => callback?.call(this, error, count));
    return this;
  }

  transferAsync(data: Buffer): Promise<number> {
    return new Promise((resolve, reject) =>
      this.transfer(data, (error, count) => (error === undefined ? resolve(count) : reject(error))),
    );
  }

  /** With an empty packet behind data that end with a whole one. */
  transferWithZLP(
    data: Buffer,
    callback?: (error: LibUSBException | undefined, actual: number) => void,
  ): void {
    const isWhole = data.length % this.descriptor.wMaxPacketSize === 0;
    this.transfer(data, isWhole ? undefined : callback);
    if (isWhole) this.transfer(Buffer.alloc(0), callback);
  }
}

const joined = (parts: readonly { readonly bytes: Uint8Array }[]): Buffer =>
  Buffer.concat(parts.map(({ bytes }) => bytes));

function endpointOf({ descriptor, extra }: Endpoint) {
  return {
    bLength: 7,
    bDescriptorType: 5,
    ...descriptor,
    bRefresh: 0,
    bSynchAddress: 0,
    extra: joined(extra),
  };
}

function settingOf({ descriptor, endpoints, extra }: InterfaceSetting) {
  return {
    bLength: 9,
    bDescriptorType: 4,
    ...descriptor,
    extra: joined(extra),
    endpoints: endpoints.map(endpointOf),
  };
}

function configurationOf({ descriptor, interfaces, extra }: Configuration) {
  return {
    bLength: 9,
    bDescriptorType: 2,
    bNumInterfaces: interfaces.length,
    ...descriptor,
    extra: joined(extra),
    interfaces: interfaces.map(({ settings }) => settings.map(settingOf)),
  };
}
