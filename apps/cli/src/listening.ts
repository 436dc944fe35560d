// What commands that listen have in common: who can reach them, and what to do about a port that is taken.

import { hostname } from "node:os";

/** True for addresses that only this machine reaches. */
export function isLoopback(host: string): boolean {
  return /^(127\.|localhost$|::1$)/.test(host);
}

/** What somebody on another machine calls a `host` that was listened on: a wildcard is no address to go to. */
export function reachableName(host: string): string {
  return host === "0.0.0.0" || host === "::" ? hostname() : host;
}

/** A port that is taken rejects with a sentence that says which and what to do; other errors stay as they are. */
export async function orSayTaken<T>(listening: Promise<T>, host: string, port: number): Promise<T> {
  try {
    return await listening;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== "EADDRINUSE") throw error;
    throw new Error(
      `${host} port ${port} is taken: end who has it, or choose another with --port (0: free ones)`,
    );
  }
}
