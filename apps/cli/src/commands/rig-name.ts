// The name of a rig, as commands take it: any, one with terminals, one with USB devices.

import type { RigEntry } from "@drydock/core/rigs/catalogue";
import { rigCatalogue } from "@drydock/core/rigs/catalogue";
import {
  anyRig,
  type RigNeed,
  rigNamed,
  rigsWith,
  withTerminals,
  withUsbDevices,
} from "../actions/rig-list.ts";
import { choice, type Kind } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

function rigNameKind(need: RigNeed): Kind<RigEntry> {
  const names = rigsWith(need).map(({ name }) => name);
  const others = rigsWith(anyRig).filter((entry) => !need.has(entry));
  return {
    placeholder: "rig",
    takes: `one of ${names.join(", ")}`,
    read: (word) => {
      const found = rigNamed(word, need);
      if (typeof found === "string") throw new UsageError(found);
      return found;
    },
    words: () => names,
    sample: () => names[0],
    mistakes: () =>
      ["no-such-rig", "", ...others.map(({ name }) => name)].map((text) => ({ why: "wrong type", text })),
  };
}

export const rigName = rigNameKind(withTerminals);
export const usbRigName = rigNameKind(withUsbDevices);
export const anyRigName = rigNameKind(anyRig);

/** A rig that has what a command needs; another one of the catalogue is told that it has not. */
export function rigWith<N extends string>(names: readonly N[], what: string): Kind<N> {
  const kind = choice(names, "rig");
  return {
    ...kind,
    read: (word) => {
      const known = names.find((name) => name === word);
      if (known !== undefined) return known;
      if (rigCatalogue.some(({ name }) => name === word))
        throw new UsageError(`"${word}" has no ${what}; there are: ${names.join(", ")}`);
      return kind.read(word);
    },
  };
}
