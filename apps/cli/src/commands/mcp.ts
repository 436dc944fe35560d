// drydock mcp: the reading commands for programs that speak the Model Context Protocol.

import { type CommandTable, command, flag, many, option, optionOr } from "../grammar/command-row.ts";
import { mustBeReadable } from "../grammar/input-paths.ts";
import { decimalNumber, type Kind, tcpPort } from "../grammar/option-kind.ts";
import { forOption } from "../grammar/rig-options.ts";
import { UsageError } from "../terminal/usage-error.ts";

const folder: Kind<string> = {
  placeholder: "folder",
  takes: "a folder that is there",
  isPath: true,
  read: (path) => {
    if (mustBeReadable(path) !== "folder") throw new UsageError("needs a folder, not a file");
    return path;
  },
  sample: (place) => place.folder,
  mistakes: (place) => [
    { why: "absent", text: `${place.folder}/not-there` },
    { why: "wrong type", text: "" },
  ],
};

/** `table` is the table that this row stands in. */
export const mcpOf = (table: () => CommandTable) =>
  command({
    arguments: {},
    options: {
      root: many(
        folder,
        "a folder below which clients may name files, links resolved; without one, the folder that you are in",
      ),
      allowRun: flag("rig files below the roots may be run: they are code, and may do what you may"),
      http: option(
        tcpPort,
        "over HTTP on this machine in place of standard input and output; 0 for a free port",
      ),
      patience: optionOr(
        decimalNumber({ from: 0, above: true, to: 86_400, unit: "seconds", placeholder: "seconds" }),
        300,
        "a call that takes longer is ended",
      ),
      for: forOption,
      json: flag("the first line on stdout is one JSON document with the address", { needs: ["http"] }),
    },
    notes: `Nothing is written: calls run in a process that Node keeps from writing files and from starting others (--permission).
What comes from evidence is marked as untrusted data. Over HTTP only requests by a name of this machine are answered, and
with DRYDOCK_MCP_SECRET set only those that bear it (Authorization: Bearer WORD); --allow-run with --http needs it.`,
    example: "drydock mcp --root evidence\ndrydock mcp --http 4880 --root evidence --root ~/Library/Logs",
    run: async (options, io) => (await import("../mcp/serve.ts")).serveMcp(options, table(), io),
  });
