// A device of libusb as a UsbHostPort: slots are libusb's transfers, standard requests become its functions.

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
  setupBytes,
} from "../../codec/usb/setup.ts";
import type { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { UsbEndpointTable } from "../../dissect/usb-endpoints.ts";
import { type UsbHostClient, type UsbHostPort, UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";
import type { LibusbClaims } from "./libusb-claims.ts";
import { libusbErrorName, statusOfError, statusOfTransfer, submitOfError } from "./libusb-codes.ts";
import { type LibusbDevice, LibusbError, noConfiguration } from "./libusb-device.ts";

const slots = 256;
/** For what the port asks by itself. */
const ownSlot = slots;
const configurationMaximum = 8;
const configurationBytesMaximum = 4096;

export interface LibusbPortOptions {
  readonly clock: Clock;
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly claims: LibusbClaims;
  /** Told once, when nothing is under way any more: the driver asked for a reset, or the device has left. */
  readonly onOver: (wantsReset: boolean) => void;
  readonly onProblem: (reason: string) => void;
}

/** Free; waiting for its turn on endpoint 0 or for the end of a change; libusb's; a change of the port itself. */
const RequestState = { free: 0, waiting: 1, submitted: 2, changing: 3 } as const;

class Request {
  readonly slot: number;
  state: number = RequestState.free;
  endpoint = 0;
  buffer: Uint8Array = none;
  offset = 0;
  length = 0;
  /** Somebody here wants its end. */
  isCancelled = false;
  setup: Setup | null = null;
  /** SETUP and data of a control transfer, as libusb wants them. */
  packet: Uint8Array = none;

  constructor(slot: number) {
    this.slot = slot;
  }
}

/** What no user of the npm package can do, in the words of the USB host contract. */
export const libusbLimits = {
  "cancelled-packets": "npm usb offers no isochronous transfers",
  isochronous: "npm usb offers no isochronous transfers",
  streams: "npm usb offers no bulk streams",
} as const;

/**
 * Made by {@link LibusbImporter} on a device that is open. Buffers go to libusb as they are; a control transfer is
 * copied, as libusb wants its SETUP in front of the data.
 *
 * SET_CONFIGURATION, SET_INTERFACE and CLEAR_FEATURE(ENDPOINT_HALT) are libusb's functions, because the system's stack
 * must know of them. The first two end what is pending on the endpoints concerned before they run, as the system
 * would do it anyhow, with codes that look like a device that has left; so they do even when the device then refuses.
 */
export class LibusbPort implements UsbHostPort {
  readonly speed: UsbSpeed;
  readonly locationId: number;
  readonly slotCount = slots;
  readonly #device: LibusbDevice;
  readonly #options: LibusbPortOptions;
  readonly #requests = Array.from({ length: slots }, (_, slot) => new Request(slot));
  readonly #controls: Request[] = [];
  /** Data transfers that came during a change. */
  readonly #held: Request[] = [];
  readonly #table = new UsbEndpointTable();
  readonly #halted = new Set<number>();
  /** Interfaces that could not be claimed: their endpoints are not there. */
  readonly #forbidden = new Set<number>();
  #control: Request | null = null;
  #onOwn: ((status: number, actualBytes: number) => void) | null = null;
  /** Submitted data transfers end here when a change waits for them. */
  #onDrained: (() => void) | null = null;
  #submitted = 0;
  #isChanging = false;
  #isLeaving = false;
  #wantsReset = false;
  #isOver = false;
  #client: UsbHostClient | null = null;

  constructor(device: LibusbDevice, options: LibusbPortOptions) {
    this.#device = device;
    this.#options = options;
    this.speed = options.speed;
    this.locationId = options.locationId;
  }

  /** A control request is queued or under way: for benches, which must know when nothing goes on any more. */
  get isBusy(): boolean {
    return this.#control !== null || this.#controls.length > 0 || (this.#isLeaving && !this.#isOver);
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /**
   * GET_STATUS of the device beside the driver's requests, to know that all that was on its way there has arrived: for
   * benches, and only while not `isBusy`. False when the device does not answer.
   */
  async roundTrip(): Promise<boolean> {
    const setup = { bmRequestType: directionIn, bRequest: StandardRequest.getStatus, wValue: 0, wIndex: 0 };
    return (await this.#ask({ ...setup, wLength: 2 })) !== null;
  }

  connect(client: UsbHostClient): void {
    this.#client = client;
    // It may be over already, between attach and connect.
    if (this.#isOver) this.#later(() => client.detached());
  }

  control(slot: number, setup: Uint8Array, buffer: Uint8Array | null, offset: number): UsbSubmit {
    if (this.#isLeaving) return UsbSubmit.gone;
    const request = this.#requests[slot];
    if (request?.state !== RequestState.free || setup.length < setupBytes) return UsbSubmit.badRequest;
    const parsed = decodeSetup(setup, newSetup());
    const { bmRequestType, bRequest, wLength } = parsed;
    if (wLength > 0 && (buffer === null || offset < 0 || offset + wLength > buffer.length))
      return UsbSubmit.badRequest;
    if (bmRequestType === 0 && bRequest === StandardRequest.setAddress) return UsbSubmit.badRequest;
    request.packet = new Uint8Array(setupBytes + wLength);
    request.packet.set(setup.subarray(0, setupBytes));
    if (!isIn(parsed) && buffer !== null && wLength > 0)
      request.packet.set(buffer.subarray(offset, offset + wLength), setupBytes);
    request.setup = parsed;
    this.#take(request, 0, buffer ?? none, offset, wLength);
    this.#controls.push(request);
    this.#nextControl();
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
    if (this.#isLeaving) return UsbSubmit.gone;
    const request = this.#requests[slot];
    const isBad = request?.state !== RequestState.free || offset < 0 || length < 0;
    // The npm package has no streams.
    if (isBad || offset + length > buffer.length || stream !== 0) return UsbSubmit.badRequest;
    const descriptor = this.#table.find(endpoint);
    const type = (descriptor?.bmAttributes ?? 0) & 3;
    if (descriptor === undefined || type === TransferType.isochronous || this.#isForbidden(endpoint))
      return UsbSubmit.noEndpoint;
    if (this.#halted.has(endpoint)) return UsbSubmit.halted;
    this.#take(request, endpoint, buffer, offset, length);
    if (this.#isChanging) {
      this.#held.push(request);
      return UsbSubmit.accepted;
    }
    const submitted = submitOfError(this.#submitData(request, type));
    if (submitted !== UsbSubmit.accepted) this.#free(request);
    if (submitted === UsbSubmit.gone) this.#later(() => this.leave());
    return submitted;
  }

  /** This path has none. */
  isochronous(): UsbSubmit {
    return UsbSubmit.unsupported;
  }

  cancel(slot: number): void {
    const request = this.#requests[slot];
    if (request === undefined) return;
    if (request.state === RequestState.submitted) this.#abort(request);
    else if (request.state === RequestState.waiting) this.#later(() => this.#takeBack(request));
  }

  clearHalt(endpoint: number): void {
    this.#halted.delete(endpoint);
  }

  reset(): void {
    if (this.#isLeaving) return;
    this.#isLeaving = true;
    this.#wantsReset = true;
    this.#later(() => this.#endAll());
  }

  /** The device has left, or is given back: what is pending ends with `gone`, then `detached`. Not from inside a call. */
  leave(): void {
    if (this.#isOver || (this.#isLeaving && !this.#wantsReset)) return;
    this.#isLeaving = true;
    this.#wantsReset = false;
    this.#endAll();
  }

  /** From the importer, which is the device's client. */
  completed(slot: number, status: number, actualBytes: number): void {
    if (slot === ownSlot) {
      const done = this.#onOwn;
      this.#onOwn = null;
      done?.(status, actualBytes);
      return;
    }
    const request = this.#requests[slot];
    if (request?.state !== RequestState.submitted) return;
    let ended = statusOfTransfer(status);
    // The system took it away: it does so when the device leaves, and when somebody else takes the interface.
    if (ended === UsbStatus.cancelled && !request.isCancelled) ended = UsbStatus.gone;
    this.#submitted--;
    if (request === this.#control) this.#endControl(request, ended, actualBytes);
    else {
      const isFault = ended === UsbStatus.stall || ended === UsbStatus.protocolError;
      if (isFault) this.#halted.add(request.endpoint);
      this.#complete(request, ended, ended === UsbStatus.stall ? 0 : actualBytes);
    }
    if (ended === UsbStatus.gone) this.leave();
    this.#onDrained?.();
    this.#endIfDrained();
  }

  #take(request: Request, endpoint: number, buffer: Uint8Array, offset: number, length: number): void {
    request.state = RequestState.waiting;
    request.endpoint = endpoint;
    request.buffer = buffer;
    request.offset = offset;
    request.length = length;
  }

  #abort(request: Request): void {
    request.isCancelled = true;
    this.#device.cancel(request.slot);
  }

  #free(request: Request): void {
    request.state = RequestState.free;
    request.isCancelled = false;
    request.buffer = none;
    request.packet = none;
    request.setup = null;
  }

  #complete(request: Request, status: UsbStatus, actualBytes: number): void {
    this.#free(request);
    // Whatever a reset does to a transfer, to the driver the device has left.
    const isLost = this.#isLeaving && status !== UsbStatus.ok;
    this.#client?.completed(request.slot, isLost ? UsbStatus.gone : status, actualBytes);
  }

  /** Ends a request that libusb has not seen. */
  #takeBack(request: Request): void {
    if (request.state !== RequestState.waiting) return;
    remove(this.#controls, request);
    remove(this.#held, request);
    this.#complete(request, UsbStatus.cancelled, 0);
  }

  #submitData(request: Request, type: number): number {
    const { slot, endpoint, buffer, offset, length } = request;
    const error = this.#device.submit(slot, endpoint, type, buffer.subarray(offset, offset + length));
    if (error === LibusbError.success) {
      request.state = RequestState.submitted;
      this.#submitted++;
    }
    return error;
  }

  #later(run: () => void): void {
    this.#options.clock.after(0, run, undefined);
  }

  /** One after the other, as endpoint 0 does it. */
  #nextControl(): void {
    if (this.#control !== null || this.#isLeaving) return;
    const request = this.#controls.shift();
    const setup = request?.setup;
    if (request === undefined || setup === null || setup === undefined) return;
    this.#control = request;
    const change = this.#changeOf(setup);
    if (change !== null) {
      request.state = RequestState.changing;
      void this.#change(request, setup, change);
      return;
    }
    const error = this.#device.submit(request.slot, 0, TransferType.control, request.packet);
    if (error === LibusbError.success) {
      request.state = RequestState.submitted;
      this.#submitted++;
      return;
    }
    request.state = RequestState.changing;
    this.#later(() => this.#endChange(request, error));
  }

  #endControl(request: Request, status: UsbStatus, actualBytes: number): void {
    const { setup, packet, buffer, offset } = request;
    let bytes = status === UsbStatus.stall ? 0 : actualBytes;
    if (setup !== null && isIn(setup)) {
      bytes = Math.min(bytes, request.length);
      const data = packet.subarray(setupBytes, setupBytes + bytes);
      buffer.set(data, offset);
      if (status === UsbStatus.ok) this.#table.note(setup, data);
    }
    this.#control = null;
    this.#complete(request, status, bytes);
    this.#nextControl();
  }

  /** What libusb has a function for; null for everything else. */
  #changeOf(setup: Setup): (() => Promise<number>) | null {
    const { bmRequestType, bRequest, wValue, wIndex, wLength } = setup;
    if ((bmRequestType & RequestType.mask) !== RequestType.standard || isIn(setup) || wLength > 0)
      return null;
    const recipient = bmRequestType & Recipient.mask;
    if (bRequest === StandardRequest.setConfiguration && recipient === Recipient.device)
      return () => this.#setConfiguration(wValue & 0xff);
    if (bRequest === StandardRequest.setInterface && recipient === Recipient.interface)
      return () => this.#setInterface(wIndex & 0xff, wValue & 0xff);
    const isHalt = wValue === Feature.endpointHalt && (wIndex & 0x0f) !== 0;
    if (bRequest === StandardRequest.clearFeature && recipient === Recipient.endpoint && isHalt)
      return () => new Promise((resolve) => this.#device.clearHalt(wIndex & 0xff, resolve));
    return null;
  }

  async #change(request: Request, setup: Setup, run: () => Promise<number>): Promise<void> {
    this.#isChanging = true;
    const error = await run();
    if (error === LibusbError.success) {
      const change = this.#table.note(setup, none);
      if (change === "halt-cleared") this.#halted.delete(setup.wIndex & 0xff);
      else if (change === "endpoints") this.#halted.clear();
      else if (change === "interface") this.#forgetHalts(setup.wIndex & 0xff);
    }
    this.#isChanging = false;
    this.#endChange(request, error);
  }

  /** Endpoints of this interface begin anew. */
  #forgetHalts(interfaceNumber: number): void {
    for (const endpoint of this.#halted) {
      const owner = this.#table.interfaceOf(endpoint);
      if (owner === interfaceNumber || owner < 0) this.#halted.delete(endpoint);
    }
  }

  #endChange(request: Request, error: number): void {
    if (error !== LibusbError.success && error !== LibusbError.noDevice && error !== LibusbError.pipe)
      this.#options.onProblem(`a standard request ended with ${libusbErrorName(error)}`);
    this.#control = null;
    if (error === LibusbError.noDevice) this.leave();
    this.#complete(request, statusOfError(error), 0);
    for (const held of this.#held.splice(0)) this.#submitHeld(held);
    this.#nextControl();
    this.#endIfDrained();
  }

  /** A data transfer that was accepted during a change. */
  #submitHeld(request: Request): void {
    const descriptor = this.#table.find(request.endpoint);
    if (descriptor === undefined || this.#isForbidden(request.endpoint)) {
      this.#complete(request, UsbStatus.cancelled, 0);
      return;
    }
    const error = this.#submitData(request, descriptor.bmAttributes & 3);
    if (error === LibusbError.noDevice) this.leave();
    if (error !== LibusbError.success) this.#complete(request, statusOfError(error), 0);
  }

  /** Gives all interfaces up, lets the system choose the configuration, claims all that may be claimed. */
  async #setConfiguration(value: number): Promise<number> {
    const { claims } = this.#options;
    if (value !== 0 && !this.#table.knows(value)) await this.#readConfigurations();
    await this.#drain(null);
    await claims.releaseAll();
    claims.detachDrivers();
    const error = await new Promise<number>((resolve) =>
      this.#device.setConfiguration(value === 0 ? noConfiguration : value, resolve),
    );
    if (error !== LibusbError.success) return error;
    this.#forbidden.clear();
    if (value === 0) return error;
    for (const number of this.#device.interfaceNumbers()) {
      const refusal = claims.claim(number);
      if (refusal === LibusbError.noDevice) return refusal;
      if (refusal !== LibusbError.success) this.#forbid(number, refusal);
    }
    return error;
  }

  #forbid(interfaceNumber: number, error: number): void {
    this.#forbidden.add(interfaceNumber);
    this.#options.onProblem(
      `interface ${interfaceNumber} cannot be claimed (${libusbErrorName(error)}): its endpoints are not there`,
    );
  }

  #isForbidden(endpoint: number): boolean {
    return this.#forbidden.has(this.#table.interfaceOf(endpoint));
  }

  async #setInterface(interfaceNumber: number, alternate: number): Promise<number> {
    await this.#drain(interfaceNumber);
    return new Promise((resolve) => this.#device.setInterface(interfaceNumber, alternate, resolve));
  }

  /** Ends what is under way on an interface's endpoints, null for all, and waits until libusb has let go of it. */
  async #drain(interfaceNumber: number | null): Promise<void> {
    const isConcerned = ({ state, endpoint, setup }: Request): boolean =>
      state === RequestState.submitted &&
      setup === null &&
      (interfaceNumber === null || this.#table.interfaceOf(endpoint) === interfaceNumber);
    for (const request of this.#requests) if (isConcerned(request)) this.#abort(request);
    while (this.#requests.some(isConcerned)) {
      await new Promise<void>((resolve) => {
        this.#onDrained = resolve;
      });
    }
    this.#onDrained = null;
  }

  /** Nobody read the descriptors through us. */
  async #readConfigurations(): Promise<void> {
    for (let index = 0; index < configurationMaximum; index++) {
      const setup: Setup = {
        bmRequestType: directionIn,
        bRequest: StandardRequest.getDescriptor,
        wValue: 0x0200 | index,
        wIndex: 0,
        wLength: configurationBytesMaximum,
      };
      const answer = await this.#ask(setup);
      if (answer === null) return;
      this.#table.note(setup, answer);
    }
  }

  /** A control IN of the port's own: the answer, null for any other end. */
  #ask(setup: Setup): Promise<Uint8Array | null> {
    const packet = new Uint8Array(setupBytes + setup.wLength);
    encodeSetup(setup, packet);
    return new Promise((resolve) => {
      this.#onOwn = (status, actualBytes) => {
        const isAnswer = statusOfTransfer(status) === UsbStatus.ok;
        resolve(isAnswer ? packet.subarray(setupBytes, setupBytes + actualBytes) : null);
      };
      const error = this.#device.submit(ownSlot, 0, TransferType.control, packet);
      if (error !== LibusbError.success) resolve(null);
    });
  }

  #endAll(): void {
    this.#controls.length = 0;
    this.#held.length = 0;
    for (const request of this.#requests) {
      if (request.state === RequestState.submitted) this.#abort(request);
      else if (request.state === RequestState.waiting) this.#complete(request, UsbStatus.gone, 0);
    }
    this.#endIfDrained();
  }

  /** Libusb must have let go of every buffer first. */
  #endIfDrained(): void {
    if (!this.#isLeaving || this.#isOver || this.#submitted > 0 || this.#control !== null) return;
    if (this.#requests.some(({ state }) => state === RequestState.waiting)) return;
    this.#isOver = true;
    this.#client?.detached();
    this.#options.onOver(this.#wantsReset);
  }
}

const none = new Uint8Array(0);

function remove<T>(list: T[], entry: T): void {
  const at = list.indexOf(entry);
  if (at >= 0) list.splice(at, 1);
}
