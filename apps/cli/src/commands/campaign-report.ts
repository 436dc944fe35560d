// drydock campaign report: what a campaign came to, the same bytes for any number of workers.

import { argument, command, flag } from "../grammar/command-row.ts";
import { campaignId, queueOption, reportForms } from "./campaign-words.ts";

export const campaignReportCommand = command({
  arguments: { campaign: argument(campaignId, "which one") },
  options: {
    queue: queueOption,
    wait: flag("until it is done"),
    ...reportForms,
    drop: flag("and take it out of the queue"),
  },
  example: "drydock campaign report 0123456789 --queue campaigns.queue --html report.html",
  notes: "It is what drydock campaign run prints for the same rig and options, byte for byte.",
  run: async (options, io) => (await import("../actions/campaign-queue.ts")).report(options, io),
});
