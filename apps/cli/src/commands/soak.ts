// drydock soak: virtual hours of I/O on a rig, with plug cycles; a failing schedule is shrunk.

import { argument, command, option, optionOr } from "../grammar/command-row.ts";
import { decimalNumber, wholeNumber } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { rigWith } from "./rig-name.ts";

export const soakCommand = command({
  words: ["soak"],
  summary: "virtual hours of I/O with plug cycles: what fails, and the shortest schedule that shows it",
  arguments: { rig: argument(rigWith(["nvme"], "load to soak it with"), "nvme: a disk behind PCI") },
  options: {
    hours: optionOr(decimalNumber({ from: 0, to: 10_000, above: true }), 12, "virtual hours"),
    perHour: optionOr(wholeNumber({ from: 1, to: 1e7 }), 3600, "requests in each virtual hour"),
    plugEvery: optionOr(wholeNumber({ from: 0, to: 1e9 }), 600, "a plug cycle every so many; 0: none"),
    loseWritesAfter: option(
      decimalNumber({ from: 0, to: 10_000 }),
      "a fault to find: the device loses writes after so many virtual hours",
    ),
    seed: seedOption,
    json: jsonOption,
  },
  example: "drydock soak nvme --hours 12 --seed 7",
  run: async (options, io) => (await import("../actions/soak.ts")).soakRig(options, io),
});
