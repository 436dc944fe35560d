// drydock policy: USB rules against a recorded bus or a rig.

import { existsSync } from "node:fs";
import { rigsWith, withUsbDevices } from "../actions/rig-list.ts";
import { argument, command, many, needed, optionOr } from "../grammar/command-row.ts";
import { inputFile } from "../grammar/input-paths.ts";
import { choice, decimalNumber, type Kind } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { captureFile } from "./trace.ts";

const ruleFile = inputFile({ takes: "rules as USBGuard writes them", content: "allow id 1234:5678\n" });
const system = choice(
  async () => (await import("@drydock/core/platform/usb-policy")).policyPlatforms.map(({ id }) => id),
  "system",
);
const targets = [...rigsWith(withUsbDevices).map(({ name }) => name), "disk"];
/** A rig's name goes before a file's; `./serial` is always a file. */
const captureOrRig: Kind<string> = {
  placeholder: "capture|rig",
  takes: `a capture (pcapng, link type 220), or one of ${targets.join(", ")}`,
  isPath: true,
  words: () => targets,
  read: async (word) => {
    if (targets.includes(word)) return word;
    if (word !== "-" && !existsSync(word))
      throw new UsageError(`takes a capture that is there, or one of ${targets.join(", ")}`);
    return (await captureFile.read(word)).path;
  },
  sample: () => "disk",
  mistakes: captureFile.mistakes,
};

export const policy = command({
  arguments: { file: argument(ruleFile, "the rules") },
  options: {
    against: needed(captureOrRig, "what they are tried on"),
    on: many(system, "a system that enforces; without one, all"),
    window: optionOr(
      decimalNumber({ from: 0, to: 3_600_000, unit: "milliseconds", placeholder: "ms" }),
      5,
      "from the choice of the configuration to a capture",
    ),
    seed: { ...seedOption, summary: "of the rig" },
    json: jsonOption,
  },
  judge: ({ against, file }, isGiven) => {
    if (isGiven("seed") && !targets.includes(against))
      throw new UsageError("--seed is a rig's: what a capture recorded does not depend on it");
    if (against === "-" && file.path === "-")
      throw new UsageError("--against and file cannot both be standard input: name a file for one of them");
  },
  notes:
    "The file is USBGuard's (usbguard-rules.conf); what that cannot say stands in comments: #: read-only DEVICE.\nExit code 1: something would get through, or some system cannot enforce a rule.",
  example: "drydock policy rules.conf --against capture.pcapng --on macos15",
  run: async (options, io) => (await import("../actions/policy.ts")).policy(options, io),
});
