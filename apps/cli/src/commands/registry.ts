// drydock registry: what came up in a rig, and why; a dump; two of them beside each other.

import { command, flag, option, optionalArgument } from "../grammar/command-row.ts";
import { rigOptions } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { rigOrFile } from "./rig-or-file.ts";

const rigOrDump = rigOrFile(
  "a dump (ioreg -l or ioreg -a, or system_profiler SPUSBDataType)",
  '+-o Root  <class IORegistryEntry, id 0x1>\n  {\n    "IOKitBuildVersion" = "1"\n  }\n',
);

export const registry = command({
  arguments: { rig: optionalArgument(rigOrDump, "what to run, or a dump; without one, serial") },
  options: {
    ...rigOptions,
    against: option(rigOrDump, "a rig or a dump to compare with: what appeared since, left, changed", {
      clashes: ["why", "plist"],
    }),
    why: flag("also every personality that was judged, and the comparison that decided", {
      clashes: ["json", "plist", "against"],
    }),
    plist: flag("as `ioreg -a` prints it", { clashes: ["json", "against"] }),
    json: flag("one JSON document on stdout, with matching and failures"),
  },
  judge: ({ against, device, fault, pcap, rig: asked, why }, isGiven) => {
    if (asked?.file?.path === "-" && against?.file?.path === "-")
      throw new UsageError(
        "the dump and --against cannot both be standard input: name a file for one of them",
      );
    if (asked?.file != null) {
      for (const key of ["seed", "fault", "pcap", "perfetto", "device", "platform"] as const)
        if (isGiven(key) && ((key !== "seed" && key !== "platform") || against?.rig == null))
          throw new UsageError(`--${key} is a rig's, and ${asked.file.label} is a dump`);
      if (why) throw new UsageError("--why tells what a rig's matching decided; for a dump: drydock match");
      return;
    }
    const rig = asked?.rig;
    if (rig === undefined || rig.berths.includes("usb")) return;
    if (pcap !== undefined)
      throw new UsageError(`--pcap records USB traffic, and ${rig.name} is on ${rig.berths.join(" and ")}`);
    if (fault.length > 0)
      throw new UsageError(`--fault strikes on a USB bus, and ${rig.name} is on ${rig.berths.join(" and ")}`);
    if (device.length > 0)
      throw new UsageError(`--device is for rigs with serial ports, and ${rig.name} has none`);
  },
  notes: `--against compares by place and class, then by registry id; ids, reference counts and times of being busy are not compared.
Exit code 1 with --against: they differ.`,
  example: "drydock registry --seed 7 --why\ndrydock registry after.txt --against before.txt",
  run: async (options, io) => (await import("../actions/registry.ts")).registry(options, io),
});
