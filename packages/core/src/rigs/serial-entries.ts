// The serial rigs of the catalogue, and one with the devices of a command line. They bring no disk and no input along.

import { CdcAcmDevice } from "../devices/cdc-acm/cdc-acm-device.ts";
import { FtdiDevice } from "../devices/ftdi/ftdi-device.ts";
import { ForgetfulPlug } from "../devices/serial-far-ends.ts";
import { commonRigOptions, noInput, type RigEntry, rigEntry, usbActs, usbRigParts } from "./rig-entry.ts";
import { makeSerialDevice, type SerialDeviceKind, SerialRig } from "./serial-rig.ts";

/** A rig with these serial devices, of the catalogue or of a command line. */
export function serialRigEntry(
  name: string,
  summary: string,
  kinds: readonly SerialDeviceKind[],
  devices: readonly string[] = kinds,
  drivers: readonly string[] = [],
): RigEntry {
  return rigEntry({
    name,
    summary,
    berths: ["usb"],
    devices,
    drivers,
    outlets: ["terminal"],
    type: [`drydock start ${name}`, "picocom -b 115200 /tmp/drydock-tty0"],
    acts: usbActs,
    serialDevices: kinds,
    usbDevices: ({ clock, pacing }) =>
      kinds.map((kind) => makeSerialDevice(kind, { clock, pacing: pacing === "none" ? "none" : "baud" })),
    build: (options) => {
      const { forgetsFromNs } = options;
      const rig: SerialRig = new SerialRig({
        ...commonRigOptions(options, "open"),
        devices: kinds,
        pacing: options.pacing === "none" ? "none" : "baud",
        ...(forgetsFromNs === undefined
          ? {}
          : {
              farEnds: kinds.map(() => new ForgetfulPlug(() => rig.machine.scheduler.nowNs(), forgetsFromNs)),
            }),
      });
      const plugIn = (index: number) => rig.usb.bus.plugIn(rig.devices[index], index + 1);
      const lines = () =>
        rig.devices.flatMap((device) =>
          device instanceof CdcAcmDevice
            ? [device.uart.format]
            : device instanceof FtdiDevice
              ? device.ports.map(({ uart }) => uart.format)
              : [],
        );
      return { ...usbRigParts(rig, kinds.length, plugIn), ports: rig.ports, lines, media: [], ...noInput };
    },
  });
}

const ftdi = "org.drydock.driver.ftdi";
const cdcAcm = "org.drydock.driver.cdc-acm";
const loopbackFtdi = "an FT232R with a loop-back plug";
const loopbackModem = "a CDC-ACM modem with a loop-back plug";

/** In the order in which they are listed. */
export const serialEntries: readonly RigEntry[] = [
  serialRigEntry(
    "serial",
    `${loopbackFtdi} and Drydock's FTDI driver (the default)`,
    ["ftdi"],
    [loopbackFtdi],
    [ftdi],
  ),
  serialRigEntry(
    "modem",
    `${loopbackModem} and Drydock's CDC-ACM driver`,
    ["cdc-acm"],
    [loopbackModem],
    [cdcAcm],
  ),
  serialRigEntry(
    "quad",
    "an FT4232H: four ports, high speed",
    ["ft4232h"],
    ["an FT4232H with four loop-back plugs"],
    [ftdi],
  ),
  serialRigEntry(
    "desk",
    "an FT232R and a CDC-ACM modem on one bus",
    ["ftdi", "cdc-acm"],
    [loopbackFtdi, loopbackModem],
    [ftdi, cdcAcm],
  ),
];
