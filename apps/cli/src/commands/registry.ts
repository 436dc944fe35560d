// drydock registry: what came up in a rig, and why.

import { command, flag, optionalArgument } from "../grammar/command-row.ts";
import { rigOptions } from "../grammar/rig-options.ts";
import { rigName } from "./rig-name.ts";

export const registry = command({
  words: ["registry"],
  summary: "run a rig for two virtual seconds and print its registry",
  arguments: { rig: optionalArgument(rigName, "what to run; without one, serial") },
  options: {
    ...rigOptions,
    why: flag("also every personality that was judged, and the comparison that decided"),
    plist: flag("as `ioreg -a` prints it", { clashes: ["json"] }),
    json: flag("one JSON document on stdout, with matching and failures"),
  },
  example: "drydock registry --seed 7 --why",
  run: async (options, io) => (await import("../actions/registry.ts")).registry(options, io),
});
