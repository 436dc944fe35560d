// What every USB rig has: machine, host controller, bus, and the wrappers that faults and traces are.

import { TraceHash } from "../base/hash.ts";
import { microsecond } from "../base/units.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import type { IOUSBHostDevice } from "../families/usb/io-usb-host-device.ts";
import { UsbFamily } from "../families/usb/usb-family.ts";
import { type UsbFaultPlan, withUsbFaults } from "../faults/usb-faults.ts";
import { UsbipServer } from "../outlets/usbip/usbip-server.ts";
import type { PlatformProfile } from "../platform/platform-profile.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { Machine } from "../runtime/machine.ts";
import type { HostTurn, RunOutcome } from "../runtime/scheduler.ts";
import { IOService } from "../runtime/service.ts";
import { withUsbTrace } from "../trace/usb-trace.ts";
import { UsbTraceLog } from "../trace/usb-trace-log.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { UsbipImporter } from "../transports/usbip/usbip-importer.ts";
import { memoryStreamPair } from "./memory-stream.ts";

export interface UsbRigOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly profile: PlatformProfile;
  /** `none` takes wire time away, for speed. */
  readonly timing?: "bus" | "none";
  /** Records every transfer. Default true. */
  readonly trace?: boolean;
  readonly faults?: UsbFaultPlan;
  /** Stands between trace and bus as faults do, for each attachment: same type in, same type out. */
  readonly middleware?: (port: UsbHostPort) => UsbHostPort;
  /**
   * How devices on `bus` reach the machine: directly, or exported by our USB/IP server and imported by our client over a
   * stream in memory that cuts bytes anywhere. Default `bus`.
   */
  readonly path?: "bus" | "usbip";
  readonly bootArgDk?: number;
  /** Something that stands between the family and each device: a policy. Above the trace, which shows the wire. */
  readonly guard?: (port: UsbHostPort) => UsbHostPort;
  /** Names of class and vendor requests for text traces. */
  readonly describeRequests?: readonly DescribeRequest[];
}

/** One way of a connection in memory. */
const networkLatencyNs = 50 * microsecond;

/**
 * The slipway for USB: devices plugged into `bus` come up in `machine`. On the way from the family to the bus lie
 * first the trace, then the faults, so that a trace shows what the driver saw.
 */
export class UsbRig {
  readonly machine: Machine;
  readonly bus: SimUsbBus;
  readonly family: UsbFamily;
  readonly trace: UsbTraceLog;
  readonly describeRequests: readonly DescribeRequest[];
  readonly #options: UsbRigOptions;
  #attachments = 0;

  constructor(options: UsbRigOptions) {
    this.#options = options;
    this.machine = new Machine(options);
    this.describeRequests = options.describeRequests ?? [];
    this.trace = new UsbTraceLog();
    const controller = this.machine.publish(
      { kernelClass: "AppleUSBXHCI" },
      (context) => new IOService(context),
    );
    controller.location = "00000000";
    this.family = new UsbFamily(this.machine, controller);
    this.bus = new SimUsbBus({
      clock: this.machine.scheduler,
      random: this.machine.random.fork("usb-bus"),
      timing: options.timing ?? "bus",
    });
    if (options.path === "usbip") this.#exportAndImport();
    else this.bus.onAttach((port) => this.attach(port));
  }

  /** Brings up a device that came from elsewhere: a USB/IP client, libusb, WebUSB. Devices on `bus` come by themselves. */
  attach(plain: UsbHostPort): void {
    let device: IOUSBHostDevice | null = null;
    const traced = this.#wrap(
      plain,
      this.#options,
      ++this.#attachments,
      () => device?.requests.describeCaller() ?? null,
    );
    const port = this.#options.guard?.(traced) ?? traced;
    device = this.family.attach(port);
  }

  /** Every device of the bus goes out through a server and comes back in through a client, reset or not. */
  #exportAndImport(): void {
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
          onAttach: (port) => this.attach(port),
        });
      },
    });
    this.bus.onAttach((port) => server.attach(port));
  }

  /** Runs until nothing is left to do, or until `limitNs`. */
  run(limitNs?: number): Promise<RunOutcome> {
    return this.machine.run(limitNs);
  }

  /** One number for everything observable: the wire, the kernel's events, the log. Equal seeds give equal digests. */
  digest(): string {
    const hash = new TraceHash();
    this.trace.hashInto(hash);
    this.machine.ring.hashInto(hash);
    for (const row of this.machine.log.show({ info: true, debug: true })) {
      hash.number(row.timeNs);
      hash.text(row.message);
    }
    return hash.digest();
  }

  #wrap(
    plain: UsbHostPort,
    options: UsbRigOptions,
    attachment: number,
    caller: () => string | null,
  ): UsbHostPort {
    const { scheduler } = this.machine;
    let port = options.middleware?.(plain) ?? plain;
    if (options.faults !== undefined) {
      port = withUsbFaults(port, options.faults, {
        clock: scheduler,
        random: this.machine.random.fork(`usb-faults ${attachment}`),
        onFault: (text) => this.trace.mark(scheduler.nowNs(), text),
      });
    }
    if (options.trace === false) return port;
    return withUsbTrace(port, { clock: scheduler, log: this.trace, deviceAddress: attachment, caller });
  }
}
