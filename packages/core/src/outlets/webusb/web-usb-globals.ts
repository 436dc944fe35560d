// The names that a page finds beside `navigator.usb`: USBDevice, USBConnectionEvent and the others, over our classes.

import type {
  USBConnectionEventType,
  USBDevice,
  USBDirection,
  USBTransferStatus,
} from "../../ports/web-usb.ts";
import { illegal, installFace, named } from "../page-face.ts";
import {
  WebUsbInTransferResult,
  WebUsbIsochronousInTransferPacket,
  WebUsbIsochronousInTransferResult,
  WebUsbIsochronousOutTransferPacket,
  WebUsbIsochronousOutTransferResult,
  WebUsbOutTransferResult,
} from "./transfer-results.ts";
import { UsbFace, WebUsb, WebUsbConnectionEvent } from "./web-usb.ts";
import { WebUsbDevice } from "./web-usb-device.ts";
import {
  alternateOf,
  interfaceOf,
  WebUsbAlternateInterface,
  WebUsbConfiguration,
  WebUsbEndpoint,
  WebUsbInterface,
} from "./web-usb-tree.ts";

function among<T>(found: T | null | undefined, what: string): T {
  if (found === null || found === undefined) throw new RangeError(`there is no ${what}`);
  return found;
}

/** §The USBConfiguration Interface and its siblings: constructors that look an object up. RangeError when it is not there. */
const globals = {
  USB: named("USB", UsbFace, illegal("USB")),
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
    among(interfaceOf(configuration, number), `interface ${number}`),
  ),
  USBAlternateInterface: named(
    "USBAlternateInterface",
    WebUsbAlternateInterface,
    (owner: WebUsbInterface, setting: number) =>
      among(alternateOf(owner, setting), `alternate setting ${setting}`),
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

// `navigator.usb.constructor` is what the page knows as USB.
Object.defineProperty(WebUsb.prototype, "constructor", {
  value: globals.USB,
  configurable: true,
  writable: true,
});

/**
 * Puts `navigator.usb` and the interfaces' names into `target` (mostly `globalThis`), as a page has them, for programs that
 * name them: `new USBConnectionEvent("connect", { device })`, `device instanceof USBDevice`. Answers how to take
 * all of it away again; what was there before comes back.
 */
export function installWebUsbGlobals(usb: WebUsb, target: object): () => void {
  return installFace(target, globals, "usb", usb);
}
