// drydock diagnose: whatever a person has, in; cause, evidence, fix and who must act, out.

import { command, flag, option, someArguments } from "../grammar/command-row.ts";
import { inputPath } from "../grammar/input-paths.ts";
import { wholeNumber } from "../grammar/option-kind.ts";
import { junitOption } from "../grammar/rig-options.ts";

const formats = ["json", "sarif", "html", "github"];
const others = (name: string) => ({ clashes: [...formats, "all", "width"].filter((each) => each !== name) });

export const diagnose = command({
  arguments: { path: someArguments(inputPath, "evidence") },
  options: {
    json: flag("one JSON document, as packages/doctor/diagnosis.schema.json says", others("json")),
    sarif: flag("SARIF 2.1.0, for code scanning services and editors", others("sarif")),
    html: flag("one HTML file that needs nothing else", others("html")),
    github: flag("annotations of a GitHub workflow", others("github")),
    junit: junitOption,
    redact: flag("what names a person, a team, a machine or a file becomes a word"),
    all: flag("every answer in full, and what fits many causes"),
    width: option(
      wholeNumber({ from: 40, to: 10_000, unit: "columns", placeholder: "columns" }),
      "columns of the report; without it, the terminal's",
    ),
  },
  notes: "Exit code 1: something is known about it; 0: nothing is.",
  example: "drydock diagnose FOLDER\nlog show --last 1h | drydock diagnose -",
  run: async (options, io) => (await import("../actions/diagnose.ts")).diagnosePaths(options, io),
});
