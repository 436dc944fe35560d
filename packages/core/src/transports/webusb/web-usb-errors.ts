// What a rejected promise of WebUSB says about the bus, in browsers and in the npm package `usb`.

import { UsbStatus } from "../../ports/usb-host.ts";
import type { USBTransferStatus } from "../../ports/web-usb.ts";

/** Browsers reject with DOMExceptions; npm `usb` with Errors that carry libusb's name in the message. */
export function statusOfError(error: unknown, isStillThere: boolean): UsbStatus {
  const { name = "", message = "" } = (error ?? {}) as { name?: string; message?: string };
  if (/NO_DEVICE/.test(message) || (name === "NotFoundError" && !isStillThere)) return UsbStatus.gone;
  if (name === "AbortError" || /CANCELLED/.test(message)) return UsbStatus.cancelled;
  if (/STALL|PIPE/.test(message)) return UsbStatus.stall;
  if (/OVERFLOW/.test(message)) return UsbStatus.overflow;
  return UsbStatus.protocolError;
}

export function statusOfResult(status: USBTransferStatus | undefined): UsbStatus {
  if (status === "stall") return UsbStatus.stall;
  return status === "babble" ? UsbStatus.overflow : UsbStatus.ok;
}
