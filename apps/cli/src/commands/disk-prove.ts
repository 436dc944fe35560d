// drydock disk prove: what a disk's flushes are worth.

import { command, option, optionOr } from "../grammar/command-row.ts";
import { choice, wholeNumber } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { layers } from "./disk-words.ts";

export const diskProve = command({
  words: ["disk", "prove"],
  summary: "cut the power at every step of a journalled workload: is every acknowledged flush there?",
  arguments: {},
  options: {
    through: optionOr(choice(layers, "way"), "uas", "uas, bulk-only, or none: memory alone"),
    fault: option(choice(["short-mode-sense"], "fault"), "short-mode-sense: what P19's driver does"),
    cuts: optionOr(wholeNumber({ from: 1, to: 1e9 }), 1000, "power cuts, over as many seeds as it takes"),
    transactions: optionOr(wholeNumber({ from: 1, to: 1e6 }), 8, "transactions of each run"),
    seed: { ...seedOption, summary: "the first seed" },
    json: jsonOption,
  },
  example: "drydock disk prove --fault short-mode-sense",
  judge: ({ fault, through }) => {
    if (fault !== undefined && through === "none")
      throw new UsageError("--fault short-mode-sense needs a SCSI disk: --through uas or bulk-only");
  },
  run: async (options, io) => (await import("../actions/disk-prove.ts")).proveDisk(options, io),
});
