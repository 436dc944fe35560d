// drydock campaign run: what a driver really did, with each access of it lost, late, wrong and doubled in turn.

import type { AccessFault } from "@drydock/core/faults/access-faults";
import { command, many, option } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { type Kind, parsed, wholeNumber } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile, outputFolder } from "../grammar/output-paths.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { campaignRig, campaignWish, reportForms } from "./campaign-words.ts";

const planFile = inputFile({ takes: "a fault plan, as --findings and --save write them", content: "" });
const ownPlan: OwnFile = {
  what: "a fault plan that drydock wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").includes('"drydock fault plan"'),
};
const strike: Kind<AccessFault> = parsed({
  placeholder: "fault",
  takes:
    "lost, late, wrong or doubled, an access and its number, of which bit, how late: lost:interrupt:3, wrong:dma-read:5:bit17",
  sample: "lost:transfer:3",
  wrong: [
    "lost",
    "",
    "lost:interrupt",
    "lost:interrupt:0",
    "stolen:interrupt:3",
    "lost:thing:3",
    "lost:interrupt:3:4",
  ],
  read: async (word) => (await import("@drydock/core/trials/fault-plan")).parseAccessFault(word),
});

export const campaignRun = command({
  arguments: {
    rig: campaignRig,
  },
  options: {
    ...campaignWish,
    strike: many(strike, "these faults alone, in one run: shows a finding again", {
      clashes: ["plan", "most", "html", "junit"],
    }),
    plan: option(planFile, "the faults of this file alone, in one run", {
      clashes: ["most", "seed", "html", "junit"],
    }),
    save: option(outputFile(ownPlan), "write the struck faults as a plan, each with what it strikes", {
      needs: ["strike"],
    }),
    findings: option(outputFolder, "write a plan for each rule that was broken, shrunk", {
      clashes: ["strike", "plan"],
    }),
    workers: option(wholeNumber({ from: 1, to: 1024 }), "processes; default: one per core"),
    ...reportForms,
  },
  example:
    "drydock campaign run nvme\ndrydock campaign run uas --strike lost:transfer:40 --save lost.json\ndrydock campaign run uas --plan lost.json",
  notes: `The workload is recorded once. Then each register access, DMA, interrupt and transfer of it is lost, late, wrong and doubled,
one a run, and pairs of them; with --seeds one fault is drawn for each seed. A run counts only if its faults have struck; findings are counted by the rule that they break.`,
  judge: ({ seeds }, isGiven) => {
    const isOneRun = isGiven("strike") || isGiven("plan");
    if (seeds > 0 && (isOneRun || isGiven("pairs")))
      throw new UsageError(
        `--seeds is a campaign of one drawn fault a seed; leave ${isGiven("pairs") ? "--pairs" : "--strike and --plan"} out`,
      );
    if (isGiven("pairs") && isOneRun)
      throw new UsageError(
        "--pairs is of a whole campaign, and --strike and --plan are one run; leave one of them out",
      );
  },
  run: async (options, io) => (await import("../actions/campaign.ts")).runCampaign(options, io),
});
