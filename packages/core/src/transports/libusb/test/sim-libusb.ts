// libusb on a Linux kernel in small, over the simulated bus: what it refuses when, and what it does by itself.

import type { Clock } from "../../../base/clock.ts";
import { encodeSetup } from "../../../codec/usb/setup.ts";
import { UsbEndpointTable } from "../../../dissect/usb-endpoints.ts";
import { type UsbHostClient, type UsbHostPort, UsbStatus, UsbSubmit } from "../../../ports/usb-host.ts";
import {
  type LibusbClient,
  type LibusbDevice,
  LibusbError,
  LibusbTransferStatus,
  noConfiguration,
} from "../libusb-device.ts";

const statuses: Readonly<Record<UsbStatus, number>> = {
  [UsbStatus.ok]: LibusbTransferStatus.completed,
  [UsbStatus.stall]: LibusbTransferStatus.stall,
  [UsbStatus.cancelled]: LibusbTransferStatus.cancelled,
  [UsbStatus.gone]: LibusbTransferStatus.noDevice,
  [UsbStatus.overflow]: LibusbTransferStatus.overflow,
  [UsbStatus.protocolError]: LibusbTransferStatus.error,
};
/** Beyond the slots that a port may use. */
const systemSlots = 200;

/** Give `attach` each port of the bus. `driverOn` are interfaces that a driver of the system has at the beginning. */
export class SimLibusbDevice implements LibusbDevice, UsbHostClient {
  readonly busNumber = 3;
  readonly portNumbers = [2, 1];
  readonly idVendor = 0x1209;
  readonly idProduct = 2;
  /** What `open` answers. */
  openError: number = LibusbError.success;
  /** Interfaces that somebody else has claimed. */
  readonly taken = new Set<number>();
  /** Every call that changes something, for tests. */
  readonly calls: string[] = [];
  readonly #clock: Clock;
  readonly #drivers: Set<number>;
  readonly #claimed = new Set<number>();
  readonly #table = new UsbEndpointTable();
  /** Slots of this side by those of the port below. */
  readonly #slotOf = new Map<number, number>();
  readonly #done = new Map<number, (status: UsbStatus, bytes: number) => void>();
  #port: UsbHostPort | null = null;
  #client: LibusbClient | null = null;
  #isResetting: ((error: number) => void) | null = null;

  constructor(clock: Clock, driverOn: readonly number[] = []) {
    this.#clock = clock;
    this.#drivers = new Set(driverOn);
  }

  get speed() {
    return this.#port?.speed ?? 1;
  }

  get isOpen(): boolean {
    return this.#client !== null;
  }

  attach(port: UsbHostPort): void {
    this.#port = port;
    port.connect(this);
    const room = new Uint8Array(255);
    // The system reads the configuration and chooses it, as Linux does with every new device.
    this.#request([0x80, 6, 0x0200, 0, 255], room, (_, bytes) => {
      this.#table.learn(room.subarray(0, bytes));
      this.#request([0, 9, 1, 0, 0], none, (status) => {
        if (status === UsbStatus.ok) this.#note([0, 9, 1, 0, 0]);
        const done = this.#isResetting;
        this.#isResetting = null;
        done?.(LibusbError.success);
      });
    });
  }

  open(client: LibusbClient): number {
    if (this.openError !== LibusbError.success) return this.openError;
    this.#client = client;
    return LibusbError.success;
  }

  close(): void {
    if (this.#slotOf.size > 0) throw new Error("a transfer is under way");
    this.calls.push("close");
    this.#client = null;
  }

  interfaceNumbers(): readonly number[] {
    return (this.#table.configuration?.interfaces ?? []).map(({ number }) => number);
  }

  isKernelDriverActive(interfaceNumber: number): boolean {
    return this.#drivers.has(interfaceNumber);
  }

  detachKernelDriver(interfaceNumber: number): number {
    this.calls.push(`detach ${interfaceNumber}`);
    return this.#drivers.delete(interfaceNumber) ? LibusbError.success : LibusbError.notFound;
  }

  attachKernelDriver(interfaceNumber: number): number {
    this.calls.push(`attach ${interfaceNumber}`);
    if (this.#claimed.has(interfaceNumber)) return LibusbError.busy;
    this.#drivers.add(interfaceNumber);
    return LibusbError.success;
  }

  claimInterface(interfaceNumber: number): number {
    this.calls.push(`claim ${interfaceNumber}`);
    if (this.#port === null) return LibusbError.noDevice;
    if (!this.interfaceNumbers().includes(interfaceNumber)) return LibusbError.notFound;
    if (this.#drivers.has(interfaceNumber) || this.taken.has(interfaceNumber)) return LibusbError.busy;
    this.#claimed.add(interfaceNumber);
    return LibusbError.success;
  }

  releaseInterface(interfaceNumber: number, done: (error: number) => void): void {
    this.calls.push(`release ${interfaceNumber}`);
    this.#answer(done, this.#claimed.delete(interfaceNumber) ? LibusbError.success : LibusbError.notFound);
  }

  setConfiguration(value: number, done: (error: number) => void): void {
    this.calls.push(`configuration ${value}`);
    if (this.#claimed.size > 0 || this.#drivers.size > 0) this.#answer(done, LibusbError.busy);
    else this.#change([0, 9, value === noConfiguration ? 0 : value, 0, 0], done);
  }

  setInterface(interfaceNumber: number, alternate: number, done: (error: number) => void): void {
    this.calls.push(`interface ${interfaceNumber} ${alternate}`);
    if (!this.#claimed.has(interfaceNumber)) this.#answer(done, LibusbError.notFound);
    else this.#change([1, 11, alternate, interfaceNumber, 0], done);
  }

  clearHalt(endpoint: number, done: (error: number) => void): void {
    this.#port?.clearHalt(endpoint);
    this.#change([2, 1, 0, endpoint, 0], done);
  }

  reset(done: (error: number) => void): void {
    this.calls.push("reset");
    if (this.#port === null) {
      this.#answer(done, LibusbError.noDevice);
      return;
    }
    this.#isResetting = done;
    this.#port.reset();
  }

  submit(slot: number, endpoint: number, _type: number, bytes: Uint8Array): number {
    if (this.#port === null || this.#isResetting !== null) return LibusbError.noDevice;
    const lower = this.#freeSlot();
    if (lower < 0) return LibusbError.noMemory;
    let submitted: UsbSubmit;
    if (endpoint === 0) submitted = this.#port.control(lower, bytes.subarray(0, 8), bytes, 8);
    else {
      if (!this.#claimed.has(this.#table.interfaceOf(endpoint))) return LibusbError.notFound;
      submitted = this.#port.transfer(lower, endpoint, bytes, 0, bytes.length);
    }
    if (submitted === UsbSubmit.gone) return LibusbError.noDevice;
    if (submitted === UsbSubmit.noEndpoint) return LibusbError.notFound;
    if (submitted !== UsbSubmit.accepted) return LibusbError.io;
    this.#slotOf.set(lower, slot);
    return LibusbError.success;
  }

  cancel(slot: number): void {
    for (const [lower, upper] of this.#slotOf) if (upper === slot) this.#port?.cancel(lower);
  }

  completed(lower: number, status: UsbStatus, actualBytes: number): void {
    const done = this.#done.get(lower);
    if (done !== undefined) {
      this.#done.delete(lower);
      done(status, actualBytes);
      return;
    }
    const slot = this.#slotOf.get(lower);
    this.#slotOf.delete(lower);
    if (slot !== undefined) this.#client?.completed(slot, statuses[status], actualBytes);
  }

  detached(): void {
    if (this.#isResetting !== null) return;
    this.#port = null;
    this.#client?.left();
  }

  #freeSlot(): number {
    for (let lower = 0; lower < systemSlots; lower++) if (!this.#slotOf.has(lower)) return lower;
    return -1;
  }

  #request(
    setup: number[],
    buffer: Uint8Array,
    done: (status: UsbStatus, bytes: number) => void,
  ): UsbSubmit | null {
    let lower = systemSlots;
    while (this.#done.has(lower)) lower++;
    this.#done.set(lower, done);
    const submitted = this.#port?.control(lower, encodeSetup(setupOf(setup)), buffer, 0) ?? null;
    if (submitted !== UsbSubmit.accepted) this.#done.delete(lower);
    return submitted;
  }

  #change(setup: number[], done: (error: number) => void): void {
    const submitted = this.#request(setup, none, (status) => {
      if (status === UsbStatus.ok) this.#note(setup);
      done(
        status === UsbStatus.ok
          ? LibusbError.success
          : status === UsbStatus.stall
            ? LibusbError.pipe
            : LibusbError.noDevice,
      );
    });
    if (submitted !== UsbSubmit.accepted) this.#answer(done, LibusbError.noDevice);
  }

  #note(setup: number[]): void {
    this.#table.note(setupOf(setup), none);
  }

  #answer(done: (error: number) => void, error: number): void {
    this.#clock.after(0, done, error);
  }
}

const none = new Uint8Array(0);

function setupOf([bmRequestType, bRequest, wValue, wIndex, wLength]: number[]) {
  return { bmRequestType, bRequest, wValue, wIndex, wLength };
}
