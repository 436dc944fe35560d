// The names that a page finds beside `navigator.usb`: USBDevice, USBConnectionEvent and the others, over our classes.

import type {
  USBConnectionEventType,
  USBDevice,
  USBDirection,
  USBTransferStatus,
} from "../../ports/web-usb.ts";
import {
  WebUsbInTransferResult,
  WebUsbIsochronousInTransferPacket,
  WebUsbIsochronousInTransferResult,
  WebUsbIsochronousOutTransferPacket,
  WebUsbIsochronousOutTransferResult,
  WebUsbOutTransferResult,
} from "./transfer-results.ts";
import { WebUsb, WebUsbConnectionEvent } from "./web-usb.ts";
import { WebUsbDevice } from "./web-usb-device.ts";
import {
  WebUsbAlternateInterface,
  WebUsbConfiguration,
  WebUsbEndpoint,
  WebUsbInterface,
} from "./web-usb-tree.ts";

type AnyClass = abstract new (...values: never[]) => object;

/** `cls` under the name of the standard: `instanceof` works, and `new` does what `construct` says. */
function named<T extends AnyClass>(name: string, cls: T, construct: (...values: never[]) => object): T {
  const face: T = new Proxy(cls, {
    construct: (_target, values) => construct(...(values as never[])),
    get: (target, key) => (key === "name" ? name : Reflect.get(target, key, target)),
  });
  // `device.constructor` is what the page knows as USBDevice.
  Object.defineProperty(cls.prototype, "constructor", { value: face, configurable: true, writable: true });
  return face;
}

/** As Web IDL's interfaces without a constructor. */
function illegal(name: string): () => never {
  return () => {
    throw new TypeError(`Failed to construct '${name}': Illegal constructor`);
  };
}

function among<T>(found: T | null | undefined, what: string): T {
  if (found === null || found === undefined) throw new RangeError(`there is no ${what}`);
  return found;
}

/** §The USBConfiguration Interface and its siblings: constructors that look an object up. RangeError when it is not there. */
const globals = {
  USB: named("USB", WebUsb, illegal("USB")),
  USBDevice: named("USBDevice", WebUsbDevice, illegal("USBDevice")),
  USBConnectionEvent: named(
    "USBConnectionEvent",
    WebUsbConnectionEvent,
    (type: USBConnectionEventType, init: { readonly device: USBDevice }) =>
      new WebUsbConnectionEvent(type, init),
  ),
  USBConfiguration: named("USBConfiguration", WebUsbConfiguration, (device: WebUsbDevice, value: number) =>
    among(
      device.configurations.find((entry) => entry.configurationValue === value),
      `configuration ${value}`,
    ),
  ),
  USBInterface: named("USBInterface", WebUsbInterface, (configuration: WebUsbConfiguration, number: number) =>
    among(configuration.find(number), `interface ${number}`),
  ),
  USBAlternateInterface: named(
    "USBAlternateInterface",
    WebUsbAlternateInterface,
    (owner: WebUsbInterface, setting: number) => among(owner.find(setting), `alternate setting ${setting}`),
  ),
  USBEndpoint: named(
    "USBEndpoint",
    WebUsbEndpoint,
    (setting: WebUsbAlternateInterface, number: number, direction: USBDirection) =>
      among(
        setting.endpoints.find((entry) => entry.endpointNumber === number && entry.direction === direction),
        `endpoint ${number} ${direction}`,
      ),
  ),
  USBInTransferResult: named(
    "USBInTransferResult",
    WebUsbInTransferResult,
    (status: USBTransferStatus, data?: DataView | null) => new WebUsbInTransferResult(status, data),
  ),
  USBOutTransferResult: named(
    "USBOutTransferResult",
    WebUsbOutTransferResult,
    (status: USBTransferStatus, bytesWritten?: number) => new WebUsbOutTransferResult(status, bytesWritten),
  ),
  USBIsochronousInTransferPacket: named(
    "USBIsochronousInTransferPacket",
    WebUsbIsochronousInTransferPacket,
    (...values: never[]) => Reflect.construct(WebUsbIsochronousInTransferPacket, values),
  ),
  USBIsochronousInTransferResult: named(
    "USBIsochronousInTransferResult",
    WebUsbIsochronousInTransferResult,
    (...values: never[]) => Reflect.construct(WebUsbIsochronousInTransferResult, values),
  ),
  USBIsochronousOutTransferPacket: named(
    "USBIsochronousOutTransferPacket",
    WebUsbIsochronousOutTransferPacket,
    (...values: never[]) => Reflect.construct(WebUsbIsochronousOutTransferPacket, values),
  ),
  USBIsochronousOutTransferResult: named(
    "USBIsochronousOutTransferResult",
    WebUsbIsochronousOutTransferResult,
    (...values: never[]) => Reflect.construct(WebUsbIsochronousOutTransferResult, values),
  ),
};

/**
 * Puts `navigator.usb` and the interfaces' names into `target` (mostly `globalThis`), as a page has them, for programs that
 * name them: `new USBConnectionEvent("connect", { device })`, `device instanceof USBDevice`. Answers how to take
 * all of it away again; what was there before comes back.
 */
export function installWebUsbGlobals(usb: WebUsb, target: object): () => void {
  const undo = Object.entries(globals).map(([name, value]) => define(target, name, value));
  const navigator: unknown = Reflect.get(target, "navigator");
  if (typeof navigator === "object" && navigator !== null) undo.push(define(navigator, "usb", usb));
  else undo.push(define(target, "navigator", { usb }));
  return () => {
    for (const step of undo.reverse()) step();
  };
}

function define(target: object, name: string, value: unknown): () => void {
  const before = Object.getOwnPropertyDescriptor(target, name);
  Object.defineProperty(target, name, { value, configurable: true, writable: true, enumerable: false });
  return () => {
    if (before === undefined) Reflect.deleteProperty(target, name);
    else Object.defineProperty(target, name, before);
  };
}
