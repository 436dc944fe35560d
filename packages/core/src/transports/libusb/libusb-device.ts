// What the transport needs of libusb: one device, in libusb's own words and numbers (libusb 1.0 API reference).

import type { UsbSpeed } from "../../codec/usb/usb-speed.ts";

/** enum libusb_error. What calls answer: 0, or one of these. */
export const LibusbError = {
  success: 0,
  io: -1,
  invalidParameter: -2,
  access: -3,
  noDevice: -4,
  notFound: -5,
  busy: -6,
  timeout: -7,
  overflow: -8,
  pipe: -9,
  interrupted: -10,
  noMemory: -11,
  notSupported: -12,
  other: -99,
} as const;

/** enum libusb_transfer_status. How a transfer that was submitted ended. */
export const LibusbTransferStatus = {
  completed: 0,
  error: 1,
  timedOut: 2,
  cancelled: 3,
  stall: 4,
  noDevice: 5,
  overflow: 6,
} as const;

/** The -1 of libusb_set_configuration: no configuration at all. */
export const noConfiguration = -1;

/** Who is told. Never from inside a call of the device. */
export interface LibusbClient {
  /** The transfer in `slot` is over: a LibusbTransferStatus. `actualBytes` counts the data, not the SETUP. */
  completed(slot: number, status: number, actualBytes: number): void;
  /** Hot-plug: it has left. Transfers still under way complete too, before or after. */
  left(): void;
}

/**
 * A device of libusb's list. Calls that answer a number answer a LibusbError; those with `done` pass one to it, once
 * and later. Everything but `open` needs the device to be open.
 */
export interface LibusbDevice {
  readonly busNumber: number;
  /** From the root hub down; empty where libusb does not know. */
  readonly portNumbers: readonly number[];
  readonly speed: UsbSpeed;
  readonly idVendor: number;
  readonly idProduct: number;
  open(client: LibusbClient): number;
  /** Only when no transfer is under way. */
  close(): void;
  /** Numbers of the interfaces of the configuration in force; empty when there is none. */
  interfaceNumbers(): readonly number[];
  isKernelDriverActive(interfaceNumber: number): boolean;
  detachKernelDriver(interfaceNumber: number): number;
  attachKernelDriver(interfaceNumber: number): number;
  claimInterface(interfaceNumber: number): number;
  releaseInterface(interfaceNumber: number, done: (error: number) => void): void;
  setConfiguration(value: number, done: (error: number) => void): void;
  setInterface(interfaceNumber: number, alternate: number, done: (error: number) => void): void;
  clearHalt(endpoint: number, done: (error: number) => void): void;
  reset(done: (error: number) => void): void;
  /**
   * Submits `bytes`, which belong to libusb until `completed`; without a time limit. On endpoint 0 they begin with the
   * 8 bytes of SETUP. `type` is a TransferType. `slot` is free to be chosen, and not under way.
   */
  submit(slot: number, endpoint: number, type: number, bytes: Uint8Array): number;
  /** Asks for the end of a transfer, which still completes. One that is not under way is ignored. */
  cancel(slot: number): void;
}
