// drydock explore: the cable pulled at every step of a rig's scenario, and put in again; every way out.

import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { argument, command, flag, option, optionOr } from "../grammar/command-row.ts";
import { choice, wholeNumber } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile } from "../grammar/output-paths.ts";
import { jsonOption, junitOption, ownJunit, seedOption } from "../grammar/rig-options.ts";
import { rigWith } from "./rig-name.ts";

/** Ours is read before it is written, so that an exploration goes on. */
const stateFile: OwnFile = {
  what: "a state that drydock explore wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").includes('"drydock explore"'),
};
/** Drivers of cases that can be explored beside the catalogue's rigs. */
const caseDrivers = ["p14-bad", "p14-good"];

export const exploreCommand = command({
  arguments: {
    rig: argument(
      rigWith([...rigCatalogue.map(({ name }) => name), ...caseDrivers], "scenario to explore"),
      "whose scenario",
    ),
  },
  options: {
    seed: seedOption,
    replug: optionOr(
      wholeNumber({ from: 0, to: 10_000 }),
      0,
      "pairs: put the cable in again, 1 to so many steps after each",
    ),
    at: option(wholeNumber({ from: 1, to: 1e9 }), "this step only: shows a finding again"),
    replugAfter: option(wholeNumber({ from: 1, to: 1e9 }), "with --at: in again so many steps later", {
      needs: ["at"],
    }),
    wayOut: option(choice(["stop", "crash", "sleep"], "way"), "this way out only: shows a finding again", {
      clashes: ["at"],
    }),
    most: option(wholeNumber({ from: 1, to: 1e9 }), "so many trials this time"),
    workers: option(wholeNumber({ from: 1, to: 1024 }), "threads; default: one per core"),
    state: option(outputFile(stateFile), "where it stands: read first, written as it goes, resumes"),
    github: flag("annotations of a GitHub workflow", { clashes: ["json", "at", "wayOut"] }),
    junit: option(outputFile(ownJunit), junitOption.summary, { clashes: ["at", "wayOut"] }),
    json: jsonOption,
  },
  example:
    "drydock explore nvme --seed 7\ndrydock explore nvme --github --junit explore.xml\ndrydock explore p14-bad --replug 4",
  notes: `Besides the rigs: ${caseDrivers.join(" and ")}, the drivers of case P14. With a PCI device every way out is tried as well (stop,
crash, sleep), with the order in which the driver let go; and reads that were lucky are listed with their call sites.`,
  run: async (options, io) => (await import("../actions/explore.ts")).exploreRig(options, io),
});
