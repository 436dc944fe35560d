// drydock mcp: what Drydock knows, for programs that speak the Model Context Protocol.

import { endings } from "../actions/endings.ts";
import { orSayTaken } from "../actions/listening.ts";
import type { CommandTable } from "../grammar/command-row.ts";
import type { CommandIo } from "../terminal/command-io.ts";
import { type ExitCode, exitCodes } from "../terminal/exit-codes.ts";
import { UsageError } from "../terminal/usage-error.ts";
import { drydockVersion } from "../terminal/version.ts";
import { listenMcp } from "./http.ts";
import { LineTransport } from "./line-transport.ts";
import { Reader } from "./reader.ts";
import { Roots } from "./roots.ts";
import { mcpServers } from "./server.ts";

export interface McpCommand {
  readonly root: readonly string[];
  readonly allowRun: boolean;
  readonly http?: number;
  readonly patience: number;
  readonly for?: number;
  readonly json: boolean;
}

/** What every request over HTTP must bear, where it is set. */
const secretVariable = "DRYDOCK_MCP_SECRET";
const shortestSecret = 16;

export async function serveMcp(options: McpCommand, table: CommandTable, io: CommandIo): Promise<ExitCode> {
  const roots = new Roots(options.root.length === 0 ? ["."] : options.root);
  const secret = secretOf(options);
  const reader = new Reader({
    script: new URL("../mcp-reader.ts", import.meta.url),
    folder: roots.folders[0],
    patienceMs: options.patience * 1000,
  });
  const makeServer = await mcpServers({
    table,
    version: drydockVersion,
    roots,
    reader,
    allowRun: options.allowRun,
  });
  let stop: (code: "pass" | "interrupted") => void = () => {};
  const ended = new Promise<"pass" | "interrupted">((resolve) => {
    stop = resolve;
  });
  const end = endings(options.for, stop);
  const where = roots.folders.join(", ");
  try {
    if (options.http === undefined) {
      const server = makeServer();
      server.onclose = () => stop("pass");
      await server.connect(new LineTransport(process.stdin, process.stdout));
      io.say(`drydock: an MCP server on standard input and output, below ${where}; end of input ends it`);
      await ended;
      await server.close();
    } else {
      const place = { host: "127.0.0.1", port: options.http };
      const http = await orSayTaken(listenMcp(options.http, secret, makeServer), place);
      if (options.json) io.document({ url: http.url, roots: roots.folders }, "line");
      else io.print(`${http.url}\n`);
      io.say(`drydock: an MCP server, below ${where}; Ctrl-C ends it`);
      await ended;
      await http.close();
    }
  } finally {
    end.disarm();
    reader.close();
  }
  return exitCodes.pass;
}

function secretOf({ allowRun, http }: McpCommand): string | null {
  const secret = process.env[secretVariable] ?? null;
  if (secret !== null && secret.length < shortestSecret)
    throw new UsageError(
      `${secretVariable} has fewer than ${shortestSecret} characters: anybody could guess it`,
    );
  // Everybody on this machine reaches loopback.
  if (allowRun && http !== undefined && secret === null)
    throw new UsageError(
      `--allow-run with --http lets whoever reaches the port run code as you: set ${secretVariable} to a long word of your own, and give it to the client`,
    );
  return secret;
}
