// drydock disk rehearse: sleep and wake of a slow disk.

import { command, option, optionOr } from "../grammar/command-row.ts";
import { choice, decimalNumber } from "../grammar/option-kind.ts";
import { outputFolder } from "../grammar/output-paths.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";

/** Every wait of the rehearsal is longer than this. */
const longestSpinUpSeconds = 150;

export const diskRehearse = command({
  arguments: {},
  options: {
    spinUp: optionOr(
      decimalNumber({ from: 0, to: longestSpinUpSeconds, unit: "seconds", placeholder: "seconds" }),
      25,
      "what the spindle needs from standing still",
    ),
    driver: optionOr(
      choice(["kext", "dext-waits", "dext-begins"], "driver"),
      "dext-waits",
      "kext: the class driver alone; dext-waits, dext-begins: P15's wrong and right one",
    ),
    evidence: option(outputFolder, "write the panic report there, for drydock diagnose"),
    seed: { ...seedOption, summary: "of the schedule" },
    json: jsonOption,
  },
  example: "drydock disk rehearse --spin-up 25 --driver dext-begins",
  run: async (options, io) => (await import("../actions/disk-rehearse.ts")).rehearseDisk(options, io),
});
