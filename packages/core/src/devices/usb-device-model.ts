// Base of USB device models: descriptors, standard requests and the control endpoint's stages.

import {
  type Configuration,
  type DeviceDescriptor,
  encodeDeviceDescriptor,
  encodeDeviceQualifier,
  encodeLanguages,
  encodeStringDescriptor,
  parseConfiguration,
} from "../codec/usb/descriptors.ts";
import {
  decodeSetup,
  Feature,
  isIn,
  newSetup,
  Recipient,
  RequestType,
  type Setup,
  StandardRequest,
} from "../codec/usb/setup.ts";
import { type UsbDevicePort, UsbStall, type UsbUpstream } from "../ports/usb-device.ts";
import { UsbSpeed } from "../ports/usb-speed.ts";

/** What a model states about itself. */
export interface UsbModelPlan {
  readonly speed: UsbSpeed;
  readonly device: DeviceDescriptor;
  /** Whole configurations, as encodeConfiguration makes them. */
  readonly configurations: readonly Uint8Array[];
  /** Strings from index 1. */
  readonly strings: readonly string[];
  /** Binary device Object Store, when the device has one. */
  readonly bos?: Uint8Array;
}

const languageEnglishUS = 0x0409;
const selfPowered = 0x01;

/**
 * Answers everything of USB 2.0 §9.4 that a device must, and leaves class and vendor requests and data endpoints to
 * the subclass. Refusals are STALLs, never exceptions: SETUP packets may be hostile.
 */
export abstract class UsbDeviceModel implements UsbDevicePort {
  readonly speed: UsbSpeed;
  readonly #plan: UsbModelPlan;
  readonly #parsed: readonly Configuration[];
  readonly #setup: Setup = newSetup();
  readonly #alternates = new Map<number, number>();
  readonly #halted = new Set<number>();
  #upstream: UsbUpstream | null = null;
  #configuration: Configuration | null = null;
  #response: Uint8Array | null = null;
  #responseAt = 0;
  #received: Uint8Array = new Uint8Array(0);
  #receivedAt = 0;
  #isStalled = false;
  #remoteWakeup = false;

  constructor(plan: UsbModelPlan) {
    this.#plan = plan;
    this.speed = plan.speed;
    this.#parsed = plan.configurations.map((bytes) => parseConfiguration(bytes));
  }

  plug(upstream: UsbUpstream): void {
    this.#upstream = upstream;
    this.#toDefaultState();
  }

  unplug(): void {
    this.#upstream = null;
    this.#toDefaultState();
  }

  reset(): void {
    this.#toDefaultState();
  }

  get isPlugged(): boolean {
    return this.#upstream !== null;
  }

  /** The configuration in force, 0 when unconfigured. */
  get configurationValue(): number {
    return this.#configuration?.descriptor.bConfigurationValue ?? 0;
  }

  setup(packet: Uint8Array): void {
    const setup = decodeSetup(packet, this.#setup);
    this.#isStalled = false;
    this.#response = null;
    this.#responseAt = 0;
    this.#receivedAt = 0;
    if (isIn(setup)) {
      const answer = this.#answer(setup);
      if (answer === null) this.#isStalled = true;
      else this.#response = answer.length > setup.wLength ? answer.subarray(0, setup.wLength) : answer;
    } else if (setup.wLength > 0) this.#received = new Uint8Array(setup.wLength);
    else this.#isStalled = !this.#perform(setup, new Uint8Array(0));
  }

  in(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if ((endpoint & 0x0f) === 0) return this.#controlIn(buffer, offset, length);
    if (this.#halted.has(endpoint) || !this.#hasEndpoint(endpoint)) return UsbStall;
    return this.dataIn(endpoint, buffer, offset, length);
  }

  out(endpoint: number, buffer: Uint8Array, offset: number, length: number): number {
    if ((endpoint & 0x0f) === 0) return this.#controlOut(buffer, offset, length);
    if (this.#halted.has(endpoint) || !this.#hasEndpoint(endpoint)) return UsbStall;
    return this.dataOut(endpoint, buffer, offset, length);
  }

  /** Something to say on an endpoint that answered NAK. Ignored when unplugged. */
  protected ready(endpoint: number): void {
    this.#upstream?.ready(endpoint);
  }

  /** Makes an endpoint answer STALL until CLEAR_FEATURE. */
  protected halt(endpoint: number): void {
    this.#halted.add(endpoint);
    this.ready(endpoint);
  }

  /** A class or vendor IN request: the data (cut to wLength by the caller), or null to STALL. */
  protected abstract answerRequest(setup: Setup): Uint8Array | null;

  /** A class or vendor OUT request with its data stage: false to STALL. `data` is valid during the call. */
  protected abstract performRequest(setup: Setup, data: Uint8Array): boolean;

  /** As UsbDevicePort.in, for an endpoint of the current configuration that is not halted. */
  protected abstract dataIn(endpoint: number, buffer: Uint8Array, offset: number, length: number): number;

  /** As UsbDevicePort.out. */
  protected abstract dataOut(endpoint: number, buffer: Uint8Array, offset: number, length: number): number;

  /** Back to power-on values: plugged, unplugged or reset. */
  protected abstract powerOn(): void;

  #toDefaultState(): void {
    this.#configuration = null;
    this.#alternates.clear();
    this.#halted.clear();
    this.#response = null;
    this.#isStalled = false;
    this.#remoteWakeup = false;
    this.powerOn();
  }

  #controlIn(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isStalled) return UsbStall;
    const response = this.#response;
    // Status stage of an OUT request: all of its data must have come.
    if (response === null) return this.#receivedAt >= this.#setup.wLength || isIn(this.#setup) ? 0 : UsbStall;
    const count = Math.min(length, response.length - this.#responseAt);
    if (count > 0) buffer.set(response.subarray(this.#responseAt, this.#responseAt + count), offset);
    this.#responseAt += count;
    return count;
  }

  #controlOut(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isStalled) return UsbStall;
    const { wLength } = this.#setup;
    if (length === 0 || isIn(this.#setup)) return 0;
    if (this.#receivedAt + length > wLength) return UsbStall;
    this.#received.set(buffer.subarray(offset, offset + length), this.#receivedAt);
    this.#receivedAt += length;
    if (this.#receivedAt < wLength) return length;
    this.#isStalled = !this.#perform(this.#setup, this.#received);
    return this.#isStalled ? UsbStall : length;
  }

  #answer(setup: Setup): Uint8Array | null {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.standard) return this.answerRequest(setup);
    switch (setup.bRequest) {
      case StandardRequest.getDescriptor:
        return this.#descriptor(setup.wValue >> 8, setup.wValue & 0xff) ?? this.answerRequest(setup);
      case StandardRequest.getConfiguration:
        return Uint8Array.of(this.configurationValue);
      case StandardRequest.getInterface:
        if (!this.#hasInterface(setup.wIndex)) return null;
        return Uint8Array.of(this.#alternates.get(setup.wIndex) ?? 0);
      case StandardRequest.getStatus:
        return this.#status(setup);
      default:
        return null;
    }
  }

  #status(setup: Setup): Uint8Array | null {
    switch (setup.bmRequestType & Recipient.mask) {
      case Recipient.device: {
        const attributes = this.#configuration?.descriptor.bmAttributes ?? 0;
        const powered = (attributes & 0x40) !== 0 ? selfPowered : 0;
        return Uint8Array.of(powered | (this.#remoteWakeup ? 2 : 0), 0);
      }
      case Recipient.interface:
        return this.#hasInterface(setup.wIndex) ? Uint8Array.of(0, 0) : null;
      case Recipient.endpoint: {
        const endpoint = setup.wIndex & 0x8f;
        if ((endpoint & 0x0f) !== 0 && !this.#hasEndpoint(endpoint)) return null;
        return Uint8Array.of(this.#halted.has(endpoint) ? 1 : 0, 0);
      }
      default:
        return null;
    }
  }

  #descriptor(type: number, index: number): Uint8Array | null {
    switch (type) {
      case 1:
        return encodeDeviceDescriptor(this.#plan.device);
      case 2:
        return this.#plan.configurations[index] ?? null;
      case 3: {
        if (index === 0) return encodeLanguages([languageEnglishUS]);
        const text = this.#plan.strings[index - 1];
        return text === undefined ? null : encodeStringDescriptor(text);
      }
      case 6:
        return this.speed === UsbSpeed.high ? encodeDeviceQualifier(this.#plan.device) : null;
      case 15:
        return this.#plan.bos ?? null;
      default:
        return null;
    }
  }

  #perform(setup: Setup, data: Uint8Array): boolean {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.standard)
      return this.performRequest(setup, data);
    switch (setup.bRequest) {
      case StandardRequest.setAddress:
        return setup.wValue <= 127;
      case StandardRequest.setConfiguration:
        return this.#setConfiguration(setup.wValue & 0xff);
      case StandardRequest.setInterface:
        return this.#setInterface(setup.wIndex, setup.wValue);
      case StandardRequest.clearFeature:
      case StandardRequest.setFeature:
        return this.#changeFeature(setup);
      default:
        return false;
    }
  }

  #setConfiguration(value: number): boolean {
    const chosen = this.#parsed.find(({ descriptor }) => descriptor.bConfigurationValue === value);
    if (value !== 0 && chosen === undefined) return false;
    this.#configuration = chosen ?? null;
    this.#alternates.clear();
    this.#halted.clear();
    return true;
  }

  #setInterface(number: number, alternate: number): boolean {
    const found = this.#configuration?.interfaces.find((entry) => entry.number === number);
    if (!found?.settings.some(({ descriptor }) => descriptor.bAlternateSetting === alternate)) return false;
    this.#alternates.set(number, alternate);
    this.#halted.clear();
    return true;
  }

  #changeFeature(setup: Setup): boolean {
    const on = setup.bRequest === StandardRequest.setFeature;
    const recipient = setup.bmRequestType & Recipient.mask;
    if (recipient === Recipient.device && setup.wValue === Feature.remoteWakeup) {
      this.#remoteWakeup = on;
      return true;
    }
    if (recipient !== Recipient.endpoint || setup.wValue !== Feature.endpointHalt) return false;
    const endpoint = setup.wIndex & 0x8f;
    if ((endpoint & 0x0f) === 0) return true;
    if (!this.#hasEndpoint(endpoint)) return false;
    if (on) this.halt(endpoint);
    else this.#halted.delete(endpoint);
    return true;
  }

  #hasInterface(number: number): boolean {
    return this.#configuration?.interfaces.some((entry) => entry.number === number) ?? false;
  }

  #hasEndpoint(address: number): boolean {
    for (const { number, settings } of this.#configuration?.interfaces ?? []) {
      const alternate = this.#alternates.get(number) ?? 0;
      for (const setting of settings) {
        if (setting.descriptor.bAlternateSetting !== alternate) continue;
        if (setting.endpoints.some(({ descriptor }) => descriptor.bEndpointAddress === address)) return true;
      }
    }
    return false;
  }
}
