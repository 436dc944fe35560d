// Errors of the npm package `usb`: libusb's codes with their names as messages.

import { UsbStatus } from "@drydock/core/ports/usb-host";

/** libusb's transfer statuses (positive) and errors (negative), by the names that the package exports. */
export const libusbCodes = {
  LIBUSB_TRANSFER_ERROR: 1,
  LIBUSB_TRANSFER_TIMED_OUT: 2,
  LIBUSB_TRANSFER_CANCELLED: 3,
  LIBUSB_TRANSFER_STALL: 4,
  LIBUSB_TRANSFER_NO_DEVICE: 5,
  LIBUSB_TRANSFER_OVERFLOW: 6,
  LIBUSB_ERROR_INVALID_PARAM: -2,
  LIBUSB_ERROR_NO_DEVICE: -4,
  LIBUSB_ERROR_NOT_FOUND: -5,
  LIBUSB_ERROR_BUSY: -6,
} as const;

export class LibUSBException extends Error {
  readonly errno: number;

  constructor(name: keyof typeof libusbCodes) {
    super(name);
    this.errno = libusbCodes[name];
  }
}

const names: Readonly<Record<number, keyof typeof libusbCodes>> = {
  [UsbStatus.stall]: "LIBUSB_TRANSFER_STALL",
  [UsbStatus.cancelled]: "LIBUSB_TRANSFER_CANCELLED",
  [UsbStatus.gone]: "LIBUSB_TRANSFER_NO_DEVICE",
  [UsbStatus.overflow]: "LIBUSB_TRANSFER_OVERFLOW",
  [UsbStatus.protocolError]: "LIBUSB_TRANSFER_ERROR",
};

/** Undefined for a transfer that went well, as the package's callbacks have it. */
export function errorOf(status: UsbStatus, hasTimedOut: boolean): LibUSBException | undefined {
  if (status === UsbStatus.ok) return undefined;
  if (hasTimedOut && status === UsbStatus.cancelled) return new LibUSBException("LIBUSB_TRANSFER_TIMED_OUT");
  return new LibUSBException(names[status]);
}
