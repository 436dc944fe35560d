// USB devices of this machine through libusb: the npm package usb, loaded when somebody asks for it.

import { accessSync, constants, existsSync, readFileSync } from "node:fs";
import { guessUsbSpeed, type UsbSpeed as Speed, UsbSpeed } from "@drydock/core/codec/usb/usb-speed";
import {
  type LibusbClient,
  type LibusbDevice,
  LibusbError,
  LibusbTransferStatus,
} from "@drydock/core/transports/libusb/libusb-device";
import { type StepTaker, stepsOf } from "../host/ordered-steps.ts";

interface PackageEndpoint {
  readonly bmAttributes: number;
  readonly wMaxPacketSize: number;
}

interface PackageConfiguration {
  /** By interface, then by alternate setting. */
  readonly interfaces: readonly (readonly {
    readonly bInterfaceNumber: number;
    readonly endpoints: readonly PackageEndpoint[];
  }[])[];
}

type Done = (error?: Error) => void;

/** What is used of the package's Device. Its Interface objects take an index for a number, so its own calls are used. */
export interface PackageDevice {
  readonly busNumber: number;
  readonly deviceAddress: number;
  readonly portNumbers?: readonly number[];
  readonly deviceDescriptor: {
    readonly idVendor: number;
    readonly idProduct: number;
    readonly bDeviceClass: number;
  };
  readonly configDescriptor?: PackageConfiguration | undefined;
  readonly allConfigDescriptors: readonly PackageConfiguration[];
  open(defaultConfig: boolean): void;
  close(): void;
  reset(done: Done): void;
  __setConfiguration(value: number, done: Done): void;
  __setInterface(interfaceNumber: number, alternate: number, done: Done): void;
  __clearHalt(endpoint: number, done: Done): void;
  __claimInterface(interfaceNumber: number): void;
  __releaseInterface(interfaceNumber: number, done: Done): void;
  __isKernelDriverActive(interfaceNumber: number): boolean;
  __detachKernelDriver(interfaceNumber: number): void;
  __attachKernelDriver(interfaceNumber: number): void;
}

export interface PackageTransfer {
  submit(buffer: Buffer): unknown;
  cancel(): boolean;
}

/** What is used of the package. */
export interface UsbPackage {
  readonly INIT_ERROR: number;
  readonly Transfer: new (
    device: never,
    endpoint: number,
    type: number,
    timeoutMs: number,
    callback: (error: Error | undefined, buffer: Buffer, actualBytes: number) => void,
  ) => PackageTransfer;
  getDeviceList(): PackageDevice[];
  on(event: "attach" | "detach", listener: (device: PackageDevice) => void): void;
  off(event: "attach" | "detach", listener: (device: PackageDevice) => void): void;
}

const hubClass = 9;
const bulk = 2;
/** Of Linux: where devices and their facts are. */
const nodes = "/dev/bus/usb";
const facts = "/sys/bus/usb/devices";
const speeds: Readonly<Record<string, Speed>> = {
  "1.5": UsbSpeed.low,
  "12": UsbSpeed.full,
  "480": UsbSpeed.high,
  "5000": UsbSpeed.super,
  "10000": UsbSpeed.superPlus,
  "20000": UsbSpeed.superPlusBy2,
};

/** libusb on this machine. */
export class Libusb {
  readonly #package: UsbPackage;

  constructor(usb: UsbPackage) {
    this.#package = usb;
  }

  /** Rejects with a sentence that says what is missing. */
  static async load(): Promise<Libusb> {
    let usb: UsbPackage;
    try {
      usb = (await import("usb")).usb;
    } catch (error) {
      const words = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw new Error(
        `the npm package usb cannot be loaded; npm install usb, and libudev on Linux (${words})`,
      );
    }
    if (usb.INIT_ERROR !== 0) throw new Error(`libusb does not start on this machine (${usb.INIT_ERROR})`);
    return new Libusb(usb);
  }

  /** All but hubs. With `steps`, everything their clients hear comes as a step of that scheduler. */
  devices(steps: StepTaker | null = null): PackagedDevice[] {
    return this.#package
      .getDeviceList()
      .filter(({ deviceDescriptor }) => deviceDescriptor.bDeviceClass !== hubClass)
      .map((device) => new PackagedDevice(this.#package, device, steps));
  }

  /** Why there are no devices, when there are none. */
  get whyNone(): string {
    if (process.platform === "linux" && !existsSync(nodes)) return `this machine has no USB bus (${nodes})`;
    return "no USB device is attached";
  }
}

/** A LibusbDevice over a Device of the package. Transfer objects are kept by slot, as drivers use few. */
export class PackagedDevice implements LibusbDevice {
  readonly #package: UsbPackage;
  readonly #device: PackageDevice;
  readonly #transfers: (KeptTransfer | undefined)[] = [];
  readonly #tell: (call: () => void) => void;
  #client: LibusbClient | null = null;

  constructor(usb: UsbPackage, device: PackageDevice, steps: StepTaker | null) {
    this.#package = usb;
    this.#device = device;
    this.#tell = stepsOf(steps);
  }

  get busNumber(): number {
    return this.#device.busNumber;
  }

  get portNumbers(): readonly number[] {
    return this.#device.portNumbers ?? [];
  }

  get idVendor(): number {
    return this.#device.deviceDescriptor.idVendor;
  }

  get idProduct(): number {
    return this.#device.deviceDescriptor.idProduct;
  }

  /** As Linux tells it; elsewhere what the packet sizes allow. */
  get speed(): Speed {
    try {
      const place = `${this.busNumber}-${this.portNumbers.join(".")}`;
      const told = speeds[readFileSync(`${facts}/${place}/speed`, "latin1").trim()];
      if (told !== undefined) return told;
    } catch {
      // Not Linux, or it has just left.
    }
    const endpoints = this.#device.allConfigDescriptors.flatMap(({ interfaces }) =>
      interfaces.flatMap((settings) => settings.flatMap((setting) => setting.endpoints)),
    );
    return guessUsbSpeed(
      endpoints.map(({ bmAttributes, wMaxPacketSize }) => ({
        isBulk: (bmAttributes & 3) === bulk,
        packetSize: wMaxPacketSize & 0x7ff,
      })),
    );
  }

  /** Why this user may not open it; null when that is allowed or not known beforehand. */
  get forbidden(): string | null {
    const [bus, address] = [this.busNumber, this.#device.deviceAddress].map((n) =>
      String(n).padStart(3, "0"),
    );
    const node = `${nodes}/${bus}/${address}`;
    if (process.platform !== "linux" || !existsSync(node)) return null;
    try {
      accessSync(node, constants.R_OK | constants.W_OK);
      return null;
    } catch {
      return `${node} may not be written by this user: a udev rule with MODE="0660", TAG+="uaccess" allows it`;
    }
  }

  open(client: LibusbClient): number {
    const error = codeOf(() => this.#device.open(false));
    if (error !== LibusbError.success) return error;
    this.#client = client;
    this.#package.on("detach", this.#detached);
    return error;
  }

  close(): void {
    this.#client = null;
    this.#package.off("detach", this.#detached);
    this.#transfers.length = 0;
    codeOf(() => this.#device.close());
  }

  interfaceNumbers(): readonly number[] {
    return (this.#device.configDescriptor?.interfaces ?? []).flatMap(([first]) =>
      first === undefined ? [] : [first.bInterfaceNumber],
    );
  }

  isKernelDriverActive(interfaceNumber: number): boolean {
    let isActive = false;
    codeOf(() => {
      isActive = this.#device.__isKernelDriverActive(interfaceNumber);
    });
    return isActive;
  }

  detachKernelDriver(interfaceNumber: number): number {
    return codeOf(() => this.#device.__detachKernelDriver(interfaceNumber));
  }

  attachKernelDriver(interfaceNumber: number): number {
    return codeOf(() => this.#device.__attachKernelDriver(interfaceNumber));
  }

  claimInterface(interfaceNumber: number): number {
    return codeOf(() => this.#device.__claimInterface(interfaceNumber));
  }

  releaseInterface(interfaceNumber: number, done: (error: number) => void): void {
    this.#ask(done, (answer) => this.#device.__releaseInterface(interfaceNumber, answer));
  }

  setConfiguration(value: number, done: (error: number) => void): void {
    this.#ask(done, (answer) => this.#device.__setConfiguration(value, answer));
  }

  setInterface(interfaceNumber: number, alternate: number, done: (error: number) => void): void {
    this.#ask(done, (answer) => this.#device.__setInterface(interfaceNumber, alternate, answer));
  }

  clearHalt(endpoint: number, done: (error: number) => void): void {
    this.#ask(done, (answer) => this.#device.__clearHalt(endpoint, answer));
  }

  reset(done: (error: number) => void): void {
    this.#ask(done, (answer) => this.#device.reset(answer));
  }

  submit(slot: number, endpoint: number, type: number, bytes: Uint8Array): number {
    let kept = this.#transfers[slot];
    if (kept?.endpoint !== endpoint) {
      const transfer = new this.#package.Transfer(
        this.#device as never,
        endpoint,
        type,
        0,
        (error, _, actual) => {
          const status = error === undefined ? LibusbTransferStatus.completed : errnoOf(error);
          this.#tell(() => this.#client?.completed(slot, status, actual));
        },
      );
      kept = { transfer, endpoint };
      this.#transfers[slot] = kept;
    }
    const { transfer } = kept;
    const error = codeOf(() =>
      transfer.submit(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)),
    );
    // The package takes a refused transfer for one under way for ever.
    if (error !== LibusbError.success) this.#transfers[slot] = undefined;
    return error;
  }

  cancel(slot: number): void {
    codeOf(() => this.#transfers[slot]?.transfer.cancel());
  }

  /** Starts something that calls back; what it throws instead comes later, too. */
  #ask(done: (error: number) => void, start: (answer: Done) => void): void {
    const answer: Done = (problem) =>
      this.#tell(() => done(problem === undefined ? LibusbError.success : errnoOf(problem)));
    const error = codeOf(() => start(answer));
    if (error !== LibusbError.success) setImmediate(this.#tell, () => done(error));
  }

  readonly #detached = (device: PackageDevice): void => {
    if (device === this.#device) this.#tell(() => this.#client?.left());
  };
}

interface KeptTransfer {
  readonly transfer: PackageTransfer;
  readonly endpoint: number;
}

/** The package's errors carry libusb's number. */
function errnoOf(error: unknown): number {
  const { errno } = (error ?? {}) as { errno?: unknown };
  return typeof errno === "number" ? errno : LibusbError.other;
}

/** Runs it: 0, or libusb's number of what it threw. */
function codeOf(run: () => void): number {
  try {
    run();
    return LibusbError.success;
  } catch (error) {
    return errnoOf(error);
  }
}
