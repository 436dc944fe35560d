// The name of a rig, as commands take it: any, one with terminals, one with USB devices.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import { isRigFile } from "../actions/rig-file.ts";
import {
  anyRig,
  type RigNeed,
  rigNamed,
  rigsWith,
  withNetwork,
  withTerminals,
  withUsbDevices,
} from "../actions/rig-list.ts";
import { many } from "../grammar/command-row.ts";
import { choice, type Kind } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

function rigNameKind(need: RigNeed): Kind<RigEntry> {
  const names = rigsWith(need).map(({ name }) => name);
  const others = rigsWith(anyRig).filter((entry) => !need.has(entry));
  return {
    placeholder: "rig",
    takes: `one of ${names.join(", ")}, or a rig file of yours`,
    isPath: true,
    read: async (word) => {
      if (isRigFile(word)) {
        const entry = await (await import("../actions/rig-file.ts")).loadRigFile(word);
        if (!need.has(entry)) throw new UsageError(need.lacks(entry));
        return entry;
      }
      const found = rigNamed(word, need);
      if (typeof found === "string") throw new UsageError(found);
      return found;
    },
    words: () => names,
    sample: () => names[0],
    mistakes: ({ folder }) => [
      ...["no-such-rig", "", ...others.map(({ name }) => name)].map((text) => ({
        why: "wrong type" as const,
        text,
      })),
      { why: "absent", text: `${folder}/no.rig.ts` },
      { why: "a folder", text: `${folder}/` },
    ],
  };
}

export const rigName = rigNameKind(withTerminals);
export const usbRigName = rigNameKind(withUsbDevices);
export const networkRigName = rigNameKind(withNetwork);
export const anyRigName = rigNameKind(anyRig);

export const labOption = many(
  anyRigName,
  "a rig that the lab shows too, in a thread of its own: of the catalogue, or a rig file of yours",
);

/** A rig that has what a command needs; another one of the catalogue is told that it has not. */
export function rigWith<N extends string>(names: readonly N[], what: string): Kind<N> {
  const kind = choice(names, "rig");
  return {
    ...kind,
    takes: `${kind.takes}, or a rig file of yours`,
    isPath: true,
    read: async (word) => {
      // Loaded here to be judged; each thread of the command loads it again.
      if (isRigFile(word)) {
        await (await import("../actions/rig-file.ts")).loadRigFile(word);
        return word as N;
      }
      const known = names.find((name) => name === word);
      if (known !== undefined) return known;
      if (rigCatalogue.some(({ name }) => name === word))
        throw new UsageError(`"${word}" has no ${what}; there are: ${names.join(", ")}`);
      return kind.read(word);
    },
  };
}
