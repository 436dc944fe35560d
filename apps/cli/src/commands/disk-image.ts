// The file that keeps a disk: there already, or to be made where it is named.

import { accessSync, constants, lstatSync, statSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { shown } from "@drydock/core/base/shown-text";
import { systemSentence } from "@drydock/node/system-words";
import type { Kind } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

let samples = 0;

/** A path: that it is an image, long enough and nobody else's, is judged where it is opened. */
export const diskImage: Kind<string> = {
  placeholder: "path",
  takes: "a file that is there or can be made",
  isPath: true,
  read: (path) => {
    if (path === "") throw new UsageError('needs a path, not ""');
    try {
      const link = lstatSync(path, { throwIfNoEntry: false });
      const status = statSync(path, { throwIfNoEntry: false });
      if (link !== undefined && status === undefined)
        throw new UsageError(
          `cannot be used: ${shown(path)} is a link that leads nowhere; remove it, or name its target`,
        );
      if (status?.isDirectory() === true) throw new UsageError(`needs a file; ${shown(path)} is a folder`);
      if (status !== undefined && !status.isFile())
        throw new UsageError(
          `needs a file; ${shown(path)} is ${status.isBlockDevice() ? "a disk of this machine, which would be written over" : "none"}`,
        );
      if (status !== undefined) accessSync(path, constants.R_OK);
      else if (statSync(dirname(path), { throwIfNoEntry: false })?.isDirectory() !== true)
        throw new UsageError(`cannot be made: there is no folder ${shown(dirname(path))}; make it first`);
      else accessSync(dirname(path), constants.W_OK);
      return path;
    } catch (error) {
      if (error instanceof UsageError) throw error;
      throw new UsageError(`cannot be used: ${systemSentence(error, path)}`);
    }
  },
  sample: ({ folder }) => join(folder, `fresh-${++samples}.img`),
  mistakes: ({ folder }) => {
    const file = join(folder, "a-file");
    writeFileSync(file, "three years of work");
    return [
      { why: "absent", text: join(folder, "no-folder", "disk.img") },
      { why: "unwritable", text: join(file, "disk.img") },
      { why: "a folder", text: folder },
      { why: "wrong type", text: "" },
    ];
  },
};
