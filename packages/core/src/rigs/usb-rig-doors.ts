// What every rig with a machine and a USB berth is made of, and the short names by which people use it.

import { TraceHash } from "../base/hash.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import type { UsbFamily } from "../families/usb/usb-family.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import type { Machine } from "../runtime/machine.ts";
import type { RunOutcome } from "../runtime/scheduler.ts";
import type { Timeline } from "../trace/timeline.ts";
import type { UsbTraceLog } from "../trace/usb-trace-log.ts";
import type { SimUsbBus } from "../transports/sim/usb-bus.ts";
import type { UsbBerth } from "./usb-berth.ts";

export interface UsbRigParts {
  readonly machine: Machine;
  readonly family: UsbFamily;
  readonly usb: UsbBerth;
  /** Everything that was recorded: the wire, calls, queues, the kernel's events, the log, power. */
  readonly timeline: Timeline;
}

/** The parts, held once. It makes nothing: a rig makes its machine and berth and hands them here. */
export abstract class UsbRigDoors implements UsbRigParts {
  readonly machine: Machine;
  readonly family: UsbFamily;
  readonly usb: UsbBerth;
  readonly timeline: Timeline;

  constructor({ machine, family, timeline, usb }: UsbRigParts) {
    this.machine = machine;
    this.family = family;
    this.usb = usb;
    this.timeline = timeline;
  }

  /** Where devices are plugged in. */
  get bus(): SimUsbBus {
    return this.usb.bus;
  }

  get trace(): UsbTraceLog {
    return this.usb.trace;
  }

  get describeRequests(): readonly DescribeRequest[] {
    return this.usb.describeRequests;
  }

  /** Runs until nothing is left to do, or until `limitNs` of the machine. */
  run(limitNs?: number): Promise<RunOutcome> {
    return this.machine.run(limitNs);
  }

  /** Brings up a device that came from elsewhere: a USB/IP client, libusb, WebUSB. */
  attach(port: UsbHostPort): void {
    this.usb.attach(port);
  }

  digest(): string {
    return digestOf(this);
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
