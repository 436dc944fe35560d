// Device models on a bus that nobody here drives: USB/IP and usbredir offer them to foreign drivers.

import { Random } from "../base/random.ts";
import { describeHidRequest } from "../codec/hid/hid.ts";
import { UsbipServer, type UsbipServerOptions } from "../outlets/usbip/usbip-server.ts";
import { UsbredirOutlet, type UsbredirOutletOptions } from "../outlets/usbredir/usbredir-outlet.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { type HostTurn, Scheduler } from "../runtime/scheduler.ts";
import { Timeline, type TimelineOptions } from "../trace/timeline.ts";
import { networkRequestNames } from "./network-rig.ts";
import { serialRequestNames } from "./serial-rig.ts";
import { UsbBerth, type UsbBerthOptions } from "./usb-berth.ts";

export interface UsbExportRigOptions extends UsbipServerOptions, UsbBerthOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** How much of the trace is kept. */
  readonly timeline?: TimelineOptions;
}

/**
 * Plug devices into `usb.bus`; give `server` connections. What is in a connector that has a usbredir outlet belongs to that
 * outlet. The trace shows what the foreign host does.
 */
export class UsbExportRig {
  readonly scheduler: Scheduler;
  /** Chance for devices of this rig: fork it by name. */
  readonly random: Random;
  readonly usb: UsbBerth;
  readonly server: UsbipServer;
  readonly #outlets = new Map<number, UsbredirOutlet>();

  constructor(options: UsbExportRigOptions) {
    const random = new Random(options.seed);
    this.random = random;
    this.scheduler = new Scheduler(random.fork("scheduler"), options.turn);
    this.server = new UsbipServer(options);
    const deliver = (port: UsbHostPort): undefined => {
      const outlet = this.#outlets.get((port.locationId >>> 20) & 0xf);
      if (outlet === undefined) this.server.attach(port);
      else outlet.attach(port);
    };
    this.usb = new UsbBerth(
      { scheduler: this.scheduler, timeline: new Timeline(options.timeline), random, deliver },
      { describeRequests: [...serialRequestNames, describeHidRequest, ...networkRequestNames], ...options },
    );
  }

  /** A usbredir outlet for a connector of the bus that has nothing in it yet. */
  addUsbredir(connector: number, options: Omit<UsbredirOutletOptions, "clock"> = {}): UsbredirOutlet {
    const outlet = new UsbredirOutlet({ ...options, clock: this.scheduler });
    this.#outlets.set(connector, outlet);
    return outlet;
  }
}
