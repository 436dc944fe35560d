// From libusb's codes to the port's: how a transfer ended, why it was refused, what is said to people.

import { UsbStatus, UsbSubmit } from "../../ports/usb-host.ts";
import { LibusbError, LibusbTransferStatus } from "./libusb-device.ts";

/** libusb's own names, as its documentation and other programs' messages have them. */
const names: Readonly<Record<number, string>> = {
  [LibusbError.io]: "LIBUSB_ERROR_IO",
  [LibusbError.invalidParameter]: "LIBUSB_ERROR_INVALID_PARAM",
  [LibusbError.access]: "LIBUSB_ERROR_ACCESS",
  [LibusbError.noDevice]: "LIBUSB_ERROR_NO_DEVICE",
  [LibusbError.notFound]: "LIBUSB_ERROR_NOT_FOUND",
  [LibusbError.busy]: "LIBUSB_ERROR_BUSY",
  [LibusbError.timeout]: "LIBUSB_ERROR_TIMEOUT",
  [LibusbError.overflow]: "LIBUSB_ERROR_OVERFLOW",
  [LibusbError.pipe]: "LIBUSB_ERROR_PIPE",
  [LibusbError.interrupted]: "LIBUSB_ERROR_INTERRUPTED",
  [LibusbError.noMemory]: "LIBUSB_ERROR_NO_MEM",
  [LibusbError.notSupported]: "LIBUSB_ERROR_NOT_SUPPORTED",
  [LibusbError.other]: "LIBUSB_ERROR_OTHER",
};

export function libusbErrorName(error: number): string {
  return names[error] ?? `libusb error ${error}`;
}

/** How a transfer ended. There is no time limit, so a time-out is no answer of the device. */
export function statusOfTransfer(status: number): UsbStatus {
  switch (status) {
    case LibusbTransferStatus.completed:
      return UsbStatus.ok;
    case LibusbTransferStatus.cancelled:
      return UsbStatus.cancelled;
    case LibusbTransferStatus.stall:
      return UsbStatus.stall;
    case LibusbTransferStatus.noDevice:
      return UsbStatus.gone;
    case LibusbTransferStatus.overflow:
      return UsbStatus.overflow;
    default:
      return UsbStatus.protocolError;
  }
}

/** Why libusb_submit_transfer refused a data transfer. */
export function submitOfError(error: number): UsbSubmit {
  switch (error) {
    case LibusbError.success:
      return UsbSubmit.accepted;
    case LibusbError.noDevice:
      return UsbSubmit.gone;
    case LibusbError.notFound:
      return UsbSubmit.noEndpoint;
    case LibusbError.noMemory:
    case LibusbError.busy:
      return UsbSubmit.busy;
    default:
      return UsbSubmit.badRequest;
  }
}

/**
 * What a standard request came to that libusb does by a function of its own. Where the system asked the device and it
 * refused, libusb says one of several things: all of them are the device's STALL here.
 */
export function statusOfError(error: number): UsbStatus {
  switch (error) {
    case LibusbError.success:
      return UsbStatus.ok;
    case LibusbError.noDevice:
      return UsbStatus.gone;
    case LibusbError.pipe:
    case LibusbError.notFound:
    case LibusbError.other:
      return UsbStatus.stall;
    default:
      return UsbStatus.protocolError;
  }
}
