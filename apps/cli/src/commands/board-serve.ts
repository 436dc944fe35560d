// drydock board serve: the board alone.

import { command, flag, option } from "../grammar/command-row.ts";
import { forOption, seedOption } from "../grammar/rig-options.ts";
import {
  boardPort,
  databaseOption,
  listenAddress,
  noOpen,
  originOption,
  readableFile,
} from "./board-words.ts";
import { queueOption } from "./campaign-words.ts";
import { labOption } from "./rig-name.ts";

export const boardServe = command({
  arguments: {},
  options: {
    port: boardPort,
    noOpen,
    people: flag("a board for many: people sign in; the first start prints the link that makes the owner"),
    origin: originOption,
    listen: option(listenAddress, "listen beyond this machine", { needs: ["origin"] }),
    certificate: option(readableFile, "serve TLS with this certificate, and those above it", {
      needs: ["origin", "key"],
    }),
    key: option(readableFile, "the certificate's key", { needs: ["certificate"] }),
    database: databaseOption,
    queue: { ...queueOption, summary: "campaigns of this queue, each beside the case that it is for" },
    lab: labOption,
    seed: seedOption,
    for: forOption,
    json: flag("the first line on stdout is one JSON document with the address"),
  },
  example: "drydock board serve --port 8080",
  notes:
    "It is kept in DRYDOCK_HOME, or in the system's folder for such things; never in a checkout. With --database several servers can serve one board.",
  run: async (options, io) => (await import("../actions/board.ts")).serveBoard(options, io),
});
