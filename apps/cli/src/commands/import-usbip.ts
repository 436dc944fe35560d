// drydock import usbip: our drivers on a device of a USB/IP server.

import { argument, command, flag, option, optionalArgument } from "../grammar/command-row.ts";
import {
  forOption,
  linkPath,
  pcapOption,
  perfettoOption,
  platformOption,
  seedOption,
} from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { usbipBusId, usbipServer } from "./usbip-server.ts";

export const importUsbip = command({
  arguments: {
    server: argument(usbipServer, "the server"),
    busId: optionalArgument(usbipBusId, "which device"),
  },
  options: {
    seed: seedOption,
    platform: platformOption,
    pcap: pcapOption,
    perfetto: perfettoOption,
    link: option(
      linkPath,
      "a stable name for the terminal; without one, drydock-tty0 in the temporary folder",
    ),
    for: forOption,
    json: flag("list: one JSON document; import: the first line is one with the ports"),
  },
  judge: ({ busId }, isGiven) => {
    if (busId !== undefined) return;
    const idle = (["seed", "platform", "pcap", "perfetto", "link", "for"] as const).find(isGiven);
    if (idle !== undefined)
      throw new UsageError(
        `--${idle} means nothing without a busid: without one, the devices are only listed`,
      );
  },
  example: "drydock import usbip 192.168.1.7\ndrydock import usbip 192.168.1.7 1-1.4",
  run: async (options, io) => (await import("../actions/import.ts")).importUsbip(options, io),
});
