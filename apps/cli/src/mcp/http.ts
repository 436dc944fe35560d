// The server over HTTP on loopback: by its own names only, never for another site's page.

import { createHash, timingSafeEqual } from "node:crypto";
import type { Server as HttpServer, IncomingMessage, ServerResponse } from "node:http";
import { loopbackHosts } from "@drydock/board-server/guard";
import { createHttpServer } from "@drydock/node/host/http-door";
import type { Server } from "@modelcontextprotocol/sdk/server/index.js";
import { StreamableHTTPServerTransport } from "@modelcontextprotocol/sdk/server/streamableHttp.js";
import { longestMessage } from "./line-transport.ts";

export interface McpHttp {
  readonly url: string;
  close(): Promise<void>;
}

const address = "127.0.0.1";

/** Rejects with what the system says about the port. `secret`: what every request must bear; null: none. */
export async function listenMcp(
  port: number,
  secret: string | null,
  makeServer: () => Server,
): Promise<McpHttp> {
  let hosts: ReadonlySet<string> = new Set();
  const server = createHttpServer((request, response) => {
    const refused = judge(request, hosts, secret);
    if (refused === null) void answer(request, response, makeServer);
    else {
      const [status, words] = refused;
      response.writeHead(status, {
        "content-type": "text/plain; charset=utf-8",
        "x-content-type-options": "nosniff",
        ...(status === 401 ? { "www-authenticate": "Bearer" } : {}),
        ...(status === 405 ? { allow: "POST" } : {}),
      });
      response.end(`${words}\n`);
    }
  });
  await listening(server, port);
  const bound = server.address();
  const taken = typeof bound === "object" && bound !== null ? bound.port : port;
  hosts = loopbackHosts(taken);
  return {
    url: `http://${address}:${taken}/mcp`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(() => resolve());
      }),
  };
}

/** Before anything of the request is read; null: it may go on. Host first: nothing else is told to a name that is not ours. */
function judge(
  { headers, method, url }: IncomingMessage,
  hosts: ReadonlySet<string>,
  secret: string | null,
): readonly [number, string] | null {
  if (!hosts.has((headers.host ?? "").toLowerCase()))
    return [421, "This server is not reached by that name."];
  const { origin } = headers;
  const site = headers["sec-fetch-site"];
  const isOwn = origin === undefined || hosts.has(origin.toLowerCase().replace(/^http:\/\//, ""));
  if (!isOwn || (site !== undefined && site !== "same-origin" && site !== "none"))
    return [403, "This request came from another site's page. Nothing was run."];
  if (secret !== null && !isSecret(headers.authorization ?? "", secret))
    return [401, "This server asks for Authorization: Bearer and the word that it was started with."];
  if ((url ?? "").split("?")[0] !== "/mcp") return [404, "The server is at /mcp."];
  if (method !== "POST") return [405, "Only POST: this server keeps no sessions and opens no streams."];
  return null;
}

function isSecret(authorization: string, secret: string): boolean {
  const hash = (text: string) => createHash("sha256").update(text).digest();
  return timingSafeEqual(hash(authorization), hash(`Bearer ${secret}`));
}

/** Every request stands alone: a client that goes takes its call with it. */
async function answer(
  request: IncomingMessage,
  response: ServerResponse,
  makeServer: () => Server,
): Promise<void> {
  const server = makeServer();
  const transport = new StreamableHTTPServerTransport({
    enableJsonResponse: true,
    maxRequestBodySize: longestMessage,
  });
  response.once("close", () => void server.close());
  try {
    await server.connect(transport);
    await transport.handleRequest(request, response);
  } catch {
    if (!response.headersSent) response.writeHead(500);
    response.end();
  }
}

function listening(server: HttpServer, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(port, address, () => {
      server.off("error", reject);
      resolve();
    });
  });
}
