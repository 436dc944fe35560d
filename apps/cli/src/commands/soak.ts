// drydock soak: virtual hours of work on a rig, with plug cycles; a failing schedule is shrunk.

import { argument, command, option, optionOr } from "../grammar/command-row.ts";
import { decimalNumber, parsed, wholeNumber } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile } from "../grammar/output-paths.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { anyRigName } from "./rig-name.ts";

/** Ours is read before it is written, so that a soak goes on. */
const stateFile: OwnFile = {
  what: "a state that drydock soak wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").includes('"drydock soak"'),
};

const actionNumbers = parsed<readonly number[]>({
  placeholder: "numbers",
  takes: "numbers of actions from 0, rising, with commas between them",
  sample: "3,17",
  wrong: ["", "a", "3,", "17,3", "3,3", "-1"],
  read: (word) => {
    const numbers = word.split(",").map((part) => (/^\d{1,9}$/.test(part) ? Number(part) : Number.NaN));
    const isRising = numbers.every((number, at) => at === 0 || number > numbers[at - 1]);
    if (numbers.some(Number.isNaN) || !isRising)
      throw new UsageError("takes numbers of actions from 0, rising, with commas between them");
    return numbers;
  },
});

export const soakCommand = command({
  arguments: {
    rig: argument(anyRigName, "any rig: disks are written and read, ports echo, keys are pressed"),
  },
  options: {
    hours: optionOr(decimalNumber({ from: 0, to: 10_000, above: true }), 12, "virtual hours"),
    perHour: optionOr(wholeNumber({ from: 1, to: 1e7 }), 3600, "actions in each virtual hour"),
    plugEvery: optionOr(wholeNumber({ from: 0, to: 1e9 }), 600, "a plug cycle every so many; 0: none"),
    loseWritesAfter: option(
      decimalNumber({ from: 0, to: 10_000 }),
      "a fault to find: the device loses what it is given after so many virtual hours",
    ),
    seed: seedOption,
    seeds: optionOr(wholeNumber({ from: 1, to: 1e6 }), 1, "so many seeds, from --seed on"),
    only: option(actionNumbers, "of the drawn actions only these: shows a shrunk schedule again", {
      clashes: ["seeds", "state"],
    }),
    workers: option(wholeNumber({ from: 1, to: 1024 }), "threads for several seeds; default: one per core"),
    state: option(outputFile(stateFile), "where it stands: read first, written after each seed, resumes"),
    json: jsonOption,
  },
  example: "drydock soak nvme --hours 12 --seed 7\ndrydock soak storage --seeds 100 --state storage.soak",
  judge: ({ hours, perHour }) => {
    if (hours * perHour > 1e8)
      throw new UsageError(
        "--hours and --per-hour make more than 100 million actions for each seed; take fewer",
      );
    if (Math.round(hours * perHour) < 1)
      throw new UsageError("--hours and --per-hour make no action at all; take more");
  },
  run: async (options, io) => (await import("../actions/soak.ts")).soakRig(options, io),
});
