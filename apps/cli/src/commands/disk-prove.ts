// drydock disk prove: what a disk's flushes are worth.

import { command, option, optionOr } from "../grammar/command-row.ts";
import { choice, wholeNumber } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { layers } from "./disk-words.ts";

const ways = [...layers, "nvme"] as const;
const faults = ["short-mode-sense", "lying-flush"] as const;

export const diskProve = command({
  arguments: {},
  options: {
    through: optionOr(choice(ways, "way"), "uas", "uas, bulk-only, nvme, or none: memory alone"),
    fault: option(
      choice(faults, "fault"),
      "short-mode-sense: what P19's driver does; lying-flush: an NVMe that lies",
    ),
    cuts: optionOr(wholeNumber({ from: 1, to: 1e9 }), 1000, "power cuts, over as many seeds as it takes"),
    transactions: optionOr(wholeNumber({ from: 1, to: 1e6 }), 8, "transactions of each run"),
    seed: { ...seedOption, summary: "the first seed" },
    json: jsonOption,
  },
  example: "drydock disk prove --fault short-mode-sense",
  judge: ({ fault, through }) => {
    if (fault === "short-mode-sense" && (through === "none" || through === "nvme"))
      throw new UsageError("--fault short-mode-sense needs a SCSI disk: --through uas or bulk-only");
    if (fault === "lying-flush" && through !== "nvme")
      throw new UsageError("--fault lying-flush needs --through nvme");
  },
  run: async (options, io) => (await import("../actions/disk-prove.ts")).proveDisk(options, io),
});
