// drydock start: the board and a rig on the real clock; with the name of a rig, that rig alone.

import { command, flag, option, optionalArgument } from "../grammar/command-row.ts";
import { tcpPort } from "../grammar/option-kind.ts";
import { forOption, linkPath, rigOptions } from "../grammar/rig-options.ts";
import { boardPort, noOpen } from "./board-words.ts";
import { labOption, rigName } from "./rig-name.ts";

export const start = command({
  arguments: {
    rig: optionalArgument(rigName, "what to bring up, without the board; without one, board and serial"),
  },
  options: {
    ...rigOptions,
    link: option(
      linkPath,
      "a stable name for the terminal; without one, drydock-tty0 in the temporary folder",
    ),
    pair: flag("two ports joined by a null modem in place of a rig: what goes in here comes out there"),
    rfc2217: option(
      tcpPort,
      "each port on TCP too, from this one on, for rfc2217:// clients; 0: free ones; loopback only",
    ),
    noPacing: flag(
      "neither the line nor the bus takes time, and the ends of a pair need not agree on a rate",
    ),
    port: { ...boardPort, clashes: ["json", "pair"] },
    noOpen: { ...noOpen, clashes: ["json", "pair"] },
    lab: { ...labOption, clashes: ["json", "pair"] },
    for: forOption,
    json: flag("the rig alone; the first line on stdout is one JSON document with its ports"),
  },
  example:
    "drydock start --device cdc-acm --pcap modem.pcapng\nthen, elsewhere: picocom -b 115200 PATH\ntype u and Enter to pull the cable, p and Enter to plug it in again",
  run: async (options, io) => (await import("../actions/start.ts")).start(options, io),
});
