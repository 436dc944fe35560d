// drydock check-transport: a port's contract list, check by check.

import { command, optionalArgument } from "../grammar/command-row.ts";
import { choice } from "../grammar/option-kind.ts";
import { jsonOption, seedOption } from "../grammar/rig-options.ts";

const transport = choice(
  async () => (await import("@drydock/node/transport-checks")).checkedTransports,
  "transport",
);

export const checkTransport = command({
  arguments: { name: optionalArgument(transport, "which one; without it, all") },
  options: { seed: seedOption, json: jsonOption },
  notes: "Exit code 77: the one that was asked for is not on this machine.",
  example: "drydock check-transport sim",
  run: async (options, io) => (await import("../actions/check-transport.ts")).checkTransport(options, io),
});
