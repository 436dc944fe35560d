// The interfaces of the WebUSB API (WICG draft report) as types: what a script sees of USB in a browser or in Node.

/**
 * Names, members and optionality are those of "WebUSB API", Draft Community Group Report; each interface says its
 * section. The types are structural and need no DOM library, so that a browser's `navigator.usb`, the `webusb` of the
 * npm package `usb`, and the face in `outlets/webusb` all fit them.
 */

/** §The USBDevice Interface. */
export type USBTransferStatus = "ok" | "stall" | "babble";
/** §The USBControlTransferParameters Dictionary. */
export type USBRequestType = "standard" | "class" | "vendor";
export type USBRecipient = "device" | "interface" | "endpoint" | "other";
/** §The USBEndpoint Interface. */
export type USBDirection = "in" | "out";
export type USBEndpointType = "bulk" | "interrupt" | "isochronous";

/** Web IDL's BufferSource. */
export type USBBufferSource = ArrayBuffer | ArrayBufferView;

/** §Device Enumeration. Every member that is present must match. */
export interface USBDeviceFilter {
  vendorId?: number;
  /** Only together with vendorId. */
  productId?: number;
  classCode?: number;
  /** Only together with classCode. */
  subclassCode?: number;
  /** Only together with subclassCode. */
  protocolCode?: number;
  serialNumber?: string;
}

/** §Device Enumeration. */
export interface USBDeviceRequestOptions {
  filters: readonly USBDeviceFilter[];
  exclusionFilters?: readonly USBDeviceFilter[];
}

/** §The USBControlTransferParameters Dictionary. Direction and wLength come from the method. */
export interface USBControlTransferParameters {
  requestType: USBRequestType;
  recipient: USBRecipient;
  /** bRequest. */
  request: number;
  /** wValue. */
  value: number;
  /** wIndex. For `interface` the low 8 bits are its number, for `endpoint` it is the address. */
  index: number;
}

/** `data` is null (or absent, in some implementations) when none came. */
export interface USBInTransferResult {
  readonly data?: DataView | null | undefined;
  readonly status?: USBTransferStatus | undefined;
}

export interface USBOutTransferResult {
  readonly bytesWritten: number;
  readonly status?: USBTransferStatus | undefined;
}

export interface USBIsochronousInTransferPacket {
  readonly data?: DataView | null | undefined;
  readonly status?: USBTransferStatus | undefined;
}

export interface USBIsochronousInTransferResult {
  readonly data?: DataView | null | undefined;
  readonly packets: readonly USBIsochronousInTransferPacket[];
}

export interface USBIsochronousOutTransferPacket {
  readonly bytesWritten: number;
  readonly status?: USBTransferStatus | undefined;
}

export interface USBIsochronousOutTransferResult {
  readonly packets: readonly USBIsochronousOutTransferPacket[];
}

/** §The USBEndpoint Interface. */
export interface USBEndpoint {
  /** 1 to 15, without the direction bit. */
  readonly endpointNumber: number;
  readonly direction: USBDirection;
  readonly type: USBEndpointType;
  /** Bytes. */
  readonly packetSize: number;
}

/** §The USBAlternateInterface Interface. */
export interface USBAlternateInterface {
  readonly alternateSetting: number;
  readonly interfaceClass: number;
  readonly interfaceSubclass: number;
  readonly interfaceProtocol: number;
  readonly interfaceName?: string | null | undefined;
  readonly endpoints: readonly USBEndpoint[];
}

/** §The USBInterface Interface. */
export interface USBInterface {
  readonly interfaceNumber: number;
  /** The setting in force. */
  readonly alternate: USBAlternateInterface;
  readonly alternates: readonly USBAlternateInterface[];
  readonly claimed: boolean;
}

/** §The USBConfiguration Interface. */
export interface USBConfiguration {
  readonly configurationValue: number;
  readonly configurationName?: string | null | undefined;
  readonly interfaces: readonly USBInterface[];
}

/**
 * §The USBDevice Interface. Every method rejects with NotFoundError once the device has left, and, but for `open`,
 * `close` and `forget`, with InvalidStateError while it is not open; §Methods has the order of the checks.
 */
export interface USBDevice {
  readonly usbVersionMajor: number;
  readonly usbVersionMinor: number;
  readonly usbVersionSubminor: number;
  readonly deviceClass: number;
  readonly deviceSubclass: number;
  readonly deviceProtocol: number;
  readonly vendorId: number;
  readonly productId: number;
  readonly deviceVersionMajor: number;
  readonly deviceVersionMinor: number;
  readonly deviceVersionSubminor: number;
  readonly manufacturerName?: string | null | undefined;
  readonly productName?: string | null | undefined;
  readonly serialNumber?: string | null | undefined;
  /** Null when the device is unconfigured. */
  readonly configuration?: USBConfiguration | null | undefined;
  readonly configurations: readonly USBConfiguration[];
  readonly opened: boolean;
  open(): Promise<void>;
  close(): Promise<void>;
  forget(): Promise<void>;
  selectConfiguration(configurationValue: number): Promise<void>;
  claimInterface(interfaceNumber: number): Promise<void>;
  releaseInterface(interfaceNumber: number): Promise<void>;
  selectAlternateInterface(interfaceNumber: number, alternateSetting: number): Promise<void>;
  controlTransferIn(setup: USBControlTransferParameters, length: number): Promise<USBInTransferResult>;
  controlTransferOut(
    setup: USBControlTransferParameters,
    data?: USBBufferSource,
  ): Promise<USBOutTransferResult>;
  clearHalt(direction: USBDirection, endpointNumber: number): Promise<void>;
  transferIn(endpointNumber: number, length: number): Promise<USBInTransferResult>;
  transferOut(endpointNumber: number, data: USBBufferSource): Promise<USBOutTransferResult>;
  isochronousTransferIn(
    endpointNumber: number,
    packetLengths: number[],
  ): Promise<USBIsochronousInTransferResult>;
  isochronousTransferOut(
    endpointNumber: number,
    data: USBBufferSource,
    packetLengths: number[],
  ): Promise<USBIsochronousOutTransferResult>;
  reset(): Promise<void>;
}

/** §Events. */
export interface USBConnectionEvent {
  readonly type: string;
  readonly device: USBDevice;
}

export type USBConnectionEventType = "connect" | "disconnect";
export type USBConnectionListener =
  | ((event: USBConnectionEvent) => void)
  | { handleEvent(event: USBConnectionEvent): void };

/** Who tells of devices that come and go: the event half of `USB`. */
export interface USBConnectionEvents {
  addEventListener(
    type: USBConnectionEventType,
    listener: USBConnectionListener | null,
    options?: boolean | { once?: boolean },
  ): void;
  removeEventListener(type: USBConnectionEventType, listener: USBConnectionListener | null): void;
}

/** §Device Enumeration. */
export interface USB extends USBConnectionEvents {
  onconnect: ((event: USBConnectionEvent) => void) | null;
  ondisconnect: ((event: USBConnectionEvent) => void) | null;
  /** Devices that this script may use already. */
  getDevices(): Promise<USBDevice[]>;
  /** Asks the user for one; NotFoundError when none was chosen. */
  requestDevice(options: USBDeviceRequestOptions): Promise<USBDevice>;
}

/** §Permission API: what is remembered of a device that the user has granted. */
export interface AllowedUSBDevice {
  readonly vendorId: number;
  readonly productId: number;
  readonly serialNumber?: string | undefined;
}

/** §The USB Blocklist. Devices of this release and older are hidden; 0xffff means all. */
export interface USBBlocklistEntry {
  readonly idVendor: number;
  readonly idProduct: number;
  readonly bcdDevice: number;
}
