// Base of USB device models: descriptors, standard requests and the control endpoint's stages.

import { hex } from "../base/text.ts";
import { type DescriptorFault, viewConfiguration } from "../codec/usb/configuration-view.ts";
import {
  type Configuration,
  DescriptorType,
  type DeviceDescriptor,
  encodeDeviceDescriptor,
  encodeDeviceQualifier,
  encodeLanguages,
  encodeStringDescriptor,
  TransferType,
} from "../codec/usb/descriptors.ts";
import {
  decodeSetup,
  directionIn,
  Feature,
  isIn,
  newSetup,
  Recipient,
  RequestType,
  type Setup,
  StandardRequest,
} from "../codec/usb/setup.ts";
import { UsbSpeed } from "../codec/usb/usb-speed.ts";
import { type UsbDevicePort, UsbNak, UsbStall, type UsbUpstream } from "../ports/usb-device.ts";

/** What a model states about itself. */
export interface UsbModelPlan {
  readonly speed: UsbSpeed;
  readonly device: DeviceDescriptor;
  /**
   * Whole configurations, as encodeConfiguration makes them, or wrong on purpose: they are served as they are, and the
   * model works with the part that can be read (`descriptorFaults` says what is wrong). DecodeError only for bytes that do
   * not begin with a configuration descriptor.
   */
  readonly configurations: readonly Uint8Array[];
  /**
   * The same for the other speed, by index, when the device can do full and high speed (USB 2.0 §9.6.4). A high-speed
   * device whose plan has none says what its own would be at full speed.
   */
  readonly otherSpeedConfigurations?: readonly Uint8Array[];
  /** Strings from index 1. */
  readonly strings: readonly string[];
  /** Binary device Object Store, when the device has one. */
  readonly bos?: Uint8Array;
}

const languageEnglishUS = 0x0409;
/** Up to so many are copied one by one. */
const fewBytes = 16;
const noData = new Uint8Array(0);

const fullSpeedBytes = 64;
const fullSpeedIsochronousBytes = 1023;
const microframes = 8;

/** bmAttributes of a configuration: USB 2.0 table 9-10. */
const attributeSelfPowered = 0x40;
const attributeRemoteWakeup = 0x20;
/** GET_STATUS of a device: figure 9-4. */
const statusSelfPowered = 1;
const statusRemoteWakeup = 2;

const endpointAbsent = 0;
const endpointThere = 1;
const endpointHalted = 2;
const indexOf = (address: number): number => (address & 0x0f) + ((address & directionIn) !== 0 ? 16 : 0);

/** What a subclass returns when it cannot answer a request yet: NAK until `finishRequest`. */
export const answerLater: unique symbol = Symbol("answer later");

/**
 * Answers everything of USB 2.0 §9.4 that a device must, and leaves class and vendor requests and data endpoints to
 * the subclass. Refusals are STALLs, never exceptions: SETUP packets may be hostile.
 */
export abstract class UsbDeviceModel implements UsbDevicePort {
  readonly speed: UsbSpeed;
  /** What is wrong with the plan's configurations, by name. */
  readonly descriptorFaults: readonly DescriptorFault[];
  readonly #plan: UsbModelPlan;
  readonly #parsed: readonly Configuration[];
  readonly #setup: Setup = newSetup();
  readonly #alternates = new Map<number, number>();
  /** By `indexOf(address)`: 0 absent, 1 there, 2 halted. Looked at for every packet. */
  readonly #endpoints = new Uint8Array(32);
  /** Halted endpoints that have answered one transfer with STALL. */
  readonly #toldHalts = new Uint8Array(32);
  #upstream: UsbUpstream | null = null;
  #configuration: Configuration | null = null;
  #response: Uint8Array | null = null;
  #responseAt = 0;
  #received: Uint8Array = new Uint8Array(0);
  #receivedAt = 0;
  #isStalled = false;
  #isPending = false;
  #requestNumber = 0;
  #remoteWakeup = false;

  constructor(plan: UsbModelPlan) {
    this.#plan = plan;
    this.speed = plan.speed;
    const views = plan.configurations.map((bytes) => viewConfiguration(bytes, plan.speed));
    this.#parsed = views.map(({ configuration }) => configuration);
    this.descriptorFaults = views.flatMap(({ faults }) => faults);
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
    this.#requestNumber++;
    this.#isStalled = false;
    this.#isPending = false;
    this.#response = null;
    this.#responseAt = 0;
    this.#receivedAt = 0;
    if (isIn(setup)) this.#settleIn(this.#answer(setup));
    else if (setup.wLength > 0) this.#received = new Uint8Array(setup.wLength);
    else this.#settleOut(this.#perform(setup, noData));
  }

  in(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream = 0): number {
    if ((endpoint & 0x0f) === 0) return this.#controlIn(buffer, offset, length);
    if (this.#endpoints[indexOf(endpoint)] !== endpointThere) return this.#stall(endpoint);
    return this.dataIn(endpoint, buffer, offset, length, stream);
  }

  out(endpoint: number, buffer: Uint8Array, offset: number, length: number, stream = 0): number {
    if ((endpoint & 0x0f) === 0) return this.#controlOut(buffer, offset, length);
    if (this.#endpoints[indexOf(endpoint)] !== endpointThere) return this.#stall(endpoint);
    return this.dataOut(endpoint, buffer, offset, length, stream);
  }

  /** Something to say on an endpoint that answered NAK. Ignored when unplugged. */
  protected ready(endpoint: number, stream = 0): void {
    this.#upstream?.ready(endpoint, stream);
  }

  #stall(endpoint: number): number {
    const index = indexOf(endpoint);
    if (this.#endpoints[index] !== endpointHalted) return UsbStall;
    if (this.#toldHalts[index] === 1)
      this.misused(
        `another transfer on endpoint 0x${hex(endpoint, 2)}, which is halted and which nobody has cleared (USB 2.0 §9.4.5: halt)`,
      );
    this.#toldHalts[index] = 1;
    return UsbStall;
  }

  /** See UsbUpstream.misused. */
  protected misused(text: string): void {
    this.#upstream?.misused?.(text);
  }

  /** Drops off the bus and comes back. Ignored when unplugged. */
  protected reconnect(): void {
    this.#upstream?.reconnect();
  }

  /** An interface begins with an alternate setting: SET_CONFIGURATION (always 0) or SET_INTERFACE. */
  protected settingBegan(_interfaceNumber: number, _alternate: number): void {}

  /** The host cleared the halt of an endpoint. A device that is not done stalling may halt it again. */
  protected haltCleared(_endpoint: number): void {}

  /** Makes an endpoint answer STALL until CLEAR_FEATURE. Ignored when the configuration has no such endpoint. */
  protected halt(endpoint: number): void {
    const index = indexOf(endpoint);
    if (this.#endpoints[index] === endpointAbsent) return;
    this.#endpoints[index] = endpointHalted;
    this.#toldHalts[index] = 0;
    this.ready(endpoint);
  }

  /** Names the control transfer under way, for `finishRequest`. */
  protected get requestNumber(): number {
    return this.#requestNumber;
  }

  /**
   * Ends a request that was answered with `answerLater`: data or null for IN, true or false for OUT. `number` is the
   * `requestNumber` from the time of asking; when another SETUP came meanwhile, the answer is too late and dropped.
   */
  protected finishRequest(number: number, answer: Uint8Array | boolean | null): void {
    if (!this.#isPending || number !== this.#requestNumber) return;
    this.#isPending = false;
    if (isIn(this.#setup)) this.#settleIn(answer instanceof Uint8Array ? answer : null);
    else this.#settleOut(answer === true);
    this.ready(directionIn);
  }

  /** A class or vendor IN request: the data (cut to wLength by the caller), or null to STALL. */
  protected abstract answerRequest(setup: Setup): Uint8Array | null | typeof answerLater;

  /** A class or vendor OUT request with its data stage: false to STALL. `data` is valid during the call. */
  protected abstract performRequest(setup: Setup, data: Uint8Array): boolean | typeof answerLater;

  /** As UsbDevicePort.in, for an endpoint of the current configuration that is not halted. */
  protected abstract dataIn(
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): number;

  /** As UsbDevicePort.out. */
  protected abstract dataOut(
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream: number,
  ): number;

  /** Back to power-on values: plugged, unplugged or reset. */
  protected abstract powerOn(): void;

  #toDefaultState(): void {
    this.#configuration = null;
    this.#alternates.clear();
    this.#endpoints.fill(endpointAbsent);
    this.#requestNumber++;
    this.#response = null;
    this.#isStalled = false;
    this.#isPending = false;
    this.#remoteWakeup = false;
    this.powerOn();
  }

  #settleIn(answer: Uint8Array | null | typeof answerLater): void {
    if (answer === answerLater) this.#isPending = true;
    else if (answer === null) this.#isStalled = true;
    else {
      const { wLength } = this.#setup;
      this.#response = answer.length <= wLength ? answer : answer.subarray(0, wLength);
    }
  }

  #settleOut(isDone: boolean | typeof answerLater): void {
    if (isDone === answerLater) this.#isPending = true;
    else this.#isStalled = !isDone;
  }

  /** Data stage of an IN request, or status stage of an OUT request, for which all data must have come. */
  #controlIn(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isStalled) return UsbStall;
    if (this.#isPending) return UsbNak;
    const response = this.#response;
    if (response === null) {
      return !isIn(this.#setup) && this.#receivedAt === this.#setup.wLength ? 0 : UsbStall;
    }
    const at = this.#responseAt;
    const count = Math.min(length, response.length - at);
    // Most answers are a few bytes: a view of them would cost more than they do.
    if (count <= fewBytes)
      for (let index = 0; index < count; index++) buffer[offset + index] = response[at + index];
    else buffer.set(response.subarray(at, at + count), offset);
    this.#responseAt = at + count;
    return count;
  }

  /** Data stage of an OUT request, or status stage of an IN request, which the host may begin early. */
  #controlOut(buffer: Uint8Array, offset: number, length: number): number {
    if (this.#isStalled) return UsbStall;
    if (length === 0) return 0;
    const { wLength } = this.#setup;
    if (isIn(this.#setup) || this.#receivedAt + length > wLength) {
      this.#isStalled = true;
      return UsbStall;
    }
    this.#received.set(buffer.subarray(offset, offset + length), this.#receivedAt);
    this.#receivedAt += length;
    if (this.#receivedAt === wLength) this.#settleOut(this.#perform(this.#setup, this.#received));
    return this.#isStalled ? UsbStall : length;
  }

  #answer(setup: Setup): Uint8Array | null | typeof answerLater {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.standard) return this.answerRequest(setup);
    const recipient = setup.bmRequestType & Recipient.mask;
    switch (setup.bRequest) {
      case StandardRequest.getDescriptor:
        // Interfaces have descriptors of their own, HID reports for example: the subclass knows them.
        if (recipient !== Recipient.device) return this.answerRequest(setup);
        return this.#descriptor(setup.wValue >> 8, setup.wValue & 0xff) ?? this.answerRequest(setup);
      case StandardRequest.getConfiguration:
        return recipient === Recipient.device ? Uint8Array.of(this.configurationValue) : null;
      case StandardRequest.getInterface:
        if (recipient !== Recipient.interface || !this.#hasInterface(setup.wIndex)) return null;
        return Uint8Array.of(this.#alternates.get(setup.wIndex) ?? this.#firstOf(setup.wIndex));
      case StandardRequest.getStatus:
        return this.#status(setup);
      default:
        return null;
    }
  }

  #status(setup: Setup): Uint8Array | null {
    switch (setup.bmRequestType & Recipient.mask) {
      case Recipient.device: {
        const power = this.#offers(attributeSelfPowered) ? statusSelfPowered : 0;
        return Uint8Array.of(power | (this.#remoteWakeup ? statusRemoteWakeup : 0), 0);
      }
      case Recipient.interface:
        return this.#hasInterface(setup.wIndex) ? Uint8Array.of(0, 0) : null;
      case Recipient.endpoint: {
        const endpoint = setup.wIndex & 0x8f;
        const state = this.#endpoints[indexOf(endpoint)];
        if ((endpoint & 0x0f) !== 0 && state === endpointAbsent) return null;
        return Uint8Array.of(state === endpointHalted ? 1 : 0, 0);
      }
      default:
        return null;
    }
  }

  #descriptor(type: number, index: number): Uint8Array | null {
    switch (type) {
      case DescriptorType.device:
        return encodeDeviceDescriptor(this.#plan.device);
      case DescriptorType.configuration:
        return this.#plan.configurations[index] ?? null;
      case DescriptorType.string: {
        if (index === 0) return encodeLanguages([languageEnglishUS]);
        const text = this.#plan.strings[index - 1];
        return text === undefined ? null : encodeStringDescriptor(text);
      }
      case DescriptorType.deviceQualifier:
        return this.#hasOtherSpeed() ? encodeDeviceQualifier(this.#plan.device) : null;
      case DescriptorType.otherSpeed:
        return this.#otherSpeed(index);
      case DescriptorType.bos:
        return this.#plan.bos ?? null;
      default:
        return null;
    }
  }

  /** USB 2.0 §9.6.2: a device without another speed refuses the qualifier. */
  #hasOtherSpeed(): boolean {
    return this.speed === UsbSpeed.high || this.#plan.otherSpeedConfigurations !== undefined;
  }

  /** A configuration with another type in its second byte (§9.6.4). */
  #otherSpeed(index: number): Uint8Array | null {
    const planned = this.#plan.otherSpeedConfigurations;
    const own = this.speed === UsbSpeed.high ? this.#plan.configurations[index] : undefined;
    const bytes = planned?.[index]?.slice() ?? (planned === undefined && own ? atFullSpeed(own) : null);
    if (bytes !== null) bytes[1] = DescriptorType.otherSpeed;
    return bytes;
  }

  #perform(setup: Setup, data: Uint8Array): boolean | typeof answerLater {
    if ((setup.bmRequestType & RequestType.mask) !== RequestType.standard)
      return this.performRequest(setup, data);
    const recipient = setup.bmRequestType & Recipient.mask;
    switch (setup.bRequest) {
      case StandardRequest.setAddress:
        return recipient === Recipient.device && setup.wValue <= 127;
      case StandardRequest.setConfiguration:
        return recipient === Recipient.device && this.#setConfiguration(setup.wValue & 0xff);
      case StandardRequest.setInterface:
        return recipient === Recipient.interface && this.#setInterface(setup.wIndex, setup.wValue);
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
    this.#endpoints.fill(endpointAbsent);
    for (const { number, settings } of chosen?.interfaces ?? [])
      this.#beginSetting(number, firstSetting(settings));
    this.#remoteWakeup = this.#remoteWakeup && this.#offers(attributeRemoteWakeup);
    return true;
  }

  #setInterface(number: number, alternate: number): boolean {
    const found = this.#configuration?.interfaces.find((entry) => entry.number === number);
    if (!found?.settings.some(({ descriptor }) => descriptor.bAlternateSetting === alternate)) return false;
    this.#alternates.set(number, alternate);
    this.#beginSetting(number, alternate);
    return true;
  }

  /** §9.1.1.5: the endpoints of this interface begin anew; those of others are not touched. */
  #beginSetting(number: number, alternate: number): void {
    const settings = this.#configuration?.interfaces.find((entry) => entry.number === number)?.settings ?? [];
    for (const { endpoints } of settings) {
      for (const { descriptor } of endpoints)
        this.#endpoints[indexOf(descriptor.bEndpointAddress)] = endpointAbsent;
    }
    const chosen = settings.find(({ descriptor }) => descriptor.bAlternateSetting === alternate);
    for (const { descriptor } of chosen?.endpoints ?? []) {
      this.#endpoints[indexOf(descriptor.bEndpointAddress)] = endpointThere;
    }
    this.settingBegan(number, alternate);
  }

  #changeFeature(setup: Setup): boolean {
    const on = setup.bRequest === StandardRequest.setFeature;
    const recipient = setup.bmRequestType & Recipient.mask;
    if (recipient === Recipient.device && setup.wValue === Feature.remoteWakeup) {
      if (!this.#offers(attributeRemoteWakeup)) return false;
      this.#remoteWakeup = on;
      return true;
    }
    if (recipient !== Recipient.endpoint || setup.wValue !== Feature.endpointHalt) return false;
    const endpoint = setup.wIndex & 0x8f;
    if ((endpoint & 0x0f) === 0) return true;
    if (this.#endpoints[indexOf(endpoint)] === endpointAbsent) return false;
    if (on) this.halt(endpoint);
    else {
      this.#endpoints[indexOf(endpoint)] = endpointThere;
      this.haltCleared(endpoint);
    }
    return true;
  }

  #offers(attribute: number): boolean {
    return ((this.#configuration?.descriptor.bmAttributes ?? 0) & attribute) !== 0;
  }

  #firstOf(number: number): number {
    const found = this.#configuration?.interfaces.find((entry) => entry.number === number);
    return found === undefined ? 0 : firstSetting(found.settings);
  }

  #hasInterface(number: number): boolean {
    return this.#configuration?.interfaces.some((entry) => entry.number === number) ?? false;
  }
}

/** Setting 0, or where a wrong descriptor has none the first. */
function firstSetting(settings: Configuration["interfaces"][number]["settings"]): number {
  const all = settings.map(({ descriptor }) => descriptor.bAlternateSetting);
  return all.includes(0) ? 0 : (all[0] ?? 0);
}

/** §5.5.3 to §5.8.3: what endpoints may have at full speed; table 9-13: intervals in frames. Bytes that do not parse stay. */
function atFullSpeed(configuration: Uint8Array): Uint8Array {
  const bytes = configuration.slice();
  for (let at = 0; at + 7 <= bytes.length && bytes[at] >= 2; at += bytes[at]) {
    if (bytes[at + 1] !== DescriptorType.endpoint || bytes[at] < 7) continue;
    const type = bytes[at + 3] & 3;
    const most = type === TransferType.isochronous ? fullSpeedIsochronousBytes : fullSpeedBytes;
    const size = Math.min((bytes[at + 4] | (bytes[at + 5] << 8)) & 0x7ff, most);
    bytes[at + 4] = size & 0xff;
    bytes[at + 5] = size >> 8;
    if (type === TransferType.interrupt)
      bytes[at + 6] = Math.min(255, Math.max(1, 2 ** (bytes[at + 6] - 1) / microframes));
    else if (type === TransferType.isochronous) bytes[at + 6] = Math.max(1, bytes[at + 6] - 3);
  }
  return bytes;
}
