// drydock start: a rig on the real clock.

import { command, flag, option, optionalArgument } from "../grammar/command-row.ts";
import { forOption, linkPath, rigOptions } from "../grammar/rig-options.ts";
import { rigName } from "./rig-name.ts";

export const start = command({
  words: ["start"],
  summary: "bring up a rig on the real clock; prints what to open; Ctrl-C ends it",
  arguments: { rig: optionalArgument(rigName, "what to bring up; without one, serial") },
  options: {
    ...rigOptions,
    link: option(
      linkPath,
      "a stable name for the terminal; without one, drydock-tty0 in the temporary folder",
    ),
    noPacing: flag("neither the line nor the bus takes time"),
    for: forOption,
    json: flag("the first line on stdout is one JSON document with the ports"),
  },
  example:
    "drydock start --device cdc-acm --pcap modem.pcapng\nthen, elsewhere: picocom -b 115200 PATH\ntype u and Enter to pull the cable, p and Enter to plug it in again",
  run: async (options, io) => (await import("../actions/start.ts")).start(options, io),
});
