// drydock board owner-link: the owner's way back to a board for many.

import { command } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";
import { boardPort, databaseOption, originOption } from "./board-words.ts";

export const boardOwnerLink = command({
  arguments: {},
  options: {
    port: { ...boardPort, clashes: ["origin"] },
    origin: originOption,
    database: databaseOption,
    json: jsonOption,
  },
  example: "drydock board owner-link",
  notes:
    "Good once, for a day; earlier links are good no more. Whoever may read the board's database may make one.",
  run: async (options, io) => (await import("../actions/board.ts")).tellOwnerLink(options, io),
});
