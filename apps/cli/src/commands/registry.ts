// drydock registry: what came up in a rig, and why.

import { command, flag, optionalArgument } from "../grammar/command-row.ts";
import { rigOptions } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { anyRigName } from "./rig-name.ts";

export const registry = command({
  arguments: { rig: optionalArgument(anyRigName, "what to run; without one, serial") },
  options: {
    ...rigOptions,
    why: flag("also every personality that was judged, and the comparison that decided", {
      clashes: ["json", "plist"],
    }),
    plist: flag("as `ioreg -a` prints it", { clashes: ["json"] }),
    json: flag("one JSON document on stdout, with matching and failures"),
  },
  judge: ({ device, fault, pcap, rig }) => {
    if (rig === undefined || rig.berths.includes("usb")) return;
    if (pcap !== undefined)
      throw new UsageError(`--pcap records USB traffic, and ${rig.name} is on ${rig.berths.join(" and ")}`);
    if (fault.length > 0)
      throw new UsageError(`--fault strikes on a USB bus, and ${rig.name} is on ${rig.berths.join(" and ")}`);
    if (device.length > 0)
      throw new UsageError(`--device is for rigs with serial ports, and ${rig.name} has none`);
  },
  example: "drydock registry --seed 7 --why",
  run: async (options, io) => (await import("../actions/registry.ts")).registry(options, io),
});
