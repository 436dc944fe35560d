// Device models on a bus that nobody here drives: USB/IP and usbredir offer them to foreign drivers.

import { Random } from "../base/random.ts";
import { describeHidRequest } from "../codec/hid/hid.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { type UsbFaultPlan, withUsbFaults } from "../faults/usb-faults.ts";
import { UsbipServer, type UsbipServerOptions } from "../outlets/usbip/usbip-server.ts";
import { UsbredirOutlet, type UsbredirOutletOptions } from "../outlets/usbredir/usbredir-outlet.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { type HostTurn, Scheduler } from "../runtime/scheduler.ts";
import { withUsbTrace } from "../trace/usb-trace.ts";
import { UsbTraceLog } from "../trace/usb-trace-log.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { serialRequestNames } from "./serial-rig.ts";

export interface UsbExportRigOptions extends UsbipServerOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  /** `none` takes wire time away, for speed. Default `bus`. */
  readonly timing?: "bus" | "none";
  /** Records every transfer. Default true. */
  readonly trace?: boolean;
  readonly faults?: UsbFaultPlan;
}

/**
 * Plug devices into `bus`; give `server` connections. What is in a connector that has a usbredir outlet belongs to that
 * outlet. The trace shows what the foreign host does.
 */
export class UsbExportRig {
  readonly scheduler: Scheduler;
  readonly bus: SimUsbBus;
  readonly server: UsbipServer;
  readonly trace = new UsbTraceLog();
  readonly describeRequests: readonly DescribeRequest[] = [...serialRequestNames, describeHidRequest];
  readonly #random: Random;
  readonly #outlets = new Map<number, UsbredirOutlet>();
  #attachments = 0;

  constructor(options: UsbExportRigOptions) {
    this.#random = new Random(options.seed);
    this.scheduler = new Scheduler(this.#random.fork("scheduler"), options.turn);
    this.bus = new SimUsbBus({
      clock: this.scheduler,
      random: this.#random.fork("usb-bus"),
      timing: options.timing ?? "bus",
    });
    this.server = new UsbipServer(options);
    this.bus.onAttach((plain) => {
      const port = this.#wrap(plain, options);
      const outlet = this.#outlets.get((plain.locationId >>> 20) & 0xf);
      if (outlet === undefined) this.server.attach(port);
      else outlet.attach(port);
    });
  }

  /** A usbredir outlet for a connector of the bus that has nothing in it yet. */
  addUsbredir(connector: number, options: Omit<UsbredirOutletOptions, "clock"> = {}): UsbredirOutlet {
    const outlet = new UsbredirOutlet({ ...options, clock: this.scheduler });
    this.#outlets.set(connector, outlet);
    return outlet;
  }

  #wrap(plain: UsbHostPort, options: UsbExportRigOptions): UsbHostPort {
    const attachment = ++this.#attachments;
    const { scheduler } = this;
    let port = plain;
    if (options.faults !== undefined) {
      port = withUsbFaults(port, options.faults, {
        clock: scheduler,
        random: this.#random.fork(`usb-faults ${attachment}`),
        onFault: (text) => this.trace.mark(scheduler.nowNs(), text),
      });
    }
    if (options.trace === false) return port;
    return withUsbTrace(port, { clock: scheduler, log: this.trace, deviceAddress: attachment & 0x7f });
  }
}
