// Device models behind the API of the npm package `usb`: what a Node program uses in place of the package.

import { Random } from "@drydock/core/base/random";
import { FreeRunner } from "@drydock/core/rigs/free-runner";
import { UsbBerth, type UsbBerthOptions } from "@drydock/core/rigs/usb-berth";
import { Scheduler } from "@drydock/core/runtime/scheduler";
import { hostTurn } from "../host/host-turn.ts";
import { NpmUsb } from "./npm-usb.ts";

export interface NpmUsbRigOptions extends UsbBerthOptions {
  readonly seed: number;
  readonly onProblem?: (reason: string) => void;
}

/** Plug devices into `bus`, start it with `runFreely` or a live runner, and give `usb` to the program. */
export class NpmUsbRig {
  readonly scheduler: Scheduler;
  readonly berth: UsbBerth;
  readonly usb: NpmUsb;

  constructor(options: NpmUsbRigOptions) {
    const random = new Random(options.seed);
    const scheduler = new Scheduler(random.fork("scheduler"), hostTurn);
    this.scheduler = scheduler;
    const { onProblem } = options;
    this.usb = new NpmUsb({
      clock: scheduler,
      onCalled: () => scheduler.expectContinuations(),
      ...(onProblem === undefined ? {} : { onProblem }),
    });
    const deliver = (port: Parameters<NpmUsb["attachPort"]>[0]): undefined => {
      this.usb.attachPort(port);
    };
    this.berth = new UsbBerth({ scheduler, random, deliver }, options);
  }

  get bus(): UsbBerth["bus"] {
    return this.berth.bus;
  }

  get trace(): UsbBerth["trace"] {
    return this.berth.trace;
  }

  runFreely(onProblem: (error: unknown) => void): FreeRunner {
    return new FreeRunner(this.scheduler, onProblem);
  }

  /** Runs until nothing is left to do, before any runner was started: devices that were plugged in are there then. */
  async settle(): Promise<void> {
    await this.scheduler.run();
  }
}
