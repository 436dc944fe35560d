// drydock board restore: a backup in the board's place.

import { argument, command } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { backupFile } from "./board-words.ts";

export const boardRestore = command({
  arguments: { file: argument(backupFile, "what drydock board backup wrote") },
  options: { json: jsonOption },
  example: "drydock board restore board-2026-11-30.db",
  run: async (options, io) => (await import("../actions/board.ts")).restoreBoardFrom(options, io),
});
