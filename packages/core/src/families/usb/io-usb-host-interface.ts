// IOUSBHostInterface: one interface of a configured device, opened by one driver at a time.

import { type IOReturn, IOReturns } from "../../base/io-return.ts";
import type { Configuration, InterfaceDescriptor, InterfaceSetting } from "../../codec/usb/descriptors.ts";
import type { OSAction } from "../../runtime/action.ts";
import type { IOBufferMemoryDescriptor, IOMemoryDescriptor } from "../../runtime/memory.ts";
import type { Scheduler } from "../../runtime/scheduler.ts";
import { IOService, type ServiceContext } from "../../runtime/service.ts";
import { type IOUSBHostDevice, standardTimeoutMs } from "./io-usb-host-device.ts";
import { IOUSBHostPipe } from "./io-usb-host-pipe.ts";

/** Open option: select the alternate setting given in `alternateSetting`. */
export const kUSBHostOpenOptionSelectAlternateSetting = 0x10000;

const setInterfaceRequest = 11;
const recipientInterface = 0x01;

/**
 * Published by the family for each interface of the selected configuration. Control calls take no client: they use
 * the one that opened the interface, and go to the device (driverkit-families.md §1.2).
 */
export class IOUSBHostInterface extends IOService {
  readonly device: IOUSBHostDevice;
  readonly scheduler: Scheduler;
  readonly #settings: readonly InterfaceSetting[];
  readonly #pipes = new Map<number, IOUSBHostPipe>();
  #alternate = 0;
  #client: IOService | null = null;
  #idleTimeoutMs = 0;

  constructor(context: ServiceContext, device: IOUSBHostDevice, settings: readonly InterfaceSetting[]) {
    super(context);
    this.device = device;
    this.scheduler = context.kernel.scheduler;
    this.#settings = settings;
    const all = settings.map(({ descriptor }) => descriptor.bAlternateSetting);
    this.#alternate = all.includes(0) ? 0 : all[0];
  }

  /** Who has it open. */
  get client(): IOService | null {
    return this.#client;
  }

  /** All alternate settings, in the device's order. */
  get settings(): readonly InterfaceSetting[] {
    return this.#settings;
  }

  get number(): number {
    return this.#settings[0].descriptor.bInterfaceNumber;
  }

  /** The alternate setting in force, with its endpoints and class-specific descriptors. */
  get setting(): InterfaceSetting {
    return (
      this.#settings.find((setting) => setting.descriptor.bAlternateSetting === this.#alternate) ??
      this.#settings[0]
    );
  }

  /** kIOReturnExclusiveAccess when another service has it, kIOReturnNoDevice when the device is leaving. */
  async open(forClient: IOService, options = 0, alternateSetting = 0): Promise<void> {
    const call = "IOUSBHostInterface.open";
    if (this.isInactive || this.device.isGone) throw this.failure(IOReturns.kIOReturnNoDevice, call);
    if (forClient.isInactive)
      throw this.failure(IOReturns.kIOReturnBadArgument, call, "the client is terminating");
    if (this.#client !== null && this.#client !== forClient) {
      throw this.failure(IOReturns.kIOReturnExclusiveAccess, call, `${this.#client.logName} has it open`);
    }
    if (this.#client === null) {
      this.#client = forClient;
      forClient.opened.push(this);
    }
    if ((options & kUSBHostOpenOptionSelectAlternateSetting) !== 0)
      await this.selectAlternateSetting(alternateSetting);
  }

  /** Aborts what the client has pending (kIOReturnAborted) and ends its session. Pipes become unusable. */
  close(forClient: IOService): void {
    this.forceClose(forClient);
  }

  forceClose(client: IOService): void {
    if (this.#client !== client) return;
    this.device.requests.abort(null, client, IOReturns.kIOReturnAborted);
    this.#closePipes();
    this.#client = null;
    client.opened.splice(client.opened.indexOf(this), 1);
  }

  copyConfigurationDescriptor(): Configuration {
    return this.device.configuration as Configuration;
  }

  getInterfaceDescriptor(): InterfaceDescriptor {
    return this.setting.descriptor;
  }

  copyStringDescriptor(index: number, languageId?: number): Promise<string> {
    return this.device.copyStringDescriptor(index, languageId);
  }

  copyDevice(): IOUSBHostDevice {
    return this.device;
  }

  createIOBuffer(direction: number, capacity: number): IOBufferMemoryDescriptor {
    return this.device.createIOBuffer(direction, capacity);
  }

  /** The pipe of an endpoint of the current setting; the same object each time. kIOReturnNotFound, kIOReturnNotOpen. */
  copyPipe(address: number): IOUSBHostPipe {
    const call = "IOUSBHostInterface.copyPipe";
    if (this.#client === null) throw this.failure(IOReturns.kIOReturnNotOpen, call);
    const existing = this.#pipes.get(address);
    if (existing !== undefined) return existing;
    const endpoint = this.setting.endpoints.find(({ descriptor }) => descriptor.bEndpointAddress === address);
    if (endpoint === undefined) {
      throw this.failure(
        IOReturns.kIOReturnNotFound,
        call,
        `no endpoint 0x${address.toString(16)} in this setting`,
      );
    }
    const pipe = new IOUSBHostPipe(this, endpoint, this.device.requests);
    this.#pipes.set(address, pipe);
    return pipe;
  }

  /**
   * Aborts I/O, closes the pipes and sends SET_INTERFACE: copy the pipes again afterwards.
   * kUSBHostReturnRedundant when it is in force already, kIOReturnNotFound when there is no such setting.
   */
  async selectAlternateSetting(bAlternateSetting: number): Promise<void> {
    const call = "IOUSBHostInterface.selectAlternateSetting";
    if (this.#client === null) throw this.failure(IOReturns.kIOReturnNotOpen, call);
    if (!this.#settings.some((setting) => setting.descriptor.bAlternateSetting === bAlternateSetting)) {
      throw this.failure(IOReturns.kIOReturnNotFound, call, `no alternate setting ${bAlternateSetting}`);
    }
    if (bAlternateSetting === this.#alternate) throw this.failure(IOReturns.kUSBHostReturnRedundant, call);
    for (const pipe of this.#pipes.values())
      this.device.requests.abort(pipe.address, null, IOReturns.kIOReturnAborted);
    this.#closePipes();
    await this.sendStandardRequest(
      call,
      recipientInterface,
      setInterfaceRequest,
      bAlternateSetting,
      this.number,
    );
    this.#alternate = bAlternateSetting;
    this.properties.bAlternateSetting = bAlternateSetting;
  }

  /** See IOUSBHostDevice.deviceRequest; uses the session of the client that opened this interface. */
  async deviceRequest(
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
    timeoutMs: number,
  ): Promise<number> {
    const call = "IOUSBHostInterface.deviceRequest";
    if (this.#client === null) throw this.failure(IOReturns.kIOReturnNotOpen, call);
    const { device } = this;
    return await device.request(
      call,
      this.#client,
      bmRequestType,
      bRequest,
      wValue,
      wIndex,
      wLength,
      dataBuffer,
      timeoutMs,
    );
  }

  asyncDeviceRequest(
    bmRequestType: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
    wLength: number,
    dataBuffer: IOMemoryDescriptor | null,
    completion: OSAction,
    timeoutMs: number,
  ): IOReturn {
    if (this.#client === null) return IOReturns.kIOReturnNotOpen;
    return this.device.asyncRequest(
      "IOUSBHostInterface.asyncDeviceRequest",
      this.#client,
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

  abortDeviceRequests(withError: IOReturn = IOReturns.kIOReturnAborted): void {
    if (this.#client !== null) this.device.requests.abort(0, this.#client, withError);
  }

  /** Milliseconds; kept and answered, nothing suspends (fidelity: absent). */
  setIdlePolicy(deviceIdleTimeoutMs: number): void {
    this.#idleTimeoutMs = deviceIdleTimeoutMs;
  }

  getIdlePolicy(): number {
    return this.#idleTimeoutMs;
  }

  /** For the family's own objects: a standard request without data, which blocks. */
  async sendStandardRequest(
    call: string,
    recipient: number,
    bRequest: number,
    wValue: number,
    wIndex: number,
  ): Promise<void> {
    await this.device.request(
      call,
      this.#client,
      recipient,
      bRequest,
      wValue,
      wIndex,
      0,
      null,
      standardTimeoutMs,
    );
  }

  #closePipes(): void {
    for (const pipe of this.#pipes.values()) pipe.invalidate();
    this.#pipes.clear();
  }
}
