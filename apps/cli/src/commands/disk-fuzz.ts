// drydock disk fuzz: the storage drivers against wrong answers.

import { command, optionOr } from "../grammar/command-row.ts";
import { wholeNumber } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";

export const diskFuzz = command({
  arguments: {},
  options: {
    answers: optionOr(wholeNumber({ from: 1, to: 1e12 }), 10_000, "answers to change"),
    seed: { ...seedOption, summary: "the first life's; each life has its own" },
    json: jsonOption,
  },
  example: "drydock disk fuzz --answers 100000",
  run: async (options, io) => (await import("../actions/disk-fuzz.ts")).fuzzDisk(options, io),
});
