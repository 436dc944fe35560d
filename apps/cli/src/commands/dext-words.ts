// Arguments and options that the dext commands share.

import { option, someArguments } from "../grammar/command-row.ts";
import { inputPath } from "../grammar/input-paths.ts";
import { text } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { anyRigName } from "./rig-name.ts";

export const dextPaths = someArguments(
  inputPath,
  "an Xcode project, a folder, or a driver's .iig and .cpp files",
);

const targetName = text({
  placeholder: "name",
  takes: "the name of a target",
  sample: "MyDriver",
  mostBytes: 128,
  wrong: [""],
  check: (word) => (word === "" ? "takes the name of a target" : null),
});

export const targetOption = option(targetName, "which dext, where a project has several");

export const dextRunOptions = {
  target: targetOption,
  rig: option(anyRigName, "whose devices; without it, a device is made as the personality asks for it"),
  seed: seedOption,
  json: jsonOption,
} as const;
