// drydock dext test: a plain run, every host call failing once, the cable pulled at every step.

import { command, flag, option, optionOr } from "../grammar/command-row.ts";
import { seconds, wholeNumber } from "../grammar/option-kind.ts";
import { dextPaths, dextRunOptions } from "./dext-words.ts";

export const dextTest = command({
  arguments: { paths: dextPaths },
  options: {
    ...dextRunOptions,
    for: optionOr(seconds, 1, "virtual seconds until the cable is pulled"),
    most: option(
      wholeNumber({ from: 1, to: 100_000 }),
      "runs of each kind at most, spread evenly; without it 200, and 30 after each edit of --watch",
    ),
    watch: flag("test again after each edit, until Ctrl-C; only what has changed is compiled"),
  },
  example: "drydock dext test path/to/MyDriver.xcodeproj\ndrydock dext test path/to/folder --watch",
  notes: `An application opens each user client and calls what it has, as far as its checks let it. Exit code 1: a finding.`,
  run: async (options, io) => (await import("../actions/dext-test.ts")).testDextCommand(options, io),
});
