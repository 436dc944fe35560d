// drydock dext run: a C++ dext started against devices, its log, and what came of it.

import { command, flag, option } from "../grammar/command-row.ts";
import { seconds } from "../grammar/option-kind.ts";
import { linkPath } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { dextPaths, dextRunOptions } from "./dext-words.ts";
import { usbipBusId, usbipServer } from "./usbip-server.ts";

/** Virtual seconds until the cable is pulled. */
const usualSeconds = 2;

export const dextRun = command({
  arguments: { paths: dextPaths },
  options: {
    ...dextRunOptions,
    debug: flag(
      "wait for a debugger of Node's (chrome://inspect), which sees the C++ lines, and stop once for breakpoints",
    ),
    usbip: option(usbipServer, "a USB/IP server whose device it drives on the real clock, until Ctrl-C"),
    busId: option(usbipBusId, "which device of that server; drydock import usbip SERVER lists them"),
    link: option(linkPath, "with --usbip: a stable name for the terminal of its port"),
    for: option(
      seconds,
      `virtual seconds until the cable is pulled, ${usualSeconds} if left out; with --usbip real ones, and none if left out`,
    ),
  },
  judge: ({ busId, usbip }, isGiven) => {
    if (usbip !== undefined && busId === undefined)
      throw new UsageError("--usbip needs --bus-id; drydock import usbip SERVER lists what is there");
    if (usbip !== undefined && isGiven("rig"))
      throw new UsageError("--rig and --usbip: the devices are either a rig's or the server's");
    if (usbip !== undefined && isGiven("debug"))
      throw new UsageError("--debug runs on virtual time: it means nothing with --usbip");
    const idle = (["busId", "link"] as const).find(isGiven);
    if (usbip === undefined && idle !== undefined)
      throw new UsageError(`--${idle === "busId" ? "bus-id" : idle} means nothing without --usbip`);
  },
  example:
    "drydock dext run path/to/MyDriver.xcodeproj --rig serial\ndrydock dext run path/to/MyDriver.xcodeproj --usbip 192.168.1.7 --bus-id 1-1.4",
  notes: "Exit code 1: it did not start, or it broke a rule, crashed, hung or leaked.",
  run: async ({ busId, debug, usbip, ...options }, io) =>
    usbip === undefined || busId === undefined
      ? (await import("../actions/dext-run.ts")).runDextCommand(
          { ...options, debug, for: options.for ?? usualSeconds },
          io,
        )
      : (await import("../actions/dext-live.ts")).runDextLive({ ...options, server: usbip, busId }, io),
});
