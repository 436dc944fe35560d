// The USB object of WebUSB over attached ports: enumeration, permissions, events. What `navigator.usb` is in a page.

import { isSameBytes } from "../../base/bytes.ts";
import type { Clock, TimerHandle } from "../../base/clock.ts";
import { second } from "../../base/units.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import type {
  AllowedUSBDevice,
  USB,
  USBBlocklistEntry,
  USBConnectionEvent,
  USBConnectionEventType,
  USBConnectionListener,
  USBDevice,
  USBDeviceRequestOptions,
} from "../../ports/web-usb.ts";
import { webIdlMembers } from "../page-face.ts";
import { isBlocklisted, matchesFilter, problemOfFilter, publicBlocklist } from "./device-filter.ts";
import { webUsbError } from "./dom-exception.ts";
import { type EnumeratedDevice, enumerate } from "./enumerate.ts";
import { PortRequests } from "./port-requests.ts";
import { WebUsbDevice, type WebUsbDeviceOwner } from "./web-usb-device.ts";

/** A device that does not come back from a reset in this time has left. */
const resetPatienceNs = 5 * second;

/** Node and browsers have both classes; core has no DOM library. */
interface EventHost {
  readonly EventTarget: new () => {
    addEventListener: USB["addEventListener"];
    removeEventListener: USB["removeEventListener"];
    dispatchEvent(event: USBConnectionEvent): boolean;
  };
  readonly Event: new (type: string) => { readonly type: string };
}
const { EventTarget, Event } = globalThis as unknown as EventHost;

/** §Events. TypeError without a device, and for an object that is none. */
export class WebUsbConnectionEvent extends Event implements USBConnectionEvent {
  declare readonly device: USBDevice;

  constructor(type: USBConnectionEventType, init: { readonly device: USBDevice }) {
    super(type);
    if (typeof init?.device !== "object" || init.device === null)
      throw new TypeError("a USBConnectionEvent needs a device");
    if (!(init.device instanceof WebUsbDevice))
      throw new TypeError("the device of a USBConnectionEvent is no USBDevice");
    this.device = init.device;
  }
}
webIdlMembers(WebUsbConnectionEvent, "USBConnectionEvent", ["device"]);

/** `allowAllDevices`, `allowedDevices` and `devicesFound` are called as the npm package `usb` calls them. */
export interface WebUsbOptions {
  readonly clock: Clock;
  /**
   * Called after a promise was settled by the rig: its continuations should run before virtual time moves
   * (`scheduler.expectContinuations()`).
   */
  readonly onSettled?: () => void;
  /** `getDevices` and events show every device, as if the user had granted all. Default false. */
  readonly allowAllDevices?: boolean;
  /** What the user has granted before. */
  readonly allowedDevices?: readonly AllowedUSBDevice[];
  /** The user's choice among the devices that match; null or undefined is a cancelled prompt. Default: the first. */
  readonly devicesFound?: (
    devices: USBDevice[],
  ) => USBDevice | null | undefined | Promise<USBDevice | null | undefined>;
  /** Transient activation, asked at each `requestDevice`. Default: always. */
  readonly hasUserActivation?: () => boolean;
  /** The policy `usb-unrestricted`: no blocklist, no protected classes. Default false. */
  readonly isUnrestricted?: boolean;
  /** Default: the public one. */
  readonly blocklist?: readonly USBBlocklistEntry[];
  /** Awaited before any answer about devices: those that are being announced come first. */
  readonly ready?: () => Promise<void>;
  /** Told of devices that could not be enumerated, and of configurations that were left out. */
  readonly onProblem?: (reason: string) => void;
}

interface Attachment {
  readonly requests: PortRequests;
  /** Null until it is enumerated. */
  device: WebUsbDevice | null;
}

interface Reset {
  readonly device: WebUsbDevice;
  readonly identity: Uint8Array;
  readonly timer: TimerHandle;
  done(isBack: boolean): void;
}

interface Permission extends AllowedUSBDevice {
  readonly devices: Set<WebUsbDevice>;
}

/** What a page knows as `USB`: no member of its prototype is ours alone. */
export abstract class UsbFace extends EventTarget implements USB {
  #onconnect: USB["onconnect"] = null;
  #ondisconnect: USB["ondisconnect"] = null;

  get onconnect(): USB["onconnect"] {
    return this.#onconnect;
  }

  set onconnect(listener: USB["onconnect"]) {
    this.#replace("connect", this.#onconnect, listener);
    this.#onconnect = listener;
  }

  get ondisconnect(): USB["ondisconnect"] {
    return this.#ondisconnect;
  }

  set ondisconnect(listener: USB["ondisconnect"]) {
    this.#replace("disconnect", this.#ondisconnect, listener);
    this.#ondisconnect = listener;
  }

  getDevices(): Promise<USBDevice[]> {
    return this.listDevices();
  }

  requestDevice(options: USBDeviceRequestOptions): Promise<USBDevice> {
    return this.chooseDevice(options);
  }

  abstract listDevices(): Promise<USBDevice[]>;
  abstract chooseDevice(options: USBDeviceRequestOptions): Promise<USBDevice>;

  #replace(
    type: USBConnectionEventType,
    old: USBConnectionListener | null,
    now: USBConnectionListener | null,
  ) {
    if (old !== null) this.removeEventListener(type, old);
    if (now !== null) this.addEventListener(type, now);
  }
}
webIdlMembers(UsbFace, "USB", []);

/** Give it each port with `attach`, as `SimUsbBus.onAttach` and importers tell of them. */
export class WebUsb extends UsbFace implements WebUsbDeviceOwner {
  readonly isUnrestricted: boolean;
  readonly #options: WebUsbOptions;
  readonly #blocklist: readonly USBBlocklistEntry[];
  readonly #attachments = new Set<Attachment>();
  readonly #identities = new WeakMap<WebUsbDevice, Uint8Array>();
  readonly #resets = new Map<number, Reset>();
  readonly #waiting: (() => void)[] = [];
  #permissions: Permission[];
  #underway = 0;

  constructor(options: WebUsbOptions) {
    super();
    this.#options = options;
    this.isUnrestricted = options.isUnrestricted ?? false;
    this.#blocklist = options.blocklist ?? publicBlocklist;
    this.#permissions = (options.allowedDevices ?? []).map((entry) => ({ ...entry, devices: new Set() }));
  }

  /** What the user has granted, for a later session's `allowedDevices`. */
  get allowedDevices(): AllowedUSBDevice[] {
    return this.#permissions.map(({ vendorId, productId, serialNumber }) =>
      serialNumber === undefined ? { vendorId, productId } : { vendorId, productId, serialNumber },
    );
  }

  /** A device was plugged in. Nobody else may have connected to `port`. */
  attach(port: UsbHostPort): void {
    const attachment: Attachment = {
      requests: new PortRequests(port, () => this.#detached(attachment)),
      device: null,
    };
    this.#attachments.add(attachment);
    this.#underway++;
    enumerate(attachment.requests, (found, problem) => {
      if (found !== null) this.#found(attachment, found);
      else this.#options.onProblem?.(`a device could not be read: ${problem?.message}`);
      this.#underway--;
      if (this.#underway > 0) return;
      for (const run of this.#waiting.splice(0)) run();
      this.settled();
    });
  }

  async listDevices(): Promise<USBDevice[]> {
    await this.#enumerated();
    return this.#devices().filter((device) => this.#isAllowed(device));
  }

  async chooseDevice(options: USBDeviceRequestOptions): Promise<USBDevice> {
    if (typeof options?.filters?.[Symbol.iterator] !== "function")
      throw new TypeError("requestDevice needs { filters: [...] }; an empty list asks for any device");
    const filters = [...options.filters];
    const exclusions = [...(options.exclusionFilters ?? [])];
    for (const filter of [...filters, ...exclusions]) {
      const problem = problemOfFilter(filter);
      if (problem !== null) throw new TypeError(problem);
    }
    if (this.#options.hasUserActivation?.() === false)
      throw webUsbError("SecurityError", "requestDevice must be called while a user's gesture is handled");
    await this.#enumerated();
    const offered = this.#devices().filter(
      (device) =>
        (filters.length === 0 || filters.some((filter) => matchesFilter(device, filter))) &&
        !exclusions.some((filter) => matchesFilter(device, filter)),
    );
    const { devicesFound } = this.#options;
    const chosen = devicesFound === undefined ? offered[0] : await devicesFound(offered);
    const device = offered.find((entry) => entry === chosen);
    if (device === undefined) throw webUsbError("NotFoundError", "no device was selected");
    this.#grant(device);
    return device;
  }

  settled(): void {
    this.#options.onSettled?.();
  }

  forget(device: WebUsbDevice): void {
    this.#permissions = this.#permissions.filter(({ devices }) => !devices.has(device));
  }

  reset(device: WebUsbDevice, done: (isBack: boolean) => void): void {
    const attachment = [...this.#attachments].find((entry) => entry.device === device);
    const identity = this.#identities.get(device);
    if (attachment === undefined || identity === undefined) {
      done(false);
      return;
    }
    const { requests } = attachment;
    const timer = this.#options.clock.after(
      resetPatienceNs,
      () => this.#lost(requests.locationId),
      undefined,
    );
    this.#resets.set(requests.locationId, { device, identity, timer, done });
    requests.reset();
  }

  #found(attachment: Attachment, found: EnumeratedDevice): void {
    for (const { message } of found.problems) this.#options.onProblem?.(message);
    const { requests } = attachment;
    const reset = this.#resets.get(requests.locationId);
    if (reset !== undefined && isSameBytes(reset.identity, found.identity)) {
      this.#resets.delete(requests.locationId);
      this.#options.clock.cancel(reset.timer);
      attachment.device = reset.device;
      WebUsbDevice.rebind(reset.device, requests);
      reset.done(true);
      return;
    }
    // Another device came back than was reset.
    if (reset !== undefined) this.#lost(requests.locationId);
    const device = new WebUsbDevice(found, requests, this);
    attachment.device = device;
    this.#identities.set(device, found.identity);
    for (const permission of this.#permissions) {
      if (isFor(permission, device)) permission.devices.add(device);
    }
    if (!this.#isBlocked(device) && this.#isAllowed(device)) this.#fire("connect", device);
  }

  #detached(attachment: Attachment): void {
    this.#attachments.delete(attachment);
    const { device } = attachment;
    if (device === null || [...this.#resets.values()].some((reset) => reset.device === device)) return;
    this.#left(device);
  }

  #lost(locationId: number): void {
    const reset = this.#resets.get(locationId);
    if (reset === undefined) return;
    this.#resets.delete(locationId);
    this.#options.clock.cancel(reset.timer);
    this.#left(reset.device);
    reset.done(false);
  }

  /** §Events, the steps of a disconnection. A permission without a serial number ends with its last device. */
  #left(device: WebUsbDevice): void {
    WebUsbDevice.disconnected(device);
    const isAllowed = this.#isAllowed(device);
    this.#permissions = this.#permissions.filter(({ serialNumber, devices }) => {
      return !devices.delete(device) || serialNumber !== undefined || devices.size > 0;
    });
    if (isAllowed && !this.#isBlocked(device)) this.#fire("disconnect", device);
    this.settled();
  }

  #fire(type: USBConnectionEventType, device: WebUsbDevice): void {
    this.dispatchEvent(new WebUsbConnectionEvent(type, { device }));
    this.settled();
  }

  #devices(): WebUsbDevice[] {
    const devices: WebUsbDevice[] = [];
    for (const { device } of this.#attachments) {
      if (device !== null && !this.#isBlocked(device)) devices.push(device);
    }
    return devices;
  }

  #isBlocked(device: WebUsbDevice): boolean {
    return !this.isUnrestricted && isBlocklisted(device, this.#blocklist);
  }

  #isAllowed(device: WebUsbDevice): boolean {
    return (
      this.#options.allowAllDevices === true || this.#permissions.some(({ devices }) => devices.has(device))
    );
  }

  #grant(device: WebUsbDevice): void {
    if (this.#permissions.some(({ devices }) => devices.has(device))) return;
    const { vendorId, productId, serialNumber } = device;
    const identity = serialNumber === null ? { vendorId, productId } : { vendorId, productId, serialNumber };
    this.#permissions.push({ ...identity, devices: new Set([device]) });
  }

  async #enumerated(): Promise<void> {
    await this.#options.ready?.();
    if (this.#underway > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function isFor(allowed: AllowedUSBDevice, device: WebUsbDevice): boolean {
  return (
    allowed.vendorId === device.vendorId &&
    allowed.productId === device.productId &&
    (allowed.serialNumber ?? null) === device.serialNumber
  );
}
