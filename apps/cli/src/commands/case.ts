// drydock case: a pair of drivers, wrong and right.

import { command, flag, option, optionalArgument } from "../grammar/command-row.ts";
import { choice, wholeNumber } from "../grammar/option-kind.ts";
import { markedOutputs } from "../grammar/output-paths.ts";
import { jsonOption, ownCapture, ownTimeline, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";

const caseId = choice(async () => (await import("@drydock/cases/case-doors")).caseIds, "case");

export const caseCommand = command({
  arguments: { id: optionalArgument(caseId, "which pair; without one, list them") },
  options: {
    list: flag("list the cases", { clashes: ["pcap", "perfetto", "explore", "width", "seed"] }),
    all: flag(
      "play every pair, and say of each whether it holds: the wrong driver fails, the right one succeeds",
      {
        clashes: ["list", "pcap", "perfetto", "explore", "width"],
      },
    ),
    language: option(
      choice(["typescript", "cpp"], "language"),
      "cpp: both drivers as C++ dexts, compiled here and run over the same host; without it, TypeScript",
      { clashes: ["all", "list", "explore"] },
    ),
    seed: { ...seedOption, summary: "the same for both" },
    pcap: option(
      markedOutputs(ownCapture, ["bad", "good"]),
      "write both traces, as FILE with .bad and .good before its ending",
      { clashes: ["explore"] },
    ),
    perfetto: option(
      markedOutputs(ownTimeline, ["bad", "good"]),
      "write both whole timelines for Perfetto's viewer, named likewise",
      { clashes: ["explore"] },
    ),
    width: option(
      wholeNumber({ from: 40, to: 10_000, unit: "columns", placeholder: "columns" }),
      "width of the comparison",
      {
        clashes: ["json", "explore"],
      },
    ),
    explore: flag("every way the case's device can behave, and where each ends (P08)", { clashes: ["json"] }),
    json: jsonOption,
  },
  example: "drydock case P02\ndrydock case P02 --language cpp\ndrydock case --all --seed 7",
  judge: ({ all, id, list }, isGiven) => {
    if (id !== undefined && all) throw new UsageError("--all plays every case: leave it out, or the id");
    if (id !== undefined && list) throw new UsageError("--list lists all cases: leave it out, or the id");
    const idle = (["seed", "pcap", "perfetto", "width", "explore", "language"] as const).find(isGiven);
    if (id === undefined && idle !== undefined && !(all && idle === "seed"))
      throw new UsageError(`--${idle} means nothing without a case, for example drydock case P02`);
  },
  run: async (options, io) => (await import("../actions/case.ts")).runCase(options, io),
});
