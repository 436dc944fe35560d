// drydock completion: scripts that make the shell finish commands, options, names and paths.

import { type CommandTable, command, flag, optionalArgument } from "../grammar/command-row.ts";
import { completionScript, shells, tableDocument } from "../grammar/completion-scripts.ts";
import { choice } from "../grammar/option-kind.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** `table` is the table that this row stands in. */
export const completionOf = (table: () => CommandTable) =>
  command({
    arguments: { shell: optionalArgument(choice(shells, "shell"), "which shell") },
    options: { json: flag("the table of commands as one JSON document, in place of a script") },
    example:
      'eval "$(drydock completion bash)"\ndrydock completion fish > ~/.config/fish/completions/drydock.fish',
    judge: ({ shell, json }) => {
      if (shell === undefined && !json) throw new UsageError(`shell is missing: one of ${shells.join(", ")}`);
      if (shell !== undefined && json)
        throw new UsageError("--json describes the commands for no shell: leave one out");
    },
    run: async ({ shell }, io) => {
      if (shell === undefined) io.document(await tableDocument(table()));
      else io.printAsIs(await completionScript(shell, table()));
    },
  });
