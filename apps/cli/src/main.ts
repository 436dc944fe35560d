// The drydock command: one line of words in, one exit code out.

import { commandTable } from "./command-table.ts";
import { runCommandLine, sayProblem } from "./grammar/command-line.ts";
import { releaseAll } from "./grammar/held-claims.ts";
import { processIo } from "./terminal/command-io.ts";
import { exitCodes } from "./terminal/exit-codes.ts";
import { endWithParent } from "./terminal/parent.ts";

/** A reader that went away (`drydock trace F | head`), a terminal that was closed. */
const goneReaders = new Set(["EPIPE", "EIO", "ERR_STREAM_DESTROYED"]);

// No error, and no reason to leave anything half done.
for (const stream of [process.stdout, process.stderr])
  stream.on("error", (error: NodeJS.ErrnoException) => {
    if (!goneReaders.has(error.code ?? "")) throw error;
  });
endWithParent();

const io = processIo();
// What nobody awaited goes wrong in the rig, too: said in a line, with the exit code that says so, nothing left behind.
const end = (error: unknown): void => {
  const code = sayProblem(error, io);
  releaseAll();
  process.exit(code === exitCodes.usage ? exitCodes.rigError : code);
};
process.on("uncaughtException", end);
process.on("unhandledRejection", end);

process.exitCode = await runCommandLine(commandTable, process.argv.slice(2), io);
