// drydock export usbredir: device models for any QEMU guest.

import { command, flag, optionalArgument } from "../grammar/command-row.ts";
import { forOption, hostOption, portOption, rigOptions } from "../grammar/rig-options.ts";
import { exportDiskOptions, exportHeadsetOptions, exportName, judgeExport } from "./export-name.ts";

const { platform: _ours, ...busOptions } = rigOptions;

export const exportUsbredir = command({
  arguments: { rig: optionalArgument(exportName, "whose devices, or disk; without one, serial") },
  options: {
    ...busOptions,
    ...exportDiskOptions,
    ...exportHeadsetOptions,
    host: hostOption,
    port: portOption(4000, "TCP port of the first device, the others follow; 0 for free ones"),
    noPacing: flag("neither the line nor the bus takes time"),
    for: forOption,
    json: flag("the first line on stdout is one JSON document with ports and QEMU's arguments"),
  },
  example:
    "drydock export usbredir desk\nqemu-system-x86_64 IMAGE -device qemu-xhci \\\n  -chardev socket,id=d,host=127.0.0.1,port=4000,nodelay=on -device usb-redir,chardev=d",
  judge: judgeExport,
  run: async (options, io) => (await import("../actions/export.ts")).exportUsbredir(options, io),
});
