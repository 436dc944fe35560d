// What runs a client's command lines for drydock mcp, in a process that Node keeps from writing (mcp/reader.ts).

import { commandTable } from "./command-table.ts";
import { runCommandLine } from "./grammar/command-line.ts";
import type { ReaderAnswer, ToReader } from "./mcp/reader.ts";
import { heldIo } from "./terminal/held-io.ts";
import { refuseOwnCode } from "./terminal/own-code.ts";

/** Characters of an answer that are held; what a client gets is cut further. */
const mostCharacters = 64 << 20;

process.on("message", async ({ mayLoadCode, words }: ToReader) => {
  if (!mayLoadCode)
    refuseOwnCode("start drydock mcp with --allow-run for that, and only for those you would let run it");
  const io = heldIo(mostCharacters);
  const code = await runCommandLine(commandTable, words, io);
  process.send?.({ code, printed: io.printed(), said: io.said() } satisfies ReaderAnswer);
});
process.on("disconnect", () => process.exit());
