// The serial rig: a machine, a USB bus, a serial device on it and the driver that brings it up.

import type { Clock } from "../base/clock.ts";
import { describeCdcRequest } from "../codec/cdc/cdc.ts";
import { describeFtdiRequest } from "../codec/ftdi/ftdi.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { CdcAcmDevice } from "../devices/cdc-acm/cdc-acm-device.ts";
import { FtdiDevice } from "../devices/ftdi/ftdi-device.ts";
import type { SerialFarEnd } from "../devices/uart.ts";
import { cdcAcmBundle } from "../drivers/cdc-acm/cdc-acm-driver.ts";
import { ftdiBundle } from "../drivers/ftdi/ftdi-driver.ts";
import { IOSerialBSDClient, installSerialFamily } from "../families/serial/io-serial-bsd-client.ts";
import { platformProfile } from "../platform/platform-profile.ts";
import type { UsbDevicePort } from "../ports/usb-device.ts";
import type { DriverBundle } from "../runtime/driver-bundle.ts";
import type { HostTurn } from "../runtime/scheduler.ts";
import { UsbRig, type UsbRigOptions } from "./usb-rig.ts";
import { UsbRigDoors } from "./usb-rig-doors.ts";

export type SerialDeviceKind = "ftdi" | "cdc-acm" | "ft4232h";

export interface SerialRigOptions extends Omit<UsbRigOptions, "describeRequests"> {
  readonly devices?: readonly SerialDeviceKind[];
  readonly pacing?: "baud" | "none";
  /** What hangs on the connectors, in order; loop-back plugs where none is given. */
  readonly farEnds?: readonly SerialFarEnd[];
  /** Drivers in place of Drydock's own. */
  readonly bundles?: readonly DriverBundle[];
}

/** Names of serial chips' requests, for text traces. */
export const serialRequestNames: readonly DescribeRequest[] = [describeCdcRequest, describeFtdiRequest];

/** A USB rig with serial devices plugged in and their ports published. */
export class SerialRig extends UsbRigDoors {
  readonly devices: UsbDevicePort[] = [];
  /** Ports that programs can open, in order of appearance; gone ones stay, closed. */
  readonly ports: IOSerialBSDClient[] = [];

  constructor(options: SerialRigOptions) {
    super(new UsbRig({ ...options, describeRequests: serialRequestNames }));
    installSerialFamily(this.machine);
    this.machine.onRegistered((service) => {
      if (service instanceof IOSerialBSDClient) this.ports.push(service);
    });
    for (const bundle of options.bundles ?? [ftdiBundle, cdcAcmBundle]) this.machine.install(bundle);
    (options.devices ?? ["ftdi"]).forEach((kind, index) => {
      const farEnd = options.farEnds?.[index];
      const device = makeSerialDevice(kind, {
        clock: this.machine.scheduler,
        pacing: options.pacing ?? "baud",
        ...(farEnd === undefined ? {} : { farEnd }),
      });
      this.devices.push(device);
      this.usb.bus.plugIn(device, index + 1);
    });
  }
}

/** A model of one kind, for whoever has a clock. */
export function makeSerialDevice(
  kind: SerialDeviceKind,
  options: { readonly clock: Clock; readonly pacing: "baud" | "none"; readonly farEnd?: SerialFarEnd },
): UsbDevicePort {
  const { farEnd, ...common } = options;
  if (kind === "cdc-acm") return new CdcAcmDevice(options);
  return new FtdiDevice({
    ...common,
    chip: kind === "ftdi" ? "ft232r" : "ft4232h",
    // Without pacing no byte is ever late: there is no overrun to model, and speed is what was asked for.
    rings: options.pacing === "none" ? "transfer" : "chip",
    ...(farEnd === undefined ? {} : { farEnds: [farEnd] }),
  });
}

/** The rig of `npm start` and of most tests: one FT232R with a loop-back plug, on the open profile. */
export function defaultSerialRig(
  seed: number,
  turn: HostTurn,
  options: Partial<SerialRigOptions> = {},
): SerialRig {
  return new SerialRig({ seed, turn, profile: platformProfile("open"), ...options });
}
