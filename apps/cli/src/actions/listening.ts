// What commands that listen have in common: who can reach them, and what to do about a port that is taken.

import { hostname } from "node:os";
import { systemCode, systemSentence } from "../terminal/system-words.ts";
import { UsageError } from "../terminal/usage-error.ts";

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return /^(127\.|localhost$|::1$)/.test(host);
}

/** What somebody on another machine calls a `host` that was listened on: a wildcard is no address to go to. */
export function reachableName(host: string): string {
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}

/** Where somebody wanted to listen. */
export interface Place {
  readonly host: string;
  readonly port: number;
  /** A Unix socket in place of both. */
  readonly path?: string;
}

/** What the system says about a place becomes a sentence that says which and what to do; other errors stay as they are. */
export async function orSayTaken<T>(listening: Promise<T>, { host, port, path }: Place): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const code = systemCode(error);
    if (code === null) throw error;
    if (path !== undefined)
      throw new UsageError(`--unix ${systemSentence(error, path)}; name a path that nothing has yet`);
    if (code === "EADDRINUSE")
      throw new Error(
        `${host} port ${port} is taken: end who has it, or choose another with --port (0: free ones)`,
      );
    if (code === "EACCES" || code === "EPERM")
      throw new UsageError(`--port ${port}: this user may not listen there; choose one from 1024 on, or 0`);
    throw new UsageError(`--host ${systemSentence(error, host)}; name an address of this machine`);
  }
}
