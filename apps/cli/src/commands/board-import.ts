// drydock board import: folders of posts into the board.

import { argument, command } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { boardFolder, databaseOption } from "./board-words.ts";

export const boardImport = command({
  arguments: { folder: argument(boardFolder, "what drydock board export wrote") },
  options: { database: databaseOption, json: jsonOption },
  example: "drydock board import my-board",
  run: async (options, io) => (await import("../actions/board.ts")).importBoardFrom(options, io),
});
