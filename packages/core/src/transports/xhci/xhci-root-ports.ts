// Root ports: who is there, reset, and the way of a device from its connector to its address (xHCI 1.2 §4.3, §4.19).

import { millisecond } from "../../base/units.ts";
import { UsbSpeed } from "../../codec/usb/usb-speed.ts";
import { usbSpeedOf } from "../../codec/xhci/contexts.ts";
import { XhciPortStatus as Bits } from "../../codec/xhci/registers.ts";
import { describeXhciCode, XhciCode } from "../../codec/xhci/trb.ts";
import { runSteps, type Step, type Steps } from "./steps.ts";
import { XhciMemoryError } from "./xhci-memory.ts";
import { type DeviceHost, XhciSlot } from "./xhci-slot.ts";

/** USB 2.0 §7.1.7.3. */
const debounceNs = 100 * millisecond;
/** From a reset to its end; a warm reset takes up to 200 ms (USB 3.2 §7.5.9). */
const resetPatience = 500;
/** USB 2.0 §9.2.6.2: recovery after a reset. */
const recoveryNs = 10 * millisecond;
const attempts = 3;

/** The controller, as its root ports use it. */
export interface RootPortHost extends DeviceHost {
  readPort(number: number): Step;
  writePort(number: number, value: number): void;
  sleep(delayNs: number): Step;
  enableSlot(): Steps<number>;
  place(device: XhciSlot): void;
  remove(device: XhciSlot): Steps;
  attach(device: XhciSlot): void;
  locationOf(rootPort: number): number;
}

interface RootPort {
  readonly number: number;
  readonly isSuper: boolean;
  device: XhciSlot | null;
  isAttached: boolean;
  /** Its register wants to be read. */
  isDirty: boolean;
  isLooking: boolean;
  /** Waits for its turn to be brought up, or has it. */
  isComing: boolean;
  /** Somebody was there when it was last looked at. */
  isConnected: boolean;
}

export class RootPorts {
  readonly #host: RootPortHost;
  readonly #ports: RootPort[];
  /** One device after the other is brought up. */
  readonly #coming: RootPort[] = [];
  #isBusy = false;

  /** `majors`: revision of USB by port, from 1 on. */
  constructor(host: RootPortHost, majors: Uint8Array) {
    this.#host = host;
    this.#ports = Array.from(majors.subarray(1), (major, index) => ({
      number: index + 1,
      isSuper: major >= 3,
      device: null,
      isAttached: false,
      isDirty: false,
      isLooking: false,
      isComing: false,
      isConnected: false,
    }));
  }

  /** Devices that were there before the controller ran make no event. */
  lookAtAll(): void {
    for (const port of this.#ports) this.changed(port.number);
  }

  /** The controller says that something of a port has changed. False: there is no such port. */
  changed(number: number): boolean {
    const port = this.#ports[number - 1];
    if (port === undefined) return false;
    port.isDirty = true;
    if (!port.isLooking) {
      port.isLooking = true;
      runSteps(this.#look(port));
    }
    return true;
  }

  /** Whether somebody is there, right now. */
  *look(number: number): Steps<boolean> {
    return ((yield this.#host.readPort(number)) & Bits.connected) !== 0;
  }

  /** A device's owner wants its port reset: it leaves, and comes back. */
  reset(number: number): void {
    const port = this.#ports[number - 1];
    if (port === undefined || port.device === null) return;
    this.#leave(port);
  }

  *#look(port: RootPort): Steps {
    while (port.isDirty) {
      port.isDirty = false;
      const status = yield this.#host.readPort(port.number);
      const changes = status & Bits.changes;
      if (changes !== 0) this.#host.writePort(port.number, (status & Bits.kept) | changes);
      port.isConnected = (status & Bits.connected) !== 0;
      // Out and in again between two looks is another device too.
      const isOther = (changes & Bits.connectChange) !== 0 && port.isAttached;
      if (port.device !== null && (!port.isConnected || isOther)) this.#leave(port);
      else if (port.isConnected) this.#come(port);
    }
    port.isLooking = false;
  }

  #leave(port: RootPort): void {
    const { device } = port;
    if (device === null) return;
    port.device = null;
    port.isAttached = false;
    runSteps(this.#remove(port, device));
  }

  *#remove(port: RootPort, device: XhciSlot): Steps {
    yield* this.#host.remove(device);
    if (port.isConnected) this.#come(port);
  }

  #come(port: RootPort): void {
    if (port.isComing || port.device !== null) return;
    port.isComing = true;
    this.#coming.push(port);
    if (!this.#isBusy) this.#next();
  }

  #next(): void {
    const port = this.#coming.shift();
    this.#isBusy = port !== undefined;
    if (port === undefined) return;
    runSteps(this.#bringUp(port), (error) => {
      port.isComing = false;
      if (error instanceof XhciMemoryError) this.#host.problem(`port ${port.number}: ${error.message}`);
      else if (error !== null) throw error;
      this.#next();
    });
  }

  *#bringUp(port: RootPort): Steps {
    if (!port.isSuper) yield this.#host.sleep(debounceNs);
    for (let attempt = 1; attempt <= attempts; attempt++) {
      const status = yield* this.#reset(port);
      if (!port.isConnected) return;
      const speed = usbSpeedOf((status >>> Bits.speedShift) & 0xf);
      if ((status & Bits.enabled) === 0 || speed === null) {
        if (attempt === attempts)
          this.#host.problem(
            `port ${port.number}: not enabled after ${attempts} resets (PORTSC 0x${(status >>> 0).toString(16)})`,
          );
        continue;
      }
      const slotId = yield* this.#host.enableSlot();
      if (slotId === 0) return;
      const place = { slotId, rootPort: port.number, speed, locationId: this.#host.locationOf(port.number) };
      const device = new XhciSlot(this.#host, place);
      this.#host.place(device);
      port.device = device;
      const code = yield* device.address();
      if (code === XhciCode.success) {
        if (speed === UsbSpeed.full) yield* device.learnPacketSize();
        // It may have left meanwhile.
        if (port.device !== device) return;
        port.isAttached = true;
        this.#host.attach(device);
        return;
      }
      if (port.device !== device) return;
      port.device = null;
      yield* this.#host.remove(device);
      if (attempt === attempts)
        this.#host.problem(`port ${port.number}: the device takes no address: ${describeXhciCode(code)}`);
    }
  }

  /** Answers PORTSC after it. */
  *#reset(port: RootPort): Steps<number> {
    const host = this.#host;
    const before = yield host.readPort(port.number);
    port.isConnected = (before & Bits.connected) !== 0;
    if (!port.isConnected) return before;
    host.writePort(port.number, (before & Bits.kept) | Bits.reset);
    let status = before;
    for (let tries = 0; tries < resetPatience; tries++) {
      status = yield host.readPort(port.number);
      port.isConnected = (status & Bits.connected) !== 0;
      if ((status & Bits.reset) === 0 || !port.isConnected) break;
      yield host.sleep(millisecond);
    }
    const changes = status & Bits.changes & ~Bits.connectChange;
    host.writePort(port.number, (status & Bits.kept) | changes);
    yield host.sleep(recoveryNs);
    return status;
  }
}
