// The serial rig: a machine, a USB bus, a serial device on it and the driver that brings it up.

import type { Clock } from "../base/clock.ts";
import { describeCdcRequest } from "../codec/cdc/cdc.ts";
import { describeFtdiRequest } from "../codec/ftdi/ftdi.ts";
import type { DescribeRequest } from "../codec/usb/setup.ts";
import { CdcAcmDevice } from "../devices/cdc-acm/cdc-acm-device.ts";
import { FtdiDevice } from "../devices/ftdi/ftdi-device.ts";
import { NullModem } from "../devices/null-modem.ts";
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

/** `ftdi` is the FT232R. */
export type SerialDeviceKind = "ftdi" | "ft230x" | "ft232h" | "ft2232h" | "ft4232h" | "cdc-acm";

export interface SerialRigOptions extends Omit<UsbRigOptions, "describeRequests"> {
  readonly devices?: readonly SerialDeviceKind[];
  readonly pacing?: "baud" | "none";
  /** What hangs on the connectors, in order; loop-back plugs where none is given. */
  readonly farEnds?: readonly SerialFarEnd[];
  /**
   * `null-modem` joins the first two devices' connectors (of a chip with several ports, its first); see NullModem. Without
   * pacing a line has no rate: both ends may then be set as they like.
   */
  readonly cable?: "null-modem";
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
    const farEnds =
      options.cable === "null-modem"
        ? new NullModem(this.machine.scheduler, { comparesFormats: options.pacing !== "none" }).ends
        : (options.farEnds ?? []);
    (options.devices ?? ["ftdi"]).forEach((kind, index) => {
      const farEnd = farEnds[index];
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
    chip: kind === "ftdi" ? "ft232r" : kind,
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

/**
 * Two ports whose far ends are each other: two programs, or a program and its test, at the two ends of a cable. Without
 * pacing unless `options` says `baud`.
 */
export function nullModemRig(
  seed: number,
  turn: HostTurn,
  options: Partial<SerialRigOptions> = {},
): SerialRig {
  const devices: readonly SerialDeviceKind[] = ["ftdi", "ftdi"];
  return defaultSerialRig(seed, turn, { devices, pacing: "none", ...options, cable: "null-modem" });
}
