// The API of the npm package `usb` over attached ports: device list, transfers with callbacks, polling, hotplug.

import { EventEmitter } from "node:events";
import type { Clock } from "@drydock/core/base/clock";
import { millisecond } from "@drydock/core/base/units";
import { type EnumeratedDevice, enumerate } from "@drydock/core/outlets/webusb/enumerate";
import { PortRequests } from "@drydock/core/outlets/webusb/port-requests";
import type { UsbHostPort } from "@drydock/core/ports/usb-host";
import { NpmUsbDevice } from "./npm-usb-device.ts";

export interface NpmUsbOptions {
  readonly clock: Clock;
  /** A program was called back: its continuations should run before virtual time moves. */
  readonly onCalled?: () => void;
  /** Told of devices that could not be read, and of faults in descriptors. */
  readonly onProblem?: (reason: string) => void;
}

/** Time for the system to read and configure what was plugged in, before `attach` is emitted. */
const settleNs = millisecond;

/**
 * What `import { usb } from "usb"` gives: `getDeviceList`, `findByIds`, the events `attach` and `detach`. Give it each port
 * with `attachPort`, as a rig's berth delivers them (`npmUsbRig`). Its sibling `webusb` is `WebUsbRig.usb`.
 */
export class NpmUsb extends EventEmitter {
  readonly #options: NpmUsbOptions;
  readonly #devices: NpmUsbDevice[] = [];
  #nextAddress = 1;

  constructor(options: NpmUsbOptions) {
    super();
    this.#options = options;
  }

  getDeviceList(): NpmUsbDevice[] {
    return [...this.#devices];
  }

  findByIds(vendorId: number, productId: number): NpmUsbDevice | undefined {
    return this.#devices.find(({ deviceDescriptor }) => {
      return deviceDescriptor.idVendor === vendorId && deviceDescriptor.idProduct === productId;
    });
  }

  async findBySerialNumber(serialNumber: string): Promise<NpmUsbDevice | undefined> {
    return this.#devices.find((device) => device.serialNumber === serialNumber);
  }

  /** There is nothing to say more about, and no event loop of ours that they would keep alive. */
  setDebugLevel(_level: number): void {}
  refHotplugEvents(): void {}
  unrefHotplugEvents(): void {}

  /** A device was plugged in, or came back from a reset at its place. Nobody else may have connected to `port`. */
  attachPort(port: UsbHostPort): void {
    let device: NpmUsbDevice | null = null;
    const requests = new PortRequests(port, () => {
      if (device !== null) this.#left(device, requests);
    });
    enumerate(requests, (found, problem) => {
      for (const { message } of found?.problems ?? []) this.#options.onProblem?.(message);
      if (found === null) {
        this.#options.onProblem?.(`a device could not be read: ${problem?.message}`);
        return;
      }
      device = this.#found(found, requests);
    });
  }

  #found(found: EnumeratedDevice, requests: PortRequests): NpmUsbDevice {
    const { clock, onCalled } = this.#options;
    const back = this.#devices.find((device) => device.takesBack(requests, found));
    if (back !== undefined) return back;
    const device = new NpmUsbDevice(found, requests, {
      clock,
      called: () => onCalled?.(),
      deviceAddress: this.#nextAddress++,
    });
    device.configureAsSystem();
    clock.after(
      settleNs,
      () => {
        if (device.isGone) return;
        this.#devices.push(device);
        this.emit("attach", device);
        onCalled?.();
      },
      undefined,
    );
    return device;
  }

  #left(device: NpmUsbDevice, requests: PortRequests): void {
    if (!device.leaves(requests)) return;
    const at = this.#devices.indexOf(device);
    if (at < 0) return;
    this.#devices.splice(at, 1);
    this.emit("detach", device);
    this.#options.onCalled?.();
  }
}
