// The name of what `drydock new` makes: a folder, a file, a class.

import { parsed } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

export const projectName = parsed<string>({
  placeholder: "name",
  takes: "small letters, digits and hyphens, a letter first: the name of the folder that is made here",
  sample: "new-driver-sample",
  wrong: ["", "Name", "1st", "a b", "../x", "a/b"],
  read: (word) => {
    if (!/^[a-z][a-z0-9]*(?:-[a-z0-9]+)*$/.test(word) || word.length > 60)
      throw new UsageError("takes small letters, digits and hyphens, a letter first");
    return word;
  },
});
