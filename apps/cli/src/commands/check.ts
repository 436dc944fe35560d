// drydock check: an app or driver extension before it is shipped.

import { anyArguments, command, flag, option, optionOr } from "../grammar/command-row.ts";
import { inputPath } from "../grammar/input-paths.ts";
import { choice, text } from "../grammar/option-kind.ts";
import { jsonOption, junitOption, platformName } from "../grammar/rig-options.ts";

const version = text({
  placeholder: "version",
  takes: "a version like 15.0",
  sample: "15.0",
  mostBytes: 32,
  wrong: ["abc", "15.", "15.0.0.0", "-15"],
  check: (word) => (/^\d{1,3}(\.\d{1,3}){0,2}$/.test(word) ? null : "takes a version like 15.0"),
});
const day = text({
  placeholder: "day",
  takes: "a day like 2026-12-31",
  sample: "2026-12-31",
  mostBytes: 40,
  wrong: ["abc", "2026-13-01", "2026-02-30", "31.12.2026"],
  check: (word) => {
    const match = /^(\d{4}-\d\d-\d\d)(T.*)?$/.exec(word);
    const isDay =
      match !== null &&
      !Number.isNaN(Date.parse(word)) &&
      new Date(`${match[1]}T00:00:00Z`).toISOString().startsWith(match[1]);
    return isDay ? null : "takes a day like 2026-12-31";
  },
});
const udid = text({
  placeholder: "id",
  takes: "a provisioning UDID, as System Information shows it",
  sample: "00008103-001A2B3C4D5E001E",
  mostBytes: 64,
  wrong: ["my mac", "00008103/1"],
  check: (word) => (/^[0-9A-Fa-f-]+$/.test(word) ? null : "takes a provisioning UDID of hexadecimal digits"),
});

export const check = command({
  arguments: {
    path: anyArguments(inputPath, "a package, or a source tree; without one, the folder that you are in"),
  },
  options: {
    minOs: option(version, "the oldest system that it promises; without it, what its binary says"),
    platform: option(platformName, "one system that must accept it; without it, all are listed, none must"),
    tool: optionOr(
      choice(["xcode", "codesign"], "tool"),
      "xcode",
      "xcode compares claim and profile before it builds, codesign does not",
    ),
    date: option(day, "the day on which profiles must be valid; without it, today"),
    udid: option(udid, "of the Mac it is to run on"),
    root: option(
      inputPath,
      "a certificate (PEM or DER) that signatures may end at, beside Apple's own roots: that of your own authority",
    ),
    life: flag(
      "the life of an extension, history by history: what is done, what the log and systemextensionsctl show, how well it is known; with paths, which history their lines tell",
      { clashes: ["minOs", "platform", "tool", "date", "udid", "root", "junit"] },
    ),
    github: flag("annotations of a GitHub workflow", { clashes: ["json", "life"] }),
    junit: junitOption,
    json: jsonOption,
  },
  notes:
    "Exit code 1: a stage fails, or an import is missing; 0: nothing is known to be wrong. With --life and paths, 1: no history is told.",
  example:
    "drydock check My.app\ndrydock check MyDriver.dext --min-os 15.0\ndrydock check build --github --junit check.xml\ndrydock check --life log.txt list.txt",
  run: async (options, io) =>
    options.life
      ? (await import("../actions/check-life.ts")).checkLife(options, io)
      : (await import("../actions/check.ts")).check(options, io),
});
