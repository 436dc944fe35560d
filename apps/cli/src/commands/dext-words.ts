// Arguments and options that the dext commands share.

import { coveragePageHead, lcovHead } from "@drydock/dext/run/coverage-report";
import { flag, option, optionOr, someArguments } from "../grammar/command-row.ts";
import { inputPath } from "../grammar/input-paths.ts";
import { decimalNumber, text } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile } from "../grammar/output-paths.ts";
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

/** Node's timers take no more than 2^31 milliseconds. */
const patienceSeconds = decimalNumber({
  from: 0,
  above: true,
  to: 86_400,
  unit: "seconds",
  placeholder: "seconds",
  sample: 20,
});

const ownLcov: OwnFile = {
  what: "a tracefile that drydock wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").startsWith(lcovHead),
};
const ownCoveragePage: OwnFile = {
  what: "a page that drydock wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").startsWith(coveragePageHead),
};

export const dextRunOptions = {
  target: targetOption,
  rig: option(anyRigName, "whose devices; without it, a device is made as the personality asks for it"),
  seed: seedOption,
  patience: optionOr(
    patienceSeconds,
    20,
    "real seconds after which a function of the dext that does not come back is ended",
  ),
  sanitize: flag(
    "built so that every access of its memory, and what C++ leaves undefined, is checked: several times slower",
  ),
  coverage: option(outputFile(ownLcov), "write which of its lines and functions ran, as lcov's tracefile"),
  coveragePage: option(outputFile(ownCoveragePage), "write the same as a page"),
  noJspi: flag("suspend calls without the engine's help (JSPI): a thread for each that waits"),
  json: jsonOption,
} as const;
