// The USB rig: a machine, its USB family and one berth. Serial, HID and storage rigs are made of one.

import type { Clock } from "../base/clock.ts";
import { UsbFamily } from "../families/usb/usb-family.ts";
import type { PlatformProfile } from "../platform/platform-profile.ts";
import type { UsbHostPort } from "../ports/usb-host.ts";
import { Machine } from "../runtime/machine.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { IOService } from "../runtime/service.ts";
import { Timeline, type TimelineOptions } from "../trace/timeline.ts";
import { TimelineRecorder } from "../trace/timeline-recorder.ts";
import { UsbBerth, type UsbBerthOptions } from "./usb-berth.ts";
import { UsbRigDoors, type UsbRigParts } from "./usb-rig-doors.ts";

/** Takes each device of the bus, and hands it to `attach` in whatever shape it arrives at the machine. */
export type UsbPath = (machine: Machine, attach: (port: UsbHostPort) => void) => (port: UsbHostPort) => void;

export interface UsbRigOptions extends UsbBerthOptions {
  readonly seed: number;
  readonly turn: HostTurn;
  readonly profile: PlatformProfile;
  /** How devices on the bus reach the machine; null or absent: directly. Another way is `overUsbip`. */
  readonly path?: UsbPath | null;
  readonly bootArgDk?: number;
  /** How much the timeline keeps. */
  readonly timeline?: TimelineOptions;
  /**
   * What the timeline gets besides the wire: queues, calls, the kernel's events, the log and power (`all`, the default), or
   * nothing (`wire`), for campaigns that only take the digest and play again what they want to see.
   */
  readonly record?: "all" | "wire";
}

/** The slipway for USB: devices plugged into `usb.bus` come up in `machine`. */
export class UsbRig extends UsbRigDoors {
  constructor(options: UsbRigOptions) {
    const timeline = new Timeline(options.timeline);
    const recorder = (clock: Clock) => new TimelineRecorder(timeline, clock);
    const machine = new Machine(
      options.trace === false || options.record === "wire" ? options : { ...options, recorder },
    );
    super(usbOn(machine, timeline, options));
  }
}

/** A USB family and a berth on a machine that is there already, beside whatever else it has. */
export function usbOn(
  machine: Machine,
  timeline: Timeline,
  options: UsbBerthOptions & Pick<UsbRigOptions, "path">,
): UsbRigParts {
  const { random, scheduler } = machine;
  const controller = machine.publish({ kernelClass: "AppleUSBXHCI" }, (context) => new IOService(context));
  controller.location = "00000000";
  const family = new UsbFamily(machine, controller);
  const deliver = (port: UsbHostPort) => {
    const { requests } = family.attach(port);
    return () => requests.describeCaller();
  };
  const route = options.path?.(machine, (port) => usb.attach(port));
  const usb: UsbBerth = new UsbBerth(
    {
      ...{ scheduler, random, deliver, timeline, ...(route === undefined ? {} : { route }) },
      misused: (text) => machine.noteMisuse(text),
    },
    options,
  );
  return { machine, family, timeline, usb };
}
