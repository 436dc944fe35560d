// drydock dext fuzz: a C++ dext fed with calls of its user clients and answers of its device, guided by what ran.

import { readCase } from "@drydock/dext/run/fuzz-input";
import { command, flag, option, optionOr } from "../grammar/command-row.ts";
import { choice, parsed, wholeNumber } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { dextPaths, dextRunOptions } from "./dext-words.ts";

const fuzzLine = parsed({
  placeholder: "line",
  takes: "the line of a finding",
  sample: "calls:1:0.1(0)=/0/0",
  wrong: ["", "no-such-line", "calls:1:d00", "answers:1:d0"],
  read: readCase,
});

export const dextFuzz = command({
  arguments: { paths: dextPaths },
  options: {
    target: dextRunOptions.target,
    seed: dextRunOptions.seed,
    feed: option(
      choice(["calls", "answers"], "feed"),
      "only calls of its user clients, or only answers of its device; both if left out",
    ),
    inputs: optionOr(
      wholeNumber({ from: 1, to: 1_000_000_000, sample: 1000 }),
      20_000,
      "inputs of each kind",
    ),
    replay: option(fuzzLine, "run what a finding's line says, once, and nothing else"),
    patience: dextRunOptions.patience,
    noJspi: flag("suspend calls without the engine's help (JSPI): a thread for each that waits"),
    json: dextRunOptions.json,
  },
  judge: ({ replay }, isGiven) => {
    const idle = (["feed", "inputs", "seed"] as const).find(isGiven);
    if (replay !== undefined && idle !== undefined)
      throw new UsageError(`--${idle} means nothing with --replay: the line says it`);
  },
  example:
    'drydock dext fuzz path/to/MyDriver.xcodeproj --inputs 100000\ndrydock dext fuzz path/to/folder --replay "calls:1178247501:0.1(0)=/0/0"',
  notes:
    "Built with --sanitize. The same seed finds the same. Exit code 1: a finding, each with the line that replays it.",
  run: async (options, io) => (await import("../actions/dext-fuzz.ts")).fuzzDextCommand(options, io),
});
