// drydock board backup: one file, also while the board runs.

import { argument, command } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { freshFile } from "./board-words.ts";

export const boardBackup = command({
  arguments: { file: argument(freshFile, "where to") },
  options: { json: jsonOption },
  example: "drydock board backup board-2026-11-30.db",
  run: async (options, io) => (await import("../actions/board.ts")).backupBoardTo(options, io),
});
