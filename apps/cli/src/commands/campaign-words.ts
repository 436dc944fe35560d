// What the campaign commands share: their rig, what is to be run, their queue, the forms of a report.

import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { argument, option, optionOr } from "../grammar/command-row.ts";
import { type Kind, parsed, wholeNumber } from "../grammar/option-kind.ts";
import { type OwnFile, outputFile } from "../grammar/output-paths.ts";
import { jsonOption, junitOption, seedOption } from "../grammar/rig-options.ts";
import { diskImage } from "./disk-image.ts";
import { rigWith } from "./rig-name.ts";

export const rigWord = rigWith(
  rigCatalogue.map(({ name }) => name),
  "workload to record",
);
export const campaignRig = argument(rigWord, "whose workload");

export const campaignWish = {
  seed: seedOption,
  seeds: optionOr(
    wholeNumber({ from: 0, to: 1_000_000_000 }),
    0,
    "so many seeds from --seed on, one drawn fault in each, in place of every fault of one",
  ),
  pairs: optionOr(wholeNumber({ from: 0, to: 1_000_000 }), 200, "pairs of faults, drawn from the seed"),
  most: option(wholeNumber({ from: 1, to: 1e9 }), "so many single faults, evenly over the workload"),
};

const queueFile: Kind<string> = {
  ...diskImage,
  placeholder: "file",
  takes: "a queue's SQLite file, or a text file whose first line is postgres://user@host:5432/name",
};
export const queueOption = option(queueFile, "the queue; without it DRYDOCK_QUEUE, a file or an address");

export const campaignId = parsed({
  placeholder: "campaign",
  takes: "the ten letters and digits that campaign submit printed",
  sample: "0123456789",
  wrong: ["", "012345678", "0123456789a", "ABCDEF0123", "../campaign"],
  read: (word) => {
    if (!/^[0-9a-f]{10}$/.test(word)) throw new RangeError(`"${word}" is no campaign`);
    return word;
  },
});

const ownPage: OwnFile = {
  what: "a page that drydock wrote",
  isOurs: (head) => Buffer.from(head).toString("latin1").includes("<title>Drydock campaign"),
};

export const reportForms = {
  json: jsonOption,
  html: option(outputFile(ownPage), "write the report as one HTML file"),
  junit: junitOption,
};
