// drydock lab: a run of the lab without its page, act by act.

import { command, flag, many, option, optionalArgument, optionOr } from "../grammar/command-row.ts";
import { choice, type Kind, text } from "../grammar/option-kind.ts";
import { outputFile, outputFolder } from "../grammar/output-paths.ts";
import {
  faultOption,
  jsonOption,
  ownCapture,
  ownTimeline,
  seedOption,
  usbFault,
} from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { anyRigName } from "./rig-name.ts";

/** What the lab can open: a rig, a case, or a link of it. */
const labTarget: Kind<string> = {
  placeholder: "what",
  takes: "a rig, a rig file of yours, a case, or a link of the lab",
  isPath: true,
  read: async (word) => {
    if (word.includes("#/")) return word.slice(word.indexOf("#/"));
    const { caseIds } = await import("@drydock/cases/case-doors");
    if (caseIds.some((id) => id.toLowerCase() === word.toLowerCase())) return word.toUpperCase();
    await anyRigName.read(word);
    return word;
  },
  words: async () => {
    const { caseIds } = await import("@drydock/cases/case-doors");
    return [...(await (anyRigName.words?.() ?? [])), ...caseIds];
  },
  sample: () => "serial",
  mistakes: ({ folder }) => [
    { why: "wrong type", text: "no-such-rig" },
    { why: "wrong type", text: "" },
    { why: "absent", text: `${folder}/no.rig.ts` },
  ],
};

const act: Kind<string> = {
  ...text({
    placeholder: "act",
    takes: 'an act of the lab with what it takes, for example "unplug 1"',
    sample: "run-to 0.5",
    mostBytes: 4096,
  }),
  read: async (word) => {
    const { parseAct } = await import("@drydock/lab/session/acts");
    try {
      const { name } = parseAct(word);
      if (name === "run") throw new RangeError('time goes on with "run-to SECONDS" here');
    } catch (error) {
      throw new UsageError(error instanceof RangeError ? error.message : String(error));
    }
    return word;
  },
  mistakes: () => [
    { why: "wrong type", text: "dance" },
    { why: "wrong type", text: "step twice" },
    { why: "wrong type", text: "" },
  ],
};

/** Judged here, and handed on as it was typed. */
const faultText: Kind<string> = {
  ...usbFault,
  read: async (word) => {
    await usbFault.read(word);
    return word;
  },
};

export const lab = command({
  arguments: { what: optionalArgument(labTarget, "what to open; without it, serial") },
  options: {
    side: optionOr(choice(["bad", "good"], "side"), "bad", "of a case: the wrong driver, or the right one"),
    seed: seedOption,
    fault: many(faultText, faultOption.summary),
    act: many(act, "what is done with it, in this order"),
    trace: flag("every row of it on stdout, a line each", { clashes: ["json"] }),
    pcap: option(outputFile(ownCapture), "write the USB traffic as pcapng"),
    perfetto: option(outputFile(ownTimeline), "write the whole timeline for Perfetto's viewer"),
    export: option(outputFolder, "write the lab's page as files, for any web server or a double click", {
      clashes: ["side", "seed", "fault", "act", "trace", "pcap", "perfetto"],
    }),
    json: jsonOption,
  },
  judge: (values, isGiven) => {
    const { what } = values;
    if (values.export !== undefined && what !== undefined)
      throw new UsageError("--export writes the whole lab: leave out what to open");
    const idle = (["side", "seed", "fault"] as const).find(isGiven);
    if (what?.startsWith("#") === true && idle !== undefined)
      throw new UsageError(`a link says everything: leave --${idle} out, or change the link`);
  },
  example:
    'drydock lab serial --seed 7 --act "run-to 0.5" --act "unplug 1" --act "run-to 2"\ndrydock lab "#/trace/P02?seed=7&side=bad" --json\ndrydock lab --export lab-pages',
  notes:
    "The page's \"Copy command line\" writes such a line: the same acts at the same steps, and so the same digest. Exit code 1: a panic, or a case's driver that fails.",
  run: async (options, io) => (await import("../actions/lab.ts")).playInLab(options, io),
});
