// The drydock command: one line of words in, one exit code out.

import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";
import { processIo } from "./terminal/command-io.ts";

process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  // A reader that went away (`drydock trace F | head`) is no error.
  if (error.code === "EPIPE") process.exit(0);
  throw error;
});

process.exitCode = await runCommandLine(commandTable, process.argv.slice(2), processIo());
