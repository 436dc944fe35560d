// drydock export usbip: device models for a Linux kernel.

import { command, flag, optionalArgument } from "../grammar/command-row.ts";
import { forOption, hostOption, portOption, rigOptions } from "../grammar/rig-options.ts";
import { exportDiskOptions, exportHeadsetOptions, exportName, judgeExport } from "./export-name.ts";

const { platform: _ours, ...busOptions } = rigOptions;

export const exportUsbip = command({
  arguments: { rig: optionalArgument(exportName, "whose devices, or disk; without one, serial") },
  options: {
    ...busOptions,
    ...exportDiskOptions,
    ...exportHeadsetOptions,
    host: hostOption,
    port: portOption(3240),
    noPacing: flag("neither the line nor the bus takes time"),
    for: forOption,
    json: flag("the first line on stdout is one JSON document with port and busids"),
  },
  example:
    "drydock export usbip desk --pcap linux.pcapng\ndrydock export usbip disk --size 1G --quirk vpd-hangs,residue-lies\ndrydock export usbip headset --hear speech.wav --out heard.wav",
  judge: judgeExport,
  run: async (options, io) => (await import("../actions/export.ts")).exportUsbip(options, io),
});
