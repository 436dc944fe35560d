// drydock board publish: a copy for reading, as static files.

import { argument, command } from "../grammar/command-row.ts";
import { outputFolder } from "../grammar/output-paths.ts";
import { jsonOption } from "../grammar/rig-options.ts";

export const boardPublish = command({
  arguments: { folder: argument(outputFolder, "where to; files of an earlier copy are renewed") },
  options: { json: jsonOption },
  example: "drydock board publish public",
  run: async (options, io) => (await import("../actions/board.ts")).publishBoardTo(options, io),
});
