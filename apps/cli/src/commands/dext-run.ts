// drydock dext run: a C++ dext started against devices, its log, and what came of it.

import { command, optionOr } from "../grammar/command-row.ts";
import { seconds } from "../grammar/option-kind.ts";
import { dextPaths, dextRunOptions } from "./dext-words.ts";

export const dextRun = command({
  arguments: { paths: dextPaths },
  options: {
    ...dextRunOptions,
    for: optionOr(seconds, 2, "virtual seconds until the cable is pulled"),
  },
  example: "drydock dext run path/to/MyDriver.xcodeproj --rig serial",
  notes: "Exit code 1: it did not start, or it broke a rule, crashed, hung or leaked.",
  run: async (options, io) => (await import("../actions/dext-run.ts")).runDextCommand(options, io),
});
