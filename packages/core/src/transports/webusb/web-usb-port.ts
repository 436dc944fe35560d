// A WebUSB device as a UsbHostPort: standard requests become its methods, slots are cancelled here and not on the bus.

import type { Clock } from "../../base/clock.ts";
import { TransferType } from "../../codec/usb/descriptors.ts";
import {
  decodeSetup,
  directionIn,
  encodeSetup,
  Feature,
  isIn,
  newSetup,
  Recipient,
  RequestType,
  type Setup,
  StandardRequest,
} from "../../codec/usb/setup.ts";
import type { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { mostPerInterval, UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import {
  packetsFit,
  type UsbHostClient,
  type UsbHostPort,
  UsbPacketStatus,
  type UsbPackets,
  UsbStatus,
  UsbSubmit,
} from "../../ports/usb-host.ts";
import type {
  USBControlTransferParameters,
  USBDevice,
  USBIsochronousInTransferPacket,
  USBIsochronousOutTransferPacket,
  USBRecipient,
  USBRequestType,
} from "../../ports/web-usb.ts";
import { type Reader, ReadStream } from "./read-stream.ts";
import { statusOfError, statusOfResult } from "./web-usb-errors.ts";

const slots = 256;
const requestTypes: readonly USBRequestType[] = ["standard", "class", "vendor"];
const recipients: readonly USBRecipient[] = ["device", "interface", "endpoint", "other"];

export interface WebUsbPortOptions {
  readonly clock: Clock;
  readonly speed: UsbSpeed;
  readonly locationId: number;
  /** The driver asked for a reset: this port is over. */
  readonly onReset: () => void;
  /** Told of interfaces that could not be claimed: their endpoints are not there. */
  readonly onProblem: (reason: string) => void;
}

/** One accepted request, from submission to completion. */
interface Request {
  readonly slot: number;
  readonly setup: Setup;
  readonly buffer: Uint8Array;
  readonly offset: number;
  readonly length: number;
  /** The caller was told already. */
  isOver: boolean;
  /** Of an IN data transfer. */
  reader: Reader | null;
  stream: ReadStream | null;
}

/**
 * Made by {@link WebUsbImporter} on a device that is open. WebUSB aborts transfers only all together, so a cancelled
 * slot completes at once and its transfer lives on: what an IN brings goes to the endpoint's next reader, what an OUT
 * carries still goes out (counted in `lateWriteBytes`), a control request runs to its end before the next one begins.
 */
export class WebUsbPort implements UsbHostPort {
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly slotCount = slots;
  readonly device: USBDevice;
  /** Bytes of OUT transfers that were cancelled here and went out nevertheless. */
  lateWriteBytes = 0;
  readonly #clock: Clock;
  readonly #onReset: () => void;
  readonly #onProblem: (reason: string) => void;
  readonly #requests: (Request | null)[] = new Array<Request | null>(slots).fill(null);
  readonly #controls: Request[] = [];
  readonly #table = new UsbEndpointTable();
  readonly #streams = new Map<number, ReadStream>();
  readonly #halted = new Set<number>();
  /** Of interfaces that could not be claimed. */
  readonly #forbidden = new Set<number>();
  /** Data transfers that came while a method changed the endpoints. */
  readonly #held: (() => void)[] = [];
  #isControlRunning = false;
  #isChanging = false;
  #client: UsbHostClient | null = null;
  #isResetting = false;
  #isOver = false;

  constructor(device: USBDevice, options: WebUsbPortOptions) {
    this.device = device;
    this.speed = options.speed;
    this.locationId = options.locationId;
    this.#clock = options.clock;
    this.#onReset = options.onReset;
    this.#onProblem = options.onProblem;
  }

  connect(client: UsbHostClient): void {
    this.#client = client;
    // It may be over already, between attach and connect.
    if (this.#isOver) this.#clock.after(0, () => client.detached(), undefined);
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isOver || this.#isResetting) return UsbSubmit.gone;
    if (this.#requests[slot] !== null || setup.length < 8) return UsbSubmit.badRequest;
    const parsed = decodeSetup(setup, newSetup());
    const { bmRequestType, bRequest, wLength } = parsed;
    if (wLength > 0 && (buffer === null || offset < 0 || offset + wLength > buffer.length))
      return UsbSubmit.badRequest;
    if (bmRequestType === 0 && bRequest === StandardRequest.setAddress) return UsbSubmit.badRequest;
    // WebUSB has no words for reserved types and recipients.
    if ((bmRequestType & RequestType.mask) === RequestType.mask) return UsbSubmit.badRequest;
    if ((bmRequestType & Recipient.mask) > Recipient.other) return UsbSubmit.badRequest;
    const request = this.#accept(slot, parsed, buffer ?? none, offset, wLength);
    this.#controls.push(request);
    if (!this.#isControlRunning) void this.#runControls();
    return UsbSubmit.accepted;
  }

  transfer(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    length: number,
    stream = 0,
  ): UsbSubmit {
    if (this.#isOver || this.#isResetting) return UsbSubmit.gone;
    const isBad =
      this.#requests[slot] !== null || offset < 0 || length < 0 || offset + length > buffer.length;
    // The interface has no streams.
    if (isBad || stream !== 0) return UsbSubmit.badRequest;
    const descriptor = this.#table.find(endpoint);
    const isIsochronous = ((descriptor?.bmAttributes ?? 0) & 3) === TransferType.isochronous;
    if (descriptor === undefined || isIsochronous || this.#forbidden.has(endpoint))
      return UsbSubmit.noEndpoint;
    if (this.#halted.has(endpoint)) return UsbSubmit.halted;
    const request = this.#accept(slot, newSetup(), buffer, offset, length);
    const start = (): void => {
      if (this.#table.find(endpoint) === undefined) this.#complete(request, UsbStatus.cancelled, 0);
      else if ((endpoint & directionIn) !== 0) this.#read(request, endpoint);
      else void this.#write(request, endpoint);
    };
    if (this.#isChanging) this.#held.push(start);
    else start();
    return UsbSubmit.accepted;
  }

  /** WebUSB tells a packet that was missed from an empty one by nothing. A cancelled one goes its way all the same. */
  isochronous(
    slot: number,
    endpoint: number,
    buffer: Uint8Array,
    offset: number,
    packets: UsbPackets,
  ): UsbSubmit {
    if (this.#isOver || this.#isResetting) return UsbSubmit.gone;
    if (this.#requests[slot] !== null) return UsbSubmit.badRequest;
    const descriptor = this.#table.find(endpoint);
    const isIsochronous = ((descriptor?.bmAttributes ?? 0) & 3) === TransferType.isochronous;
    if (descriptor === undefined || !isIsochronous || this.#forbidden.has(endpoint))
      return UsbSubmit.noEndpoint;
    const most = mostPerInterval(this.speed, descriptor, this.#table.companionOf(endpoint));
    if (!packetsFit(packets, buffer, offset, most)) return UsbSubmit.badRequest;
    const request = this.#accept(slot, newSetup(), buffer, offset, 0);
    const start = (): void => {
      if (this.#table.find(endpoint) === undefined) this.#complete(request, UsbStatus.cancelled, 0);
      else void this.#movePackets(request, endpoint, packets);
    };
    if (this.#isChanging) this.#held.push(start);
    else start();
    return UsbSubmit.accepted;
  }

  cancel(slot: number): void {
    const request = this.#requests[slot];
    if (request === null || request === undefined) return;
    this.#clock.after(0, () => this.#takeBack(request), undefined);
  }

  clearHalt(endpoint: number): void {
    this.#halted.delete(endpoint);
  }

  reset(): void {
    if (this.#isOver || this.#isResetting) return;
    this.#isResetting = true;
    this.#clock.after(0, () => this.over(), undefined);
    this.#onReset();
  }

  /** The device has left, or this attachment of it is over: everything pending ends with `gone`, then `detached`. */
  over(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    for (const request of this.#requests) if (request !== null) this.#complete(request, UsbStatus.gone, 0);
    this.#client?.detached();
  }

  #accept(slot: number, setup: Setup, buffer: Uint8Array, offset: number, length: number): Request {
    const request: Request = {
      slot,
      setup,
      buffer,
      offset,
      length,
      isOver: false,
      reader: null,
      stream: null,
    };
    this.#requests[slot] = request;
    return request;
  }

  #complete(request: Request, status: UsbStatus, actualBytes: number): void {
    if (request.isOver) return;
    request.isOver = true;
    this.#requests[request.slot] = null;
    // Whatever the reset does to a transfer, to the driver the device has left.
    const seen = this.#isResetting ? UsbStatus.gone : status;
    this.#client?.completed(request.slot, seen, actualBytes);
  }

  #takeBack(request: Request): void {
    if (request.isOver) return;
    const at = this.#controls.indexOf(request);
    if (at >= 0) this.#controls.splice(at, 1);
    if (request.reader !== null) request.stream?.remove(request.reader);
    this.#complete(request, UsbStatus.cancelled, request.reader?.moved ?? 0);
  }

  /** One after the other, as endpoint 0 does it. */
  async #runControls(): Promise<void> {
    this.#isControlRunning = true;
    for (let request = this.#controls.shift(); request !== undefined; request = this.#controls.shift()) {
      let status: UsbStatus;
      let count = 0;
      try {
        [status, count] = await this.#runControl(request);
      } catch (error) {
        status = this.#statusOf(error);
      }
      if (status === UsbStatus.gone) this.over();
      this.#complete(request, status, count);
    }
    this.#isControlRunning = false;
  }

  async #runControl(request: Request): Promise<[UsbStatus, number]> {
    const { setup, length } = request;
    const isStandard = (setup.bmRequestType & RequestType.mask) === RequestType.standard;
    if (isStandard && !isIn(setup) && length === 0) {
      const { bRequest, wValue, wIndex } = setup;
      const recipient = setup.bmRequestType & Recipient.mask;
      if (bRequest === StandardRequest.setConfiguration && recipient === Recipient.device)
        return this.#change(setup, () => this.#configure(wValue & 0xff));
      if (bRequest === StandardRequest.setInterface && recipient === Recipient.interface)
        return this.#change(setup, () => this.device.selectAlternateInterface(wIndex & 0xff, wValue & 0xff));
      const isHalt = wValue === Feature.endpointHalt && (wIndex & 0x0f) !== 0;
      if (bRequest === StandardRequest.clearFeature && recipient === Recipient.endpoint && isHalt) {
        const direction = (wIndex & directionIn) !== 0 ? "in" : "out";
        return this.#change(setup, () => this.device.clearHalt(direction, wIndex & 0x0f));
      }
    }
    return this.#plainControl(request);
  }

  async #plainControl(request: Request): Promise<[UsbStatus, number]> {
    const { setup, buffer, offset, length } = request;
    const parameters = parametersOf(setup);
    if (!isIn(setup)) {
      const data = length > 0 ? buffer.slice(offset, offset + length) : undefined;
      const { status, bytesWritten } = await this.device.controlTransferOut(parameters, data);
      const result = statusOfResult(status);
      return [result, result === UsbStatus.ok ? bytesWritten : 0];
    }
    const { status, data } = await this.device.controlTransferIn(parameters, length);
    const bytes = bytesOf(data);
    const count = Math.min(bytes.length, length);
    // A late answer must not touch a buffer that is the caller's again.
    if (!request.isOver) buffer.set(bytes.subarray(0, count), offset);
    const result = statusOfResult(status);
    if (result === UsbStatus.ok) this.#table.note(setup, bytes);
    return [result, count];
  }

  /** A method of WebUSB in place of a standard request. A refusal is taken for the device's STALL. */
  async #change(setup: Setup, run: () => Promise<void>): Promise<[UsbStatus, number]> {
    this.#isChanging = true;
    let answer: [UsbStatus, number] = [UsbStatus.ok, 0];
    try {
      await run();
      const change = this.#table.note(setup, none);
      if (change === "halt-cleared") this.#halted.delete(setup.wIndex & 0xff);
      else this.#endpointsChanged();
    } catch (error) {
      const status = this.#statusOf(error);
      answer = [status === UsbStatus.protocolError ? UsbStatus.stall : status, 0];
    }
    this.#isChanging = false;
    for (const start of this.#held.splice(0)) start();
    return answer;
  }

  /** Selects and claims all that may be claimed: a port has no claims. */
  async #configure(value: number): Promise<void> {
    const { device } = this;
    if (value === 0) {
      // selectConfiguration knows no 0: the bare request, which a browser passes on.
      const setup = { bmRequestType: 0, bRequest: StandardRequest.setConfiguration, wValue: 0, wIndex: 0 };
      const { status } = await device.controlTransferOut(parametersOf({ ...setup, wLength: 0 }));
      if (status === "stall") throw new Error("STALL");
      return;
    }
    if (!this.#table.knows(value)) await this.#readConfigurations();
    await device.selectConfiguration(value);
    this.#forbidden.clear();
    const configuration = device.configurations.find((entry) => entry.configurationValue === value);
    for (const { interfaceNumber, alternates } of configuration?.interfaces ?? []) {
      try {
        await device.claimInterface(interfaceNumber);
      } catch (error) {
        if (this.#statusOf(error) === UsbStatus.gone) throw error;
        this.#onProblem(`interface ${interfaceNumber} cannot be claimed: ${(error as Error).message}`);
        for (const { endpoints } of alternates) {
          for (const { endpointNumber, direction } of endpoints)
            this.#forbidden.add(endpointNumber | (direction === "in" ? directionIn : 0));
        }
      }
    }
  }

  /** Nobody read the descriptors through us. */
  async #readConfigurations(): Promise<void> {
    for (let index = 0; index < this.device.configurations.length; index++) {
      const setup = decodeSetup(
        encodeSetup({
          bmRequestType: directionIn,
          bRequest: StandardRequest.getDescriptor,
          wValue: 0x0200 | index,
          wIndex: 0,
          wLength: 0xffff,
        }),
        newSetup(),
      );
      const { status, data } = await this.device.controlTransferIn(parametersOf(setup), 0xffff);
      if (status === "ok") this.#table.note(setup, bytesOf(data));
    }
  }

  /** What was pending on endpoints that are not there any more is cancelled; halts are forgotten. */
  #endpointsChanged(): void {
    this.#halted.clear();
    for (const [endpoint, stream] of this.#streams) {
      if (this.#table.find(endpoint) !== undefined) continue;
      this.#streams.delete(endpoint);
      stream.endAll(UsbStatus.cancelled);
    }
  }

  #read(request: Request, endpoint: number): void {
    if (request.isOver) return;
    let stream = this.#streams.get(endpoint);
    if (stream === undefined) {
      const packetBytes = (this.#table.find(endpoint)?.wMaxPacketSize ?? 0) & 0x7ff;
      const made = new ReadStream(packetBytes, (length) => void this.#ask(made, endpoint, length));
      stream = made;
      this.#streams.set(endpoint, stream);
    }
    const { buffer, offset, length } = request;
    const reader: Reader = {
      buffer,
      offset,
      length,
      moved: 0,
      end: (status) => {
        const halts = status === UsbStatus.stall || status === UsbStatus.protocolError;
        if (halts) this.#halted.add(endpoint);
        this.#complete(request, status, status === UsbStatus.stall ? 0 : reader.moved);
      },
    };
    request.reader = reader;
    request.stream = stream;
    stream.add(reader);
    if (stream.hasArrivals) this.#clock.after(0, pump, stream);
  }

  async #ask(stream: ReadStream, endpoint: number, length: number): Promise<void> {
    let status: UsbStatus;
    let bytes: Uint8Array = none;
    try {
      const result = await this.device.transferIn(endpoint & 0x0f, length);
      status = statusOfResult(result.status);
      bytes = bytesOf(result.data);
    } catch (error) {
      status = this.#statusOf(error);
    }
    if (status === UsbStatus.gone) this.over();
    if (this.#isOver) return;
    if (status === UsbStatus.cancelled) stream.aborted();
    else stream.arrived(bytes, length, status);
  }

  async #write(request: Request, endpoint: number): Promise<void> {
    if (request.isOver) return;
    const { buffer, offset, length } = request;
    let status: UsbStatus;
    let count = 0;
    try {
      const result = await this.device.transferOut(endpoint & 0x0f, buffer.slice(offset, offset + length));
      status = statusOfResult(result.status);
      count = result.bytesWritten;
    } catch (error) {
      status = this.#statusOf(error);
    }
    if (status === UsbStatus.gone) this.over();
    if (request.isOver) {
      this.lateWriteBytes += count;
      return;
    }
    if (status === UsbStatus.stall || status === UsbStatus.protocolError) this.#halted.add(endpoint);
    this.#complete(request, status, count);
  }

  async #movePackets(request: Request, endpoint: number, packets: UsbPackets): Promise<void> {
    if (request.isOver) return;
    const lengths = [...packets.lengths];
    const total = lengths.reduce((sum, length) => sum + length, 0);
    const { buffer, offset } = request;
    const number = endpoint & 0x0f;
    let status: UsbStatus = UsbStatus.ok;
    let count = 0;
    try {
      if ((endpoint & directionIn) === 0) {
        const data = buffer.slice(offset, offset + total);
        const result = await this.device.isochronousTransferOut(number, data, lengths);
        if (!request.isOver) count = writtenPackets(packets, result.packets);
      } else {
        const result = await this.device.isochronousTransferIn(number, lengths);
        if (!request.isOver) count = readPackets(packets, result.packets, buffer, offset);
      }
    } catch (error) {
      status = this.#statusOf(error);
      // Nothing halts: what the transfer would have moved was missed.
      if (status !== UsbStatus.gone && status !== UsbStatus.cancelled) status = UsbStatus.ok;
    }
    if (status === UsbStatus.gone) this.over();
    this.#complete(request, status, count);
  }

  #statusOf(error: unknown): UsbStatus {
    return statusOfError(error, this.device.opened);
  }
}

const none = new Uint8Array(0);

/** As many packets as were asked for, whatever the implementation answers. */
function writtenPackets(
  { actualBytes, lengths, statuses }: UsbPackets,
  answered: readonly USBIsochronousOutTransferPacket[],
): number {
  let count = 0;
  for (const [index, { bytesWritten, status }] of answered.slice(0, lengths.length).entries()) {
    actualBytes[index] = Math.min(bytesWritten, lengths[index]);
    statuses[index] = status === "babble" ? UsbPacketStatus.overflow : UsbPacketStatus.ok;
    count += actualBytes[index];
  }
  return count;
}

function readPackets(
  { actualBytes, lengths, statuses }: UsbPackets,
  answered: readonly USBIsochronousInTransferPacket[],
  buffer: Uint8Array,
  offset: number,
): number {
  let at = offset;
  let count = 0;
  for (const [index, length] of lengths.entries()) {
    const packet = answered[index];
    if (packet !== undefined) {
      const bytes = bytesOf(packet.data).subarray(0, length);
      buffer.set(bytes, at);
      actualBytes[index] = bytes.length;
      statuses[index] = packet.status === "babble" ? UsbPacketStatus.overflow : UsbPacketStatus.ok;
      count += bytes.length;
    }
    at += length;
  }
  return count;
}

function pump(stream: ReadStream): void {
  stream.pump();
}

function bytesOf(data: DataView | null | undefined): Uint8Array {
  if (data === null || data === undefined) return none;
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}

function parametersOf({ bmRequestType, bRequest, wValue, wIndex }: Setup): USBControlTransferParameters {
  return {
    requestType: requestTypes[(bmRequestType & RequestType.mask) >> 5],
    recipient: recipients[bmRequestType & Recipient.mask],
    request: bRequest,
    value: wValue,
    index: wIndex,
  };
}
