// A berth for USB devices: the one place where bus, faults, trace, guard and the counting of addresses meet.

import type { Random } from "../base/random.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import type { CountedAccess } from "../faults/counted-access.ts";
import { type UsbFaultPlan, withUsbFaults } from "../faults/usb-faults.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import type { Scheduler } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import { withUsbTrace } from "../trace/usb-trace.ts";
import { UsbTraceLog } from "../trace/usb-trace-log.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";

/** What people choose about a berth, whatever stands above it. */
export interface UsbBerthOptions {
  /** `none` takes wire time away, for speed. Default `bus`. */
  readonly timing?: "bus" | "none";
  /** Records every transfer. Default true. */
  readonly trace?: boolean;
  readonly faults?: UsbFaultPlan;
  /** Counts transfers, and strikes those that it names: a campaign's. Nearest to the bus. */
  readonly access?: CountedAccess;
  /** Stands between trace and bus as faults do, for each attachment: same type in, same type out. */
  readonly middleware?: (port: UsbHostPort) => UsbHostPort;
  /** Something that stands between the host and each device: a policy. Above the trace, which shows the wire. */
  readonly guard?: (port: UsbHostPort) => UsbHostPort;
  /** Names of class and vendor requests for text traces. */
  readonly describeRequests?: readonly DescribeRequest[];
}

/** Who takes the ports: a machine's USB family, a server that exports them, a page's `navigator.usb`. */
export interface UsbBerthHost {
  readonly scheduler: Scheduler;
  /** Where what passes is recorded: the machine's timeline, or one of the berth's own. */
  readonly timeline?: Timeline;
  /** The rig's own source; the berth forks what it needs from it. */
  readonly random: Random;
  /** Takes one attachment. What it answers names the driver call that submits right now, for the trace. */
  readonly deliver: (port: UsbHostPort) => (() => string | null) | undefined;
  /** Where ports of the bus go on their way to `attach`; straight there when left out. */
  readonly route?: (port: UsbHostPort) => void;
  /** Told what a device says that its driver did against its specification. */
  readonly misused?: (text: string) => void;
}

/** Device addresses on a bus (USB 2.0 §9.4.6): 1 to 127, then round. */
const addresses = 127;

/**
 * Devices are plugged into `bus`; each attachment reaches the host through faults, trace and guard, in this order from the
 * bus up, so that the trace shows what the driver saw and the guard judges what the trace shows.
 */
export class UsbBerth {
  readonly bus: SimUsbBus;
  readonly trace: UsbTraceLog;
  readonly describeRequests: readonly DescribeRequest[];
  readonly #host: UsbBerthHost;
  readonly #options: UsbBerthOptions;
  #attachments = 0;

  constructor(host: UsbBerthHost, options: UsbBerthOptions) {
    this.#host = host;
    this.#options = options;
    this.trace = new UsbTraceLog(host.timeline);
    this.describeRequests = options.describeRequests ?? [];
    this.bus = new SimUsbBus({
      clock: host.scheduler,
      random: host.random.fork("usb-bus"),
      timing: options.timing ?? "bus",
      ...(host.misused === undefined ? {} : { onMisuse: host.misused }),
    });
    this.bus.onAttach(host.route ?? ((port) => this.attach(port)));
  }

  /** Brings up a device that came from elsewhere: a USB/IP client, libusb, WebUSB. Devices on `bus` come by themselves. */
  attach(plain: UsbHostPort): void {
    let caller: (() => string | null) | undefined;
    const wrapped = this.#wrap(plain, () => caller?.() ?? null);
    caller = this.#host.deliver(this.#options.guard?.(wrapped) ?? wrapped);
  }

  #wrap(plain: UsbHostPort, caller: () => string | null): UsbHostPort {
    const { access, faults, middleware, trace } = this.#options;
    const { random, scheduler } = this.#host;
    const attachment = ++this.#attachments;
    const counted = access?.usb(plain, scheduler) ?? plain;
    let port = middleware?.(counted) ?? counted;
    if (faults !== undefined) {
      port = withUsbFaults(port, faults, {
        clock: scheduler,
        random: random.fork(`usb-faults ${attachment}`),
        onFault: (text) => this.trace.fault(scheduler.nowNs(), text, scheduler.cause),
      });
    }
    if (trace === false) return port;
    const deviceAddress = ((attachment - 1) % addresses) + 1;
    return withUsbTrace(port, { clock: scheduler, log: this.trace, deviceAddress, caller });
  }
}
