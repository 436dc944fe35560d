// Device models behind a WebUSB object: what a page or a Node program uses in place of `navigator.usb`.

import { Random } from "../base/random.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { type UsbFaultPlan, withUsbFaults } from "../faults/usb-faults.ts";
import { WebUsb, type WebUsbOptions } from "../outlets/webusb/web-usb.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { type HostTurn, Scheduler } from "../runtime/scheduler.ts";
import { withUsbTrace } from "../trace/usb-trace.ts";
import { UsbTraceLog } from "../trace/usb-trace-log.ts";
import { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { FreeRunner } from "./free-runner.ts";
import { serialRequestNames } from "./serial-rig.ts";

export interface WebUsbRigOptions extends Omit<WebUsbOptions, "clock" | "onSettled"> {
  readonly seed: number;
  readonly turn: HostTurn;
  /** `none` takes wire time away, for speed. Default `bus`. */
  readonly timing?: "bus" | "none";
  /** Records every transfer. Default true. */
  readonly trace?: boolean;
  readonly faults?: UsbFaultPlan;
}

/** Plug devices into `bus`, start it with `runFreely` or with a host's live runner, and give `usb` to the program. */
export class WebUsbRig {
  readonly scheduler: Scheduler;
  readonly bus: SimUsbBus;
  readonly usb: WebUsb;
  readonly trace = new UsbTraceLog();
  readonly describeRequests: readonly DescribeRequest[] = serialRequestNames;
  readonly #random: Random;
  #attachments = 0;

  constructor(options: WebUsbRigOptions) {
    this.#random = new Random(options.seed);
    const scheduler = new Scheduler(this.#random.fork("scheduler"), options.turn);
    this.scheduler = scheduler;
    this.bus = new SimUsbBus({
      clock: scheduler,
      random: this.#random.fork("usb-bus"),
      timing: options.timing ?? "bus",
    });
    this.usb = new WebUsb({ ...options, clock: scheduler, onSettled: () => scheduler.expectContinuations() });
    this.bus.onAttach((port) => this.usb.attach(this.#wrap(port, options)));
  }

  /** Virtual time, as fast as it goes. `onProblem` gets what the rig itself threw. */
  runFreely(onProblem: (error: unknown) => void): FreeRunner {
    return new FreeRunner(this.scheduler, onProblem);
  }

  /** Runs until nothing is left to do, before any runner was started: devices that were plugged in are there then. */
  async settle(): Promise<void> {
    await this.scheduler.run();
  }

  #wrap(plain: UsbHostPort, options: WebUsbRigOptions): UsbHostPort {
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
