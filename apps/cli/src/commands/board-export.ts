// drydock board export: one folder a post.

import { argument, command } from "../grammar/command-row.ts";
import { outputFolder } from "../grammar/output-paths.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { databaseOption } from "./board-words.ts";

export const boardExport = command({
  arguments: { folder: argument(outputFolder, "where to; files of an earlier export are renewed") },
  options: { database: databaseOption, json: jsonOption },
  example: "drydock board export my-board",
  run: async (options, io) => (await import("../actions/board.ts")).exportBoardTo(options, io),
});
