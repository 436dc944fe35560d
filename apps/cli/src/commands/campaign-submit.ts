// drydock campaign submit: a campaign into a queue, for whoever works there.

import { command, option } from "../grammar/command-row.ts";
import { parsed } from "../grammar/option-kind.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { campaignRig, campaignWish, queueOption } from "./campaign-words.ts";

const post = parsed({
  placeholder: "post",
  takes: "a post of the board: P11",
  sample: "P11",
  wrong: ["", "11", "P", "P1234", "post"],
  read: (word) => {
    if (!/^P\d{2,3}$/i.test(word)) throw new RangeError(`"${word}" is no post`);
    return word;
  },
});

export const campaignSubmit = command({
  arguments: { rig: campaignRig },
  options: {
    ...campaignWish,
    queue: queueOption,
    post: option(post, "the board shows how far it is beside this post"),
    json: jsonOption,
  },
  example:
    "drydock campaign submit nvme --queue campaigns.queue\nDRYDOCK_QUEUE=postgres://me@db/queue drydock campaign submit serial --seeds 1000000",
  notes: `The campaign's name goes to stdout. Workers make its runs: drydock campaign work. A worker takes only what was submitted with the
same Drydock and the same rig file, byte for byte; others leave it.`,
  run: async (options, io) => (await import("../actions/campaign-queue.ts")).submit(options, io),
});
