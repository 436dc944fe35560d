// An argument that is a rig's name or a file: a rig's name goes before a file's, `./serial` is always a file.

import { existsSync } from "node:fs";
import { anyRig, type RigOrFile, rigNamed, rigsWith } from "../actions/rig-list.ts";
import { inputFile } from "../grammar/input-paths.ts";
import type { Kind } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** `content`: of a file that a test gives. */
export function rigOrFile(what: string, content: string): Kind<RigOrFile> {
  const names = rigsWith(anyRig).map(({ name }) => name);
  const files = inputFile({ takes: what, content });
  return {
    placeholder: "rig|file",
    takes: `one of ${names.join(", ")}, a rig file of yours, or ${what}; - is standard input`,
    isPath: true,
    words: () => names,
    read: async (word) => {
      if (/\.[cm]?[jt]s$/.test(word))
        return { rig: await (await import("../actions/rig-file.ts")).loadRigFile(word), file: null };
      const found = rigNamed(word, anyRig);
      if (typeof found !== "string") return { rig: found, file: null };
      if (word !== "-" && !existsSync(word))
        throw new UsageError(`needs a file that is there, or ${found.replace(/^is /, "")}`);
      return { rig: null, file: await files.read(word) };
    },
    sample: (place) => files.sample(place),
    mistakes: (place) => [
      { why: "absent", text: "no-such-rig" },
      { why: "absent", text: `${place.folder}/no.rig.ts` },
      ...files.mistakes(place),
    ],
  };
}
