// drydock campaign status: how far the campaigns of a queue are.

import { command, optionalArgument } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { campaignId, queueOption } from "./campaign-words.ts";

export const campaignStatusCommand = command({
  arguments: { campaign: optionalArgument(campaignId, "this one alone") },
  options: { queue: queueOption, json: jsonOption },
  example: "drydock campaign status --queue campaigns.queue",
  run: async (options, io) => (await import("../actions/campaign-queue.ts")).status(options, io),
});
