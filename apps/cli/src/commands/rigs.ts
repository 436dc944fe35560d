// drydock rigs: the rigs and what is in them.

import { command } from "../grammar/command-row.ts";
import { jsonOption } from "../grammar/rig-options.ts";

export const rigs = command({
  arguments: {},
  options: { json: jsonOption },
  example: "drydock rigs",
  run: async (options, io) => (await import("../actions/rig-list.ts")).listRigs(options, io),
});
