// drydock explore: the cable pulled at every step of a rig's scenario.

import { explorables } from "@drydock/core/trials/explore";
import { argument, command, option } from "../grammar/command-row.ts";
import { wholeNumber } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile } from "../grammar/output-paths.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { rigWith } from "./rig-name.ts";

/** Ours is read before it is written, so that an exploration goes on. */
const stateFile: OwnFile = {
  what: "a state that drydock explore wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").includes('"drydock explore"'),
};

export const exploreCommand = command({
  words: ["explore"],
  summary: "pull the cable at every step of a rig's scenario: does anything panic, hang, leak?",
  arguments: {
    rig: argument(
      rigWith(
        explorables.map(({ name }) => name),
        "scenario to explore",
      ),
      "whose scenario",
    ),
  },
  options: {
    seed: seedOption,
    at: option(wholeNumber({ from: 1, to: 1e9 }), "this step only: shows a finding again"),
    most: option(wholeNumber({ from: 1, to: 1e9 }), "so many steps this time"),
    state: option(outputFile(stateFile), "where it stands: read first, written as it goes, resumes"),
    json: jsonOption,
  },
  example: "drydock explore nvme --seed 7",
  run: async (options, io) => (await import("../actions/explore.ts")).exploreRig(options, io),
});
