// The USB rig: a machine, its USB family and one berth. Serial, HID and storage rigs are made of one.

import { TraceHash } from "../base/hash.ts";
import { microsecond } from "../base/units.ts";
import { UsbFamily } from "../families/usb/usb-family.ts";
import { UsbipServer } from "../outlets/usbip/usbip-server.ts";
import type { PlatformProfile } from "../platform/platform-profile.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { IOService } from "../runtime/service.ts";
import { UsbipImporter } from "../transports/usbip/usbip-importer.ts";
import { memoryStreamPair } from "./memory-stream.ts";
import { UsbBerth, type UsbBerthOptions } from "./usb-berth.ts";

export interface UsbRigOptions extends UsbBerthOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly profile: PlatformProfile;
  /**
   * How devices on the bus reach the machine: directly, or exported by our USB/IP server and imported by our client over a
   * stream in memory that cuts bytes anywhere. Default `bus`.
   */
  readonly path?: "bus" | "usbip";
  readonly bootArgDk?: number;
}

/** What every rig with a machine and USB devices is made of. */
export interface UsbRigParts {
  readonly machine: Machine;
  readonly family: UsbFamily;
  readonly usb: UsbBerth;
}

/** One way of a connection in memory. */
const networkLatencyNs = 50 * microsecond;

/** The slipway for USB: devices plugged into `usb.bus` come up in `machine`. */
export class UsbRig implements UsbRigParts {
  readonly machine: Machine;
  readonly family: UsbFamily;
  readonly usb: UsbBerth;

  constructor(options: UsbRigOptions) {
    this.machine = new Machine(options);
    const { random, scheduler } = this.machine;
    const controller = this.machine.publish(
      { kernelClass: "AppleUSBXHCI" },
      (context) => new IOService(context),
    );
    controller.location = "00000000";
    this.family = new UsbFamily(this.machine, controller);
    const deliver = (port: UsbHostPort) => {
      const { requests } = this.family.attach(port);
      return () => requests.describeCaller();
    };
    const route = options.path === "usbip" ? this.#overUsbip() : undefined;
    this.usb = new UsbBerth(
      { scheduler, random, deliver, ...(route === undefined ? {} : { route }) },
      options,
    );
  }

  /** Every device of the bus goes out through a server and comes back in through a client, reset or not. */
  #overUsbip(): (port: UsbHostPort) => void {
    const clock = this.machine.scheduler;
    const random = this.machine.random.fork("usbip");
    const server = new UsbipServer({
      onExported: (busId) => {
        new UsbipImporter({
          clock,
          busId,
          locationId: server.exports.get(busId)?.lent.port.locationId ?? 0,
          connect: () => {
            const [near, far] = memoryStreamPair({ clock, random, latencyNs: networkLatencyNs });
            server.accept(far);
            return near;
          },
          onAttach: (port) => this.usb.attach(port),
        });
      },
    });
    return (port) => server.attach(port);
  }
}

/** One number for everything observable: the wire, the kernel's events, the log. Equal seeds give equal digests. */
export function digestOf(rig: Pick<UsbRigParts, "machine" | "usb">): string {
  const hash = new TraceHash();
  rig.usb.trace.hashInto(hash);
  rig.machine.ring.hashInto(hash);
  for (const row of rig.machine.log.show({ info: true, debug: true })) {
    hash.number(row.timeNs);
    hash.text(row.message);
  }
  return hash.digest();
}
