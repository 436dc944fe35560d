// The drydock command: one line of words in, one exit code out.

import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";
import { processIo } from "./terminal/command-io.ts";
import { endWithParent } from "./terminal/parent.ts";

/** A reader that went away (`drydock trace F | head`), a terminal that was closed. */
const goneReaders = new Set(["EPIPE", "EIO", "ERR_STREAM_DESTROYED"]);

// No error, and no reason to leave anything half done.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (!goneReaders.has(error.code ?? "")) throw error;
  });
endWithParent();

process.exitCode = await runCommandLine(commandTable, process.argv.slice(2), processIo());
