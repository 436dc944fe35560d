// Device models behind a WebUSB object: what a page or a Node program uses in place of `navigator.usb`.

import { Random } from "../base/random.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { WebUsb, type WebUsbOptions } from "../outlets/webusb/web-usb.ts";
import { installWebUsbGlobals } from "../outlets/webusb/web-usb-globals.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { type HostTurn, Scheduler } from "../runtime/scheduler.ts";
import type { UsbTraceLog } from "../trace/usb-trace-log.ts";
import type { SimUsbBus } from "../transports/sim/usb-bus.ts";
import { FreeRunner } from "./free-runner.ts";
import { serialRequestNames } from "./serial-rig.ts";
import { UsbBerth, type UsbBerthOptions } from "./usb-berth.ts";

export interface WebUsbRigOptions extends Omit<WebUsbOptions, "clock" | "onSettled">, UsbBerthOptions {
  readonly seed: number;
  readonly turn: HostTurn;
}

/** Plug devices into `bus`, start it with `runFreely` or with a host's live runner, and give `usb` to the program. */
export class WebUsbRig {
  readonly scheduler: Scheduler;
  readonly berth: UsbBerth;
  readonly usb: WebUsb;

  constructor(options: WebUsbRigOptions) {
    const random = new Random(options.seed);
    const scheduler = new Scheduler(random.fork("scheduler"), options.turn);
    this.scheduler = scheduler;
    this.usb = new WebUsb({
      // Without a listener the trace says what was declined.
      onProblem: (reason) => this.trace.mark(scheduler.nowNs(), reason),
      ...options,
      clock: scheduler,
      onSettled: () => scheduler.expectContinuations(),
    });
    const deliver = (port: UsbHostPort): undefined => {
      this.usb.attach(port);
    };
    this.berth = new UsbBerth(
      { scheduler, random, deliver },
      { describeRequests: serialRequestNames, ...options },
    );
  }

  /** Where devices are plugged in. */
  get bus(): SimUsbBus {
    return this.berth.bus;
  }

  get trace(): UsbTraceLog {
    return this.berth.trace;
  }

  get describeRequests(): readonly DescribeRequest[] {
    return this.berth.describeRequests;
  }

  /**
   * `navigator.usb` and the names of WebUSB's interfaces for a program that has no line of its own for a rig:
   * `rig.installGlobals(globalThis)`. Answers how to take them away again.
   */
  installGlobals(target: object = globalThis): () => void {
    return installWebUsbGlobals(this.usb, target);
  }

  /** Virtual time, as fast as it goes. `onProblem` gets what the rig itself threw. */
  runFreely(onProblem: (error: unknown) => void): FreeRunner {
    return new FreeRunner(this.scheduler, onProblem);
  }

  /** Runs until nothing is left to do, before any runner was started: devices that were plugged in are there then. */
  async settle(): Promise<void> {
    await this.scheduler.run();
  }
}
