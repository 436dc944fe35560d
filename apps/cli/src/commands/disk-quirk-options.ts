// How a disk misbehaves, as options: firmware by the names of its quirks, and places that have gone bad.

import type { DiskQuirk } from "@drydock/core/devices/scsi-disk/disk-quirks";
import type { BadBlocks } from "../actions/quirky-disk.ts";
import { many, type OptionRules } from "../grammar/command-row.ts";
import { type Kind, parsed } from "../grammar/option-kind.ts";

const quirks: Kind<readonly DiskQuirk[]> = {
  ...parsed<readonly DiskQuirk[]>({
    placeholder: "names",
    takes: "names of quirks with commas between them, as vpd-hangs,no-write-same",
    sample: "vpd-hangs,no-write-same",
    wrong: ["no-such-quirk", "", "vpd-hangs,,no-vpd", "constructor"],
    read: async (word) =>
      (await import("@drydock/core/devices/scsi-disk/disk-quirks")).findDiskQuirks(word.split(",")),
  }),
  words: async () =>
    (await import("@drydock/core/devices/scsi-disk/disk-quirks")).diskQuirks.map(({ name }) => name),
};

const badBlocks: Kind<BadBlocks> = parsed({
  placeholder: "blocks",
  takes: "a block or a range of blocks, as 100, 2000-2010 or 7! (which writing does not heal)",
  sample: "2000-2010",
  wrong: ["abc", "", "-1", "5-4", "1.5", "9007199254740993"],
  read: (word) => {
    const match = /^(\d+)(?:-(\d+))?(!?)$/.exec(word);
    const first = Number(match?.[1]);
    const last = Number(match?.[2] ?? match?.[1]);
    if (match === null || !Number.isSafeInteger(last) || last < first) throw new RangeError("no range");
    return { lba: first, blocks: last - first + 1, isDead: match[3] === "!" };
  },
});

export const diskQuirkOptions = (rules: OptionRules = {}) => ({
  quirk: many(quirks, "firmware that misbehaves; docs/disk-quirks.md says how", rules),
  badBlocks: many(badBlocks, "blocks that cannot be read: MEDIUM ERROR, until they are written", rules),
});
