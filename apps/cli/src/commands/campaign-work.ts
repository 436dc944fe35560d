// drydock campaign work: makes the runs of the campaigns in a queue.

import { command, flag, many, option } from "../grammar/command-row.ts";
import { wholeNumber } from "../grammar/option-kind.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { queueOption, rigWord } from "./campaign-words.ts";

export const campaignWork = command({
  arguments: {},
  options: {
    queue: queueOption,
    rig: many(rigWord, "a rig file of yours that campaigns may be of; what a queue names is never loaded"),
    workers: option(wholeNumber({ from: 1, to: 1024 }), "processes; default: one per core"),
    untilDone: flag("end when no campaign is open that this Drydock can make"),
    json: jsonOption,
  },
  example: "drydock campaign work --queue campaigns.queue --until-done",
  notes: `Ctrl-C finishes the parts under way, a second one ends at once: they are somebody else's ten seconds later. A part that three
workers do not survive is not tried again, and the report says so. A queue that goes away is waited for.`,
  run: async (options, io) => (await import("../actions/campaign-queue.ts")).work(options, io),
});
