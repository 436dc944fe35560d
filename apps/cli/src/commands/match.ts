// drydock match: which driver binds to a device, and why the others do not.

import { argument, command, many, optionOr } from "../grammar/command-row.ts";
import { inputPath } from "../grammar/input-paths.ts";
import { jsonOption, platformName, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { rigOrFile } from "./rig-or-file.ts";

const device = rigOrFile(
  "what shows a device: ioreg -l or -a, system_profiler SPUSBDataType, a USB capture, descriptors as bytes, lsusb -v, lspci -x, INQUIRY data",
  '+-o Root  <class IORegistryEntry, id 0x1>\n  {\n    "idVendor" = 1\n  }\n',
);

export const match = command({
  arguments: { device: argument(device, "the device") },
  options: {
    driver: many(
      inputPath,
      "a .dext, an app with one, or an Info.plist; without one, those that are there already",
    ),
    platform: optionOr(platformName, "macos15", "the system whose rules hold"),
    seed: { ...seedOption, summary: "of the rig" },
    json: jsonOption,
  },
  judge: ({ device: { file, rig }, driver }, isGiven) => {
    if (rig === null && isGiven("seed"))
      throw new UsageError("--seed is a rig's: a file does not depend on it");
    if (file?.path === "-" && driver.includes("-"))
      throw new UsageError(
        "the device and --driver cannot both be standard input: name a file for one of them",
      );
  },
  notes: `Without --driver the drivers are the rig's own, those that run in the dump, or Drydock's own for anything else.
What a driver's probe and Start make of the device is not known here. Exit code 1: no driver binds to anything.`,
  example:
    "drydock match gamepad\ndrydock match ioreg.txt --driver MyApp.app\nlsusb -v -d 0403:6001 | drydock match - --driver Info.plist",
  run: async (options, io) => (await import("../actions/match.ts")).matchDrivers(options, io),
});
