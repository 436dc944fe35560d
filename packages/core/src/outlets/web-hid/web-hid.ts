// The HID object of WebHID over attached USB ports: grants, filters, events. What `navigator.hid` is in a page.
// WebHID API, Draft Community Group Report, §HID Interface.

import type { InterfaceSetting } from "../../codec/usb/descriptors.ts";
import type { UsbHostPort } from "../../ports/usb-host.ts";
import {
  EventHandler,
  type FaceEvent,
  FaceEventBase,
  FaceEventTarget,
  faceError,
  illegal,
  installFace,
  named,
} from "../page-face.ts";
import { type EnumeratedDevice, enumerate } from "../webusb/enumerate.ts";
import { PortRequests } from "../webusb/port-requests.ts";
import { configure, hidSettings, readInterface } from "./hid-link.ts";
import { HidDeviceCore, WebHidDevice, WebHidInputReportEvent } from "./web-hid-device.ts";

/** §HIDDeviceFilter Dictionary. Every member that is present must match. */
export interface HIDDeviceFilter {
  vendorId?: number;
  /** Only together with vendorId. */
  productId?: number;
  usagePage?: number;
  /** Only together with usagePage. */
  usage?: number;
}

/** §HIDDeviceRequestOptions Dictionary. */
export interface HIDDeviceRequestOptions {
  filters: readonly HIDDeviceFilter[];
  /** If present, not empty. */
  exclusionFilters?: readonly HIDDeviceFilter[];
}

export interface WebHidHostOptions {
  /** Called after a promise was settled by the rig: its continuations should run before virtual time moves. */
  readonly onSettled?: () => void;
  /** `getDevices` and events show every device, as if the user had granted all. Default false. */
  readonly allowAllDevices?: boolean;
  /** The user's choice among the devices that match; null, undefined or an empty list is a cancelled prompt. Default: the first. */
  readonly devicesFound?: (
    devices: WebHidDevice[],
  ) => WebHidDevice | null | undefined | Promise<WebHidDevice | null | undefined>;
  /** Transient activation, asked at each `requestDevice`. Default: always. */
  readonly hasUserActivation?: () => boolean;
  /** Awaited before any answer about devices: those that are being announced come first. */
  readonly ready?: () => Promise<void>;
  /** Keyboards, mice and keys are shown too: what a program of an operating system sees, not a page. Default false. */
  readonly isUnrestricted?: boolean;
  /** Told of devices and interfaces that could not be read. */
  readonly onProblem?: (reason: string) => void;
}

/** §HIDConnectionEvent Interface. TypeError without a device, and for an object that is none. */
export class WebHidConnectionEvent extends FaceEventBase {
  readonly #device: WebHidDevice;

  constructor(type: string, init: { readonly device: WebHidDevice }) {
    super(type);
    if (!((init?.device as unknown) instanceof WebHidDevice))
      throw new TypeError("a HIDConnectionEvent needs { device }, a HIDDevice");
    this.#device = init.device;
  }

  get [Symbol.toStringTag](): string {
    return "HIDConnectionEvent";
  }

  get device(): WebHidDevice {
    return this.#device;
  }
}

/** The face; members are those of Chromium's HID and no others. */
export class WebHid extends FaceEventTarget {
  readonly #host: WebHidHost;
  readonly #onconnect = new EventHandler<WebHidConnectionEvent & FaceEvent>(this, "connect");
  readonly #ondisconnect = new EventHandler<WebHidConnectionEvent & FaceEvent>(this, "disconnect");

  constructor(host: WebHidHost) {
    super();
    this.#host = host;
  }

  get [Symbol.toStringTag](): string {
    return "HID";
  }

  get onconnect() {
    return this.#onconnect.value;
  }

  set onconnect(handler) {
    this.#onconnect.value = handler;
  }

  get ondisconnect() {
    return this.#ondisconnect.value;
  }

  set ondisconnect(handler) {
    this.#ondisconnect.value = handler;
  }

  /** Devices that are there and granted. */
  async getDevices(): Promise<WebHidDevice[]> {
    return this.#host.granted();
  }

  /**
   * All interfaces of the device that was chosen; none when the prompt was cancelled. TypeError for filters that name
   * nothing or contradict themselves; SecurityError without a user's gesture.
   */
  async requestDevice(options: HIDDeviceRequestOptions): Promise<WebHidDevice[]> {
    return this.#host.request(options);
  }
}

interface Attachment {
  readonly requests: PortRequests;
  /** One for each HID interface that a page may see. */
  devices: HidDeviceCore[];
  isGone: boolean;
}

/** Give it each port with `attach`, as `SimUsbBus.onAttach` and importers tell of them. */
export class WebHidHost {
  readonly hid: WebHid;
  readonly #options: WebHidHostOptions;
  readonly #attachments = new Set<Attachment>();
  readonly #granted = new Set<HidDeviceCore>();
  readonly #remembered = new Set<string>();
  readonly #waiting: (() => void)[] = [];
  #underway = 0;

  constructor(options: WebHidHostOptions = {}) {
    this.#options = options;
    this.hid = new WebHid(this);
  }

  /** A device was plugged in. Nobody else may have connected to `port`. */
  attach(port: UsbHostPort): void {
    const attachment: Attachment = {
      requests: new PortRequests(port, () => this.#detached(attachment)),
      devices: [],
      isGone: false,
    };
    this.#attachments.add(attachment);
    this.#underway++;
    enumerate(attachment.requests, (found, problem) => {
      if (found === null) {
        this.problem(`a device could not be read: ${problem?.message}`);
        this.#ready();
        return;
      }
      for (const { message } of found.problems) this.problem(message);
      this.#readAll(attachment, found);
    });
  }

  /** Every interface that is there, granted or not: for those who offer them to other programs than pages. */
  get interfaces(): HidDeviceCore[] {
    return this.#devices();
  }

  async granted(): Promise<WebHidDevice[]> {
    await this.#enumerated();
    return this.#devices()
      .filter((core) => this.#granted.has(core))
      .map(({ face }) => face);
  }

  async request(options: HIDDeviceRequestOptions): Promise<WebHidDevice[]> {
    if (typeof options?.filters?.[Symbol.iterator] !== "function")
      throw new TypeError("requestDevice needs { filters: [...] }; an empty list asks for any device");
    const filters = [...options.filters];
    const exclusions = options.exclusionFilters === undefined ? [] : [...options.exclusionFilters];
    if (options.exclusionFilters !== undefined && exclusions.length === 0)
      throw new TypeError("exclusionFilters, if present, must hold a filter");
    for (const filter of [...filters, ...exclusions]) {
      const problem = problemOfFilter(filter);
      if (problem !== null) throw new TypeError(problem);
    }
    if (this.#options.hasUserActivation?.() === false)
      throw faceError("SecurityError", "requestDevice must be called while a user's gesture is handled");
    await this.#enumerated();
    const offered = this.#devices().filter(
      (core) =>
        (filters.length === 0 || filters.some((filter) => matches(core, filter))) &&
        !exclusions.some((filter) => matches(core, filter)),
    );
    const faces = offered.map(({ face }) => face);
    const { devicesFound } = this.#options;
    const chosen = devicesFound === undefined ? faces[0] : await devicesFound([...faces]);
    const core = offered.find(({ face }) => face === chosen);
    if (core === undefined || !core.isConnected) return [];
    // A device is granted whole: other interfaces of it that match come along.
    const owner = [...this.#attachments].find(({ devices }) => devices.includes(core));
    const together = (owner?.devices ?? [core]).filter((entry) => offered.includes(entry));
    for (const entry of together) {
      this.#granted.add(entry);
      if (entry.serialNumber !== null) this.#remembered.add(keyOf(entry));
    }
    return together.map(({ face }) => face);
  }

  settled(): void {
    this.#options.onSettled?.();
  }

  problem(reason: string): void {
    this.#options.onProblem?.(reason);
  }

  forget(face: WebHidDevice): void {
    for (const core of [...this.#granted]) {
      if (core.face !== face) continue;
      this.#granted.delete(core);
      this.#remembered.delete(keyOf(core));
    }
  }

  #readAll(attachment: Attachment, found: EnumeratedDevice): void {
    const { configurationValue, settings } = hidSettings(found);
    if (settings.length === 0) {
      this.#ready();
      return;
    }
    // An operating system has chosen a configuration before a page sees the device.
    const { requests } = attachment;
    const read = () => this.#readInterfaces(attachment, found, settings);
    if (found.configurationValue === configurationValue) {
      read();
      return;
    }
    configure(requests, configurationValue, (isDone) => {
      if (isDone) read();
      else {
        this.problem(`a device refuses configuration ${configurationValue}`);
        this.#ready();
      }
    });
  }

  #readInterfaces(
    attachment: Attachment,
    found: EnumeratedDevice,
    settings: readonly InterfaceSetting[],
  ): void {
    let left = settings.length;
    for (const setting of settings) {
      readInterface(attachment.requests, setting, this.#options.isUnrestricted === true, (facts, problem) => {
        if (problem !== null) this.problem(problem);
        if (facts !== null && !attachment.isGone) {
          const core = new HidDeviceCore(found, facts, attachment.requests, this);
          attachment.devices.push(core);
          if (this.#options.allowAllDevices === true || this.#remembered.has(keyOf(core)))
            this.#granted.add(core);
        }
        if (--left > 0) return;
        for (const core of attachment.devices) if (this.#granted.has(core)) this.#fire("connect", core);
        this.#ready();
      });
    }
  }

  #ready(): void {
    if (--this.#underway > 0) return;
    for (const run of this.#waiting.splice(0)) run();
    this.settled();
  }

  #detached(attachment: Attachment): void {
    attachment.isGone = true;
    this.#attachments.delete(attachment);
    for (const core of attachment.devices) {
      core.left();
      if (this.#granted.delete(core)) this.#fire("disconnect", core);
    }
    this.settled();
  }

  #fire(type: "connect" | "disconnect", { face }: HidDeviceCore): void {
    this.hid.dispatchEvent(new WebHidConnectionEvent(type, { device: face }) as FaceEvent);
    this.settled();
  }

  #devices(): HidDeviceCore[] {
    return [...this.#attachments].flatMap(({ devices }) => devices);
  }

  async #enumerated(): Promise<void> {
    await this.#options.ready?.();
    if (this.#underway > 0) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }
}

function keyOf({ vendorId, productId, serialNumber, collections }: HidDeviceCore): string {
  const usages = collections.map(({ usagePage, usage }) => `${usagePage}/${usage}`);
  return `${vendorId}:${productId}:${usages.join()}:${serialNumber}`;
}

function matches({ vendorId, productId, collections }: HidDeviceCore, filter: HIDDeviceFilter): boolean {
  if (filter.vendorId !== undefined && filter.vendorId !== vendorId) return false;
  if (filter.productId !== undefined && filter.productId !== productId) return false;
  if (filter.usagePage === undefined) return true;
  return collections.some(
    ({ usagePage, usage }) =>
      usagePage === filter.usagePage && (filter.usage === undefined || filter.usage === usage),
  );
}

/** §requestDevice() method, "is a valid filter". */
function problemOfFilter(filter: HIDDeviceFilter): string | null {
  const { vendorId, productId, usagePage, usage } = filter ?? {};
  if (productId !== undefined && vendorId === undefined) return "productId needs vendorId beside it";
  if (usage !== undefined && usagePage === undefined) return "usage needs usagePage beside it";
  if (vendorId === undefined && usagePage === undefined)
    return "an empty filter matches nothing: leave it out, or name vendorId or usagePage";
  return null;
}

const globals = {
  HID: named("HID", WebHid, illegal("HID")),
  HIDDevice: named("HIDDevice", WebHidDevice, illegal("HIDDevice")),
  HIDConnectionEvent: named(
    "HIDConnectionEvent",
    WebHidConnectionEvent,
    (type: string, init: { readonly device: WebHidDevice }) => new WebHidConnectionEvent(type, init),
  ),
  HIDInputReportEvent: named("HIDInputReportEvent", WebHidInputReportEvent, illegal("HIDInputReportEvent")),
};

/** Puts `navigator.hid` and the interfaces' names into `target`. Answers how to take them away again. */
export function installWebHidGlobals(hid: WebHid, target: object): () => void {
  return installFace(target, globals, "hid", hid);
}
